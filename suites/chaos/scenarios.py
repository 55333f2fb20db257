"""The table of scenarios: workload x fault x timing, and what must come of it.

The expectations hold for `hard` mounts: nothing acknowledged is lost. If only storage is away,
clients see one gap and no error; if MySQL itself goes, so do their connections. The gaps are
generous limits for two busy cores: the figure in the report says more.
"""

from landfast.faults.clone import NodeCloned
from landfast.faults.control_plane import (
    ApiserverKill,
    ControllerManagerKill,
    EtcdKill,
    ProvisionerKill,
    SchedulerKill,
)
from landfast.faults.data import DataDirectorySwapped
from landfast.faults.export import ExportFull, ExportReadOnly, ExportWithdrawn
from landfast.faults.lease import NfsLeaseOver
from landfast.faults.network import NfsLoss, NfsOneWay, NfsPortDropped, NfsReset, NodeIsolated
from landfast.faults.nfs_server import (
    NfsFreeze,
    NfsFreezeLong,
    NfsKill,
    NfsMoved,
    NfsRestart,
    ServerClockStep,
)
from landfast.faults.node_services import ContainerdRestart, KubeletStop, NodeLogDiskFull
from landfast.faults.nodes import (
    NodeDrain,
    NodePause,
    NodePauseEvicted,
    NodePowerOff,
    NodeRestart,
    NodeStop,
)
from landfast.faults.pods import (
    ImageRestartLoop,
    PodDelete,
    PodEvict,
    PodForceDelete,
    StatefulSetRecreate,
    StatefulSetScaleToZero,
)
from landfast.faults.power import NfsPowerLoss, PowerLossEverywhere
from landfast.faults.processes import MysqldOom, MysqldSigkill, MysqldSigstop
from landfast.faults.server_command import ServerCommand, ServerCommandMysqldKilled
from landfast.faults.soft_mount import NfsHostFreeze
from landfast.faults.takeover import NodeFailover, SplitBrain
from landfast.nfs.server import GRACE_SECONDS, LEASE_SECONDS
from landfast.survival.scenario import Expected, Scenario


def _restart(seconds: float) -> Expected:
    """MySQL goes and comes back: connections break, and it takes writes again in `seconds`."""
    return Expected(gap=seconds)


def _frozen(seconds: float) -> Expected:
    """Storage or MySQL is frozen and goes on: one gap, no error."""
    return Expected(gap=seconds, errors=False)


_FENCED = Expected(gap=120, ends=True)
"""MySQL's lock or its storage is gone: mysqld notices at its next write, and ends."""

_UNTOUCHED = Expected(gap=5, errors=False, during=True)
"""MySQL does not notice: writes go on while the fault is in effect."""

_LOSES = Expected(gap=180)

