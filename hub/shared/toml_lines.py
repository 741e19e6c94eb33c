"""Finds the line of each key in a TOML text, which `tomllib` does not report.

    statement:  [table] | [[array of tables]] | key = value
    value:      array | inline table | scalar

The text must be valid TOML (parse it with `tomllib` first): the scan does not detect errors.
"""

import re
import tomllib
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
      (?P<skip>   [ \t\r]+ | \#[^\n]* )
    | (?P<newline> \n )
    | (?P<text>   \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5}
                | \" (?: \\. | [^"\\\n] )* \" | ' [^'\n]* ' )
    | (?P<mark>   [][{}=,.] )
    | (?P<word>   [^\s"'\#\[\]{}=,.]+ )
    """,
    re.VERBOSE | re.DOTALL,
)


def locate(text: str) -> dict[Path, int]:
    """Map each path, such as `("devices", 0, "pin")`, to its line, counted from 1."""
    scan = _Scan(text)
    table: Path = ()
    while scan.skip_newlines():
        if scan.take("["):
            table = _header(scan)
        else:
            _pair(scan, table)
    return scan.lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Return the line of `path`, else of the nearest table around it, else 1."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scan:
    """The tokens that remain, and the lines found so far."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}  # array of tables -> tables so far
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup != "skip":
                self._tokens.append((match.group(), line))
            line += match.group().count("\n")
        self._tokens.reverse()

    def peek(self) -> str:
        return self._tokens[-1][0] if self._tokens else ""

    @property
    def line(self) -> int:
        return self._tokens[-1][1]

    def pop(self) -> str:
        return self._tokens.pop()[0]

    def take(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.pop()
        return True

    def skip_newlines(self) -> bool:
        while self.take("\n"):
            pass
        return bool(self._tokens)

    def note(self, path: Path, line: int) -> None:
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)


def _header(scan: _Scan) -> Path:
    array = scan.take("[")
    line = scan.line
    path = _resolve(scan, _key(scan), whole=not array)
    if array:
        count = scan.arrays.get(path, 0)
        scan.arrays[path] = count + 1
        scan.note(path, line)
        path = (*path, count)
    scan.note(path, line)
    scan.take("]")
    scan.take("]")
    return path


def _resolve(scan: _Scan, key: tuple[str, ...], *, whole: bool) -> Path:
    """Add the indices of arrays: `[devices.options]` belongs to the last `[[devices]]`."""
    path: Path = ()
    for end, part in enumerate(key, 1):
        path = (*path, part)
        if path in scan.arrays and (whole or end < len(key)):
            path = (*path, scan.arrays[path] - 1)
    return path


def _key(scan: _Scan) -> tuple[str, ...]:
    parts = [_part(scan)]
    while scan.take("."):
        parts.append(_part(scan))
    return tuple(parts)


def _part(scan: _Scan) -> str:
    token = scan.pop()
    if token[0] == "'":
        return token[1:-1]
    return str(tomllib.loads(f"key = {token}")["key"]) if token[0] == '"' else token


def _pair(scan: _Scan, table: Path) -> None:
    line = scan.line
    path = (*table, *_key(scan))
    scan.note(path, line)
    scan.take("=")
    _value(scan, path)


def _value(scan: _Scan, path: Path) -> None:
    if scan.take("["):
        _array(scan, path)
    elif scan.take("{"):
        while scan.skip_newlines() and not scan.take("}"):
            _pair(scan, path)
            scan.skip_newlines()
            scan.take(",")
    else:
        while scan.peek() not in {"\n", ",", "]", "}", ""}:
            scan.pop()


def _array(scan: _Scan, path: Path) -> None:
    index = 0
    while scan.skip_newlines() and not scan.take("]"):
        item = (*path, index)
        scan.note(item, scan.line)
        _value(scan, item)
        scan.skip_newlines()
        scan.take(",")
        index += 1
