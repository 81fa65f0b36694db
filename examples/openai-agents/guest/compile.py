"""Compile a module of the shell, once for all calls: this takes more fuel than a call has to spare.

The module's text is on standard input, its name is the argument. The answer is a
display: the code in marshal's format, in base64.
"""

import base64
import marshal
import sys

code = compile(sys.stdin.buffer.read(), f"/sandbox_shell/{sys.argv[1]}.py", "exec")
display(base64.b64encode(marshal.dumps(code)).decode(), mime="text/plain")  # noqa: F821, a builtin of the sandbox's
