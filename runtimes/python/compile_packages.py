"""Compile the packages in /packages, and write down what importing them takes.

Run once for a set of packages, by sandboxd's own means, inside the sandbox. It reads
the packages and runs nothing of them. A module that is no Python of this version stays
as it is: whoever imports it is told. Packages are anybody's: what is strange in one must
neither stop the others nor take memory without bound.

There is text at which the interpreter itself breaks off, which no exception tells: calls
of calls of calls, a thousand deep, overflow the stack of its compiler. So each module is
named on standard output before it is looked at. Who runs this runs it again after such an
end, with the last module that was named as an argument: those given stay as they are.

``_sandbox_packages.py`` is who reads what this writes into ``/packages/.sandboxd``, all
of it in marshal's format:

``.names``
    the modules and packages at the top, with the length of the first part of their
    file; 0 for those that are left to Python's own finder. No module has this name.
NAME
    for each of them: first where its modules are, counted from the end of this part, and
    the code of those that importing NAME imports; then the code of each of the others.
"""

import ast
import marshal
import operator
import os
import py_compile
import re
import shutil
import struct
import sys
import warnings

ROOT = "/packages"
PREPARED = ROOT + "/.sandboxd"
LEFT_OUT = frozenset(sys.argv[1:])

# A file to be read at once is not to be longer: what it holds takes memory.
TOGETHER_LIMIT = 8 << 20
PATTERN_LIMIT = 4096
# Of each module. Those of patterns that re would not remember either are not of use.
NAMES_LIMIT = 1000
PATTERNS_LIMIT = re._MAXCACHE


def main():
    names = {}
    if LEFT_OUT:  # what there is was written by the run that broke off
        shutil.rmtree(PREPARED)
    os.mkdir(PREPARED)
    for entry in sorted(os.listdir(ROOT)):
        name = entry.removesuffix(".py")
        if name.isidentifier():
            try:
                names[name] = prepare(name)
            except Exception:  # Python's own finder needs nothing that was prepared
                names[name] = 0
    with open(PREPARED + "/.names", "wb") as file:
        file.write(marshal.dumps(names))


def prepare(top):
    """Write the file of a module or package at the top; return how long its first part is."""
    modules, others = modules_of(top)
    if top not in modules:
        return 0
    first = closure(top, modules)
    together = {key: modules[key].prepared() for key in modules if key in first}
    if len(marshal.dumps(together)) > TOGETHER_LIMIT:
        together = {}
    apart = {key: marshal.dumps(module.prepared()) for key, module in modules.items() if key not in together}
    places, offset = {}, 0
    for key, module in modules.items():
        length = len(apart.get(key, ""))
        places[key] = module.is_package, offset, length
        offset += length
    head = marshal.dumps((places | others, together))
    with open(f"{PREPARED}/{top}", "wb") as file:
        file.write(head)
        file.writelines(apart.values())
    return len(head)


def modules_of(top):
    """The modules at and below a name, by path; and what else an import might mean."""
    modules, others = {}, {}

    def visit(path):
        here = f"{ROOT}/{path}"
        for is_package, name in (True, here + "/__init__.py"), (False, here + ".py"):
            if os.path.isfile(name):
                print(path, flush=True)
                code = None if path in LEFT_OUT else compiled(name)
                if code is None:
                    others[path] = ()
                else:
                    modules[path] = Module(path, name, code, is_package)
                break
        else:
            others[path] = ()
        if os.path.isdir(here):
            entries = {entry.partition(".")[0] for entry in os.listdir(here)} - {"__init__", "__pycache__"}
            for entry in sorted(entries):
                if entry.isidentifier():
                    visit(f"{path}/{entry}")

    visit(top)
    return modules, others


