"""`--plan`: what a run would make and ask for on an existing cluster; it only reads."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table

from landfast.cluster import existing, existing_plan
from landfast.cluster.existing_plan import Plan
from landfast.cluster.fence import FencedKube
from landfast.cluster.rights import Rights, missing, needed
from landfast.errors import BadInput
from landfast.kube import KubeError
from landfast.kube.kubeconfig import kubeconfig_path
from landfast.manifests import reference_objects
from landfast.nfs import inspector_pod
from landfast.run import RUN_LABEL, new_run_id
from landfast.settings import Settings

_KINDS = {
    "pods": "Pod",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "statefulsets": "StatefulSet",
    "deployments": "Deployment",
    "services": "Service",
    "configmaps": "ConfigMap",
    "jobs": "Job",
    "serviceaccounts": "ServiceAccount",
    "roles": "Role",
    "rolebindings": "RoleBinding",
}
"""What tests make in a namespace, by the resource that a right names."""
_LEGEND = (
    f"Each object gets the label {RUN_LABEL}=RUN. RUN is the id of a run, and XXXX is drawn for "
    "each test: names with them, or with NAME, which is what a test calls an object, are patterns; "
    "the others are exact. Tests make some of these kinds, not each test all. The cluster itself "
    "makes the pods of StatefulSets and the volumes of PVCs."
)
Row = tuple[str, str, str]
"""kind, name, namespace"""


def show(settings: Settings, tests: int, console: Console) -> None:
    """Print what a run of some tests would make and ask for.

    Raises:
        BadInput: the cluster cannot be used, or the user lacks rights that a run needs.
    """
    context, run_id = str(settings.context), new_run_id()
    kubeconfig = kubeconfig_path(settings.kubeconfig, context)
    existing.check_owner(kubeconfig, context, settings.i_own_this_cluster)
    kube = existing.reach(kubeconfig, context, run_id, guest_in=settings.namespace)
    rights = needed(
        seen=settings.nfs_server is not None,
        namespace=settings.namespace,
        breaks_nodes=settings.breaks_nodes,
        writers=settings.writers is not None,
    )
    console.print(f"a run of {tests} tests on --context {context}; nothing is changed now\n")
    _check(kube, rights, context, console)
    plan = existing_plan.make_plan(settings, kube, kubeconfig, context)
    table = Table("it makes and removes", "name", "namespace", box=None, pad_edge=False)
    for row in _objects(plan, rights):
        table.add_row(*(text.replace(run_id, "RUN") for text in row))
    console.print(table)
    console.print(f"\n{_LEGEND}\nPods go to the nodes {', '.join(plan.cluster.nodes)}.")


def _check(
    kube: FencedKube, rights: Iterable[tuple[Rights, str | None]], context: str, console: Console
) -> None:
    """Print every right that the run needs, and which of them its user lacks."""
    table = Table("it asks for", "verbs", "in", "the user lacks", box=None, pad_edge=False)
    lacking: list[str] = []
    try:
        for granted, namespace in rights:
            denied = missing(kube, granted, namespace)
            lacking += denied
            for (group, resources), verbs in granted.items():
                for resource in resources.split():
                    lacks = [verb for verb in verbs.split() if f"{verb} {resource}" in denied]
                    name = f"{resource}.{group}" if group else resource
                    table.add_row(name, verbs, namespace or "the cluster", " ".join(lacks) or "-")
    except KubeError as error:
        raise BadInput(f"the API server {kube.host} refuses: {error.message}") from error
    console.print(table, "")
    if lacking:
        raise BadInput(f"the user of --context {context} may not {', '.join(lacking)}")


def _objects(plan: Plan, rights: Iterable[tuple[Rights, str | None]]) -> Iterator[Row]:
    """Yield what a run makes: the objects of the reference, and those of the tests."""
    own, guest_in = plan.overlay.namespace, plan.cluster.guest_in
    if guest_in is None:
        yield "Namespace", own, ""
    if plan.overlay.export.seen:
        for obj in reference_objects(plan.overlay):
            meta = obj["metadata"]
            yield obj["kind"], meta["name"], meta.get("namespace", "")
        yield "PersistentVolume", inspector_pod.volume_name(own), ""
        yield "PersistentVolumeClaim", inspector_pod.NAME, own
        yield "Pod", inspector_pod.NAME, own
    yield "Pod", "images-RUN-NUMBER" if guest_in else "images-NUMBER", guest_in or own
    name = "NAME-RUN-TEST-XXXX" if guest_in else "NAME"
    space = guest_in or "landfast-TEST-XXXX"
    if guest_in is None:
        yield "Namespace", space, ""
    for granted, _ in rights:
        for (_, resources), verbs in granted.items():
            for resource in resources.split():
                if resource in _KINDS and "create" in verbs.split():
                    yield _KINDS[resource], name, space
    if plan.overlay.export.seen:
        for kind in ("PersistentVolume", "StorageClass", "ClusterRole", "ClusterRoleBinding"):
            yield kind, "NAME-TEST-XXXX", ""
