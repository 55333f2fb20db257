"""What `mount.nfs --stats` says."""

from typing import Any

PLACE = "/var/lib/kubelet/pods/u1/volumes/kubernetes.io~nfs/pv"
COUNTED: dict[str, Any] = {
    "version": "4.2",
    "options": "hard,vers=4.2",
    "operations": {"READ": 200, "WRITE": 1003},
    "requests": 1203,
    "retransmits": 2,
    "reconnects": 1,
    "recoveries": 1,
    "locks_held": 5,
    "locks_lost": 0,
    "lease_seconds": 20,
}
