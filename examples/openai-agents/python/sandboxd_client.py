"""sandboxd as a backend of the OpenAI Agents SDK's sandbox agents.

    client = SandboxdSandboxClient()                   # the daemon on its Unix socket
    agent = SandboxAgent(name="analyst", capabilities=[Filesystem(), SandboxdShell()])
    config = RunConfig(sandbox=SandboxRunConfig(client=client))
    await Runner.run(agent, "...", run_config=config)

Each session of the SDK's is a session of ``sandboxd serve``; its files are in /app.
Commands are carried out by a small shell that runs inside the sandbox (../guest) and
knows python3, node, ruby and what one does with files. There is no operating system
behind it: no users, ports, mounts, terminals or processes that go on in the background,
and the client refuses what asks for them instead of pretending.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import os
import struct
import tarfile
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

import httpx2
from agents.sandbox.capabilities import Shell
from agents.sandbox.capabilities.tools import ExecCommandTool
from agents.sandbox.errors import (
    ExecNonZeroError,
    ExecTimeoutError,
    ExecTransportError,
    WorkspaceArchiveReadError,
    WorkspaceArchiveWriteError,
    WorkspaceReadNotFoundError,
)
from agents.sandbox.files import EntryKind, FileEntry
from agents.sandbox.manifest import Manifest
from agents.sandbox.session import SandboxSession, SandboxSessionState
from agents.sandbox.session.base_sandbox_session import BaseSandboxSession
from agents.sandbox.session.dependencies import Dependencies
from agents.sandbox.session.manager import Instrumentation
from agents.sandbox.session.sandbox_client import BaseSandboxClient, BaseSandboxClientOptions
from agents.sandbox.session.workspace_payloads import coerce_write_payload
from agents.sandbox.snapshot import SnapshotBase, SnapshotSpec, resolve_snapshot
from agents.sandbox.types import ExecResult, Permissions, User
from agents.sandbox.util.tar_utils import should_skip_tar_member
from agents.tool import Tool

ROOT = "/app"
GUEST = Path(__file__).resolve().parent.parent / "guest"
MODULES = ("reader", "commands", "programs", "files", "text", "shell")
FINGERPRINT = "sandboxd_files_sha256_v1"
PIECE = 256 << 10  # of an archive on its way
STEPS = 200  # programs in one command line
INPUT = ".sandboxd-input"  # where the shell puts what is too long for its answer
UNSENT = ("unavailable", "resource_exhausted")  # errors after which nothing was done

INSTRUCTIONS = """
Programs run in WebAssembly, and there is no operating system around them:
- `exec_command` knows `python3`, `node` and `ruby`, and `ls`, `cat`, `grep`, `find`, `sed`, `sort`, `head`, `wc`,
  `mkdir`, `cp`, `mv`, `rm` and the like. Pipes, redirections, here-documents, `&&`, `||` and `;` work. Loops,
  conditions, functions, `$(...)` and `&` do not: write Python instead.
- Nothing can be installed: there is no pip, npm, git, curl or compiler. Python has its standard library; its
  module `sandbox_utils` has helpers for files and data.
- Each command begins in /app, which holds your files, and has ended when its output is there. Fuel, memory, time
  and output are limited; what a command says on stderr tells you which limit it met, and what to do.
