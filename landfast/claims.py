"""Claims: what must hold, each with an id, a text and its source.

They are in a `claims.yaml` beside the tests that prove them; rows of a table carry their own.
"""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from landfast.errors import BadInput

ClaimId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class Claim(BaseModel):
    """A statement that must hold; its id begins with its suite (`walkthrough.pv-is-available`).

    `means` is what it means for a database if it does not hold, where the text does not say so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: ClaimId
    text: Annotated[str, StringConstraints(pattern=r"\b(MUST|SHOULD)\b")]
    source: Annotated[str, StringConstraints(min_length=3)]
    means: str = ""

    @property
    def suite(self) -> str:
        """The suite that proves the claim: the id up to its first dot."""
        return self.id.partition(".")[0]


def load_claims(folder: Path) -> dict[str, Claim]:
    """Return the claims of every `claims.yaml` below `folder` by id, in the files' order.

    Raises:
        BadInput: a file cannot be read, a claim is malformed, or an id is defined twice.
    """
    by_id: dict[str, Claim] = {}
    for path in sorted(folder.rglob("claims.yaml")):
        for claim in _read(path):
            if claim.id in by_id:
                raise BadInput(f"{path} defines claim {claim.id} a second time")
            by_id[claim.id] = claim
    return by_id


def _read(path: Path) -> list[Claim]:
    try:
        return TypeAdapter(list[Claim]).validate_python(yaml.safe_load(path.read_text()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ", ".join(f"claim {p + 1}" if isinstance(p, int) else p for p in first["loc"])
        raise BadInput(f"{path}: {where}: {first['msg']}".replace(": : ", ": ")) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise BadInput(f"the claims in {path} cannot be read: {said}") from error
