"""Requests to the API server as values, and the guards that each passes before it is sent."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from landfast.errors import Refused

Object = dict[str, Any]
_READS = ("get", "list", "watch", "logs")


@dataclass(frozen=True)
class Request:
    """A request that is about to be sent.

    `verb` is the name of the method of `Kube`; `name` is empty for `list` and for names that the
    server picks; `body` is an object, a patch or options; `labels` and `fields` are selectors of
    `list`. With `dry_run` the server only checks the request and changes nothing.
    """

    verb: str
    kind: str
    name: str = ""
    namespace: str | None = None
    body: Object | None = None
    dry_run: bool = False
    labels: str = ""
    fields: str = ""

    @property
    def is_read(self) -> bool:
        """Whether the request only reads. A verb that is unknown here does not."""
        return self.verb in _READS

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}".rstrip()


Guard = Callable[[Request], Request | None]
"""Raises an error to refuse a request; returns another request to send instead, or None."""


class KubeError(Refused):
    """The API server refused a request.

    `code` is the HTTP status (404, 409, 422, …), `reason` its machine-readable word (`NotFound`),
    `fields` are the fields that the server names as the cause.
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
