"""The line of every key in a TOML text."""

import tomllib
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.shared.toml_lines import Path, line_of, locate

Toml: TypeAlias = dict[str, "Toml"] | list["Toml"] | object

TEXT = r'''# a comment with [brackets] and "quotes
title = "a # no comment \" ]"
point.x = 1
"quoted \u0041.key".'literal.key' = 1.5e3
long = """
[not.a.table]
x = "\"""" # five quotes at the end are two too many for this
raw = \'\'\'
[[no]]\'\'\'

[owner] # with a comment
born = 1979-05-27T07:32:00-08:00
  [owner.address]
  street = 'C:\path'

[[devices]]
name = "a"
[devices.options]
deep = { x = 1, y.z = [ 2, 3 ] }
[[devices.points]]
x = 1
[[devices.points]]
x = 2
[[devices]]
name = "b"
list = [
  "one", # comment ]

  { two = 2 },
  [
    3,
  ],
]
'''.replace("\\'", "'")


def paths(value: Toml, path: Path = ()) -> set[Path]:
    found = {path}
    if isinstance(value, dict):
        for key, item in value.items():
            found |= paths(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(value):
            found |= paths(item, (*path, index))
    return found


def test_every_path_that_tomllib_sees_has_a_line() -> None:
    assert set(locate(TEXT)) == paths(tomllib.loads(TEXT)) - {()}


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("point", "x"), 3),
        (("quoted A.key", "literal.key"), 4),
        (("long",), 5),
        (("raw",), 8),
        (("owner",), 11),
        (("owner", "born"), 12),
        (("owner", "address", "street"), 14),
        (("devices",), 16),
        (("devices", 0, "options", "deep", "y", "z", 1), 19),
        (("devices", 0, "points", 1, "x"), 23),
        (("devices", 1), 24),
        (("devices", 1, "list", 1, "two"), 29),
        (("devices", 1, "list", 2, 0), 31),
    ],
)
def test_a_path_stands_in_its_line(path: Path, line: int) -> None:
    assert locate(TEXT)[path] == line


def test_what_is_missing_stands_where_its_table_stands() -> None:
    lines = locate(TEXT)
    assert line_of(lines, ("devices", 1, "pin")) == 24
    assert line_of(lines, ("nowhere",)) == 1


def test_windows_line_ends_count_once() -> None:
    assert locate("a = 1\r\n\r\n[b]\r\nc = 2\r\n") == {("a",): 1, ("b",): 3, ("b", "c"): 4}


KEYS = st.sampled_from(["a", "b", "a.b", '"c d"', "'e'", "b.a"])
VALUES = st.recursive(
    st.sampled_from(["1", "1.5", "true", '"x]"', "'#'", '"""\n[y]\n"""', "''''a''''", "07:32:00"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ", # ]\n".join(items) + "]")
        | st.lists(inner, max_size=2).map(
            lambda items: "{" + ", ".join(f"k{n} = {item}" for n, item in enumerate(items)) + "}"
        )
    ),
    max_leaves=6,
)
HEADS = st.tuples(KEYS, st.booleans()).map(lambda it: f"[[{it[0]}]]" if it[1] else f"[{it[0]}]")
LINES = st.one_of(st.tuples(KEYS, VALUES).map(" = ".join), HEADS, st.just("# c"), st.just(""))


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_the_scan_sees_what_tomllib_sees(text: str) -> None:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(locate(text)) == paths(tables) - {()}
