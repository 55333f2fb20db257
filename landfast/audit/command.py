"""`landfast audit`: from the request to the printed findings."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath

from rich.console import Console

from landfast.audit import cluster, manifests
from landfast.audit.export import ExportView, local_inspector, view
from landfast.audit.findings import Severity, counted
from landfast.audit.inventory import Inventory
from landfast.audit.objects import Directory, is_below
from landfast.audit.output import print_text, summary, to_json
from landfast.audit.rules import audit
from landfast.audit.sarif import to_sarif
from landfast.errors import BadInput, LandfastError
from landfast.kube.kubeconfig import kubeconfig_path


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


class AuditFailed(LandfastError):
    """There are findings as bad as `--fail-on`: exit code 1."""


@dataclass(frozen=True)
class AuditRequest:
    """What to audit, how to print it, and what counts as a failure."""

    manifests: Sequence[str] = ()
    context: str | None = None
    kubeconfig: Path | None = None
    export_root: Path | None = None
    export_path: str | None = None
    format: Format = Format.TEXT
    fail_on: Severity = Severity.ERROR


def run(request: AuditRequest, console: Console | None = None) -> None:
    """Audit, and print the findings to standard output.

    Raises:
        BadInput: there is nothing to audit, or it cannot be read.
        AuditFailed: there are findings as bad as `fail_on`.
    """
    inventory, audited = _inventory(request)
    if request.export_path and not request.export_root:
        raise BadInput("--export-path needs --export-root, the export's folder on this host")
    if request.export_root:
        inventory = replace(
            inventory, export=_export(request.export_root, request.export_path, inventory)
        )
    findings = audit(inventory)
    match request.format:
        case Format.TEXT:
            print_text(findings, audited, console or Console(highlight=False))
        case Format.JSON:
            sys.stdout.write(to_json(findings) + "\n")
        case Format.SARIF:
            sys.stdout.write(to_sarif(findings) + "\n")
    bad = [f for f in findings if f.severity.rank <= request.fail_on.rank]
    if bad:
        raise AuditFailed(f"the audit found {summary(bad)}; --fail-on is {request.fail_on}")


def _inventory(request: AuditRequest) -> tuple[Inventory, str]:
    if bool(request.manifests) == bool(request.context):
        raise BadInput(
            "name either manifests to audit (files, folders, - for standard input) "
            "or a cluster with --context NAME; see `landfast audit --help`"
        )
    if request.context:
        kube = cluster.connect(kubeconfig_path(request.kubeconfig), request.context)
        found = cluster.read(kube, request.context)
        audited = f"{counted(len(found), 'object')} of the cluster of context {request.context}"
        return Inventory(found, complete=True), audited
    read = manifests.read(request.manifests)
    audited = f"{counted(read.documents, 'object')} of {', '.join(request.manifests)}"
    if read.without_objects:
        audited += f" (no Kubernetes object in {', '.join(read.without_objects)})"
    return Inventory(read.resources, complete=False), audited


def _export(folder: Path, given: str | None, inventory: Inventory) -> ExportView:
    """Look at the export in a folder of this host; `given` is what volumes call it."""
    if not folder.is_dir():
        raise BadInput(f"--export-root {folder} is not a folder on this host")
    server, colon, path = (given or str(folder.absolute())).rpartition(":")
    if not path.startswith("/"):
        raise BadInput(f"--export-path {given} must be /PATH or SERVER:/PATH")
    volumes = [pv.directory for pv in inventory.pvs if pv.directory]
    root = Directory(server=server, path=path)
    servers = sorted({v.server for v in volumes if is_below(v.path, root.path)})
    if not colon and servers:
        if len(servers) > 1:
            raise BadInput(
                f"volumes below {path} are on several servers ({', '.join(servers)}): "
                f"name the one that exports {folder} with --export-path SERVER:{path}"
            )
        root = Directory(server=servers[0], path=path)
    inspector = local_inspector(PurePosixPath(folder.absolute()))
    try:
        return view(inspector, root, volumes, int(time.time()))
    except LandfastError as error:
        raise BadInput(f"--export-root {folder} cannot be inspected: {error}") from error
