"""`python -m landfast.kit.go fmt|vet|test …`: Go, the kit's if PATH has none, in `kit/go`."""

import os
import sys
from pathlib import Path

from landfast import paths, process
from landfast.kit.build import kit_lock
from landfast.kit.cache import Cache
from landfast.kit.programs import GO_BUILD, GO_MODULE, Programs
from landfast.progress import Progress


def main(arguments: list[str]) -> int:
    """Run one Go command; `fmt` names the files that are not formatted and changes nothing."""
    progress = Progress()
    with kit_lock(progress):
        go = Programs(Cache(paths.cache()), progress).toolchain()
    if arguments == ["fmt"]:
        unformatted = process.run([Path(go).parent / "gofmt", "-l", GO_MODULE], timeout=60).stdout
        sys.stderr.write(unformatted)
        return 1 if unformatted else 0
    os.chdir(GO_MODULE)
    os.environ.update(GO_BUILD)
    return os.execv(go, ["go", *arguments])  # noqa: S606 - this process becomes Go


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
