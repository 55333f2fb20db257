"""Text inside Markdown and XML: it shows there as it is."""

import re
from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~@$])")
_NOT_IN_XML = re.compile("[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def markdown(text: str) -> str:
    """Return text on one line, escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split())).replace("&", "&amp;")


def markdown_code(text: str) -> str:
    """Return text on one line as code, also in a table."""
    line = " ".join(text.split())
    return f"`{line.replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; its cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def in_xml(text: str) -> str:
    """Return text without the characters that XML forbids."""
    return _NOT_IN_XML.sub("", text)
