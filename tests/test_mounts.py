"""What a line of mountinfo says of a volume's mount options."""

import pytest

from suites.conformance.storageclass.test_mounts import Mount

KERNEL = (
    "900 850 0:58 / /nfs rw,noatime shared:1 - nfs4 10.0.0.1:/srv/a "
    "rw,vers=4.2,rsize=1048576,hard,proto=tcp,timeo=600,local_lock=none,addr=10.0.0.1"
)
FUSE = "900 850 0:58 / /nfs rw,noatime - fuse.nfs 10.0.0.1:/srv/a rw,user_id=0,group_id=0"


@pytest.mark.parametrize(
    ("option", "kernel", "fuse"),
    [
        ("noatime", False, False),
        ("noexec", True, True),
        ("hard", False, None),
        ("nfsvers=4", False, None),
        ("vers=4.2", False, None),
        ("nfsvers=4.1", True, None),
        ("vers=3", True, None),
        ("timeo=600", False, None),
        ("timeo=50", True, None),
        ("nconnect=4", None, None),  # the kernel shows it only above 1
        ("nolock", True, None),
    ],
)
def test_option_is_in_effect_or_lacking_or_not_shown(
    option: str, kernel: bool | None, fuse: bool | None
) -> None:
    assert Mount.parse(KERNEL).lacks(option) is kernel
    assert Mount.parse(FUSE).lacks(option) is fuse
