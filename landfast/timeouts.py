"""Every time limit, by name, in seconds; `--patience FACTOR` stretches them all.

A limit says when to give up waiting; none is reached on a healthy machine. How long something must
*stay* true, or how long a fault is held, is part of a statement and is defined beside it.
"""

# --- requests
API_REQUEST = 30
MYSQL_CONNECT = 5
MYSQL_QUERY = 30
COMMAND = 60
"""One short program: a `docker` command, a program in a container or on a node."""
ANSWER = 20
"""A Docker engine or a registry to answer; if it does not, Landfast does without it."""

# --- objects of Kubernetes
BIND = 40
"""A PVC to be bound, by the controller or by the provisioner."""
EVENT = 40
"""An event to appear: a controller or a kubelet repeats it, with growing delay."""
GONE = 90
"""An object to be gone after its deletion: grace period of 30 s, then finalizers."""
MANY_VOLUMES = 60
"""Dozens of PVCs to be bound, or their volumes to be deleted, across a provisioner's restart."""
POD_RUNNING = 120
"""A pod to run while a test arranges its objects."""
POD_UNDER_TEST = 60
"""A pod to start or to end, where that is the statement under test."""
POD_CANNOT_START = 15
"""How long a pod may report that it cannot be scheduled, or that its image cannot be pulled.

The kubelet retries a failed pull after 10 s. A test has its verdict within 30 s.
"""
RECLAIM = 30
RECYCLE = 60
"""A recycler pod to empty a volume."""
REFUSAL = 20
"""A controller to refuse something in an event or a condition."""
CONTROLLER_OBSERVES = 60
"""A controller to act on a change, or to do so again after its restart."""

# --- MySQL
MYSQL_READY = 120
WRITES = 60
"""The load to acknowledge a number of writes."""
WRITES_AGAIN = 120
"""The load to acknowledge the first write after a fault."""

LOCK_FREED = 20
"""A lock to be free once the pod that held it is gone."""

# --- nodes, servers, clusters
CLUSTER_CREATE = 300
CLUSTER_REMOVE = 240
CONTAINERS_REMOVE = 90
"""Containers to be killed and removed: the engine itself gives up a process after some 10 s."""
CONTAINER_STATE = 15
"""A container to be paused, running or gone once the engine was asked."""
EFFECT = 8
"""A fault to show its effect."""
FENCED = 30
"""A mysqld that lost its lock to be refused a write, once it reaches its files again."""
EVICTED = 80
"""The pod of a frozen node to be evicted: 50 s of grace for the node, then the pod's toleration."""
ENGINE_START = 60
HEALTHY = 120
"""A cluster to be healthy, and a healed fault to leave nothing behind."""
NODE_READY = 120
PROGRAM_BACK = 200
"""The kubelet to restart a program: it waits 10, 20, 40, 80 s if the program ended before."""
REBOOT = 600
"""A machine to boot, with its firmware."""
SERVER_START = 60
SERVER_COMMAND = 120
"""A user's command that stops or starts an NFS server."""
SERVER_BACK = 300
"""A user's NFS server to answer once it was started."""
TAKEOVER = 60
"""Another pod to run in the place of a lost one."""

# --- downloads, builds, whole programs
APT = 600
BUILD = 45 * 60
"""Kubernetes to be compiled on one slow core."""
IMAGE_BUILD = 900
IMAGE_LOAD = 600
IMAGE_PULL = 1200
RENDER = 120
"""A Helm chart or a kustomization to become manifests; a kustomization can fetch its bases."""
RUN = 3600
"""A whole run, for the programs that start runs."""

_factor = 1.0


def set_patience(factor: float) -> None:
    """Stretch every limit of this process by a factor, for a slow machine."""
    global _factor
    _factor = factor


def patient(seconds: float) -> float:
    """Return a limit in seconds, stretched by the patience of this process."""
    return seconds * _factor
