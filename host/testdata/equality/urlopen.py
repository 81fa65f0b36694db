# differs: what has no sockets asks the host, which grants nothing here
import urllib.error
import urllib.request

for url in "http://127.0.0.1/", "https://example.com/":
    try:
        urllib.request.urlopen(url)
    except Exception as e:
        print(type(e).__name__, e)
with urllib.request.urlopen("data:text/plain,hello") as f:
    print(f.read(), f.headers["content-type"])
