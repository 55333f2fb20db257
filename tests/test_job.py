"""What `landfast job` prints: objects that a strict cluster admits, and a run's own options."""

import re
import tomllib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_settings import VALUES

from landfast import paths
from landfast.cluster.rights import manifest
from landfast.errors import BadInput
from landfast.image_names import LANDFAST_IMAGE
from landfast.images import registry_names
from landfast.in_cluster import config_maps
from landfast.job import OPTIONS, SONOBUOY_RESULTS, job
from landfast.kube import Object
from landfast.settings import is_repeated, load_settings, options_of

SUITES = ("conformance", "smoke", "chaos")
CONTAINERFILE = (paths.PACKAGE / "Containerfile").read_text()


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that gives the objects printed for flags, by their field names."""

    def printed(suite: str | None = None, *, sonobuoy: bool = False, **given: Any) -> list[Object]:
        place = {name: given.pop(name, None) for name in ("namespace", "image")}
        job({"storage_class": "fast-nfs"} | given, suite, **place, sonobuoy=sonobuoy)
        return list(yaml.safe_load_all(capsys.readouterr().out))

    return printed


def by_kind(objects: list[Object]) -> dict[str, Object]:
    return {obj["kind"]: obj for obj in objects}


def pod_of(objects: list[Object]) -> Object:
    return dict(by_kind(objects)["Job"]["spec"]["template"]["spec"])


def test_objects_come_in_the_order_in_which_they_need_each_other(printed: Any) -> None:
    assert [obj["kind"] for obj in printed()] == [
        *("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Job")
    ]


def test_namespace_of_the_user_is_not_made_and_so_not_deleted(printed: Any) -> None:
    objects = printed(namespace="theirs")
    assert "Namespace" not in by_kind(objects)
    assert {obj["metadata"].get("namespace", "theirs") for obj in objects} == {"theirs"}
    (subject,) = by_kind(objects)["ClusterRoleBinding"]["subjects"]
    assert subject["namespace"] == "theirs"


@pytest.mark.parametrize(
    ("given", "role"), [({}, "landfast-class"), ({"nfs_server": "h:/p"}, "landfast-full")]
)
def test_pod_has_the_rights_that_the_run_checks_under_a_name_of_its_own(
    printed: Any, given: dict[str, str], role: str
) -> None:
    found = by_kind(printed(**given))
    documented = yaml.safe_load(manifest(role))
    assert found["ClusterRole"]["rules"] == documented["rules"]
    assert found["ClusterRole"]["metadata"]["name"] != documented["metadata"]["name"]
    assert (
        found["ClusterRoleBinding"]["roleRef"]["name"] == found["ClusterRole"]["metadata"]["name"]
    )
    assert pod_of([*found.values()])["serviceAccountName"] == "landfast"


def test_pod_is_as_pod_security_restricted_and_a_quota_ask(printed: Any) -> None:
    pod = pod_of(printed())
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "runAsUser": 999,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    for kind in ("requests", "limits"):
        assert set(container["resources"][kind]) == {"cpu", "memory"}


def test_pod_goes_where_the_pods_of_the_run_go(printed: Any) -> None:
    pod = pod_of(printed(node_selector=["pool=db"], toleration=["db:NoSchedule"], pull_secret="s"))
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "pool": "db"}
    assert pod["tolerations"] == [{"key": "db", "operator": "Exists", "effect": "NoSchedule"}]
    assert pod["imagePullSecrets"] == [{"name": "s"}]
    assert {"--node-selector=pool=db", "--toleration=db:NoSchedule", "--pull-secret=s"} <= {
        *pod["containers"][0]["args"]
    }


def test_writers_in_pods_have_their_rights_and_the_image_of_the_job(printed: Any) -> None:
    given = {"writers": "16", "writer_pods": "2", "image": "r/landfast:1"}
    objects = printed("chaos", **given)
    rules = yaml.safe_load(manifest("landfast-class"))["rules"]
    more = yaml.safe_load(manifest("landfast-writers"))["rules"]
    assert by_kind(objects)["ClusterRole"]["rules"] == [*rules, *more]
    (container,) = pod_of(objects)["containers"]
    assert "--writer-image=r/landfast:1" in container["args"]
    (other,) = pod_of(printed("chaos", **given, writer_image="r/w:1"))["containers"]
    assert "--writer-image=r/w:1" in other["args"]
    (plain,) = pod_of(printed("chaos", image="r/landfast:1"))["containers"]
    assert not [word for word in plain["args"] if "writer" in word]


def test_run_that_failed_is_not_repeated(printed: Any) -> None:
    objects = printed()
    assert by_kind(objects)["Job"]["spec"]["backoffLimit"] == 0
    assert pod_of(objects)["restartPolicy"] == "Never"


@given(st.sampled_from(SUITES), st.sets(st.sampled_from(sorted(OPTIONS))))
def test_pods_command_line_means_what_was_asked_for(suite: str, fields: set[str]) -> None:
    from landfast import job as module

    given = {"storage_class": "s"} | {n: VALUES[n][0] for n in fields & options_of(suite)}
    given.pop("registry", None) if given.get("images") == "kit" else None
    for of_volumes in ("mount_options", "nfs_version"):  # the class has its own
        given.pop(of_volumes, None)
    if given.keys() & {"writers", "writer_pods"}:
        given |= {"writers": "64", "writer_pods": "8"}
    place = {"cluster": "existing", "context": "in-cluster"}
    asked = load_settings({**given, **place})
    options = [option.removeprefix("--") for option in module._options(asked, suite)]
    understood: dict[str, Any] = {}
    for name, _, value in (option.partition("=") for option in options):
        field = name.replace("-", "_")
        repeated = [*understood.get(field, []), value] if is_repeated(field) else value
        understood[field] = repeated or True
    expected = asked if "processes" in given or suite != "conformance" else None
    got = load_settings({**understood, **place})
    assert got == (expected or asked.model_copy(update={"processes": "4"}))


def test_every_option_that_may_be_given_is_one_of_the_suites() -> None:
    assert set().union(*map(options_of, SUITES)) >= OPTIONS


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"suite": "audit"}, "there is no suite audit: name one of conformance, smoke, chaos"),
        ({"budget": "10m"}, "--budget is no option of the suite conformance"),
        ({"suite": "chaos", "processes": "2"}, "--processes is no option of the suite chaos"),
        ({"sonobuoy": True, "namespace": "x"}, "--namespace does not go with --sonobuoy"),
        ({"storage_class": None}, "--cluster existing needs --nfs-server, or --storage-class"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_printed(
    printed: Any, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadInput, match=re.escape(sentence)):
        printed(**arguments)


def test_plugin_of_sonobuoy_runs_the_same_and_leaves_junit_where_it_looks(printed: Any) -> None:
    (plugin,) = printed("smoke", sonobuoy=True, image="acme/landfast:1", images="registry")
    assert plugin["sonobuoy-config"]["result-format"] == "junit"
    spec = plugin["spec"]
    assert spec["image"] == "acme/landfast:1"
    assert spec["volumeMounts"] == [{"name": "results", "mountPath": SONOBUOY_RESULTS}]
    (container,) = pod_of(printed("smoke", images="registry"))["containers"]
    assert spec["args"] == container["args"]
    assert spec["command"][-2:] == ["sonobuoy", "smoke"]


def test_plugins_pod_goes_where_the_jobs_pod_goes(printed: Any) -> None:
    placed = {"node_selector": ("disk=ssd",), "toleration": ("db",), "pull_secret": "theirs"}
    (plugin,) = printed(sonobuoy=True, **placed)
    ours, of_job = plugin["podSpec"], pod_of(printed(**placed))
    for field in ("nodeSelector", "tolerations", "imagePullSecrets", "restartPolicy"):
        assert ours[field] == of_job[field]
    assert ours["nodeSelector"] == {"kubernetes.io/os": "linux", "disk": "ssd"}
    assert ours["containers"] == []


class TestContainerfile:
    def test_base_is_pinned_as_the_other_images_are(self) -> None:
        assert f"docker.io/library/{_value('ARG BASE=')}" == registry_names()["debian"]

    def test_name_is_the_one_that_the_job_asks_for(self) -> None:
        assert f"--tag {LANDFAST_IMAGE} " in CONTAINERFILE

    def test_copies_all_that_the_wheel_is_made_of(self) -> None:
        project = tomllib.loads((paths.PROJECT / "pyproject.toml").read_text())
        wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
        for folder in wheel["only-include"]:
            assert f"COPY {folder} /source/{folder}\n" in CONTAINERFILE
        for file in ("pyproject.toml", project["project"]["readme"], *wheel["force-include"]):
            assert re.search(rf"^COPY .*\b{re.escape(file)} .*/source/$", CONTAINERFILE, re.M)


def test_documented_commands_find_what_the_pod_leaves() -> None:
    text = (paths.PROJECT / "docs" / "in-cluster.md").read_text()
    summary, piece = config_maps("conformance", 0, None)
    (label,) = piece["metadata"]["labels"].items()
    assert f"-n landfast {summary['metadata']['name']} " in text
    assert f"-l {'='.join(label)} " in text
    assert f'index .binaryData "{next(iter(piece["binaryData"]))}"' in text


def _value(begin: str) -> str:
    (line,) = (text for text in CONTAINERFILE.splitlines() if text.startswith(begin))
    return line.removeprefix(begin)
