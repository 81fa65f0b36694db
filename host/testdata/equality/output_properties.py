# differs: standard output shows every line when it is complete, so that it can be watched
import sys

print(sys.stdout.line_buffering, sys.stdout.write_through, sys.stdout.isatty(), sys.stdout.newlines)
print(sys.stderr.line_buffering, sys.stdout.name, sys.stdout.mode, sys.stdout.fileno(), type(sys.stdout.buffer).__name__)
