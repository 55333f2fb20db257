"""Access to the Kubernetes API: raw objects in, raw objects out."""

from landfast.kube.client import Kube
from landfast.kube.request import Guard, KubeError, Object, Request

__all__ = ["Guard", "Kube", "KubeError", "Object", "Request"]
