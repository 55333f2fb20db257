"""A journal as a real run would write it: all verdicts, evidence, long text, a note.

`python tests/reports/report_sample.py FOLDER` writes it and its reports to FOLDER.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from landfast.journal import (
    ClaimDeclared,
    EnvironmentFact,
    Event,
    Evidence,
    Journal,
    Note,
    Observation,
    Phase,
    RunFinished,
    RunStarted,
    Step,
    TestFinished,
    TestStarted,
)
from landfast.results import Tier
from landfast.verdict import Verdict
from reports import render

BEGAN = datetime(2026, 11, 23, 20, 15, 2, tzinfo=UTC)

LISTING = """\
drwxrwxrwx  0:0    4096  .
-rw-r--r--  0:0       0  hello.txt
drwxr-x--- 999:999 4096  mysql
-rw-r----- 999:999   56  mysql/auto.cnf
-rw-r----- 999:999 79691776  mysql/ibdata1
drwxr-x--- 999:999 4096  mysql/test_mysql
-rw-r----- 999:999 98304  mysql/test_mysql/msg.ibd
"""
EVENTS = """\
41s  Normal   ExternalProvisioning  pvc-a  waiting for external provisioner "nfs-client"
40s  Normal   Provisioning          pvc-a  provisioning volume for claim "lf-9f3a/pvc-a"
12s  Warning  ProvisioningFailed    pvc-a  claim Selector is not supported
"""
MYSQL_LOG = (
    "\x1b[33m2026-11-23T20:21:44Z\x1b[0m [Note] InnoDB: Starting crash recovery.\n"
    "2026-11-23T20:21:44Z [Note] InnoDB: Doing recovery: scanned up to 2748113\n"
    "2026-11-23T20:21:45Z [ERROR] InnoDB: Unable to lock ./ibdata1 error: 11\n"
) * 400
LEDGER = """\
invoke 4711  INSERT line=4711  20:21:39.202
ok     4711                    20:21:39.219
invoke 4712  INSERT line=4712  20:21:39.220
ok     4712                    20:21:39.236   acknowledged
invoke 4713  INSERT line=4713  20:21:39.236
info   4713                    20:21:54.240   (2013, 'Lost connection to MySQL server during query')
read   4711 rows: … 4709, 4710, 4711
"""


@dataclass(frozen=True)
class Case:
    """One test of the sample: what it proves, what it did, how it ended."""

    claim: str
    text: str
    source: str
    steps: tuple[tuple[str, float], ...]
    observed: tuple[str, ...] = ()
    verdict: Verdict = Verdict.PASS
    reason: str = ""
    capability: str = ""
    evidence: tuple[tuple[str, str, str], ...] = ()
    """title, file name, content"""
    scenario: str = ""
    tier: Tier | None = None


W = "walkthrough, step "
CASES = (
    Case(
        "walkthrough.written-file-is-on-the-server",
        "A file that a client creates on the mounted export MUST be on the server.",
        W + "1",
        (("mount the export in a pod", 3.1), ("create hello.txt", 0.4), ("look at it there", 0.2)),
        ("the export holds hello.txt: 0 bytes, owner 0:0, mode 0644",),
        evidence=(("the export, from the server", "export.txt", LISTING),),
    ),
    Case(
        "walkthrough.provisioner-rights-suffice",
        "The provisioner MUST NOT need any right beyond the two roles of the walkthrough.",
        W + "2",
        (("apply the roles", 0.8), ("provision a volume", 4.2), ("read the audit log", 0.6)),
        ("214 requests by nfs-client-provisioner, none refused",),
    ),
    Case(
        "walkthrough.provisioner-becomes-ready",
        "The Deployment nfs-client-provisioner MUST become Ready 1/1.",
        W + "3",
        (("apply the Deployment", 0.3), ("wait for it to be ready", 7.9)),
        ("readyReplicas 1 of 1 after 7.9 s",),
    ),
    Case(
        "walkthrough.class-has-default-policies",
        "StorageClass nfs-ssd MUST have policy Delete, binding mode Immediate and no expansion.",
        W + "4",
        (("apply the StorageClass", 0.2), ("read it back", 0.1)),
        ("reclaimPolicy Delete, volumeBindingMode Immediate, allowVolumeExpansion absent",),
    ),
    Case(
        "walkthrough.pv-is-available",
        "PersistentVolume nfs-pv MUST become Available.",
        W + "5",
        (("apply nfs-pv", 0.2), ("wait for its phase", 0.9)),
        ("phase Available after 0.9 s",),
    ),
    Case(
        "walkthrough.pvc-binds-by-selector",
        "PVC nfs-pvc (3Mi) MUST bind nfs-pv by its label, and show the volume's capacity of 1Gi.",
        W + "6",
        (("apply nfs-pvc", 0.2), ("wait until it is Bound", 1.4)),
        ("Bound to nfs-pv, capacity 1Gi", "spec.claimRef of nfs-pv is lf-9f3a/nfs-pvc"),
    ),
    Case(
        "walkthrough.data-survives-pod-deletion",
        "Both rows of test_mysql.msg MUST be readable after pod mysql-0 was deleted and recreated.",
        W + "10",
        (
            ("insert 'hello,' and 'world!'", 0.3),
            ("delete pod mysql-0", 4.4),
            ("wait until it is Ready again", 21.7),
            ("read test_mysql.msg", 0.1),
        ),
        ("pod uid changed from 3c1e… to 88fa…", "2 rows: 'hello,', 'world!'"),
        evidence=(("the export, from the server", "export.txt", LISTING),),
    ),
    Case(
        "walkthrough.data-outlives-pv",
        "MySQL's files MUST stay on the server when StatefulSet, PVC and PV are deleted.",
        W + "13",
        (("delete StatefulSet, PVC and PV", 6.2), ("list the export", 0.2)),
        ("147 files under mysql/, content hashes unchanged",),
    ),
    Case(
        "binding.class-mismatch-stays-pending",
        "A PVC MUST stay Pending when the only PV that fits is of another class.",
        W + "16; Kubernetes documentation, Persistent Volumes, Binding",
        (("make PV of class a, PVC of class b", 0.4), ("the PVC stays Pending for 10 s", 10.0)),
        ("Pending over 10 s, 11 reads", "the PV stayed Available"),
    ),
    Case(
        "binding.selector-refused-by-provisioner",
        "A PVC with a selector MUST NOT get a dynamically provisioned volume.",
        W + "17; provisioner contract, selector",
        (("apply the PVC", 0.2), ("the PVC stays Pending for 10 s", 10.0)),
        ("Pending over 10 s; event ProvisioningFailed: claim Selector is not supported",),
        evidence=(("events", "events.txt", EVENTS),),
    ),
    Case(
        "binding.smallest-fitting-volume-wins",
        "Of several PVs that fit, the PVC MUST bind the smallest.",
        "Kubernetes: pkg/volume/volume.go, FindMatchingVolume",
        (("make PVs of 1Gi, 2Gi, 5Gi", 0.5), ("wait until the PVC of 1500Mi is Bound", 1.1)),
        ("bound the PV of 2Gi",),
    ),
    Case(
        "binding.recycle-scrubs-only-its-volume",
        "Recycling a PV SHOULD NOT delete anything that another PV of the same export holds.",
        W + "5, trap: the PV is the export's root",
        (
            ("make a throw-away export with two directories", 0.7),
            ("bind nfs-pv on its root, write a file", 5.3),
            ("delete the PVC", 0.1),
            ("wait until the PV is Available again", 9.8),
            ("compare the export with what it held", 0.2),
        ),
        ("before: 3 directories, 14 files; after: 0 directories, 0 files",),
        Verdict.FAIL,
        "the recycler removed mysql/ (12 files) and share-b/ (1 file), which belong to other PVs; "
        "expected both to stay as they were",
        evidence=(
            ("the export before", "before.txt", LISTING),
            ("the export after", "after.txt", "drwxrwxrwx  0:0    4096  .\n"),
            (
                "the PV",
                "nfs-pv.yaml",
                "apiVersion: v1\nkind: PersistentVolume\nmetadata:\n  name: nfs-pv\nspec:\n"
                "  persistentVolumeReclaimPolicy: Recycle\n  nfs:\n    path: /data/share\n",
            ),
        ),
    ),
    Case(
        "provisioning.archive-by-default",
        "A deleted volume MUST be archived as archived-… when archiveOnDelete is absent.",
        W + "18, corrected; provisioner contract",
        (("provision a volume and write to it", 6.1), ("delete the PVC", 0.9)),
        ("the server holds archived-lf-9f3a-pvc-a-pvc-5d0f…, content hash unchanged",),
    ),
    Case(
        "provisioning.archive-false-deletes",
        "A deleted volume MUST be removed from the server when archiveOnDelete is false.",
        "provisioner contract, archiveOnDelete",
        (("provision a volume and write to it", 5.7), ("delete the PVC", 1.0)),
        ("the directory is gone from the server after 1.0 s",),
    ),
    Case(
        "provisioning.expansion-is-refused",
        "Growing a PVC of class nfs-ssd MUST be refused by the API server.",
        "Kubernetes documentation, Expanding Persistent Volumes Claims",
        (("patch the PVC to 2Gi", 0.1),),
        ("403 Forbidden: only dynamically provisioned pvc can be resized",),
    ),
    Case(
        "durability.acknowledged-writes-survive-server-crash",
        "Every write that MySQL acknowledged MUST be readable after the NFS server was killed and "
        "started again.",
        "design, ledger; NFS v4.1, RFC 8881, section 18.3 (COMMIT)",
        (
            ("MySQL is healthy, 200 sentinel rows are in", 1.2),
            ("write for 20 s", 20.0),
            ("kill the NFS server", 0.6),
            ("the mount hangs: the fault took effect", 3.4),
            ("start the NFS server again", 2.2),
            ("wait until MySQL answers", 44.8),
            ("compare what is read with the ledger", 0.4),
        ),
        (
            "4712 writes acknowledged, 1 unknown, 4711 read back",
            "200 of 200 sentinel rows are there",
        ),
        Verdict.FAIL,
        "1 acknowledged write is lost: line 4712, acknowledged at 20:21:39.236, 0.9 s before the "
        "server was killed\nlost = {4712}, recovered = {}, unexpected = {}",
        evidence=(
            ("the ledger around the loss", "ledger.txt", LEDGER),
            ("log of mysql-0", "mysql-0.log", MYSQL_LOG),
        ),
    ),
    Case(
        "durability.writes-resume-after-network-cut",
        "MySQL MUST acknowledge writes again within 90 s after a network cut of 15 s is healed.",
        "design, faults; nfs(5), hard mounts",
        (("cut the node from the NFS server", 0.4), ("did the cut take effect?", 15.0)),
        ("412 writes were acknowledged while the network was said to be cut",),
        Verdict.UNKNOWN,
        "the fault had no effect: NFS requests went on during the cut, so nothing was tested",
        evidence=(("nftables on the node", "nft.txt", "table inet landfast {\n}\n"),),
    ),
    Case(
        "durability.second-mysql-is-locked-out",
        "A second mysqld on the same data directory MUST NOT start while the first one runs.",
        "MySQL 5.7, InnoDB: ibdata1 is locked",
        (("start a second mysqld on the same volume", 8.8),),
        capability="nfs.locks",
        verdict=Verdict.SKIPPED,
        reason="the user-space mount does not pass locks to the server",
    ),
    Case(
        "durability.slow-network-keeps-order",
        "Acknowledged writes MUST be read back in order on a network with 200 ms delay.",
        "design, faults",
        (),
        capability="host.netem",
        verdict=Verdict.SKIPPED,
        reason="the kernel has no sch_netem",
    ),
    Case(
        "durability.node-drain-moves-mysql",
        "MySQL MUST be readable on another node within 120 s after its node was drained.",
        "Kubernetes documentation, Safely Drain a Node",
        (
            ("MySQL is healthy on worker", 0.8),
            ("drain worker", 17.4),
            ("wait until mysql-0 is Ready on worker2", 38.0),
        ),
        ("Ready on worker2 after 55.4 s", "4713 of 4713 acknowledged writes are there"),
    ),
)

FACTS = (
    ("cluster", "provider", "kind"),
    ("cluster", "Kubernetes", "v1.33.1"),
    ("cluster", "nodes", "3 (1 control plane, 2 workers)"),
    ("cluster", "container runtime", "containerd 2.1.1"),
    ("cluster", "capabilities", "cluster.owned, nfs.v41; not: nfs.locks, host.netem"),
    ("nfs", "client", "fuse"),
    ("nfs", "server", "container, NFS-Ganesha 6.5"),
    ("nfs", "export", "/data/share *(rw,sync,no_subtree_check,no_root_squash)"),
    ("images", "source", "kit"),
    ("images", "node", "landfast/node@sha256:" + 4 * "9f2c4d5be0a1d8b9"),
    ("images", "mysql", "landfast/mysql@sha256:" + 4 * "41b7c6e0f9a8d7c6"),
    ("stack", "provisioner", "stand-in for nfs-subdir-external-provisioner 4.0.18"),
    ("stack", "mount options", "hard,nfsvers=4"),
    ("host", "kernel", "6.1.0 x86_64"),
    ("host", "CPU and memory", "2 cores, 7.7 GiB"),
)
PHASES = (("build the kit", 212.4), ("NFS server", 2.3), ("cluster of three nodes", 68.9))


def sample_events(cases: tuple[Case, ...] = CASES) -> list[Event]:
    """Give the sample's journal."""
    now = BEGAN
    events: list[Event] = [
        RunStarted(
            at=now,
            run_id="1123-201502-9f3a",
            landfast="0.1.0",
            command=["pytest", "suites", "--cluster", "kind", "--nfs-client=fuse", "-n", "2"],
            settings={"cluster": "kind", "nfs_client": "fuse", "images": "kit", "keep": "False"},
        ),
        *(EnvironmentFact(at=now, section=s, name=n, value=v) for s, n, v in FACTS),
    ]
    for name, seconds in PHASES:
        now += timedelta(seconds=seconds)
        events.append(Phase(at=now, name=name, seconds=seconds))
    events += [
        ClaimDeclared(
            at=now, id=c.claim, text=c.text, source=c.source, scenario=c.scenario, tier=c.tier
        )
        for c in cases
    ]
    for case in cases:
        written = _case(case, now)
        events += written
        now = written[-1].at
    events.append(Note(at=now, text="This is a sample; nothing was measured."))
    events.append(
        Note(
            at=now,
            text="The walkthrough says that a volume is deleted if archiveOnDelete is not set; it "
            "is archived. provisioning.archive-by-default checks what the provisioner does.",
        )
    )
    now += timedelta(seconds=8.2)
    events += [
        Phase(at=now, name="take down the cluster", seconds=8.2),
        RunFinished(at=now, exit_code=1, left_behind=[]),
    ]
    return events