# fmt: off
SCENARIOS = [
    # --- pods
    Scenario(fault=PodDelete, expected=_restart(40), seconds=45, telling=90, tier="L1"),
    Scenario(fault=PodForceDelete, expected=_restart(40), seconds=30, telling=60, tier="L1"),
    Scenario(fault=PodEvict, expected=_restart(40), seconds=25, telling=30),
    Scenario(fault=StatefulSetRecreate, hold=2, expected=_restart(60), seconds=25, telling=40),
    Scenario(fault=StatefulSetScaleToZero, hold=2, expected=_restart(60), seconds=30, telling=20),
    Scenario(fault=ImageRestartLoop, hold=2, expected=_restart(90), seconds=40, telling=20),
    # --- processes
    Scenario(fault=MysqldSigkill, expected=_restart(40), seconds=15, telling=95, tier="L2"),
    Scenario(fault=MysqldSigstop, hold=6, expected=_frozen(20), seconds=25, telling=20),
    Scenario(fault=MysqldOom, expected=_restart(60), seconds=15, telling=50, tier="L2"),
    # --- nodes
    Scenario(fault=NodePowerOff, hold=3, expected=_restart(90), seconds=55, telling=85, tier="L3"),
    Scenario(fault=NodeStop, hold=3, expected=_restart(90), seconds=55, telling=20),
    Scenario(fault=NodeRestart, expected=_restart(90), seconds=50, telling=40, tier="L3"),
    Scenario(fault=NodePause, hold=8, expected=_frozen(25), seconds=50, telling=30),
    Scenario(fault=NodePauseEvicted, hold=2, expected=_restart(160), seconds=80, telling=65,
             tier="L7"),
    Scenario(fault=NodeFailover, hold=3, expected=_restart(120), seconds=20, telling=60, tier="L3"),
    Scenario(fault=NodeDrain, hold=1, expected=_restart(60), seconds=20, telling=50),
    Scenario(fault=KubeletStop, hold=5, expected=_UNTOUCHED, seconds=20, telling=20),
    Scenario(fault=ContainerdRestart, expected=_UNTOUCHED, seconds=15, telling=15),
    Scenario(fault=NodeLogDiskFull, hold=3, expected=_UNTOUCHED, seconds=25, telling=15),
    # --- NFS server
    Scenario(fault=NfsKill, hold=4, expected=_frozen(40), seconds=20, telling=85, tier="L4"),
    Scenario(fault=NfsRestart, expected=_frozen(40), seconds=15, telling=40),
    Scenario(fault=NfsFreeze, hold=5, expected=_frozen(25), seconds=20, telling=70),
    Scenario(fault=NfsFreezeLong, hold=11, expected=_frozen(40), seconds=25, telling=40),
    Scenario(fault=NfsMoved, hold=5, expected=_frozen(60), seconds=20, telling=30),
    Scenario(fault=ExportWithdrawn, hold=3, expected=_restart(120), seconds=45, telling=20),
    Scenario(fault=ExportReadOnly, hold=3, expected=_restart(120), seconds=35, telling=30),
    Scenario(fault=ExportFull, hold=3, expected=_restart(120), seconds=80, telling=45),
    Scenario(fault=NfsPowerLoss, hold=2, expected=_frozen(40), seconds=30, telling=85, tier="L5"),
    Scenario(fault=PowerLossEverywhere, hold=2, expected=_restart(90), seconds=60, telling=80,
             tier="L5"),
    # first the one that finds what a lying server has lost: mysqld hides it until it ends
    Scenario(fault=ServerCommandMysqldKilled, hold=4, expected=_restart(180), seconds=60,
             telling=90, tier="L4"),
    Scenario(fault=ServerCommand, hold=4, expected=_frozen(180), seconds=40, telling=85, tier="L4"),
    Scenario(fault=ServerClockStep, hold=4, expected=_UNTOUCHED, seconds=30, telling=10,
             mode="clock"),
    # --- network
    Scenario(fault=NfsPortDropped, hold=6, expected=_frozen(60), seconds=30, telling=80, tier="L6"),
    Scenario(fault=NfsOneWay, hold=6, expected=_frozen(60), seconds=25, telling=30, tier="L6"),
    Scenario(fault=NfsLeaseOver, hold=2, expected=_FENCED, seconds=80, telling=75, tier="L7"),
    Scenario(fault=NodeCloned, hold=3, expected=_FENCED, seconds=60, telling=45),
    Scenario(fault=NfsLoss, hold=8, expected=Expected(gap=30, errors=False), seconds=20,
             telling=30),
    Scenario(fault=NfsReset, hold=4, expected=_frozen(60), seconds=15, telling=30),
    Scenario(fault=NodeIsolated, hold=6, expected=_UNTOUCHED, seconds=25, telling=40),
    Scenario(name="soft-mount-frozen-server", fault=NfsHostFreeze, hold=2,
             expected=_FENCED, seconds=90, telling=35,
             mount_options=("soft", "timeo=20", "retrans=1")),
    # --- control plane
    Scenario(fault=ControllerManagerKill, expected=_UNTOUCHED, seconds=20, telling=10),
    Scenario(fault=SchedulerKill, expected=_UNTOUCHED, seconds=30, telling=10),
    Scenario(fault=ApiserverKill, expected=_UNTOUCHED, seconds=25, telling=20),
    Scenario(fault=EtcdKill, expected=_UNTOUCHED, seconds=30, telling=20),
    Scenario(fault=ProvisionerKill, expected=_UNTOUCHED, seconds=45, telling=25,
             when="provisioning"),
    # --- while MySQL recovers
    Scenario(name="nfs-kill-while-recovering", fault=NfsKill, hold=3, expected=_restart(90),
             seconds=30, telling=35, tier="L4", when="recovering"),
    Scenario(name="nfs-port-dropped-while-recovering", fault=NfsPortDropped, hold=5,
             expected=_restart(120), seconds=40, telling=25, when="recovering"),
]

# The new mysqld gets the lock when the lease of the old one's node has run out. When that node
# reaches the files again, the new one has to have begun: old writes would do harm only then.
_TAKEOVER = LEASE_SECONDS + GRACE_SECONDS

FENCING = [
    Scenario(name="fencing-partitioned-writer", fault=SplitBrain, hold=_TAKEOVER,
             expected=Expected(gap=_TAKEOVER + 20, fenced=True), seconds=130, telling=55),
]

NOLOCK = [
    Scenario(name="control-nolock-partitioned-writer", fault=SplitBrain, hold=5, expected=_LOSES,
             seconds=90, telling=30, control=True, mount_options=("nolock",),
             finds="that the old mysqld is not fenced"),
]

# Pages that are written back flush the log first, and each sync of the binary log shortens what can
# be lost: with these settings it is seconds, not moments.
_KEPT_IN_MEMORY = {
    "sync_binlog": "0",
    "innodb_flush_log_at_timeout": "30",
    "innodb_adaptive_flushing": "0",
    "innodb_max_dirty_pages_pct": "99",
    "innodb_max_dirty_pages_pct_lwm": "0",
}

LOSING = [
    Scenario(name="control-flush-0", fault=MysqldSigkill, expected=_LOSES, seconds=50, telling=70,
             control=True, variables={"innodb_flush_log_at_trx_commit": "0", **_KEPT_IN_MEMORY}),
    Scenario(name="control-lying-server", fault=PowerLossEverywhere, hold=2, expected=_LOSES,
             seconds=55, telling=75, control=True, mode="lying"),
]

SWAPPED = [
    Scenario(name="control-swapped-directory", fault=DataDirectorySwapped, expected=_LOSES,
             seconds=45, telling=40, control=True),
]
# fmt: on