def compiled(name):
    """Compile a file; return its code, or None if it is no Python of this version."""
    try:
        cached = py_compile.compile(name, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    except (py_compile.PyCompileError, OSError):  # also where something else has the file's name
        return None
    with open(cached, "rb") as file:
        return marshal.loads(file.read()[16:])


class Module:
    """A module, with what its text says about importing it."""

    def __init__(self, path, name, code, is_package):
        self.is_package = is_package
        self.code = code
        self.package = path if is_package else path.rpartition("/")[0]
        self.imports = []  # paths
        self.patterns = {}
        self.names = {}  # of constants
        with open(name, "rb") as file:
            text = file.read()
        try:
            self.look(ast.parse(text))
        except (RecursionError, MemoryError):  # what was not seen is imported as it always is
            pass

    def prepared(self):
        return self.code, tuple(key + compiled for key, compiled in self.patterns.items())

    def look(self, node):
        """Look at what runs when the module is imported."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                self.imports += [alias.name.replace(".", "/") for alias in child.names]
            elif isinstance(child, ast.ImportFrom):
                self.imports += self.imported_from(child)
            self.look(child)
            if isinstance(child, ast.Assign):
                self.assign(child)
            elif isinstance(child, ast.Call) and is_of_re(child.func) and child.func.attr == "compile":
                self.compile(child)

    def imported_from(self, node):
        package = self.package.split("/")
        base = package[: len(package) - node.level + 1] if node.level else []
        if node.module:
            base = base + node.module.split(".")
        base = "/".join(base)
        return [base] + [f"{base}/{alias.name}" for alias in node.names]

    def assign(self, node):
        try:
            value = constant(node.value, self.names)
        except NotConstant:
            return
        for target in node.targets:
            if isinstance(target, ast.Name) and (target.id in self.names or len(self.names) < NAMES_LIMIT):
                self.names[target.id] = value

    def compile(self, call):
        """Compile a pattern that the module compiles, if it can be told which it is.

        To be wrong does no harm: a pattern is found by its text and flags only.
        """
        flags = [word.value for word in call.keywords if word.arg == "flags"] + call.args[1:2]
        try:
            pattern = constant(call.args[0], self.names)
            flags = int(constant(flags[0], self.names)) if flags else 0
            if isinstance(pattern, (str, bytes)) and len(self.patterns) < PATTERNS_LIMIT:
                self.patterns[pattern, flags] = compiled_pattern(pattern, flags)
        except Exception:  # whatever a pattern may raise, it raises when the module is imported
            pass


class NotConstant(Exception):
    pass


OPERATORS = {ast.Add: operator.add, ast.Mod: operator.mod, ast.BitOr: operator.or_}
FLAGS = "A ASCII I IGNORECASE M MULTILINE S DOTALL U UNICODE X VERBOSE".split()


def is_of_re(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re"


def constant(node, names):
    """The text or number that an expression has, if it has always the same, and a short one.

    What it is made of is short as well, so that nothing long is made on the way.
    """
    value = folded(node, names)
    if isinstance(value, int) and value.bit_length() > 64:
        raise NotConstant
    if isinstance(value, (str, bytes)) and len(value) > PATTERN_LIMIT:
        raise NotConstant
    return value


def folded(node, names):
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes, int)):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if is_of_re(node) and node.attr in FLAGS:
        return getattr(re, node.attr)
    if isinstance(node, ast.JoinedStr):
        text = ""
        for part in node.values:
            text += constant(part, names)
            if len(text) > PATTERN_LIMIT:
                raise NotConstant
        return text
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return str(constant(node.value, names))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left = constant(node.left, names)
        if isinstance(node.op, ast.Mod) and isinstance(left, (str, bytes)):
            return formatted(left, node.right, names)
        try:
            return OPERATORS[type(node.op)](left, constant(node.right, names))
        except (TypeError, ZeroDivisionError):
            raise NotConstant from None
    raise NotConstant


def formatted(text, node, names):
    """What ``text % node`` is, for the plainest of forms: one with a width may be of any length."""
    plain = text if isinstance(text, str) else text.decode("latin-1")
    if "%" in re.sub("%[%sd]", "", plain):
        raise NotConstant
    values, left = [], PATTERN_LIMIT
    for item in node.elts if isinstance(node, ast.Tuple) else [node]:
        values.append(constant(item, names))
        left -= len(values[-1]) if isinstance(values[-1], (str, bytes)) else 1
        if left < 0:
            raise NotConstant
    try:
        return text % tuple(values)
    except (TypeError, ValueError):
        raise NotConstant from None


class Recorder:
    """Stands in for the module _sre, and keeps what a pattern comes to."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return getattr(self.module, name)

    def compile(self, pattern, flags, code, groups, index, names):
        self.compiled = flags, struct.pack(f"<{len(code)}I", *code), groups, index, names
        return self.module.compile(pattern, flags, code, groups, index, names)


def compiled_pattern(pattern, flags):
    """What re compiles a pattern to. One that it warns about is to be compiled again."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        re._compiler.compile(pattern, flags)
    return re._compiler._sre.compiled


def closure(top, modules):
    """What importing the module or package at the top imports of itself."""
    found, wanted = set(), [top]
    while wanted:
        key = wanted.pop()
        if key in found or key not in modules:
            continue
        found.add(key)
        parts = key.split("/")
        wanted += ["/".join(parts[:i]) for i in range(1, len(parts))]
        wanted += modules[key].imports
    return found


re._compiler._sre = Recorder(re._compiler._sre)
main()
