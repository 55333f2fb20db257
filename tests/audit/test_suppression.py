"""What does not count, and why: annotations, disabled rules, baselines."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cases_ignores import annotated, template
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import (
    DELETE,
    RECYCLE,
    audited,
    controller,
    orphans,
    parameters,
    pod,
    pv,
    pvc,
    statefulset,
)

from landfast.audit import manifests
from landfast.audit.findings import Finding, Severity
from landfast.audit.inventory import Inventory
from landfast.audit.output import to_json
from landfast.audit.report import Report
from landfast.audit.rules import RULES, audit
from landfast.audit.suppression import (
    ANNOTATION,
    Fingerprint,
    check_rules,
    fingerprint,
    read_baseline,
    suppress,
)
from landfast.errors import BadInput
from landfast.kube.client import Object

NOT_RETAINED = "audit.database-volume-not-retained: a replica of another database"
IDS = [rule.id for rule in RULES]


def suppressed(*objects: Object, disabled: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The names of the rules whose findings do not count, with the reasons."""
    found = suppress(audited(*objects), disabled)
    return [(f.rule.id, f.suppression.reason) for f in found if f.suppression]


def database(volume: Object, claim: Object, workload: Object) -> list[Object]:
    return [
        pv("a", metadata=volume, **RECYCLE, claimRef={"namespace": "shop", "name": "a"}),
        pvc("a", metadata=claim, volumeName="a"),
        {**pod("db", "a"), "metadata": {"name": "db", "namespace": "shop", **workload}},
    ]


@pytest.mark.parametrize("on", range(3))
def test_an_annotation_counts_on_the_object_its_pvc_and_its_workload(on: int) -> None:
    where: list[Object] = [{}, {}, {}]
    where[on] = annotated(NOT_RETAINED)
    expected = ("audit.database-volume-not-retained", "a replica of another database")
    assert suppressed(*database(*where)) == [expected]


def test_an_annotation_ignores_only_its_rules() -> None:
    text = "audit.recycle-deprecated: old\naudit.shared-directory: no: they only read: always\n"
    volumes = [pv(n, "/x", metadata=annotated(text), **DELETE) for n in "ab"]
    assert suppressed(*volumes) == [("audit.shared-directory", "no: they only read: always")]


def test_an_annotation_on_something_else_ignores_nothing() -> None:
    other = controller("Deployment", "b")
    other["metadata"] |= annotated(NOT_RETAINED)
    assert suppressed(*database({}, {}, {}), other, pvc("b")) == []


def test_an_annotation_of_a_template_counts_for_its_pvcs() -> None:
    plain, ignored = statefulset(replicas=2), template("audit.class-missing: made by Helm")
    [finding] = [f for f in audited(plain) if f.rule.id == "audit.class-missing"]
    assert finding.alike == 1
    assert suppressed(ignored) == [("audit.class-missing", "made by Helm")]


@pytest.mark.parametrize("text", ["audit.recycle-deprecated", "audit.recycle-deprecated: ", "x: y"])
def test_without_a_rule_and_a_reason_a_finding_stays(text: str) -> None:
    found = audited(pv("a", metadata=annotated(text), **RECYCLE))
    assert {f.rule.id for f in found} == {"audit.recycle-deprecated", "audit.ignore-refused"}
    assert [f for f in suppress(found) if f.suppression] == []


def test_every_refused_line_is_a_finding_on_its_object(tmp_path: Path) -> None:
    text = "audit.recycle-deprecated: scratch\naudit.recycle-deprecated\nx: y"
    volumes = [pv(name, metadata=annotated(text)) for name in "ab"]
    (tmp_path / "pvs.yaml").write_text(yaml.safe_dump_all(volumes))
    read = Inventory(manifests.read([str(tmp_path)]).resources, complete=False)
    found = [f for f in audit(read) if f.rule.id == "audit.ignore-refused"]
    assert [f.name for f in found] == ["a", "a", "b", "b"]
    lines = (tmp_path / "pvs.yaml").read_text().splitlines()
    assert all(ANNOTATION in lines[(f.line or 0) - 1] for f in found)


