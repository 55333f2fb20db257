"""A run as one HTML file, without external assets, readable without JavaScript."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.chaos import chaos_of
from reports.html.excerpts import excerpts
from reports.matrix import matrices
from reports.model import SHOWN_FIRST, Summary
from reports.survival_words import gist, intervals, lost_run, moment, was_read
from reports.text import duration, elapsed, plural, shorten
from reports.timeline import timeline

_LONG = 4_000


def render_html(summary: Summary, folder: Path) -> str:
    """Return the report; it includes the evidence in `folder`, cut where it is long."""
    chaos = chaos_of(summary)
    style, script = _source("style.css"), _source("script.js")
    if chaos:
        style += _source("chaos.css")
    return _TEMPLATES.get_template("report.html").render(
        summary=summary,
        excerpts=excerpts(summary, folder),
        chaos=chaos,
        matrices=matrices(summary),
        verdicts=SHOWN_FIRST,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _source(name: str) -> Markup:
    return Markup(Path(__file__).with_name("templates").joinpath(name).read_text("utf-8"))  # noqa: S704 - our own file


def _hash(text: str) -> str:
    """Return the hash with which a Content-Security-Policy allows this text only."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _anchor(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text)


def _percent(part: float, whole: float) -> str:
    return f"{min(100.0, 100 * part / whole) if whole else 0:.1f}"


_TEMPLATES = Environment(
    loader=PackageLoader("reports.html"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "anchor": _anchor,
    "duration": duration,
    "elapsed": elapsed,
    "gist": gist,
    "intervals": intervals,
    "long": lambda text: shorten(text, _LONG),
    "lost_run": lambda run, survival: lost_run(survival, run),
    "moment": lambda at, survival: moment(survival, at),
    "percent": _percent,
    "timeline": timeline,
    "was_read": was_read,
}
_TEMPLATES.globals["plural"] = plural
