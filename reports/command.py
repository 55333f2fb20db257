"""The command that runs one test of a run again."""

import re
import shlex

from landfast.journal import RunStarted

_SELECTION = {"select", "scenario", "budget", "list", "fail_fast"}
_WORD = re.compile(r"[\w:+./\\\[\]-]+")  # what `-k` takes for a part of a name


def command_for(test: str, scenario: str, run: RunStarted) -> str:
    """Return the command for one test, with the Landfast flags that the run was given.

    Args:
        test: pytest's id of the test, `suites/SUITE/…::NAME`.
        scenario: the name of its chaos scenario, or "".
        run: how the run was started.
    """
    folder, _, name = test.partition("::")
    if scenario:
        kept = ["chaos", "--scenario", scenario]
    elif folder.startswith("suites/smoke"):
        kept = ["smoke"]
    else:
        if "/walkthrough/" in folder:  # its tests build on one another
            name = "walkthrough"
        words = [word for word in _WORD.findall(name) if word not in ("and", "or", "not")]
        suite = "chaos" if folder.startswith("suites/chaos") else "conformance"
        kept = [suite, "-k", " and ".join(words)]
    return shlex.join(["landfast", *kept, *_flags(run)])


def _flags(run: RunStarted) -> list[str]:
    values = {
        "--" + name.replace("_", "-"): value
        for name, value in run.settings.items()
        if name not in _SELECTION
    }
    kept, value_follows = [], False
    for argument in run.command:
        name, equals, _value = argument.partition("=")
        if name in values:
            kept.append(argument)
            value_follows = not equals and values[name] not in ("True", "False")
        else:
            if value_follows and not argument.startswith("-"):
                kept.append(argument)
            value_follows = False
    return kept
