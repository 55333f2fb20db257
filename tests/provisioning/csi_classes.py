"""Classes of csi-driver-nfs for tests of its model."""

import string
from dataclasses import replace

from hypothesis import strategies as st

from landfast.provisioning.contract import PvcMeta
from landfast.provisioning.csi import ClassSettings

PVC = PvcMeta("shop", "data")
PLAIN = ClassSettings("nfs.example.com", "/exports")

words = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=6)
paths = st.lists(words, min_size=1, max_size=3).map("/".join)
sub_dirs = st.one_of(
    st.none(),
    paths,
    st.sampled_from(["/", ".", "a/", "/a", "a//b", "./a", "a#b", "x#..", "${pvc.metadata.name}"]),
)
settings = st.builds(
    ClassSettings,
    server=st.just("nfs.example.com"),
    share=st.sampled_from(["/", "/exports", "exports/"]),
    reclaim_policy=st.sampled_from(["Delete", "Retain"]),
    sub_dir=sub_dirs,
    on_delete=st.sampled_from([None, "", "delete", "retain", "archive", "Archive", "RETAIN"]),
)


def made(sub_dir: str | None, on_delete: str | None = None) -> ClassSettings:
    return replace(PLAIN, sub_dir=sub_dir, on_delete=on_delete)


NESTED = made("${pvc.metadata.namespace}/${pvc.metadata.name}")
