"""What was read from the ledger after recovery: one value, kept beside the history."""

from pydantic import BaseModel, ConfigDict, Field

from landfast.mysql.history import Runs


class FinalReading(BaseModel):
    """Everything that is in the ledger's tables, read after recovery. Keys are writers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: dict[int, Runs]
    transfers: dict[int, Runs]
    registers: dict[int, int]
    balances: dict[int, int] = Field(description="by account")
    duplicates: tuple[str, ...] = Field((), description="rows that are there more than once")
    damaged: tuple[str, ...] = Field((), description="rows whose content is not what was written")
