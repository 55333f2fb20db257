"""The engine's methods against a `docker` program that records its arguments and answers."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from landfast import timeouts
from landfast.docker import ContainerState, Engine
from landfast.errors import LandfastError
from landfast.process import ProcessError
from landfast.waiting import WaitTimeout


class FakeDocker:
    """A program `docker` in a folder: it prints `out` and `err` and ends with `code`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = Engine("1.0", {"PATH": f"{folder}:/usr/bin:/bin"}, from_kit=True)
        program = folder / "docker"
        program.write_text(
            f"#!/bin/sh\ncd {folder}\nprintf '%s\\036' \"$@\" >> calls\nprintf '\\035' >> calls\n"
            "[ -e slow ] && exec sleep 60\ncat > stdin\ncat out; cat err >&2; exit $(cat code)\n"
        )
        program.chmod(0o755)
        self.answer()

    def answer(self, out: str = "", err: str = "", code: int = 0) -> None:
        """Set what every call from now on prints and how it ends."""
        for name, text in (("out", out), ("err", err), ("code", str(code))):
            (self.folder / name).write_text(text)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        recorded = (self.folder / "calls").read_text().split("\035")[:-1]
        return [call.split("\036")[:-1] for call in recorded]

    @property
    def stdin(self) -> str:
        """What the last call read."""
        return (self.folder / "stdin").read_text()


@pytest.fixture
def fake(tmp_path: Path) -> FakeDocker:
    return FakeDocker(tmp_path)


def with_machine(engine: Engine) -> Engine:
    return replace(engine, machines=frozenset({"m"}))


