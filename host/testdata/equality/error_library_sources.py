import inspect
import json
import traceback

try:
    inspect.getsource(json.dumps)
except OSError as e:
    print(e)
try:
    json.loads("{")
except ValueError:
    traceback.print_exc()
