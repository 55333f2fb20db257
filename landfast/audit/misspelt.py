"""Fields that do not exist, beside the ones that are meant."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from pydantic import BaseModel, model_validator

_NEAR = 0.85  # of the letters; storageClass is meant for storageClassName


class Spelt(BaseModel):
    """A part of an object whose fields are known, and that keeps those which are misspelt."""

    fields: ClassVar[frozenset[str]]
    misspelt: Mapping[str, str] = {}
    """fields that do not exist, each with the one that is meant"""

    @model_validator(mode="before")
    @classmethod
    def _with_misspelt(cls, given: Any) -> Any:
        if isinstance(given, dict) and (found := _misspelt(given, cls.fields)):
            return {**given, "misspelt": found}
        return given


def _misspelt(given: Mapping[str, Any], fields: frozenset[str]) -> dict[str, str]:
    """Find misspelt fields; one that resembles no other may be newer than the list."""
    found = {}
    for key in given.keys() - fields:
        by_case = [field for field in fields if field.lower() == str(key).lower()]
        if near := by_case or get_close_matches(str(key), fields, n=1, cutoff=_NEAR):
            found[str(key)] = near[0]
    return found
