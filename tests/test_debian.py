"""Which mirror is taken from what apt's sources say."""

from pathlib import Path

import pytest

from landfast.errors import BadInput
from landfast.kit import debian

SECURITY = """
Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
OTHERS = """
Types: deb
URIs: https://deb.node.example/node_20.x
Suites: nodistro
Components: main
"""
DEBIAN = """
# http://snapshot.example/archive/debian/20250520T000000Z
Types: deb deb-src
URIs: http://mirror.example/debian http://second.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def etc(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir()
    for name, text in files.items():
        name = name.replace("_", ".")
        (
            folder / ("sources.list" if name == "sources.list" else f"sources.list.d/{name}")
        ).write_text(text)
    return folder


def test_deb822(tmp_path: Path) -> None:
    sources = etc(tmp_path, debian_sources=SECURITY + DEBIAN, node_sources=OTHERS)
    assert debian.mirror(sources) == "http://mirror.example/debian"


@pytest.mark.parametrize(
    "line",
    [
        "deb http://ftp.example/debian bookworm main",
        "deb http://ftp.example/debian/ trixie contrib main non-free # a remark",
        "  deb  [arch=amd64 signed-by=/x.gpg]  http://ftp.example/debian sid main",
    ],
)
def test_one_line_sources(tmp_path: Path, line: str) -> None:
    text = (
        "# deb http://commented.example/debian bookworm main\n"
        "deb-src http://source.example/debian bookworm main\n"
        "deb http://security.example/debian-security bookworm-security main\n"
        f"{line}\n"
    )
    assert debian.mirror(etc(tmp_path, sources_list=text)) == "http://ftp.example/debian"


def test_a_company_mirror_under_another_name(tmp_path: Path) -> None:
    text = "deb https://mirror.example/artifactory/debian-remote bookworm main\n"
    found = debian.mirror(etc(tmp_path, sources_list=text))
    assert found == "https://mirror.example/artifactory/debian-remote"


def test_others_than_debian_come_last(tmp_path: Path) -> None:
    sources = etc(
        tmp_path,
        a_list="deb https://apt.vendor.example bookworm main\n",
        b_list="deb https://download.docker.example/linux/debian bookworm stable\n",
        z_list="deb http://ftp.example/debian bookworm main\n",
    )
    assert debian.mirror(sources) == "http://ftp.example/debian"


def test_a_disabled_source_is_none(tmp_path: Path) -> None:
    sources = etc(tmp_path, debian_sources=DEBIAN + "Enabled: no\n")
    with pytest.raises(
        BadInput, match="names no Debian mirror: add a source of the component main"
    ):
        debian.mirror(sources)


@pytest.mark.parametrize("text", ["", "\n\n\n", "nonsense", "deb cdrom:[Debian] bookworm main"])
def test_no_source_at_all_is_one_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match="names no Debian mirror"):
        debian.mirror(etc(tmp_path, sources_list=text, x_sources=text))


def test_the_list_may_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="names no Debian mirror"):
        debian.mirror(tmp_path)
