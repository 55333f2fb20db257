"""A suite of one module, run for real but for its environment: a value without a cluster."""

import signal
from typing import Any

import pytest

from landfast import timeouts
from landfast.journal import Event, read_journal

CONFTEST = """
import contextlib
from pathlib import Path

from fixtures.launch import Launcher
from landfast.cluster.base import Cluster
from landfast.environment import Environment
from landfast.errors import BadInput, LandfastError
from landfast.images import Images
from landfast.nfs.export import Export

HERE = Path(__file__).parent
PROBLEM = {problem!r}


class TestLauncher(Launcher):
    suites = HERE / "suites"

    @contextlib.contextmanager
    def environment(self, settings, progress, run_id):
        if PROBLEM == "bad input":
            raise BadInput("this host will not do")
        if PROBLEM == "broken":
            raise LandfastError("the cluster did not come up")
        (HERE / "brought-up").touch()
        with progress.phase("cluster"):
            cluster = Cluster(
                provider="kind", name="c", kubeconfig=HERE / "none", context="c", nodes=()
            )
            images = Images("kit", *["none"] * 6)
            export = Export(server="10.0.0.1", path="/", kind="external")
        yield Environment(
            run_id=run_id, cluster=cluster, export=export, images=images, nfs_client="fuse",
            engine=None,
        )
        (HERE / "taken-down").touch()
        if PROBLEM == "stays":
            raise LandfastError("container x cannot be removed")

    def facts(self, env, settings):
        yield "cluster", "provider", "none"

    def lost(self, env):
        return "the engine has stopped" if PROBLEM == "lost" else None

    def evidence(self, env, stacks):
        yield "state", "what was the case"


pytest_plugins = [
    "fixtures.options",
    "fixtures.session",
    "fixtures.claims",
    "fixtures.verdicts",
    "fixtures.schedule",
]


def pytest_landfast_launcher():
    return TestLauncher()
"""
HEAD = """
import pytest
from landfast.verdict import MissingCapability, Unknown

"""


ALONE_AND_WORKERS = pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "workers"])


class Suite:
    """A suite of one module in a folder of its own, and its last run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.folder = pytester.path
        self.head = HEAD

    def run(self, *tests: str, options: tuple[str, ...] = (), problem: str = "") -> int:
        """Run tests, given as their bodies (or as whole functions); give the exit code."""
        (self.folder / "suites").mkdir(exist_ok=True)
        (self.folder / "conftest.py").write_text(CONFTEST.format(problem=problem))
        claims, module = [], self.head
        for number, test in enumerate(tests):
            claims.append(f"- {{id: s.c{number}, text: It MUST hold., source: here}}\n")
            body = test if "def test" in test else f"def test_{number}(test):\n    {test}\n"
            module += f'@pytest.mark.claim("s.c{number}")\n{body}\n'
        (self.folder / "suites" / "claims.yaml").write_text("".join(claims) or "[]")
        (self.folder / "suites" / "test_it.py").write_text(module)
        arguments = ("suites", "-p", "xdist.plugin", "--strict-markers", *options)
        if "-n" in options:
            result = self._pytester.runpytest_subprocess(*arguments)
        else:  # in a second less
            sigterm = signal.getsignal(signal.SIGTERM)
            result = self._pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)
            signal.signal(signal.SIGTERM, sigterm)
            timeouts.set_patience(1)
        self.output = "\n".join(result.outlines + result.errlines)
        return int(result.ret)

    @property
    def events(self) -> list[Event]:
        return list(read_journal(self.folder / "out" / "latest" / "journal.jsonl"))

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
