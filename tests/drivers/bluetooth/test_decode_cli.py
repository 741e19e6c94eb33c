"""`anbu radio decode`: each case as an engineer asks it, and in the words of an installer."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from drivers.bluetooth import decode_cli
from drivers.bluetooth.frames import bthome
from drivers.bluetooth.frames.octets import Refusal
from hub.__main__ import main
from hub.contract.messages import VitalWhy
from hub.core.model.wireless import Verdict
from hub.shared.language import Language
from hub.shared.messages import messages

Case = dict[str, Any]
FILE = Path(__file__).parent / "cases.json"
CASES: dict[str, Case] = {
    case["name"]: case for case in json.loads(FILE.read_text(encoding="utf-8"))
}
ADDRESS, KEY = "38:39:8F:70:B2:E1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
SEALED = ("--kind", "bthome", "--address", ADDRESS, "--key", KEY)
FIRST, NEXT, RESTARTED = (
    CASES[name]["hex"] for name in ("enc_press_1", "enc_press_next", "enc_counter_restart")
)


class Desk:
    """A terminal with this command."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def say(self, *words: str, lang: str = "en", code: int = 0) -> str:
        parser = ArgumentParser()
        parser.set_defaults(lang=lang)
        decode_cli.add_arguments(parser)
        assert decode_cli.run(parser.parse_args(words)) == code
        output = self._capsys.readouterr()
        return output.err if code else output.out

    def ask(self, *words: str) -> Case:
        [line] = self.say("--json", *words).splitlines()
        found: Case = json.loads(line)
        return found


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(capsys)


def words_of(case: Case) -> list[str]:
    """Return the command line of a case, with the frames that came before it."""
    frames = case["hex"] if isinstance(case["hex"], list) else [case["hex"]]
    before = case
    while "after" in before:
        before = CASES[before["after"]]
        frames = [before["hex"], *frames]
    words = ["--kind", case["kind"]]
    for option, key in (("--address", "address"), ("--key", "bindkey"), ("--gap-s", "gap_s")):
        words += [option, str(case[key])] if key in case else []
    words += ["--stored", json.dumps(case["stored"])] if "stored" in case else []
    return [*words, *map(str, frames)]


@pytest.mark.parametrize("case", CASES.values(), ids=[*CASES])
def test_each_case_says_what_is_expected(case: Case, desk: Desk) -> None:
    told = desk.ask(*words_of(case))
    for name, expected in case["expect"].items():
        approximate = isinstance(expected, float)
        assert told[name] == (pytest.approx(expected, abs=1e-3) if approximate else expected)


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("case", CASES.values(), ids=[*CASES])
def test_each_case_has_sentences(case: Case, lang: str, desk: Desk) -> None:
    said = desk.say(*words_of(case), lang=lang)
    assert said.strip()
    assert "{" not in said


