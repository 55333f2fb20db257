"""What the pod of `landfast job` runs: a suite, and then its results' way out of the pod.

`python -m landfast.in_cluster configmaps|sonobuoy SUITE OPTION…` ends with the suite's exit code.
"""

import base64
import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from landfast import cli
from landfast.errors import LandfastError
from landfast.job import SONOBUOY_RESULTS
from landfast.kube.client import Kube, Object
from landfast.kube.kubeconfig import IN_CLUSTER, kubeconfig_path

LABEL = "landfast/results"
"""On the ConfigMaps of a run's results; the value is the suite."""
_PIECE = 3 << 18  # bytes: a ConfigMap holds 1 MiB; base64 of a multiple of 3 can be joined
_ARCHIVE = "landfast.tar.gz"


def run(suite: str, options: list[str], out: Path) -> tuple[int, Path | None]:
    """Run a suite on the cluster of this pod; return its exit code, and the run's folder."""
    sys.argv = ["landfast", suite, "--cluster=existing", f"--context={IN_CLUSTER}"]
    sys.argv += [f"--out={out}", *options]
    code = 0
    try:
        cli.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    latest = out / "latest"
    return code, latest.resolve() if latest.exists() else None  # bad input leaves none


def archive(code: int, folder: Path | None) -> bytes:
    """Return a tar.gz of the run's folder, and of a file `exit-code`."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        text = f"{code}\n".encode()
        entry = tarfile.TarInfo("exit-code")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
        if folder is not None:
            tar.add(folder, folder.name)
    return target.getvalue()


def config_maps(suite: str, code: int, folder: Path | None) -> Iterator[Object]:
    """Yield the ConfigMaps that hold a run's results: a summary, then pieces of the archive."""
    name, content = f"landfast-{suite}", archive(code, folder)
    yield {**_config_map(name, {}), "data": {"exit-code": str(code), **_summary(folder)}}
    for number, start in enumerate(range(0, len(content), _PIECE)):
        piece = base64.b64encode(content[start : start + _PIECE]).decode()
        labels = {LABEL: suite}
        yield {**_config_map(f"{name}-{number:03}", labels), "binaryData": {_ARCHIVE: piece}}


def _config_map(name: str, labels: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}


def _summary(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    import reports  # here: `cli.main` has put its folder on Python's path

    found = reports.summarise(folder)
    return {
        "verdict": found.verdict,
        "counts": "".join(f"{verdict} {count}\n" for verdict, count in found.counts.items()),
        "not-passed": "".join(f"{claim.verdict} {claim.id}\n" for claim in found.not_passed),
        "summary.md": (folder / "summary.md").read_text(),
    }


def to_config_maps(suite: str, code: int, folder: Path | None) -> None:
    """Put a run's results into ConfigMaps of the pod's namespace, in place of an earlier run's.

    Raises:
        KubeError: the API server refuses.
    """
    place = kubeconfig_path(None, IN_CLUSTER)
    kube, space = Kube(place, IN_CLUSTER), (place / "namespace").read_text()
    for earlier in kube.list("ConfigMap", space, labels=f"{LABEL}={suite}"):
        kube.delete("ConfigMap", earlier["metadata"]["name"], space)
    for made in config_maps(suite, code, folder):
        made["metadata"]["namespace"] = space
        kube.delete("ConfigMap", made["metadata"]["name"], space)
        kube.create(made)


def to_sonobuoy(code: int, folder: Path | None, results: Path = Path(SONOBUOY_RESULTS)) -> None:
    """Hand a run's results to Sonobuoy's worker: it sends the file that `done` names.

    Source: Sonobuoy docs, Plugins; its worker's GatherResults.
    """
    (results / _ARCHIVE).write_bytes(archive(code, folder))
    (results / "done").write_text(str(results / _ARCHIVE))


def main(arguments: list[str]) -> int:
    """Return the suite's exit code, or an error's if the results cannot be delivered."""
    delivery, suite, *options = arguments
    code, folder = run(suite, options, Path.home() / "out")
    try:
        if delivery == "sonobuoy":
            to_sonobuoy(code, folder)
        else:
            to_config_maps(suite, code, folder)
    except (LandfastError, OSError) as error:
        sys.stderr.write(f"landfast: the results cannot be delivered: {error}\n")
        return code or 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