ARGUMENTS: dict[str, tuple[Callable[[Engine], object], str]] = {
    "execute": (lambda e: e.execute("c", "ls", "a b"), "exec|c|ls|a b"),
    "execute-text": (lambda e: e.execute("c", "cat", text="x"), "exec|--interactive|c|cat"),
    "execute-options": (
        lambda e: e.execute("c", "env", env={"A": "1 2"}, workdir="/w"),
        "exec|--env|A=1 2|--workdir|/w|c|env",
    ),
    "execute-in-a-machine": (
        lambda e: with_machine(e).execute("m", "env", env={"A": "1 2"}, workdir="/w"),
        "exec|m|machine|exec|--env|A=1 2|--workdir|/w|env",
    ),
    "execute-text-in-a-machine": (
        lambda e: with_machine(e).execute("m", "cat", text="x"),
        "exec|--interactive|m|machine|exec|--interactive|cat",
    ),
    "execute-beside-a-machine": (
        lambda e: with_machine(e).execute("c", "ls"),
        "exec|c|ls",
    ),
    "create": (
        lambda e: e.create_container("i", "serve", name="n", label="l=1"),
        "create|--name|n|--hostname|n|--label|l=1|--network|bridge|i|serve",
    ),
    "create-options": (
        lambda e: e.create_container(
            *["i", "-x"],
            name="n",
            label="l",
            network="net",
            entrypoint="/p",
            env={"A": "1"},
            volumes=["v:/v", "w:/w"],
            ports=["127.0.0.1:1:2"],
            capabilities=["SYS_ADMIN"],
            security_options=["seccomp=unconfined"],
            privileged=True,
        ),
        "create|--name|n|--hostname|n|--label|l|--network|net|--env|A=1|--volume|v:/v|--volume|w:/w"
        "|--publish|127.0.0.1:1:2|--cap-add|SYS_ADMIN|--security-opt|seccomp=unconfined|--privileged|--entrypoint|/p|i|-x",
    ),
    "run": (
        lambda e: e.run_once("i", "cat", "/f", label="l", volumes=["v:/v"]),
        "run|--rm|--label|l|--volume|v:/v|--network|none|--entrypoint|cat|i|/f",
    ),
    "start": (lambda e: e.start("c"), "start|c"),
    "stop": (lambda e: e.stop("c"), "stop|--time|10|c"),
    "stop of a machine": (
        lambda e: replace(e, machines=frozenset({"m"})).stop("m"),
        "stop|--time|50|m",
    ),
    "restart": (lambda e: e.restart("c", grace_seconds=0), "restart|--time|0|c"),
    "kill": (lambda e: e.kill("c", "HUP"), "kill|--signal|HUP|c"),
    "unpause": (lambda e: e.unpause("c"), "unpause|c"),
    "logs": (lambda e: e.logs("c", tail=5), "logs|--tail|5|c"),
    "logs-stamped": (
        lambda e: e.logs("c", tail=5, timestamps=True),
        "logs|--tail|5|--timestamps|c",
    ),
    "copy": (lambda e: e.copy_into(Path("/a"), "c", "/b"), "cp|/a|c:/b"),
    "copy-out": (lambda e: e.copy_out_of("c", "/a", Path("/b")), "cp|c:/a|/b"),
    "containers": (
        lambda e: e.containers("a=1", "b=2"),
        "container|ls|-a|--format|{{.Names}}|--filter|label=a=1|--filter|label=b=2",
    ),
    "volumes": (
        lambda e: e.volumes("a=1"),
        "volume|ls|--format|{{.Name}}|--filter|label=a=1",
    ),
    "networks": (
        lambda e: e.networks("a=1"),
        "network|ls|--format|{{.Name}}|--filter|label=a=1",
    ),
    "remove": (lambda e: e.remove_containers("a", "b"), "rm|--force|--volumes|a|b"),
    "create-volume": (lambda e: e.create_volume("v", label="l"), "volume|create|--label|l|v"),
    "remove-volume": (lambda e: e.remove_volume("v"), "volume|rm|--force|v"),
    "create-network": (lambda e: e.create_network("n", label="l"), "network|create|--label|l|n"),
    "remove-network": (lambda e: e.remove_network("n"), "network|rm|n"),
    "images": (
        lambda e: e.images("landfast/x"),
        "image|ls|--format|{{.Repository}}:{{.Tag}}|landfast/x",
    ),
    "build": (
        lambda e: e.build_image("t", Path("/f")),
        "build|--quiet|--force-rm|--tag|t|/f",
    ),
    "push": (lambda e: e.push_image("r/i"), "push|--quiet|r/i"),
    "commit": (
        lambda e: e.commit("c", "t", "CMD a", "USER b"),
        "commit|--change|CMD a|--change|USER b|c|t",
    ),
    "limit": (
        lambda e: e.limit_cpu("c", quota=-1),
        "update|--cpu-period=100000|--cpu-quota=-1|c",
    ),
    "tag": (lambda e: e.tag_image("i", "n"), "tag|i|n"),
    "remove-image": (lambda e: e.remove_image("i"), "image|rm|i"),
    "force-image": (lambda e: e.remove_image("i", force=True), "image|rm|--force|i"),
    "pull": (lambda e: e.pull_image("i"), "pull|--quiet|i"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments(fake: FakeDocker, name: str) -> None:
    call, expected = ARGUMENTS[name]
    call(fake.engine)
    assert fake.calls == [expected.split("|")]


def test_a_text_or_a_file_is_what_a_program_reads(fake: FakeDocker, tmp_path: Path) -> None:
    fake.engine.execute("c", "cat", text="täxt")
    assert fake.stdin == "täxt"
    file = tmp_path / "input"
    file.write_text("from a file")
    fake.engine.execute("c", "cat", stdin=file)
    assert fake.stdin == "from a file"
    assert fake.calls[1] == ["exec", "--interactive", "c", "cat"]
    fake.engine.build_image_from_text("t", "FROM scratch\n")
    assert fake.stdin == "FROM scratch\n"


@pytest.mark.parametrize(
    ("api", "options"),
    [("1.45", []), ("1.47", []), ("1.48", ["--platform", "linux/arm64"]), ("1.100", None)],
)
def test_images_are_saved_for_one_platform_where_docker_can(
    fake: FakeDocker, api: str, options: list[str] | None
) -> None:
    fake.answer(f"{api} linux/arm64\n")
    fake.engine.save_images(Path("/t"), "a", "b")
    expected = ["--platform", "linux/arm64"] if options is None else options
    assert fake.calls[-1] == ["save", *expected, "--output", "/t", "a", "b"]


def test_the_platform_is_the_engines_not_this_hosts(fake: FakeDocker) -> None:
    fake.answer("linux/s390x\n")
    assert fake.engine.platform() == "linux/s390x"


def test_a_build_gets_its_arguments_and_the_proxies_but_shows_no_password(
    fake: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    fake.engine.build_image_from_text("t", "FROM scratch\n")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "localhost")
    fake.engine.build_image_from_text("t", "FROM scratch\n", arguments={"BASE": "b:1"})
    plain, proxied = fake.calls
    assert plain == ["build", "--quiet", "--force-rm", "--tag", "t", "-"]
    given = {proxied[i + 1] for i, word in enumerate(proxied) if word == "--build-arg"}
    assert given == {"BASE=b:1", "HTTPS_PROXY", "no_proxy"}
    assert fake.stdin == "FROM scratch\n"


def test_a_failed_build_may_be_a_result(fake: FakeDocker) -> None:
    fake.answer(err="E: no network\n", code=1)
    assert fake.engine.build_image_from_text("t", "FROM x", check=False).returncode == 1
    with pytest.raises(ProcessError, match="E: no network"):
        fake.engine.build_image_from_text("t", "FROM x")


INSPECTED: dict[str, Any] = {
    "State": {
        "Status": "exited",
        "ExitCode": 137,
        "StartedAt": "2026-11-25T18:00:00.5Z",
        "FinishedAt": "2026-11-25T18:01:00Z",
        "Pid": 0,
    },
    "NetworkSettings": {"Networks": {"one": {"IPAddress": "10.214.0.2"}}},
    "Config": {"Image": "landfast/x:1", "Labels": {"a": "1"}},
}


def test_what_inspect_prints_is_read(fake: FakeDocker) -> None:
    fake.answer(json.dumps([INSPECTED]))
    state = fake.engine.state("c")
    times = "2026-11-25T18:00:00.5Z", "2026-11-25T18:01:00Z"
    assert state == ContainerState("exited", 137, *times)
    assert (state.is_running, state.is_paused) == (False, False)
    assert fake.engine.address("c") == "10.214.0.2"
    assert fake.engine.image_of("c") == "landfast/x:1"
    assert (fake.engine.label_of("c", "a"), fake.engine.label_of("c", "b")) == ("1", "")
    assert fake.calls == [["container", "inspect", "c"]] * 5


def test_a_container_without_labels_or_network_has_empty_ones(fake: FakeDocker) -> None:
    fake.answer(json.dumps([{"NetworkSettings": {"Networks": {}}, "Config": {"Labels": None}}]))
    assert fake.engine.address("c") == ""
    assert fake.engine.label_of("c", "a") == ""


@pytest.mark.parametrize(
    ("status", "running", "paused"),
    [("running", True, False), ("paused", False, True), ("exited", False, False)],
)
def test_a_paused_container_does_not_run(status: str, running: bool, paused: bool) -> None:
    state = ContainerState(status, 0, "", "")
    assert (state.is_running, state.is_paused) == (running, paused)


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.state("c"),
        lambda e: e.execute("c", "false"),
        lambda e: e.kill("c"),
        lambda e: e.remove_containers("c"),
        lambda e: e.start("c"),
    ],
)
def test_a_refusal_of_the_engine_is_an_error(
    fake: FakeDocker, call: Callable[[Engine], object]
) -> None:
    fake.answer(err="Error: No such container: c\n", code=1)
    with pytest.raises(ProcessError, match="No such container"):
        call(fake.engine)


