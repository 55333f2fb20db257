"""A container freezes once none of its processes is in the middle of a sync."""

import json
from typing import Any

import pytest

from landfast.docker import Engine
from landfast.process import Result


def test_what_cannot_be_frozen_just_then_is_frozen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def docker(_engine: Engine, *arguments: str, **_options: Any) -> Result:
        if arguments[0] == "pause":
            tries.append(arguments[1])
            return Result(0, "", "unable to freeze")
        state = {"Status": "paused" if len(tries) == 3 else "running", "ExitCode": 0, "Pid": 1}
        state |= {"StartedAt": "", "FinishedAt": ""}
        return Result(0, json.dumps([{"State": state}]), "")

    monkeypatch.setattr(Engine, "_docker", docker)
    Engine("26").pause("node")
    assert tries == ["node"] * 3
