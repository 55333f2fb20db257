"""The NFS server of the class, stopped and started by its owner's commands."""

from collections.abc import Sequence

from landfast import paths, process, timeouts
from landfast.faults.base import HAND, Lasting, ServerCommands, prove, register
from landfast.faults.composite import Composite
from landfast.faults.processes import MysqldSigkillWaiting
from landfast.faults.their_nodes import server_of
from landfast.last_will import LastWill
from landfast.nfs import null_call
from landfast.timeouts import patient
from landfast.verdict import MissingCapability
from landfast.waiting import wait_until


@register
class ServerCommand(Lasting):
    """Its proofs are NFS NULL calls, from here or, if it is out of reach, from MySQL's pod.

    A last will on this host starts the server even if Landfast is killed.
    """

    name = "server-command"
    text = "the NFS server is stopped by its owner's command"
    reach = "server"
    will: LastWill | None = None

    def take_aim(self) -> dict[str, str]:
        """Find out which server MySQL's volume is on.

        Raises:
            MissingCapability: there are no commands, or the volume does not name its server.
        """
        self._commands()
        return {"server": server_of(self.site)}

    def available(self) -> str | None:
        if self._answers():
            return None
        return f"{self.aim['server']} answers NFS calls neither here nor in MySQL's pod"

    def note(self) -> None:
        """Leave the last will, before the server is stopped."""
        limit = patient(timeouts.SERVER_COMMAND)
        self.will = LastWill(
            self._commands().start,
            within=patient(timeouts.SERVER_COMMAND + timeouts.SERVER_BACK),
            limit=limit,
            log=paths.records() / self.site.env.run_id / "server-start.log",
        )

    def inject(self) -> None:
        self._run(self._commands().stop)

    def prove_effect(self) -> str:
        prove(f"NFS calls to {self.aim['server']} to go unanswered", self.still_there)
        return f"NFS calls to {self.aim['server']} are not answered: {self._commands().stop}"

    def still_there(self) -> bool:
        return not self._answers()

    def heal(self) -> None:
        self._run(self._commands().start)
        if self.will:
            self.will.revoke()
            self.will = None

    def prove_healed(self) -> str:
        server = self.aim["server"]
        wait_until(
            f"NFS calls to {server} to be answered", self._answers, timeout=timeouts.SERVER_BACK
        )
        return f"NFS calls to {server} are answered"

    def _commands(self) -> ServerCommands:
        if self.site.commands is None:
            raise MissingCapability(
                "server.commands", "an NFS server of others needs --server-stop and --server-start"
            )
        return self.site.commands

    def _answers(self) -> bool:
        server = self.aim["server"]
        return null_call.answers(server) or null_call.answers_pod(self._in_pod, server)

    def _in_pod(self, argv: Sequence[str]) -> str:
        site = self.site
        return site.kube.execute(site.stack.namespace, site.pod_name, argv, container=HAND)

    def _run(self, line: str) -> None:
        """Run a line of the user's with their shell.

        Raises:
            LandfastError: it fails, or takes too long.
        """
        process.run(["sh", "-c", line], timeout=timeouts.SERVER_COMMAND)


@register
class ServerCommandMysqldKilled(Composite):
    """What was acknowledged is read from the server again, where a lying one does not have it.

    mysqld alone hides a loss: it answers from memory, and writes it back when the server is there.
    """

    name = "server-command-mysqld-killed"
    text = "the NFS server is stopped by its owner's command, and mysqld is killed meanwhile"
    reach = "server"
    parts = (ServerCommand, MysqldSigkillWaiting)
