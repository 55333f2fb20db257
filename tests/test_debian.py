"""Debian packages, with an `apt-get` that answers as a test says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from landfast.errors import BadInput
from landfast.kit import debian
from landfast.process import ProcessError

Apt = Callable[..., Path]


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Apt:
    """Put a fake `apt-get` on PATH, with what `indextargets` prints before and after an update."""

    def install(before: str, after: str) -> Path:
        log = tmp_path / "log"
        (tmp_path / "listed").write_text(before)
        (tmp_path / "downloaded").write_text(after)
        program = tmp_path / "apt-get"
        program.write_text(
            f'#!/bin/sh\ncd {tmp_path}\necho "$1" >> {log}\n'
            "[ $1 = indextargets ] && exec cat listed\ncp downloaded listed\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return log

    return install


DEBIAN = "http://mirror.example/debian/ main Debian\n"


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        (DEBIAN, "http://mirror.example/debian"),
        (f"https://company.example/remote main Debian\n{DEBIAN}", "https://company.example/remote"),
        (
            f"http://x.example/debian/ main Debian-Security\n{DEBIAN}",
            "http://mirror.example/debian",
        ),
        (f"http://x.example/debian/ contrib Debian\n{DEBIAN}", "http://mirror.example/debian"),
        (f"http://x.example/ main \n{DEBIAN}", "http://mirror.example/debian"),
        (f"http://x.example/ main Some vendor's Debian\n{DEBIAN}", "http://mirror.example/debian"),
    ],
    ids=["debian", "another-name", "security", "other-component", "no-label", "vendor"],
)
def test_mirror_is_the_first_main_source_that_calls_itself_debian(
    apt: Apt, listed: str, found: str
) -> None:
    log = apt(listed, "")
    assert debian.mirror() == found
    assert log.read_text().split() == ["indextargets"]


def test_sources_are_downloaded_if_apt_has_none_yet(apt: Apt) -> None:
    log = apt("", DEBIAN)
    assert debian.mirror() == "http://mirror.example/debian"
    assert log.read_text().split() == ["indextargets", "update", "indextargets"]


def test_no_mirror_is_one_sentence(apt: Apt) -> None:
    apt("", "https://apt.vendor.example/ main Vendor\n")
    with pytest.raises(BadInput, match="no Debian mirror: add a source of the component main"):
        debian.mirror()


def test_sources_that_cannot_be_read_end_in_apts_own_words(apt: Apt, tmp_path: Path) -> None:
    apt("", "")
    (tmp_path / "apt-get").write_text("#!/bin/sh\necho E: Malformed line 1 >&2\nexit 100\n")
    with pytest.raises(ProcessError, match=r"exit code 100:\n  E: Malformed line 1"):
        debian.mirror()


def test_a_host_that_cannot_install_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "KEYRING", Path("/nonexistent"))
    with pytest.raises(BadInput, match=r"is not Debian .*; install these by hand: gcc make$"):
        debian.install("gcc", "make")


@pytest.mark.parametrize(
    ("packages", "suites"),
    [(["mount", "acl"], ["trixie"]), (["nfs/newer", "vfs/newer", "mount"], ["trixie", "newer"])],
)
def test_a_tree_has_packages_of_other_suites_where_asked(
    apt: Apt, tmp_path: Path, packages: list[str], suites: list[str]
) -> None:
    apt(DEBIAN, "")
    seen = tmp_path / "mmdebstrap.log"
    script = tmp_path / "mmdebstrap"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}\n')
    script.chmod(0o755)
    debian.root_filesystem("trixie", "minbase", packages, tmp_path / "rootfs.tar")
    asked = seen.read_text().splitlines()
    assert f"--include={','.join(packages)}" in asked
    sources = [line.split() for line in asked if line.startswith("deb ")]
    assert [(mirror, suite) for _, _, mirror, suite, _ in sources] == [
        ("http://mirror.example/debian", suite) for suite in suites
    ]