def test_a_disabled_rule_is_counted_and_not_reported() -> None:
    found = [pv("a", **RECYCLE), pv("b", **DELETE)]
    assert suppressed(*found, disabled=("audit.recycle-deprecated",)) == [
        ("audit.recycle-deprecated", "--disable audit.recycle-deprecated")
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("audit.recycle", "did you mean audit.recycle-deprecated"),
        ("recycle-deprecated", "did you mean audit.recycle-deprecated"),
        ("zzz", "see `landfast audit --list`"),
    ],
)
def test_an_unknown_rule_is_refused_with_what_is_close(rule: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_rules([IDS[0], rule], IDS)
    assert str(caught.value).startswith(f"--disable {rule}: there is no rule '{rule}'; ")
    assert said in str(caught.value)


Known = Callable[..., Counter[Fingerprint]]


@pytest.fixture
def known(tmp_path: Path) -> Known:
    """Return a function that writes objects' findings as a baseline and reads it again."""

    def make(*objects: Object) -> Counter[Fingerprint]:
        file = tmp_path / "baseline.json"
        report = Report(audited(*objects, export=orphans("/exports/x")), "all", Severity.ERROR)
        file.write_text(to_json(report))
        return read_baseline(file)

    return make


def counting(
    known: Counter[Fingerprint], *objects: Object, orphan: str = "/exports/x"
) -> list[Finding]:
    found = audited(*objects, export=orphans(orphan))
    return [f for f in suppress(found, known=known) if not f.suppression]


def test_what_is_in_the_baseline_does_not_count(known: Known) -> None:
    old, new = pv("old", **RECYCLE), pv("new", **RECYCLE)
    baseline = known(old)
    assert counting(baseline, old) == []
    assert [f.name for f in counting(baseline, new, old)] == ["new"]
    assert [f.name for f in counting(baseline, old, orphan="/exports/y")] == ["/exports/y"]


def test_another_rule_on_a_known_object_counts(known: Known) -> None:
    baseline = known(pv("a", **DELETE))
    assert [f.rule.id for f in counting(baseline, pv("a", **RECYCLE))] == [
        "audit.recycle-deprecated"
    ]


def test_all_count_if_an_object_has_more_of_a_rule_than_before(known: Known) -> None:
    baseline = known(parameters(archiveOnDelete="true", a="1"))
    found = counting(baseline, parameters(archiveOnDelete="true", a="1", b="2"))
    assert [f.rule.id for f in found] == ["audit.unknown-parameter"] * 2
    assert counting(baseline, parameters(archiveOnDelete="true", c="3")) == []


def test_a_baseline_made_with_a_baseline_has_all_of_it(tmp_path: Path, known: Known) -> None:
    old, new = pv("old", **RECYCLE), pv("new", **RECYCLE)
    found = [*suppress(audited(old, new), known=known(old))]
    file = tmp_path / "again.json"
    file.write_text(to_json(Report(found, "all", Severity.ERROR)))
    again = read_baseline(file)
    assert [f for f in suppress(audited(old, new), known=again) if not f.suppression] == []


@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abc")))
def test_nothing_new_counts_nothing_and_anything_new_counts(
    before: list[str], after: list[str]
) -> None:
    findings = {name: audited(pv(name, **RECYCLE))[0] for name in "abc"}
    known = Counter(fingerprint(findings[name]) for name in before)
    found = suppress([findings[name] for name in after], known=known)
    counted = {f.name for f in found if not f.suppression}
    assert counted == {n for n in after if after.count(n) > before.count(n)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"findings": [], "suppressed": 3}',
        '{"findings": [1], "suppressed": []}',
    ],
)
def test_a_baseline_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "b.json"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_baseline(file)
    assert str(caught.value) == (
        f"--baseline {file} is not what an audit writes: "
        f"make it with `landfast audit … --format json > {file}`"
    )
    with pytest.raises(BadInput, match="none cannot be read: No such file"):
        read_baseline(tmp_path / "none")


def test_the_annotation_is_what_the_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs/audit.md").read_text()
    assert ANNOTATION in page
