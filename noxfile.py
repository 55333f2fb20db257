"""`nox -l` lists the sessions; what follows `--` goes to the program that a session runs."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nox

nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["conformance"]
nox.options.error_on_missing_interpreters = True

LANDFAST = {
    "conformance": "Prove every claim of the conformance suites, on a cluster of its own.",
    # `-- --list` prints the scenarios, `-- --budget 10m` runs the most telling ones, `-- --scenario
    # NAME` runs one
    "chaos": "Break all that can break under MySQL, one fault at a time; count what is lost.",
    "smoke": "Check that the main job runs at all: cluster, stack, one write, one pod deletion.",
    "kit": "Build what the kit lacks: engine, kind, node image, server and workload images.",
    "up": "Create a cluster and an NFS server, and keep them for runs with `--keep`.",
    "down": "Remove kept clusters; `-- --engine` also stops the Docker engine of the kit.",
    "cleanup": "Remove what killed runs left behind.",
    "heal": "Undo faults left by killed runs and wait until their clusters are healthy.",
    "report": "Render a run's report again from its journal, in `-- FOLDER` or out/latest.",
}
"""Sessions that run the command of `landfast` with their name."""
SUITES = {
    # `-- chaos` leaves out every fault in turn: the verdict must be UNKNOWN
    "prove-red": "Sabotage every claim in turn on one kept cluster: each must FAIL (about 20 min).",
    "prove-setup": "Keep the pods of five suites' tests from starting: UNKNOWN, with the reason.",
    "prove-losses": "Lose acknowledged writes 20 times: each loss must be found, with its rows.",
    "prove-heal": "Kill the runner inside twelve faults: `landfast heal` must undo each.",
    "prove-contracts": "Hold provisioner and CSI driver to each contract: only the own one fits.",
    "prove-defects": "Plant defects in provisioner and CSI driver: the claims must find each one.",
    "catalogue": "Write docs/claims.md and docs/audit-rules.md: every claim, every rule.",
}
"""Sessions that run the module of `suites` with their name."""


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
    if session.run("python", "--version", silent=True) is None:  # nox --install-only
        return
    process = subprocess.Popen([f"{session.bin}/{command[0]}", *command[1:], *session.posargs])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the program as well
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    if code := process.wait():
        sys.exit(code)


def add_session(name: str, description: str, *command: str) -> None:
    """Add a session that installs the project and runs a program."""

    def session(session: nox.Session) -> None:
        install(session, "proofs" if name == "prove-defects" else "")
        run(session, *command)

    session.__doc__ = description
    nox.session(name=name)(session)


for name, description in LANDFAST.items():
    add_session(name, description, "landfast", name)
for name, description in SUITES.items():
    add_session(name, description, "python", "-m", f"suites.{name.replace('-', '_')}")


@nox.session
def tests(session: nox.Session) -> None:
    """Test Landfast's own logic; needs no Docker and no cluster."""
    install(session, "tests")
    found = Path(session.virtualenv.location) / "coverage.json"
    reports = ["--cov", "--cov-report=term-missing", f"--cov-report=json:{found}"]
    coverage = [] if session.posargs else reports  # of a selection of tests it says nothing
    run(session, "python", "-m", "pytest", "tests", "-n", "auto", "--dist", "loadgroup", *coverage)
    # coverage's own `fail_under` counts statements as well
    if coverage and found.exists():  # not with --install-only
        totals = json.loads(found.read_text())["totals"]
        tested, branches = totals["covered_branches"], totals["num_branches"]
        if tested < 0.9 * branches:
            session.error(f"tests cover {tested} of {branches} branches, which is less than 90 %")


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it outside the repository and run `landfast smoke` from it."""
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    folder.mkdir()
    session.install("pip")  # environments made by uv lack it
    session.run_install("pip", "wheel", "--quiet", "--no-deps", f"--wheel-dir={folder}", ".")
    session.install(*map(str, folder.glob("landfast-*.whl")), "--force-reinstall")
    session.chdir(folder)
    run(session, "landfast", "smoke")


@nox.session(name="host-tests")
def host_tests(session: nox.Session) -> None:
    """Do what users do, on a host made like theirs: own engine, registry, no rights (as root)."""
    install(session, "hosts")
    run(session, "python", "-m", "pytest", "host_tests", "-v", "-s", "-x")


@nox.session(name="class-tests")
def class_tests(session: nox.Session) -> None:
    """Judge a class of a cluster made apart, with few rights; nothing may be left (as root)."""
    install(session)
    run(session, "python", "-m", "pytest", "class_tests", "-v", "-s", "-x")


@nox.session(name="machine-tests")
def machine_tests(session: nox.Session) -> None:
    """Boot, kill and freeze machines with a kernel of their own; its NFS server and client."""
    install(session)
    run(session, "python", "-m", "pytest", "machine_tests", "-v", "-s", "-x")


@nox.session(name="action-tests")
def action_tests(session: nox.Session) -> None:
    """Use the action of action.yml in jobs that act runs on this machine (as root; needs npm)."""
    install(session)
    run(session, "python", "-m", "pytest", "action_tests", "-v")


@nox.session(name="audit-fuzz")
def audit_fuzz(session: nox.Session) -> None:
    """Audit inputs that are broken in random ways; `-- --inputs 100000` takes half an hour."""
    install(session, "tests")
    run(session, "python", "tests/audit/fuzz_audit.py")


@nox.session
def mutants(session: nox.Session) -> None:
    """Mutate the modules that `pyproject.toml` names; print the mutants that no test notices."""
    install(session, "tests,mutants")
    session.run("mutmut", "run", *session.posargs)
    session.run("mutmut", "results")


@nox.session(name="rule-mutants")
def rule_mutants(session: nox.Session) -> None:
    """Mutate the audit's rules, or the files named; print the mutants that no test notices."""
    install(session, "tests,mutants")
    session.run("python", "tests/audit/rule_mutants.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, imports: ruff, mypy, import-linter, yamllint; gofmt, vet, staticcheck."""
    install(session, "tests,lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports", "--no-cache")
    session.run("yamllint", "--strict", ".")
    for module in ([], ["csi"]):
        session.run("python", "-m", "landfast.kit.go", *module, "fmt")
        session.run("python", "-m", "landfast.kit.go", *module, "vet", "./...")
    # of programs that import Kubernetes, staticcheck would read all of it
    small = ["./cmd/mount.nfs/...", "./cmd/flock", "./cmd/machine", "./cmd/pause"]
    session.run("python", "-m", "landfast.kit.go", "staticcheck", *small)


@nox.session(name="kit-tests")
def kit_tests(session: nox.Session) -> None:
    """Test the kit's Go programs; the NFS client with the kit's own server (`nox -s kit`)."""
    install(session)
    test = ["python", "-m", "landfast.kit.go", "test"]
    session.run(*test, "./cmd/machine/...", "./cmd/podnet/...", "./cmd/nfs-provisioner/...")
    session.run("python", "-m", "landfast.kit.go", "csi", "test", "./...")
    beside = ["python", "-m", "landfast.nfs.with_server", "run"]
    session.run(*beside, *test, "./cmd/mount.nfs/...", *session.posargs)


@nox.session
def posix(session: nox.Session) -> None:
    """Run POSIX test suites, those that are installed, on a mount of the kit's NFS client."""
    install(session)
    beside = ["python", "-m", "landfast.nfs.with_server", "run"]
    private = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    test = ["python", "-m", "landfast.kit.go", "test", "-v", "-count=1", "./cmd/mount.nfs"]
    command = [*beside, *private, *test, "-run", "^TestPosix$", *session.posargs]
    session.run(*command, env={"POSIX_TEST": "1"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz what the NFS client reads, and the provisioners' paths: 10 min each (`-fuzztime`)."""
    install(session)
    beside = ["python", "-m", "landfast.nfs.with_server", "run"]
    for file in sorted(Path("kit").glob("*/cmd/**/*_test.go")):
        for target in re.findall(r"^func (Fuzz\w+)", file.read_text(), re.MULTILINE):
            _, module, *folders = file.parent.parts
            package, csi = f"./{'/'.join(folders)}", ["csi"] if module == "csi" else []
            test = ["python", "-m", "landfast.kit.go", *csi, "test", package, "-run=^$"]
            command = [*beside, *test, f"-fuzz=^{target}$", "-fuzztime=10m"]
            session.run(*command, *session.posargs)
