# Goes where it may not: other ports, names and forms of the same address, other
# paths written in all ways, metadata, redirects.
#
# status: ok
# stdout: "[]\n"
import sandbox_net

host, port = "AT".split(":")
done = []
for url in (
    "http://AT/", "http://AT/admin", "http://AT/v1", "http://AT/v1/../admin", "http://AT/v1/..", "http://AT/v1/%2e%2e/admin",
    "http://AT/v1/%2E./admin", "http://AT/v1/..;/admin", "http://AT/v1/..%2fadmin", "http://AT/v1/..%5cadmin", "http://AT/v1/..\\admin",
    "http://AT/v1/%252e%252e/admin", "http://AT/v1//admin", "http://AT//v1/x", "http://AT/v1/%c0%ae%c0%ae/admin", "http://AT\\@evil/v1/x",
    "http://AT@example.com/v1/x", "http://example.com#@AT/v1/x", "http://AT:80/v1/x", "http://AT./v1/x", "https://AT/v1/x", "ftp://AT/v1/x", "file:///etc/passwd",
    f"http://{host}/v1/x", f"http://localhost:{port}/v1/x", f"http://127.1:{port}/v1/x", f"http://2130706433:{port}/v1/x",
    f"http://0x7f.0.0.1:{port}/v1/x", f"http://0177.0.0.1:{port}/v1/x", f"http://[::1]:{port}/v1/x", f"http://[::ffff:127.0.0.1]:{port}/v1/x",
    f"http://0.0.0.0:{port}/v1/x", f"http://[::]:{port}/v1/x", f"http://\u0661\u0662\u0667.0.0.1:{port}/v1/x", "http://169.254.169.254/latest/meta-data/",
    "http://AT/v1/away",
):
    try:
        done.append((url, sandbox_net.fetch(url)))
    except sandbox_net.NetworkError:
        pass
print(done)
