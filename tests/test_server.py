"""What the run's own NFS server exports."""

import re

import pytest

from landfast import paths
from landfast.nfs.export import Export
from landfast.nfs.server import EXPORT_PATH, SQUASHED_PATH, squashed
from landfast.verdict import MissingCapability

OWN = Export(server="10.0.0.5", path=EXPORT_PATH, kind="container", container="nfs")


def test_one_folder_is_exported_twice_and_once_without_rights_for_root() -> None:
    config = (paths.PROJECT / "landfast/nfs/ganesha.conf").read_text()
    exports = {
        path: squash
        for folder, path, squash in re.findall(
            r"^    Path = (\S+);\n    Pseudo = (\S+);\n(?:.*\n)*?    Squash = (\S+);", config, re.M
        )
        if folder == EXPORT_PATH
    }
    assert exports == {EXPORT_PATH: "No_Root_Squash", SQUASHED_PATH: "Root_Squash"}


def test_the_squashed_export_is_the_same_folder_on_the_same_server() -> None:
    assert squashed(OWN).at("tenant") == "/data/squashed/tenant"
    assert squashed(OWN).server == OWN.server
    assert squashed(OWN).container == OWN.container


def test_nobody_elses_server_is_asked_for_root_squash() -> None:
    with pytest.raises(MissingCapability, match=r"nfs\.owned"):
        squashed(Export(server="10.0.0.5", path="/export", kind="external"))
