"""Finds the kubeconfig, and makes the client's configuration from a context in it.

Inside a pod there need not be one: `in-cluster` is the context of the pod's ServiceAccount. Then
the folder of its files takes the place of the kubeconfig.
"""

import logging
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

import urllib3
from kubernetes import client, config
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.config.kube_config import KubeConfigMerger
from yaml import YAMLError

from landfast.errors import BadInput

IN_CLUSTER = "in-cluster"
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_LOOPBACK = "localhost,127.0.0.1,::1"


def kubeconfig_path(asked: Path | None, context: str) -> Path:
    """Return the absolute path of the kubeconfig: the one asked for, $KUBECONFIG's, or ~'s.

    $KUBECONFIG may be a list of files; then so is what is returned. Those that do not exist do not
    count, as for kubectl. Without any, the context `in-cluster` is that of this pod.

    Raises:
        BadInput: there is no such file, and this is no pod.
    """
    given = os.environ.get("KUBECONFIG", "")
    default = [Path(part) for part in given.split(os.pathsep) if part] or [Path("~/.kube/config")]
    wanted = [path.expanduser().absolute() for path in ([asked] if asked else default)]
    if files := [path for path in wanted if path.is_file()]:
        return Path(os.pathsep.join(map(str, files)))
    if context == IN_CLUSTER and not asked:
        if (_SERVICE_ACCOUNT / "token").is_file():
            return _SERVICE_ACCOUNT
        raise BadInput(
            f"--context {IN_CLUSTER}: there is no kubeconfig, and no ServiceAccount in "
            f"{_SERVICE_ACCOUNT}, as there is inside a pod; use --kubeconfig FILE"
        )
    source = "KUBECONFIG" if given and not asked else "--kubeconfig"
    raise BadInput(f"{source} {os.pathsep.join(map(str, wanted))}: there is no such file")


def check_context(kubeconfig: Path, context: str) -> None:
    """Check that a kubeconfig has a context.

    Raises:
        BadInput: it does not, or the file is not a kubeconfig.
    """
    if kubeconfig.is_dir():
        return
    try:
        contexts = KubeConfigMerger(str(kubeconfig)).config["contexts"]
        names = sorted(str(item["name"]) for item in contexts)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError, YAMLError) as error:
        raise BadInput(f"--kubeconfig {kubeconfig} is not a readable kubeconfig") from error
    if context not in names:
        has = ", ".join(names) or "none"
        raise BadInput(f"--context {context} is not in {kubeconfig}, which has: {has}")


def cluster_of(kubeconfig: Path, context: str) -> str:
    """Return the name of a context's cluster, as its kubeconfig has it; in a pod, the context's.

    The context is one of the kubeconfig's (see `check_context`).
    """
    if kubeconfig.is_dir():
        return context
    contexts = KubeConfigMerger(str(kubeconfig)).config["contexts"]
    (found,) = (item["context"] for item in contexts if item["name"] == context)
    return str(found["cluster"])


def configuration(kubeconfig: Path, context: str | None) -> Any:
    """Return the configuration of a client for a context.

    Loopback never goes to a proxy that the environment names. Nothing warns, for each request anew,
    of a certificate that the kubeconfig says not to verify.

    Raises:
        BadInput: the file cannot be used, or its way to get credentials fails.
    """
    found = client.Configuration()
    credentials = _Complaints()
    logging.getLogger().addHandler(credentials)
    try:
        if kubeconfig.is_dir():
            token, authority = str(kubeconfig / "token"), str(kubeconfig / "ca.crt")
            InClusterConfigLoader(token, authority).load_and_set(found)
        else:
            config.load_kube_config(str(kubeconfig), context, client_configuration=found)
    except (ConfigException, OSError, ValueError, TypeError) as error:
        raise BadInput(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error
    finally:
        logging.getLogger().removeHandler(credentials)
    if credentials.seen:
        raise BadInput(
            f"the credentials of --context {context or 'the current one'} in {kubeconfig} cannot "
            f"be had: {'; '.join(credentials.seen)}"
        )
    if found.proxy in getproxies().values():  # not a proxy-url of the kubeconfig
        found.no_proxy = ",".join(filter(None, [found.no_proxy, _LOOPBACK]))
    proxy = urlsplit(found.proxy or "")
    if proxy.scheme in ("http", "https") and proxy.username:  # the client leaves it in the address
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        found.proxy_headers = urllib3.make_headers(proxy_basic_auth=login)
    if not found.verify_ssl:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return found


class _Complaints(logging.Handler):
    """What the library logs instead of raising it: an exec plugin that is missing or fails."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(" ".join(record.getMessage().split()))
