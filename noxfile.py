"""`nox -l` lists what there is to run; what follows `--` goes to the program that is run."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import nox

nox.options.reuse_venv = "yes"
nox.options.sessions = ["conformance"]
nox.options.error_on_missing_interpreters = True

GO_COMMANDS = ["./cmd/podnet/...", "./cmd/nfs-provisioner/..."]


def install(session: nox.Session, extra: str = "") -> None:
    """Install the project, unless its dependencies are those of the last time."""
    wanted = hashlib.sha256(Path("pyproject.toml").read_bytes()).hexdigest()
    stamp = Path(session.virtualenv.location) / "landfast-installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        session.install("-e", f".[{extra}]" if extra else ".")
        stamp.write_text(wanted)


def run(session: nox.Session, *command: str) -> None:
    """Run a program of the session and end with its exit code: nox would make every failure a 1.

    Ctrl-C and SIGTERM reach the program, and are waited for: it takes down what it brought up.
    """
    process = subprocess.Popen([f"{session.bin}/{command[0]}", *command[1:], *session.posargs])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal gives it to the program as well
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    if code := process.wait():
        sys.exit(code)


def run_suites(session: nox.Session, *suites: str) -> None:
    """Run suites side by side in as many workers as suit the machine."""
    install(session)
    run(session, "python", "-m", "pytest", *suites, "-n", "auto", "--dist", "loadgroup", "-v")


@nox.session
def conformance(session: nox.Session) -> None:
    """Bring up a cluster with an NFS server and prove every claim of the conformance suites."""
    run_suites(session, "suites/conformance")


@nox.session
def chaos(session: nox.Session) -> None:
    """Break everything that can break under MySQL, one after the other; count what is lost.

    `-- --list` says what there is, `-- --budget 10m` takes the most telling scenarios,
    `-- --scenario NAME` one.
    """
    install(session)
    run(session, "python", "-m", "pytest", "suites/chaos", "-v")


@nox.session
def smoke(session: nox.Session) -> None:
    """Cluster, stack, one write, one pod deletion: does the main job run at all?"""
    install(session)
    run(session, "python", "-m", "pytest", "suites/smoke", "-v")


@nox.session(name="prove-red")
def prove_red(session: nox.Session) -> None:
    """Sabotage every claim in turn on one kept cluster: each must go red (about 20 minutes).

    `-- chaos`: every fault is left out in turn, and the verdict must be UNKNOWN.
    """
    install(session)
    run(session, "python", "-m", "suites.prove_red")


@nox.session(name="prove-losses")
def prove_losses(session: nox.Session) -> None:
    """Lose acknowledged writes 20 times: each loss must be found, and the right rows."""
    install(session)
    run(session, "python", "-m", "suites.prove_losses")


@nox.session(name="prove-heal")
def prove_heal(session: nox.Session) -> None:
    """Kill the runner inside twelve faults: `landfast heal` must leave nothing of them."""
    install(session)
    run(session, "python", "-m", "suites.prove_heal")


@nox.session(name="prove-contracts")
def prove_contracts(session: nox.Session) -> None:
    """Hold the provisioner of either line to both contracts: it fits its own, and only that."""
    install(session)
    run(session, "python", "-m", "suites.prove_contracts")


@nox.session
def catalogue(session: nox.Session) -> None:
    """Write docs/claims.md: every claim, as the suites have it."""
    install(session)
    run(session, "python", "-m", "suites.catalogue")


@nox.session
def tests(session: nox.Session) -> None:
    """Test Landfast's own logic; needs no Docker and no cluster."""
    install(session, "tests")
    # of a selection of tests, coverage says nothing
    coverage = [] if session.posargs else ["--cov", "--cov-report=term-missing"]
    run(session, "python", "-m", "pytest", "tests", "-n", "auto", *coverage)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types: ruff, mypy, yamllint, gofmt, go vet."""
    install(session, "tests,lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("yamllint", "--strict", ".")
    session.run("python", "-m", "landfast.kit.go", "fmt")
    session.run("python", "-m", "landfast.kit.go", "vet", "./...")


@nox.session(name="kit-tests")
def kit_tests(session: nox.Session) -> None:
    """Test the kit's Go programs: pod network and provisioner (the first time compiles them)."""
    install(session)
    session.run("python", "-m", "landfast.kit.go", "test", *GO_COMMANDS)


@nox.session
def kit(session: nox.Session) -> None:
    """Build what is missing of the kit: engine, kind, node image, server and workload images."""
    install(session)
    run(session, "landfast", "kit")


@nox.session
def up(session: nox.Session) -> None:
    """Bring up a cluster and an NFS server, and keep them for runs with `--keep`."""
    install(session)
    run(session, "landfast", "up")


@nox.session
def down(session: nox.Session) -> None:
    """Remove kept clusters; `-- --engine` also stops the Docker engine that the kit started."""
    install(session)
    run(session, "landfast", "down")


@nox.session
def cleanup(session: nox.Session) -> None:
    """Remove what runs that were killed left behind."""
    install(session)
    run(session, "landfast", "cleanup")


@nox.session
def heal(session: nox.Session) -> None:
    """Undo the faults inside which runs were killed, and wait until their clusters are healthy."""
    install(session)
    run(session, "landfast", "heal")


@nox.session
def report(session: nox.Session) -> None:
    """Render a run's report again from its journal; `-- FOLDER`, else out/latest."""
    install(session)
    run(session, "landfast", "report")
