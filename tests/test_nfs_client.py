"""What the kit's NFS client of a node is asked, and what it says."""

import json

import pytest
from fakes import FakeEngine, result
from nfs_stats import COUNTED, PLACE

from landfast.errors import LandfastError
from landfast.nfs.client import read_stats

SERVER = "10.0.0.2"
MOUNTS = f"""\
overlay / overlay rw 0 0
10.0.0.21:/data/share /mnt/other fuse.nfs rw 0 0
{SERVER}:/data/share {PLACE} KIND rw,nosuid 0 0
"""


def engine(kind: str, *, said: str = "") -> FakeEngine:
    fake = FakeEngine()
    fake.answer("execute", "node", "cat", with_=result(MOUNTS.replace("KIND", kind)))
    fake.answer("execute", "node", "mount.nfs", with_=result(said))
    return fake


def test_the_client_of_a_mount_of_the_server_is_asked() -> None:
    fake = engine("fuse.nfs", said=json.dumps(COUNTED))
    stats = read_stats(fake, "node", SERVER)
    assert ("node", "mount.nfs", "--stats", PLACE) in fake.asked("execute")
    assert str(stats) == (
        "NFSv4.2 on node (hard,vers=4.2): 1,203 requests, retransmits 2, reconnects 1, "
        "recoveries 1, locks held 5, locks lost 0, lease 20 s"
    )


def test_the_kernels_client_counts_nothing_for_us() -> None:
    assert read_stats(engine("nfs4"), "node", SERVER) is None


@pytest.mark.parametrize("said", ["", "[]", "{}", json.dumps({**COUNTED, "recoveries": "many"})])
def test_an_answer_that_cannot_be_read_is_one_sentence(said: str) -> None:
    with pytest.raises(LandfastError, match="^mount.nfs --stats on node said "):
        read_stats(engine("fuse.nfs", said=said), "node", SERVER)
