"""Which mounts have locks that do not reach the server."""

import pytest
from fakes import FakeEngine, result

from landfast.nfs.locks import local_locks

SERVER = "10.0.0.5"
OTHERS = """overlay / overlay rw,relatime 0 0
10.0.0.55:/data /mnt/other nfs4 rw,local_lock=all,addr=10.0.0.55 0 0
"""


def mount(kind: str, options: str) -> str:
    return f"{OTHERS}{SERVER}:/data/share /var/lib/kubelet/pods/1/data {kind} {options} 0 0\n"


@pytest.mark.parametrize(
    ("mounts", "why"),
    [
        (OTHERS, None),
        (mount("nfs4", f"rw,vers=4.2,hard,local_lock=none,addr={SERVER}"), None),
        (mount("nfs4", "rw,hard,local_lock=flock"), None),  # InnoDB's locks are fcntl's
        (mount("nfs", "rw,vers=3,nolock,hard"), "the option nolock"),
        (mount("nfs4", "rw,local_lock=posix"), "the option local_lock=posix"),
        (mount("nfs", "rw,nolock,local_lock=all"), "the option local_lock=all, nolock"),
        (mount("fuse.nfs4", "rw,user_id=0"), "of type fuse.nfs4"),
    ],
)
def test_locks_that_stay_behind_are_named(mounts: str, why: str | None) -> None:
    engine = FakeEngine()
    engine.answer("execute", "node", with_=result(mounts))
    said = local_locks(engine, "node", SERVER)
    assert said is None if why is None else why in (said or "")
