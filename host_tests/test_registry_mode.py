"""What a user does first on a host with a Docker engine and a registry. The tests run in order."""

import re
import shutil
from collections.abc import Mapping
from urllib.parse import urlsplit

from host_tests.machine import GATEWAY, Host
from host_tests.proxy import proxy
from landfast import paths
from landfast.kit import debian
from landfast.kit.cache import Cache
from landfast.kit.programs import Programs
from landfast.progress import Progress

_CHAOS = "pod-delete,mysqld-sigkill,nfs-power-loss,nfs-lease-over,control-lying-server"


def _landfast(host: Host, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Run Landfast and return its output; it must end well, and leave nothing in the engine."""
    ran = host.run("landfast", *arguments, env=env)
    assert ran.code == 0, ran.output[-6000:]
    assert host.left() == []
    return ran.output


def test_doctor_finds_the_host_fit(host: Host) -> None:
    """No Go, no kind, no kit, not root: none of them is needed."""
    ran = host.run("landfast", "doctor")
    assert ran.code == 0, ran.output
    assert "--images registry" in ran.output


def test_smoke(host: Host) -> None:
    """The first run pulls and builds all that it needs."""
    said = _landfast(host, "smoke", "--registry", host.registry)
    assert "project/suites" not in said, "tests are named as in a checkout"


def test_conformance(host: Host) -> None:
    """Every claim holds with images from a registry."""
    _landfast(host, "conformance", "--registry", host.registry)


def test_chaos(host: Host) -> None:
    """Faults act on an engine that is not the kit's, power losses included."""
    _landfast(host, "chaos", "--registry", host.registry, "--scenario", _CHAOS)


def test_two_runs_side_by_side_without_proc(host: Host) -> None:
    """Each finds the other alive, though neither can look at processes."""
    command = ("landfast", "smoke", "--registry", host.registry)
    running = [host.begin(*command, "--out", f"out-{i}", proc=False) for i in range(2)]
    for ran in [each.wait() for each in running]:
        assert ran.code == 0, ran.output[-6000:]
    assert host.left() == []


def test_existing_cluster_without_proc_and_docker(host: Host) -> None:
    """A machine like a Mac without Docker tests a cluster elsewhere."""
    up = host.run("landfast", "up", "--registry", host.registry)
    assert up.code == 0, up.output
    (kubeconfig,) = (host.home / ".cache/landfast/runs").glob("*/kubeconfig")
    (server,) = re.findall(r"export +(\S+):/data/share", up.output)
    bare = {"PATH": f"{host.home}/.local/bin:/usr/bin:/bin", "DOCKER_HOST": ""}
    doctor = host.run("landfast", "doctor", env=bare, proc=False)
    assert doctor.code == 4, doctor.output
    assert "Traceback" not in doctor.output
    ran = host.run(
        *["landfast", "conformance", "--cluster", "existing", "--context", f"kind-{_name(host)}"],
        *["--kubeconfig", str(kubeconfig), "--nfs-server", f"{server}:/data/share"],
        *["-k", "walkthrough or protection"],
        env=bare,
        proc=False,
    )
    assert ran.code == 0, ran.output[-6000:]
    assert host.run("landfast", "down").code == 0
    assert host.left() == []


def _name(host: Host) -> str:
    (network,) = host.engine.networks("landfast.run")
    return network


def test_smoke_behind_a_proxy(host: Host) -> None:
    """Downloads and image builds go through the proxy, nothing on loopback does."""
    shutil.rmtree(host.home / ".cache")
    for image in host.engine.images("landfast/*"):
        host.engine.remove_image(image, force=True)
    with proxy(host.folder, GATEWAY) as (address, asked):
        given = {f"{scheme}_proxy": address for scheme in ("http", "https")}
        given |= {name.upper(): value for name, value in given.items()}
        _landfast(host, "smoke", "--registry", host.registry, env=given)
    hosts = asked()
    assert urlsplit(debian.mirror()).hostname in hosts, "the image of the NFS server is built"
    assert [name for name in hosts if "golang" in name], "kind and the mount helper are compiled"
    assert not [name for name in hosts if name.startswith("127.") or name == "localhost"]


def test_mirror_that_was_filled_with_images(host: Host) -> None:
    """A mirror serves what is built as well: nothing is built or compiled again."""
    mirror = f"{host.registry}/mirror"
    _landfast(host, "images", "--registry", host.registry, "--push", mirror)
    for image in host.engine.images("landfast/*"):
        host.engine.remove_image(image, force=True)
    said = _landfast(host, "smoke", "--registry", mirror)
    assert "build the NFS" not in said


def test_engine_that_stops_half_way(host: Host) -> None:
    """The run ends with a sentence, and `landfast cleanup` removes what it left."""
    running = host.begin("landfast", "smoke", "--registry", host.registry)
    running.says("cluster of three nodes")
    host.stop_engine()
    ran = running.wait()
    assert ran.code == 2, ran.output[-4000:]
    assert "Traceback" not in ran.output
    host.start_engine()
    ran = host.run("landfast", "cleanup")
    assert ran.code == 0, ran.output
    assert host.left() == []


def test_conformance_without_a_registry(host: Host) -> None:
    """Three commands move all images to a host that reaches no registry."""
    ran = host.run("landfast", "images", "--registry", host.registry, "--save", "images.tar")
    assert ran.code == 0, ran.output
    kind = Programs(Cache(paths.cache()), Progress()).kind()
    shutil.copy(kind, host.folder / "bin")  # the README says that it must be there
    shutil.rmtree(host.home / ".cache")
    host.stop_engine()
    host.images.stop()
    host.start_engine("another-host")
    assert host.run("docker", "load", "--quiet", "--input", "images.tar").code == 0
    (host.home / "images.tar").unlink()
    _landfast(host, "conformance")
