"""Finds the kubeconfig, and checks the contexts in it."""

import os
from pathlib import Path

from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import KubeConfigMerger
from yaml import YAMLError

from landfast.errors import BadInput


def kubeconfig_path(asked: Path | None) -> Path:
    """Return the absolute path of the kubeconfig: the one asked for, $KUBECONFIG's, or ~'s.

    $KUBECONFIG may be a list of files; then so is what is returned.

    Raises:
        BadInput: there is no such file.
    """
    given = str(asked) if asked else os.environ.get("KUBECONFIG") or "~/.kube/config"
    files = [Path(part).expanduser().absolute() for part in given.split(os.pathsep) if part]
    for file in files:
        if not file.is_file():
            raise BadInput(f"--kubeconfig {file}: there is no such file")
    return Path(os.pathsep.join(map(str, files)))


def check_context(kubeconfig: Path, context: str) -> None:
    """Check that a kubeconfig has a context.

    Raises:
        BadInput: it does not, or the file is not a kubeconfig.
    """
    try:
        contexts = KubeConfigMerger(str(kubeconfig)).config["contexts"]
        names = sorted(str(item["name"]) for item in contexts)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError, YAMLError) as error:
        raise BadInput(f"--kubeconfig {kubeconfig} is not a readable kubeconfig") from error
    if context not in names:
        has = ", ".join(names) or "none"
        raise BadInput(f"--context {context} is not in {kubeconfig}, which has: {has}")
