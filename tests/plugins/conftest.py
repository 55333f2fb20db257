"""The suites whose runs the tests look at."""

from pathlib import Path

import pytest
from plugin_suite import Suite


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    project = Path(__file__).parents[2]
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # a worker that is stopped amid an import leaves that file open
    ini = "[pytest]\nfilterwarnings =\n  error\n  ignore:unclosed file:ResourceWarning\n"
    (pytester.path / "pytest.ini").write_text(ini)
    return Suite(pytester)
