"""Checks of sandboxd_client.py against a real daemon."""

import asyncio
import contextlib
import io
import json
import os
import tarfile
import tempfile
import unittest
from pathlib import Path
from uuid import uuid4

from agents import RunConfig, Runner, set_tracing_disabled
from agents.items import ModelResponse
from agents.models.interface import Model
from agents.sandbox import LocalSnapshotSpec, Manifest, SandboxAgent, SandboxRunConfig
from agents.sandbox.capabilities import Filesystem, Skills
from agents.sandbox.entries import Dir, File, GitRepo, S3Mount
from agents.sandbox.entries.mounts import DockerVolumeMountStrategy
from agents.sandbox.errors import (
    ExecNonZeroError,
    ExecTimeoutError,
    ExecTransportError,
    GitMissingInImageError,
    InvalidManifestPathError,
    WorkspaceArchiveWriteError,
    WorkspaceReadNotFoundError,
)
from agents.sandbox.types import Group, User
from agents.sandbox.workspace_paths import SandboxPathGrant
from agents.usage import Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

import sandboxd_client
from sandboxd_client import SandboxdSandboxClient, SandboxdSandboxClientOptions, SandboxdShell
from sandboxd_daemon import daemon

POLICY = """
default_profile = "small"
[profiles.small]
timeout = "20s"
disk.quota = "4MiB"
[profiles.tiny]
fuel = 100_000_000
"""


