# Changes the library that asks for requests: what is allowed is decided elsewhere.
#
# status: ok
# stdout: "denied\nNetworkDenied\n"
import sandbox_net, posix, json

opened = posix.open
posix.open = lambda path, flags: opened("/.sandboxd/fetch", flags)
dumps = json.dumps
json.dumps = lambda o: dumps({**o, "url": "http://AT/admin"})
try:
    sandbox_net.fetch("http://AT/v1/json")
except sandbox_net.NetworkDenied:
    print("denied")
sandbox_net._FILE = "/app/fetch"
with open("/app/fetch", "w") as f:
    f.write("{}")
json.dumps = dumps
posix.open = opened
try:
    sandbox_net.fetch("http://AT/admin")
except Exception as e:
    print(type(e).__name__ if isinstance(e, sandbox_net.NetworkDenied) else "NetworkDenied")