""".strip()


class SandboxdError(Exception):
    """The daemon refused a request, or could not be reached; ``code`` is Connect's name for the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Daemon:
    """A connection to ``sandboxd serve``: its procedures by Connect with JSON, its files by HTTP.

    It may be used from one event loop after another, and concurrently within one.
    """

    def __init__(self, socket: str | None, url: str | None, token: str | None) -> None:
        if socket is None and url is None:
            runtime = os.environ.get("XDG_RUNTIME_DIR")
            socket = os.environ.get("SANDBOXD_SOCKET") or (runtime and os.path.join(runtime, "sandboxd", "sandboxd.sock"))
            if not socket:
                raise ValueError("where is sandboxd serve? Give socket, or url and token, or set SANDBOXD_SOCKET")
        self._socket = socket if url is None else None
        self._url = url or "http://localhost"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client: httpx2.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._shell: tuple[list[list[object]], bytes] | None = None

    def _http(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            transport = httpx2.AsyncHTTPTransport(uds=self._socket, verify=False) if self._socket else None
            # A program takes as long as its profile lets it: the daemon ends it, not a timeout here.
            self._client = httpx2.AsyncClient(
                base_url=self._url, headers=self._headers, transport=transport, trust_env=False,
                timeout=httpx2.Timeout(connect=10, read=None, write=None, pool=None),
            )
            self._loop = loop
        return self._client

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def call(self, procedure: str, request: dict[str, Any]) -> dict[str, Any]:
        """Call a procedure that is no stream."""
        response = await self._send("POST", f"/sandboxd.v1.Sandbox/{procedure}", json=request)
        return response.json()

    async def stream(self, procedure: str, requests: Iterable[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
        """Call a procedure of whose requests and answers there are several."""

        async def body() -> AsyncIterator[bytes]:
            for request in requests:
                message = json.dumps(request).encode()
                yield struct.pack(">BI", 0, len(message)) + message

        path = f"/sandboxd.v1.Sandbox/{procedure}"
        headers = {"Content-Type": "application/connect+json"}
        try:
            async with self._http().stream("POST", path, content=body(), headers=headers) as response:
                if response.status_code != 200:
                    raise _refused(response.status_code, await response.aread())
                held = b""
                async for piece in response.aiter_bytes():
                    held += piece
                    while len(held) >= 5:
                        flags, size = struct.unpack(">BI", held[:5])
                        if len(held) < 5 + size:
                            break
                        message, held = json.loads(held[5 : 5 + size]), held[5 + size :]
                        if not flags & 2:
                            yield message
                        elif "error" in message:
                            error = message["error"]
                            raise SandboxdError(error.get("code", "unknown"), error.get("message", ""))
                        else:
                            return
        except httpx2.HTTPError as error:
            raise SandboxdError("unavailable", f"sandboxd cannot be reached: {error}") from error
        raise SandboxdError("unavailable", "the connection to sandboxd ended early")

    async def ready(self) -> bool:
        """Whether the daemon is there and takes requests."""
        try:
            await self._send("GET", "/readyz")
        except SandboxdError as error:
            if error.code == "unavailable":
                return False
            raise
        return True

    async def read(self, session: str, path: str) -> bytes:
        return (await self._send("GET", _file(session, path))).content

    async def write(self, session: str, path: str, data: bytes, mode: str) -> None:
        await self._send("PUT", _file(session, path), params={"mode": mode}, content=data)

    async def _send(self, method: str, path: str, **how: Any) -> httpx2.Response:
        try:
            response = await self._http().request(method, path, **how)
        except httpx2.HTTPError as error:
            raise SandboxdError("unavailable", f"sandboxd cannot be reached: {error}") from error
        if not 200 <= response.status_code < 300:
            raise _refused(response.status_code, response.content)
        return response

    async def shell(self) -> tuple[list[list[object]], bytes]:
        """The modules of the guest's shell: names with sizes, and code.

        They are compiled once, in a sandbox of their own in which nobody else's program ran:
        compiling them in each call would take most of a call's fuel.
        """
        if self._shell is None:
            program = (GUEST / "compile.py").read_text(encoding="utf-8")
            names: list[list[object]] = []
            code = b""
            for name in MODULES:
                result = (await self.call("Run", {
                    "language": "python", "code": program, "filename": "compile.py", "args": [name],
                    "stdin": _encoded((GUEST / f"{name}.py").read_bytes()),
                }))["result"]
                if not result.get("displays"):
                    problem = result.get("error", {}).get("message", result.get("status"))
                    raise SandboxdError("failed_precondition", f"compile the shell, {name}.py: {problem}")
                module = base64.b64decode(result["displays"][0]["data"]["text/plain"])
                names.append([name, len(module)])
                code += module
            self._shell = names, code
        return self._shell


def _file(session: str, path: str) -> str:
    return f"/v1/sessions/{quote(session, safe='')}/files/" + "/".join(quote(part, safe="") for part in path.split("/"))


def _refused(status: int, body: bytes) -> SandboxdError:
    """The error in an answer, of a procedure or of a request for a file."""
    kinds = {"exists": "already_exists", "denied": "permission_denied", "invalid": "invalid_argument",
             "busy": "resource_exhausted", "exhausted": "resource_exhausted", "conflict": "failed_precondition"}
    try:
        answer = json.loads(body)
        error = answer.get("error", answer)
        code = error.get("code") or error.get("kind") or ("unavailable" if status == 503 else "unknown")
        return SandboxdError(kinds.get(code, code), error.get("message", ""))
    except (ValueError, AttributeError):
        return SandboxdError("unknown", f"sandboxd answered with status {status}")


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


class SandboxdSandboxClientOptions(BaseSandboxClientOptions):
    """How sessions are made."""

    type: Literal["sandboxd"] = "sandboxd"
    profile: str | None = None
    """The profile whose limits and grants hold; without one, the caller's default profile."""


class SandboxdSandboxSessionState(SandboxSessionState):
    """What finds a session again. It holds no token."""

    type: Literal["sandboxd"] = "sandboxd"
    sandboxd_session: str
    profile: str | None = None


class SandboxdSandboxSession(BaseSandboxSession):
    """A session of the daemon's, with files in /app and no process between two commands."""

    state: SandboxdSandboxSessionState

    def __init__(self, state: SandboxdSandboxSessionState, daemon: Daemon) -> None:
        self.state = state
        self._daemon = daemon
        self._limit: float | None = None  # seconds that the profile gives a program

    # The session.

    async def _ensure_backend_started(self) -> None:
        if await self.running():
            return
        self._set_start_state_preserved(False)
        self.state.workspace_root_ready = False
        request: dict[str, Any] = {"sessionId": self.state.sandboxd_session, "language": "python"}
        if self.state.profile:
            request["profile"] = self.state.profile
        await self._daemon.call("CreateSession", request)

    async def running(self) -> bool:
        try:
            await self._daemon.call("GetSession", {"sessionId": self.state.sandboxd_session})
        except SandboxdError as error:
            if error.code == "not_found":
                return False
            raise
        return True

    # Commands.

    def _prepare_exec_command(
        self, *command: str | Path, shell: bool | list[str], user: str | User | None
    ) -> list[str]:
        _refuse(user)
        return super()._prepare_exec_command(*command, shell=shell, user=None)

    async def _exec_internal(self, *command: str | Path, timeout: float | None = None) -> ExecResult:
        argv = [str(word) for word in command]
        try:
            return await self._run(argv, None if timeout is None else time.monotonic() + timeout)
        except TimeoutError as error:
            raise ExecTimeoutError(command=argv, timeout_s=timeout, cause=error) from error
        except SandboxdError as error:
            raise ExecTransportError(
                command=argv, message=str(error), cause=error, retryable=error.code in UNSENT,
                context={"code": error.code},
            ) from error

    async def _run(self, argv: list[str], deadline: float | None) -> ExecResult:
        """Let the shell run, and the programs that it asks for, until it says that it is done."""
        names, modules = await self._daemon.shell()
        start = (GUEST / "start.py").read_text(encoding="utf-8")
        environment = await self.state.manifest.environment.resolve()
        request: dict[str, Any] = {"argv": argv, "env": environment}
        out, err, notes = "", "", ""
        for _ in range(STEPS):
            stdin = f"{json.dumps(names)}\n{json.dumps(request)}\n".encode() + modules
            result = await self._program(deadline, language="python", code=start, filename="<shell>", stdin=_encoded(stdin))
            out, err, notes = out + result.get("stdout", ""), err + result.get("stderr", ""), notes + _notes(result)
            if not result.get("displays"):  # a limit stopped the shell
                return _exec_result(out, err + notes, result.get("exitCode", 1))
            answer = json.loads(result["displays"][-1]["data"]["application/json"])
            if "exit" in answer:
                return _exec_result(out, err + notes, answer["exit"])
            # The answer comes from the sandbox: it may say what to run, not in which session or with which limits.
            wanted = answer["run"]
            program = {key: wanted[key] for key in ("language", "code", "filename", "args", "env", "stdin")}
            if program["stdin"] is None:
                program["stdin"] = _encoded(await self._daemon.read(self.state.sandboxd_session, INPUT))
                await self._daemon.call("DeleteFile", {"sessionId": self.state.sandboxd_session, "path": INPUT})
            try:
                result = await self._program(deadline, **program)
            except SandboxdError as error:
                if error.code not in ("not_found", "invalid_argument", "permission_denied"):
                    raise
                result = {"exitCode": 127, "stderr": f"sandboxd: {program['language']}: {error}\n"}
            code = result.get("exitCode", 0)
            done: dict[str, object] = {"exit": code}
            notes += _notes(result)
            if wanted["capture"]:
                done["stdout"] = _encoded(result.get("stdout", "").encode())
                done["stderr"] = _encoded(result.get("stderr", "").encode())
            else:
                out, err = out + result.get("stdout", ""), err + result.get("stderr", "")
            if answer["state"] is None:
                return _exec_result(out, err + notes, code)
            request = {"state": answer["state"], "result": done}
        return _exec_result(out, f"{err}{notes}sandboxd: a command line may run {STEPS} programs\n", 1)

    async def _program(self, deadline: float | None, **program: Any) -> dict[str, Any]:
        """Run one program in the session; raise TimeoutError if the caller's time, not the profile's, was up."""
        request = {"sessionId": self.state.sandboxd_session, **program}
        short = False
        if deadline is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # A request may only tighten the profile's timeout.
            if short := left < await self._profile_timeout():
                request["limits"] = {"timeout": f"{max(left, 0.001):.3f}s"}
        result = (await self._daemon.call("Run", request))["result"]
        if short and result.get("status") == "timeout":
            raise TimeoutError
        return result

    async def _profile_timeout(self) -> float:
        if self._limit is None:
            session = (await self._daemon.call("GetSession", {"sessionId": self.state.sandboxd_session}))["session"]
            profiles = (await self._daemon.call("ListProfiles", {})).get("profiles", [])
            limits = [p["timeout"] for p in profiles if p["name"] == session.get("profile")]
            self._limit = float(limits[0].rstrip("s")) if limits else 0.0
        return self._limit

    async def _exec_checked_nonzero(self, *command: str | Path) -> ExecResult:
        # The SDK sets the mode of each entry of a manifest. Here files have none.
        if command[0] in ("chmod", "chgrp"):
            return _exec_result("", "", 0)
        return await super()._exec_checked_nonzero(*command)

    # Files.

    def _relative(self, path: Path | str, *, for_write: bool = False) -> tuple[Path, str]:
        """A path as the SDK knows it, checked, and as the daemon does: relative to /app."""
        normal = self.normalize_path(path, for_write=for_write)
        return normal, PurePosixPath(normal.as_posix()).relative_to(ROOT).as_posix()

    async def read(self, path: Path, *, user: str | User | None = None) -> io.IOBase:
        _refuse(user)
        normal, relative = self._relative(path)
        try:
            return io.BytesIO(await self._daemon.read(self.state.sandboxd_session, relative))
        except SandboxdError as error:
            if error.code == "not_found":
                raise WorkspaceReadNotFoundError(path=normal, cause=error) from error
            raise WorkspaceArchiveReadError(path=normal, context={"reason": str(error)}, cause=error) from error

    async def _read_bounded(self, path: Path, *, max_bytes: int) -> bytes:
        normal, relative = self._relative(path)
        request = {"sessionId": self.state.sandboxd_session, "path": relative, "length": str(max_bytes)}
        try:
            pieces = [part.get("data", "") async for part in self._daemon.stream("ReadFile", [request])]
        except SandboxdError as error:
            if error.code == "not_found":
                raise WorkspaceReadNotFoundError(path=normal, cause=error) from error
            raise
        return b"".join(base64.b64decode(piece) for piece in pieces)

    async def write(self, path: Path, data: io.IOBase, *, user: str | User | None = None) -> None:
        _refuse(user)
        await self._write(path, data, "replace")

    async def _write_new_file(self, path: Path, data: io.IOBase, *, user: str | User | None = None) -> None:
        _refuse(user)
        await self._write(path, data, "create")

    async def _write(self, path: Path, data: io.IOBase, mode: str) -> None:
        normal, relative = self._relative(path, for_write=True)
        content = coerce_write_payload(path=path, data=data).stream.read()
        try:
            await self._daemon.write(self.state.sandboxd_session, relative, content, mode)
        except SandboxdError as error:
            if error.code == "already_exists":
                raise FileExistsError(str(normal)) from error
            raise _unwritten(normal, error) from error

    async def ls(self, path: Path | str, *, user: str | User | None = None) -> list[FileEntry]:
        _refuse(user)
        normal, relative = self._relative(path)
        entries = await self._entries()
        found = [e for e in entries if PurePosixPath(e["path"]).parent.as_posix() == relative]
        if relative != "." and not any(e["path"] == relative and e["kind"] == "KIND_DIRECTORY" for e in entries):
            message = f"ls: {normal}: no such directory"
            raise ExecNonZeroError(_exec_result("", message, 2), command=("ls", "--", str(normal)))
        kinds = {"KIND_FILE": EntryKind.FILE, "KIND_DIRECTORY": EntryKind.DIRECTORY, "KIND_LINK": EntryKind.SYMLINK}
        return [
            FileEntry(
                path=f"{ROOT}/{e['path']}", owner="app", group="app", size=int(e.get("size", 0)),
                kind=kinds.get(e["kind"], EntryKind.OTHER),
                permissions=Permissions.from_mode(0o40755 if e["kind"] == "KIND_DIRECTORY" else 0o644),
            )
            for e in found
        ]

    async def _entries(self, **options: Any) -> list[dict[str, Any]]:
        """All that is in the workspace. A profile bounds how much that is."""
        entries: list[dict[str, Any]] = []
        request: dict[str, Any] = {"sessionId": self.state.sandboxd_session, **options}
        while True:
            page = await self._daemon.call("ListFiles", request)
            entries += page.get("entries", [])
            if not page.get("nextPageToken"):
                return entries
            request["pageToken"] = page["nextPageToken"]

    async def rm(self, path: Path | str, *, recursive: bool = False, user: str | User | None = None) -> None:
        _refuse(user)
        normal, relative = self._relative(path, for_write=True)
        request = {"sessionId": self.state.sandboxd_session, "path": relative, "recursive": recursive}
        try:
            await self._daemon.call("DeleteFile", request)
        except SandboxdError as error:
            if error.code != "not_found":
                raise _unwritten(normal, error) from error
            if not recursive:
                message = f"rm: {normal}: no such file"
                raise ExecNonZeroError(_exec_result("", message, 1), command=("rm", "--", str(normal))) from error

    async def mkdir(self, path: Path | str, *, parents: bool = False, user: str | User | None = None) -> None:
        _refuse(user)
        normal, relative = self._relative(path, for_write=True)
        if relative == ".":
            return
        if not parents:
            await self.ls(normal.parent)  # which must be there
        # An archive may hold empty directories, which no other request makes.
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            directory = tarfile.TarInfo(relative)
            directory.type, directory.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(directory)
        archive.seek(0)
        try:
            await self._upload(archive)
        except SandboxdError as error:
            raise _unwritten(normal, error) from error

    async def mv(
        self, source: Path | str, destination: Path | str, *, user: str | User | None = None
    ) -> None:
        _refuse(user)
        (origin, old), (normal, new) = (self._relative(p, for_write=True) for p in (source, destination))
        kinds = {e["path"]: e["kind"] for e in await self._entries()}
        problem = ""
        if kinds.get(old) != "KIND_FILE":
            problem = f"mv: {origin}: no such file"
        elif kinds.get(new, "KIND_FILE") != "KIND_FILE":
            problem = f"mv: {normal}: not a file"
        if problem:
            raise ExecNonZeroError(_exec_result("", problem, 1), command=("mv", "--", str(origin), str(normal)))
        if old == new:
            return
        try:
            if new in kinds:
                await self.rm(normal)
            await self._daemon.call("MoveFile", {"sessionId": self.state.sandboxd_session, "from": old, "to": new})
        except SandboxdError as error:
            raise _unwritten(normal, error) from error

    async def same_file(
        self, left: Path | str, right: Path | str, *, follow_symlinks: bool = True, user: str | User | None = None
    ) -> bool:
        _refuse(user)
        # There are no links, and names that differ are different files.
        (_, one), (_, other) = self._relative(left), self._relative(right)
        return one == other and any(e["path"] == one for e in await self._entries())

    # The workspace as a whole.

    async def persist_workspace(self) -> io.IOBase:
        spool = tempfile.SpooledTemporaryFile(max_size=16 << 20)  # noqa: SIM115, the caller closes it
        try:
            request = {"sessionId": self.state.sandboxd_session}
            async for part in self._daemon.stream("DownloadWorkspace", [request]):
                spool.write(base64.b64decode(part.get("data", "")))
        except SandboxdError as error:
            spool.close()
            raise WorkspaceArchiveReadError(path=Path(ROOT), context={"reason": str(error)}, cause=error) from error
        spool.seek(0)
        skipped = self._persist_workspace_skip_relpaths()
        if not skipped:
            return spool
        kept = tempfile.SpooledTemporaryFile(max_size=16 << 20)  # noqa: SIM115, the caller closes it
        with spool, tarfile.open(fileobj=spool, mode="r:") as tar, tarfile.open(fileobj=kept, mode="w") as out:
            for member in tar:
                if not should_skip_tar_member(member.name, skip_rel_paths=skipped, root_name=None):
                    out.addfile(member, tar.extractfile(member) if member.isreg() else None)
        kept.seek(0)
        return kept

    async def hydrate_workspace(self, data: io.IOBase) -> None:
        """Unpack a tar archive. The daemon does: a member that would leave /app is its refusal."""
        try:
            await self._upload(data)
        except SandboxdError as error:
            raise _unwritten(Path(ROOT), error) from error

    async def _upload(self, data: io.IOBase) -> None:
        def parts() -> Iterable[dict[str, Any]]:
            yield {"target": {"sessionId": self.state.sandboxd_session, "mode": "WRITE_MODE_REPLACE"}}
            while piece := data.read(PIECE):
                yield {"data": _encoded(piece)}

        async for _ in self._daemon.stream("UploadWorkspace", parts()):
            pass

    async def _compute_and_cache_snapshot_fingerprint(self, *, version: str | None = None) -> dict[str, str]:
        """Fingerprint the files by the daemon's hashes, and the manifest; nothing is kept in the sandbox."""
        skipped = self._workspace_fingerprint_skip_relpaths()
        digest = hashlib.sha256(self._resume_manifest_digest().encode())
        for entry in sorted(await self._entries(hash=True), key=lambda e: e["path"]):
            if not should_skip_tar_member(entry["path"], skip_rel_paths=skipped, root_name=None):
                digest.update(json.dumps([entry["path"], entry["kind"], entry.get("sha256", "")]).encode())
        return {"fingerprint": digest.hexdigest(), "version": FINGERPRINT}

    async def _delete_cached_snapshot_fingerprint_best_effort(self) -> None:
        return

    def _snapshot_fingerprint_version(self) -> str:
        return FINGERPRINT


def _refuse(user: str | User | None) -> None:
    if user is not None:
        name = user.name if isinstance(user, User) else user
        raise ValueError(f"run_as {name!r}: a sandbox of sandboxd's has no users; leave run_as out")


def _unwritten(path: Path, error: SandboxdError) -> WorkspaceArchiveWriteError:
    return WorkspaceArchiveWriteError(
        path=path, message=f"write {path}: {error}", context={"code": error.code}, cause=error,
        retryable=error.code in UNSENT and "quota" not in str(error),
    )


def _exec_result(stdout: str, stderr: str, exit_code: int) -> ExecResult:
    return ExecResult(stdout=stdout.encode(), stderr=stderr.encode(), exit_code=exit_code)


def _notes(result: dict[str, Any]) -> str:
    """What sandboxd has to say of a program beside its output, for the model to read."""
    lines = []
    error = result.get("error") or {}
    if result.get("status") not in (None, "ok", "error"):
        lines.append(f"{result['status']}: {error.get('message', '')}")
    if error.get("type") != "exit":  # which a program means, as in a shell
        lines += error.get("guidance", [])
    for stream in "stdout", "stderr":
        if result.get(f"{stream}Truncated"):
            lines.append(f"{stream} was cut off at the limit: write to a file and look at parts of it")
    return "".join(f"sandboxd: {line}\n" for line in lines)


class SandboxdSandboxClient(BaseSandboxClient[SandboxdSandboxClientOptions | None]):
    """Makes sessions in a daemon, ``sandboxd serve``.

    It finds the daemon by ``socket``, or by ``url`` with a ``token``; without either by
    $SANDBOXD_SOCKET, or where the daemon listens by default.
    """

    backend_id = "sandboxd"
    supports_default_options = True

    def __init__(
        self,
        *,
        socket: str | None = None,
        url: str | None = None,
        token: str | None = None,
        instrumentation: Instrumentation | None = None,
        dependencies: Dependencies | None = None,
    ) -> None:
        self._daemon = Daemon(socket, url, token)
        self._instrumentation = instrumentation or Instrumentation()
        self._dependencies = dependencies

    async def ready(self) -> bool:
        """Whether the daemon is there and takes requests. It does not before it has prepared its runtimes."""
        return await self._daemon.ready()

    async def aclose(self) -> None:
        """Close the connection. Sessions stay until they are deleted."""
        await self._daemon.aclose()

    async def create(
        self,
        *,
        snapshot: SnapshotSpec | SnapshotBase | None = None,
        manifest: Manifest | None = None,
        options: SandboxdSandboxClientOptions | None = None,
    ) -> SandboxSession:
        manifest = self._validate_manifest_for_create(_fitting(manifest or Manifest()))
        session_id = uuid.uuid4()
        state = SandboxdSandboxSessionState(
            session_id=session_id,
            manifest=manifest,
            snapshot=resolve_snapshot(snapshot, str(session_id)),
            sandboxd_session=f"agents-{session_id.hex}",
            profile=options.profile if options else None,
        )
        return self._wrap(SandboxdSandboxSession(state, self._daemon))

    async def resume(self, state: SandboxSessionState) -> SandboxSession:
        if not isinstance(state, SandboxdSandboxSessionState):
            raise TypeError("SandboxdSandboxClient.resume expects a SandboxdSandboxSessionState")
        state.assert_path_grants_rebound()
        _fitting(state.manifest)
        session = SandboxdSandboxSession(state, self._daemon)
        session._set_start_state_preserved(await session.running())
        return self._wrap(session)

    async def delete(self, session: SandboxSession) -> SandboxSession:
        inner = session._inner
        if not isinstance(inner, SandboxdSandboxSession):
            raise TypeError("SandboxdSandboxClient.delete expects a SandboxdSandboxSession")
        try:
            await self._daemon.call("DestroySession", {"sessionId": inner.state.sandboxd_session})
        except SandboxdError as error:
            if error.code != "not_found":
                raise
        return session

    def deserialize_session_state(self, payload: dict[str, object]) -> SandboxSessionState:
        return self._deserialize_session_state_payload(payload, SandboxdSandboxSessionState)

    def _wrap(self, session: SandboxdSandboxSession) -> SandboxSession:
        return self._wrap_session(session, instrumentation=self._instrumentation)


def _fitting(manifest: Manifest) -> Manifest:
    """The manifest with its root at /app, or an error for what a sandbox of sandboxd's does not have."""
    default = Manifest.model_fields["root"].default
    if manifest.root == default:
        manifest = manifest.model_copy(update={"root": ROOT}, deep=True)
    problems = []
    if manifest.root != ROOT:
        problems.append(f"root {manifest.root!r}: files are in {ROOT}; leave root out")
    if manifest.users or manifest.groups:
        problems.append("users, groups: there are none; leave them out")
    if manifest.extra_path_grants:
        problems.append("extra_path_grants: let the profile mount the directory instead")
    if manifest.mount_targets():
        problems.append("mounts: storage cannot be mounted; let the profile mount a directory, or copy files in")
    if problems:
        raise ValueError("the manifest asks for what sandboxd has not: " + "; ".join(problems))
    return manifest


class SandboxdShell(Shell):
    """The SDK's shell capability, which tells the model what the shell is."""

    def tools(self) -> list[Tool]:
        tools = super().tools()
        for tool in tools:
            if isinstance(tool, ExecCommandTool):
                tool.description = "Runs a command line in the sandbox and returns its output when it has ended."
        return tools

    async def instructions(self, manifest: Manifest) -> str | None:
        return INSTRUCTIONS
