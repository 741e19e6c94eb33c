"""The log that an installer reads: sentences that say what to do, with limited repeats."""

import logging
import re
from string import Formatter

import pytest

from hub import diary
from hub.contract.wire import LinkTrouble
from hub.core.model.effects import Signal
from hub.core.model.events import (
    BrokerRefused,
    DriverFailed,
    DriverReady,
    Event,
    LinkDown,
    LinkUp,
    StorageFailed,
    StorageRecovered,
    StorageTrouble,
    Ticked,
)
from hub.diary import Diary
from hub.shared.language import Language
from hub.shared.messages import messages

GPIO = "LineError: contact help: GPIO 17 cannot be claimed: No module named 'lgpio'"
NO_OBJECT = re.compile(r"\w+\(\w+=|<\w+\.|[{}]")


class Log:
    """A diary whose clock the test moves, and its lines."""

    def __init__(self, caplog: pytest.LogCaptureFixture, language: Language) -> None:
        caplog.set_level(logging.INFO, "anbu")
        self.now, self._caplog = 100.0, caplog
        self.diary = Diary(language, lambda: self.now)

    def note(self, *events: Event) -> list[str]:
        self._caplog.clear()
        for event in events:
            self.diary.note(event)
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    return Log(caplog, Language.ENGLISH)


def failed(device: str, reason: str = GPIO) -> DriverFailed:
    return DriverFailed(1.0, device, reason)


@pytest.mark.parametrize("language", Language)
def test_whatever_is_wrong_is_a_sentence_and_no_object(
    caplog: pytest.LogCaptureFixture, language: Language
) -> None:
    log = Log(caplog, language)
    told: list[Event] = [
        *(LinkDown(1.0, trouble) for trouble in LinkTrouble),
        *(StorageFailed(1.0, trouble) for trouble in StorageTrouble),
        LinkUp(1.0, "tls://broker:8883"),
        StorageRecovered(1.0),
        BrokerRefused(1.0, "b-1"),
        failed("help"),
        DriverReady(1.0, "help"),
    ]
    lines = log.note(*told)
    assert len(lines) == len(told)
    for signal in Signal:
        lines.append(log.diary.shows(signal))
    assert len(set(lines)) == len(lines)
    assert not [line for line in lines if NO_OBJECT.search(line) or not line.endswith(".")]


def test_both_languages_have_the_same_sentences_with_the_same_places() -> None:
    def places(language: Language) -> dict[tuple[str, str], set[str | None]]:
        return {
            (table, key): {name for _, name, _, _ in Formatter().parse(text) if name}
            for table, words in messages("hub", language, "log").items()
            for key, text in words.items()
        }

    assert places(Language.KOREAN) == places(Language.ENGLISH)
    assert {*diary.ADVICE.values(), "other"} == set(
        messages("hub", Language.ENGLISH, "log")["advice"]
    )


def test_a_driver_that_fails_for_ever_is_told_once_and_then_more_and_more_seldom(log: Log) -> None:
    """Without GPIO there were six lines every 10 s, for ever."""
    said: list[float] = []
    for _ in range(24 * 360):
        lines = log.note(failed("help"), failed("cancel"), failed("lamp"))
        said += [log.now] * len(lines)
        log.now += 10.0
    assert said[:3] == [100.0] * 3
    assert [round(at - 100.0) for at in said[3:10:3]] == [60, 180, 420]
    assert len(said) < 3 * 16


def test_it_says_what_to_do(log: Log) -> None:
    (line,) = log.note(failed("help"))
    assert "python3-lgpio" in line
    assert line.startswith("help does not work: contact help: GPIO 17 cannot be claimed")
    assert "--virtual" in line
    (line,) = log.note(failed("help", "LineError: contact help: GPIO 17: 'GPIO busy'"))
    assert "same pin" in line


def test_another_reason_is_told_at_once_and_so_is_one_that_comes_back(log: Log) -> None:
    assert len(log.note(failed("help"), failed("help"))) == 1
    assert len(log.note(failed("help", "ended"), failed("help", "ended"))) == 1
    assert log.note(DriverReady(1.0, "help")) == ["help works again."]
    assert len(log.note(failed("help", "ended"))) == 1


def test_a_driver_that_never_failed_is_no_news(log: Log) -> None:
    assert not log.note(DriverReady(1.0, "help"), StorageRecovered(1.0), Ticked(1.0))


def test_a_watchdog_that_is_not_fed_is_told_with_the_reason(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    log.diary.beats("lamp", "help")
    log.diary.beats("lamp", "help")
    log.diary.beats()
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in lines] == ["lamp, help", lines[1]]
    assert lines[1].startswith("The disk hangs")
