"""Access to the Kubernetes API: raw objects in, raw objects out."""

from landfast.kube.client import Kube, KubeError, Object

__all__ = ["Kube", "KubeError", "Object"]
