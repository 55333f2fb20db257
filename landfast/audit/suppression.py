"""What keeps a finding from counting: an annotation, a disabled rule, a baseline."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from landfast.audit.findings import Finding, Suppression
from landfast.audit.objects import Resource
from landfast.errors import BadInput

ANNOTATION = "landfast.dev/ignore"

Fingerprint = tuple[str, str, str, str, str]
"""Rule, kind, namespace, name and file: what stays the same when lines move."""


def suppress(
    findings: Iterable[Finding],
    disabled: Collection[str] = (),
    known: Counter[Fingerprint] | None = None,
) -> Iterator[Finding]:
    """Yield findings, with a `suppression` where one does not count.

    `disabled` are ids of rules, `known` how often a baseline has a fingerprint. If an object has
    more findings of a rule than the baseline, all of them count: which one is new nobody can tell.
    """
    found = [*findings]
    now = Counter(map(fingerprint, found))
    for finding in found:
        same = fingerprint(finding)
        suppression = None
        if reason := _reason(finding):
            suppression = Suppression("annotation", reason)
        elif finding.rule.id in disabled:
            suppression = Suppression("disabled", f"--disable {finding.rule.id}")
        elif known and now[same] <= known[same]:
            suppression = Suppression("baseline", "it is in the baseline")
        yield replace(finding, suppression=suppression)


def fingerprint(finding: Finding) -> Fingerprint:
    """Return what identifies a finding from one audit to the next."""
    return finding.rule.id, finding.kind, finding.namespace, finding.name, finding.file


def _reason(finding: Finding) -> str:
    """Return why the object, its PVC or its workload ignores the rule; "" if none does."""
    annotated = [finding.on, *finding.owners] if finding.on else finding.owners
    found = (dict(ignored(one)).get(finding.rule.id, "") for one in annotated if one)
    return next(filter(None, found), "")


def ignored(found: Resource) -> Iterator[tuple[str, str]]:
    """Yield rule and reason of each line of an object's annotation; a reason can be ""."""
    for line in found.metadata.annotations.get(ANNOTATION, "").splitlines():
        rule, _, reason = line.partition(":")
        if line.strip():
            yield rule.strip(), reason.strip()


def check_rules(given: Sequence[str], known: Sequence[str]) -> None:
    """Check the rules that `--disable` names.

    Raises:
        BadInput: there is no such rule.
    """
    for rule in given:
        if rule not in known:
            raise BadInput(f"--disable {rule}: {no_such_rule(rule, known)}")


def no_such_rule(rule: str, known: Sequence[str]) -> str:
    """Return a sentence about an unknown rule, with those of a similar name."""
    close = get_close_matches(f"audit.{rule.removeprefix('audit.')}", known)
    said = f"did you mean {' or '.join(close)}?" if close else "see `landfast audit --list`"
    return f"there is no rule {rule!r}; {said}"


def read_baseline(file: Path) -> Counter[Fingerprint]:
    """Return how often each fingerprint is in what an audit wrote with `--format json`.

    Raises:
        BadInput: the file cannot be read or is no such report.
    """
    try:
        report: Any = json.loads(file.read_bytes())
        found = [*report["findings"], *report["suppressed"]]
        return Counter(
            (f["rule"], f["kind"], f["namespace"] or "", f["name"], f["file"] or "") for f in found
        )
    except OSError as error:
        raise BadInput(f"--baseline {file} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"--baseline {file} is not what an audit writes: "
            f"make it with `landfast audit … --format json > {file}`"
        ) from error
