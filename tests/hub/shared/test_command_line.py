"""The command line as a new user meets it: every word explained, one language, no traceback."""

import argparse
import ast
import inspect
import os
import re
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.__main__ import ELSEWHERE, main, parser
from hub.shared.command_line import CLOSED, PLAIN, Parser, spoken
from hub.shared.language import VARIABLE, Language
from hub.shared.messages import messages
from tests.layout import REPO

COMMANDS = ["hub", *ELSEWHERE]
HANGUL = re.compile("[가-힣]")
SENTENCE = re.compile(r"\b[A-Za-z]+(?: [a-z]+){2,}")  # three English words in a row
OURS_ALONE = {  # what argparse says of a programmer's mistakes only
    "cannot merge actions", "conflict", "dest= is required", "invalid conflict_resolution",
    "invalid option string", "is an invalid argument for positionals", "is not callable",
    "mutually exclusive arguments must be", "cannot have multiple", 'argument "-" with mode',
    ".__call__() not defined", "must be", "is deprecated",
}  # fmt: skip


def walk(one: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Return a parser and all below it."""
    yield one
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in dict.fromkeys(action.choices.values()):
                yield from walk(below)


def unexplained(one: argparse.ArgumentParser) -> Iterator[str]:
    """Name what has no help."""
    for action in one._actions:
        if not action.help:
            yield f"{one.prog} {action.option_strings or action.dest}"
        if isinstance(action, argparse._SubParsersAction):
            told = {choice.dest for choice in action._choices_actions if choice.help}
            yield from (f"{one.prog} {name}" for name in set(action.choices) - told)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_explained_in_one_language(
    command: str, language: Language
) -> None:
    with spoken(["--lang", language]):
        found = list(walk(parser(command)))
        assert [what for one in found for what in unexplained(one)] == []
        for one in found:
            shown = one.format_help().replace(one.prog, "")
            foreign = HANGUL if language is Language.ENGLISH else SENTENCE
            assert not foreign.findall(shown), shown


def test_help_of_one_command_tells_of_all_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "en", "--help"])
    assert not ended.value.code
    shown = capsys.readouterr().out
    assert all(f"    {command}" in shown for command in COMMANDS)
    assert all(
        told in " ".join(shown.split())
        for told in messages("hub", Language.ENGLISH, "cli")["command"].values()
    )


ENGLISH_FILES = sorted(REPO.glob("*/messages/*en.toml"))
ENGLISH_ALONE = {"said"}  # what an English page says again of what was spoken in Korean


def sentences(file: Path) -> Iterator[tuple[str, set[str]]]:
    """Return each sentence's key, and what is filled into it."""
    tables: list[tuple[str, object]] = [("", tomllib.loads(file.read_text(encoding="utf-8")))]
    for key, value in tables:
        if isinstance(value, dict):
            tables += [(f"{key}.{name}".strip("."), one) for name, one in value.items()]
        elif key.partition(".")[0] not in ENGLISH_ALONE:
            parts = string.Formatter().parse(str(value))
            yield key, {part[1] for part in parts if part[1] is not None}


@pytest.mark.parametrize("english", ENGLISH_FILES, ids=lambda file: str(file.relative_to(REPO)))
def test_both_languages_say_the_same_things_with_the_same_values(english: Path) -> None:
    korean = english.with_name(english.name.replace("en.toml", "ko.toml"))
    ours, theirs = dict(sentences(korean)), dict(sentences(english))
    assert set(ours) == set(theirs)
    different = {key for key in ours if ours[key] != theirs[key]}
    assert {key for key in different if ours[key] ^ theirs[key] != {"ko", "en"}} <= {
        "page.spoken_in_korean"  # what was said stands in the Korean page already
    }


def said_by_argparse() -> Iterator[object]:
    for node in ast.walk(ast.parse(inspect.getsource(argparse))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found = node.args if node.func.id in {"_", "ngettext"} else []
            yield from (one.value for one in found if isinstance(one, ast.Constant))


def test_whatever_argparse_says_to_people_is_said_in_korean() -> None:
    catalog = messages("hub", Language.KOREAN, "argparse")["says"]
    said = {text for text in said_by_argparse() if isinstance(text, str)}
    assert len(said) > 20
    missing = {text for text in said - set(catalog) if not any(one in text for one in OURS_ALONE)}
    assert missing == set()
    places = re.compile(r"%\(\w+\)[sr]|%[sr]")
    for english, korean in catalog.items():
        assert sorted(places.findall(english)) == sorted(places.findall(korean)), english


def test_a_wrong_word_is_refused_in_the_language_of_the_shell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, word in (("ko", "꼭 필요한 인자"), ("en", "are required")):
        monkeypatch.setenv(VARIABLE, language)
        with pytest.raises(SystemExit):
            main(["hub"])
        assert word in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["hub", "--lang=ko"])
    assert "꼭 필요한 인자" in capsys.readouterr().err
    assert os.environ[VARIABLE] == "en", "what was asked for once is not asked for again"


def test_a_language_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--lang", "fr", "doctor"], ["doctor", "--lang"]):
        with pytest.raises(SystemExit):
            main(words)
        assert "--lang" in capsys.readouterr().err


def test_a_parser_without_help_takes_no_language() -> None:
    assert "--lang" not in Parser(add_help=False).format_usage()


def anbu(*words: str, **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "hub", *words],
        cwd=REPO,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("words", [["doctor"], ["house", "lamps", "--help"], ["models", "check"]])
@pytest.mark.parametrize("encoding", ["euc-kr", "ascii"])
def test_a_terminal_without_our_signs_is_no_end(words: list[str], encoding: str) -> None:
    running = anbu(*words, PYTHONIOENCODING=encoding, ANBU_LANG="ko")
    out, err = running.communicate(timeout=60)
    assert running.returncode in {0, 1}
    assert b"Traceback" not in err
    shown = out.decode(encoding)
    assert ("가" <= max(shown) <= "힣") == (encoding == "euc-kr")
    if words == ["doctor"]:
        assert PLAIN["✓"] in {line[:1] for line in shown.splitlines()}


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["doctor"],
        ["doctor", "--json"],
        ["replay", "--help"],
        ["voice", "record", "--list"],
        ["house", "simulate", "--days", "30", "--seed", "1", "--profile", "homebody"],
    ],
)  # fmt: skip
def test_a_reader_that_has_seen_enough_is_no_end(words: list[str]) -> None:
    running = anbu(*words)
    assert running.stdout
    running.stdout.close()
    _, err = running.communicate(timeout=60)
    assert err == b""
    assert running.returncode in {0, CLOSED}