def setUpModule():
    """Start a daemon for all tests, with a policy of its own."""
    set_tracing_disabled(True)
    directory = unittest.enterModuleContext(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    policy = Path(directory, "sandbox.toml")
    policy.write_text(POLICY)
    os.environ["SANDBOXD_CONFIG"] = str(policy)
    runner = unittest.enterModuleContext(asyncio.Runner())
    stack = contextlib.AsyncExitStack()
    client = runner.run(stack.enter_async_context(daemon(directory, "python", "javascript")))
    os.environ["SANDBOXD_SOCKET"] = client._daemon._socket
    unittest.addModuleCleanup(lambda: runner.run(stack.aclose()))


class SandboxTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = SandboxdSandboxClient()
        self.addAsyncCleanup(self.client.aclose)

    async def session(self, manifest=None, **how):
        session = await self.client.create(manifest=manifest, **how)
        await session.start()
        self.addAsyncCleanup(self.client.delete, session)
        return session

    async def sessions(self):
        """The ids of all sessions that the daemon has."""
        answer = await self.client._daemon.call("ListSessions", {})
        return {session["id"] for session in answer.get("sessions", [])}


# What command lines do, one after the other in one session: exit code, what standard
# output is, and what standard error has in it.
COMMANDS = [
    ("mkdir -p a/b && echo one > a/x.txt; echo two >> a/x.txt; cat -n a/x.txt", 0, "     1\tone\n     2\ttwo\n", ""),
    ("ls; ls a; pwd", 0, "a\nb\nx.txt\n/app\n", ""),
    ("cat > p.py <<'EOF'\nimport sys\nprint(sys.argv[1:], sys.stdin.read().split())\nEOF\nprintf 'q\\nr\\n' | python3 p.py 1 \"2 $HOME\" '$3'", 0,
     "['1', '2 /app', '$3'] ['q', 'r']\n", ""),
    ("python3 p.py < a/x.txt | tr a-z A-Z > out.txt; cat out.txt", 0, "[] ['ONE', 'TWO']\n", ""),
    ("python3 - <<EOF\nprint('$PWD')\nEOF", 0, "/app\n", ""),
    ("cd a && python3 -c 'import os; print(os.getcwd())' && pwd", 0, "/app/a\n/app/a\n", ""),
    ("echo 'V = 5' > a/m.py; echo 'import m; print(m.V)' > a/use.py; python3 a/use.py; cd a; python3 use.py; python3 -m m", 0, "5\n5\n", ""),
    ("cd a; python3 -c 1/0", 1, "", "ZeroDivisionError"),
    ("node -e 'console.log(6 * 7, process.cwd())'; cd a; node -p 'process.cwd()'", 0, "42 /app\n/app/a\n", ""),
    ("echo 'const n: number = 3; console.log(n)' > t.ts; node t.ts", 0, "3\n", ""),
    ("false || echo no; true && echo yes; ! false; echo $?", 0, "no\nyes\n0\n", ""),
    ("X=1 python3 -c 'import os; print(os.environ[\"X\"])'; Y=2; echo $Y ${Z:-3}", 0, "1\n2 3\n", ""),
    ("python3 -c 'import sys; print(1); print(2, file=sys.stderr)' 2>&1 | wc -l", 0, "2\n", ""),
    ("python3 -c 'import sys; print(1); print(2, file=sys.stderr)' 2> err.txt; cat err.txt", 0, "1\n2\n", ""),
    ("python3 -c 'raise SystemExit(3)'; echo $?; python3 -c 'raise SystemExit(4)'", 4, "3\n", ""),
    ("cat nothere 2>/dev/null || echo none; rm nothere 2> /dev/null; ls nothere &> log; cat log", 0,
     "none\nls: nothere: No such file or directory\n", ""),
    ("echo a 2>&1 >/dev/null; ls nothere 2>&1 >/dev/null | wc -l; echo x > a; echo $?; echo y 1>&2", 0, "1\n1\n", None),
    ("echo x >&3", 2, "", "only the streams"),
    ("python3 -c 'print(\"x\" * 90000)' > t; cat t t t t t t t t t t t t t t t t t t t t t | python3 -c 'import sys; print(len(sys.stdin.read()))'; ls -A | grep sandboxd", 1,
     "1890021\n", ""),
    ("python3 -c 'raise SystemExit(3)' || true", 0, "", ""),
    ("bash -lc 'cd a; python3 -c \"print(1)\"; pwd'; pwd", 0, "1\n/app/a\n/app\n", ""),
    ("echo 'cd a; python3 use.py; exit 3' > run.sh; sh run.sh; echo $?", 0, "5\n3\n", ""),
    ("set -e; false; echo no", 1, "", ""),
    ("printf 'b 2\\na 10\\n' > s; sort s; sort -nk2 s; grep -n a s; sed 's/\\(.\\) /\\1-/' s; cut -d' ' -f2 s; head -1 s; wc -l s", 0,
     "a 10\nb 2\nb 2\na 10\n2:a 10\nb-2\na-10\n2\n10\nb 2\n2 s\n", ""),
    ("find a -name '*.py'; echo a/*.txt; echo 'a/*.txt'", 0, "a/m.py\na/use.py\na/x.txt\na/*.txt\n", ""),
    ("test -f s && [ -d a ] && echo both", 0, "both\n", ""),
    ("cp -r a c; mv c d; ls d/x.txt; rm -rf d; ls d", 2, "d/x.txt\n", "No such file"),
    ("python3 --version; which python3 gcc", 1, "Python 3.", ""),
    ("echo ~ ~/x '~' a~; x=5; echo a$x-b ${x}c \"q$x\\\"r\\$\"; echo a\\\nb", 0, "/app /app/x ~ a~\na5-b 5c q5\"r$\nab\n", ""),
    ("python3 -c \"" + "x = '$HOME'\n" * 500 + "print(x)\"", 0, "/app\n", ""),
    # What there is not.
    ("gcc x.c", 127, "", "gcc: no such command"),
    ("git status && echo no", 127, "", "These run in the sandbox: python3"),
    ("for x in 1 2; do echo $x; done", 2, "", "'for' is not supported"),
    ("echo $(ls)", 2, "", "$(...)"),
    ("sleep 1 & echo no", 2, "", "in the background"),
    ("echo 'open", 2, "", "not closed"),
    ("cat <<EOF\nx", 2, "", "here-document"),
    ("echo x |", 2, "", "after |"),
    ("python3 nothere.py", 2, "", "nothere.py"),
    # Outside of the workspace there is nothing to be had.
    ("cat /etc/passwd ../../etc/passwd", 1, "", "cat: "),
    ("ls /", 0, "app\n", ""),
    ("echo x > /etc/x", 1, "", "/etc/x"),
    ("cp /proc/self/environ x", 1, "", "No such file"),
    # Limits say which they are.
    ("python3 -c 'while True: pass'", 137, "", "out_of_fuel"),
    ("python3 -c 'print(\"x\" * 300000)' | wc -c; python3 -c 'print(\"x\" * 300000)' > /dev/null", 0, None, "was cut off"),
    ("python3 -c 'with open(\"big\", \"w\") as f:\n  for _ in range(9): f.write(\"x\" * 1000000)'; rm -f big", 0, "", "disk_quota"),
    # A file of the agent's is not the shell's.
    ("echo 'raise SystemExit(9)' > json.py; cp json.py re.py; cp json.py fnmatch.py; find . -name json.py; rm json.py re.py fnmatch.py", 0,
     "./json.py\n", ""),
]


class Commands(SandboxTest):
    async def test_command_lines(self):
        session = await self.session()
        for command, code, out, err in COMMANDS:
            with self.subTest(command):
                result = await session.exec(command)
                stdout, stderr = result.stdout.decode(), result.stderr.decode()
                self.assertEqual(result.exit_code, code, (stdout, stderr))
                if out is not None:
                    self.assertTrue(stdout == out or (out and not out.endswith("\n") and stdout.startswith(out)), (stdout, stderr))
                self.assertIn(err or "", stderr)
                if err == "" and code == 0:
                    self.assertEqual(stderr, "")

    async def test_a_runtime_that_the_daemon_has_not(self):
        session = await self.session()
        result = await session.exec("ruby -e 'puts 1'")  # which depends on the machine
        if result.exit_code:
            self.assertEqual(result.exit_code, 127)
            self.assertIn(b"sandboxd: ruby: ", result.stderr)
        else:
            self.assertEqual(result.stdout, b"1\n")

    async def test_a_command_without_a_shell_is_not_taken_to_pieces(self):
        session = await self.session()
        result = await session.exec("echo", "a; b", "$HOME", "it's", shell=False)
        self.assertEqual(result.stdout, b"a; b $HOME it's\n")

    async def test_time_is_up(self):
        session = await self.session()
        with self.assertRaises(ExecTimeoutError):
            await session.exec("python3 -c 'while True: __import__(\"time\").sleep(0.01)'", timeout=0.5)
        with self.assertRaises(ExecTimeoutError):
            await session.exec("echo x", timeout=0)
        self.assertEqual((await session.exec("echo on", timeout=60)).stdout, b"on\n")  # more than the profile has

    async def test_the_environment_of_the_manifest(self):
        session = await self.session(Manifest(environment={"value": {"CITY": "Rome"}}))
        result = await session.exec("echo $CITY; python3 -c 'import os; print(os.environ[\"CITY\"])'")
        self.assertEqual(result.stdout, b"Rome\nRome\n")

    async def test_a_profile_can_be_chosen(self):
        session = await self.session(options=SandboxdSandboxClientOptions(profile="tiny"))
        result = await session.exec("python3 -c 'while True: pass'")
        self.assertIn(b'profile "tiny"', result.stderr)

    async def test_the_sandbox_cannot_choose_where_it_runs(self):
        """Whatever the shell answers, programs run in this session, under its profile, and not for ever."""
        victim, session = await self.session(Manifest(entries={"secret": File(content=b"42")})), await self.session()
        answer = {"run": {"language": "python", "code": "print(open('secret').read())", "filename": "x.py", "args": [], "env": {}, "stdin": "",
                          "capture": False, "sessionId": victim.state.sandboxd_session, "profile": "relaxed"}, "state": []}
        hostile = Path(self.enterContext(tempfile.TemporaryDirectory()))
        for path in sandboxd_client.GUEST.iterdir():
            if path.is_file():
                hostile.joinpath(path.name).write_bytes(path.read_bytes())
        hostile.joinpath("start.py").write_text(f"display({json.dumps(json.dumps(answer))}, mime='application/json')")
        guest, sandboxd_client.GUEST = sandboxd_client.GUEST, hostile
        steps, sandboxd_client.STEPS = sandboxd_client.STEPS, 3
        try:
            result = await session.exec("true")
        finally:
            sandboxd_client.GUEST, sandboxd_client.STEPS = guest, steps
        self.assertEqual((result.exit_code, result.stdout), (1, b""))
        self.assertEqual(result.stderr.count(b"FileNotFoundError"), 3)

    async def test_nobody_is_there(self):
        client = SandboxdSandboxClient(socket="/nowhere.sock")
        self.addAsyncCleanup(client.aclose)
        self.assertFalse(await client.ready())
        session = await client.create()
        with self.assertRaises(ExecTransportError) as raised:
            await session.exec("true")
        self.assertTrue(raised.exception.retryable)


class Files(SandboxTest):
    async def test_what_is_written_is_read(self):
        session = await self.session()
        data = bytes(range(256)) * 20
        await session.write(Path("deep/er/a b%2F#?.bin"), io.BytesIO(data))
        self.assertEqual((await session.read(Path("/app/deep/er/a b%2F#?.bin"))).read(), data)
        self.assertEqual(await session.read_bounded(Path("deep/er/a b%2F#?.bin"), max_bytes=10), data[:10])
        with self.assertRaises(WorkspaceReadNotFoundError):
            await session.read(Path("deep/nothing"))
        with self.assertRaises(WorkspaceReadNotFoundError):
            await session.read_bounded(Path("deep/nothing"), max_bytes=1)
        with self.assertRaises(WorkspaceArchiveWriteError) as raised:
            await session.write(Path("big"), io.BytesIO(b"x" * (5 << 20)))
        self.assertIn("quota", str(raised.exception))

    async def test_directories(self):
        session = await self.session()
        await session.mkdir("a/b", parents=True)
        await session.mkdir("a/b", parents=True)
        await session.write(Path("a/f"), io.BytesIO(b"12"))
        self.assertEqual([(e.path, e.kind.value, e.size) for e in await session.ls("a")], [("/app/a/b", "directory", 0), ("/app/a/f", "file", 2)])
        for refused in session.mkdir("x/y"), session.ls("x"), session.rm("x"), session.mv("a", "x"), session.mv("a/f", "a/b"):
            with self.assertRaises(ExecNonZeroError):
                await refused
        with self.assertRaises(WorkspaceArchiveWriteError):
            await session.mkdir("a/f", parents=True)
        with self.assertRaises(WorkspaceArchiveWriteError):
            await session.rm("a")
        await session.write(Path("g"), io.BytesIO(b"old"))
        await session.mv("a/f", "g")
        self.assertEqual((await session.read(Path("g"))).read(), b"12")
        self.assertFalse(await session.same_file("g", "a/f"))
        self.assertTrue(await session.same_file("g", "a/../g"))
        await session.rm("a", recursive=True)
        await session.rm("a", recursive=True)
        self.assertEqual([e.path for e in await session.ls(".")], ["/app/g"])

    async def test_no_path_leads_out(self):
        session = await self.session()
        for path in "../../etc/passwd", "/etc/passwd", "/app/../etc/passwd", "a/../../etc/passwd", "/appendix":
            for refused in (
                session.read(Path(path)), session.write(Path(path), io.BytesIO(b"x")), session.ls(path),
                session.rm(path, recursive=True), session.mkdir(path), session.mv(path, "x"),
            ):
                with self.subTest(path), self.assertRaises(InvalidManifestPathError):
                    await refused

    async def test_patches(self):
        session = await self.session()
        await session.apply_patch({"type": "create_file", "path": "src/a.py", "diff": "+print(1)\n+print(2)"})
        await session.apply_patch({"type": "update_file", "path": "src/a.py", "diff": "@@\n-print(1)\n+print(3)\n print(2)", "move_to": "b.py"})
        self.assertEqual((await session.exec("python3 b.py; ls src")).stdout, b"3\n2\n")
        with self.assertRaises(Exception) as raised:
            await session.apply_patch({"type": "create_file", "path": "b.py", "diff": "+no"})
        self.assertIn("already exists", str(raised.exception))
        await session.apply_patch({"type": "delete_file", "path": "b.py"})
        self.assertEqual([e.path for e in await session.ls(".")], ["/app/src"])

    async def test_a_manifest_becomes_files(self):
        tree = Dir(children={"x.py": File(content=b"print(7)"), "empty": Dir()})
        session = await self.session(Manifest(entries={"notes.md": File(content=b"n", ephemeral=True), "src": tree}))
        self.assertEqual((await session.exec("ls; ls src; python3 src/x.py")).stdout, b"notes.md\nsrc\nempty\nx.py\n7\n")
        with await session.persist_workspace() as archive, tarfile.open(fileobj=archive) as tar:
            names = tar.getnames()
        self.assertEqual(sorted(names), ["src", "src/empty", "src/x.py"])

    async def test_archives(self):
        session, other = await self.session(), await self.session()
        await session.exec("mkdir -p a/empty; echo 1 > a/f; echo 2 > g")
        with await session.persist_workspace() as archive:
            await other.hydrate_workspace(archive)
        self.assertEqual((await other.exec("cat a/f g; ls a")).stdout, b"1\n2\nempty\nf\n")
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                member = tarfile.TarInfo("in.txt")
                member.size = 2
                tar.addfile(member, io.BytesIO(b"in"))
            archive.seek(0)
            await other.extract("unpacked/x.tar", archive)
        self.assertEqual((await other.read(Path("unpacked/in.txt"))).read(), b"in")

    async def test_hostile_archives(self):
        def archive(name, kind=tarfile.REGTYPE, link=""):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w") as tar:
                member = tarfile.TarInfo(name)
                member.type, member.linkname, member.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
                tar.addfile(member, io.BytesIO(b"x"))
            return io.BytesIO(data.getvalue())

        session = await self.session()
        for refused in archive("../evil"), archive("a/../../evil"), archive("/etc/evil"), io.BytesIO(b"no archive" * 100):
            with self.subTest(refused.getvalue()[:16]), self.assertRaises(WorkspaceArchiveWriteError):
                await session.hydrate_workspace(refused)
        for kind in tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE:  # which are left out
            await session.hydrate_workspace(archive("link", kind, "/etc/passwd"))
        self.assertEqual(await session.ls("."), [])


class Lifecycle(SandboxTest):
    async def test_a_session_that_is_still_there_goes_on(self):
        session = await self.session(Manifest(entries={"a": File(content=b"1")}))
        await session.exec("echo 2 > a")
        state = json.loads(json.dumps(self.client.serialize_session_state(session.state)))
        again = await self.client.resume(self.client.deserialize_session_state(state))
        await again.start()
        self.assertEqual((await again.exec("cat a")).stdout, b"2\n")  # and not the manifest's
        self.assertEqual(again.state.sandboxd_session, session.state.sandboxd_session)

    async def test_a_session_that_is_gone_comes_back_from_its_snapshot(self):
        snapshot = LocalSnapshotSpec(base_path=Path(self.enterContext(tempfile.TemporaryDirectory())))
        session = await self.session(Manifest(entries={"a": File(content=b"1")}), snapshot=snapshot)
        await session.exec("echo 2 > a; mkdir -p d; echo 3 > d/b")
        await session.aclose()
        state = self.client.serialize_session_state(session.state)

        drifted = await self.client.resume(self.client.deserialize_session_state(dict(state)))
        await drifted.exec("echo 4 > a; echo 5 > new")
        await drifted.start()
        self.assertEqual((await drifted.exec("cat a d/b; ls")).stdout, b"2\n3\na\nd\n")

        await self.client.delete(session)
        self.assertFalse(await session.running())
        back = await self.client.resume(self.client.deserialize_session_state(dict(state)))
        self.addAsyncCleanup(self.client.delete, back)
        await back.start()
        self.assertEqual((await back.exec("cat a d/b; ls")).stdout, b"2\n3\na\nd\n")

    async def test_an_unchanged_session_is_not_restored(self):
        snapshot = LocalSnapshotSpec(base_path=Path(self.enterContext(tempfile.TemporaryDirectory())))
        session = await self.session(snapshot=snapshot)
        await session.exec("echo 1 > a")
        await session.aclose()
        again = await self.client.resume(session.state)
        self.assertTrue(await again._inner._can_skip_snapshot_restore_on_resume(is_running=True))
        await again.exec("echo 2 > a")
        self.assertFalse(await again._inner._can_skip_snapshot_restore_on_resume(is_running=True))

    async def test_delete(self):
        session = await self.session()
        self.assertIn(session.state.sandboxd_session, await self.sessions())
        await self.client.delete(session)
        await self.client.delete(session)
        self.assertNotIn(session.state.sandboxd_session, await self.sessions())

    async def test_what_there_is_not_is_refused(self):
        mount = S3Mount(bucket="b", mount_strategy=DockerVolumeMountStrategy(driver="rclone"))
        for manifest, word in [
            (Manifest(root="/srv"), "root"),
            (Manifest(users=[User(name="u")]), "users"),
            (Manifest(groups=[Group(name="g", users=[])]), "users"),
            (Manifest(extra_path_grants=(SandboxPathGrant(path="/etc"),)), "extra_path_grants"),
            (Manifest(entries={"m": mount}), "mounts"),
        ]:
            with self.subTest(word), self.assertRaisesRegex(ValueError, word):
                await self.client.create(manifest=manifest)
        session = await self.session()
        for refused in session.exec("true", user="root"), session.read(Path("a"), user="root"), session.ls(".", user=User(name="root")):
            with self.assertRaisesRegex(ValueError, "no users"):
                await refused
        self.assertFalse(session.supports_pty())
        with self.assertRaises(GitMissingInImageError):
            await self.session(Manifest(entries={"repo": GitRepo(repo="o/r", ref="main")}))


class Scripted(Model):
    """A model that calls a tool, and then repeats what came out."""

    def __init__(self, command):
        self.command, self.instructions = command, ""

    async def get_response(self, system_instructions, input, *args, **kwargs):
        self.instructions = system_instructions
        if isinstance(input, list) and input[-1].get("type") == "function_call_output":
            text = ResponseOutputText(type="output_text", text=input[-1]["output"], annotations=[])
            item = ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=[text])
        else:
            item = ResponseFunctionToolCall(type="function_call", call_id=uuid4().hex, name="exec_command", arguments=json.dumps(self.command))
        return ModelResponse(output=[item], usage=Usage(), response_id=None)

    def stream_response(self, *args, **kwargs):
        raise NotImplementedError


