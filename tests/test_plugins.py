"""What pytest's outcomes become: verdicts, exit codes and a journal, in real runs of small suites.

The runs are real but for one thing: the environment is a value without a cluster.
"""

import signal
from pathlib import Path
from typing import Any

import pytest

from landfast import timeouts
from landfast.journal import (
    ClaimDeclared,
    EnvironmentFact,
    Event,
    Evidence,
    Note,
    Observation,
    RunFinished,
    TestFinished,
    TestStarted,
    read_journal,
)
from landfast.verdict import Verdict

pytest_plugins = ["pytester"]

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


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    project = Path(__file__).parent.parent
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # a worker that is stopped amid an import leaves that file open
    ini = "[pytest]\nfilterwarnings =\n  error\n  ignore:unclosed file:ResourceWarning\n"
    (pytester.path / "pytest.ini").write_text(ini)
    return Suite(pytester)


def fixture(broken: str, body: str) -> str:
    """Give a test whose own fixture breaks before or after it."""
    before, after = ("assert False", "pass") if broken == "setup" else ("pass", "assert False")
    name = f"{broken}_{len(body)}"
    return f"""
def test_{name}(made_{name}, test):
    {body}

@pytest.fixture
def made_{name}():
    {before}
    yield
    {after}
"""


OUTCOMES = [
    ("test.observe('phase Bound')", Verdict.PASS, ""),
    ("pass", Verdict.UNKNOWN, "ended without an observation"),
    ("test.observe('x'); assert 1 == 2, 'one is not two'", Verdict.FAIL, "one is not two"),
    ("test.observe('x'); pytest.fail('no good')", Verdict.FAIL, "no good"),
    ("test.observe('x'); raise Unknown('no effect')", Verdict.UNKNOWN, "no effect"),
    (
        "test.observe('x'); raise OSError('refused')",
        Verdict.UNKNOWN,
        "check itself broke: OSError: ref",
    ),
    (
        "test.observe('x'); pytest.skip('later')",
        Verdict.UNKNOWN,
        "skipped without naming a capability",
    ),
    ("raise MissingCapability('nfs.locks', 'none')", Verdict.SKIPPED, "nfs.locks: none"),
    (fixture("setup", "test.observe('x')"), Verdict.UNKNOWN, "the test could not be set up"),
    (fixture("teardown", "test.observe('x')"), Verdict.FAIL, "could not be removed"),
    (fixture("teardown", "raise MissingCapability('a.b', '')"), Verdict.FAIL, "not be removed"),
]


def test_an_outcome_becomes_a_verdict(suite: Suite) -> None:
    assert suite.run(*[body for body, _, _ in OUTCOMES]) == 1
    ends = {e.claim: e for e in suite.events if isinstance(e, TestFinished)}
    with_evidence = {e.test for e in suite.events if isinstance(e, Evidence)}
    for number, (body, verdict, reason) in enumerate(OUTCOMES):
        end = ends[f"s.c{number}"]
        assert (body, end.verdict) == (body, verdict)
        assert reason in end.reason
        assert bool(end.reason) == (verdict is not Verdict.PASS)
        assert (end.test in with_evidence) == (verdict in (Verdict.FAIL, Verdict.UNKNOWN))
    assert ends["s.c7"].capability == "nfs.locks"
    assert "FAIL    s.c2: " in suite.output
    assert "UNKNOWN s.c1: " in suite.output
    assert "report: " in suite.output
    (end_of_run,) = suite.of(RunFinished)
    assert (end_of_run.exit_code, end_of_run.left_behind) == (1, [])
    assert (suite.folder / "taken-down").exists()
    for name in ("report.html", "junit.xml", "summary.md"):
        assert (suite.folder / "out" / "latest" / name).stat().st_size


@pytest.mark.parametrize(
    ("tests", "code", "said"),
    [
        (
            ["test.observe('x')", "raise MissingCapability('nfs.locks', '')"],
            0,
            "1 passed, 1 skipped",
        ),
        (["test.observe('x')", "pass"], 2, "1 passed, 1 unknown"),
    ],
)
def test_the_verdicts_give_the_exit_code(
    suite: Suite, tests: list[str], code: int, said: str
) -> None:
    assert suite.run(*tests) == code
    assert said in suite.output


