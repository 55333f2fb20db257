"""The order of tests, and what one does alone."""

from plugin_suite import Suite

from landfast.journal import Observation, TestStarted

pytest_plugins = ["pytester"]


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
