"""Mutates the audit's rules, one place at a time, and prints the mutants that no test notices.

`nox -s rule-mutants -- FILE …` mutates only those files; `--every 8` takes each eighth mutant.
mutmut skips decorated functions, which rules are; its operators are used here. Texts for people are
left as they are. A mutant meets the cases of its own rules, then the tests that reach its line.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType

# What every test imports, so that a forked child need not. Nothing of Landfast's own: the child is
# to import that with the mutant in it.
import jinja2  # noqa: F401
import jsonschema  # noqa: F401
import kubernetes.utils.quantity  # noqa: F401
import libcst as cst
import pydantic  # noqa: F401
import pytest
import rich.console  # noqa: F401
import typer  # noqa: F401
from coverage import CoverageData
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "landfast/audit/rules").glob("[a-z]*.py"))
TESTS = [
    "test_rules.py",
    "test_examples.py",
    "test_audit_archives.py",
    "test_audit_elsewhere.py",
    "test_audit_handed_on.py",
    "test_audit_mounts.py",
    "test_audit_nfs_servers.py",
    "test_audit_one_node.py",
    "test_audit_parts.py",
    "test_audit_placeholders.py",
    "test_audit_pods.py",
    "test_audit_writers.py",
    "test_binding_variants.py",
    "test_command.py",
]
_SECONDS = 120
_OPTIONS = ["-x", "-q", "-p", "no:cacheprovider"]
Reached = Mapping[int, Sequence[str]]
"""The tests that reach each line of a file; "" is the import."""
_LEFT_ALONE = (cst.Decorator, cst.Annotation, cst.FormattedString, cst.Import, cst.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    file: Path
    line: int
    before: str
    after: str
    code: str

    def __str__(self) -> str:
        where = f"{self.file.relative_to(ROOT)}:{self.line}"
        return f"{where}: {_short(self.before)}  ->  {_short(self.after)}"


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant where its module is imported."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.name = ".".join(mutant.file.relative_to(ROOT).with_suffix("").parts)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.code, self.mutant.file, "exec"), vars(module))  # noqa: S102


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every mutant of a file."""
    wrapper = MetadataWrapper(cst.parse_module(file.read_text()))
    lines = wrapper.resolve(PositionProvider)
    for node in _mutable(wrapper.module):
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                # of a word, one other word is enough
                limit = 1 if isinstance(node, cst.BaseString) else None
                for changed in islice(operator(node), limit):
                    code = wrapper.module.deep_replace(node, changed).code
                    before, after = map(wrapper.module.code_for_node, (node, changed))
                    yield Mutant(file, lines[node].start.line, before, after, code)


def _mutable(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, _LEFT_ALONE) or _is_text(node):
        return
    yield node
    for child in node.children:
        yield from _mutable(child)


def _is_text(node: cst.CSTNode) -> bool:
    """Whether a node is a docstring or a sentence: what is data has no blank."""
    return isinstance(node, cst.BaseString) and (
        not isinstance(node, cst.SimpleString) or " " in node.value
    )


def _short(code: str) -> str:
    return " ".join(code.split())[:90]


def _survives(mutant: Mutant, tests: Sequence[str], reached: Reached) -> bool:
    """Whether nothing notices a mutant: the cases of its rules first, which need no pytest."""
    loader = _Loader(mutant)
    first = max(line for line in reached if line <= mutant.line)  # of a statement of several lines
    chosen = reached[first]
    if "" in chosen:
        chosen = tests
    return _passes(loader, lambda: _cases(loader.name)) and _passes(
        loader, lambda: pytest.main([*_OPTIONS, *chosen])
    )


def _preload() -> None:
    """Import what no rule is imported by, so that a forked child need not."""
    for file in sorted((ROOT / "landfast/audit").glob("[a-z]*.py")):
        before = set(sys.modules)
        importlib.import_module(f"landfast.audit.{file.stem}")
        new = set(sys.modules) - before
        if any(name.startswith("landfast.audit.rules") for name in new):
            for name in new:
                if name.startswith("landfast"):
                    del sys.modules[name]


def _reached(tests: Sequence[str], files: Sequence[Path]) -> dict[Path, Reached]:
    """Run the tests and return which of them reach which lines of files."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "coverage"
        measure = ["--cov=landfast/audit/rules", "--cov-context=test", "--cov-report="]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *_OPTIONS, *measure, *tests],
            env={**os.environ, "COVERAGE_FILE": str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"the tests fail without a mutant:\n{done.stdout}")
        data = CoverageData(str(file))
        data.read()
        return {path: _by_line(data.contexts_by_lineno(str(path))) for path in files}


def _by_line(contexts: Mapping[int, Sequence[str]]) -> Reached:
    """Take off the phase of a test that coverage puts behind its name."""
    return {
        line: sorted({context.rpartition("|")[0] for context in found})
        for line, found in contexts.items()
    }


def _passes(loader: _Loader, judge: Callable[[], int]) -> bool:
    """Whether a judge gives 0 in a child that has the mutant; one that does not end is noticed."""
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == 0
    signal.alarm(_SECONDS)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    sys.meta_path.insert(0, loader)
    code = 1
    try:
        code = judge()
    finally:
        os._exit(code)


def _cases(module: str) -> int:
    """Judge the cases of a module's rules; return 0 if all hold."""
    import test_rules  # here, so that it imports the mutant

    from landfast.audit.findings import Rule

    found = vars(sys.modules[module]).values()
    own = {rule.id for rule in found if isinstance(rule, Rule)}
    for case in test_rules.ALL:
        if f"audit.{case.rule}" in own or not own:
            test_rules.test_the_rule_finds_it(case)
            test_rules.test_the_rule_leaves_a_near_miss_alone(case)
            test_rules.test_a_finding_shows_an_object_and_a_field_of_it(case)
            if case.rule not in test_rules.MEANT_ALONE:
                test_rules.test_the_rule_goes_on_after_a_near_miss(case)
    return 0


def main(files: Sequence[Path], every: int) -> None:
    """Mutate files and print what survives."""
    tests = [str(Path(__file__).with_name(name)) for name in TESTS]
    count, survivors = 0, 0
    reached = _reached(tests, files)
    _preload()
    for file in files:
        for mutant in islice(mutants(file), 0, None, every):
            count += 1
            if _survives(mutant, tests, reached[file]):
                survivors += 1
                sys.stdout.write(f"{mutant}\n")
                sys.stdout.flush()
        sys.stdout.write(f"{file.name}: {survivors} of {count} mutants so far survive\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take each Nth mutant of a file")
    given = parser.parse_args()
    main([file.absolute() for file in given.files] or RULES, given.every)
