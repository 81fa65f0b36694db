import json
import sys

before = json
del sys.modules["json"]
import json

print(before is json, json.loads("[1]"))
sys.modules["antigravity2"] = None
try:
    import antigravity2
except ImportError as e:
    print(e)
