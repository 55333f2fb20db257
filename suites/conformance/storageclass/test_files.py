"""What files of a volume must be able to do, for one pod."""

import pytest

from landfast.kube.client import KubeError
from landfast.steps import Steps
from landfast.verdict import MissingCapability
from suites.conformance.storageclass.judged import MYSQL, Judged

_LINES = 500
_LONG = "a" * 255
_LONG_UTF8 = "ä" * 127  # two bytes each
_POD_SECURITY = "PodSecurity"


def expect(judged: Judged, test: Steps, what: str, script: str, said: str) -> None:
    """Run a pod with a new volume; a script in it must print a text."""
    judged.volume()
    with test.step("run a pod with it"):
        judged.run("user")
    with test.verify(what):
        found = judged.say("user", script)
    test.observe(f"{what}: the pod says {found!r}")
    assert found == said, f"the pod says {found!r}, not {said!r}"


@pytest.mark.claim("storageclass.mysqls-user-can-write")
def test_user_of_mysql_creates_renames_and_removes(judged: Judged, test: Steps) -> None:
    # the directory's mode says less: with fsGroup it has the setgid bit
    script = (
        "umask 027; mkdir mysql; echo rows >mysql/t.new; mv mysql/t.new mysql/t; cat mysql/t; "
        "stat -c '%u %a' mysql/t; rm -r mysql; ls -A | grep -c mysql || true"
    )
    said = f"rows\n{MYSQL} 640\n0"
    expect(judged, test, f"user {MYSQL} makes, renames and removes files", script, said)


@pytest.mark.claim("storageclass.root-can-give-files-away")
def test_root_gives_a_file_to_the_user_of_mysql(judged: Judged, test: Steps) -> None:
    judged.volume()
    try:
        with test.step("run a pod as root with it"):
            judged.run("root", uid=0)
    except KubeError as error:
        if _POD_SECURITY not in error.message:
            raise
        raise MissingCapability("pods.root", error.message) from error
    with test.verify(f"it gives a file to user {MYSQL}"):
        said = judged.say("root", f"touch file; chown {MYSQL} file; stat -c %u file")
    test.observe(f"the file belongs to {said}")
    assert said == str(MYSQL), f"the file belongs to {said}: root is squashed"


@pytest.mark.claim("storageclass.open-file-outlives-a-rename")
def test_open_file_keeps_its_content_when_it_is_replaced(judged: Judged, test: Steps) -> None:
    script = "echo old >f; exec 3<f; echo new >g; mv g f; cat f; cat <&3"
    expect(judged, test, "the name leads to the new file, the open one stays", script, "new\nold")


@pytest.mark.claim("storageclass.appends-are-whole")
def test_lines_that_two_processes_append_are_all_whole(judged: Judged, test: Steps) -> None:
    write = f"i=0; while [ $i -lt {_LINES} ]; do echo $1-$i-end >>log; i=$((i+1)); done"
    script = (
        f"put() {{ {write}; }}; put a & put b & wait; "
        "grep -cE '^[ab]-[0-9]+-end$' log; wc -l <log; sort log | uniq -d | wc -l"
    )
    whole = 2 * _LINES
    what = f"two processes append {_LINES} lines each"
    expect(judged, test, what, script, f"{whole}\n{whole}\n0")


@pytest.mark.claim("storageclass.offsets-beyond-4-gib")
def test_data_beyond_5_gib_is_read_back(judged: Judged, test: Steps) -> None:
    script = (
        "echo far | dd of=big bs=1M seek=5120 conv=fsync status=none; stat -c %s big; "
        "dd if=big bs=1M skip=5120 status=none; "
        "dd if=big bs=4096 skip=1048576 count=1 status=none | tr -d '\\000' | wc -c; rm big"
    )
    expect(judged, test, "a byte beyond 5 GiB is read back", script, f"{(5 << 30) + 4}\nfar\n0")


@pytest.mark.claim("storageclass.long-names")
def test_names_of_255_bytes_are_usable(judged: Judged, test: Steps) -> None:
    script = f"for n in {_LONG} {_LONG_UTF8}; do echo x >$n; cat $n; rm $n; done"
    expect(judged, test, "files with names of 255 bytes are written and read", script, "x\nx")


@pytest.mark.claim("storageclass.links-and-pipes")
def test_links_and_pipes_work(judged: Judged, test: Steps) -> None:
    script = (
        "echo x >f; ln f hard; ln -s f soft; stat -c %h f; cat hard soft; readlink soft; "
        "mkfifo pipe; echo through >pipe & cat pipe"
    )
    said = "2\nx\nx\nf\nthrough"
    expect(judged, test, "hard and symbolic links and a FIFO work", script, said)
