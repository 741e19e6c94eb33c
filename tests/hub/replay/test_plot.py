"""The picture of a month, and a clear sentence where it cannot be drawn."""

import builtins
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.contract.messages import PresenceKind
from hub.replay.command import add_arguments
from hub.replay.command import run as run_command
from hub.replay.summary import Change, Stop, Summary
from hub.replay.trace import Row, Sort
from hub.shared.command_line import Parser
from hub.shared.language import Language
from hub.shared.messages import messages

pytest.importorskip("matplotlib")

from hub.replay import plot

T0 = 1_741_000_000.0  # 2025-03-03 20:06 in Korea
SUMMARY = Summary(
    rows=3,
    skipped={},
    begin="2025-03-03T20:06:40+09:00",
    end="2025-03-05T20:06:40+09:00",
    days=2.0,
    learn_days=1.0,
    changes=[
        Change("2025-03-03T22:00:00+09:00", "presence", "asleep"),
        Change("2025-03-04T06:30:00+09:00", "presence", "home"),
        Change("2025-03-04T09:00:00+09:00", "checkin", "fine"),
        Change("2025-03-04T11:00:00+09:00", "warning", "quiet"),
        Change("2025-03-04T11:05:00+09:00", "alarm", "quiet"),
    ],
    alarms=1,
    alarm_kinds={},
    false_alarms_per_day=0.5,
    stalls=0,
    stop=Stop("2025-03-04T08:00:00+09:00", None, None, None, None, ()),
)


def picture() -> plot.Picture:
    seen = plot.Picture()
    for after_s in (0, 86_400, 2 * 86_400):
        seen.see(Row(T0 + after_s, 32_400.0, "living", Sort.MOTION, 1.0))
    return seen


@pytest.mark.parametrize(("name", "first"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
@pytest.mark.parametrize("language", list(Language))
def test_a_picture_is_drawn(tmp_path: Path, name: str, first: bytes, language: Language) -> None:
    picture().draw(SUMMARY, language, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(first)


def test_without_a_korean_font_the_words_are_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plot, "FONTS", ("No Such Font",))
    picture().draw(SUMMARY, Language.KOREAN, tmp_path / "a.svg")  # a missing glyph would warn


def test_presence_goes_on_until_the_next_word_and_is_cut_at_midnight() -> None:
    asleep, home = plot._presence(SUMMARY, T0)
    assert asleep[0] is PresenceKind.ASLEEP
    assert home[0] is PresenceKind.HOME
    (evening, morning) = plot._daily(*asleep[1:])
    assert evening[1:] == (22.0, 24.0)
    assert morning[1:] == (0.0, 6.5)
    assert morning[0] == evening[0] + 1


def test_a_picture_shows_the_last_month_of_a_year() -> None:
    seen = plot.Picture()
    for day in range(365):
        seen.see(Row(T0 + day * 86_400, 32_400.0, "living", Sort.MOTION, 1.0))
    (axes,) = seen._figure(SUMMARY, messages("hub", Language.ENGLISH, "replay")["plot"]).axes
    assert len(axes.get_yticks()) == plot.DAYS


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    file = tmp_path / "trace.csv"
    file.write_text(
        "time,device,kind,value\n2025-03-04T09:00:00+09:00,a,motion,1\n", encoding="utf-8"
    )
    return file


def call(*words: Path | str) -> int:
    parser = Parser()
    add_arguments(parser)
    return run_command(parser.parse_args([str(word) for word in words]))


def test_the_command_draws(trace: Path, tmp_path: Path) -> None:
    assert call(trace, "--plot", tmp_path / "a.png") == 0
    assert (tmp_path / "a.png").exists()


def test_a_picture_that_cannot_be_written_is_told(
    trace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(trace, "--plot", tmp_path / "none" / "a.png") == 1
    assert "a.png" in capsys.readouterr().err


def test_without_matplotlib_the_command_says_what_to_install(
    trace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real: Callable[..., object] = builtins.__import__

    def importing(name: str, *rest: object) -> object:
        if name.startswith(("matplotlib", "hub.replay.plot")):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", importing)
    monkeypatch.delitem(sys.modules, "hub.replay.plot")
    assert call(trace, "--plot", "a.png") == 2
    assert "anbu-hub[plot]" in capsys.readouterr().err
