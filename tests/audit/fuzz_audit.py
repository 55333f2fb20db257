"""Audit inputs that are broken in random ways: `nox -s audit-fuzz -- --inputs 100000`.

Whatever the bytes and the structure, the audit must end within 2 CPU seconds with exit code 0, 1 or
4 and no traceback. An input that does otherwise is written to a file, with the number that makes it
again: `--first NUMBER --inputs 1`.
"""

import argparse
import contextlib
import copy
import io
import json
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from test_rules import ALL

from landfast.audit.command import Format, audit
from landfast.audit.findings import Severity
from landfast.errors import LandfastError
from landfast.kube.client import Object

_SECONDS = 2.0
_LONGEST = 1_000_000  # changes multiply: two seconds are no hang for 150 MB
_CODES = (0, 1, 4)
_PIECES = (
    "---\n", "...\n", "\t", "\r", "&a ", "*a", "<<: *a\n", "!!binary ", "!x ", "{", "}", "[", "]",
    "'", '"', "\ufeff", "\0", "${NAME}", "${{N}}", "{{ .Values.x }}", "%YAML 1.2\n", "# ", ": ",
    "- ", "? ", "| \n", ">-\n", "=", "~", "\\ud83d", "\u2028", "\x85", "kind: List\nitems:\n",
    "apiVersion: v1\n", "a: &a [*a]\n", "\U0001f4a5", "  ", "\n",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**70, 1.5, 1e300, float("inf"), "", "x", "x" * 5_000, "NaN", "1e999",
    "-1Gi", "1e9999999", "%", "${X}", "$(POD_NAME)", "../..", "/", "//", "\0", [], {}, [[]], [{}],
    [None], {"": None}, {"a": {"b": []}}, "9" * 5_000, 999_999_999, "2024-02-30", "Always", "[::1]",
    "nas:2049", "efs.csi.aws.com", "25%", "\u0663%",
)  # fmt: skip
_KINDS = (
    ("v1", "Pod"), ("v1", "List"), ("v1", "PersistentVolume"), ("v1", "PersistentVolumeClaim"),
    ("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"),
    ("batch/v1", "CronJob"), ("batch/v1", "Job"), ("template.openshift.io/v1", "Template"),
    ("postgresql.cnpg.io/v1", "Cluster"), ("kafka.strimzi.io/v1", "Kafka"),
    ("elasticsearch.k8s.elastic.co/v1", "Elasticsearch"), ("argoproj.io/v1alpha1", "Rollout"),
    ("storage.k8s.io/v1", "StorageClass"), ("apps/v1beta1", "Deployment"), ("", ""), ("v1", ""),
)  # fmt: skip
_OBJECTS: list[list[Object]] = [objects for case in ALL for objects in (case.bad, case.near)]


def main() -> None:
    """Audit as many inputs as asked for; say which were not ended as they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--keep", type=Path, default=Path("out/audit-fuzz"))
    arguments = parser.parse_args()
    bad, slowest, codes = 0, 0.0, dict.fromkeys(_CODES, 0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.first, arguments.first + arguments.inputs):
            data, output = make(number)
            file = Path(folder, "input.yaml")
            file.write_bytes(data)
            code, seconds, said = run(file, output)
            slowest = max(slowest, seconds)
            if code in codes and seconds <= _SECONDS:
                codes[code] += 1
                continue
            bad += 1
            arguments.keep.mkdir(parents=True, exist_ok=True)
            (arguments.keep / f"{number}.yaml").write_bytes(data)
            sys.stdout.write(f"input {number}: exit code {code}, {seconds:.1f} s\n{said}\n")
    counts = ", ".join(f"{n} with exit code {code}" for code, n in codes.items())
    sys.stdout.write(f"{arguments.inputs} inputs: {counts}; the slowest took {slowest:.2f} s\n")
    if bad:
        sys.exit(f"{bad} inputs did not end as they should; they are in {arguments.keep}")


def make(number: int) -> tuple[bytes, Format]:
    """Return the input of a number, and the format to print findings in."""
    chance = random.Random(number)  # noqa: S311
    objects = [json.loads(json.dumps(o)) for o in chance.choice(_OBJECTS)]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 5))):
        _break(chance, objects)
    text = _written(chance, objects)[:_LONGEST]
    for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 8))):
        text = _spoilt(chance, text)
    encoding = chance.choice((*["utf-8"] * 12, "utf-8-sig", "utf-16", "utf-16-le"))
    data = text.encode(encoding, "surrogatepass" if "16" in encoding else "replace")
    for _ in range(chance.choice((0, 0, 0, 0, 0, 0, 1, 4))):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + bytes([chance.randrange(256)]) + data[at + chance.randrange(2) :]
    return data, chance.choice(list(Format))


def run(file: Path, output: Format) -> tuple[int, float, str]:
    """Return exit code, CPU seconds and traceback of an audit; -1 is a traceback."""
    begin = time.process_time()
    code, said = 0, ""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            audit([str(file)], output=output, fail_on=Severity.NOTE)
        except LandfastError as error:
            code, said = error.exit_code, str(error)
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            code, said = -1, traceback.format_exc(limit=-6)
    return code, time.process_time() - begin, said


def _written(chance: random.Random, objects: Sequence[Object]) -> str:
    match chance.randrange(6):
        case 0:
            return "\n".join(json.dumps(o, indent=chance.choice((None, 1, "\t"))) for o in objects)
        case 1:
            return json.dumps({"kind": "List", "apiVersion": "v1", "items": objects}, indent=2)
        case 2:
            return _yaml({"apiVersion": "v1", "items": objects, "kind": "List"})
        case 3:
            template = {"apiVersion": "v1", "kind": "Template", "objects": list(objects)}
            return _yaml({**template, "parameters": [{"name": "X", "value": "1Gi"}]})
    return "---\n".join(map(_yaml, objects))


def _yaml(value: Any) -> str:
    """Return a value as YAML; what is nested too deeply for its writer as JSON."""
    try:
        return yaml.safe_dump(value, sort_keys=False)
    except RecursionError:
        return json.dumps(value)


def _break(chance: random.Random, objects: list[Any]) -> None:
    """Change something at a random place of the objects."""
    at: Any = objects
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(at[key], dict | list) and at[key] and chance.random() < 0.8:
            at = at[key]
            continue
        break
    match chance.randrange(6):
        case 0:
            del at[key]
        case 1 if isinstance(at, dict):
            at[f"{key}s"] = at.pop(key)
        case 2:
            at[key] = [at[key]] * chance.choice((1, 2, 50))
        case 3:
            deep: Any = at[key]
            for _ in range(chance.choice((3, 150, 220))):
                deep = [deep] if chance.random() < 0.5 else {"a": deep}
            at[key] = deep
        case 4:
            one = chance.choice(objects)
            if isinstance(one, dict):
                one["apiVersion"], one["kind"] = chance.choice(_KINDS)
        case _:
            at[key] = copy.deepcopy(chance.choice(_VALUES))


def _spoilt(chance: random.Random, text: str) -> str:
    at, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    match chance.randrange(5):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + text[min(end, at + 20) :]
        case 2:
            return text[:at] + text[at:end] * 2 + text[end:]
        case 3:
            return text[:at] + chance.choice(_PIECES) * chance.choice((1, 1, 3, 2_000)) + text[at:]
    return text[:at] + chance.choice(_PIECES) + text[at:]


if __name__ == "__main__":
    main()
