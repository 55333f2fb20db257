"""A record of what a run asks of the API server, to compare with the roles in docs/roles."""

import os
from pathlib import Path

from landfast.kube.request import Request

FILE = "KUBE_CALLS_FILE"
"""The variable that names the file; without it nothing is recorded."""
_POD_PARTS = {"logs": "log", "execute": "exec", "forward": "portforward", "evict": "eviction"}
# exec and port-forward begin with a GET, which becomes a websocket
_VERBS = {"logs": "get", "execute": "get", "forward": "get", "evict": "create"}
Call = tuple[str, str, str]
"""API group, resource with its subresource, and verb, as a role has them."""


def call_of(request: Request, api_version: str) -> Call:
    """Return what a role must grant for a request."""
    group = api_version.rpartition("/")[0]
    resource = request.kind.lower() + ("es" if request.kind.endswith("s") else "s")
    part = _POD_PARTS.get(request.verb)
    return group, f"{resource}/{part}" if part else resource, _VERBS.get(request.verb, request.verb)


def record(request: Request, api_version: str) -> None:
    """Append a request to the file, if there is one; workers append to the same."""
    if file := os.environ.get(FILE):
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(" ".join(call_of(request, api_version)) + "\n")


def recorded(file: Path) -> set[Call]:
    """Return the calls that a file has."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return {(group, resource, verb) for group, resource, verb in (x.split(" ") for x in lines)}
