"""`anbu house` at the shell: what it prints, in two languages, and its exit codes."""

import asyncio
import json
import socket
import threading
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from drivers.virtual import cli
from drivers.virtual.house import Refusal
from hub.contract.voice import Phrase
from hub.core.model.effects import Say, Show, Signal
from hub.shared.command_line import Parser
from hub.shared.language import Language
from hub.shared.messages import (
    messages,
    usual_language,
)
from tests.drivers.bluetooth.virtual_home import LIST
from tests.drivers.home import living

pytestmark = pytest.mark.usefixtures("pins")


def anbu_house(*line: str) -> int:
    """Run one command line."""
    parser = Parser(prog="anbu house")
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(line))


async def at(path: Path, *line: str) -> int:
    """Run one command line against the house at `path`, beside the loop."""
    return await asyncio.to_thread(anbu_house, *line, "--socket", str(path))


def test_a_press_a_hold_and_a_release_are_told_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert await at(home.path, "press", "help", "--ms", "30", "--lang", "ko") == 0
            assert capsys.readouterr().out == "도움 버튼: 30 ms 동안 눌렀다 놓았습니다.\n"
            assert await at(home.path, "press", "cancel", "--lang", "en") == 0
            assert "anbu house release cancel" in capsys.readouterr().out
            assert await at(home.path, "release", "cancel", "--lang", "en") == 0
            assert capsys.readouterr().out == "Cancel button: released.\n"
            assert home.contacts["help"].closed() == [False, True, False]
            assert home.contacts["cancel"].closed() == [False, True, False]

    asyncio.run(story())


def test_json_carries_the_times_of_the_edges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert await at(home.path, "press", "help", "--ms", "30", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told["ok"]
        assert told["released_at"] >= told["pressed_at"] + 0.03

    asyncio.run(story())


@pytest.mark.parametrize(
    ("language", "meaning", "lamp"),
    [
        ("ko", "도움을 요청하고 있습니다.", "빨강: "),
        ("en", "Calling for help.", "Red: "),
    ],
)
def test_lamps_are_told_in_words_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, meaning: str, lamp: str
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert await at(home.path, "lamps", "--lang", language) == 0
            assert (
                messages("drivers.virtual", language)["cli"]["said_nothing"]
                in capsys.readouterr().out
            )
            home.tell(Show(Signal.RAISED), Say(Phrase.RAISED))
            while (await home.ask({"do": "lamps"}))["signal"] is None:
                pass
            assert await at(home.path, "lamps", "--lang", language) == 0
            lines = capsys.readouterr().out.splitlines()
            assert lines[0] == f"■ {meaning}"
            assert lamp in lines[1]
            assert lines[-1].endswith("도움을 요청하고 있습니다.")
            assert await at(home.path, "lamps", "--json") == 0
            assert json.loads(capsys.readouterr().out)["signal"] == "raised"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (("press", "door"), "This house has no contact door. It has: cancel, cord, help"),
        (("release", "help"), "Help button: not pressed."),
        (("press", "x" * 9000), "too long"),
    ],
)
def test_a_refusal_is_told_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...], sentence: str
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert await at(home.path, *line, "--lang", "en") == 1
            assert sentence in capsys.readouterr().err

    asyncio.run(story())


def test_without_a_house_a_sentence_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANBU_RUN_DIR", str(tmp_path))
    assert anbu_house("lamps", "--lang", "en") == 3
    told = capsys.readouterr().err
    assert str(tmp_path / "house.sock") in told
    assert "anbu hub --virtual" in told
    monkeypatch.delenv("ANBU_RUN_DIR")
    assert cli.usual_socket() == "run/demo/house.sock"


def hang_up(door: socket.socket) -> None:
    door.accept()[0].close()


def test_a_house_that_says_nothing_is_no_house(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "mute.sock"))
        door.listen()
        threading.Thread(target=hang_up, args=(door,), daemon=True).start()
        path = str(tmp_path / "mute.sock")
        assert anbu_house("press", "help", "--socket", path, "--lang", "en") == 3
    assert "does not answer" in capsys.readouterr().err


