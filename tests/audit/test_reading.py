"""Whatever kubectl reads is read, and what is bad hides nothing else."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import controller, pv, pvc

from landfast.audit.documents import Found, objects
from landfast.audit.manifests import Manifests, not_read, read
from landfast.kube.client import Object


def found(text: str) -> list[tuple[str, Any, int | None]]:
    """The objects of a text: kind, content, line; or what is broken."""
    return [
        (f.kind, f.content, f.place.line()) if isinstance(f, Found) else ("", f.said, f.line)
        for f in objects("x", text, lambda _group, kind: kind != "ConfigMap")
    ]


def kinds(text: str) -> list[str]:
    return [kind for kind, _, _ in found(text)]


def audited(tmp_path: Path, data: str | bytes, name: str = "a.yaml") -> Manifests:
    data = data.encode() if isinstance(data, str) else data
    (tmp_path / name).write_bytes(data)
    return read([str(tmp_path)])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from((None, 1, "\t")))
def test_yaml_json_streams_and_lists_say_the_same(values: list[Any], indent: Any) -> None:
    all_objects = [{"apiVersion": "v1", "kind": "Pod", "x": value} for value in values]
    as_list = {"apiVersion": "v1", "kind": "List", "items": all_objects}
    written = [
        "---\n".join(yaml.safe_dump(o, allow_unicode=True) for o in all_objects),
        "\r\n---\r\n".join(json.dumps(o) for o in all_objects),
        "\n".join(json.dumps(o, indent=indent) for o in all_objects),
        "".join(json.dumps(o, indent=indent, ensure_ascii=False) for o in all_objects),
        json.dumps(as_list, indent=indent),
        yaml.safe_dump(as_list),
        yaml.safe_dump(as_list, default_flow_style=True),
    ]
    for text in written:
        assert [content for _, content, _ in found(text)] == all_objects, text


@given(st.integers(0, 4), st.integers(0, 3))
def test_lines_are_those_of_the_file(before: int, number: int) -> None:
    document = "apiVersion: v1\nkind: Pod\nspec:\n  a:\n    - b: 1\n    - c: 2\n"
    text = "# x\n" * before + "---\n" + f"{document}---\n" * number + document
    place = [f for f in objects("x", text, lambda *_: True) if isinstance(f, Found)][-1].place
    first = before + 2 + number * 7
    assert place.line() == first
    assert place.line(("spec", "a", 1, "c")) == first + 5
    assert place.at(("spec", "a")).line((0, "b")) == first + 4
    as_json = json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "spec": {"a": [1, {"c": 2}]}}, indent=1
    )
    text = "\n" * before + f"{as_json}\n" * (number + 1)
    place = [f for f in objects("x", text, lambda *_: True) if isinstance(f, Found)][-1].place
    lines = text.splitlines()
    assert '"c"' in lines[(place.line(("spec", "a", 1, "c")) or 0) - 1]
    assert lines[(place.line() or 0) - 1] == "{"


@pytest.mark.parametrize("form", ["yaml", "flow", "json"])
def test_items_of_a_list_have_their_own_lines(form: str) -> None:
    items: list[Object] = [pv("a"), controller("Deployment", "c"), pvc("b")]
    whole = {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}}
    text = json.dumps(whole, indent=2)
    if form != "json":
        text = yaml.safe_dump(whole, sort_keys=False) if form == "yaml" else f"# x\n{text}"
    for place in [f.place for f in objects("x", text, lambda *_: True) if isinstance(f, Found)]:
        assert "spec" in text.splitlines()[(place.line(("spec",)) or 0) - 1]


def test_a_list_with_aliases_between_its_items_is_read_whole() -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- &one\n  apiVersion: v1\n  kind: Pod\n  x: &x {y: 1}\n- {<<: *one, z: *x}\n"
    )
    assert [content for _, content, _ in found(text)] == [
        {"apiVersion": "v1", "kind": "Pod", "x": {"y": 1}},
        {"apiVersion": "v1", "kind": "Pod", "x": {"y": 1}, "z": {"y": 1}},
    ]


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("2024-02-30", "2024-02-30"),
        ("2024-02-03", "2024-02-03"),
        ("=", "="),
        ("!mine x", "x"),
        ("!mine {a: 1}", {"a": 1}),
        ("!!str 3", "3"),
        ('!!int "3"', 3),
        ("12:30:00", "12:30:00"),
        ("0644", 420),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1_000", 1000),
        ("08", "08"),
        ("9" * 5000, "9" * 5000),
        ("yes", True),
        ("~", None),
        ("'yes'", "yes"),
        ("1.5.3", "1.5.3"),
        ("<<", "<<"),
    ],
)
def test_words_mean_what_they_mean_to_kubectl(word: str, meaning: object) -> None:
    assert found(f"apiVersion: v1\nkind: Pod\nx: {word}\n")[0][1]["x"] == meaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind: List\nitems: [{apiVersion: v1, kind: Pod}]", ["Pod"]),
        ("kind: List\nitems: [{kind: List, items: [{apiVersion: v1, kind: Pod}]}]", ["Pod"]),
        ("apiVersion: v1\nkind: PodList\nitems: [{metadata: {}}]", ["Pod"]),
        ("apiVersion: x/v1\nkind: AllowList\nspec: {}", ["AllowList"]),
        ("apiVersion: v1\nkind: 'Pod' # one\n...\n---\napiVersion: v1\nkind: Pod", ["Pod", "Pod"]),
        ("%YAML 1.1\n---\napiVersion: v1\nkind: Pod\n", ["Pod"]),
        ("--- {apiVersion: v1, kind: Pod}\n--- # x\nkind: Pod\napiVersion: v1", ["Pod", "Pod"]),
        ("{apiVersion: v1, kind: Pod}", ["Pod"]),
        ('{"apiVersion": "v1", "kind": "Pod", "x": "\\ud83d\\ude00\\/"}', ["Pod"]),
        ("replicas: 3\nkind: Pod", []),
        ("- a\n- b", []),
        ("# nothing\n---\n---\n", []),
    ],
)
def test_documents_of_every_form_are_found(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_a_template_is_filled_with_its_own_parameters() -> None:
    text = """
