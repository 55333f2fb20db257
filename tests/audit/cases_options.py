"""Mount options."""

from typing import Any

from objects_to_audit import (
    NFS,
    Case,
    bound,
    parameters,
    pod,
    pv,
    statefulset,
    storage_class,
)

from landfast.kube.client import Object

DB = pod("db", "a")
CSI: dict[str, Any] = {
    "provisioner": "nfs.csi.k8s.io",
    "parameters": {"server": "nas", "share": "/exports"},
}


def options(*given: str, **spec: Any) -> list[Object]:
    """A volume with mount options under a database."""
    return [*bound("a", mountOptions=list(given), **spec), DB]


def alone(*given: str, **spec: Any) -> list[Object]:
    """A volume with mount options under a web server."""
    return [*bound("a", mountOptions=list(given), **spec), pod("web", "a", "nginx")]


def annotated(given: str) -> list[Object]:
    metadata = {"annotations": {"volume.beta.kubernetes.io/mount-options": given}}
    return [*bound("a", metadata=metadata), DB]


def inline(given: str, image: str = "mysql:8.0", **source: Any) -> list[Object]:
    """A pod with a volume of csi-driver-nfs of its own, which has mount options."""
    made = pod("db", "a", image)
    attributes = {"server": "nas", "share": "/exports", "mountOptions": given}
    volume = {"driver": "nfs.csi.k8s.io", "volumeAttributes": attributes, **source}
    made["spec"]["volumes"] = [{"name": "data", "csi": volume}]
    return [made]


OPTIONS: list[Case] = [
    Case("unsafe-mount-options", options("soft"), options("soft,hard"), "soft under Pod shop/db"),
    Case("unsafe-mount-options", options("hard", "softerr"), options("hard"), "softerr under"),
    Case("unsafe-mount-options", options("nolock"), options("nolock", "nfsvers=4.1"), "nolock"),
    Case("unsafe-mount-options", options("nolock"), options("nolock", "v4.2"), "nolock"),
    Case("unsafe-mount-options", options("nolock"), options("nolock", "lock"), "nolock"),
    Case(
        "unsafe-mount-options",
        options("local_lock=all"),
        options("local_lock=none"),
        "local_lock=all",
    ),
    Case("unsafe-mount-options", options("vers=3"), options("vers=4"), "vers=3", "warning"),
    Case("unsafe-mount-options", options("v3"), alone("v3"), "v3 under", "warning"),
    Case("unsafe-mount-options", options("udp"), options("udp", "tcp"), "udp under Pod shop/db"),
    Case("unsafe-mount-options", options("proto=udp"), options("proto=tcp"), "put together"),
    Case(
        "unsafe-mount-options",
        options("nocto"),
        alone("nocto"),
        "may read what its cache",
        "warning",
    ),
    Case(
        "unsafe-mount-options",
        options("ro"),
        options("ro", "rw"),
        "the server cannot write",
        "warning",
    ),
    Case("unsafe-mount-options", options("ro"), alone("ro"), "ro under", "warning"),
    Case("unsafe-mount-options", annotated("noatime,soft"), annotated("noatime"), "soft"),
    Case("unsafe-mount-options", alone("soft"), alone("hard"), "soft: a slow server", "warning"),
    Case(
        "unsafe-mount-options",
        alone("soft", "nolock", "udp"),
        # reading alone loses nothing
        alone("soft", "nolock", "udp", accessModes=["ReadOnlyMany"]),
        "nolock: locks hold on one node only",
        "warning",
    ),
    Case(
        "unsafe-mount-options",
        [pv("a", mountOptions=["soft"])],
        [pv("a", mountOptions=["soft"], nfs=None, hostPath={"path": "/a"})],
        "soft",
        "warning",
    ),
    Case(
        "unsafe-mount-options",
        [storage_class("nfs", mountOptions=["soft"]), statefulset()],
        [storage_class("other"), storage_class("nfs"), statefulset()],
        "soft under StatefulSet shop/db",
    ),
    Case(
        "unsafe-mount-options",
        [storage_class("nfs", mountOptions=["soft"], **CSI), statefulset()],
        [storage_class("nfs", mountOptions=["soft"], provisioner="x.y", parameters={})],
        "soft under StatefulSet shop/db",
    ),
    Case(
        "unsafe-mount-options",
        [storage_class("nfs", mountOptions=["local_lock=all"], **CSI)],
        [storage_class("nfs", mountOptions=["nfsvers=4.2", "local_lock=all"], **CSI)],
        "local_lock=all: locks hold",
        "warning",
    ),
    Case(
        "unsafe-mount-options",
        # a volume that is there is taken, with its own options
        [storage_class("nfs", mountOptions=["soft"]), statefulset(), pv("a", **NFS)],
        [parameters(archiveOnDelete="true"), statefulset(), pv("a", **NFS)],
        "soft: a slow server",
        "warning",
    ),
    Case(
        "unsafe-mount-options",
        inline("soft,nolock"),
        inline("hard,nfsvers=4.1"),
        "soft under Pod shop/db (mysql:8.0)",
    ),
    Case(
        "unsafe-mount-options",
        inline("soft,nolock", image="nginx"),
        inline("soft,nolock", image="nginx", readOnly=True),
        "nolock: locks hold on one node only",
        "warning",
    ),
    Case("refused-mount-option", inline("nfsvers=3.1"), inline("nfsvers=4.2"), "cannot be 3.1"),
    Case(
        "refused-mount-option",
        alone("nfservers=4.1"),
        alone("nfsvers=4.1"),
        "nfservers=4.1: nfservers is no mount option: nfsvers is",
    ),
    Case("refused-mount-option", alone("nfsvers=3.1"), alone("nfsvers=3"), "cannot be 3.1"),
    Case("refused-mount-option", alone("Hard"), alone("hard"), "Hard is no mount option: hard is"),
    Case("refused-mount-option", alone("hard nolock"), alone("hard,nolock"), "hard nolock"),
    Case("refused-mount-option", alone("rsize=1M"), alone("rsize=1048576"), "cannot be 1M"),
    Case("refused-mount-option", alone("timeo"), alone("timeo=600"), "timeo needs a value"),
    Case("refused-mount-option", alone("soft=1"), alone("soft"), "soft takes no value"),
    Case("refused-mount-option", alone("vers=5"), alone("sloppy", "vers=5"), "cannot be 5"),
    Case("refused-mount-option", alone("udp,vers=4.1"), alone("udp,vers=3"), "NFSv4 has no UDP"),
    Case(
        "refused-mount-option",
        [storage_class("nfs", mountOptions=["xyz"], **CSI)],
        [storage_class("nfs", mountOptions=["tls"], provisioner="efs.csi.aws.com", parameters={})],
        "xyz is no mount option",
    ),
]
