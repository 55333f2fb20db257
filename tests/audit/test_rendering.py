"""Folders with Helm charts, kustomizations, and what a pattern leaves out."""

from pathlib import Path

import pytest
from programs_on_path import Put, calls

from landfast.audit.manifests import Manifests, read
from landfast.audit.rendering import Source, advice_on, chart_of, render, source_in
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


PV = "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: %s}\nspec: {accessModes: [x]}\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a chart, a kustomization, and manifests beside and below them."""
    monkeypatch.chdir(tmp_path)
    folder_with(Path("tree/charts/db"), "Chart.yaml")
    folder_with(Path("tree/charts/db/templates"), "pv.yaml", "{{ if .Values.x }}\n")
    folder_with(Path("tree/charts/db/charts/sub"), "Chart.yaml")
    folder_with(Path("tree/base"), "kustomization.yaml", "resources: [pv.yaml]\n")
    folder_with(Path("tree/base"), "pv.yaml", PV % "base")
    folder_with(Path("tree"), "pv.yaml", PV % "top")
    folder_with(Path("tree/deep/test"), "pv.yaml", PV % "deep")
    return Path("tree")


def names(found: Manifests) -> list[str]:
    return [resource.name for resource in found.resources]


def test_a_tree_is_read_around_its_charts(tree: Path) -> None:
    found = read([str(tree)])
    assert names(found) == ["base", "deep", "top"]
    assert found.unrendered == ("tree/base", "tree/charts/db")
    assert (found.problems, found.without_objects) == ((), ())


def test_a_folder_that_is_named_is_rendered(tree: Path, put: Put) -> None:
    put("helm", f"cat <<'END'\n{PV % 'rendered'}END")
    found = read([str(tree / "charts/db"), str(tree / "pv.yaml")])
    assert names(found) == ["rendered", "top"]
    assert found.resources[0].place.file == "helm template tree/charts/db"
    assert found.resources[0].place.line() == 1


def test_what_cannot_be_rendered_hides_nothing_else(tree: Path, put: Put) -> None:
    put("helm", "echo 'Error: no' >&2; exit 1")
    found = read([str(tree / "charts/db"), str(tree / "pv.yaml")])
    assert names(found) == ["top"]
    assert "that helm cannot render: Error: no" in found.problems[0]


@pytest.mark.parametrize("name", ["tree/charts/db/templates", "tree/charts/db/templates/pv.yaml"])
def test_a_template_is_not_read(tree: Path, name: str) -> None:
    with pytest.raises(BadInput) as caught:
        read([name])
    assert str(caught.value) == (
        "tree/charts/db/templates/pv.yaml is a template of the Helm chart tree/charts/db, and no "
        "manifest: `landfast audit tree/charts/db` renders it"
    )


def test_a_tree_with_nothing_but_a_chart_says_how(tree: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read([str(tree / "charts")])
    assert str(caught.value) == (
        "no Kubernetes object in tree/charts; `landfast audit tree/charts/db` renders what is there"
    )


@pytest.mark.parametrize(
    ("patterns", "left", "excluded"),
    [
        (["charts"], ["base", "deep", "top"], 1),
        (["deep"], ["base", "top"], 1),
        (["test"], ["base", "top"], 1),
        (["te*"], ["base", "top"], 1),
        (["pv.yaml"], [], 3),
        (["*.yaml", "charts"], [], 4),
        (["tree/deep"], ["base", "top"], 1),
        (["./tree/deep/"], ["base", "top"], 1),
        (["tree/*/test"], ["base", "top"], 1),
        (["tree/*.yaml"], [], 3),
        (["deep/test"], ["base", "deep", "top"], 0),
        (["DEEP"], ["base", "deep", "top"], 0),
    ],
)
def test_a_pattern_leaves_out(
    tree: Path, patterns: list[str], left: list[str], excluded: int
) -> None:
    Path("other.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap"}')
    found = read([str(tree), "other.json"], patterns)
    assert names(found) == left
    assert found.excluded == excluded


@pytest.mark.parametrize("pattern", ["test", "deep", "tree/deep", "tree/deep/test/pv.yaml", "pv.*"])
def test_a_pattern_leaves_out_a_file_that_is_named(tree: Path, pattern: str) -> None:
    Path("other.json").write_text('{"apiVersion": "v1", "kind": "ConfigMap"}')
    found = read([str(tree / "deep/test/pv.yaml"), "other.json"], [pattern])
    assert (names(found), found.excluded) == ([], 1)


def test_files_that_a_kustomization_does_not_name_are_said_to_be_left_out(
    tmp_path: Path, put: Put
) -> None:
    put("kustomize", "echo '{apiVersion: v1, kind: Pod, metadata: {name: a}}'")
    folder = folder_with(tmp_path / "k", "kustomization.yaml", 'resources: [./a.yaml, "b.yml"]\n')
    for name in ("a.yaml", "b.yml", "nota.yaml", "c.json", "README.md"):
        folder_with(folder, name)
    assert read([str(folder)]).unlisted == (f"{folder}/c.json", f"{folder}/nota.yaml")


@pytest.mark.parametrize(
    ("api_version", "kind", "said"),
    [
        (
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            "`helm template NAME CHART -f VALUES | landfast audit -`",
        ),
        ("helm.cattle.io/v1", "HelmChart", "`helm template NAME CHART -f VALUES"),
        ("argoproj.io/v1alpha1", "Application", "`argocd app manifests NAME | landfast audit -`"),
        ("argoproj.io/v1alpha1", "ApplicationSet", "`argocd app manifests NAME"),
        (
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            "`flux build kustomization NAME --path FOLDER --kustomization-file FILE --dry-run",
        ),
        ("app.k8s.io/v1beta1", "Application", ""),  # a description, of which nothing is made
    ],
)
def test_what_a_controller_makes_of_an_object_is_for_other_programs(
    api_version: str, kind: str, said: str
) -> None:
    advice = advice_on(api_version, kind) or ""
    assert advice.startswith(f"what a {kind} makes is audited by {said}") if said else not advice
