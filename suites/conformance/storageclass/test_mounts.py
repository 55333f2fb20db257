"""The mounts of the class's volumes, as pods on every node see them."""

from dataclasses import dataclass

import pytest

from landfast.kube.client import Object
from landfast.steps import Steps
from landfast.verdict import MissingCapability
from suites.conformance.storageclass.judged import Judged
from suites.objects import HOSTNAME, on_node, schedulable

# those of the virtual file system, which every mount shows (mount(8))
_GENERIC = {"noatime", "nodiratime", "relatime", "noexec", "nosuid", "nodev", "ro", "sync"}
_SOFT = {"soft", "softerr"}
_LOCAL_LOCKS = {"nolock", "local_lock=all", "local_lock=flock", "local_lock=posix"}


@dataclass(frozen=True)
class Mount:
    """A pod's mount of a volume: the type of its file system, and the options in effect."""

    kind: str
    options: frozenset[str]

    @classmethod
    def parse(cls, line: str) -> "Mount":
        """Read a line of mountinfo: options of the mount, then type, source and those of the whole.

        Source: proc_pid_mountinfo(5).
        """
        own, _, rest = line.partition(" - ")
        kind, _source, whole = rest.split(maxsplit=2)
        return cls(kind, frozenset([*own.split()[5].split(","), *whole.split(",")]))

    @property
    def shows_nfs(self) -> bool:
        """Whether it shows NFS options: the kernel's client does, a FUSE helper does not."""
        return self.kind.startswith("nfs")

    def lacks(self, wanted: str) -> bool | None:
        """Whether an option is not in effect; None: the mount does not show it."""
        name, _, value = wanted.partition("=")
        if name in _GENERIC:
            return wanted not in self.options
        if not self.shows_nfs:
            return None
        if name in ("nfsvers", "vers"):  # vers=4 is mounted as 4.2, 4.1 or 4.0
            return not any(f"{option}.".startswith(f"vers={value}.") for option in self.options)
        shown = {option.partition("=")[0] for option in self.options}
        return wanted not in self.options if name in shown or not value else None


def mounts(judged: Judged, nodes: list[str]) -> dict[str, Mount]:
    """Run a pod on each node, and return its mount of PVC `data` by node."""
    found = {}
    for number, node in enumerate(nodes):
        judged.run(f"on-{number}", **on_node(node))
        line = judged.say(f"on-{number}", "grep ' /nfs ' /proc/self/mountinfo")
        found[node] = Mount.parse(line)
    return found


def declared_and_shown(judged: Judged, test: Steps) -> set[str]:
    """Return the options that the class and the PV declare and that a pod's mount shows."""
    judged.volume()
    with test.step("run a pod with it"):
        (mount,) = mounts(judged, _nodes(judged)[:1]).values()
    pv: Object = judged.pv_of("data")
    declared = {*judged.subject.mount_options, *(pv["spec"].get("mountOptions") or ())}
    shown = ", ".join(sorted(mount.options)) if mount.shows_nfs else "no NFS options"
    test.observe(f"class and PV say {sorted(declared)}; the mount ({mount.kind}) shows {shown}")
    return declared | (mount.options if mount.shows_nfs else set())


def _nodes(judged: Judged) -> list[str]:
    return [node["metadata"]["labels"][HOSTNAME] for node in schedulable(judged.stack)]


@pytest.mark.claim("storageclass.mount-options-on-every-node")
def test_mount_options_of_the_class_are_in_effect_on_every_node(
    judged: Judged, test: Steps
) -> None:
    wanted = judged.subject.mount_options
    if not wanted:
        raise MissingCapability("class.mount-options", "the class has no mountOptions")
    judged.volume()
    with test.step("run a pod with it on every node"):
        found = mounts(judged, _nodes(judged))
    unseen = {o for o in wanted for mount in found.values() if mount.lacks(o) is None}
    for node, mount in found.items():
        test.observe(f"on {node} ({mount.kind}): {', '.join(sorted(mount.options))}")
    if unseen == set(wanted):
        raise MissingCapability(
            "nfs.options-shown", f"the nodes' mounts do not show {', '.join(sorted(unseen))}"
        )
    test.observe(f"not shown by these mounts: {', '.join(sorted(unseen)) or 'none'}")
    lacking = {node: [o for o in wanted if mount.lacks(o)] for node, mount in found.items()}
    assert not any(lacking.values()), f"not in effect: {lacking}"


@pytest.mark.claim("storageclass.mount-is-hard")
def test_volumes_are_not_mounted_soft(judged: Judged, test: Steps) -> None:
    soft = declared_and_shown(judged, test) & _SOFT
    assert not soft, f"volumes are mounted {', '.join(soft)}"


@pytest.mark.claim("storageclass.locks-reach-the-server")
def test_volumes_are_not_mounted_with_local_locks(judged: Judged, test: Steps) -> None:
    local = declared_and_shown(judged, test) & _LOCAL_LOCKS
    assert not local, f"locks stay on the node: {', '.join(local)}"