@ALONE_AND_WORKERS
def test_a_job_of_github_is_told_once(
    suite: Suite, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(suite.folder / name))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert suite.run("test.observe('x')", "assert 1 == 2, 'no'", "pass", options=options) == 1
    summary = (suite.folder / "GITHUB_STEP_SUMMARY").read_text()
    assert summary.count("# FAIL: 1 of 3 claims does not hold") == 1
    report = (suite.folder / "out" / "latest").resolve()
    assert (suite.folder / "GITHUB_OUTPUT").read_text() == f"report={report}\n"
    said = [line for line in suite.output.splitlines() if line.startswith("::")]
    assert [line.partition("It MUST hold. ")[0] for line in said] == [
        "::error title=FAIL s.c1::",
        "::warning title=UNKNOWN s.c2::",
    ]


def test_workers_write_one_journal(suite: Suite) -> None:
    tests = ("test.observe('x')", "test.observe('y')", "assert False", "pass")
    assert suite.run(*tests, options=("-n", "2")) == 1
    assert len(suite.of(ClaimDeclared)) == 4
    assert len(suite.of(TestFinished)) == 4
    workers = {e.worker for e in suite.events if isinstance(e, TestStarted)}
    assert workers == {"gw0", "gw1"}
    assert len(suite.of(RunFinished)) == 1


@ALONE_AND_WORKERS
def test_a_host_that_will_not_do_is_bad_input(suite: Suite, options: tuple[str, ...]) -> None:
    assert suite.run("test.observe('x')", options=options, problem="bad input") == 4
    assert "ERROR: this host will not do" in suite.output
    assert "Traceback" not in suite.output
    assert not suite.of(TestStarted)


def test_a_cluster_that_does_not_come_up_is_not_the_claims_fault(suite: Suite) -> None:
    assert suite.run("test.observe('x')", problem="broken") == 2
    assert "the run could not begin: the cluster did not come up" in suite.output
    assert "Traceback" not in suite.output
    assert any("did not come up" in e.text for e in suite.events if isinstance(e, Note))


@ALONE_AND_WORKERS
def test_once_the_engine_has_stopped_nothing_is_judged(
    suite: Suite, options: tuple[str, ...]
) -> None:
    fails = "open(request.node.name, 'w').close(); test.observe('x'); assert False"
    head = ["def test_{0}(test, request):\n    " + fails] * 6
    tests = [text.format(number) for number, text in enumerate(head)]
    assert suite.run(*tests, options=options, problem="lost") == 2
    ends = suite.of(TestFinished)
    assert {(end.verdict, end.reason) for end in ends} == {
        (Verdict.UNKNOWN, "the engine has stopped")
    }
    assert len(ends) == 6
    assert len(list(suite.folder.glob("test_*"))) <= 2, "only the first of a process begins"
    assert suite.of(Evidence) == []


def test_what_cannot_be_removed_is_said_and_is_not_green(suite: Suite) -> None:
    assert suite.run("test.observe('x')", problem="stays") == 1
    (end,) = suite.of(RunFinished)
    assert end.left_behind == ["container x cannot be removed"]
    assert "container x cannot be removed" in suite.output


@ALONE_AND_WORKERS
def test_no_test_at_all_is_bad_input(suite: Suite, options: tuple[str, ...]) -> None:
    assert suite.run("test.observe('x')", options=("-k", "nothing", *options)) == 4
    assert not (suite.folder / "brought-up").exists()
    assert any("no test was selected" in e.text for e in suite.events if isinstance(e, Note))


@pytest.mark.parametrize(
    "test",
    [
        "def test_none(test):\n    test.observe('x')\n\n@pytest.mark.claim('s.unknown')\n"
        "def test_other(test):\n    test.observe('x')",
        "@pytest.mark.claim('s.c0')\ndef test_two(test):\n    test.observe('x')",
    ],
    ids=["unknown", "two"],
)
def test_a_test_of_no_claim_or_two_is_refused(suite: Suite, test: str) -> None:
    assert suite.run(test) == 4
    assert "must have one @pytest.mark.claim(ID)" in suite.output
    assert "Traceback" not in suite.output
    assert not (suite.folder / "brought-up").exists()


@ALONE_AND_WORKERS
def test_a_suite_that_cannot_be_imported_is_landfasts_fault(
    suite: Suite, options: tuple[str, ...]
) -> None:
    suite.head += "import nowhere\n"
    assert suite.run("test.observe('x')", options=options) == 3
    assert "No module named 'nowhere'" in suite.output
    assert not (suite.folder / "brought-up").exists()
    (end,) = suite.of(RunFinished)
    assert end.exit_code == 3


