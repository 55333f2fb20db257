"""`landfast`: what is done around the suites. The suites themselves are run by nox or pytest."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from landfast.audit.command import Format, Request
from landfast.audit.command import run as run_audit
from landfast.audit.findings import Severity
from landfast.environment import environment, sweep
from landfast.errors import BadInput, LandfastError
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.progress import Progress
from landfast.settings import Settings, load_settings
from landfast.verdict import EXIT_BAD_INPUT, EXIT_INTERRUPTED

app = typer.Typer(
    help="Can this cluster keep a database on NFS alive and its data intact?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def with_settings(command: Callable[[Settings], None]) -> Callable[..., None]:
    """Offer every setting as a flag of a command."""

    def run(**flags: Any) -> None:
        command(load_settings(flags))

    parameters = []
    for name, field in Settings.model_fields.items():
        choices = [str(value) for value in get_args(field.annotation)]
        kind = bool if field.annotation is bool else str
        option = typer.Option(
            help=field.description,
            metavar=None if kind is bool else "|".join(choices) if choices[:-1] else name.upper(),
        )
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[kind | None, option],
            )
        )
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run


@app.command()
@with_settings
def up(settings: Settings) -> None:
    """Bring up a cluster and an NFS server, and keep them for `--keep` runs."""
    progress = Progress()
    with environment(settings.model_copy(update={"keep": True}), progress) as env:
        progress.say(
            f"cluster {env.cluster.name} is up; `nox -s conformance -- --keep` uses it\n"
            f"  kubectl --kubeconfig {env.cluster.kubeconfig} get nodes\n"
            f"  export  {env.export.server}:{env.export.path} (container {env.export.container})"
        )
        if env.engine and env.engine.env:
            progress.say(f"  docker  DOCKER_HOST={env.engine.env['DOCKER_HOST']}")


@app.command()
def down(
    engine: Annotated[
        bool, typer.Option("--engine", help="also stop the Docker engine that the kit started")
    ] = False,
) -> None:
    """Remove kept clusters."""
    progress = Progress()
    _sweep(progress, kept=True)
    if engine:
        stopped = engines.stop()
        progress.say("the kit's engine is stopped" if stopped else "no engine of the kit runs")


@app.command()
def cleanup() -> None:
    """Remove what runs that were killed left behind; kept clusters stay."""
    _sweep(Progress(), kept=False)


@app.command()
def heal() -> None:
    """Undo the faults inside which runs were killed; their clusters are healthy then."""
    from landfast.faults.healing import heal_dead_runs  # here: keeps the other commands quick

    progress = Progress()
    proofs = heal_dead_runs(progress)
    for proof in proofs:
        progress.say(proof)
    if not proofs:
        progress.say("no run left anything broken")


def _sweep(progress: Progress, *, kept: bool) -> None:
    gone = sweep(progress, kept=kept)
    progress.say(f"removed {len(gone)} run(s): {', '.join(gone)}" if gone else "nothing to remove")


@app.command()
def kit() -> None:
    """Build what is missing of the kit: engine, kind, node image, server and workload images."""
    progress = Progress()
    with kit_lock(progress):
        images = build_kit(engines.ensure(progress), progress)
    for part, image in images.all().items():
        progress.say(f"{part:12} {image}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="the run's folder")] = Path("out/latest"),
) -> None:
    """Render report.html, junit.xml and summary.md from a run's journal, also of a killed run."""
    import reports  # here, because the library knows nothing of the renderers

    for path in reports.render(folder):
        typer.echo(path)


@app.command()
def doctor() -> None:
    """Say what this host has, what is missing, and which path a run will take."""
    from landfast.doctor import examine  # here: keeps the other commands quick

    findings = examine()
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "found"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        mark = {True: "ok", False: "!!", None: "--"}[finding.ok]
        table.add_row(mark, escape(finding.what), escape(finding.found))
    Console(highlight=False).print(table)
    if any(finding.ok is False for finding in findings):
        raise BadInput("a run cannot work on this host: see the lines with !!")


@app.command(name="audit")
def audit_command(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(help="files and folders of YAML or JSON; - is standard input"),
    ] = None,
    context: Annotated[
        str | None, typer.Option(help="the kubeconfig context of a cluster to audit instead")
    ] = None,
    kubeconfig: Annotated[Path | None, typer.Option(help="default: $KUBECONFIG, or ~'s")] = None,
    export_root: Annotated[
        Path | None, typer.Option(help="the export's folder on this host, to look for orphans")
    ] = None,
    export_path: Annotated[
        str | None,
        typer.Option(help="[SERVER:]/PATH of it in the volumes; default: that of --export-root"),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="how to print")] = Format.TEXT,
    fail_on: Annotated[
        Severity, typer.Option(help="the mildest finding that ends in exit code 1")
    ] = Severity.ERROR,
) -> None:
    """Say what endangers data in manifests or on a cluster. Changes nothing: safe on production.

    Exit code 0: nothing as bad as --fail-on; 1: something is; 4: it could not be read.
    Of a chart: `helm template CHART | landfast audit -`.
    """
    request = Request(
        manifests or [], context, kubeconfig, export_root, export_path, output, fail_on
    )
    run_audit(request)


def main() -> None:
    """Run the command line; ends in exit code 4 for bad input, 1 for a failure, 130 for Ctrl-C."""
    sys.exit(_main())


def _main() -> int:
    try:
        app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "landfast"
        _say(f"{error.format_message().rstrip('.')}; see `{path} --help`")
        return EXIT_BAD_INPUT
    except LandfastError as error:
        _say(str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        return EXIT_INTERRUPTED
    return 0


def _say(message: str) -> None:
    sys.stderr.write(f"landfast: {message}\n")
