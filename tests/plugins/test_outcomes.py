"""What pytest's outcomes become: verdicts, exit codes, annotations, and the claims of tests."""

import pytest
from plugin_suite import ALONE_AND_WORKERS, Suite

from landfast.journal import ClaimDeclared, Evidence, RunFinished, TestFinished
from landfast.verdict import Verdict

pytest_plugins = ["pytester"]


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
