"""Folders that are no manifests yet: Helm charts and kustomizations, which their tools render."""

import re
from dataclasses import dataclass
from pathlib import Path

from landfast import process, timeouts
from landfast.errors import BadInput

HELM_CHART = "Helm chart"
_CHART = ("Chart.yaml", "Chart.yml")
_FLUX = re.compile(r"^apiVersion: *[\"']?kustomize\.toolkit\.fluxcd\.io/", re.MULTILINE)
_WORD = re.compile(r"[^\s\"',\[\]{}]+")
KUSTOMIZATION = ("kustomization.yaml", "kustomization.yml", "Kustomization")


_HELM = "helm template NAME CHART -f VALUES"  # with its own values in the file
_MAKERS = {
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _HELM,
    ("helm.cattle.io", "HelmChart"): _HELM,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): (
        "flux build kustomization NAME --path FOLDER --kustomization-file FILE --dry-run"
    ),
    ("argoproj.io", "Application"): "argocd app manifests NAME",
    ("argoproj.io", "ApplicationSet"): "argocd app manifests NAME",
}
"""Objects of which a controller makes others, by group and kind, and what prints those.

Sources: Flux CLI reference, flux build kustomization; Argo CD command reference, argocd app
manifests; Helm documentation, helm template.
"""


@dataclass(frozen=True)
class Source:
    """What a folder holds instead of manifests, and the commands that make manifests of it."""

    what: str
    folder: Path
    commands: tuple[tuple[str, ...], ...]

    @property
    def advice(self) -> str:
        """The command for a shell."""
        return f"`{' '.join(self.commands[0])} | landfast audit -`"


def source_in(folder: Path) -> Source | None:
    """Return what a folder holds; None if these are manifests as they are."""
    name = str(folder)
    if any((folder / file).is_file() for file in _CHART):
        return Source(HELM_CHART, folder, (("helm", "template", name),))
    if any(_is_kustomization(folder / file) for file in KUSTOMIZATION):
        commands = (("kustomize", "build", name), ("kubectl", "kustomize", name))
        return Source("kustomization", folder, commands)
    return None


def _is_kustomization(file: Path) -> bool:
    """Whether a file is one; Flux has objects of that kind, often in a file of that name."""
    try:
        return not _FLUX.search(file.read_text(errors="replace"))
    except OSError:
        return False


def advice_on(api_version: str, kind: str) -> str | None:
    """Return how to audit what a controller makes of an object; None if it makes nothing."""
    command = _MAKERS.get((api_version.rpartition("/")[0], kind))
    return f"what a {kind} makes is audited by `{command} | landfast audit -`" if command else None


def unlisted(source: Source) -> list[str]:
    """Return the files beside a kustomization that it does not name, and so does not render."""
    if source.what == HELM_CHART:
        return []
    files = [file for file in sorted(source.folder.iterdir()) if file.is_file()]
    own = [file.read_text(errors="replace") for file in files if file.name in KUSTOMIZATION]
    named = {word.rpartition("/")[2] for text in own for word in _WORD.findall(text)}
    beside = (file for file in files if file.suffix.lower() in (".yaml", ".yml", ".json"))
    return [str(file) for file in beside if file.name not in {*named, *KUSTOMIZATION}]


def chart_of(file: Path) -> Source | None:
    """Return the Helm chart whose templates a file is one of."""
    for folder in file.parents:
        if folder.name == "templates" and (found := source_in(folder.parent)):
            return found if found.what == HELM_CHART else None
    return None


def render(source: Source) -> str:
    """Return the manifests that a source gives, without values or options of anybody's own.

    Raises:
        BadInput: its tool is not installed, or refuses it.
    """
    installed = [command for command in source.commands if process.find_program(command[0])]
    if not installed:
        missing = " nor ".join(command[0] for command in source.commands)
        neither = "neither " if len(source.commands) > 1 else "no "
        raise BadInput(
            f"{source.folder} is a {source.what}, and there is {neither}{missing} on PATH to "
            f"render it: where there is, {source.advice} audits it"
        )
    try:
        return process.run(installed[0], timeout=timeouts.RENDER).stdout
    except process.ProcessError as error:
        lines = str(error).splitlines()
        said = next((line for line in lines if line.lower().startswith("  error")), lines[-1])
        raise BadInput(
            f"{source.folder} is a {source.what} that {installed[0][0]} cannot render: "
            f"{said.strip()}; with the values that it needs, {source.advice} audits it"
        ) from error
