"""Debian packages: installs them here, unpacks those of another suite, builds a Debian tree."""

import os
from pathlib import Path

from landfast import process, timeouts
from landfast.errors import BadInput

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}
_MIRROR_MAY_BE_OLD = 'Acquire::Check-Valid-Until "false";'  # sid's index expires after a week


def refusal() -> str | None:
    """Return why this host cannot install Debian packages, or None if it can."""
    if process.find_program("apt-get") is None or not KEYRING.exists():
        return "this host is not Debian (no apt-get or no Debian archive keyring)"
    if os.geteuid() != 0:
        return "installing Debian packages needs root"
    return None


def mirror() -> str:
    """Return the Debian mirror that this host's apt uses.

    Raises:
        BadInput: apt has no source of Debian's component main.
        ProcessError: apt's sources cannot be read.
    """
    found = _mirrors()
    if not found:  # apt lists only what it has downloaded
        _update()
        found = _mirrors()
    if not found:
        raise BadInput(
            "apt-get has no Debian mirror: add a source of the component main to /etc/apt"
        )
    return found[0]


def _mirrors() -> list[str]:
    # Label: what the mirror's signed Release file calls itself, whatever the mirror's own name is.
    listed = process.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT) $(LABEL)"],
        timeout=timeouts.COMMAND,
    )
    sources = [line.split(" ", 2) for line in listed.stdout.splitlines()]
    return [uri.rstrip("/") for uri, *source in sources if source == ["main", "Debian"]]


def _update(env: dict[str, str] = _QUIET) -> None:
    process.run(["apt-get", "update", "-qq"], timeout=timeouts.APT, env=env)


def install(*packages: str) -> None:
    """Install packages on this host.

    Raises:
        BadInput: this host cannot install packages; the message lists what is missing.
        ProcessError: apt failed.
    """
    if reason := refusal():
        raise BadInput(f"{reason}; install these by hand: {' '.join(packages)}")
    _update()
    process.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        + ["-o", "DPkg::Lock::Timeout=300", *packages],
        timeout=timeouts.APT,
        env=_QUIET,
    )


def unpack(suite: str, packages: list[str], target: Path) -> None:
    """Download packages of a suite and unpack them into a folder; install nothing."""
    apt = target / ".apt"
    for folder in ("state/lists/partial", "cache/archives/partial", "debs"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    (apt / "apt.conf").write_text(
        f'Dir::State "{apt}/state";\nDir::State::status "{apt}/status";\n'
        f'Dir::Cache "{apt}/cache";\nDir::Etc::sourcelist "{apt}/sources.list";\n'
        'Dir::Etc::sourceparts "/dev/null";\nAPT::Sandbox::User "root";\n'
        f"{_MIRROR_MAY_BE_OLD}\n"
    )
    env = {"APT_CONFIG": str(apt / "apt.conf")}
    _update(env)
    process.run(
        ["apt-get", "download", "-qq", *packages], timeout=timeouts.APT, env=env, cwd=apt / "debs"
    )
    for package in (apt / "debs").glob("*.deb"):
        process.run(["dpkg-deb", "-x", package, target], timeout=timeouts.APT)
    process.run(["rm", "-r", apt], timeout=timeouts.COMMAND)


def root_filesystem(suite: str, variant: str, packages: list[str], target: Path) -> None:
    """Write the tar file `target`: a Debian tree of `suite` with `packages` (see mmdebstrap(1)).

    A package can be one of another suite, as apt writes it: `nfs-ganesha/trixie-backports`.
    """
    others = (package.partition("/")[2] for package in packages)
    suites = dict.fromkeys([suite, *filter(None, others)])
    process.run(
        ["mmdebstrap", f"--variant={variant}", f"--include={','.join(packages)}"]
        + ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--aptopt={_MIRROR_MAY_BE_OLD}"]
        + ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*"]
        + ["--dpkgopt=path-exclude=/usr/share/locale/*", suite, str(target)]
        + [f"deb [signed-by={KEYRING}] {mirror()} {name} main" for name in suites],
        timeout=timeouts.APT,
    )
