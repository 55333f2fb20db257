"""Debian packages by name: installed on the host, unpacked from another suite, made a tree."""

import os
import re
from pathlib import Path

from landfast import process
from landfast.errors import BadInput

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SUITES = {"bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}
_APT_SECONDS = 600
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}
_MIRROR_MAY_BE_OLD = 'Acquire::Check-Valid-Until "false";'  # sid's index runs out after a week


def refusal() -> str | None:
    """Say why this host cannot install Debian packages, or None if it can."""
    if process.find_program("apt-get") is None or not KEYRING.exists():
        return "this host is not Debian (no apt-get or no Debian archive keyring)"
    if os.geteuid() != 0:
        return "installing Debian packages needs root"
    return None


def mirror(etc: Path = Path("/etc/apt")) -> str:
    """Give the Debian mirror that this host's own apt uses, as `etc` says.

    Raises:
        BadInput: apt has no source of a Debian suite's component main.
    """
    parts = etc / "sources.list.d"
    deb822 = [text for path in sorted(parts.glob("*.sources")) for text in _stanzas(path)]
    one_line = [etc / "sources.list", *sorted(parts.glob("*.list"))]
    lines = [line for path in one_line if path.exists() for line in path.read_text().splitlines()]
    found = [
        uri.rstrip("/")
        for uri, suites, components in [*map(_of_stanza, deb822), *map(_of_line, lines)]
        if _SUITES.intersection(suites) and "main" in components and ":/" in uri
    ]
    if not found:
        raise BadInput(f"{etc} names no Debian mirror: add a source of the component main")
    # others than Debian serve suites of the same name: theirs come last
    return min(found, key=lambda uri: (not uri.endswith("/debian"), "debian" not in uri))


_Source = tuple[str, list[str], list[str]]
"""URI, suites, components; all empty for what is not a source of binary packages"""


def _stanzas(path: Path) -> list[str]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return re.split(r"\n\s*\n", "\n".join(lines))


def _of_stanza(text: str) -> _Source:
    fields = {
        key.strip().lower(): value.split()
        for key, _, value in (part.partition(":") for part in re.split(r"\n(?=\S)", text))
    }
    if "deb" not in fields.get("types", []) or fields.get("enabled", ["yes"]) == ["no"]:
        return "", [], []
    uris = fields.get("uris") or [""]
    return uris[0], fields.get("suites", []), fields.get("components", [])


def _of_line(line: str) -> _Source:
    found = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line)
    return (found[1], [found[2]], found[3].split()) if found else ("", [], [])


def install(*packages: str) -> None:
    """Install packages on this host.

    Raises:
        BadInput: this host cannot install packages; what is missing is named.
        ProcessError: apt failed.
    """
    if reason := refusal():
        raise BadInput(f"{reason}; install these by hand: {' '.join(packages)}")
    process.run(["apt-get", "update", "-qq"], timeout=_APT_SECONDS, env=_QUIET)
    process.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        + ["-o", "DPkg::Lock::Timeout=300", *packages],
        timeout=_APT_SECONDS,
        env=_QUIET,
    )


def unpack(suite: str, packages: list[str], target: Path) -> None:
    """Download packages of `suite` and unpack them into `target` without installing anything."""
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
    process.run(["apt-get", "update", "-qq"], timeout=_APT_SECONDS, env=env)
    process.run(
        ["apt-get", "download", "-qq", *packages], timeout=_APT_SECONDS, env=env, cwd=apt / "debs"
    )
    for package in (apt / "debs").glob("*.deb"):
        process.run(["dpkg-deb", "-x", package, target], timeout=_APT_SECONDS)
    process.run(["rm", "-r", apt], timeout=60)


def root_filesystem(suite: str, variant: str, packages: list[str], target: Path) -> None:
    """Write the tar file `target`: a Debian tree of `suite` with `packages` (see mmdebstrap(1))."""
    process.run(
        ["mmdebstrap", f"--variant={variant}", f"--include={','.join(packages)}"]
        + ["--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", f"--aptopt={_MIRROR_MAY_BE_OLD}"]
        + ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*"]
        + ["--dpkgopt=path-exclude=/usr/share/locale/*", suite, str(target)]
        + [f"deb [signed-by={KEYRING}] {mirror()} {suite} main"],
        timeout=_APT_SECONDS,
    )
