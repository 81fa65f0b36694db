# Puts a second request, another target or another length into a request.
#
# status: ok
# stdout: "[]\n"
import json, os
import sandbox_net

END = "\r\nX-Evil: 1\r\n\r\nGET /admin HTTP/1.1\r\nHost: AT\r\n\r\n"
done = []
def attempt(method="GET", url="http://AT/v1/json", headers=(), body=b""):
    request = {"method": method, "url": url, "headers": headers, "body": len(body)}
    fd = os.open("/.sandboxd/fetch", os.O_RDWR)
    os.write(fd, json.dumps(request).encode() + b"\n" + body)
    if b'"error"' not in os.read(fd, 1 << 16).partition(b"\n")[0]:
        done.append((method, url, headers))
    os.close(fd)

for method in ("GET" + END, "GET /admin HTTP/1.1\r\nX:", "GET\n", " GET", "CONNECT", "TRACE", "get", "PRI", ""):
    attempt(method)
for url in ("http://AT/v1/json" + END, "http://AT/v1/json HTTP/1.1", "http://AT/v1/\x00", "http://AT/v1/%0d%0aX", "http://AT\r\n/v1/json", "http://AT/v1/json?\n"):
    attempt(url=url)
for value in ("a" + END, "a\n b", "a\rb", "\x00", "\x7f", "\u010d\u010a"):
    attempt(headers=[["X-A", value]])
for name in ("X-A" + END, "X A", "X-A:", "", "\r\nHost", "H\u00f6st"):
    attempt(headers=[[name, "b"]])
for name in ("Host", "hOsT", "Content-Length", "Content_Length", "Transfer-Encoding", "Transfer_Encoding", "Connection", "Upgrade", "TE", "Trailer",
             "Expect", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via",
             "X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "Accept-Encoding", "Authorization", "authorization", "X-Key", "X_Key"):
    attempt(headers=[[name, "0"]])
attempt(body=b"GET /admin HTTP/1.1\r\n\r\n")
print(done)
