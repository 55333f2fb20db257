"""The Job whose pods run the ledger's writers: objects and tasks, as values."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice, pairwise
from pathlib import Path

from landfast.kube.request import Object
from landfast.mysql.writers import Task
from landfast.timeouts import patient

NAME = "writers"
PART = "landfast/part"
"""The label of the pods; selectors find it unchanged in a namespace of others, too."""
_LABELS = {PART: NAME}
_USER = 999
_DEADLINE_SECONDS = 1800
"""When the pods end by themselves; no scenario writes that long."""
_RESOURCES = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"cpu": "2", "memory": "512Mi"},
}


def shares(task: Task, writers: int, pods: int) -> list[Task]:
    """Return the task of each pod: about as many writers each, of all kinds in turn."""
    kinds = list(islice(cycle(task.roles()), writers))
    edges = [writers * index // pods for index in range(pods + 1)]
    return [
        task.model_copy(
            update={
                "writers": dict(Counter(kinds[first:last])),
                "first_writer": first,
                "history": Path("history.tsv"),
            }
        )
        for first, last in pairwise(edges)
    ]


def job(tasks: Sequence[Task], image: str, avoid: str) -> Object:
    """Return the Job whose pods carry out one task each, on as many nodes as there are.

    No pod goes to the node `avoid`, if it is not "". The password comes as MySQL's pod gets it.
    """
    described = [task.model_dump(mode="json", exclude={"password"}) for task in tasks]
    spec: Object = {
        "restartPolicy": "Never",
        "enableServiceLinks": False,
        "securityContext": {"runAsUser": _USER, "runAsGroup": _USER},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "DoNotSchedule",
                "nodeTaintsPolicy": "Honor",
                "labelSelector": {"matchLabels": _LABELS},
            }
        ],
        "volumes": [{"name": "history", "emptyDir": {}}],
        "containers": [
            {
                "name": NAME,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python3", "-m", "landfast.mysql.writer_pod", json.dumps(described)],
                "workingDir": "/history",
                "envFrom": [{"configMapRef": {"name": "mysql-config-map"}}],
                "volumeMounts": [{"name": "history", "mountPath": "/history"}],
                "resources": _RESOURCES,
            }
        ],
    }
    if avoid:
        elsewhere = {"key": "metadata.name", "operator": "NotIn", "values": [avoid]}
        required = {"nodeSelectorTerms": [{"matchFields": [elsewhere]}]}
        spec["affinity"] = {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
        }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": NAME, "labels": dict(_LABELS)},
        "spec": {
            "completionMode": "Indexed",
            "completions": len(tasks),
            "parallelism": len(tasks),
            "backoffLimit": 0,
            "activeDeadlineSeconds": round(patient(_DEADLINE_SECONDS)),
            "ttlSecondsAfterFinished": 60,
            "template": {"metadata": {"labels": dict(_LABELS)}, "spec": spec},
        },
    }
