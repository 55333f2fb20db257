"""What Landfast asks a Docker engine about images, and registries through it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from landfast import process, timeouts
from landfast.process import ProcessError, Result

_ABSENT = ("manifest unknown", "no such manifest", "not found", "name unknown")
_PROXIES = [n for name in ("http_proxy", "https_proxy", "no_proxy") for n in (name, name.upper())]
_SAVES_ONE_PLATFORM = (1, 48)  # the API from which on `docker save` has --platform: Docker 28


def each(option: str, values: Iterable[str]) -> list[str]:
    """Return an option once for each value."""
    return [part for value in values for part in (option, value)]


class ImageStore:
    """The part of an engine (`landfast.docker.Engine`) that has to do with images."""

    env: dict[str, str]

    def _docker(
        self,
        *arguments: str | Path,
        timeout: float = timeouts.COMMAND,
        check: bool = True,
        text: str | None = None,
        stdin: Path | None = None,
    ) -> Result:
        """Run `docker` and return its result."""
        command = ["docker", *arguments]
        return process.run(
            command, timeout=timeout, check=check, text=text, stdin=stdin, env=self.env
        )

    def image_digest(self, image: str) -> str | None:
        """Return an image's id in the engine (`sha256:…`), or None if it is missing."""
        found = self._docker("image", "inspect", "--format", "{{.Id}}", image, check=False)
        return found.stdout.strip() if found.returncode == 0 else None

    def images(self, repository: str) -> list[str]:
        """Return the names (`REPOSITORY:TAG`) of the images of a repository."""
        listed = self._docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository)
        return listed.stdout.split()

    def build_image(self, tag: str, folder: Path) -> None:
        """Build an image from a folder with a Dockerfile."""
        options = ["--quiet", "--force-rm", "--tag", tag]
        self._docker("build", *options, folder, timeout=timeouts.IMAGE_BUILD)

    def build_image_from_text(
        self,
        tag: str,
        dockerfile: str,
        *,
        arguments: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Result:
        """Build an image from the text of a Dockerfile; `arguments` are values of its ARGs.

        The proxies of this process hold in the build, too. Without `check` a failure is a result.

        Raises:
            ProcessError: it failed (with `check`) or did not end in time.
        """
        # Of a name without a value, docker takes the value from its environment: proxies may have
        # passwords, which other users must not see in the list of processes.
        names = [
            *map("=".join, (arguments or {}).items()),
            *(n for n in _PROXIES if n in os.environ),
        ]
        options = ["--quiet", "--force-rm", "--tag", tag, *each("--build-arg", names)]
        return self._docker(
            "build", *options, "-", text=dockerfile, timeout=timeouts.IMAGE_BUILD, check=check
        )

    def commit(self, container: str, tag: str, *changes: str) -> None:
        """Create an image of a container's file system; `changes` are Dockerfile instructions."""
        self._docker(
            "commit", *each("--change", changes), container, tag, timeout=timeouts.IMAGE_BUILD
        )

    def tag_image(self, image: str, name: str) -> None:
        """Add a name to an image."""
        self._docker("tag", image, name)

    def remove_image(self, image: str, *, force: bool = False) -> None:
        """Remove an image's name; do nothing if it is in use or does not exist."""
        self._docker("image", "rm", *(["--force"] if force else []), image, check=False)

    def pull_image(self, image: str) -> None:
        """Pull an image from its registry."""
        self._docker("pull", "--quiet", image, timeout=timeouts.IMAGE_PULL)

    def push_image(self, image: str) -> None:
        """Push an image to the registry that its name begins with.

        Raises:
            ProcessError: the registry cannot be reached, or refuses it.
        """
        self._docker("push", "--quiet", image, timeout=timeouts.IMAGE_PULL)

    def save_images(self, archive: Path, *images: str) -> None:
        """Write images of the engine into one tar file, for the engine's own platform.

        containerd's image store keeps the lists of images that exist for several platforms. Without
        a platform it would save such a list with the content of one, which older containerds refuse
        to import.
        """
        api, platform = self._versions("{{.Client.APIVersion}} {{.Server.Os}}/{{.Server.Arch}}")
        one = tuple(map(int, api.split("."))) >= _SAVES_ONE_PLATFORM
        options = ["--platform", platform] if one else []
        self._docker("save", *options, "--output", archive, *images, timeout=timeouts.IMAGE_LOAD)

    def platform(self) -> str:
        """Return the platform of the engine's containers, as Go and Docker name it: `linux/arm64`.

        Raises:
            ProcessError: the engine does not answer.
        """
        (platform,) = self._versions("{{.Server.Os}}/{{.Server.Arch}}")
        return platform

    def _versions(self, form: str) -> list[str]:
        """Return words of `docker version`; its client and the engine agree on the API version."""
        return self._docker("version", "--format", form, timeout=timeouts.ANSWER).stdout.split()

    def registry_refusal(self, image: str, *, insecure: bool) -> str | None:
        """Ask an image's registry whether it has the image.

        Returns:
            None if it does, "" if it does not, else why the registry cannot say.
        """
        options = ["--insecure"] if insecure else []
        try:
            argv = ["manifest", "inspect", *options, image]
            asked = self._docker(*argv, timeout=timeouts.ANSWER, check=False)
        except ProcessError:
            return f"it did not answer within {timeouts.ANSWER} s"
        if asked.returncode == 0:
            return None
        if any(word in asked.stderr.lower() for word in _ABSENT):
            return ""
        lines = asked.stderr.strip().splitlines()
        return lines[-1] if lines else "docker manifest inspect failed"
