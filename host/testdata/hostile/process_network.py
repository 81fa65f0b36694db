# Connects to the world.
#
# status: ok
# exit: 0
# stdout: "[]\n"
done = []
def attempt(name, call):
    try:
        call()
    except (OSError, AttributeError, ImportError, NotImplementedError, ValueError):
        return
    done.append(name)
def connect():
    import socket
    socket.create_connection(("127.0.0.1", 80), timeout=1)
def listen():
    import socket
    socket.socket().listen()
def adopt():
    import socket
    for fd in range(10):
        try:
            socket.socket(fileno=fd).recv(10)
        except OSError:
            continue
        raise SystemExit("received")
    raise OSError
def resolve():
    import socket
    socket.gethostbyname("localhost")
def fetch():
    import urllib.request
    urllib.request.urlopen("http://127.0.0.1/")
def local():
    import urllib.request
    urllib.request.urlopen("file:///etc/passwd")
for call in (connect, listen, adopt, resolve, fetch, local):
    attempt(call.__name__, call)
print(done)
