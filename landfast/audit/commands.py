"""What a container's command starts: single commands, also those inside a shell's script."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

_SHELLS = {"sh", "bash", "ash", "dash", "zsh"}
_WRAPPERS = {"tini", "dumb-init", "gosu", "su-exec", "exec", "env", "nice", "sudo", "runuser"}
_SCRIPT_OPTION = re.compile(r"-\w*c\w*")
_SEPARATOR = re.compile(r"[;&|()\n]+")
_KEYWORDS = {"then", "do", "else", "if", "while", "until", "elif", "exec", "!", "{", "}", "time"}
_SUBSTITUTED = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_DEEPEST = 5  # substitutions inside substitutions
_ASSIGNMENT = re.compile(r"\w+=")
_LONGEST = 20_000  # characters of a script that are read: more is a program, not a command


def single_commands(command: Sequence[str]) -> list[list[str]]:
    """Return the commands that an argument list starts, each with its arguments.

    A shell's script is taken apart; of one that cannot be read, the whole is a command. A list that
    begins with an option belongs to the image's own entrypoint, which is not known: none.
    """
    if not command or command[0].startswith("-"):
        return []
    script = shell_script(command)
    return list(_of_script(script)) if script else [list(command)]


def shell_script(command: Sequence[str]) -> str:
    """Return the script that an argument list has a shell run; "" if it does not."""
    first = posixpath.basename(command[0]) if command else ""
    for number, word in enumerate(command[1:], 1):
        if first not in _SHELLS or not word.startswith("-"):
            return ""
        if _SCRIPT_OPTION.fullmatch(word):
            return "".join(command[number + 1 : number + 2])
    return ""


def programs(command: Sequence[str]) -> Iterator[str]:
    """Yield the programs that an argument list starts, without their folders.

    What starts another program, such as `tini` or an entrypoint script, may start any of its words.
    """
    for words in single_commands(command):
        first = posixpath.basename(words[0])
        yield first
        if first in _SHELLS | _WRAPPERS or first.endswith(".sh"):
            yield from (posixpath.basename(word) for word in words[1:] if word[:1] != "-")


def _of_script(script: str) -> Iterator[list[str]]:
    """Yield the commands of a script, those of its substitutions first."""
    text = script[:_LONGEST]
    for _ in range(_DEEPEST):
        for inner in _SUBSTITUTED.findall(text):
            yield from _of_simple("".join(inner))
        text = _SUBSTITUTED.sub("$_", text)
    yield from _of_simple(text)


def _of_simple(script: str) -> Iterator[list[str]]:
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("#")]
    lexer = shlex.shlex(" ; ".join(lines), posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "", True
    try:
        words = list(lexer)
    except ValueError:  # a quote that does not end
        yield [script]
        return
    found: list[str] = []
    for word in [*words, ";"]:
        if _SEPARATOR.fullmatch(word):
            if found:
                yield found
            found = []
        elif found or not (word in _KEYWORDS or _ASSIGNMENT.match(word)):
            found.append(word)