def test_without_check_a_failure_is_a_result(fake: FakeDocker) -> None:
    fake.answer("out", "err", 3)
    result = fake.engine.execute("c", "false", check=False)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out", "err")
    fake.engine.kill("c", check=False)
    fake.engine.remove_image("i")
    assert fake.engine.logs("c", tail=1) == "outerr"
    assert fake.engine.image_digest("i") is None


def test_names_and_ids_are_read(fake: FakeDocker) -> None:
    fake.answer("one\ntwo\n")
    assert fake.engine.containers("a=1") == ["one", "two"]
    fake.answer("sha256:abc\n")
    assert fake.engine.image_digest("i") == "sha256:abc"
    fake.answer('{"NCPU": 4}')
    assert fake.engine.info() == {"NCPU": 4}
    fake.answer('{"ID": "one-of-many"}')
    assert fake.engine.identity() == "one-of-many"


def test_an_engine_that_stopped_does_not_answer(fake: FakeDocker) -> None:
    fake.answer('{"NCPU": 0, "ServerErrors": ["Cannot connect to the Docker daemon"]}')
    with pytest.raises(LandfastError, match=r"engine does not answer: Cannot connect to the D"):
        fake.engine.info()


def test_pause_asks_until_the_container_is_frozen(fake: FakeDocker) -> None:
    fake.answer(json.dumps([{**INSPECTED, "State": {**INSPECTED["State"], "Status": "paused"}}]))
    fake.engine.pause("c")
    assert fake.calls == [["pause", "c"], ["container", "inspect", "c"]]


def test_a_container_that_does_not_freeze_is_named(
    fake: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "CONTAINER_STATE", 0.2)
    fake.answer(json.dumps([INSPECTED]))
    with pytest.raises(WaitTimeout, match=r"for c to be paused; last state: .*exited"):
        fake.engine.pause("c")


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (("{}", "", 0), None),
        (("", "manifest unknown: manifest unknown\n", 1), ""),
        (("", "no such manifest: registry.example/x:1\n", 1), ""),
        (("", "a warning\nunauthorized: log in first\n", 1), "unauthorized: log in first"),
        (("", "", 1), "docker manifest inspect failed"),
    ],
)
def test_registry_refusal(
    fake: FakeDocker, answer: tuple[str, str, int], refusal: str | None
) -> None:
    fake.answer(*answer)
    assert fake.engine.registry_refusal("r.example/x:1", insecure=False) == refusal
    assert fake.calls == [["manifest", "inspect", "r.example/x:1"]]


def test_a_registry_may_be_insecure_or_silent(
    fake: FakeDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.engine.registry_refusal("i", insecure=True)
    assert fake.calls == [["manifest", "inspect", "--insecure", "i"]]
    monkeypatch.setattr(timeouts, "ANSWER", 0.3)
    (fake.folder / "slow").touch()
    said = fake.engine.registry_refusal("i", insecure=False)
    assert said == "it did not answer within 0.3 s"
