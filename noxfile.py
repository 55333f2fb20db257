"""`nox -l` lists the sessions; what follows `--` goes to the program that a session runs."""

import hashlib
import shutil
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
    """Install the project, unless `pyproject.toml` has not changed since the last time."""
    wanted = hashlib.sha256(Path("pyproject.toml").read_bytes()).hexdigest()
    stamp = Path(session.virtualenv.location) / "landfast-installed"
    if not stamp.exists() or stamp.read_text() != wanted:
        session.install("-e", f".[{extra}]" if extra else ".")
        stamp.write_text(wanted)


def run(session: nox.Session, *command: str) -> None:
    """Run a program and exit with its code: nox turns every failure into 1.

    Pass Ctrl-C and SIGTERM on and wait: the program removes what it created.
    """
    process = subprocess.Popen([f"{session.bin}/{command[0]}", *command[1:], *session.posargs])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the program as well
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    if code := process.wait():
        sys.exit(code)


@nox.session
def conformance(session: nox.Session) -> None:
    """Prove every claim of the conformance suites, on a cluster of its own."""
    install(session)
    run(session, "landfast", "conformance")


@nox.session
def chaos(session: nox.Session) -> None:
    """Break everything that can break under MySQL, one fault at a time; count what is lost.

    `-- --list` prints the scenarios, `-- --budget 10m` runs the most telling ones, `-- --scenario
    NAME` runs one.
    """
    install(session)
    run(session, "landfast", "chaos")


@nox.session
def smoke(session: nox.Session) -> None:
    """Check that the main job runs at all: cluster, stack, one write, one pod deletion."""
    install(session)
    run(session, "landfast", "smoke")


@nox.session(name="prove-red")
def prove_red(session: nox.Session) -> None:
    """Sabotage every claim in turn on one kept cluster: each must FAIL (about 20 minutes).

    `-- chaos` leaves out every fault in turn: the verdict must be UNKNOWN.
    """
    install(session)
    run(session, "python", "-m", "suites.prove_red")


@nox.session(name="prove-setup")
def prove_setup(session: nox.Session) -> None:
    """Keep the pods of five suites' tests from starting: each must be UNKNOWN, with the reason."""
    install(session)
    run(session, "python", "-m", "suites.prove_setup")


@nox.session(name="prove-losses")
def prove_losses(session: nox.Session) -> None:
    """Lose acknowledged writes 20 times: each loss must be found, with the right rows."""
    install(session)
    run(session, "python", "-m", "suites.prove_losses")


@nox.session(name="prove-heal")
def prove_heal(session: nox.Session) -> None:
    """Kill the runner inside twelve faults: `landfast heal` must undo each."""
    install(session)
    run(session, "python", "-m", "suites.prove_heal")


@nox.session(name="prove-contracts")
def prove_contracts(session: nox.Session) -> None:
    """Test the provisioner of each release line against both contracts: only its own fits."""
    install(session)
    run(session, "python", "-m", "suites.prove_contracts")


@nox.session
def catalogue(session: nox.Session) -> None:
    """Write docs/claims.md: every claim of the suites."""
    install(session)
    run(session, "python", "-m", "suites.catalogue")


@nox.session
def tests(session: nox.Session) -> None:
    """Test Landfast's own logic; needs no Docker and no cluster."""
    install(session, "tests")
    # coverage of a selection of tests says nothing
    coverage = [] if session.posargs else ["--cov", "--cov-report=term-missing"]
    run(session, "python", "-m", "pytest", "tests", "-n", "auto", "--dist", "loadgroup", *coverage)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it outside the repository and run `landfast smoke` from it."""
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    folder.mkdir()
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".")
    session.install(*map(str, folder.glob("landfast-*.whl")), "--force-reinstall")
    session.chdir(folder)
    run(session, "landfast", "smoke")


@nox.session
def mutants(session: nox.Session) -> None:
    """Mutate the modules that `pyproject.toml` names; print the mutants that no test notices."""
    install(session, "tests,mutants")
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and imports: ruff, mypy, import-linter, yamllint, gofmt, go vet."""
    install(session, "tests,lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")
    session.run("yamllint", "--strict", ".")
    session.run("python", "-m", "landfast.kit.go", "fmt")
    session.run("python", "-m", "landfast.kit.go", "vet", "./...")


@nox.session(name="kit-tests")
def kit_tests(session: nox.Session) -> None:
    """Test the kit's Go programs, the pod network and the provisioner."""
    install(session)
    session.run("python", "-m", "landfast.kit.go", "test", *GO_COMMANDS)


@nox.session
def kit(session: nox.Session) -> None:
    """Build what the kit lacks: engine, kind, node image, server and workload images."""
    install(session)
    run(session, "landfast", "kit")


@nox.session
def up(session: nox.Session) -> None:
    """Create a cluster and an NFS server, and keep them for runs with `--keep`."""
    install(session)
    run(session, "landfast", "up")


@nox.session
def down(session: nox.Session) -> None:
    """Remove kept clusters; `-- --engine` also stops the Docker engine that the kit started."""
    install(session)
    run(session, "landfast", "down")


@nox.session
def cleanup(session: nox.Session) -> None:
    """Remove what killed runs left behind."""
    install(session)
    run(session, "landfast", "cleanup")


@nox.session
def heal(session: nox.Session) -> None:
    """Undo faults left by killed runs and wait until their clusters are healthy."""
    install(session)
    run(session, "landfast", "heal")


@nox.session
def report(session: nox.Session) -> None:
    """Render a run's report again from its journal, in `-- FOLDER` or out/latest."""
    install(session)
    run(session, "landfast", "report")
