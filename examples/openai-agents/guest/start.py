"""Start the shell: the program of each call.

Standard input has a line with the names and sizes of the modules, a line with the
request, and then the modules in that order, as compile.py made them. The workspace is
no place to import from: a json.py of the agent's is not the shell's.
"""

import json
import marshal
import sys
import types

sys.path[:] = [path for path in sys.path if path not in ("", "/app")]
modules, request = (json.loads(sys.stdin.buffer.readline()) for _ in range(2))
package = sys.modules["sandbox_shell"] = types.ModuleType("sandbox_shell")
package.__path__ = []
for name, size in modules:
    module = sys.modules[f"sandbox_shell.{name}"] = types.ModuleType(f"sandbox_shell.{name}")
    module.__package__ = "sandbox_shell"
    exec(marshal.loads(sys.stdin.buffer.read(size)), module.__dict__)  # loads, for load takes 30 times the fuel
module.main(request)