def node_id(case: Case) -> str:
    """Give the pytest node id of a sample's test."""
    suite, _, name = case.claim.partition(".")
    return f"suites/conformance/{suite}/test_{suite}.py::test_{name.replace('-', '_')}"


def _case(case: Case, now: datetime) -> list[Event]:
    test = node_id(case)
    events: list[Event] = [TestStarted(at=now, test=test, claim=case.claim, worker="gw0")]
    for index, (text, seconds) in enumerate(case.steps, start=1):
        now += timedelta(seconds=seconds)
        ok = case.verdict is Verdict.PASS or index < len(case.steps)
        events.append(Step(at=now, test=test, text=text, seconds=seconds, ok=ok))
    events += [Observation(at=now, test=test, text=seen) for seen in case.observed]
    events += [
        Evidence(at=now, test=test, title=title, file=f"evidence/{case.claim}/{name}")
        for title, name, _content in case.evidence
    ]
    total = sum(seconds for _text, seconds in case.steps)
    events.append(
        TestFinished(
            at=now,
            test=test,
            claim=case.claim,
            verdict=case.verdict,
            reason=case.reason,
            capability=case.capability,
            seconds=total,
        )
    )
    return events


def write_run(
    folder: Path, events: list[Event] | None = None, cases: tuple[Case, ...] = CASES
) -> Path:
    """Write a run's folder: the sample's, or that of `events`; give it back."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / "journal.jsonl")
    for event in sample_events(cases) if events is None else events:
        journal.write(event)
    for case in cases:
        for _title, name, content in case.evidence:
            path = folder / "evidence" / case.claim / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return folder


if __name__ == "__main__":
    render(write_run(Path(sys.argv[1])))
