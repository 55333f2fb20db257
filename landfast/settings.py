"""Every option, once: a flag of pytest and `landfast`, a LANDFAST_* variable, a key of a file."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from landfast.errors import BadInput
from landfast.image_names import ImageName

_PREFIX = "LANDFAST_"
_IMAGE = r"^[a-z0-9]+([._:/-][a-z0-9._-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$"
_REGISTRY = r"[\w.-]+(:\d+)?(/[a-z0-9._-]+)*/?|\[[0-9a-fA-F:]+\](:\d+)?(/[a-z0-9._-]+)*/?"
Image = Annotated[str, StringConstraints(pattern=_IMAGE)]


class Settings(BaseSettings):
    """What a run was asked for. A flag wins over a variable, a variable over landfast.toml."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, toml_file="landfast.toml", extra="forbid", frozen=True
    )

    cluster: Literal["kind", "existing"] = Field(
        "kind", description="kind: make a cluster and throw it away. existing: use --context"
    )
    context: str | None = Field(None, description="kubeconfig context, for --cluster existing")
    kubeconfig: Path | None = Field(
        None, description="kubeconfig file, for --cluster existing (default: $KUBECONFIG)"
    )
    nfs_server: str | None = Field(
        None, description="HOST:/PATH of the NFS export, for --cluster existing"
    )
    nfs_client: Literal["auto", "kernel", "fuse"] = Field(
        "auto", description="how nodes mount NFS: the kernel's client, or the kit's FUSE helper"
    )
    images: Literal["auto", "registry", "kit"] = Field(
        "auto", description="where images come from: a registry, or the kit that is built here"
    )
    registry: str | None = Field(
        None, description="HOST[:PORT][/PREFIX] of a mirror that serves every image"
    )
    node_image: Image | None = Field(None, description="node image to use instead of the default")
    mysql_image: Image | None = Field(
        None, description="MySQL image to use instead of the default; 5.7 or newer"
    )
    provisioner_image: Image | None = Field(
        None, description="provisioner image to judge instead of the default"
    )
    provisioner_contract: Literal["auto", "v4.0.2", "master"] = Field(
        "auto", description="line of the provisioner to hold it to; auto: the one that it follows"
    )
    mysql_port: int = Field(
        0, ge=0, le=65535, description="port on 127.0.0.1 for MySQL; 0 takes a free one"
    )
    i_own_this_cluster: str | None = Field(
        None,
        description="the name of --context once more: what is not the run's may be changed there, "
        "and is restored (default classes)",
    )
    scenarios: int = Field(300, ge=2, description="how many binding scenarios are generated")
    seed: int | None = Field(
        None, ge=0, description="repeat the order of tests and the scenarios of an earlier run"
    )
    keep: bool = Field(
        False, description="leave the cluster running, and use the one that an earlier run left"
    )
    out: Path = Field(Path("out"), description="folder for journals and reports")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Give the sources in order: flags, variables, landfast.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @model_validator(mode="after")
    def _belong_together(self) -> "Settings":
        for field in ("context", "nfs_server"):
            given = getattr(self, field) is not None
            if self.cluster == "existing" and not given:
                raise ValueError(
                    f"--cluster existing needs {flag(field)}: nothing is guessed there"
                )
            if self.cluster == "kind" and given:
                raise ValueError(f"{flag(field)} goes with --cluster existing")
        for field in ("kubeconfig", "i_own_this_cluster"):
            if self.cluster == "kind" and getattr(self, field) is not None:
                raise ValueError(f"{flag(field)} goes with --cluster existing")
        if self.i_own_this_cluster not in (None, self.context):
            raise ValueError(
                f"--i-own-this-cluster {self.i_own_this_cluster} must repeat the name of "
                f"--context, {self.context}"
            )
        for field in ("nfs_client", "node_image", "mysql_port"):
            if self.cluster == "existing" and getattr(self, field) != _default(field):
                raise ValueError(
                    f"{flag(field)} goes with --cluster kind: this cluster has its own"
                )
        if self.cluster == "existing" and self.keep:
            raise ValueError("--keep goes with --cluster kind: an existing cluster always stays")
        if self.nfs_server is not None and not re.fullmatch(r"[^:/\s]+:/\S*", self.nfs_server):
            raise ValueError(f"--nfs-server must be HOST:/PATH, not {self.nfs_server!r}")
        if self.registry is not None and not re.fullmatch(_REGISTRY, self.registry):
            raise ValueError(f"--registry must be HOST[:PORT][/PREFIX], not {self.registry!r}")
        if self.registry is not None and self.images == "kit":
            raise ValueError("--registry goes with --images registry, not with --images kit")
        version = self.mysql_image and ImageName.parse(self.mysql_image).version
        if version and version < (5, 7):
            raise ValueError(
                f"--mysql-image {self.mysql_image} is older than 5.7, the oldest supported"
            )
        return self


def _default(field: str) -> object:
    return Settings.model_fields[field].default


def flag(field: str) -> str:
    """Give the command-line flag of a setting: `nfs_server` → `--nfs-server`."""
    return "--" + field.replace("_", "-")


def load_settings(flags: dict[str, Any]) -> Settings:
    """Give the settings in force; `flags` holds those given on the command line, by field name.

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
    except (ValueError, OSError) as error:  # landfast.toml is not TOML, or not readable
        raise BadInput(f"landfast.toml cannot be read: {error}") from error


def _known(prefix: str = "") -> str:
    names = [prefix + name.upper() if prefix else name for name in sorted(Settings.model_fields)]
    return f"there are {', '.join(names)}"


def _sentence(error: ValidationError, given: dict[str, Any]) -> str:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"landfast.toml has the unknown key {field!r}; {_known()}"
    message = first["msg"].removeprefix("Value error, ")
    if not field:
        return message
    if first["type"] == "string_pattern_mismatch":
        message = "that is not the name of an image (NAME[:TAG][@DIGEST])"
    message = message.removeprefix("Input ").replace("should be", "it must be", 1)
    variable = f"{_PREFIX}{field.upper()}"
    source = f"{field} in landfast.toml"
    if field in given:
        source = flag(field)
    elif variable in {name.upper() for name in os.environ}:
        source = variable
    return f"{source} {first['input']!r}: {message}"
