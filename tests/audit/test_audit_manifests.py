"""Manifests as people have them: many documents, lists, folders; and as they should not be."""

import io
import sys
from pathlib import Path

import pytest

from landfast.audit.manifests import read
from landfast.audit.objects import PvObject
from landfast.audit.place import Place
from landfast.errors import BadInput

VOLUME = """\
# of the shop
apiVersion: v1
kind: PersistentVolume
metadata:
  name: {name}
spec:
  capacity: {{storage: 1Gi}}
  mountOptions:
    - hard
    - soft
  nfs:
    server: NFS
    path: /exports/./{name}/
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def volume(name: str) -> str:
    return VOLUME.format(name=name)


def names(*args: Path | str) -> list[str]:
    return [resource.name for resource in read([str(arg) for arg in args]).resources]


def refused(*args: Path | str) -> str:
    with pytest.raises(BadInput) as caught:
        read([str(arg) for arg in args])
    return str(caught.value)


def test_every_document_of_a_file_is_read(tmp_path: Path) -> None:
    text = f"---\n{volume('a')}---\n# nothing\n---\n{volume('b')}"
    assert names(write(tmp_path, two=text) / "two.yaml") == ["a", "b"]


def test_a_folder_is_read_with_its_subfolders_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write(tmp_path / "b", b=volume("b"))
    write(tmp_path, a=volume("a"))
    (tmp_path / "c.yml").write_text(volume("c"))
    (tmp_path / "d.json").write_text(
        '{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "p",'
        ' "metadata": {"name": "d"}}'
    )
    (tmp_path / "notes.txt").write_text("kind: [")
    assert names(tmp_path) == ["a", "b", "c", "d"]


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, a=volume("a"))
    assert names(tmp_path, tmp_path / "a.yaml", f"{tmp_path}/./a.yaml") == ["a"]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(volume("a").encode()))
    monkeypatch.setattr(sys, "stdin", given)
    assert read(["-"]).resources[0].place.file == "stdin"


@pytest.mark.parametrize(
    ("kind", "types"),
    [("List", "apiVersion: v1, kind: PersistentVolume, "), ("PersistentVolumeList", "")],
)
def test_lists_are_opened(tmp_path: Path, kind: str, types: str) -> None:
    spec = "spec: {accessModes: [ReadWriteOnce]}"
    items = "".join(f"- {{{types}metadata: {{name: {name}}}, {spec}}}\n" for name in "ab")
    text = f"apiVersion: v1\nkind: {kind}\nitems:\n{items}"
    found = read([str(write(tmp_path, all=text))])
    assert [(r.name, r.place.line()) for r in found.resources] == [("a", 4), ("b", 5)]


def test_what_is_not_audited_is_counted_and_left_alone(tmp_path: Path) -> None:
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: 1}\n"
    same_name = "apiVersion: batch.volcano.sh/v1\nkind: Pod\nspec: strange\n"
    values = "replicas: 3\n---\n- a\n"
    write(tmp_path, a=volume("a"), b=other, c=same_name, values=values)
    found = read([str(tmp_path)])
    assert [r.name for r in found.resources] == ["a"]
    assert found.documents == 3
    assert found.without_objects == (str(tmp_path / "values.yaml"),)


def test_fields_have_lines(tmp_path: Path) -> None:
    found = read([str(write(tmp_path, a=f"---\n{volume('a')}"))]).resources[0]
    assert isinstance(found, PvObject)
    assert str(found.directory) == "nfs:/exports/a"
    place = found.place
    assert place.line() == 3
    assert place.line(("spec", "nfs", "path")) == 14
    assert place.line(("spec", "mountOptions", 1)) == 11
    assert place.line(("spec", "mountOptions", 7)) == 9  # the last on the way that is there
    assert place.line(("spec", "reclaimPolicy")) == 7
    assert place.at(("spec", "nfs")).line(("path",)) == 14
    assert place.at(("status",)).line() == 3
    assert Place().line(("spec",)) is None


def test_null_is_as_good_as_left_out(tmp_path: Path) -> None:
    text = volume("a") + "  accessModes: null\n  claimRef:\nstatus: null\n"
    found = read([str(write(tmp_path, a=text))]).resources[0]
    assert isinstance(found, PvObject)
    assert (found.spec.access_modes, found.spec.claim_ref) == ((), None)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    nfs = "nfs: {<<: *m, server: s, path: p}"
    text = f"metadata: &m {{name: a}}\nspec: {{capacity: {{storage: 1}}, {nfs}}}\n"
    text = f"apiVersion: v1\nkind: PersistentVolume\n{text}"
    assert names(write(tmp_path, a=text)) == ["a"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind: [", "a.yaml:1 is not valid YAML: did not find expected node content"),
        (volume("{{ .Values.a }}"), "render it first: `helm template CHART | landfast audit -`"),
        ("a: b\0c", "is not valid YAML: unacceptable character #x0000"),
        (f"{volume('a')}{volume('b')}", "a.yaml:15 is not valid YAML: duplicate key apiVersion"),
        (
            "kind: Pod\napiVersion: v1\nspec: &a {b: [*a]}",
            "a.yaml:3 is not valid YAML: an alias contains itself",
        ),
        (
            "kind: Kustomization\napiVersion: example.com/v1\nspec: {name: *app}",
            "a.yaml:3 is not valid YAML: found undefined alias",
        ),
        (volume(""), "a.yaml:5: PersistentVolume: metadata.name: Field required"),
        (
            volume("a").replace("1Gi", "lots"),
            "a.yaml:7: PersistentVolume a: spec.capacity.storage: Invalid number format: lots",
        ),
        (
            volume("a").replace("    server: NFS\n", ""),
            "a.yaml:11: PersistentVolume a: spec.nfs.server: Field required",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: 3",
            "a.yaml:3: Pod: metadata: Input should be a valid dictionary",
        ),
        ("a: b", "no Kubernetes object in"),
        ("", "no Kubernetes object in"),
    ],
)
def test_bad_manifests_are_refused_in_one_sentence(
    tmp_path: Path, text: str, sentence: str
) -> None:
    said = refused(write(tmp_path, a=text) / "a.yaml")
    assert sentence in said
    assert "\n" not in said


def test_of_a_key_that_is_there_twice_the_last_counts_and_it_is_a_problem(tmp_path: Path) -> None:
    text = volume("a").replace("    server: NFS\n", "    server: other\n    server: nas\n")
    found = read([str(write(tmp_path, a=text))])
    [pv] = found.resources
    assert isinstance(pv, PvObject)
    assert pv.spec.nfs
    assert pv.spec.nfs.server == "nas"
    [problem] = found.problems
    assert problem.endswith(
        "a.yaml:13 is not valid YAML: duplicate key server, of which the last is taken"
    )


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refused("nowhere") == "nowhere cannot be read: No such file or directory"
    (tmp_path / "binary").write_bytes(b"\xff\xee")
    assert "binary cannot be read: it is not text" in refused(tmp_path / "binary")
    assert "has no .yaml, .yml, .json file" in refused(tmp_path)


def test_helm_output_is_read(tmp_path: Path) -> None:
    text = f"---\n# Source: shop/templates/pv.yaml\n{volume('a')}---\n# Source: shop/empty.yaml\n"
    assert names(write(tmp_path, rendered=text)) == ["a"]


def test_aliases_of_aliases_are_read_once(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 64))]
    data = "\n  ".join(lines)
    (tmp_path / "a.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  {data}\n"
    )
    assert read([str(tmp_path)]).documents == 1