NOBODY = 65534


@pytest.mark.parametrize(
    "words",
    [
        ["doctor", "--config", "{}/hub.toml"],
        ["center", "--config", "{}/center.toml"],
        ["center", "home", "set", "js-0001", "--file", "{}/record.toml"],
        ["replay", "{}/trace.csv"],
        ["models", "check", "--dir", "{}/models"],
        ["dev-certs", "{}/certs"],
        ["broker-config", "{}/broker", "{}/certs"],
        ["sensors", "--socket", "{}/hub.sock"],
        ["house", "lamps", "--socket", "{}/house.sock"],
        ["house", "simulate", "--days", "1", "--seed", "1", "--profile", "pet", "--out", "{}/x"],
        ["voice", "--config", "{}/voice.toml", "check"],
        ["voice", "plans", "check", "{}/plans"],
        ["voice", "bank", "check", "--folder", "{}/bank"],
        ["hub", "--config", "{}/hub.toml"],
    ],
)  # fmt: skip
def test_a_folder_that_is_somebody_elses_is_told_in_a_sentence(
    tmp_path: Path, words: list[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    bounded: list[str] = []
    if os.geteuid() == 0:  # root reads all, unless it gives that up
        os.chown(closed, NOBODY, NOBODY)
        bounded = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    done = subprocess.run(
        [*bounded, sys.executable, "-m", "hub", *(word.format(closed) for word in words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "ANBU_RUN_DIR": str(closed)},
        cwd=REPO,
    )
    assert done.returncode in {1, 2, 3}, done
    assert "Traceback" not in done.stderr, done.stderr
    assert str(closed) in done.stdout + done.stderr
