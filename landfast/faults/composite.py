"""Several faults as one: injected in order, healed in the opposite order."""

from collections.abc import Mapping
from typing import ClassVar

from landfast.faults.base import Fault, Lasting, Site


class Composite(Lasting):
    """A fault that is made of others, at least one of which lasts."""

    parts: ClassVar[tuple[type[Fault], ...]]
    """In the order of injection."""

    def __init__(self, site: Site, aim: Mapping[str, str] | None = None) -> None:
        self.members = [part(site, aim and _aim_of(part, aim)) for part in self.parts]
        super().__init__(site, aim)

    def take_aim(self) -> dict[str, str]:
        return {f"{m.name}.{key}": value for m in self.members for key, value in m.aim.items()}

    def available(self) -> str | None:
        return next(filter(None, (member.available() for member in self.members)), None)

    def note(self) -> None:
        for member in self.members:
            member.note()

    def inject(self) -> None:
        for member in self.members:
            member.inject()

    def prove_effect(self) -> str:
        return "; ".join(member.prove_effect() for member in self.members)

    def still_there(self) -> bool:
        return all(m.still_there() for m in self.members if isinstance(m, Lasting))

    def heal(self) -> None:
        for member in reversed(self.members):
            member.heal()

    def prove_healed(self) -> str:
        return "; ".join(member.prove_healed() for member in self.members)


def _aim_of(part: type[Fault], aim: Mapping[str, str]) -> dict[str, str]:
    own = f"{part.name}."
    return {key.removeprefix(own): value for key, value in aim.items() if key.startswith(own)}
