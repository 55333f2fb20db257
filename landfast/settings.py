"""Every option, once: a flag of `landfast` and pytest, a LANDFAST_* variable, a key of a file."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_origin

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from landfast.errors import BadInput
from landfast.image_names import LANDFAST_IMAGE, ImageName

_PREFIX = "LANDFAST_"
_HOST = r"([\w.-]+|\[[0-9a-fA-F:]+\])"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_SERVER = ("server_stop", "server_start")
_WRITERS = ("writers", "writer_pods", "writer_image")
_OF_EXISTING = (
    *("context", "nfs_server", "kubeconfig", "i_own_this_cluster", "plan"),
    *("namespace", "pull_secret", "node_selector", "toleration"),
    *_SERVER,
    *_WRITERS,
)
PYTESTS_OWN = {"select": "-k", "processes": "-n", "fail_fast": "-x"}
"""Settings for which pytest has its own option."""
_CHAOS = {"scenario", "budget", "list", *_SERVER, *_WRITERS}
_CONFORMANCE = {"binding_cases", "processes", "provisioner_contract"}


def _form(pattern: str, form: str) -> AfterValidator:
    """Return a validator of texts; `form` describes a valid one."""

    def validate(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"it must be {form}")
        return text

    return AfterValidator(validate)


Image = Annotated[
    str,
    _form(
        r"[a-z0-9]+([._:/-][a-z0-9._-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?",
        "the name of an image (NAME[:TAG][@DIGEST])",
    ),
]
Registry = Annotated[
    str, _form(rf"{_HOST}(:\d+)?(/[a-z0-9._-]+)*/?", "HOST[:PORT][/PREFIX], without https://")
]
Server = Annotated[str, _form(r"[^:/\s]+:/\S*", "HOST:/PATH")]
Budget = Annotated[str, _form(r"\d+(\.\d+)?[smh]", "a time such as 600s, 10m or 1h")]
Processes = Annotated[str, _form(r"auto|\d+", "a number or auto")]
_KEY = r"([\w.-]+/)?[\w.-]+"
Label = Annotated[str, _form(rf"{_KEY}=[\w.-]*", "KEY=VALUE")]
TolerationText = Annotated[
    str,
    _form(rf"{_KEY}(=[\w.-]*)?(:(NoSchedule|PreferNoSchedule|NoExecute))?", "KEY[=VALUE][:EFFECT]"),
]
ObjectName = Annotated[str, _form(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", "the name of an object")]
MountOption = Annotated[str, _form(r"[\w.-]+(=[\w.:/-]+)?", "mount options, with commas")]


def _split(given: Any) -> Any:
    """Return the entries of texts with commas."""
    texts = [given] if isinstance(given, str) else given
    return [entry for text in texts for entry in str(text).split(",") if entry]


_T = TypeVar("_T")
Entries = Annotated[tuple[_T, ...], NoDecode, BeforeValidator(_split)]
"""Several values: of a flag that is repeated, or in one text with commas."""


class Settings(BaseSettings):
    """The options of a run. A flag wins over a variable, a variable over landfast.toml.

    The text below each is its help (`use_attribute_docstrings`).
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        toml_file="landfast.toml",
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )

    cluster: Literal["kind", "existing"] = "kind"
    """kind: create a cluster and remove it. existing: use --context"""
    context: str | None = None
    """kubeconfig context, for --cluster existing"""
    kubeconfig: Path | None = None
    """kubeconfig file, for --cluster existing (default: $KUBECONFIG)"""
    nfs_server: Server | None = None
    """HOST:/PATH of the NFS export, for --cluster existing"""
    storage_class: str | None = None
    """StorageClass to judge instead of the reference's: its name, or default"""
    namespace: ObjectName | None = None
    """namespace that is there and that the run works in, with --storage-class"""
    pull_secret: ObjectName | None = None
    """Secret in the run's namespaces with which the nodes pull images"""
    node_selector: Entries[Label] = ()
    """KEY=VALUE of the nodes that pods may go to; may be repeated"""
    toleration: Entries[TolerationText] = ()
    """KEY[=VALUE][:EFFECT] of a taint that does not keep pods away; may be repeated"""
    mount_options: Entries[MountOption] = ()
    """A,B: mount options of the volumes and classes that the run brings"""
    nfs_version: Literal["3", "4.0", "4.1", "4.2"] | None = None
    """3, 4.0, 4.1 or 4.2: version of NFS for the volumes and classes that the run brings"""
    plan: bool = False
    """print what a run on an existing cluster would make and ask for, and change nothing"""
    nfs_client: Literal["auto", "kernel", "fuse"] = "auto"
    """how nodes mount NFS: the kernel's client, or the kit's FUSE helper"""
    workers: Literal["kind", "kernel"] = "kind"
    """nodes that mount NFS: kind's containers, or machines with a kernel of their own"""
    nfs_server_kind: Literal["ganesha", "kernel"] = "ganesha"
    """the run's NFS server: Ganesha, or the kernel's own in a machine"""
    images: Literal["auto", "registry", "kit"] = "auto"
    """where images come from: a registry, or the kit built on this host"""
    registry: Registry | None = None
    """HOST[:PORT][/PREFIX] of a mirror that serves every image"""
    node_image: Image | None = None
    """node image to use instead of the default"""
    mysql_image: Image | None = None
    """MySQL image to use instead of the default; 5.7 or newer"""
    provisioner_image: Image | None = None
    """provisioner image to test instead of the default"""
    nfs_server_image: Image | None = None
    """image of the NFS server, with NFS-Ganesha, instead of the one that Landfast builds"""
    provisioner_contract: Literal["auto", "v4.0.2", "master", "leases"] = "auto"
    """provisioner release line to test against; auto: detect it; leases: the fork with that lock"""
    mysql_port: int = Field(0, ge=0, le=65535)
    """port on 127.0.0.1 for MySQL; 0 takes a free one"""
    i_own_this_cluster: str | None = Field(
        None,
        description="the name of the cluster in --context's kubeconfig, to let a run change what "
        "it did not create (the default StorageClasses; with chaos, MySQL's node) and restore it",
    )
    server_stop: str | None = None
    """chaos: shell command on this host that stops the class's NFS server; with --server-start"""
    server_start: str | None = None
    """chaos: shell command on this host that starts the class's NFS server again"""
    writers: int | None = Field(None, ge=8, le=128)  # MySQL takes 151 connections
    """chaos: how many writers load MySQL, in pods, instead of eight on this host"""
    writer_pods: int | None = Field(None, ge=1)
    """chaos: in how many pods, spread over the nodes; with --writers"""
    writer_image: Image = LANDFAST_IMAGE
    """chaos: Landfast's own image for these pods (docs/in-cluster.md)"""
    binding_cases: int = Field(300, ge=2)
    """how many binding cases to generate"""
    seed: int | None = Field(None, ge=0)
    """repeat the order and the binding cases of an earlier run"""
    select: str | None = None
    """run only tests whose name matches (an expression as in pytest -k)"""
    processes: Processes | None = None
    """processes that run tests: a number, or auto (conformance only)"""
    fail_fast: bool = False
    """stop at the first claim that is not a PASS"""
    scenario: str | None = None
    """chaos: run only these scenarios: NAME[,NAME…]"""
    budget: Budget | None = Field(
        None,
        description="chaos: run the most telling scenarios that fit into this time (600s, 10m, "
        "1h); the cluster takes a minute more",
    )
    list: bool = False
    """chaos: print the scenarios, what each must show and how long it takes"""
    patience: float | None = Field(None, gt=0, allow_inf_nan=False)
    """multiply every time limit, for a slow machine; by default 1, and 3 with machines"""
    keep: bool = False
    """leave the cluster running, and use the one that an earlier run left"""
    out: Path = Path("out")
    """folder for journals and reports"""

    @property
    def budget_seconds(self) -> float | None:
        """The time that scenarios may take, in seconds."""
        return None if self.budget is None else float(self.budget[:-1]) * _UNITS[self.budget[-1]]

    @property
    def stretch(self) -> float:
        """What every time limit is multiplied by: all takes longer on machines of the run's own."""
        machines = "kernel" in (self.workers, self.nfs_server_kind)
        return self.patience or (3 if machines else 1)

    @property
    def breaks_nodes(self) -> bool:
        """Whether the run may break MySQL's node on a cluster of others, as its owner says."""
        asked = (self.i_own_this_cluster, self.storage_class)
        return None not in asked and self.namespace is None

    @property
    def volume_options(self) -> tuple[str, ...]:
        """The mount options that were asked for, with the version of NFS."""
        version = [f"nfsvers={self.nfs_version}"] if self.nfs_version else []
        return (*self.mount_options, *version)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order: flags, variables, landfast.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _belong_together(self) -> "Settings":
        if self.cluster == "existing":
            if self.context is None:
                raise ValueError("--cluster existing needs --context: it has no default")
            if self.nfs_server is None and self.storage_class is None:
                raise ValueError(
                    "--cluster existing needs --nfs-server, or --storage-class to judge a class "
                    "through pods alone"
                )
            for field in (
                "nfs_client",
                "workers",
                "nfs_server_kind",
                "node_image",
                "nfs_server_image",
                "mysql_port",
                "keep",
            ):
                if getattr(self, field) != type(self).model_fields[field].default:
                    raise ValueError(f"{flag(field)} needs --cluster kind")
        else:
            for field in _OF_EXISTING:
                if getattr(self, field) != type(self).model_fields[field].default:
                    raise ValueError(f"{flag(field)} needs --cluster existing")
        if self.namespace is not None and (self.storage_class is None or self.nfs_server):
            raise ValueError(
                "--namespace needs --storage-class, and no --nfs-server: for an export the run "
                "makes objects that are in no namespace"
            )
        if self.storage_class is not None and self.volume_options:
            raise ValueError(
                "--mount-options and --nfs-version are for volumes that the run brings; with "
                "--storage-class, the options of that class are judged"
            )
        if (self.writers is None) != (self.writer_pods is None):
            raise ValueError("--writers and --writer-pods go together")
        if self.writers is not None and self.storage_class is None:
            raise ValueError("--writers needs --storage-class: chaos judges no other volumes there")
        if (self.writers or 0) < (self.writer_pods or 0):
            raise ValueError("--writer-pods: there are fewer --writers than pods")
        given = [field for field in _SERVER if getattr(self, field)]
        if len(given) == 1:
            other = next(field for field in _SERVER if field not in given)
            raise ValueError(f"{flag(given[0])} needs {flag(other)}: what breaks must heal")
        if given and self.storage_class is None:
            raise ValueError(
                f"{flag(given[0])} needs --storage-class: it stops that class's server"
            )
        if self.workers == "kernel" and self.nfs_client != "auto":
            raise ValueError(
                "--nfs-client does not go with --workers kernel: machines use their own kernel"
            )
        if self.registry is not None and self.images == "kit":
            raise ValueError("--registry does not work with --images kit; use --images registry")
        version = self.mysql_image and ImageName.parse(self.mysql_image).version
        if version and version < (5, 7):
            raise ValueError(
                f"--mysql-image {self.mysql_image} is older than 5.7, the oldest supported"
            )
        return self


