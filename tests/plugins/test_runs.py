"""How a run begins and ends: with workers, on hosts that will not do, when it is interrupted."""

from plugin_suite import ALONE_AND_WORKERS, Suite

from landfast.journal import (
    ClaimDeclared,
    EnvironmentFact,
    Evidence,
    Note,
    Observation,
    RunFinished,
    TestFinished,
    TestStarted,
)
from landfast.verdict import Verdict

pytest_plugins = ["pytester"]


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
