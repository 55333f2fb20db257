"""What the errors of the client library mean: the server refused, or it cannot be reached."""

import contextlib
import re
from collections.abc import Iterator

import urllib3
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from websocket import WebSocketBadStatusException, WebSocketException

from landfast.errors import Refused, Unreachable
from landfast.kube.request import KubeError


@contextlib.contextmanager
def translated(action: str, host: str, way: str) -> Iterator[None]:
    """Translate the errors of the body; `way` says how `host` is reached, if not directly.

    Raises:
        KubeError: the server refused.
        Refused: it does not know the kind of object.
        Unreachable: it does not answer.
    """
    try:
        yield
    except ApiException as error:
        cause = error.__context__  # errors of websockets have no status
        if error.status or cause is None:
            raise KubeError(action, error) from error
        if isinstance(cause, WebSocketBadStatusException):
            raise _refusal(action, cause) from error
        raise _unreachable(host, way, cause) from error
    except WebSocketBadStatusException as error:
        raise _refusal(action, error) from error
    except ResourceNotFoundError as error:
        raise Refused(f"{action}: the API server does not know this kind") from error
    except (urllib3.exceptions.HTTPError, OSError, WebSocketException) as error:
        raise _unreachable(host, way, error) from error


def _unreachable(host: str, way: str, error: BaseException) -> Unreachable:
    reason = str(getattr(error, "reason", None) or error)
    reason = re.sub(r"^.*?(>|\)): ", "", reason)  # the library's object that it is about
    return Unreachable(f"the API server {host} cannot be reached{way}: {reason}")


def _refusal(action: str, error: WebSocketBadStatusException) -> KubeError:
    refusal = ApiException(status=error.status_code, reason=str(error))
    refusal.body = (error.resp_body or b"").decode(errors="replace")
    return KubeError(action, refusal)
