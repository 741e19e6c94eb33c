"""The ear: deaf while we speak, and a proof that whoever hears is alive."""

import threading
from collections.abc import Callable

import pytest

from tests.voice.room import until
from voice.hearing import capture as module
from voice.hearing.capture import BYTES_S, MOST, Ear, Forgotten

PIECE = bytes(1024)


class Head:
    """Hears piece by piece; says so of every one."""

    def __init__(self) -> None:
        self.resets = 0
        self.hang: threading.Event | None = None

    def take(self, pcm: bytes) -> list[str]:
        if self.hang is not None:
            self.hang.wait(10)
        return [f"heard {len(pcm)}"]

    def reset(self) -> None:
        self.resets += 1


class Neighbour:
    """Takes what the ear does not hear."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    def take(self, pcm: bytes) -> None:
        self.told.append(len(pcm))

    def end(self) -> None:
        self.told.append("end")


def at_once(work: Callable[[], None]) -> None:
    work()


@pytest.fixture
def heard() -> list[object]:
    return []


@pytest.fixture
def head() -> Head:
    return Head()


@pytest.fixture
def amid() -> Neighbour:
    return Neighbour()


@pytest.fixture
def ear(heard: list[object], head: Head, amid: Neighbour) -> Ear:
    made = Ear(at_once, heard.append, amid)
    made.start()
    made.give(head)
    return made


def test_what_is_heard_while_we_speak_and_just_after_is_thrown_away(
    ear: Ear, head: Head, heard: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    ear.take(PIECE)
    assert until(lambda: heard == ["heard 1024"])
    ear.cover()
    ear.take(PIECE)
    ear.uncover()
    clock[0] += 0.29
    ear.take(PIECE)
    clock[0] += 0.02
    ear.take(PIECE)
    assert until(lambda: heard == ["heard 1024", Forgotten(), "heard 1024"])
    assert head.resets == 1


def test_what_comes_while_we_speak_is_overheard_until_the_ear_hears_again(
    ear: Ear, amid: Neighbour, heard: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    ear.take(PIECE)
    ear.cover("폭염입니다.")
    ear.cover()
    ear.take(PIECE)
    ear.uncover()
    ear.uncover()
    ear.take(PIECE)
    assert amid.told == ["폭염입니다.", 1024, 1024]
    clock[0] += 0.31
    ear.take(PIECE)
    ear.take(PIECE)
    assert amid.told == ["폭염입니다.", 1024, 1024, "end"]
    assert until(lambda: heard == ["heard 1024", Forgotten(), "heard 1024", "heard 1024"])


def test_covered_twice_it_hears_only_when_uncovered_twice(
    ear: Ear, heard: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AFTER_S", 0.0)
    ear.cover()
    ear.cover()
    ear.uncover()
    ear.take(PIECE)
    ear.uncover()
    ear.take(PIECE)
    assert until(lambda: "heard 1024" in heard)
    assert heard == [Forgotten(), "heard 1024"]


def test_an_ear_that_hangs_answers_nothing_and_does_not_hold_up_the_microphone(
    ear: Ear, head: Head, heard: list[object]
) -> None:
    answers: list[int] = []
    ear.ask(lambda: answers.append(1))
    assert until(lambda: answers == [1])
    head.hang = threading.Event()
    ear.take(PIECE)
    ear.ask(lambda: answers.append(2))
    for _ in range(MOST + 10):
        ear.take(PIECE)
    assert ear.lost_s >= 10 * len(PIECE) / BYTES_S
    assert answers == [1]
    head.hang.set()
    assert until(lambda: answers == [1, 2] and heard)


def test_before_the_models_are_loaded_it_is_deaf_and_answers(heard: list[object]) -> None:
    ear, answers = Ear(at_once, heard.append, Neighbour()), list[int]()
    ear.start()
    ear.take(PIECE)
    ear.ask(lambda: answers.append(1))
    assert until(lambda: answers == [1])
    assert not heard
