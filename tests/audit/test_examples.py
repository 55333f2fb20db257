"""What a rule shows as its fix is YAML, and no finding of that rule."""

from typing import Any

import pytest
import yaml
from objects_to_audit import audited, controller, pv, pvc, statefulset, storage_class

from landfast.audit.findings import Rule
from landfast.audit.rules import RULES
from landfast.kube.client import Object

SHOWN = [rule for rule in RULES if rule.example]
POD_SPEC = {"containers", "initContainers", "volumes"}
CONTAINER = {"livenessProbe", "startupProbe"}


def deployment() -> Object:
    return controller("Deployment", "data", strategy={"type": "Recreate"}, replicas=1)


def cron_job() -> Object:
    made = controller("CronJob", "backup", "busybox:1")
    return {
        **made,
        "apiVersion": "batch/v1",
        "spec": {
            "schedule": "@daily",
            "concurrencyPolicy": "Forbid",
            "jobTemplate": {"spec": made["spec"]},
        },
    }


WHOLE = {
    "PersistentVolume": pv("data", storageClassName="manual"),
    "PersistentVolumeClaim": pvc("data", storageClassName="manual"),
    "StorageClass": storage_class("nfs", parameters={}),
    "Deployment": deployment(),
    "StatefulSet": statefulset(),
    "CronJob": cron_job(),
    "Cluster": {},
    "ScheduledBackup": {},
}
"""Sound objects, of which an excerpt changes what it shows."""


def merged(whole: Any, part: Any) -> Any:
    """Put an excerpt into an object; a list replaces a list."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return whole | {key: merged(whole.get(key), value) for key, value in part.items()}
    return part


def completed(excerpt: Object) -> Object:
    """Return the object that an excerpt is a part of, by its kind or by its keys."""
    keys = excerpt.keys()
    if "kind" in excerpt:
        return dict(merged(WHOLE[excerpt["kind"]], excerpt))
    if keys <= CONTAINER:
        excerpt = {"containers": [{"name": "db", "image": "mysql:8.4", **excerpt}]}
    if excerpt.keys() <= POD_SPEC:
        excerpt = {"spec": {"template": {"spec": excerpt}}}
    if keys == {"volumeClaimTemplates"}:
        return dict(merged(WHOLE["StatefulSet"], {"spec": excerpt}))
    if keys == {"mountOptions"}:
        return dict(merged(WHOLE["StorageClass"], excerpt))
    assert excerpt.keys() <= {"metadata", "spec"}, f"what is {sorted(keys)} a part of?"
    kind = "StatefulSet" if "persistentVolumeClaimRetentionPolicy" in str(excerpt) else "Deployment"
    return dict(merged(WHOLE[kind], excerpt))


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.id)
def test_what_a_rule_shows_is_no_finding_of_it(rule: Rule) -> None:
    objects = [completed(excerpt) for excerpt in yaml.safe_load_all(rule.example)]
    assert objects
    for complete in (True, False):
        found = audited(*objects, complete=complete)
        assert [f.message for f in found if f.rule.id == rule.id] == []


@pytest.mark.parametrize("rule", SHOWN, ids=lambda rule: rule.id)
def test_an_example_fits_into_a_terminal(rule: Rule) -> None:
    assert max(map(len, rule.example.splitlines())) <= 92
    assert len(rule.example.splitlines()) <= 24
