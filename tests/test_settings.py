"""Every option in its three forms, what wins, and what a mistake reads like."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.errors import BadInput
from landfast.settings import Settings, flag, load_settings

EXISTING = {"cluster": "existing", "context": "staging", "nfs_server": "10.0.0.5:/export"}
OF_CLASS = {"cluster": "existing", "context": "staging", "storage_class": "fast-nfs"}
# field: its flag's text, what the text means, and what else has to be given for it to make sense
VALUES: dict[str, tuple[str, object, dict[str, str]]] = {
    "cluster": ("existing", "existing", {"context": "c", "nfs_server": "h:/p"}),
    "context": ("staging", "staging", {"cluster": "existing", "nfs_server": "h:/p"}),
    "kubeconfig": ("a/config", Path("a/config"), EXISTING),
    "nfs_server": ("h:/p", "h:/p", {"cluster": "existing", "context": "c"}),
    "storage_class": ("fast-nfs", "fast-nfs", {}),
    "namespace": ("team-a", "team-a", OF_CLASS),
    "pull_secret": ("registry-key", "registry-key", EXISTING),
    "node_selector": ("disk=ssd,zone=a", ("disk=ssd", "zone=a"), EXISTING),
    "toleration": ("db,team=a:NoExecute", ("db", "team=a:NoExecute"), EXISTING),
    "mount_options": ("nconnect=4,noatime", ("nconnect=4", "noatime"), {}),
    "nfs_version": ("4.1", "4.1", {}),
    "plan": ("true", True, EXISTING),
    "nfs_client": ("fuse", "fuse", {}),
    "images": ("kit", "kit", {}),
    "registry": ("mirror.example:5000/x", "mirror.example:5000/x", {}),
    "node_image": ("kindest/node:v1.35.0", "kindest/node:v1.35.0", {}),
    "mysql_image": ("mysql:5.7", "mysql:5.7", {}),
    "provisioner_image": ("build:1", "build:1", {}),
    "nfs_server_image": ("nfs.example/ganesha:9", "nfs.example/ganesha:9", {}),
    "provisioner_contract": ("master", "master", {}),
    "mysql_port": ("3306", 3306, {}),
    "i_own_this_cluster": ("staging", "staging", EXISTING),
    "server_stop": ("stop it", "stop it", {**OF_CLASS, "server_start": "start it"}),
    "server_start": ("start it", "start it", {**OF_CLASS, "server_stop": "stop it"}),
    "writers": ("64", 64, {**OF_CLASS, "writer_pods": "8"}),
    "writer_pods": ("8", 8, {**OF_CLASS, "writers": "64"}),
    "writer_image": ("mirror.example/landfast:1", "mirror.example/landfast:1", OF_CLASS),
    "binding_cases": ("2000", 2000, {}),
    "select": ("mysql and not dynamic", "mysql and not dynamic", {}),
    "processes": ("auto", "auto", {}),
    "workers": ("kernel", "kernel", {}),
    "nfs_server_kind": ("kernel", "kernel", {}),
    "fail_fast": ("true", True, {}),
    "scenario": ("pod-delete,nfs-kill", "pod-delete,nfs-kill", {}),
    "budget": ("10m", "10m", {}),
    "list": ("true", True, {}),
    "patience": ("2.5", 2.5, {}),
    "seed": ("7", 7, {}),
    "keep": ("true", True, {}),
    "out": ("results", Path("results"), {}),
}


@pytest.fixture(autouse=True)
def empty_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("LANDFAST_"):
            monkeypatch.delenv(name)


def toml(values: dict[str, Any]) -> None:
    lines = [f"{k} = {v}" if v.isdigit() else f'{k} = "{v}"' for k, v in values.items()]
    Path("landfast.toml").write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("given", "stretch"),
    [
        ({}, 1),
        ({"patience": "2.5"}, 2.5),
        ({"workers": "kernel"}, 3),
        ({"nfs_server_kind": "kernel"}, 3),
        ({"nfs_server_kind": "kernel", "patience": "1"}, 1),
    ],
)
def test_machines_have_more_time(given: dict[str, str], stretch: float) -> None:
    assert load_settings(given).stretch == stretch


def test_every_field_is_tried_here() -> None:
    assert set(VALUES) == set(Settings.model_fields)


@pytest.mark.parametrize("field", VALUES)
def test_a_flag_a_variable_and_a_key_mean_the_same(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, meant, others = VALUES[field]
    assert getattr(load_settings({**others, field: text}), field) == meant
    with monkeypatch.context() as environment:
        environment.setenv(f"LANDFAST_{field.upper()}", text)
        assert getattr(load_settings(others), field) == meant
    toml({**others, field: text})
    assert getattr(load_settings({}), field) == meant


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toml({"mysql_port": "1111", "images": "kit", "out": "from-file"})
    monkeypatch.setenv("LANDFAST_MYSQL_PORT", "2222")
    monkeypatch.setenv("LANDFAST_IMAGES", "registry")
    settings = load_settings({"mysql_port": "3333", "images": None})
    assert (settings.mysql_port, settings.images) == (3333, "registry")
    assert settings.out == Path("from-file")


def test_nothing_given_is_a_cluster_of_ones_own() -> None:
    settings = load_settings(dict.fromkeys(Settings.model_fields))
    assert (settings.cluster, settings.images, settings.keep) == ("kind", "auto", False)
    assert settings.mysql_port == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"cluster": "foo"}, "--cluster 'foo': it must be 'kind' or 'existing'"),
        ({"images": "docker"}, "--images 'docker': it must be 'auto', 'registry' or 'kit'"),
        ({"nfs_client": "nfs"}, "--nfs-client 'nfs': it must be 'auto', 'kernel' or 'fuse'"),
        ({"mysql_port": "99999"}, "--mysql-port '99999': it must be less than or equal to 65535"),
        ({"mysql_port": "-1"}, "--mysql-port '-1': it must be greater than or equal to 0"),
        ({"mysql_port": "abc"}, "--mysql-port 'abc': it must be a valid integer"),
        ({"binding_cases": "1"}, "--binding-cases '1': it must be greater than or equal to 2"),
        ({"provisioner_contract": "v5"}, "--provisioner-contract 'v5': it must be 'auto', "),
        ({"i_own_this_cluster": "c"}, "--i-own-this-cluster needs --cluster existing"),
        ({**OF_CLASS, "writers": "64"}, "--writers and --writer-pods go together"),
        ({**OF_CLASS, "writer_pods": "8"}, "--writers and --writer-pods go together"),
        ({**OF_CLASS, "writers": "8", "writer_pods": "9"}, "--writer-pods: there are fewer"),
        ({**OF_CLASS, "writers": "7", "writer_pods": "1"}, "--writers '7': it must be greater"),
        ({"writers": "8", "writer_pods": "1"}, "--writers needs --cluster existing"),
        ({**EXISTING, "writers": "8", "writer_pods": "1"}, "--writers needs --storage-class"),
        ({**OF_CLASS, "server_stop": "x"}, "--server-stop needs --server-start: what breaks must"),
        ({**OF_CLASS, "server_start": "x"}, "--server-start needs --server-stop"),
        ({"server_stop": "x", "server_start": "y"}, "--server-stop needs --cluster existing"),
        (
            {**EXISTING, "server_stop": "x", "server_start": "y"},
            "--server-stop needs --storage-class",
        ),
        ({"patience": "0"}, "--patience '0': it must be greater than 0"),
        ({"patience": "inf"}, "--patience 'inf': it must be a finite number"),
        ({"processes": "many"}, "--processes 'many': it must be a number or auto"),
        ({"workers": "kernel", "nfs_client": "fuse"}, "--nfs-client does not go with --workers"),
        ({"keep": "perhaps"}, "--keep 'perhaps': it must be a valid boolean"),
        ({"mysql_image": "my sql"}, "--mysql-image 'my sql': it must be the name of an image"),
        ({"node_image": "Node:1"}, "--node-image 'Node:1': it must be the name of an image"),
        ({"mysql_image": "mysql:5.6"}, "--mysql-image mysql:5.6 is older than 5.7"),
        ({"mysql_image": "a.b:5000/mysql:5.5.62-debian"}, "5.5.62-debian is older than 5.7"),
        ({"cluster": "existing"}, "--cluster existing needs --context"),
        ({"cluster": "existing", "context": "c"}, "--cluster existing needs --nfs-server"),
        ({"context": "c"}, "--context needs --cluster existing"),
        ({"nfs_server": "h:/p"}, "--nfs-server needs --cluster existing"),
        ({"kubeconfig": "c"}, "--kubeconfig needs --cluster existing"),
        ({**EXISTING, "keep": True}, "--keep needs --cluster kind"),
        ({**EXISTING, "nfs_client": "fuse"}, "--nfs-client needs --cluster kind"),
        ({**EXISTING, "node_image": "n:1"}, "--node-image needs --cluster kind"),
        ({**EXISTING, "nfs_server_image": "n:1"}, "--nfs-server-image needs --cluster kind"),
        ({**EXISTING, "mysql_port": "3306"}, "--mysql-port needs --cluster kind"),
        ({**EXISTING, "nfs_server": "host"}, "--nfs-server 'host': it must be HOST:/PATH"),
        ({"plan": True}, "--plan needs --cluster existing"),
        ({"toleration": ["a"]}, "--toleration needs --cluster existing"),
        ({**EXISTING, "node_selector": ["disk"]}, "--node-selector 'disk': it must be KEY=VALUE"),
        ({**EXISTING, "toleration": ["a:Never"]}, "'a:Never': it must be KEY[=VALUE][:EFFECT]"),
        ({**EXISTING, "pull_secret": "A B"}, "--pull-secret 'A B': it must be the name of an obj"),
        ({"nfs_version": "4"}, "--nfs-version '4': it must be '3', '4.0', '4.1' or '4.2'"),
        ({**OF_CLASS, "nfs_version": "3"}, "--nfs-version are for volumes that the run brings"),
        ({**OF_CLASS, "mount_options": "ro"}, "the options of that class are judged"),
        ({**EXISTING, "namespace": "team-a"}, "--namespace needs --storage-class"),
        ({**OF_CLASS, "nfs_server": "h:/p", "namespace": "a"}, "and no --nfs-server"),
        ({"registry": "https://r.example"}, "--registry 'https://r.example': it must be HOST[:"),
        ({"registry": ""}, "--registry '': it must be HOST[:PORT][/PREFIX]"),
        ({"registry": "r", "images": "kit"}, "--registry does not work with --images kit"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_flag(
    flags: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput) as caught:
        load_settings(flags)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 4


def test_a_wrong_variable_or_key_is_named_as_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    toml({"cluster": "foo"})
    with pytest.raises(BadInput, match="^cluster in landfast.toml 'foo': it must be"):
        load_settings({})
    monkeypatch.setenv("LANDFAST_CLUSTER", "bar")
    with pytest.raises(BadInput, match="^LANDFAST_CLUSTER 'bar': it must be"):
        load_settings({})


def test_an_unknown_key_is_refused_and_the_known_are_listed() -> None:
    toml({"cluter": "kind"})
    with pytest.raises(BadInput, match="^landfast.toml has the unknown key 'cluter'; .*cluster, "):
        load_settings({})


def test_an_unknown_variable_is_refused_and_the_known_are_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LANDFAST_MYSQLPORT", "1")
    with pytest.raises(BadInput, match="^LANDFAST_MYSQLPORT is not .*LANDFAST_MYSQL_PORT"):
        load_settings({})


@pytest.mark.parametrize("text", ["cluster = ", "=", "[cluster", 'cluster = "kind', "\udcff"])
def test_a_file_that_is_no_toml_is_one_sentence(text: str) -> None:
    Path("landfast.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadInput, match="^landfast.toml cannot be read: ") as caught:
        load_settings({})
    assert "\n" not in str(caught.value)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.sampled_from([text, "", "x", "0", "-1", "kind", "kit", "fuse", "mysql:8.4"])
            for name, (text, _, _) in VALUES.items()
        },
    )
)
def test_whatever_is_given_it_is_settings_or_one_sentence(flags: dict[str, Any]) -> None:
    try:
        settings = load_settings(flags)
    except BadInput as error:
        message = str(error)
    else:
        message = ""
        assert (settings.cluster == "existing") == (settings.context is not None)
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("0.5h", 1800), ("1h", 3600)]
)
def test_a_budget_is_a_time(text: str, seconds: float) -> None:
    assert load_settings({"budget": text}).budget_seconds == seconds


@pytest.mark.parametrize("text", ["", "10", "ten minutes", "10x", "-5m", "1.5.2h", "10m ", "1m\n"])
def test_a_budget_that_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="it must be a time such as 600s, 10m or 1h$"):
        load_settings({"budget": text})


def test_flags_are_written_with_dashes() -> None:
    assert flag("nfs_server") == "--nfs-server"
