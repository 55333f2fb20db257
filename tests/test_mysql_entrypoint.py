"""What the entry points of the kit's database images do with a container's arguments."""

import subprocess
from pathlib import Path

import pytest
from programs_on_path import Put, calls

from landfast import paths

SERVERS = {"mysql": "mysqld", "mariadb": "mariadbd"}
_INIT_FILE = "/tmp/init.sql"  # noqa: S108 - inside the image
ARGUMENTS = ["--loose-mysqlx=OFF", "--loose-x=a b"]


@pytest.fixture(params=SERVERS)
def image(request: pytest.FixtureRequest, put: Put) -> str:
    for program in (*SERVERS.values(), "mariadb-install-db", "chown", "other"):
        put(program)
    return str(request.param)


def start(image: str, folder: Path, *arguments: str) -> list[str]:
    """Return the programs that an entry point starts; its data and its /tmp lie in a folder."""
    source = paths.KIT / "images" / image / "files/usr/local/bin/docker-entrypoint"
    script = source.read_text().replace("/var/lib/mysql", f"{folder}/data")
    script = script.replace(_INIT_FILE, f"{folder}/init.sql")
    subprocess.run(
        ["/bin/sh", "-c", script, "docker-entrypoint", *arguments],
        check=True,
        env={"PATH": f"{folder}/programs:/usr/bin:/bin", "MYSQL_ROOT_PASSWORD": "it's"},
    )
    return [call for call in calls(folder) if not call.startswith("chown")]


@pytest.mark.parametrize("named", [False, True], ids=["options", "server and options"])
def test_options_go_to_the_server_when_it_initialises_and_when_it_serves(
    image: str, named: bool, tmp_path: Path
) -> None:
    server = SERVERS[image]
    *first, last = start(image, tmp_path, *([server] if named else []), *ARGUMENTS)
    assert len(first) == 1, "an empty data directory is initialised"
    assert last.startswith(f"{server} ")
    assert " ".join(ARGUMENTS) in last
    assert "--user=mysql" in last
    if image == "mysql":
        assert f"{server} {' '.join(ARGUMENTS)} --initialize-insecure" in first[0]


def test_data_that_is_there_is_not_initialised(image: str, tmp_path: Path) -> None:
    (tmp_path / "data" / "mysql").mkdir(parents=True)
    assert start(image, tmp_path) == [f"{SERVERS[image]} --user=mysql"]


def test_another_program_runs_instead(image: str, tmp_path: Path) -> None:
    assert start(image, tmp_path, "other", "-c", "x") == ["other -c x"]
