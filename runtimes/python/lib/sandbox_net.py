"""HTTP for programs whose profile grants requests.

    import sandbox_net
    response = sandbox_net.fetch("https://api.example.com/v1/items")
    print(response.status, response.json())

``urllib.request`` works too, and goes the same way. There are no sockets: the host
makes the requests that the profile lists under ``network.allow``, adds the headers
it keeps secret, and follows redirects within the same rules.

Host and guest talk through a file that exists only where there is a grant. Both
write one line of JSON, and a body after it.
"""

import errno
import json as _json
import posix
import sys

__all__ = ["fetch", "Response", "NetworkError", "NetworkDenied"]

_FILE = "/.sandboxd/fetch"
_CHUNK = 1 << 16
_CODES = {"denied": errno.EACCES, "timeout": errno.ETIMEDOUT, "invalid": errno.EINVAL}


class NetworkError(OSError):
    """A request has no response: the network, the server or a limit is in the way."""


class NetworkDenied(NetworkError):
    """The profile does not allow the request; its operator can change that."""


class Headers(dict):
    """The headers of a response, by their names in any case.

    Values of a name that comes several times are joined with a comma; ``all`` has
    each of them.
    """

    def __init__(self, pairs):
        super().__init__()
        self.all = [tuple(pair) for pair in pairs]
        for name, value in self.all:
            name = name.lower()
            self[name] = f"{self[name]}, {value}" if name in self else value

    def __getitem__(self, name):
        return super().__getitem__(name.lower())

    def __contains__(self, name):
        return super().__contains__(name.lower())

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class Response:
    """What a server answered, whatever its status."""

    def __init__(self, status, reason, url, headers, body):
        self.status = status
        self.reason = reason
        self.url = url
        self.headers = Headers(headers)
        self.body = body

    @property
    def text(self):
        """The body as text, in the encoding that the headers name, or UTF-8."""
        encoding = "utf-8"
        for part in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = part.strip().partition("=")
            if name.lower() == "charset" and value:
                encoding = value.strip("\"'")
        try:
            return self.body.decode(encoding, "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self):
        """The body, read as JSON."""
        return _json.loads(self.body)

    def __repr__(self):
        return f"<Response {self.status} {self.url}>"


def fetch(url, method="GET", headers=None, body=None, json=None, timeout=None, redirects=None):
    """Make one request and return its Response.

    ``body`` is bytes or text, ``json`` an object to send as JSON instead.
    ``timeout`` is in seconds, and ``redirects`` is how many are followed; the
    profile's limits hold in any case. Raises NetworkDenied for what the profile
    does not allow, and NetworkError where there is no response.
    """
    headers = dict(headers or {})
    if json is not None:
        if body is not None:
            raise TypeError("fetch() takes body or json, not both")
        body = _json.dumps(json)
        if not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
    if isinstance(body, str):
        body = body.encode()
    body = memoryview(body or b"").cast("B")
    request = {
        "method": str(method).upper(),
        "url": str(url),
        "headers": [[str(name), str(value)] for name, value in headers.items()],
        "body": len(body),
    }
    if timeout is not None:
        if not 0 < timeout < float("inf"):
            raise ValueError("timeout must be a number of seconds above 0")
        request["timeout"] = timeout
    if redirects is not None:
        request["redirects"] = redirects
    answer, rest = _exchange(_json.dumps(request).encode() + b"\n", body)
    if "error" in answer:
        kind = NetworkDenied if answer["error"] == "denied" else NetworkError
        raise kind(_CODES.get(answer["error"], errno.EIO), answer["message"])
    return Response(answer["status"], answer["reason"], answer["url"], answer["headers"], rest)


def _exchange(line, body):
    try:
        descriptor = posix.open(_FILE, posix.O_RDWR)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EROFS):  # there are too many open files
            raise NetworkError(error.errno, error.strerror) from None
        raise NetworkDenied(
            errno.EACCES,
            "this program has no network: its profile grants none. "
            "The operator can list the requests it needs in the profile's network.allow",
        ) from None
    try:
        for data in memoryview(line), body:
            while data:
                data = data[posix.write(descriptor, data):]
        chunks = []
        while chunk := posix.read(descriptor, _CHUNK):
            chunks.append(chunk)
    finally:
        posix.close(descriptor)
    line, _, rest = b"".join(chunks).partition(b"\n")
    return _json.loads(line), rest


class _Importer:
    """Makes urllib.request go through here when it is imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "urllib.request":
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader:
    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        _connect(module)


def _connect(request):
    """Give urllib.request the host's way to the network in place of sockets."""
    import io
    from http.client import parse_headers
    from urllib.error import URLError
    from urllib.response import addinfourl

    # Set by the host for every request, and by urllib in most.
    ours = {"host", "connection", "content-length", "accept-encoding", "transfer-encoding"}

    def open_url(handler, req):
        headers = {**req.unredirected_hdrs, **req.headers}
        body = req.data
        if body is not None and not isinstance(body, (bytes, bytearray, memoryview)):
            body = body.read() if hasattr(body, "read") else b"".join(body)
        try:
            response = fetch(
                req.full_url.partition("#")[0],
                req.get_method(),
                {name: value for name, value in headers.items() if name.lower() not in ours},
                body,
                timeout=req.timeout if isinstance(req.timeout, (int, float)) else None,
                redirects=0,
            )
        except OSError as error:
            raise URLError(error) from None
        lines = "".join(f"{name}: {value}\r\n" for name, value in response.headers.all)
        message = parse_headers(io.BytesIO(lines.encode("latin-1", "replace") + b"\r\n"))
        result = addinfourl(io.BytesIO(response.body), message, req.full_url, response.status)
        result.msg = result.reason = response.reason
        return result

    handler = request.HTTPHandler
    handler.http_open = handler.https_open = open_url
    handler.https_request = handler.http_request


sys.meta_path.insert(0, _Importer)
