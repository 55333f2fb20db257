"""`landfast`: the suites, and everything around them."""

import inspect
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from landfast import paths, timeouts
from landfast.audit.command import audit
from landfast.environment import environment, sweep
from landfast.errors import BadInput, LandfastError
from landfast.image_names import LANDFAST_IMAGE
from landfast.job import OPTIONS, job
from landfast.kit import engine as engines
from landfast.kit.build import build_kit, kit_lock
from landfast.progress import Progress
from landfast.settings import (
    PYTESTS_OWN,
    Settings,
    flag,
    is_repeated,
    load_settings,
    mirror,
    options_of,
)
from landfast.verdict import EXIT_BAD_INPUT, EXIT_INTERRUPTED

_CLASS = "conformance/storageclass"
_SMOKE_OF_CLASS = (
    "test_volumes.py::test_pvc_is_bound_in_time",
    "test_survival.py::test_next_pod_finds_what_the_last_one_synced",
    "test_nodes.py::test_lock_of_one_node_is_refused_on_another",
)
"""What `landfast smoke --storage-class` runs of the suite for a class."""
_IMAGES = {
    *("images", "registry", "nfs_client"),
    *("node_image", "mysql_image", "provisioner_image", "nfs_server_image"),
}

app = typer.Typer(
    help="Can this cluster keep a database on NFS alive and its data intact?",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _command(run: Callable[..., None], fields: Collection[str], **others: Any) -> None:
    """Add a command that takes settings as flags, and `others`: parameters with annotations.

    Typer knows options only from the signature of a function. This one is made from the fields, so
    that a setting is declared once, in `Settings`.
    """

    def command(**given: Any) -> None:
        rest = {name: given.pop(name) for name in others}
        run({name: value for name, value in given.items() if value is not None}, **rest)

    annotations = {n: _option(n) for n in Settings.model_fields if n in fields} | others
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in annotations.items()
        ]
    )
    app.command(name=run.__name__, help=run.__doc__)(command)


def _option(name: str) -> Any:
    field = Settings.model_fields[name]
    kind: Any = bool if field.annotation is bool else list[str] if is_repeated(name) else str
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    default = f" (default: {field.default})" if field.default else ""
    option = typer.Option(
        *([PYTESTS_OWN[name]] if name in PYTESTS_OWN else []),
        flag(name),
        help=f"{field.description}{default}",
        metavar=None if kind is bool else "|".join(choices) or name.upper(),
    )
    return Annotated[kind | None, option]


def _run_suite(name: str, flags: dict[str, Any], rest: list[str]) -> None:
    arguments = pytest_arguments(name, flags, rest)
    sys.dont_write_bytecode |= paths.INSTALLED  # pytest writes into no site-packages
    from pytest import main  # noqa: PT013 - here, as it takes a second

    raise typer.Exit(int(main(arguments)))


def pytest_arguments(name: str, flags: dict[str, Any], rest: list[str]) -> list[str]:
    """Return pytest's arguments for a run of a suite; `rest` is passed on to pytest.

    Raises:
        BadInput: a setting is wrong.
    """
    settings = load_settings(flags)
    project = str(paths.PROJECT)
    arguments = ["-v", "-c", str(paths.PYTEST_FILE), "--rootdir", project, "--confcutdir", project]
    processes = settings.processes or "auto"
    if name == "conformance" and processes != "0":
        arguments += ["-n", processes, "--dist", "loadgroup"]
    arguments += ["-k", settings.select] if settings.select else []
    arguments += ["-x"] if settings.fail_fast else []
    for field, value in flags.items():
        values = value if is_repeated(field) else [value]
        if field not in PYTESTS_OWN:
            arguments += [flag(field) if v is True else f"{flag(field)}={v}" for v in values]
    return [*arguments, *rest, *_tests(name, of_class=settings.storage_class is not None)]


def _tests(name: str, *, of_class: bool) -> list[str]:
    """Return the tests of a suite; of a class that is named, only those that judge it."""
    if not of_class or name == "chaos":
        return [str(paths.SUITES / name)]
    folder = paths.SUITES / _CLASS
    return [f"{folder}/{test}" for test in _SMOKE_OF_CLASS] if name == "smoke" else [str(folder)]


def conformance(flags: dict[str, Any], pytest: list[str] | None) -> None:
    """Prove every claim of the conformance suites; create a cluster and an NFS server for it."""
    _run_suite("conformance", flags, pytest or [])


def chaos(flags: dict[str, Any], pytest: list[str] | None) -> None:
    """Inject one fault at a time under a loaded MySQL, and count what is lost."""
    _run_suite("chaos", flags, pytest or [])


def smoke(flags: dict[str, Any], pytest: list[str] | None) -> None:
    """Check that the main job runs at all: cluster, stack, one write, one pod deletion."""
    _run_suite("smoke", flags, pytest or [])


