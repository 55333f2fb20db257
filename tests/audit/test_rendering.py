"""Helm charts and kustomizations: rendered where their tools are, and never read as YAML."""

from pathlib import Path

import pytest
from programs_on_path import Put, calls

from landfast.audit.rendering import Source, chart_of, render, source_in
from landfast.errors import BadInput

FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"


def folder_with(folder: Path, file: str, text: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text)
    return folder


def source(folder: Path) -> Source:
    found = source_in(folder)
    assert found
    return found


def refused(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        render(source(folder))
    return str(caught.value).replace(str(folder), "FOLDER")


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("Chart.yaml", "", "Helm chart"),
        ("kustomization.yaml", "", "kustomization"),
        ("kustomization.yml", "", "kustomization"),
        ("Kustomization", "resources: [a.yaml]\n", "kustomization"),
        ("kustomization.yaml", FLUX, None),
        ("values.yaml", "", None),
    ],
)
def test_a_folder_is_known_by_its_file(
    tmp_path: Path, file: str, text: str, what: str | None
) -> None:
    found = source_in(folder_with(tmp_path, file, text))
    assert (found.what if found else None) == what


def test_a_chart_is_rendered_by_helm(tmp_path: Path, put: Put) -> None:
    put("helm", "echo 'kind: Pod'")
    assert render(source(folder_with(tmp_path / "c", "Chart.yaml"))) == "kind: Pod\n"
    assert calls(tmp_path) == [f"helm template {tmp_path}/c"]


@pytest.mark.parametrize("program", ["kustomize", "kubectl"])
def test_a_kustomization_is_built_by_what_is_there(
    tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setattr("landfast.process._DIES_WITH_US", [])
    put(program, "echo 'kind: Pod'")
    monkeypatch.setenv("PATH", f"{tmp_path}/programs")
    assert render(source(folder_with(tmp_path / "k", "kustomization.yaml"))) == "kind: Pod\n"
    verb = {"kustomize": "build", "kubectl": "kustomize"}[program]
    assert calls(tmp_path) == [f"{program} {verb} {tmp_path}/k"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (
            "Chart.yaml",
            "FOLDER is a Helm chart, and there is no helm on PATH to render it: "
            "where there is, `helm template FOLDER | landfast audit -` audits it",
        ),
        (
            "kustomization.yaml",
            "FOLDER is a kustomization, and there is neither kustomize nor kubectl on PATH to "
            "render it: where there is, `kustomize build FOLDER | landfast audit -` audits it",
        ),
    ],
)
def test_without_the_tool_one_sentence_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, said: str
) -> None:
    monkeypatch.setattr("landfast.process.find_program", lambda name: None)
    assert refused(folder_with(tmp_path / "x", file)) == said


def test_what_the_tool_refuses_is_said_in_its_words(tmp_path: Path, put: Put) -> None:
    put("helm", "echo 'Error: values are missing' >&2; echo 'Use --debug' >&2; exit 1")
    assert refused(folder_with(tmp_path / "c", "Chart.yaml")) == (
        "FOLDER is a Helm chart that helm cannot render: Error: values are missing; with the "
        "values that it needs, `helm template FOLDER | landfast audit -` audits it"
    )


def test_a_template_knows_its_chart(tmp_path: Path) -> None:
    folder_with(tmp_path / "c", "Chart.yaml")
    inside = folder_with(tmp_path / "c/templates/db", "pv.yaml") / "pv.yaml"
    found = chart_of(inside)
    assert found
    assert found.folder == tmp_path / "c"
    assert chart_of(tmp_path / "c/values.yaml") is None
    assert chart_of(folder_with(tmp_path / "templates", "a.yaml") / "a.yaml") is None
