"""Whether a run can work on an existing cluster: context, version, rights, the export."""

import re
from pathlib import Path

from landfast.cluster.fence import FencedKube
from landfast.cluster.guest import fenced
from landfast.cluster.rights import missing, needed
from landfast.errors import BadInput, LandfastError
from landfast.kube import KubeError
from landfast.kube.kubeconfig import check_context, cluster_of
from landfast.kube.placement import Placement
from landfast.manifests import Overlay
from landfast.nfs.inspector import ExportInspector

_OLDEST = (1, 27)  # the first that refuses unknown fields of every object
_NAMED_RIGHTS = 3


def reach(
    kubeconfig: Path,
    context: str,
    run_id: str,
    *,
    guest_in: str | None = None,
    default_classes: bool = False,
    placement: Placement = Placement(),  # noqa: B008 - it is frozen
) -> FencedKube:
    """Return an existing cluster behind the fence of a run; for the arguments see `Cluster`.

    Raises:
        BadInput: there is no such context, no server answers, or it is too old.
    """
    check_context(kubeconfig, context)
    kube = fenced(
        kubeconfig,
        context,
        run_id,
        guest_in=guest_in,
        default_classes=default_classes,
        placement=placement,
    )
    version = kube.server_version()
    if version_of(version) < _OLDEST:
        raise BadInput(
            f"the API server {kube.host} is Kubernetes {version}: Landfast needs "
            f"v{_OLDEST[0]}.{_OLDEST[1]} or newer"
        )
    return kube


def connect(
    kubeconfig: Path,
    context: str,
    run_id: str,
    *,
    seen: bool = True,
    breaks_nodes: bool = False,
    writers: bool = False,
    guest_in: str | None = None,
    default_classes: bool = False,
    placement: Placement = Placement(),  # noqa: B008 - it is frozen
) -> FencedKube:
    """Check that a run can work on a cluster, and return the cluster behind the fence.

    `seen` says whether the run uses an export, `breaks_nodes` whether it may break MySQL's node,
    `writers` whether it has writers in pods; for the others see `Cluster`.

    Raises:
        BadInput: the cluster cannot be used, or the user lacks rights that a run needs.
    """
    kube = reach(
        kubeconfig,
        context,
        run_id,
        guest_in=guest_in,
        default_classes=default_classes,
        placement=placement,
    )
    try:
        denied = [
            f"{lacking} in namespace {namespace}" if namespace else lacking
            for rights, namespace in needed(
                seen=seen, namespace=guest_in, breaks_nodes=breaks_nodes, writers=writers
            )
            for lacking in missing(kube, rights, namespace)
        ]
    except KubeError as error:
        raise BadInput(f"the API server {kube.host} refuses: {error.message}") from error
    if denied:
        more = len(denied) - _NAMED_RIGHTS
        raise BadInput(
            f"the user of --context {context} may not {', '.join(denied[:_NAMED_RIGHTS])}"
            f"{f' and {more} more that a run needs' if more > 0 else ', which a run needs'}"
        )
    return kube


def check_owner(kubeconfig: Path, context: str, said: str | None) -> bool:
    """Check that whoever says to own a cluster (`--i-own-this-cluster`) names the right one.

    Return whether anybody does.

    Raises:
        BadInput: it is another one, or there is no such context.
    """
    if said is None:
        return False
    check_context(kubeconfig, context)
    if said != (name := cluster_of(kubeconfig, context)):
        raise BadInput(
            f"--i-own-this-cluster {said}: the cluster of --context {context} is {name}; "
            "repeat that name if you own it"
        )
    return True


def version_of(text: str) -> tuple[int, int]:
    """Return major and minor of a server's version (`v1.37.2`, `v1.30.1-eks-…`)."""
    found = re.match(r"v(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def make_folder(inspector: ExportInspector, overlay: Overlay) -> list[str]:
    """Make the run's folder on the export; return notes on the export for the report.

    Raises:
        BadInput: the export cannot be written.
    """
    export, probe = overlay.export, f"{overlay.subtree}/.landfast"
    try:
        inspector.make_folder(overlay.subtree)
        inspector.write(probe, overlay.run_id)
        entry = inspector.stat(probe)
        inspector.remove(probe)
    except LandfastError as error:
        raise BadInput(
            f"--nfs-server {export.server}:{export.path} cannot be written: {error}"
        ) from error
    if entry is None or entry.uid == 0:
        return []
    return [
        f"On the export, files that root writes belong to user {entry.uid} (root_squash): programs "
        "that change owners, such as MySQL's image, will fail, and the inspector may not see all."
    ]
