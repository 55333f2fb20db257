"""A run in one namespace of others, which it neither makes nor removes (`--namespace`).

Tests ask for namespaces of their own, `landfast-…`, and give their objects plain names. Here such
a namespace is a label, and a part of the names of all objects in it: so tests do not meet, neither
each other nor what is there. Labels that selectors use get that part too, so that no Service of
others finds the run's pods.
"""

import builtins
import copy
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from landfast.cluster.fence import FencedKube, is_provisioned
from landfast.kube import Object, Request
from landfast.kube.placement import Placement, pod_spec
from landfast.run import RUN_LABEL

_LABEL = "landfast/namespace"
_PREFIX = "landfast-"
_OWN_LABELS = "landfast/"
_WITH_ORDINAL = re.compile(r"(.+)-(\d+)")
_CLUSTER_WIDE = {
    *("Namespace", "Node", "PersistentVolume", "StorageClass", "CSIDriver", "CSINode"),
    *("SelfSubjectAccessReview", "SubjectAccessReview"),
}
_OF_OTHERS = {"ServiceAccount"}
"""Kinds whose objects the run only reads, under the names that they have."""


class GuestKube(FencedKube):
    """An existing cluster of which a run changes only its own objects in one namespace.

    It owns there what has its label, and the PVs that were provisioned for its PVCs.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str,
        run_id: str,
        namespace: str,
        *,
        placement: Placement = Placement(),  # noqa: B008 - it is frozen
    ) -> None:
        super().__init__(kubeconfig, context, run_id, placement=placement)
        self.namespace = namespace
        self._guards = (self._lodged, *self._guards)

    # --- namespaces of the run's own exist in name only

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        """See `Kube.create`."""
        return obj if obj["kind"] == "Namespace" else super().create(obj, dry_run=dry_run)

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> builtins.list[Object]:
        """See `Kube.list`; of all namespaces, only that of the run is looked at."""
        if kind == "Namespace":
            return []
        if namespace is None and kind not in _CLUSTER_WIDE:
            namespace = self.namespace
        found = super().list(kind, namespace, labels=labels, fields=fields)
        if kind == "Event" and self._is_own(namespace):  # they have no labels
            part = self._part(str(namespace))
            return [e for e in found if part in e["involvedObject"].get("name", "")]
        return found

    def is_bound_in(self, pv: Object, namespace: str) -> bool:
        """See `Kube.is_bound_in`."""
        if not self._is_own(namespace):
            return super().is_bound_in(pv, namespace)
        name = (pv["spec"].get("claimRef") or {}).get("name", "")
        return super().is_bound_in(pv, self.namespace) and self._part(namespace) in name

    # --- the fence

    def owns(self, obj: Object) -> bool:
        """See `FencedKube.owns`: in the namespace, it is the label that counts."""
        if namespace := obj["metadata"].get("namespace"):
            return bool(namespace == self.namespace and self._has_label(obj))
        return is_provisioned(obj) and self._owns_pvc(obj["spec"].get("claimRef") or {})

    def _owns_pvc(self, reference: Object) -> bool:
        own = reference.get("namespace") == self.namespace
        return own and f"-{self.run_id}" in reference.get("name", "")

    # --- from a namespace of the run's own to the one that is there

    def _lodged(self, request: Request) -> Request | None:
        """Return a request about a namespace of the run's own as one about the given namespace."""
        asked = request.namespace
        if not self._is_own(asked):
            return None
        part = self._part(str(asked))
        body, labels, fields, name = request.body, request.labels, request.fields, request.name
        if request.kind not in _OF_OTHERS:
            name = _renamed(name, part)
        if request.verb == "create" and body is not None:
            body = self._fitted(body, str(asked), part)
        elif request.verb == "evict" and body is not None:
            body = {**body, "metadata": {"name": name, "namespace": self.namespace}}
        elif request.verb == "list" and request.kind == "Event":
            fields = _terms(fields, part)
        elif request.verb == "list":
            labels = ",".join(filter(None, [_terms(labels, part), f"{_LABEL}={asked}"]))
        return replace(
            request, name=name, namespace=self.namespace, body=body, labels=labels, fields=fields
        )

    def _is_own(self, namespace: str | None) -> bool:
        return bool(namespace and namespace != self.namespace and namespace.startswith(_PREFIX))

    def _part(self, namespace: str) -> str:
        """Return the part that the names of a namespace of the run's own have."""
        slug = namespace.removeprefix(_PREFIX)
        return f"-{slug}" if slug == self.run_id else f"-{self.run_id}-{slug}"

    def _fitted(self, obj: Object, namespace: str, part: str) -> Object:
        """Return an object with its name, its labels and what it refers to renamed."""
        fitted = copy.deepcopy(obj)
        meta, spec = fitted["metadata"], fitted.get("spec") or {}
        meta["name"], meta["namespace"] = _renamed(meta["name"], part), self.namespace
        template = spec.get("template") or {}
        of_pvcs: Sequence[Any] = spec.get("volumeClaimTemplates") or ()
        own = {RUN_LABEL: self.run_id, _LABEL: namespace}
        for labelled in (fitted, *([template] if template else []), *of_pvcs):
            found = labelled["metadata"]
            found["labels"] = {**_values(found.get("labels") or {}, part), **own}
        if "serviceName" in spec:
            spec["serviceName"] = _renamed(spec["serviceName"], part)
        if fitted["kind"] == "Service":
            spec["selector"] = _values(spec["selector"], part)
        elif "matchLabels" in (selector := spec.get("selector") or {}):
            selector["matchLabels"] = _values(selector["matchLabels"], part)
        if pods := pod_spec(fitted):
            _refer(pods, part)
        return fitted


def fenced(
    kubeconfig: Path,
    context: str,
    run_id: str,
    *,
    guest_in: str | None,
    default_classes: bool,
    placement: Placement,
) -> FencedKube:
    """Return an existing cluster behind the fence of a run, which may be a guest there."""
    if guest_in is not None:
        return GuestKube(kubeconfig, context, run_id, guest_in, placement=placement)
    return FencedKube(
        kubeconfig, context, run_id, default_classes=default_classes, placement=placement
    )


def _refer(spec: Object, part: str) -> None:
    """Rename the PVCs and ConfigMaps that a pod refers to."""
    for volume in spec.get("volumes") or ():
        if pvc := volume.get("persistentVolumeClaim"):
            pvc["claimName"] = _renamed(pvc["claimName"], part)
    for container in spec["containers"]:
        for source in container.get("envFrom") or ():
            if "configMapRef" in source:
                source["configMapRef"]["name"] = _renamed(source["configMapRef"]["name"], part)


def _renamed(name: str, part: str) -> str:
    """Return a name with the part; before the ordinal, as a renamed StatefulSet's pods have it."""
    if not name or part in name:
        return name
    ordinal = _WITH_ORDINAL.fullmatch(name)
    return f"{ordinal[1]}{part}-{ordinal[2]}" if ordinal else f"{name}{part}"


def _values(labels: Object, part: str) -> Object:
    return {
        key: value if key.startswith(_OWN_LABELS) else _renamed(value, part)
        for key, value in labels.items()
    }


def _terms(selector: str, part: str) -> str:
    """Return a selector, `KEY=VALUE` with commas, with its values renamed."""
    terms = (term.partition("=") for term in selector.split(",") if term)
    return ",".join(
        f"{key}{equals}{value if key.startswith(_OWN_LABELS) else _renamed(value, part)}"
        for key, equals, value in terms
    )
