# Takes a body without an end, and one that unpacks to much.
#
# status: ok
# stdout: "ok\n"
import sandbox_net

for path in ("endless", "bomb", "large"):
    try:
        r = sandbox_net.fetch("http://AT/v1/" + path)
        assert len(r.body) < 1_000_000, len(r.body)
    except sandbox_net.NetworkError as e:
        assert "network.max_response" in str(e) or path == "bomb" and "compressed" in str(e), e
print("ok")
