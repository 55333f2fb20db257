"""Prints the journal's JSON schema, made from `landfast.journal`: `python -m reports.schema`."""

import json
import sys

from landfast.journal import EVENT


def journal_schema() -> str:
    """Return the schema of one line of a journal as JSON text.

    Every field is required because a journal is written with all of them.
    """
    schema = EVENT.json_schema(mode="serialization")
    for definition in schema["$defs"].values():
        if definition["type"] == "object":
            definition["required"] = list(definition["properties"])
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "One line of a Landfast journal"
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(journal_schema())
