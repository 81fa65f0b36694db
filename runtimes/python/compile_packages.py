"""Compile the packages in /packages, and write down what importing them takes.

Run once for a set of packages, by sandboxd's own means, inside the sandbox. It reads
the packages and runs nothing of them. A module that is no Python of this version stays
as it is: whoever imports it is told.

``_sandbox_packages.py`` is who reads what this writes into ``/packages/.sandboxd``, all
of it in marshal's format:

``names``
    the modules and packages at the top, with the length of the first part of their
    file; 0 for those that are left to Python's own finder.
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
import struct
import warnings

ROOT = "/packages"
PREPARED = ROOT + "/.sandboxd"

# A file to be read at once is not to be longer: what it holds takes memory.
TOGETHER_LIMIT = 8 << 20
PATTERN_LIMIT = 4096


def main():
    names = {}
    os.mkdir(PREPARED)
    for entry in sorted(os.listdir(ROOT)):
        name = entry.removesuffix(".py")
        if name.isidentifier():
            names[name] = prepare(name)
    with open(PREPARED + "/names", "wb") as file:
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
                code = compiled(name)
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
    except py_compile.PyCompileError:
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
            self.look(ast.parse(file.read()))

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
            elif isinstance(child, ast.Call) and ast.unparse(child.func) == "re.compile":
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
            if isinstance(target, ast.Name):
                self.names[target.id] = value

    def compile(self, call):
        """Compile a pattern that the module compiles, if it can be told which it is.

        To be wrong does no harm: a pattern is found by its text and flags only.
        """
        flags = [word.value for word in call.keywords if word.arg == "flags"] + call.args[1:2]
        try:
            pattern = constant(call.args[0], self.names)
            flags = int(constant(flags[0], self.names)) if flags else 0
            if isinstance(pattern, (str, bytes)) and len(pattern) <= PATTERN_LIMIT:
                self.patterns[pattern, flags] = compiled_pattern(pattern, flags)
        except (IndexError, NotConstant, re.error, Warning, ValueError):
            pass


class NotConstant(Exception):
    pass


OPERATORS = {ast.Add: operator.add, ast.Mod: operator.mod, ast.BitOr: operator.or_}
FLAGS = "A ASCII I IGNORECASE M MULTILINE S DOTALL U UNICODE X VERBOSE".split()


def constant(node, names):
    """The text or number that an expression has, if it has always the same."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes, int)):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "re" and node.attr in FLAGS:
        return getattr(re, node.attr)
    if isinstance(node, ast.Tuple):
        return tuple(constant(item, names) for item in node.elts)
    if isinstance(node, ast.JoinedStr):
        return "".join(constant(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue) and node.conversion == -1 and node.format_spec is None:
        return str(constant(node.value, names))
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = constant(node.left, names), constant(node.right, names)
        if isinstance(left, (str, bytes)) and len(left) > PATTERN_LIMIT:
            raise NotConstant
        try:
            return OPERATORS[type(node.op)](left, right)
        except Exception:
            raise NotConstant from None
    raise NotConstant


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
