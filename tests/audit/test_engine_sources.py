"""What the tables say of other software has a source."""

import re

import pytest

from landfast.audit import operators
from landfast.audit.engines import Engine, table

_SOMEWHERE = re.compile(r"https://|, |\w/\w")


@pytest.mark.parametrize("engine", table().engines, ids=str)
def test_what_is_said_of_an_engine_has_a_source(engine: Engine) -> None:
    assert bool(engine.locked_by) == (engine.locks is True)
    assert bool(engine.unsafe_by) == bool(engine.unsafe)
    assert engine.nfs is None or _SOMEWHERE.search(engine.nfs.source)


def test_what_is_said_of_an_operator_has_a_source() -> None:
    sources = {m.kind: m.source for found in operators.table().values() for m in found}
    assert [kind for kind, source in sources.items() if not _SOMEWHERE.search(source)] == [
        "OpenSearchCluster.opensearch.opster.io",  # of which no file of its maker was found
        "OpenSearchCluster.opensearch.org",
    ]
