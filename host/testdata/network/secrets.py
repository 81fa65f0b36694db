# Looks for the secrets that the host adds: in what comes back, whole and in parts,
# in errors, files, variables and its own memory.
#
# status: ok
# stdout: "[]\n"
import gc, os, sys
import sandbox_net

WORD = "s3cret" + "-" + "4711"
found = []
def look(where, text):
    if isinstance(text, str):
        text = text.encode("utf-8", "replace")
    if WORD.encode() in text:
        found.append(where)

r = sandbox_net.fetch("http://AT/v1/echo")
look("body", r.body)
look("headers", repr(r.headers.all))
for name in ("Range", "If-Range"):
    try:
        look(name, sandbox_net.fetch("http://AT/v1/echo", headers={name: "bytes=40-45"}).body)
        found.append("answered " + name)
    except sandbox_net.NetworkDenied as e:
        look(name, str(e))
for url in ("http://AT/v1/stall", "http://AT/v1/away", "http://AT/v1/tell", "http://AT/v1/none", "http://AT/admin"):
    try:
        r = sandbox_net.fetch(url, timeout=0.1)
        look(url, r.body + repr(r.headers.all).encode())
    except sandbox_net.NetworkError as e:
        look(url, repr(e) + str(vars(e)))
look("environment", repr(dict(os.environ)))
for name in ("request", "report", "fetch", "guest.py", "sandbox_net.py", "token"):
    try:
        with open("/.sandboxd/" + name, "rb") as f:
            look(name, f.read())
    except OSError:
        pass
for item in gc.get_objects():
    if item is not globals() and isinstance(item, (dict, list, tuple)):
        try:
            look("memory", repr([x for x in (item.values() if isinstance(item, dict) else item) if isinstance(x, (str, bytes)) and x is not WORD and len(x) > 4]))
        except RuntimeError:
            pass
print(found)
