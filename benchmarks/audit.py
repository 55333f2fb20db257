"""How fast manifests are audited, and in how much memory: `python -m benchmarks.audit`.

Trees are made up, each audited by a process of its own: as many files as asked for, with two
objects each; PersistentVolumes that differ in size, and as many PVCs that could take many of them;
and 50 MB of ConfigMaps.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from landfast.audit.inventory import Inventory
from landfast.audit.manifests import read
from landfast.audit.rules import audit

_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\ndata:\n" + "".join(
    f"  key{i}: |\n    some text of entry {i}\n    and one more line\n" for i in range(100)
)
_PAIRS = (  # the two objects of a file: its number modulo 4 says which
    """\
apiVersion: v1
kind: PersistentVolume
metadata: {{name: v{n}}}
spec:
  capacity: {{storage: 10Gi}}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  storageClassName: static
  mountOptions: [hard, nfsvers=4.1]
  nfs: {{server: nas.example.com, path: /export/{n}}}
  claimRef: {{namespace: shop, name: data{n}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: data{n}, namespace: shop}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: static
  volumeName: v{n}
  resources: {{requests: {{storage: 10Gi}}}}
""",
    """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: db{n}, namespace: shop}}
spec:
  replicas: 3
  serviceName: db{n}
  selector: {{matchLabels: {{app: db{n}}}}}
  template:
    metadata: {{labels: {{app: db{n}}}}}
    spec:
      containers:
        - name: mysql
          image: mysql:8.4
          env:
            - {{name: MYSQL_ROOT_PASSWORD, value: secret}}
          ports: [{{containerPort: 3306}}]
          volumeMounts: [{{name: data, mountPath: /var/lib/mysql}}]
  volumeClaimTemplates:
    - metadata: {{name: data}}
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: nfs
        resources: {{requests: {{storage: 10Gi}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: db{n}, namespace: shop}}
spec: {{selector: {{app: db{n}}}, ports: [{{port: 3306}}]}}
""",
    """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web{n}, namespace: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web{n}}}}}
  template:
    metadata: {{labels: {{app: web{n}}}}}
    spec:
      containers:
        - name: web
          image: nginx:1.29
          volumeMounts: [{{name: files, mountPath: /srv}}, {{name: own, mountPath: /tmp}}]
      volumes:
        - {{name: files, persistentVolumeClaim: {{claimName: files{n}}}}}
        - {{name: own, emptyDir: {{}}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: files{n}, namespace: shop}}
spec:
  accessModes: [ReadWriteMany]
  storageClassName: nfs
  resources: {{requests: {{storage: 1Gi}}}}
""",
    f"{_CONFIG_MAP}---\napiVersion: v1\nkind: Secret\nmetadata: {{{{name: s{{n}}}}}}\n",
)
_SIZED = """\
apiVersion: v1
kind: PersistentVolume
metadata: {{name: v{n}}}
spec:
  capacity: {{storage: {n}Mi}}
  accessModes: [ReadWriteOnce]
  storageClassName: static
  nfs: {{server: nas.example.com, path: /export/{n}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: c{n}}}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: static
  resources: {{requests: {{storage: {n}Mi}}}}
"""
_CLASS = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nfs}
provisioner: k8s-sigs.io/nfs-subdir-external-provisioner
reclaimPolicy: Retain
"""


def main() -> None:
    """Audit the trees; print CPU seconds, peak memory and findings of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--volumes", type=int, nargs="*", default=[1_000, 7_000])
    parser.add_argument("--megabytes", type=int, nargs="*", default=[50])
    arguments = parser.parse_args()
    for count in arguments.files:
        _measure(f"{count} files, {2 * count} objects", _files(count))
    for count in arguments.volumes:
        _measure(f"{count} volumes of other sizes, {count} PVCs", _volumes(count))
    for count in arguments.megabytes:
        _measure(f"{count} MB of ConfigMaps", _config_maps(count))


def _files(count: int) -> Iterator[tuple[str, str]]:
    yield "class.yaml", _CLASS
    for n in range(count):
        yield f"{n % 100}/{n}.yaml", _PAIRS[n % len(_PAIRS)].format(n=n)


def _volumes(count: int) -> Iterator[tuple[str, str]]:
    for n in range(1, count + 1):
        yield f"{n}.yaml", _SIZED.format(n=n)


def _config_maps(megabytes: int) -> Iterator[tuple[str, str]]:
    each = len(_CONFIG_MAP)
    for n in range(megabytes * 1_000_000 // each + 1):
        yield f"{n}.yaml", _CONFIG_MAP.format(n=n)


def _measure(what: str, tree: Iterator[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree:
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_audit, args=(folder, theirs.send))
        process.start()
        seconds, megabytes, findings = ours.recv()
        process.join()
        print(  # noqa: T201
            f"{what:48} {seconds:6.1f} s {megabytes:6.0f} MB {findings:6} findings"
        )


def _audit(folder: str, send: Callable[[tuple[float, float, int]], None]) -> None:
    begin = time.process_time()  # not the time of others on this host
    found = audit(Inventory(read([folder]).resources, complete=False))
    seconds = time.process_time() - begin
    send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(found)))


if __name__ == "__main__":
    main()
