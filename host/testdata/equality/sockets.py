import select

try:
    import socket

    socket.socket()
except (ImportError, OSError) as e:
    print(type(e).__name__, e)
try:
    import http.client

    http.client.HTTPConnection("127.0.0.1").connect()
except Exception as e:
    print(type(e).__name__, e)
print(select.select([], [], [], 0.001))