def test_it_is_a_command_of_anbu_radio(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["radio", "decode", "--kind", "2a37", "--json", "0048"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["bpm"] == 72
    with pytest.raises(SystemExit) as ended:
        main(["radio", "decode", "--help", "--lang", "en"])
    assert ended.value.code == 0
    assert "--gap-s" in capsys.readouterr().out


def test_both_languages_have_the_same_words_for_all_that_may_be_said() -> None:
    korean, english = (messages("drivers.bluetooth", one, "decode") for one in Language)
    assert {name: set(table) for name, table in korean.items()} == {
        name: set(table) for name, table in english.items()
    }
    assert set(Refusal) | {Verdict.REPEAT, Verdict.REPLAY} <= set(english["reason"])
    numbers = {one.name for one in bthome.NUMBERS.values()}
    states = {name for name, _, _ in bthome.STATES.values()}
    assert numbers | states | {"text", "raw", "firmware"} <= set(english["name"])
    outcomes = {word for _, off, on in bthome.STATES.values() for word in (off, on)}
    codes = {*bthome.BUTTONS.values(), *bthome.DIMMERS.values(), *bthome.COMMANDS.values()}
    assert outcomes | set(map(str, codes)) <= set(english["word"])


def test_each_reason_against_beats_has_a_sentence() -> None:
    said = messages("drivers.bluetooth", Language.ENGLISH, "decode")["reason"]
    judged = {VitalWhy.NO_RR, VitalWhy.FLAT, VitalWhy.SHORT, VitalWhy.NOISY, VitalWhy.IRREGULAR}
    assert judged <= set(said)


def test_a_restart_after_a_restart_and_a_replay_between_them(desk: Desk) -> None:
    told = desk.ask(*SEALED, "--gap-s", "700", FIRST, NEXT, RESTARTED, FIRST, NEXT, RESTARTED)
    frames = told["frames"]
    assert [one["event"] for one in frames] == ["press", "press", "press", None, None, None]
    assert [one["reason"] for one in frames] == [None, None, None, "replay", "replay", "repeat"]
    assert [one["note"] for one in frames] == [None, None, "counter_restarted", None, None, None]
    assert told["presses"] == 3


def test_what_the_hub_has_on_disk_is_folded(desk: Desk) -> None:
    stored = json.dumps({"counter": 1780672257, "age_s": 20})
    assert desk.ask(*SEALED, "--stored", stored, FIRST)["reason"] == "repeat"
    assert desk.ask(*SEALED, "--stored", stored, NEXT)["event"] == "press"
    assert desk.ask(*SEALED, "--stored", stored, RESTARTED)["note"] == "counter_restarted"
    newer = json.dumps({"counter": 1780672258, "mark": "adaed095", "age_s": 20})
    assert desk.ask(*SEALED, "--stored", newer, FIRST)["reason"] == "replay"


def test_several_buttons_and_a_dimmer_in_one_advert(desk: Desk) -> None:
    told = desk.ask("--kind", "bthome", "443a003a023afe3a073c0105")
    assert told["button"] == ["none", "double_press", "hold_press", "0x07"]
    assert told["events"] == ["double_press", "hold_press", "other"]
    assert (told["event"], told["presses"]) == ("double_press", 3)
    assert (told["dimmer"], told["dimmer_steps"]) == (["rotate_left"], [5])


def test_a_frame_without_a_press_that_is_heard_again_is_a_repeat(desk: Desk) -> None:
    told = desk.ask(*SEALED, NEXT, NEXT)
    assert (told["presses"], told["reason"]) == (1, "repeat")


def test_digits_may_be_written_as_people_write_them(desk: Desk) -> None:
    for hexes in ("40020cfe", "40 02 0C FE", "0x40020cfe", "40:02:0c:fe"):
        assert desk.ask("--kind", "bthome", hexes)["temperature_c"] == -5.0
    lower = ("--kind", "bthome", "--address", ADDRESS.lower(), "--key", KEY.upper())
    assert desk.ask(*lower, FIRST)["authenticated"] is True
    assert desk.ask("--kind", "rr", "800,850, 800", "850")["rmssd_ms"] == 50.0


def test_sentences_name_each_frame_and_count_the_presses(desk: Desk) -> None:
    said = desk.say(*SEALED, FIRST, FIRST)
    assert "Frame 2" in said
    assert "It was heard before." in said
    assert said.splitlines()[-1] == "Presses in all: 1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "2a37", "0g"], "these are no hexadecimal digits: 0g"),
        (["--kind", "rr", "800", "x"], "these are no numbers (ms): 800 x"),
        (["--kind", "bthome", "--key", KEY, "40"], "--key needs --address."),
    ],
)
def test_what_cannot_be_read_is_told_in_words(words: list[str], said: str, desk: Desk) -> None:
    assert desk.say(*words, code=2).strip() == said


@pytest.mark.parametrize(
    "words",
    [
        ["--address", "38:39:8F:70:B2"],
        ["--key", "0f1e"],
        ["--stored", "{"],
        ["--stored", '{"age": 1}'],
    ],
)
def test_a_malformed_option_is_a_usage_error(words: list[str], desk: Desk) -> None:
    with pytest.raises(SystemExit) as ended:
        desk.say("--kind", "bthome", *words, "40")
    assert ended.value.code == 2
