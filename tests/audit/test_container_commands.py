"""What a container's command starts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landfast.audit.commands import programs, single_commands


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ([], []),
        (["--datadir=/x"], []),
        (["mysqld", "--user=mysql"], [["mysqld", "--user=mysql"]]),
        (["sh", "/start.sh"], [["sh", "/start.sh"]]),
        (["sh", "-c"], [["sh", "-c"]]),
        (["sh", "-ec", "a 1; b && c | d || e"], [["a", "1"], ["b"], ["c"], ["d"], ["e"]]),
        (["/bin/bash", "-e", "-c", "a\n# rm -rf /\nb"], [["a"], ["b"]]),
        (["sh", "-c", "A=1 B='x y' a b=c"], [["a", "b=c"]]),
        (
            ["sh", "-c", "if [ -d x ]; then rm -rf x; fi"],
            [["[", "-d", "x", "]"], ["rm", "-rf", "x"], ["fi"]],
        ),
        (["sh", "-c", "exec mysqld 'a;b'"], [["mysqld", "a;b"]]),
        (["sh", "-c", "(cd /x && rm y) &"], [["cd", "/x"], ["rm", "y"]]),
        (["sh", "-c", "a > x-$(date +%F).gz"], [["date", "+%F"], ["a", ">", "x-$_.gz"]]),
        (["sh", "-c", "a $(b $(c))"], [["c"], ["b", "$_"], ["a", "$_"]]),
        (["sh", "-c", "a `b`"], [["b"], ["a", "$_"]]),
        (["sh", "-c", "echo 'unfinished"], [["echo 'unfinished"]]),
    ],
)
def test_a_command_is_taken_apart(command: list[str], expected: list[list[str]]) -> None:
    assert single_commands(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["/usr/sbin/mysqld"], ["mysqld"]),
        (["tini", "--", "redis-server", "/etc/x.conf"], ["tini", "redis-server", "x.conf"]),
        (["docker-entrypoint.sh", "mysqld"], ["docker-entrypoint.sh", "mysqld"]),
        (["sh", "-c", "gosu mysql mysqld"], ["gosu", "mysql", "mysqld"]),
    ],
)
def test_programs_are_found_behind_what_starts_them(
    command: list[str], expected: list[str]
) -> None:
    assert list(programs(command)) == expected


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_script_is_read(words: list[str]) -> None:
    for command in (words, ["sh", "-c", *words]):
        assert all(single_commands(command))
        list(programs(command))