class Agents(SandboxTest):
    async def test_the_runner_makes_a_session_and_deletes_it(self):
        before = await self.sessions()
        model = Scripted({"cmd": "ls; python3 -c 'print(6 * 7)'", "workdir": "data"})
        agent = SandboxAgent(
            name="a", model=model, capabilities=[Filesystem(), SandboxdShell()],
            default_manifest=Manifest(entries={"data": Dir(children={"f.csv": File(content=b"1")})}),
        )
        result = await Runner.run(agent, "go", run_config=RunConfig(sandbox=SandboxRunConfig(client=self.client)))
        self.assertIn("exited with code 0\nOutput:\nf.csv\n42\n", result.final_output)
        self.assertIn("there is no operating system", model.instructions)
        self.assertNotIn("start it with `tty=true`", model.instructions)  # as the SDK's shell says
        self.assertEqual(await self.sessions(), before)

    async def test_a_working_directory_for_the_run(self):
        session = await self.session(Manifest(entries={"data": Dir()}))
        agent = SandboxAgent(name="a", model=Scripted({"cmd": "pwd"}), capabilities=[SandboxdShell()])
        config = RunConfig(sandbox=SandboxRunConfig(session=session, cwd="data"))
        self.assertIn("Output:\n/app/data\n", (await Runner.run(agent, "go", run_config=config)).final_output)

    async def test_a_timeout_reaches_the_model(self):
        model = Scripted({"cmd": "python3 -c 'while True: __import__(\"time\").sleep(0.01)'", "yield_time_ms": 500})
        agent = SandboxAgent(name="a", model=model, capabilities=[SandboxdShell()])
        result = await Runner.run(agent, "go", run_config=RunConfig(sandbox=SandboxRunConfig(client=self.client)))
        self.assertIn("Command timed out", result.final_output)

    async def test_skills(self):
        about = b"---\nname: add\ndescription: adds numbers\n---\nRun add.py.\n"
        skill = Dir(children={"SKILL.md": File(content=about), "add.py": File(content=b"print(1 + 1)")})
        model = Scripted({"cmd": "python3 .agents/add/add.py"})
        agent = SandboxAgent(
            name="a", model=model, capabilities=[SandboxdShell(), Skills(from_=Dir(children={"add": skill}))],
            default_manifest=Manifest(),  # without one, the SDK asks no capability for files
        )
        result = await Runner.run(agent, "go", run_config=RunConfig(sandbox=SandboxRunConfig(client=self.client)))
        self.assertIn("Output:\n2\n", result.final_output)
        self.assertIn("adds numbers", model.instructions)


if __name__ == "__main__":
    unittest.main()
