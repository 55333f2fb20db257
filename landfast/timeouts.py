"""Every time limit, by name, in seconds; `--patience FACTOR` stretches all of them.

A limit says when to give up waiting. How long something must *stay* true, or how long a fault is
held, is part of a statement: those durations stand beside the statement, not here.
"""

# --- requests
API_REQUEST = 30
MYSQL_CONNECT = 5
MYSQL_QUERY = 30
COMMAND = 60
"""One short program: a `docker` command, a program in a container or on a node."""
REGISTRY_ANSWER = 20

# --- objects of Kubernetes
BIND = 40
"""A PersistentVolumeClaim to be bound, by the controller or by the provisioner."""
EVENT = 40
GONE = 90
"""An object to be gone after its deletion, with its grace period and finalizers."""
MANY_VOLUMES = 60
"""Dozens of PVCs to be bound, or their volumes to be deleted, across a provisioner's restart."""
POD_RUNNING = 120
POD_UNDER_TEST = 60
"""A pod to start or to end, where that is the statement under test."""
POD_CANNOT_START = 20
"""How long a pod may say that it cannot be scheduled, or that its image cannot be pulled."""
RECLAIM = 30
RECYCLE = 60
REFUSAL = 20
"""A controller to say in an event or a condition that it refuses something."""
CONTROLLER_OBSERVES = 60

# --- MySQL
MYSQL_READY = 120
WRITES = 60
"""The load to acknowledge a number of writes."""
WRITES_AGAIN = 120
"""The load to acknowledge the first write after a fault."""

# --- nodes, servers, clusters
CLUSTER_CREATE = 300
CLUSTER_REMOVE = 240
CONTAINER_STATE = 15
"""A container to be paused, running or gone once the engine was asked."""
EFFECT = 8
"""A fault to show its effect."""
EVICTED = 80
"""A frozen node's pod to be evicted: the node's grace period of 50 s, and the pod's toleration."""
ENGINE_ANSWER = 20
ENGINE_START = 60
HEALTHY = 120
HEALED = 120
"""A healed fault to leave nothing behind."""
INSPECTOR_READY = 90
NODE_READY = 120
PROGRAM_BACK = 200
"""The kubelet to start a program again: it waits 10, 20, 40, 80 s if that one ended before."""
SERVER_START = 60
TAKEOVER = 60
"""Another pod to run in the place of a lost one."""

# --- downloads, builds, whole programs
APT = 600
BUILD = 45 * 60
IMAGE_BUILD = 900
IMAGE_LOAD = 600
IMAGE_PULL = 1200
RUN = 3600

_factor = 1.0


def set_patience(factor: float) -> None:
    """Stretch every limit of this process by a factor, for a slow machine."""
    global _factor
    _factor = factor


def patient(seconds: float) -> float:
    """Return a limit in seconds as the patience of this process stretches it."""
    return seconds * _factor