def is_repeated(field: str) -> bool:
    """Whether the flag of a setting may be given several times."""
    return get_origin(Settings.model_fields[field].annotation) is tuple


def options_of(suite: str) -> set[str]:
    """Return the settings that the command of a suite takes as flags."""
    others = {"conformance": _CHAOS, "chaos": _CONFORMANCE}.get(suite, _CHAOS | _CONFORMANCE)
    return Settings.model_fields.keys() - others


def flag(field: str) -> str:
    """Return the command-line flag of a setting: `nfs_server` → `--nfs-server`."""
    return "--" + field.replace("_", "-")


def mirror(text: str, option: str) -> str:
    """Return the mirror that an option names.

    Raises:
        BadInput: the text is not HOST[:PORT][/PREFIX].
    """
    try:
        return TypeAdapter(Registry).validate_python(text)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(f"{option} {text!r}: {said}") from error


def load_settings(flags: dict[str, Any]) -> Settings:
    """Return the settings in force; `flags` holds those of the command line, by field name.

    Raises:
        BadInput: a value is wrong; one sentence that names the flag, variable or key.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    variables = {name.lower() for name in os.environ if name.upper().startswith(_PREFIX)}
    known = {f"{_PREFIX}{name}".lower() for name in Settings.model_fields}
    for unknown in sorted(variables - known):
        raise BadInput(f"{unknown.upper()} is not a variable of Landfast; {_known(_PREFIX)}")
    try:
        return Settings(**given)
    except ValidationError as error:
        raise BadInput(_sentence(error, given)) from error
    except (OSError, ValueError) as error:
        raise BadInput(f"landfast.toml cannot be read: {' '.join(str(error).split())}") from error


def _known(prefix: str = "") -> str:
    names = [prefix + name.upper() if prefix else name for name in sorted(Settings.model_fields)]
    return f"there are {', '.join(names)}"


def _sentence(error: ValidationError, given: dict[str, Any]) -> str:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"landfast.toml has the unknown key {field!r}; {_known()}"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not field:
        return message
    message = message.replace("should be", "it must be", 1)
    variable = f"{_PREFIX}{field.upper()}"
    source = f"{field} in landfast.toml"
    if field in given:
        source = flag(field)
    elif variable in {name.upper() for name in os.environ}:
        source = variable
    return f"{source} {first['input']!r}: {message}"
