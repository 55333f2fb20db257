"""`landfast audit`: from its options to the printed findings."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer
from rich.console import Console

from landfast.audit import cluster
from landfast.audit import manifests as files
from landfast.audit.directories import Directory, is_below
from landfast.audit.export import ExportView, local_inspector, view
from landfast.audit.findings import Severity, counted
from landfast.audit.inventory import Inventory
from landfast.audit.output import print_text, summary, to_json
from landfast.audit.owners import owners
from landfast.audit.rules import audit as apply_rules
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


def audit(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(help="files and folders of YAML or JSON; - reads standard input"),
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="kubeconfig context of a cluster to audit instead")
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="kubeconfig file (default: $KUBECONFIG)")
    ] = None,
    export_root: Annotated[
        Path | None, typer.Option(help="folder of the export on this host, to look for orphans")
    ] = None,
    export_path: Annotated[
        str | None,
        typer.Option(help="that folder as PVs name it: [SERVER:]/PATH (default: --export-root)"),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="output format")] = Format.TEXT,
    fail_on: Annotated[
        Severity, typer.Option(help="lowest severity that ends in exit code 1")
    ] = Severity.ERROR,
) -> None:
    """Find what endangers data, in manifests or on a cluster. Read-only: safe on production.

    Exit code 0: no finding as severe as --fail-on; 1: at least one; 4: the input cannot be read.
    For a chart: `helm template CHART | landfast audit -`.
    """
    inventory, audited, problems = _inventory(manifests or [], context, kubeconfig)
    if export_path and not export_root:
        raise BadInput("--export-path needs --export-root, the export's folder on this host")
    if export_root:
        inventory = replace(inventory, export=_export(export_root, export_path, inventory))
    findings = apply_rules(inventory)
    match output:
        case Format.TEXT:
            print_text(findings, audited, Console(highlight=False))
        case Format.JSON:
            sys.stdout.write(to_json(findings) + "\n")
        case Format.SARIF:
            sys.stdout.write(to_sarif(findings) + "\n")
    if problems:
        raise _unreadable(problems)
    bad = [f for f in findings if f.severity.rank <= fail_on.rank]
    if bad:
        raise AuditFailed(f"the audit found {summary(bad)}; --fail-on is {fail_on}")


def _inventory(
    names: Sequence[str], context: str | None, kubeconfig: Path | None
) -> tuple[Inventory, str, Sequence[str]]:
    """Return what is audited, how to call it, and what of it could not be read."""
    if bool(names) == bool(context):
        raise BadInput(
            "name either manifests to audit (files, folders, - for standard input) "
            "or a cluster with --context NAME; see `landfast audit --help`"
        )
    if context:
        kube = cluster.connect(kubeconfig_path(kubeconfig, context), context)
        found = cluster.read(kube, context)
        audited = f"{counted(len(found), 'object')} of the cluster of context {context}"
        return Inventory(found, complete=True), audited, ()
    read = files.read(names)
    if not read.documents:
        raise _unreadable(read.problems)
    audited = f"{counted(read.documents, 'object')} of {', '.join(names)}"
    if read.without_objects:
        audited += f" (no Kubernetes object in {', '.join(read.without_objects)})"
    if read.unread:
        audited += f"; {files.not_read(read.unread)}"
    return Inventory(read.resources, complete=False), audited, read.problems


def _unreadable(problems: Sequence[str]) -> BadInput:
    """Return the error that ends an audit of which a part could not be read."""
    if len(problems) == 1:
        return BadInput(problems[0])
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return BadInput(f"{len(problems)} inputs could not be read, as said above")


def _export(folder: Path, given: str | None, inventory: Inventory) -> ExportView:
    """Look at the export in a folder of this host; `given` is what volumes call it."""
    if not folder.is_dir():
        raise BadInput(f"--export-root {folder} is not a folder on this host")
    server, colon, path = (given or str(folder.absolute())).rpartition(":")
    if not path.startswith("/"):
        raise BadInput(f"--export-path {given} must be /PATH or SERVER:/PATH")
    volumes = [owner.directory for owner in owners(inventory)]
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
