"""The Kubernetes API with raw objects: a test may have to send what no typed model can hold."""

import builtins
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from kubernetes import client
from kubernetes.dynamic import DynamicClient
from kubernetes.stream import stream

from landfast import timeouts
from landfast.errors import BadInput, LandfastError, Unreachable
from landfast.kube import calls, forward, quota
from landfast.kube.failures import translated
from landfast.kube.kubeconfig import configuration
from landfast.kube.quota import QuotaExceeded
from landfast.kube.request import Guard, KubeError, Object, Request
from landfast.kube.status import event_time
from landfast.timeouts import patient

_API_VERSIONS = {
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "authorization.k8s.io/v1": ("SubjectAccessReview", "SelfSubjectAccessReview"),
    "coordination.k8s.io/v1": ("Lease",),
    "rbac.authorization.k8s.io/v1": ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
    "storage.k8s.io/v1": ("CSIDriver", "CSINode", "StorageClass"),
}
_KIND_TO_API = {kind: api for api, kinds in _API_VERSIONS.items() for kind in kinds}
_ANSWER_SECONDS = (3, 10)  # to connect, tried four times; to answer
T = TypeVar("T")

__all__ = ["Kube", "KubeError", "Object"]


class Kube:
    """One cluster, by one context of one kubeconfig file. Requests are bounded in time.

    Raises:
        BadInput: the file has no such context, or cannot be used.
    """

    _way = ""

    def __init__(
        self, kubeconfig: Path, context: str | None = None, *, guards: Sequence[Guard] = ()
    ) -> None:
        found = configuration(kubeconfig, context)
        try:
            self._api = client.ApiClient(found)
        except (OSError, ValueError) as error:  # a certificate or the name of a proxy
            raise BadInput(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error
        except ImportError as error:
            raise BadInput(
                f"the proxy {found.proxy} speaks SOCKS, which needs PySocks: install it next to "
                "Landfast (`pipx inject landfast pysocks`)"
            ) from error
        self.host: str = self._api.configuration.host
        proxy = getattr(self._api.rest_client.pool_manager, "proxy", None)
        self._way = f" through the proxy {proxy.netloc}" if proxy else ""
        self._guards = tuple(guards)

    @cached_property
    def _dynamic(self) -> DynamicClient:
        return DynamicClient(self._api)

    def _core(self) -> "client.CoreV1Api":  # read only when used: it takes a second
        # `stream` replaces the request function of its client, so each gets its own
        return client.CoreV1Api(client.ApiClient(self._api.configuration))

    # --- the one way to the server

    @contextlib.contextmanager
    def guarded_by(self, guard: Guard) -> Iterator[None]:
        """Pass every request to a guard while the body runs, after the client's own guards.

        The guard does not see its own requests.
        """
        inside = threading.local()

        def once(request: Request) -> Request | None:
            if getattr(inside, "guard", False):
                return None
            inside.guard = True
            try:
                return guard(request)
            finally:
                inside.guard = False

        self._guards = (*self._guards, once)
        try:
            yield
        finally:
            self._guards = tuple(other for other in self._guards if other is not once)

    def _send(self, request: Request, send: Callable[[Request], T]) -> T:
        """Pass a request through the guards, send it, and translate the client's errors."""
        request = self._admit(request)
        calls.record(request, _KIND_TO_API.get(request.kind, "v1"))
        with self._translated(str(request)):
            return send(request)

    def _admit(self, request: Request) -> Request:
        for guard in self._guards:
            request = guard(request) or request
        return request

    def _translated(self, action: str) -> AbstractContextManager[None]:
        return translated(action, self.host, self._way)

    def _request(self, request: Request, **arguments: Any) -> Any:
        """Send a request about an object or a list of them and return the client's answer."""

        def send(sent: Request) -> Any:
            api_version = _KIND_TO_API.get(sent.kind, "v1")
            resource = self._dynamic.resources.get(api_version=api_version, kind=sent.kind)
            if sent.verb == "evict":
                resource = resource.subresources["eviction"]
            if sent.dry_run and sent.verb == "delete":  # whose body overrides the query
                sent = replace(sent, body={**(sent.body or {}), "dryRun": ["All"]})
            elif sent.dry_run:
                arguments["query_params"] = [*arguments.get("query_params", ()), ("dryRun", "All")]
            if sent.verb == "list":
                arguments.update(label_selector=sent.labels, field_selector=sent.fields)
            method = {"list": "get", "evict": "create"}.get(sent.verb, sent.verb)
            return getattr(resource, method)(
                name=sent.name or None,
                namespace=sent.namespace,
                body=sent.body,
                **arguments,
                _request_timeout=patient(timeouts.API_REQUEST),
            )

        return self._send(request, send)

    # --- reading

    def server_version(self) -> str:
        """Return the API server's version (`v1.37.2`).

        Raises:
            BadInput: it cannot be reached; the sentence names its address.
        """
        try:
            with self._translated(f"the API server {self.host} refuses"):
                version = client.VersionApi(self._api).get_code(_request_timeout=_ANSWER_SECONDS)
                return str(version.git_version)
        except (KubeError, Unreachable) as error:
            raise BadInput(str(error)) from error
        except ValueError as error:  # fields that every version has are missing
            raise BadInput(
                f"{self.host} does not answer as a Kubernetes API server does"
            ) from error

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object:
        """Return an object.

        Raises:
            KubeError: it is not there (code 404), or the server refuses.
        """
        return dict(self._request(Request("get", kind, name, namespace)).to_dict())

    def find(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return an object, or None if it is not there."""
        try:
            return self.get(kind, name, namespace)
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> builtins.list[Object]:
        """Return the objects of a kind, in one namespace or all, by label and field selector."""
        found = self._request(
            Request("list", kind, namespace=namespace, labels=labels, fields=fields)
        )
        return [{"kind": kind, **item} for item in found.to_dict()["items"]]

    def events(
        self, namespace: str | None = None, *, name: str | None = None
    ) -> builtins.list[Object]:
        """Return events, oldest first, of one namespace or all, and of objects of one name."""
        fields = f"involvedObject.name={name}" if name else ""
        return sorted(self.list("Event", namespace, fields=fields), key=event_time)

    def logs(
        self,
        namespace: str,
        pod: str,
        *,
        container: str | None = None,
        previous: bool = False,
        tail_lines: int = 200,
    ) -> str:
        """Return the last lines of a container's log; it needs a name if the pod has several.

        Raises:
            KubeError: the server refuses, or there is no such log.
        """

        def send(sent: Request) -> str:
            log = self._core().read_namespaced_pod_log(
                sent.name,
                str(sent.namespace),
                container=container,
                previous=previous,
                tail_lines=tail_lines,
                _request_timeout=patient(timeouts.API_REQUEST),
            )
            return log or ""  # None: the pod is not on a node yet

        return self._send(Request("logs", "Pod", pod, namespace), send)

    # --- changing

    def create(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Create an object and return it; an unknown or doubled field is an error.

        With `dry_run` the server checks the object strictly and creates nothing.

        Raises:
            QuotaExceeded: a quota has no room for the object; what is judged does not depend on it.
            KubeError: the server refuses it for another reason.
        """
        try:
            return dict(self._create(obj, dry_run=dry_run).to_dict())
        except KubeError as error:
            if not dry_run and (lacks := quota.lacks(error.message)):
                raise QuotaExceeded(f"{error}; {lacks}") from error
            raise

    def warnings(self, obj: Object) -> builtins.list[str]:
        """Return what the API server warns of when asked to create an object; create nothing."""
        answer = self._create(obj, dry_run=True, serialize=False)
        # RFC 9111's header: a code, an agent, and the text in quotes
        return [text.partition('"')[2].rstrip('"') for text in answer.headers.getlist("Warning")]

    def _create(self, obj: Object, *, dry_run: bool, **arguments: Any) -> Any:
        name, namespace = obj["metadata"].get("name", ""), obj["metadata"].get("namespace")
        request = Request("create", obj["kind"], name, namespace, obj, dry_run)
        query = [("fieldValidation", "Strict")]
        return self._request(request, query_params=query, **arguments)

    def patch(self, kind: str, name: str, body: Object, namespace: str | None = None) -> Object:
        """Change an object by a JSON merge patch (None removes a field) and return it."""
        request = Request("patch", kind, name, namespace, body)
        return dict(self._request(request, content_type="application/merge-patch+json").to_dict())

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        grace_seconds: int | None = None,
        propagation: str = "Background",
    ) -> bool:
        """Ask for an object to be deleted; return whether it was there. Does not wait."""
        body: Object = {"propagationPolicy": propagation}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        try:
            self._request(Request("delete", kind, name, namespace, body))
        except KubeError as error:
            if error.code == 404:
                return False
            raise
        return True

    def is_bound_in(self, pv: Object, namespace: str) -> bool:
        """Whether a PV is bound, or was, to a PVC of a namespace."""
        return (pv["spec"].get("claimRef") or {}).get("namespace") == namespace

    def evict(self, pod: str, namespace: str) -> None:
        """Evict a pod, as a drain does: refused where a disruption budget forbids it.

        Raises:
            KubeError: it is refused (code 429), or the pod is not there.
        """
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
        }
        self._request(Request("evict", "Pod", pod, namespace, eviction))

    # --- reaching into a pod

    def execute(
        self,
        namespace: str,
        pod: str,
        argv: Sequence[str],
        *,
        container: str | None = None,
        timeout: int = timeouts.COMMAND,
    ) -> str:
        """Run a program in a pod's container, which must be named if it has several.

        Return its standard output.

        Raises:
            LandfastError: it failed; the message has its standard error.
        """

        def send(sent: Request) -> str:
            session = stream(
                self._core().connect_get_namespaced_pod_exec,
                sent.name,
                sent.namespace,
                command=[*argv],
                **({"container": container} if container else {}),
                stdout=True,
                stderr=True,
                stdin=False,
                _preload_content=False,
            )
            return _end(session, f"{argv[0]} in pod {namespace}/{pod}", patient(timeout))

        return self._send(Request("execute", "Pod", pod, namespace, {"command": [*argv]}), send)

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Return a socket that is connected to a port of a pod through the API server."""

        def send(sent: Request) -> socket.socket:
            return forward.connect(self._api.configuration, str(sent.namespace), sent.name, port)

        return self._send(Request("forward", "Pod", pod, namespace, {"ports": [port]}), send)


def _end(session: Any, program: str, seconds: float) -> str:
    """Wait until a program in a pod ends, close its session and return its output."""
    session.run_forever(timeout=seconds)
    output, errors = str(session.read_stdout(timeout=1)), str(session.read_stderr(timeout=1))
    try:
        code = session.returncode if not session.is_open() else None
    except ValueError as error:  # the program was not even started
        raise LandfastError(f"{program}: {str(error).partition(': ')[2]}") from error
    except TypeError as error:  # the library finds no status: the kubelet was stopped, for example
        raise LandfastError(f"{program}: the connection broke before it ended") from error
    finally:
        session.close()
        session.sock.shutdown()  # close() leaves the socket open if the server was first
    if code != 0:
        state = "did not end in time" if code is None else f"ended with exit code {code}"
        raise LandfastError(f"{program} {state}: {errors.strip()}")
    return output
