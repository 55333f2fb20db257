"""Findings as one HTML file, without external assets, readable without JavaScript."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from landfast import __version__, paths
from landfast.audit.findings import Severity
from landfast.audit.report import Report

_TONES = {Severity.ERROR: "fail", Severity.WARNING: "unknown", Severity.NOTE: "skipped"}
"""The classes that the style of a run's report has for them."""


def to_html(report: Report) -> str:
    """Return findings as a page in the style of a run's report."""
    templates = Environment(
        loader=FileSystemLoader(
            [paths.PACKAGE / "audit/templates", paths.PROJECT / "reports/html/templates"]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("audit.html")
    return page.render(report=report, tones=_TONES, version=__version__) + "\n"
