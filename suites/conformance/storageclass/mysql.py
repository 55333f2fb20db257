"""MySQL on a volume of the class that is judged, as the reference deploys it."""

from landfast.mysql.client import MysqlServer
from landfast.steps import Steps
from suites.conformance.storageclass.judged import MYSQL, Judged
from suites.objects import patched

_USER = {"runAsUser": MYSQL, "runAsGroup": MYSQL, "fsGroup": MYSQL}
_AS_MYSQL = {"spec": {"template": {"spec": {"securityContext": _USER}}}}


def start_mysql(judged: Judged, test: Steps) -> MysqlServer:
    """Deploy MySQL as its own user, with a volume of the class, and wait until it answers."""
    stack = judged.stack
    _ = judged.subject  # its own class first
    stack.changes.insert(0, patched("StatefulSet", _AS_MYSQL))  # before pods are restricted
    with test.step("create MySQL with a volume of the class"):
        for obj in stack.objects("mysql"):
            if obj["kind"] != "PersistentVolume":
                stack.kube.create(obj)
    with test.verify("MySQL starts"):
        stack.wait_for_mysql()
    return stack.mysql