def images(flags: dict[str, Any], save: Path | None, push: str | None) -> None:
    """List the images that a cluster is made of, or save them to an archive or to a mirror."""
    from landfast import images_command  # here: keeps the other commands quick

    settings = load_settings(flags)
    if save is not None and push is not None:
        raise BadInput("--save and --push do not go together: use one after the other")
    progress = Progress()
    if save is not None:
        images_command.save(settings, save, progress)
    elif push is not None:
        images_command.push(settings, mirror(push, "--push"), progress)
    else:
        found = images_command.listed(settings)
        width = max(len(image.name) for image in found)
        for image in found:
            there = "in the engine" if image.there else "not in the engine"
            typer.echo(f"{image.part:12} {image.name:{width}}  {there:17}  {image.origin}")


def up(flags: dict[str, Any]) -> None:
    """Create a cluster and an NFS server, and keep them for runs with `--keep`."""
    if (flags.get("cluster") or load_settings(flags).cluster) == "existing":
        raise BadInput(
            "`landfast up` creates a cluster, so it needs --cluster kind; an existing cluster "
            "is already up: run `landfast conformance` on it"
        )
    settings = load_settings({**flags, "keep": True})
    timeouts.set_patience(settings.stretch)
    progress = Progress()
    with environment(settings, progress) as env:
        progress.say(
            f"cluster {env.cluster.name} is up; `landfast conformance --keep` uses it\n"
            f"  kubectl --kubeconfig {env.cluster.kubeconfig} get nodes\n"
            f"  export  {env.export.server}:{env.export.path} (container {env.export.container})"
        )
        if env.engine and env.engine.from_kit:
            progress.say(f"  docker  DOCKER_HOST={env.engine.env['DOCKER_HOST']}")


_PytestArguments = Annotated[
    list[str] | None, typer.Argument(metavar="PYTEST", help="arguments after -- go to pytest")
]
for suite in (conformance, chaos, smoke):
    _command(suite, options_of(suite.__name__), pytest=_PytestArguments)
_command(up, _IMAGES | {"cluster", "mysql_port", "patience", "workers", "nfs_server_kind"})
_command(
    job,
    OPTIONS,
    suite=Annotated[str | None, typer.Argument(metavar="[conformance|smoke|chaos]")],
    namespace=Annotated[str | None, typer.Option(help="one of yours (default: make landfast)")],
    image=Annotated[str | None, typer.Option(help=f"Landfast's own (default: {LANDFAST_IMAGE})")],
    sonobuoy=Annotated[bool, typer.Option("--sonobuoy", help="print a plugin of Sonobuoy")],
)
_command(
    images,
    _IMAGES,
    save=Annotated[Path | None, typer.Option(metavar="FILE", help="archive for `docker load`")],
    push=Annotated[
        str | None,
        typer.Option(metavar="REGISTRY", help="mirror for --registry: HOST[:PORT][/PREFIX]"),
    ],
)


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
        progress.say("stopped the kit's engine" if stopped else "the kit's engine is not running")


@app.command()
def cleanup() -> None:
    """Remove what killed runs left behind; kept clusters stay."""
    _sweep(Progress(), kept=False)


@app.command()
def heal() -> None:
    """Undo faults left by killed runs and wait until their clusters are healthy."""
    from landfast.faults.healing import heal_dead_runs  # here: keeps the other commands quick

    progress = Progress()
    for proof in heal_dead_runs(progress) or ["no run left a fault behind"]:
        progress.say(proof)


def _sweep(progress: Progress, *, kept: bool) -> None:
    gone = sweep(progress, kept=kept)
    progress.say(f"removed {len(gone)} run(s): {', '.join(gone)}" if gone else "nothing to remove")


@app.command()
def kit() -> None:
    """Build what the kit lacks: engine, kind, images of node, servers, workloads, CSI driver."""
    progress = Progress()
    with kit_lock(progress):
        images = build_kit(engines.ensure(progress), progress, whole=True)
    for part, image in images.all().items():
        progress.say(f"{part:12} {image}")


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="the run's folder")] = Path("out/latest"),
) -> None:
    """Render report.html, junit.xml and summary.md from a run's journal, even of a killed run."""
    import reports  # here: the library knows nothing of the renderers

    for path in reports.render(folder):
        typer.echo(path)


@app.command()
def doctor() -> None:
    """Show what this host has and lacks, and how a run will work on it."""
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
        raise BadInput("a run cannot work on this host: see the lines marked !!")


app.command()(audit)


def main() -> None:
    """Run the command line; exit with 4 for bad input, 1 for a failure, 130 for Ctrl-C."""
    # `fixtures`, `suites` and `reports` keep their names in a wheel, where they lie in this folder
    sys.path.insert(0, str(paths.PROJECT))
    sys.exit(_main())


def _main() -> int:
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
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
    return code or 0  # Typer returns the code of an Exit


def _say(message: str) -> None:
    sys.stderr.write(f"landfast: {message}\n")
