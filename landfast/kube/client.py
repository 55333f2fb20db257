"""The Kubernetes API with raw objects: a test may have to send what no typed model could hold."""

import builtins
import json
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import DynamicApiError
from kubernetes.stream import stream

from landfast.errors import BadInput, LandfastError, Refused, Unreachable

Object = dict[str, Any]

_API_VERSIONS = {
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "authorization.k8s.io/v1": ("SubjectAccessReview", "SelfSubjectAccessReview"),
    "coordination.k8s.io/v1": ("Lease",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "storage.k8s.io/v1": ("StorageClass",),
}
_KIND_TO_API = {kind: api for api, kinds in _API_VERSIONS.items() for kind in kinds}
_REQUEST_SECONDS = 30
_ANSWER_SECONDS = (3, 10)  # to connect, tried four times; to answer


class KubeError(Refused):
    """The API server refused a request.

    `code` is the HTTP status (404, 409, 422, …), `reason` its machine-readable word (`NotFound`),
    `fields` are those that it names as the cause.
    """

    def __init__(self, action: str, error: Any) -> None:
        try:
            status = json.loads(error.body)
        except (TypeError, ValueError):
            status = {}
        self.code = int(error.status or 0)
        self.reason = str(status.get("reason") or error.reason)
        self.message = str(status.get("message") or error.reason)
        causes = (status.get("details") or {}).get("causes") or []
        self.fields = tuple(str(cause.get("field", "")) for cause in causes)
        super().__init__(f"{action}: {self.message}")


class Kube:
    """One cluster, by one context of one kubeconfig file. Requests are bounded in time.

    Raises:
        BadInput: the file has no such context, or no server answers there.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        try:
            self.api = config.new_client_from_config(str(kubeconfig), context)
        except (ConfigException, OSError, ValueError, TypeError) as error:
            raise BadInput(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error
        self.host: str = self.api.configuration.host
        self.core = client.CoreV1Api(self.api)

    @cached_property
    def _dynamic(self) -> DynamicClient:
        return DynamicClient(self.api)

    def server_version(self) -> str:
        """Give the API server's version (`v1.37.2`).

        Raises:
            BadInput: it cannot be reached; the sentence names its address.
        """
        try:
            return str(
                client.VersionApi(self.api).get_code(_request_timeout=_ANSWER_SECONDS).git_version
            )
        except ApiException as error:
            raise BadInput(f"the API server {self.host} refuses: {error.reason}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            said = f"the API server {self.host} cannot be reached: {_short(error)}"
            raise BadInput(said) from error

    def _call(self, verb: str, kind: str, what: str, **arguments: Any) -> Object:
        resource = self._dynamic.resources.get(api_version=_KIND_TO_API.get(kind, "v1"), kind=kind)
        try:
            answer = getattr(resource, verb)(**arguments, _request_timeout=_REQUEST_SECONDS)
        except DynamicApiError as error:
            raise KubeError(f"{verb} {kind} {what}".rstrip(), error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error
        result: Object = answer.to_dict()
        return result

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(f"the API server {self.host} cannot be reached: {_short(error)}")

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """Return an object.

        Raises:
            KubeError: it is not there (code 404), or the server refuses.
        """
        return self._call("get", kind, name, name=name, namespace=namespace)

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Give an object, or None if it is not there."""
        try:
            return self.get(kind, name, namespace)
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> builtins.list[Object]:
        """Give the objects of a kind, in one namespace or all, by label and field selector."""
        found = self._call(
            "get", kind, "", namespace=namespace, label_selector=labels, field_selector=fields
        )
        items: builtins.list[Object] = found["items"]
        return [{"kind": kind, **item} for item in items]

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Create an object; an unknown or doubled field is an error (strict field validation)."""
        meta = obj["metadata"]
        query = [("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
        return self._call(
            "create",
            obj["kind"],
            meta.get("name", ""),
            body=obj,
            namespace=meta.get("namespace"),
            query_params=query,
        )

    def warnings(self, obj: Object) -> builtins.list[str]:
        """Give what the API server warns of when asked to create an object; nothing is made."""
        resource = self._dynamic.resources.get(
            api_version=_KIND_TO_API.get(obj["kind"], "v1"), kind=obj["kind"]
        )
        answer = resource.create(
            body=obj,
            namespace=obj["metadata"].get("namespace"),
            query_params=[("dryRun", "All")],
            serialize=False,
            _request_timeout=_REQUEST_SECONDS,
        )
        # RFC 9111's header: a code, an agent, and the text in quotes
        return [text.partition('"')[2].rstrip('"') for text in answer.headers.getlist("Warning")]

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> Object:
        """Change an object by a JSON merge patch: None removes a field."""
        return self._call(
            "patch",
            kind,
            name,
            name=name,
            body=body,
            namespace=namespace,
            content_type="application/merge-patch+json",
        )

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_seconds: int | None = None,
        propagation: str = "Background",
    ) -> bool:
        """Ask for an object to be deleted; give whether it was there. Does not wait."""
        body: Object = {"propagationPolicy": propagation}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        try:
            self._call("delete", kind, name, name=name, namespace=namespace, body=body)
        except KubeError as error:
            if error.code == 404:
                return False
            raise
        return True

    def evict(self, pod: str, namespace: str) -> None:
        """Evict a pod, as a drain does: refused where a disruption budget forbids it.

        Raises:
            KubeError: it is refused (code 429), or the pod is not there.
        """
        eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=pod, namespace=namespace))
        try:
            self.core.create_namespaced_pod_eviction(
                pod, namespace, eviction, _request_timeout=_REQUEST_SECONDS
            )
        except ApiException as error:
            raise KubeError(f"evict pod {pod}", error) from error

    def logs(
        self, namespace: str, pod: str, *, previous: bool = False, tail_lines: int = 200
    ) -> str:
        """Give the last lines of a pod's first container's log."""
        try:
            return str(
                self.core.read_namespaced_pod_log(
                    pod,
                    namespace,
                    previous=previous,
                    tail_lines=tail_lines,
                    _request_timeout=_REQUEST_SECONDS,
                )
            )
        except ApiException as error:
            raise KubeError(f"logs of pod {pod}", error) from error

    def execute(self, namespace: str, pod: str, argv: Sequence[str], *, timeout: int = 60) -> str:
        """Run a program in a pod's first container and give its standard output.

        Raises:
            LandfastError: it failed; the message has its standard error.
        """
        # stream() swaps the request function of the client it is given: not of the shared one
        api = client.CoreV1Api(client.ApiClient(self.api.configuration))
        try:
            session = stream(
                api.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                command=[*argv],
                stdout=True,
                stderr=True,
                stdin=False,
                _preload_content=False,
            )
        except ApiException as error:
            raise KubeError(f"exec in pod {pod}", error) from error
        session.run_forever(timeout=timeout)
        output, errors = str(session.read_stdout(timeout=1)), str(session.read_stderr(timeout=1))
        try:
            code = session.returncode if not session.is_open() else None
        except ValueError as error:  # the program was not even started
            said = str(error).partition(": ")[2]
            raise LandfastError(f"{argv[0]} in pod {namespace}/{pod}: {said}") from error
        finally:
            session.close()
            session.sock.shutdown()  # close() leaves the socket open if the server was first
        if code != 0:
            state = "did not end in time" if code is None else f"ended with exit code {code}"
            raise LandfastError(f"{argv[0]} in pod {namespace}/{pod} {state}: {errors.strip()}")
        return output

    def events(
        self, namespace: str | None = None, *, name: str | None = None
    ) -> builtins.list[Object]:
        """Give events, oldest first, of one namespace or all, and of objects of one name."""
        fields = f"involvedObject.name={name}" if name else ""
        return sorted(self.list("Event", namespace, fields=fields), key=_event_time)


def _event_time(event: Object) -> str:
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"]["creationTimestamp"]
    )


def _short(error: BaseException) -> str:
    reason = str(getattr(error, "reason", None) or error)
    return re.sub(r"^.*?(>|\)): ", "", reason)
