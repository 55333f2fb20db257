"""Reads the settings that decide how long a failover takes."""

import re

from landfast.faults.base import Site, main_status
from landfast.kube.client import Object
from landfast.nfs.server import GRACE_SECONDS, LEASE_SECONDS
from landfast.survival.budget import Terms

_OPTION = "--node-monitor-grace-period="
_DEFAULT_GRACE = 50.0  # since Kubernetes 1.32; 40 s before
_DEFAULT_TOLERATION = 300.0  # of the admission plug-in DefaultTolerationSeconds
_RENEWALS = 4  # a kubelet renews its node's lease each quarter of the lease's duration
_UNITS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
_UNREACHABLE = "node.kubernetes.io/unreachable"


def read_terms(site: Site, *, returns: bool) -> Terms:
    """Return the terms of a site; what concerns nodes and the server only of the run's own ones.

    `returns` says whether the server knows the NFS client of a rebooted node again.

    Raises:
        LandfastError: the API server refuses.
    """
    pod = site.pod()
    grace, source, renewal = _DEFAULT_GRACE, "assumed: Kubernetes' default", 10.0
    if site.own_server:
        command = [
            word
            for manager in site.kube.list(
                "Pod", "kube-system", labels="component=kube-controller-manager"
            )
            for container in manager["spec"]["containers"]
            for word in [*(container.get("command") or ()), *(container.get("args") or ())]
        ]
        source = "not set in kube-controller-manager's static pod: Kubernetes' default, assumed"
        if set_to := next((word for word in command if word.startswith(_OPTION)), ""):
            grace = seconds(set_to.removeprefix(_OPTION))
            source = "read from kube-controller-manager's static pod"
        lease = site.kube.get("Lease", site.node(), "kube-node-lease")
        renewal = lease["spec"]["leaseDurationSeconds"] / _RENEWALS
    return Terms(
        monitor_grace=grace,
        monitor_source=source,
        renewal=renewal,
        toleration=toleration(pod),
        termination=pod["spec"].get("terminationGracePeriodSeconds", 30),
        readiness=readiness(pod),
        lease=LEASE_SECONDS if site.own_server else None,
        grace=GRACE_SECONDS if site.own_server else None,
        returns=returns,
    )


def seconds(duration: str) -> float:
    """Return the seconds of a Go duration such as `1m30s`."""
    return sum(
        float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)(ms|h|m|s)", duration)
    )


def toleration(pod: Object) -> float | None:
    """Return how long a pod tolerates an unreachable node, in seconds; None: for ever."""
    for found in pod["spec"].get("tolerations") or ():
        if found.get("key") in (_UNREACHABLE, None) and found.get("effect") in ("NoExecute", None):
            limit = found.get("tolerationSeconds")
            return None if limit is None else float(limit)
    return _DEFAULT_TOLERATION


def readiness(pod: Object) -> float:
    """Return the initial delay and the period of the readiness probe of MySQL's container."""
    name = main_status(pod).get("name")
    for container in pod["spec"].get("containers") or ():
        if container.get("name") == name and (probe := container.get("readinessProbe")):
            return float(probe.get("initialDelaySeconds", 0) + probe.get("periodSeconds", 10))
    return 0.0
