"""Answer `FuzzPathRules` from the model of the contract: question and answer are lines of JSON."""

import json
import sys

from landfast.provisioning import contract


def answer(question: dict[str, str]) -> dict[str, str | None]:
    """Return the path of a PV, and the directories that its deletion looks at and archives to."""
    line, nfs_path = contract.Line(question["line"]), question["nfs_path"]
    pvc = contract.PvcMeta(
        "shop",
        "data",
        labels={"app": question["label"]},
        annotations={"path": question["annotation"]},
    )
    settings = contract.ClassSettings(path_pattern=question["pattern"])
    directory = contract.directory(line, settings, pvc, "pvc-data")
    path = contract.pv_path(nfs_path, directory)
    return {
        "path": path,
        "looks_at": contract.looked_at(line, nfs_path, path),
        "archives": contract.archive_name(path),
    }


for asked in sys.stdin:
    print(json.dumps(answer(json.loads(asked))), flush=True)  # noqa: T201 - to the test
