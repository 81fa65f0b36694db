import select

try:
    import socket

    socket.socket()
except (ImportError, OSError) as e:
    print(type(e).__name__, e)
try:
    import urllib.request

    urllib.request.urlopen("http://127.0.0.1/")
except Exception as e:
    print(type(e).__name__, e)
print(select.select([], [], [], 0.001))
