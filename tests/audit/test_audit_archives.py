"""The rules about logs, archives and dumps hold for every kind, name, path and spelling."""

from cases_archives import beside, dump, env, mongodb, mysql, postgres
from cases_servers import CLAIM, EMPTY
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import audited
from workloads_to_vary import NAMES, found

RULE = "backup-without-volume"
PATHS = st.sampled_from(["/archive", "/backup/wal", "/mnt/x-1/y.z"])
KINDS = st.sampled_from(["Job", "CronJob", "Deployment", "StatefulSet"])
VOLUMES = st.sampled_from([EMPTY, CLAIM, None])
DUMPS = [
    "pg_dump -h db shop > {}/x.sql",
    "pg_dump --host=db --file={}/x.sql shop",
    "PGPASSWORD=x pg_dumpall -h db -f {}/x.sql",
    "set -eo pipefail\npg_dump shop | gzip -9 > {}/$(date +%F).gz\nfind {} -mtime +7 -delete",
    "mysqldump --all-databases | gzip >> {}/x.gz; ls -l {}",
    "mariadb-dump shop --result-file={}/x.sql",
    "OUT={}/$(hostname)\nmkdir -p {} && mongodump --out=${{OUT}}",
    "mongodump --archive={}/x --gzip 2> /dev/null",
    "if true; then etcdctl snapshot save {}/x.db; fi",
    "xtrabackup --backup --target-dir={}/full",
]
TAKEN = [
    "aws s3 cp {}/x s3://b/",
    "rclone sync {} remote:b",
    "curl -T {}/x https://example.com/",
    "restic backup {}",
    "scp {}/x nas:",
    "./upload.sh",
]
ARCHIVING = [
    "archive_command=cp %p {}/%f",
    "archive_command='test ! -f {}/%f && cp %p {}/%f'",
    "archive_command=gzip < %p > {}/%f.gz",
    'archive_command=rsync -a %p "{}/%f"',
]


@given(KINDS, PATHS, st.sampled_from(DUMPS), VOLUMES)
def test_a_dump_counts_where_it_goes_with_the_pod(
    kind: str, path: str, script: str, volume: dict[str, object] | None
) -> None:
    mounts = {} if volume is None else {path: volume}
    hits = found(dump(script.format(*[path] * 9), mounts, kind), RULE)
    assert hits == (set() if volume is CLAIM else {("db", "warning")})


@given(KINDS, PATHS, st.sampled_from(DUMPS), st.sampled_from(TAKEN), st.booleans())
def test_a_dump_that_may_be_taken_away_is_left_alone(
    kind: str, path: str, script: str, taken: str, mounted: bool
) -> None:
    both = f"{script}; {taken}".format(*[path] * 9)
    assert found(dump(both, {path: EMPTY} if mounted else {}, kind), RULE) == set()


@given(KINDS, PATHS, st.sampled_from(DUMPS))
def test_a_dump_that_another_container_has_is_left_alone(kind: str, path: str, script: str) -> None:
    objects = dump(script.format(*[path] * 9), {path: EMPTY}, kind)
    assert found(beside(objects, path), RULE) == set()


@given(PATHS, st.sampled_from(ARCHIVING), VOLUMES, st.booleans())
def test_an_archive_counts_where_it_goes_with_the_pod(
    path: str, said: str, volume: dict[str, object] | None, by_variable: bool
) -> None:
    mounts = {} if volume is None else {path: volume}
    command = said.format(path, path)
    _, _, value = command.partition("=")
    objects = (
        postgres(mounts, env=env(POSTGRES_ARCHIVE_COMMAND=value))
        if by_variable
        else postgres(mounts, "-c", command)
    )
    hits = found(objects, RULE)
    assert hits == (set() if volume is CLAIM else {("db", "warning")})


def test_an_object_of_several_sets_of_pods_is_named_once() -> None:
    found_here = audited(*mongodb(), complete=False)
    rule = "audit.cluster-without-backup"
    assert [f.title for f in found_here if f.rule.id == rule] == ["PerconaServerMongoDB shop/db"]


@given(NAMES, PATHS, VOLUMES, st.sampled_from(["--log-bin={}/b", "--log_bin={}/b"]))
def test_a_binary_log_counts_where_it_goes_with_the_pod(
    name: str, path: str, volume: dict[str, object] | None, option: str
) -> None:
    mounts = {} if volume is None else {path: volume}
    objects = mysql(mounts, f"--server-id={name}", option.format(path))
    hits = found(objects, "log-without-volume")
    assert hits == (set() if volume is CLAIM else {("db", "warning")})
