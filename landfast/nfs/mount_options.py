"""Mount options of NFS: which of them say the same, how one replaces another, which are refused."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_VERSIONS = ("v2", "v3", "v4", "v4.0", "v4.1", "v4.2")
_SAME = {
    **dict.fromkeys(("soft", "softerr"), "hard"),
    **dict.fromkeys((*_VERSIONS, "nfsvers"), "vers"),
    **dict.fromkeys(("tcp", "udp", "rdma"), "proto"),
    "nolock": "lock",
    "nocto": "cto",
    "rw": "ro",
}

# nfs(5), Linux v6.12, fs/nfs/fs_context.c, nfs_fs_parameters, and mount(8)
_VERSION = r"2|3|4(\.[012])?"
_TRANSPORT = "(tcp|udp|rdma)6?"
_FLAVOUR = "none|null|sys|(krb5|lkey|spkm3)[ip]?"
_NUMBERS = (
    "acdirmax acdirmin acregmax acregmin actimeo bsize max_connect minorversion mountport "
    "mountvers namlen nconnect port retrans retry rsize timeo wsize"
)
_TEXTS = (
    "addr clientaddr comment context defcontext fsc fscontext mountaddr mounthost rootcontext "
    "source"
)
_VALUES = {
    **dict.fromkeys(_NUMBERS.split(), r"\d+"),
    **dict.fromkeys(_TEXTS.split(), ".+"),
    **dict.fromkeys(("vers", "nfsvers"), _VERSION),
    **dict.fromkeys(("proto", "mountproto"), _TRANSPORT),
    "local_lock": "all|flock|posix|none",
    "lookupcache": "all|none|pos|positive",
    "sec": f"({_FLAVOUR})(:({_FLAVOUR}))*",
    "write": "lazy|eager|wait",
    "xprtsec": "none|tls|mtls",
}
_EITHER = (  # with and without "no" in front
    "ac acl alignwrite atime auto cto dev diratime exec fsc group intr lazytime lock mand "
    "migration owner posix rdirplus relatime resvport sharecache softreval strictatime suid "
    "trunkdiscovery user users"
)
_ALONE = (
    "_netdev async bg defaults dirsync fg hard iversion loud nofail rdma ro rw silent sloppy soft "
    "softerr sync tcp udp"
)
_FLAGS = {
    *_ALONE.split(),
    *_VERSIONS,
    *_EITHER.split(),
    *(f"no{flag}" for flag in _EITHER.split()),
}


def family(option: str) -> str:
    """Return what an option decides: `hard` for `soft`, `vers` for `nfsvers=4`. Source: nfs(5)."""
    key = option.partition("=")[0]
    return _SAME.get(key, key)


def with_options(options: Iterable[str], more: Iterable[str]) -> list[str]:
    """Return mount options with others, each of which replaces those of its family."""
    more = list(more)
    given = {family(option) for option in more}
    return [*(option for option in options if family(option) not in given), *more]


def refused(option: str) -> str | None:
    """Return why mount refuses an option (`nfservers is no mount option: nfsvers is`), or None.

    Source: Linux v6.12, fs/nfs/fs_context.c; nfs(5); mount(8).
    """
    key, equals, value = option.partition("=")
    if key.startswith(("x-", "X-")) or (key in _FLAGS and not equals):
        return None
    if key in _VALUES:
        fits = re.fullmatch(_VALUES[key], value)
        return None if fits else f"{key} cannot be {value}" if value else f"{key} needs a value"
    if key in _FLAGS:
        return f"{key} takes no value"
    near = get_close_matches(key.lower(), [*_FLAGS, *_VALUES], n=1, cutoff=0.75)
    return f"{key} is no mount option" + (f": {near[0]} is" if near else "")
