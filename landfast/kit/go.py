"""`python -m landfast.kit.go [csi] fmt | vet | staticcheck | test …`: run Go in `kit/go`.

With `csi` it runs in `kit/csi`.
"""

import os
import sys
from pathlib import Path

from landfast import paths, process, timeouts
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.programs import GO_BUILD, GO_MODULE, Programs, csi_module
from landfast.progress import Progress

_COMMANDS = {
    "vet": ["vet", f"-vettool={GO_MODULE / 'vet-ours'}"],
    "staticcheck": ["tool", "-modfile=lint.mod", "staticcheck"],  # the kit builds without it
    "test": ["test", "-vet=off"],  # `nox -s lint` vets; here Go would read all of Kubernetes for it
}


def main(arguments: list[str]) -> int:
    """Run one Go command; `fmt` lists the files that are not formatted and changes nothing."""
    module = GO_MODULE
    if arguments[0] == "csi":
        module, arguments = csi_module(), arguments[1:]
    progress = Progress()
    with kit_lock(progress):
        go = Programs(Cache(paths.cache()), progress).toolchain()
    if arguments == ["fmt"]:
        gofmt: list[str | Path] = [go.parent / "gofmt", "-l", module]
        unformatted = process.run(gofmt, timeout=timeouts.COMMAND).stdout
        sys.stderr.write(unformatted)
        return 1 if unformatted else 0
    command, *rest = arguments
    os.chdir(module)
    os.environ.update(GO_BUILD, LANDFAST_PYTHON=sys.executable)
    arguments = ["go", *_COMMANDS.get(command, [command]), *rest]
    return os.execv(go, arguments)  # noqa: S606 - this process becomes Go


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
