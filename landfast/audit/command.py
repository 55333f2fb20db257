"""`landfast audit`: from its options to the printed findings."""

import sys
import time
from collections.abc import Iterator, Sequence
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
from landfast.audit.findings import Severity, counted, listed
from landfast.audit.html import to_html
from landfast.audit.inventory import Inventory
from landfast.audit.junit import to_junit
from landfast.audit.markdown import to_markdown
from landfast.audit.output import print_text, to_json
from landfast.audit.owners import owners
from landfast.audit.report import Report, summary
from landfast.audit.rules import RULES
from landfast.audit.rules import audit as apply_rules
from landfast.audit.sarif import to_sarif
from landfast.audit.suppression import check_rules, read_baseline, suppress
from landfast.errors import BadInput, LandfastError
from landfast.kube.kubeconfig import kubeconfig_path


class Format(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MARKDOWN = "markdown"
    HTML = "html"


_WRITERS = {
    Format.JSON: to_json,
    Format.SARIF: to_sarif,
    Format.JUNIT: to_junit,
    Format.MARKDOWN: to_markdown,
    Format.HTML: to_html,
}


class AuditFailed(LandfastError):
    """There are findings as bad as `--fail-on`: exit code 1."""


def audit(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            help="files and folders of YAML or JSON, a chart's or kustomization's folder; "
            "- reads standard input"
        ),
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
    disable: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="a rule not to fail on; repeatable")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="files and folders to leave out, such as charts, '*-test.yaml' or "
            "'apps/*/dev'; repeatable",
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="what an audit wrote with --format json: only what is new counts"),
    ] = None,
    list_rules: Annotated[
        bool, typer.Option("--list", help="print the rules and stop", is_eager=True)
    ] = False,
) -> None:
    """Find what endangers data, in manifests or on a cluster. Read-only: safe on production.

    Exit code 0: no finding as severe as --fail-on; 1: at least one; 4: the input cannot be read.
    To ignore a finding, annotate the object: `landfast.dev/ignore: "RULE: REASON"`.
    """
    if list_rules:
        _print_rules()
        return
    check_rules(disable or [], [rule.id for rule in RULES])
    known = read_baseline(baseline) if baseline else None
    inventory, audited, problems = _inventory(manifests or [], exclude or [], context, kubeconfig)
    if export_path and not export_root:
        raise BadInput("--export-path needs --export-root, the export's folder on this host")
    if export_root:
        inventory = replace(inventory, export=_export(export_root, export_path, inventory))
    found = suppress(apply_rules(inventory), disable or (), known)
    report = Report([*found], audited, fail_on, problems)
    if output is Format.TEXT:
        print_text(report, Console(highlight=False))
    else:
        sys.stdout.write(_WRITERS[output](report).rstrip("\n") + "\n")
    if problems:
        raise _unreadable(problems)
    if bad := report.failures:
        raise AuditFailed(f"the audit found {summary(bad)}; --fail-on is {fail_on}")


def _print_rules() -> None:
    for rule in RULES:
        sys.stdout.write(f"{rule.id:36} {rule.severity:8} {rule.title}\n")


def _inventory(
    names: Sequence[str], exclude: Sequence[str], context: str | None, kubeconfig: Path | None
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
    read = files.read(names, exclude)
    if not read.documents:
        raise _unreadable(read.problems)
    audited = "; ".join(
        [f"{counted(read.documents, 'object')} of {', '.join(names)}", *_left(read)]
    )
    return Inventory(read.resources, complete=False), audited, read.problems


def _left(read: files.Manifests) -> Iterator[str]:
    """Yield what was seen and not audited, in words."""
    if read.unread:
        yield files.not_read(read.unread)
    yield from read.makers
    if read.without_objects:
        yield f"no Kubernetes object in {listed(read.without_objects)}"
    if read.unrendered:
        first = read.unrendered[0]
        yield f"not rendered: {listed(read.unrendered)} (`landfast audit {first}` renders it)"
    if read.unlisted:
        yield f"not named by their kustomization, and not read: {listed(read.unlisted)}"
    if read.excluded:
        yield f"{read.excluded} excluded by a pattern"


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
