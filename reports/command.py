"""The command that runs one test of a run again."""

import shlex

from landfast.journal import RunStarted


def command_for(test: str, run: RunStarted) -> str:
    """Return the command for one test, with the Landfast flags that the run was given."""
    flags = {"--" + name.replace("_", "-"): value for name, value in run.settings.items()}
    kept, value_follows = ["pytest", test], False
    for argument in run.command:
        name, equals, _value = argument.partition("=")
        if name in flags:
            kept.append(argument)
            value_follows = not equals and flags[name] not in ("True", "False")
        else:
            if value_follows and not argument.startswith("-"):
                kept.append(argument)
            value_follows = False
    return shlex.join(kept)
