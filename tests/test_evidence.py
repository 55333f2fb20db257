"""Evidence is taken where things are broken: that must not break the run."""

from pathlib import Path

import pytest
from urllib3.exceptions import MaxRetryError

from landfast.cluster.base import Cluster
from landfast.environment import Environment
from landfast.evidence import collect
from landfast.images import Images
from landfast.kube.client import Kube, Object
from landfast.nfs.export import Export

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
users: [{name: u, user: {}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


def test_a_cluster_that_is_gone_gives_evidence_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> list[Object]:
        raise MaxRetryError(None, "/api", ConnectionRefusedError("refused"))  # type: ignore[arg-type]

    monkeypatch.setattr(Kube, "list", refuse)
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    env = Environment(
        run_id="r",
        cluster=Cluster(
            provider="kind", name="c", kubeconfig=tmp_path / "kubeconfig", context="c", nodes=("n",)
        ),
        export=Export(server="10.0.0.1", path="/", kind="external"),
        images=Images("kit", *["none"] * 6),
        nfs_client="fuse",
        engine=None,
    )
    pieces = dict(collect(env, []))
    assert pieces
    for text in pieces.values():
        assert text.startswith("could not be collected: ")
