"""act as a self-hosted runner: jobs run on this machine, actions come from its folders."""

import json
import socket
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from landfast import process, timeouts

ACTION = "landfast/landfast@v0"
"""How the workflow names the action."""


@dataclass(frozen=True)
class Job:
    """A job that has ended.

    `lines` are its log's, as act prints them; `artifacts` what was uploaded: the content of each
    file by the artifact's name and the file's.
    """

    passed: bool
    outputs: Mapping[str, str]
    lines: tuple[Mapping[str, Any], ...]
    artifacts: Mapping[str, Mapping[str, bytes]] = field(repr=False)

    def said(self, command: str) -> list[str]:
        """Return what the job said by a workflow command: `error`, `warning` or `summary`."""
        key = "content" if command == "summary" else "raw"
        return [line[key] for line in self.lines if line.get("command") == command]

    @property
    def log(self) -> str:
        """What the steps printed and how they ended."""
        shown = [line for line in self.lines if {"raw_output", "stepResult"} & set(line)]
        return "\n".join(str(line["msg"]).rstrip() for line in shown)

    @property
    def exit_status(self) -> int:
        """The exit code of the step that ran Landfast, as the runner saw it."""
        run = [line["msg"] for line in self.lines if line.get("stepID") == ["landfast", "run"]]
        ends = [msg.removeprefix("exit status ") for msg in run if msg.startswith("exit status ")]
        return int(ends[0]) if ends else 0


@dataclass(frozen=True)
class Runner:
    """A runner; `actions` is the folder of each action that a workflow may use."""

    act: Path
    folder: Path
    actions: Mapping[str, Path]

    def run(self, **inputs: str) -> Job:
        """Run a job that uses the action with these inputs, and then notes its outputs."""
        outputs = self.folder / "outputs.json"
        note = {
            "if": "always()",
            "run": f"printf %s \"$OUTPUTS\" > '{outputs}'",
            "env": {"OUTPUTS": "${{ toJSON(steps.landfast.outputs) }}"},
        }
        uses = {"id": "landfast", "uses": ACTION, "with": inputs}
        job = {"runs-on": "ubuntu-latest", "steps": [uses, note]}
        repository = self.folder / "repository"
        repository.mkdir(parents=True)
        (repository / "workflow.yml").write_text(
            yaml.safe_dump({"on": "push", "jobs": {"job": job}})
        )
        command: list[str | Path] = [self.act, "push", "--json", "--workflows", "workflow.yml"]
        command += ["--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"]
        command += ["--action-cache-path", self.folder / "cache"]
        for name, folder in self.actions.items():
            command += ["--local-repository", f"{name}={folder}"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command += ["--artifact-server-path", self.folder / "artifacts"]
        command += ["--artifact-server-addr", "127.0.0.1", "--artifact-server-port", str(port)]
        ran = process.run(command, cwd=repository, check=False, timeout=timeouts.RUN)
        lines = [
            json.loads(line) for line in ran.stdout.splitlines() if line.lstrip().startswith("{")
        ]
        assert outputs.exists(), ran.stdout + ran.stderr
        return Job(
            ran.returncode == 0, json.loads(outputs.read_text()), tuple(lines), self._artifacts()
        )

    def _artifacts(self) -> dict[str, dict[str, bytes]]:
        found = {}
        for path in (self.folder / "artifacts").rglob("*.zip"):
            with zipfile.ZipFile(path) as archive:
                found[path.stem] = {name: archive.read(name) for name in archive.namelist()}
        return found
