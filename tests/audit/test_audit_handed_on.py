"""What the rule on directories that are handed on says follows from the provisioners' contracts."""

from cases_csi import made as csi_class
from hypothesis import given
from hypothesis import strategies as st
from objects_to_audit import inventory, storage_class
from workloads_to_vary import found

from landfast.audit.fates import fate_of_class
from landfast.audit.made import directory_for
from landfast.audit.objects import Metadata, PvcObject
from landfast.provisioning.contract import Reclaimed

PARTS = ["${pvc.metadata.namespace}", "${pvc.metadata.name}", "${pv.metadata.name}", "x"]
SUBDIRS = st.lists(st.sampled_from(PARTS), max_size=4).map("-".join)
PATTERNS = st.lists(
    st.sampled_from(["${.PVC.namespace}", "${.PVC.name}", "x"]), min_size=1, max_size=3
)
POLICIES = st.sampled_from(["Retain", "Delete"])
ON_DELETE = st.sampled_from(["retain", "delete", "archive", ""])
LEFT = (Reclaimed.KEPT, Reclaimed.LEAKED)


@given(SUBDIRS, POLICIES, ON_DELETE)
def test_under_csi_driver_nfs_a_volumes_own_name_decides(
    sub_dir: str, policy: str, on_delete: str
) -> None:
    made = csi_class({"subDir": sub_dir, "onDelete": on_delete}, reclaimPolicy=policy)
    [read] = inventory(made).classes
    hit = bool(found([made], "directory-handed-on"))
    kept = fate_of_class(read).reclaimed in LEFT
    own = {"${pvc.metadata.namespace}", "${pvc.metadata.name}"} <= set(sub_dir.split("-"))
    assert hit == (kept and own and "${pv.metadata.name}" not in sub_dir)
    if hit:  # the class alone says where the next PVC's data is
        pvc = PvcObject(kind="PersistentVolumeClaim", metadata=Metadata(name="a", namespace="b"))
        assert directory_for(pvc, read, {}) is not None


@given(PATTERNS, st.sampled_from(["-", "/", "."]), POLICIES, ON_DELETE)
def test_under_the_subdir_provisioner_any_pattern_of_both_names_counts(
    parts: list[str], joined: str, policy: str, on_delete: str
) -> None:
    given_ = {"pathPattern": joined.join(parts), "onDelete": on_delete}
    made = storage_class("nfs", parameters=given_, reclaimPolicy=policy)
    [read] = inventory(made).classes
    own = {"${.PVC.namespace}", "${.PVC.name}"} <= set(parts)
    kept = fate_of_class(read).reclaimed in LEFT
    assert bool(found([made], "directory-handed-on")) == (kept and own)