@ALONE_AND_WORKERS
def test_the_first_failure_may_end_a_run(suite: Suite, options: tuple[str, ...]) -> None:
    assert suite.run(*["assert False"] * 9, options=("-x", *options)) == 1
    assert 1 <= len(suite.of(TestFinished)) < 9


def test_patience_is_in_the_report_and_in_force(suite: Suite) -> None:
    body = "from landfast import timeouts; test.observe(str(timeouts.patient(10)))"
    assert suite.run(body, options=("--patience", "2.5", "-n", "1")) == 0
    assert "multiplied by 2.5 (--patience)" in [e.value for e in suite.of(EnvironmentFact)]
    assert [e.text for e in suite.of(Observation)] == ["25.0"]


def test_ctrl_c_takes_down_and_says_so(suite: Suite) -> None:
    assert suite.run("test.observe('x'); raise KeyboardInterrupt") == 130
    assert (suite.folder / "taken-down").exists()
    assert (suite.folder / "out" / "latest" / "report.html").exists()


def test_collecting_alone_brings_up_nothing(suite: Suite) -> None:
    assert suite.run("test.observe('x')", options=("--collect-only", "-q")) == 0
    assert not (suite.folder / "out").exists()


ROW = """
from landfast.claims import Claim

@pytest.mark.parametrize("text", [
    pytest.param("a", marks=pytest.mark.claim(Claim(id="s.a", text="A MUST.", source="row 1"))),
    pytest.param("b", marks=pytest.mark.claim(Claim(id="s.b", text="B MUST.", source="row 2"))),
])
def test_rows(text, test):
    test.observe(text)
"""


def test_a_row_of_a_table_brings_its_own_claim(suite: Suite) -> None:
    suite.head += ROW
    assert suite.run("test.observe('x')") == 0
    assert {e.id: e.source for e in suite.of(ClaimDeclared)} == {
        "s.a": "row 1",
        "s.b": "row 2",
        "s.c0": "here",
    }


def test_the_claim_of_a_scenario_is_declared_with_its_name_and_tier(suite: Suite) -> None:
    mark = "@pytest.mark.scenario(name='freeze', tier='L7')\n"
    suite.head += ROW.replace("@pytest", f"{mark}@pytest", 1)
    marks = "markers=claim: of a test\nscenario: of a row"
    assert suite.run("test.observe('x')", options=("-o", marks)) == 0
    assert {e.id: (e.scenario, e.tier) for e in suite.of(ClaimDeclared)} == {
        "s.a": ("freeze", "L7"),
        "s.b": ("freeze", "L7"),
        "s.c0": ("", None),
    }


def marked(mark: str, name: str, body: str = "test.observe('x')") -> str:
    return f"@pytest.mark.{mark}\ndef test_{name}(test):\n    {body}\n"


def test_groups_come_first_then_slow_tests_and_those_alone_late(suite: Suite) -> None:
    single = [f"test.observe('{number}')" for number in range(10)]
    tests = (
        "def test_alone(test, alone):\n    test.observe('x')",
        *single,
        marked("slow", "slow"),
        marked("slow", "slow_too"),
        marked("xdist_group('g')", "one"),
        marked("xdist_group('g')", "two"),
    )
    orders = []
    for seed in ("1", "1", "2"):
        assert suite.run(*tests, options=("--seed", seed)) == 0
        names = [e.test.rpartition("::")[2] for e in suite.of(TestStarted)]
        assert names[:3] == ["test_one", "test_two", "test_slow"]
        assert names[6] == "test_slow_too"
        assert names[-3] == "test_alone"
        orders.append(names)
    assert orders[0] == orders[1] != orders[2]


def test_what_a_test_does_alone_no_other_test_sees(suite: Suite) -> None:
    suite.head += """
from pathlib import Path
from threading import Event

def who_runs(name):
    Path(f"runs-{name}").touch()
    Event().wait(0.5)  # long enough for the other worker to begin, too
    seen = sorted(path.name for path in Path(".").glob("runs-*"))
    Path(f"runs-{name}").unlink()
    return str(seen)
"""
    tests = (
        "def test_alone(test, alone):\n    with alone():\n        test.observe(who_runs('a'))",
        "test.observe(who_runs('b'))",
    )
    assert suite.run(*tests, options=("-n", "2")) == 0
    assert {e.text for e in suite.of(Observation)} == {"['runs-a']", "['runs-b']"}
