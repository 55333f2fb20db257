"""PVCs and volumes that name each other, and some that should not."""

from typing import Any

from objects_to_audit import NFS, RWX, Case, bound, pod, pv, pvc, statefulset

from landfast.kube.client import Object

REF: dict[str, Any] = {"claimRef": {"namespace": "shop", "name": "c"}}
NAMED: dict[str, Any] = {"volumeName": "a"}
RELEASED: dict[str, Any] = {"status": {"phase": "Released"}}


def asks(size: str) -> dict[str, Any]:
    return {"resources": {"requests": {"storage": size}}}


def named(volume: dict[str, Any], claim: dict[str, Any]) -> list[Object]:
    """A volume a, and a PVC c that names it."""
    return [pv("a", **volume), pvc("c", **{**NAMED, **claim})]


def reserved(volume: dict[str, Any], claim: dict[str, Any]) -> list[Object]:
    """A volume a that is reserved for a PVC c."""
    return [pv("a", **{**REF, **volume}), pvc("c", **claim)]


TIES: list[Case] = [
    Case(
        "named-volume-does-not-fit",
        named(NFS, {}),
        named(NFS, NFS),
        'PersistentVolume a does not fit it: its class is nfs, not ""',
    ),
    Case(
        "named-volume-does-not-fit",
        named({}, asks("5Gi")),
        named({**REF}, asks("5Gi")),  # each names the other: nothing is compared
        "it has 1Gi, less than the 5Gi that are asked for",
    ),
    Case(
        "named-volume-does-not-fit",
        named({}, RWX),
        named(RWX, RWX),
        "it is ReadWriteOnce, not ReadWriteMany",
    ),
    Case(
        "named-volume-does-not-fit",
        named({}, {"volumeMode": "Block"}),
        named({}, {"selector": {"matchLabels": {"a": "b"}}}),  # of what is named it is not asked
        "its volumeMode is Filesystem, not Block",
    ),
    Case(
        "named-volume-does-not-fit",
        named({"claimRef": {"namespace": "shop", "name": "d"}}, {}),
        bound("a"),
        "it is reserved for PersistentVolumeClaim shop/d",
    ),
    Case(
        "named-volume-does-not-fit",
        named({**REF, **RELEASED}, {}),
        [pv("a", **REF, **RELEASED), pvc("c", **NAMED, status={"phase": "Bound"})],
        "PersistentVolume a is Released: a PVC that is gone still owns it",
    ),
    Case(
        "named-volume-does-not-fit",
        named(NFS, {"storageClassName": None}),
        named({}, {"storageClassName": None}),
        "its class is nfs, and the PVC names none",
        "warning",
        complete=False,
    ),
    Case(
        "reserved-volume-does-not-fit",
        reserved({}, asks("20Gi")),
        reserved({}, asks("1Gi")),
        "PersistentVolume a is reserved for it and does not fit: it has 1Gi, less than the 20Gi",
    ),
    Case(
        "reserved-volume-does-not-fit",
        reserved({}, RWX),
        reserved(NFS, {"selector": {"matchLabels": {"a": "b"}}}),  # class and labels do not count
        "it is ReadWriteOnce, not ReadWriteMany",
    ),
    Case(
        "reserved-volume-does-not-fit",
        [pv("a", accessModes=["ReadWriteOnce", "ReadWriteMany"], **REF), pvc("c"), pv("b")],
        [pv("a", **REF), pvc("c"), pv("b")],
        "PersistentVolume b has fewer access modes and wins over PersistentVolume a",
    ),
    Case(
        "reserved-volume-does-not-fit",
        [pv("a", **REF), pv("b", **REF), pvc("c", **RWX)],
        [pv("a", **REF), pv("b", **REF, **RWX), pvc("c", **RWX)],  # one of them fits
        "PersistentVolume a is reserved for it and does not fit",
    ),
    Case(
        "volume-named-twice",
        [pv("a"), pvc("c", **NAMED), pvc("d", **NAMED)],
        [pv("a"), pv("b"), pvc("c", **NAMED), pvc("d", volumeName="b")],
        "it names PersistentVolume a, as does PersistentVolumeClaim shop/c",
    ),
    Case(
        "volume-named-twice",
        [pvc("c", **NAMED), pvc("c", metadata={"namespace": "x"}, **NAMED)],
        [*bound("a"), pvc("d", **NAMED)],  # reserved: another rule's
        "it names PersistentVolume a, as does PersistentVolumeClaim shop/c",
    ),
    Case(
        "volume-named-twice",
        [pv("a"), pvc("c", **NAMED), pvc("d", **NAMED), pvc("e", **NAMED)],
        [pv("a"), pvc("c", **NAMED)],
        "as do PersistentVolumeClaim shop/c and PersistentVolumeClaim shop/e",
    ),
    Case(
        "pvc-reserved-twice",
        [pv("a", **REF), pv("b", **REF), pvc("c")],
        [pv("a", **REF), pv("b", claimRef={"namespace": "x", "name": "c"}), pvc("c")],
        "it is reserved for PersistentVolumeClaim shop/c, as is PersistentVolume a",
    ),
    Case(
        "pvc-reserved-twice",
        [pv("a", **REF), pv("b", **REF), pv("d", **REF)],
        [pv("a", **REF), pv("b"), pv("d")],
        "as are PersistentVolume a and PersistentVolume d",
    ),
    Case(
        "pvc-reserved-twice",
        [pv("a", **REF), pv("b", **REF)],
        [pv("a", **REF), pv("b", **REF, **RELEASED)],
        "it is reserved for PersistentVolumeClaim shop/c",
    ),
    Case(
        "pvc-reserved-twice",
        [pv("a", **REF), pv("b", **REF), pvc("c", **NAMED)],
        [pv("a", **REF), pv("b"), pvc("c", **NAMED)],
        "it is reserved for PersistentVolumeClaim shop/c, as is PersistentVolume a",
        "warning",
    ),
    Case(
        "named-volume-not-reserved",
        [pv("a"), pvc("c", **NAMED), pvc("d")],
        [pv("a", **REF), pvc("c", **NAMED), pvc("d")],
        "PersistentVolume a also fits PersistentVolumeClaim shop/d, which can take it first",
        "warning",
    ),
    Case(
        "named-volume-not-reserved",
        [pv("a"), pvc("c", **NAMED), pvc("d")],
        [pv("a"), pvc("c", **NAMED), pvc("d", **asks("2Gi")), pvc("e", **NFS)],
        "PersistentVolume a also fits",
        "warning",
    ),
    Case(
        "named-volume-not-reserved",
        [pv("a"), pvc("c", **NAMED), pvc("d"), pod("db", "d")],
        [pv("a"), pvc("c", **NAMED), pod("db", "c")],
        "PersistentVolume a also fits PersistentVolumeClaim shop/d",
    ),
    Case(
        "named-volume-not-reserved",
        [pv("a", **NFS), pvc("c", **NAMED, **NFS), statefulset(replicas=5)],
        [pv("a"), pvc("c", **NAMED), statefulset(replicas=5)],
        "fits PersistentVolumeClaim shop/data-db-0, PersistentVolumeClaim shop/data-db-1, "
        "PersistentVolumeClaim shop/data-db-2 and 2 more",
    ),
]
