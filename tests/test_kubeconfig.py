"""Kubeconfigs as users have them, against a server that really speaks TLS."""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from api_server import ApiServer, api_server

from landfast import paths
from landfast.errors import BadInput, Unreachable
from landfast.kube import Kube, KubeError, kubeconfig
from landfast.kube.kubeconfig import IN_CLUSTER, kubeconfig_path


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with api_server(tmp_path) as server:
        yield server


def connect(file: Path) -> str:
    return Kube(file, "here").server_version()


def test_a_server_that_is_not_kubernetes_is_one_sentence(api: ApiServer) -> None:
    api.version = {"hello": "world"}
    with pytest.raises(BadInput, match=r"^https://127.0.0.1:\d+ does not answer as a Kub"):
        connect(api.kubeconfig())


class TestCredentials:
    def test_a_token(self, api: ApiServer) -> None:
        assert connect(api.kubeconfig(user={"token": "t1"})) == "v1.37.0"
        assert api.who == ["Bearer t1"]

    def test_a_token_in_a_file_beside_the_kubeconfig(self, api: ApiServer) -> None:
        (api.folder / "secret").write_text("t2")
        connect(api.kubeconfig(user={"tokenFile": "secret"}))
        assert api.who == ["Bearer t2"]

    def test_certificates_in_files_beside_the_kubeconfig(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir("/")
        connect(
            api.kubeconfig(user={"client-certificate": "client.crt", "client-key": "client.key"})
        )
        assert api.who == ["client"]

    def test_certificates_as_data(self, api: ApiServer) -> None:
        def data(name: str) -> str:
            return base64.b64encode((api.folder / name).read_bytes()).decode()

        user = {
            "client-certificate-data": data("client.crt"),
            "client-key-data": data("client.key"),
        }
        connect(api.kubeconfig(user, {"certificate-authority-data": data("ca.crt")}))
        assert api.who == ["client"]

    def test_user_and_cluster_in_different_files(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = api.kubeconfig()
        text = file.read_text()
        start, users, rest = text.partition("users:\n")
        (api.folder / "clusters").write_text(start)
        (api.folder / "users").write_text(f"apiVersion: v1\nkind: Config\n{users}{rest}")
        paths = [api.folder / name for name in ("clusters", "missing", "users")]
        monkeypatch.setenv("KUBECONFIG", ":".join(map(str, paths)))
        found = kubeconfig_path(None, "here")
        assert str(found).count(":") == 1, "a file that does not exist does not count"
        assert connect(found) == "v1.37.0"


def plugin(code: str) -> dict[str, Any]:
    """Return a user whose credentials come from a program."""
    version = "client.authentication.k8s.io/v1"
    command = {"command": sys.executable, "args": ["-c", code], "interactiveMode": "Never"}
    return {"exec": {"apiVersion": version, **command}}


class TestExecPlugin:
    def test_its_token_is_used(self, api: ApiServer) -> None:
        said = json.dumps(
            {
                "apiVersion": "client.authentication.k8s.io/v1",
                "kind": "ExecCredential",
                "status": {"token": "of-the-plugin"},
            }
        )
        connect(api.kubeconfig(user=plugin(f"print({said!r})")))
        assert api.who == ["Bearer of-the-plugin"]

    def test_one_that_fails_is_one_sentence_with_its_reason(
        self, api: ApiServer, capfd: pytest.CaptureFixture[str]
    ) -> None:
        user = plugin("import sys; sys.exit('your session\\nhas expired')")
        with pytest.raises(BadInput, match=r"--context here .* returned 1. your session has exp"):
            connect(api.kubeconfig(user=user))
        assert api.who == [], "nobody is asked without credentials"
        assert capfd.readouterr() == ("", "")

    def test_one_that_is_missing_is_named(self, api: ApiServer) -> None:
        user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-x"}}
        with pytest.raises(BadInput, match=r"cannot be had: .*No such file .* 'no-such-x'$"):
            connect(api.kubeconfig(user=user))


class TestInsecure:
    def test_a_certificate_that_need_not_be_verified_is_no_warning(self, api: ApiServer) -> None:
        kube = Kube(api.kubeconfig(cluster={"insecure-skip-tls-verify": True}), "here")
        with warnings.catch_warnings(record=True) as warned:
            kube.server_version()
        assert warned == []
        with pytest.raises(KubeError, match="no"):
            kube.execute("n", "p", ["true"])

    def test_it_does_not_break_a_run_either(self, api: ApiServer) -> None:
        api.version["gitVersion"] = "v1.20.0"
        file = api.kubeconfig(cluster={"insecure-skip-tls-verify": True})
        target = ["--cluster", "existing", "--context", "here", "--nfs-server", "h:/p"]
        command = "from landfast.cli import main; main()"
        ended = subprocess.run(
            [sys.executable, "-c", command, "smoke", *target, "--kubeconfig", file],
            cwd=api.folder,
            env={**os.environ, "PYTHONPATH": str(paths.PROJECT)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = ended.stdout + ended.stderr
        assert "is Kubernetes v1.20.0: Landfast needs v1.27 or newer" in said
        assert "INTERNALERROR" not in said
        assert "Warning" not in said
        assert ended.returncode == 4

    def test_one_that_must_be_and_is_not_trusted_is_one_sentence(self, api: ApiServer) -> None:
        file = api.kubeconfig()
        (api.folder / "ca.crt").write_bytes((api.folder / "client.crt").read_bytes())
        with pytest.raises(BadInput, match=r"cannot be reached: .*certificate verify failed"):
            connect(file)


@pytest.fixture
def closed() -> str:
    """A proxy that takes no connection."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class TestProxy:
    @pytest.mark.parametrize("no_proxy", [None, "corp.example", "*"])
    @pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
    def test_loopback_never_goes_to_one(
        self,
        api: ApiServer,
        monkeypatch: pytest.MonkeyPatch,
        closed: str,
        variable: str,
        no_proxy: str | None,
    ) -> None:
        monkeypatch.setenv(variable, closed)
        if no_proxy:
            monkeypatch.setenv("NO_PROXY", no_proxy)
        kube = Kube(api.kubeconfig(), "here")
        assert kube.server_version() == "v1.37.0"
        with pytest.raises(KubeError, match="no"):  # by a websocket, which has its own rules
            kube.execute("n", "p", ["true"])

    def test_a_cluster_elsewhere_does(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch, closed: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", closed)
        file = api.kubeconfig(cluster={"server": "https://cluster.invalid:6443"})
        with pytest.raises(BadInput, match=r"cannot be reached through the proxy 127.0.0.1:\d+: "):
            connect(file)

    def test_so_does_one_whose_kubeconfig_says_so(self, api: ApiServer, closed: str) -> None:
        file = api.kubeconfig(cluster={"certificate-authority": "ca.crt", "proxy-url": closed})
        with pytest.raises(BadInput, match=r"cannot be reached through the proxy 127.0.0.1:\d+: "):
            connect(file)

    def test_the_login_in_its_address_is_shown_to_it(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        class Proxy(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                asked.append((self.path, self.headers["proxy-authorization"]))
                self.send_error(407)

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Proxy) as server:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            address = f"http://me:pass%40word@127.0.0.1:{server.server_port}"
            monkeypatch.setenv("HTTPS_PROXY", address)
            file = api.kubeconfig(cluster={"server": "https://cluster.invalid:6443"})
            kube = Kube(file, "here")
            with pytest.raises(BadInput, match="407") as caught:
                kube.server_version()
            with pytest.raises(Unreachable, match="407"):
                kube.execute("n", "p", ["true"])
            server.shutdown()
        assert "pass" not in str(caught.value)
        login = base64.b64encode(b"me:pass@word").decode()
        assert set(asked) == {("cluster.invalid:6443", f"Basic {login}")}

    @pytest.mark.filterwarnings("ignore:SOCKS support")
    def test_socks_without_its_library_is_one_sentence(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "socks", None)
        monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
        file = api.kubeconfig(cluster={"proxy-url": "socks5://127.0.0.1:1"})
        with pytest.raises(BadInput, match="socks5://127.0.0.1:1 speaks SOCKS, which needs PyS"):
            connect(file)

    @pytest.mark.parametrize("proxy", ["proxy.example:3128", "ftp://proxy.example"])
    def test_one_that_is_none_is_one_sentence(
        self, api: ApiServer, monkeypatch: pytest.MonkeyPatch, proxy: str
    ) -> None:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        file = api.kubeconfig(cluster={"server": "https://cluster.invalid:6443"})
        with pytest.raises(BadInput, match="(?i)proxy"):
            connect(file)


class TestInCluster:
    @pytest.fixture
    def pod(self, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The files of a ServiceAccount."""
        folder = api.folder / "serviceaccount"
        folder.mkdir()
        (folder / "token").write_text("of-the-pod")
        (folder / "ca.crt").write_bytes((api.folder / "ca.crt").read_bytes())
        monkeypatch.setattr(kubeconfig, "_SERVICE_ACCOUNT", folder)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api.port))
        return folder

    def test_the_pods_service_account_is_used(self, api: ApiServer, pod: Path) -> None:
        found = kubeconfig_path(None, IN_CLUSTER)
        assert found == pod
        kubeconfig.check_context(found, IN_CLUSTER)
        assert Kube(found, IN_CLUSTER).server_version() == "v1.37.0"
        assert [who.lower() for who in api.who] == ["bearer of-the-pod"]

    def test_a_kubeconfig_comes_first(
        self, api: ApiServer, pod: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig()))
        assert kubeconfig_path(None, IN_CLUSTER) == api.folder / "config"

    def test_another_context_needs_a_kubeconfig(self, pod: Path) -> None:
        with pytest.raises(BadInput, match=r"^--kubeconfig .*/.kube/config: there is no"):
            kubeconfig_path(None, "staging")

    def test_outside_a_pod_it_is_one_sentence(self, api: ApiServer) -> None:
        with pytest.raises(BadInput, match=r"^--context in-cluster: there is no kubeconfig"):
            kubeconfig_path(None, IN_CLUSTER)

    def test_a_pod_without_the_services_variables_is_one_sentence(
        self, pod: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
        with pytest.raises(BadInput, match=r"cannot be used: Service host/port is not set"):
            Kube(kubeconfig_path(None, IN_CLUSTER), IN_CLUSTER)
