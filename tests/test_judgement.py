"""Which verdict an error becomes: only the statement under test can fail."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures.verdicts import Judgement
from landfast.errors import Unreachable
from landfast.journal import Journal
from landfast.kube.client import KubeError
from landfast.kube.pods import PodCannotStart, PodCrashes
from landfast.steps import Steps
from landfast.verdict import MissingCapability, Unknown, Verdict
from landfast.waiting import NotStable, WaitTimeout

_QUOTA = '{"reason": "Forbidden", "message": "pods \\"a\\" is forbidden: exceeded quota: small"}'
REFUSED = KubeError("create Pod a", SimpleNamespace(body=_QUOTA, status=403, reason="Forbidden"))
_ARRANGE = "the test could not arrange what it needs: "


@pytest.fixture
def judgement(tmp_path: Path) -> Judgement:
    return Judgement(Steps(Journal(tmp_path / "journal.jsonl"), "test"))


@pytest.mark.parametrize(
    ("error", "verdict", "reason"),
    [
        (WaitTimeout("waited 40 s"), Verdict.UNKNOWN, f"{_ARRANGE}waited 40 s"),
        (
            REFUSED,
            Verdict.UNKNOWN,
            f'{_ARRANGE}create Pod a: pods "a" is forbidden: exceeded quota: small',
        ),
        (Unreachable("no answer"), Verdict.UNKNOWN, f"{_ARRANGE}no answer"),
        (PodCannotStart("pod a cannot start"), Verdict.UNKNOWN, "pod a cannot start"),
        (Unknown("no effect"), Verdict.UNKNOWN, "no effect"),
        (NotStable("it went"), Verdict.FAIL, "it went"),
        (AssertionError("one is not two"), Verdict.FAIL, "one is not two"),
        (KeyError("status"), Verdict.UNKNOWN, "the check itself broke: KeyError: 'status'"),
        (MissingCapability("nfs.locks", "none"), Verdict.SKIPPED, "nfs.locks: none"),
    ],
)
def test_what_a_test_ends_in(
    judgement: Judgement, error: Exception, verdict: Verdict, reason: str
) -> None:
    judgement.judge(error, "call")
    assert (judgement.verdict, judgement.reason) == (verdict, reason)


@pytest.mark.parametrize(
    ("when", "verdict", "said"),
    [
        ("setup", Verdict.UNKNOWN, "the test could not be set up: "),
        ("teardown", Verdict.FAIL, "what the test made could not be removed: "),
    ],
)
@pytest.mark.parametrize("error", [AssertionError("x"), WaitTimeout("x"), REFUSED])
def test_what_a_fixture_ends_in(
    judgement: Judgement, when: str, verdict: Verdict, said: str, error: Exception
) -> None:
    judgement.judge(error, when)
    assert (judgement.verdict, judgement.reason) == (verdict, f"{said}{error}")


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (WaitTimeout("waited 40 s"), Verdict.FAIL),
        (REFUSED, Verdict.FAIL),
        (PodCrashes("pod a cannot start: CrashLoopBackOff: exit code 1"), Verdict.FAIL),
        (PodCannotStart("pod a cannot start: ErrImagePull"), Verdict.UNKNOWN),
        (Unreachable("no answer"), Verdict.UNKNOWN),
    ],
)
def test_what_ends_in_verify(judgement: Judgement, error: Exception, verdict: Verdict) -> None:
    with pytest.raises(Exception, match=str(error)) as raised, judgement.steps.verify("it is so"):
        raise error
    judgement.judge(raised.value, "call")
    assert judgement.verdict is verdict
    assert str(error) in judgement.reason