apiVersion: template.openshift.io/v1
kind: Template
parameters: [{name: SIZE, value: 1Gi}, {name: N, value: "3"}, {name: OPEN}]
objects:
- {apiVersion: v1, kind: Pod, a: "${SIZE}", b: "${{N}}", c: "x-${N}-${OPEN}", d: "$(SIZE)"}
"""
    [(_, content, line)] = found(text)
    assert line == 6
    assert {key: content[key] for key in "abcd"} == {
        "a": "1Gi", "b": 3, "c": "x-3-${OPEN}", "d": "$(SIZE)"
    }  # fmt: skip


def test_a_parameter_without_a_value_is_no_error(tmp_path: Path) -> None:
    claim = pvc("c", resources={"requests": {"storage": "${SIZE}"}})
    template = {"apiVersion": "v1", "kind": "Template", "objects": [claim, pv("a")]}
    result = audited(tmp_path, json.dumps(template))
    assert [r.name for r in result.resources] == ["a"]
    assert result.problems == ()
    assert not_read(result.unread) == (
        "1 object not read: PersistentVolumeClaim with a parameter without a value \xd71"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_how_to_read(encoding: str, tmp_path: Path) -> None:
    text = f"# é\n{yaml.safe_dump(pv('a'))}"
    data = text.encode(encoding)
    assert [r.name for r in audited(tmp_path, data).resources] == ["a"]


def test_suffixes_may_be_in_upper_case(tmp_path: Path) -> None:
    assert [r.name for r in audited(tmp_path, json.dumps(pv("a")), "A.YAML").resources] == ["a"]


def test_objects_with_a_generated_name_are_told_apart_by_it(tmp_path: Path) -> None:
    one = pv("a")
    one["metadata"] = {"generateName": "job-"}
    assert [r.name for r in audited(tmp_path, json.dumps(one)).resources] == ["job-*"]


BAD = [
    ("a: [", "did not find expected node content"),
    ("a: b\n\0", "unacceptable character #x0000"),
    ("kind: Pod\napiVersion: v1\nx: &a [*a]", "an alias contains itself"),
    ("kind: Pod\napiVersion: v1\nx: " + "[" * 300 + "]" * 300, "nested more than 200 levels deep"),
    ("kind: Pod\napiVersion: v1\n? [a]\n: b", "a key is not a word"),
    ("{" * 100_000, "exceeded maximum nesting depth"),
    ('{"a":' * 5_000 + "1" + "}" * 5_000, "nested"),
    (
        "kind: Pod\napiVersion: v1\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
        "an object has more than 100,000 values, with its aliases expanded",
    ),
]


@pytest.mark.parametrize(("text", "said"), BAD)
@pytest.mark.parametrize("beside", ["in the same file", "in another"])
def test_what_is_bad_is_named_and_hides_nothing(
    text: str, said: str, beside: str, tmp_path: Path
) -> None:
    good = [yaml.safe_dump(pv(name)) for name in "abc"]
    if beside == "in another":
        (tmp_path / "0.yaml").write_text(good[0])
        (tmp_path / "2.yaml").write_text(f"{good[1]}---\n{good[2]}")
        data = text
    else:
        data = f"{good[0]}---\n{text}\n---\n{good[1]}---\n{good[2]}"
    result = audited(tmp_path, data, "1.yaml")
    assert [r.name for r in result.resources] == ["a", "b", "c"]
    [problem] = result.problems
    assert said in problem
    assert problem.startswith(f"{tmp_path}/1.yaml:")
    assert "\n" not in problem


def test_an_object_with_a_wrong_field_is_named_and_skipped(tmp_path: Path) -> None:
    wrong = pv("wrong", capacity={"storage": "lots"})
    result = audited(tmp_path, "---\n".join(map(yaml.safe_dump, (pv("a"), wrong, pv("b")))))
    assert [r.name for r in result.resources] == ["a", "b"]
    [problem] = result.problems
    assert problem.endswith(
        "PersistentVolume wrong: spec.capacity.storage: Invalid number format: lots"
    )


def test_several_bad_documents_of_a_file_are_one_sentence(tmp_path: Path) -> None:
    assert audited(
        tmp_path, f"a: [\n---\nb: ]\n---\nc: }}\n---\n{json.dumps(pv('a'))}"
    ).problems == (
        f"{tmp_path}/a.yaml:1 is not valid YAML: did not find expected node content; "
        "so are 2 more of its documents",
    )


def test_folders_and_links_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = os.walk

    def refusing(top: Path, onerror: Any) -> Any:
        onerror(PermissionError(13, "Permission denied", f"{top}/secret"))
        return walk(top)

    monkeypatch.setattr(os, "walk", refusing)
    (tmp_path / "gone.yaml").symlink_to("nowhere")
    (tmp_path / "fifo.yaml").mkdir()
    result = audited(tmp_path, json.dumps(pv("a")))
    assert set(result.problems) == {
        f"the folder {tmp_path}/secret cannot be read: Permission denied",
        f"{tmp_path}/gone.yaml cannot be read: No such file or directory",
    }


def test_kinds_that_are_not_read_are_counted(tmp_path: Path) -> None:
    patch = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    other = {"apiVersion": "example.com/v1", "kind": "Cluster", "metadata": {"name": "a"}}
    service = {**config, "kind": "Service"}
    old = {**pv("b"), "apiVersion": "extensions/v1beta1"}
    everything = [pv("a"), config, {**patch, "spec": {"replicas": 3}}, other, config, old, service]
    result = audited(tmp_path, "---\n".join(map(yaml.safe_dump, everything)))
    assert (len(result.resources), result.documents) == (1, 7)
    assert not_read(result.unread) == (
        "6 objects not read: ConfigMap \xd72, patch of a Deployment \xd71, Cluster \xd71, "
        "PersistentVolume of extensions/v1beta1 \xd71, Service \xd71"
    )
    assert not_read({}) == ""


def test_a_selector_with_an_operator_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    wrong = {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["x"]}]}
    (tmp_path / "pvc.json").write_text(json.dumps(pvc("c", selector=wrong)))
    (tmp_path / "pv.json").write_text(json.dumps(pv("a")))
    [problem] = read([str(tmp_path)]).problems
    assert "selector.matchExpressions.0" in problem
    assert problem.endswith("a selector cannot have the operator Like")
