"""The table of scenarios: workload x fault x timing, and what must come of it.

The expectations hold for `hard` mounts: nothing acknowledged is lost; where only storage is away,
clients see one gap and no error; where MySQL itself goes, their connections do, too. Gaps are
those of two busy cores, with room: a figure in the report says more than this limit.
"""

from landfast import faults
from landfast.faults.base import FAULTS
from landfast.survival.plan import Expected, Plan

faults.load()


def _restart(seconds: float) -> Expected:
    """MySQL goes and comes back: connections break, and it takes writes again in `seconds`."""
    return Expected(gap=seconds)


def _frozen(seconds: float) -> Expected:
    """Storage or MySQL stands still and goes on: one gap, no error."""
    return Expected(gap=seconds, errors=False)


_UNTOUCHED = Expected(gap=5, errors=False, during=True)
"""MySQL does not notice: writes go on while the fault is in effect."""

_LOSES = Expected(gap=180)

PLANS = [
    # ------------------------------------------------------------------- pods
    Plan("pod-delete", FAULTS["pod-delete"], 0, _restart(40), 45, 90, tier="L1"),
    Plan("pod-force-delete", FAULTS["pod-force-delete"], 0, _restart(40), 30, 60, tier="L1"),
    Plan("pod-evict", FAULTS["pod-evict"], 0, _restart(40), 25, 30),
    Plan("statefulset-recreate", FAULTS["statefulset-recreate"], 2, _restart(60), 25, 40),
    Plan("statefulset-scale-to-zero", FAULTS["statefulset-scale-to-zero"], 2, _restart(60), 30, 20),
    Plan("image-restart-loop", FAULTS["image-restart-loop"], 2, _restart(90), 40, 20),
    # -------------------------------------------------------------- processes
    Plan("mysqld-sigkill", FAULTS["mysqld-sigkill"], 0, _restart(40), 15, 95, tier="L2"),
    Plan("mysqld-sigstop", FAULTS["mysqld-sigstop"], 6, _frozen(20), 25, 20),
    Plan("mysqld-oom", FAULTS["mysqld-oom"], 0, _restart(60), 15, 50, tier="L2"),
    # ------------------------------------------------------------------ nodes
    Plan("node-power-off", FAULTS["node-power-off"], 3, _restart(90), 55, 85, tier="L3"),
    Plan("node-stop", FAULTS["node-stop"], 3, _restart(90), 55, 20),
    Plan("node-restart", FAULTS["node-restart"], 0, _restart(90), 50, 40, tier="L3"),
    Plan("node-pause", FAULTS["node-pause"], 8, _frozen(25), 50, 30),
    Plan("node-pause-evicted", FAULTS["node-pause-evicted"], 2, _restart(160), 80, 65, tier="L7"),
    Plan("node-failover", FAULTS["node-failover"], 3, _restart(120), 20, 60, tier="L3"),
    Plan("node-drain", FAULTS["node-drain"], 1, _restart(60), 20, 50),
    Plan("kubelet-stop", FAULTS["kubelet-stop"], 5, _UNTOUCHED, 20, 20),
    Plan("containerd-restart", FAULTS["containerd-restart"], 0, _UNTOUCHED, 15, 15),
    Plan("node-log-disk-full", FAULTS["node-log-disk-full"], 3, _UNTOUCHED, 25, 15),
    # ------------------------------------------------------------- NFS server
    Plan("nfs-kill", FAULTS["nfs-kill"], 4, _frozen(40), 20, 85, tier="L4"),
    Plan("nfs-restart", FAULTS["nfs-restart"], 0, _frozen(40), 15, 40),
    Plan("nfs-freeze", FAULTS["nfs-freeze"], 5, _frozen(25), 20, 70),
    Plan("nfs-freeze-long", FAULTS["nfs-freeze-long"], 15, _frozen(40), 30, 75, tier="L7"),
    Plan("nfs-moved", FAULTS["nfs-moved"], 5, _frozen(60), 20, 30),
    Plan("export-withdrawn", FAULTS["export-withdrawn"], 3, _restart(120), 45, 20),
    Plan("export-read-only", FAULTS["export-read-only"], 3, _restart(120), 35, 30),
    Plan("export-full", FAULTS["export-full"], 3, _restart(120), 80, 45),
    Plan("nfs-power-loss", FAULTS["nfs-power-loss"], 2, _frozen(40), 30, 85, tier="L5"),
    Plan("power-loss-everywhere", FAULTS["power-loss-everywhere"], 2, _restart(90), 60, 80,
         tier="L5"),
    Plan("server-clock-step", FAULTS["server-clock-step"], 4, _UNTOUCHED, 30, 10, mode="clock"),
    # ---------------------------------------------------------------- network
    Plan("nfs-port-dropped", FAULTS["nfs-port-dropped"], 6, _frozen(60), 30, 80, tier="L6"),
    Plan("nfs-one-way", FAULTS["nfs-one-way"], 6, _frozen(60), 25, 30, tier="L6"),
    Plan("nfs-loss", FAULTS["nfs-loss"], 8, Expected(gap=30, errors=False), 20, 30),
    Plan("nfs-reset", FAULTS["nfs-reset"], 4, _frozen(60), 15, 30),
    Plan("node-isolated", FAULTS["node-isolated"], 6, _UNTOUCHED, 25, 40),
    # ---------------------------------------------------------- control plane
    Plan("controller-manager-kill", FAULTS["controller-manager-kill"], 0, _UNTOUCHED, 20, 10),
    Plan("scheduler-kill", FAULTS["scheduler-kill"], 0, _UNTOUCHED, 30, 10),
    Plan("apiserver-kill", FAULTS["apiserver-kill"], 0, _UNTOUCHED, 25, 20),
    Plan("etcd-kill", FAULTS["etcd-kill"], 0, _UNTOUCHED, 30, 20),
    Plan("provisioner-kill", FAULTS["provisioner-kill"], 0, _UNTOUCHED, 45, 25),
    # ------------------------------------------------- while MySQL recovers
    Plan("nfs-kill-while-recovering", FAULTS["nfs-kill"], 3, _restart(90), 30, 35, tier="L4",
         when="recovering"),
    Plan("nfs-port-dropped-while-recovering", FAULTS["nfs-port-dropped"], 5, _restart(120), 40, 25,
         when="recovering"),
]  # fmt: skip

FENCING = [
    Plan("fencing-partitioned-writer", FAULTS["split-brain"], 5, _restart(90), 70, 55),
]

# Pages that are written back take the log with them, and each sync of the binary log holds up what
# could be lost: with these it is seconds, not moments.
_KEPT_IN_MEMORY = {
    "sync_binlog": "0",
    "innodb_flush_log_at_timeout": "30",
    "innodb_adaptive_flushing": "0",
    "innodb_max_dirty_pages_pct": "99",
    "innodb_max_dirty_pages_pct_lwm": "0",
}

LOSING = [
    Plan("control-flush-0", FAULTS["mysqld-sigkill"], 0, _LOSES, 50, 70, control=True,
         variables={"innodb_flush_log_at_trx_commit": "0", **_KEPT_IN_MEMORY}),
    Plan("control-lying-server", FAULTS["power-loss-everywhere"], 2, _LOSES, 55, 75, control=True,
         mode="lying"),
]  # fmt: skip

SWAPPED = [
    Plan("control-swapped-directory", FAULTS["data-directory-swapped"], 0, _LOSES, 45, 40,
         control=True),
]  # fmt: skip
