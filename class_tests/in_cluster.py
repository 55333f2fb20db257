"""Programs and images for runs inside the cluster: kubectl, Sonobuoy, Landfast's own image."""

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from landfast import paths, process, registry, timeouts
from landfast.docker import Engine
from landfast.environment import Environment
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache, digest
from landfast.kit.images import ImageBuilder
from landfast.kit.programs import GO_BUILD, Programs
from landfast.process import Result
from landfast.progress import Progress

_SONOBUOY = Path(__file__).parent / "sonobuoy"
_MODULE = "github.com/vmware-tanzu/sonobuoy"


@dataclass(frozen=True)
class Administrator:
    """Who may do everything on the cluster, at a host with these programs."""

    env: Environment
    folder: Path

    @cached_property
    def engine(self) -> Engine:
        """The engine of the cluster's nodes."""
        assert self.env.engine is not None
        return self.env.engine

    def kubectl(self, *arguments: str, text: str | None = None) -> Result:
        """Run kubectl, the kit's own."""
        program = self.folder / "kubectl"  # the kit's program is whatever it is called
        if not program.is_symlink():
            program.symlink_to(Programs(Cache(paths.cache()), Progress()).path("kube"))
        return self._run(program, *arguments, text=text)

    def sonobuoy(self, *arguments: str, check: bool = True) -> Result:
        """Run Sonobuoy."""
        return self._run(self._sonobuoy(), *arguments, check=check)

    def _run(self, *argv: str | Path, text: str | None = None, check: bool = True) -> Result:
        env = {"KUBECONFIG": str(self.env.cluster.kubeconfig)}
        return process.run(
            argv, timeout=timeouts.RUN, text=text, env=env, cwd=self.folder, check=check
        )

    def _sonobuoy(self) -> Path:
        def build(target: Path) -> None:
            go = Programs(store, Progress()).toolchain()
            process.run(
                [go, "build", "-ldflags", "-s -w", "-o", target / "sonobuoy", _MODULE],
                timeout=timeouts.BUILD,
                env=GO_BUILD,
                cwd=_SONOBUOY,
            )

        store, files = Cache(paths.cache()), [_SONOBUOY / name for name in ("go.mod", "go.sum")]
        with kit_lock(Progress()):
            return store.artifact("sonobuoy", digest(*files), build) / "sonobuoy"

    def bring_landfast(self) -> str:
        """Build Landfast's image, load it into every node and return its name."""
        with kit_lock(Progress()):
            builder = ImageBuilder(self.engine, Cache(paths.cache()), Progress())
            image = builder.image("landfast")
        self._load(image)
        return image

    def bring_sonobuoy(self) -> str:
        """Make an image of Sonobuoy, load it into every node and return its name."""
        program, image = self._sonobuoy(), f"landfast/sonobuoy:{digest(_SONOBUOY / 'go.sum')}"
        with tempfile.TemporaryDirectory() as work:
            context = Path(work)
            (context / "sonobuoy").write_bytes(program.read_bytes())
            (context / "sonobuoy").chmod(0o755)
            (context / "tmp").mkdir(mode=0o777)
            (context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
            self.engine.build_image(image, context)
        self._load(image)
        return image

    def _load(self, image: str) -> None:
        registry.load_into_nodes(self.engine, [image], list(self.env.cluster.nodes))
