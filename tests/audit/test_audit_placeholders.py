"""A placeholder is found wherever storage is named, and a name that looks like none is not."""

from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import parameters, pv
from workloads_to_vary import found

from landfast.kube.client import Object

WORDS = st.from_regex(r"\A[a-z][a-z0-9]{0,5}\Z").filter(lambda word: set(word) != {"x"})
LEFT = st.one_of(
    st.builds("<{}>".format, WORDS),
    st.builds("your-{}".format, WORDS),
    st.builds("YOUR_{}".format, WORDS.map(str.upper)),
    st.sampled_from(["CHANGEME", "change-me", "REPLACE_ME", "x.x.x.x", "10.0.x.x", "fs-XXXX"]),
)
HOSTS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=4).map(".".join),
    st.lists(st.integers(0, 255).map(str), min_size=4, max_size=4).map(".".join),
    st.builds("fs-{}".format, st.from_regex(r"\A[0-9a-f]{8,17}\Z")),
)


def named(text: str) -> list[list[Object]]:
    return [
        [pv("a", nfs={"server": text, "path": "/exports/a"})],
        [pv("a", nfs=None, csi={"driver": "efs.csi.aws.com", "volumeHandle": text})],
        [parameters(server=text, share="/exports")],
    ]


@given(LEFT, HOSTS)
def test_it_is_found_in_volumes_and_classes(left: str, host: str) -> None:
    for objects in named(left):
        assert len(found(objects, "placeholder-left")) == 1
    for objects in named(host):
        assert found(objects, "placeholder-left") == set()
