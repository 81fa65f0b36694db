"""Run programs in sandboxd from Python, over gRPC.

The client is generated from sandboxd.proto: see README.md. The daemon is the one of
SANDBOXD_SOCKET or, with SANDBOXD_TOKEN, that of SANDBOXD_ADDRESS.
"""

import os
import sys

import grpc

from sandboxd.v1 import sandboxd_pb2 as pb
from sandboxd.v1 import sandboxd_pb2_grpc as rpc


def connect():
    """Return a channel, and the metadata that every call over it needs."""
    token = os.environ.get("SANDBOXD_TOKEN")
    if token is None:
        return grpc.insecure_channel("unix:" + os.environ["SANDBOXD_SOCKET"]), []
    # Without TLS only because the daemon is on this machine.
    return grpc.insecure_channel(os.environ["SANDBOXD_ADDRESS"]), [("authorization", "Bearer " + token)]


def stream(sandbox, metadata, request):
    """Run a program, pass its output on as it is written, and return its result."""
    for event in sandbox.Execute(request, metadata=metadata):
        if event.HasField("output"):
            out = sys.stderr if event.output.stream == pb.STREAM_STDERR else sys.stdout
            out.buffer.write(event.output.data)
            out.flush()
        else:
            return event.result


def upload(path, data, session):
    """Yield the messages that write a file."""
    target = pb.WriteFileRequest.Target(session_id=session, path=path, mode=pb.WRITE_MODE_REPLACE)
    yield pb.WriteFileRequest(target=target)
    for i in range(0, len(data), 1 << 20):
        yield pb.WriteFileRequest(data=data[i : i + (1 << 20)])


def main():
    channel, metadata = connect()
    with channel:
        sandbox = rpc.SandboxStub(channel)
        print("sandboxd", sandbox.Info(pb.InfoRequest(), metadata=metadata).platform)

        # A program whose output comes as it is written.
        result = stream(sandbox, metadata, pb.ExecuteRequest(language="python", code="for i in range(3):\n  print(i, flush=True)"))
        print("status", result.status, "fuel", result.fuel_consumed > 0)

        # A session that keeps files and variables.
        session = sandbox.CreateSession(
            pb.CreateSessionRequest(language="python", persist=pb.PERSIST_STATE), metadata=metadata
        ).session.id
        sandbox.WriteFile(upload("rows.csv", b"10\n20\n30\n", session), metadata=metadata)
        for code in ["total = sum(int(row) for row in open('rows.csv'))", "print('total', total)"]:
            stream(sandbox, metadata, pb.ExecuteRequest(session_id=session, code=code))

        # A program that fails is a result; what cannot be run is an error.
        result = stream(sandbox, metadata, pb.ExecuteRequest(language="python", code="while True: pass", limits=pb.Limits(fuel=5_000_000)))
        print("status", result.status)
        sandbox.DestroySession(pb.DestroySessionRequest(session_id=session), metadata=metadata)
        try:
            sandbox.Run(pb.ExecuteRequest(session_id=session, code="1"), metadata=metadata)
        except grpc.RpcError as err:
            print("error", err.code().name)


if __name__ == "__main__":
    main()