def test_a_page_that_cannot_be_served_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert anbu_house("serve", "--port", str(port), "--lang", "en") == 1
    assert f"Port {port} cannot be opened" in capsys.readouterr().err
    assert anbu_house("serve", "--port", "99999") == 1


def test_a_wrong_command_line_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    presses = [["press", "help", f"--ms={ms}"] for ms in ("long", "0", "-5", "nan", "inf", "1e9")]
    for line in ([], ["press"], ["lamps", "--lang", "fr"], *presses):
        with pytest.raises(SystemExit) as ended:
            anbu_house(*line)
        assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_korean_is_usual_and_english_for_an_english_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "ANBU_LANG"):
        monkeypatch.delenv(name, raising=False)
    for locale, language in (("C.UTF-8", "ko"), ("ko_KR.UTF-8", "ko"), ("en_GB.UTF-8", "en")):
        monkeypatch.setenv("LANG", locale)
        assert usual_language() == language


def test_both_languages_have_a_word_for_everything() -> None:
    keys = [
        {
            (part, key)
            for part, texts in messages("drivers.virtual", one).items()
            for key in texts
            if part != "said"
        }
        for one in Language
    ]
    assert keys[0] == keys[1]
    for language in Language:
        assert set(messages("drivers.virtual", language)["signal"]) == {*Signal, "none"}
        assert set(Refusal) <= set(messages("drivers.virtual", language)["cli"])


def test_the_english_page_says_what_the_hub_says_in_english() -> None:
    spoken = messages("hub", Language.ENGLISH, "hub")["say"]
    mine = messages("drivers.virtual", Language.ENGLISH)["said"]
    assert mine == {key: text for key, text in spoken.items() if key != Phrase.ANNOUNCEMENT}


def test_the_pins_fixture_is_the_house_of_these_tests(pins: MockFactory) -> None:
    assert type(pins.pin(4)).__name__ == "HousePin"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("door", "balcony", "open"), "balcony: 열었습니다.\n"),
        (("detector", "smoke", "found"), "smoke: 감지했습니다.\n"),
        (
            ("band", "band", "--skin", "off", "--range", "near", "--pulse", "64"),
            "band: 바꿨습니다.\n",
        ),
        (("battery", "17", "band"), "band: 배터리 잔량 17 %\n"),
        (("phone", "phone", "away"), "phone: 멀리 있습니다.\n"),
        (("pendant", "pendant", "--how", "new_battery"), "배터리를 갈았습니다"),
    ],
)
def test_wireless_devices_are_moved_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...], told: str
) -> None:
    listed = tmp_path / "devices.toml"
    listed.write_text(LIST, encoding="utf-8")

    async def story() -> None:
        async with living(tmp_path, listed) as home:
            assert await at(home.path, *line, "--lang", "ko") == 0
            assert told in capsys.readouterr().out
            seen = (await home.ask({"do": "lamps"}))["wireless"]
            assert seen["heard"] is False
            if line[0] == "band":
                band = seen["devices"]["band"]
                assert (band["worn"], band["near"], band["pulse_bpm"]) == (False, True, 64)

    asyncio.run(story())


def test_what_no_radio_hears_is_said_to_be_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "devices.toml"
    listed.write_text(LIST, encoding="utf-8")

    async def story() -> None:
        async with living(tmp_path, listed) as home:
            for line in (("pendant", "pendant"), ("measure", "cuff", "150", "90")):
                assert await at(home.path, *line, "--lang", "ko") == cli.Exit.REFUSED
                assert "전해지지 않았습니다" in capsys.readouterr().err
            assert await at(home.path, "pendant", "band", "--lang", "ko") == cli.Exit.REFUSED
            assert "pendant" in capsys.readouterr().err

    asyncio.run(story())
