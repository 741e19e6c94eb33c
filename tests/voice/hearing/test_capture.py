"""The capture: it ignores sound while we speak, and its answer proves that it works."""

import threading
from collections.abc import Callable

import pytest

from tests.voice.room import until
from voice.hearing import capture as module
from voice.hearing.capture import MOST, Capture, Forgotten
from voice.sound.pcm import HEARING_BYTES_S

PIECE = bytes(1024)


class Head:
    """Hears piece by piece; says so of every one."""

    def __init__(self) -> None:
        self.resets = 0
        self.hang: threading.Event | None = None

    def take_piece(self, pcm: bytes) -> list[str]:
        if self.hang is not None:
            self.hang.wait(10)
        return [f"heard {len(pcm)}"]

    def reset(self) -> None:
        self.resets += 1


class Neighbour:
    """Takes what the capture discards."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    def take_piece(self, pcm: bytes) -> None:
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
def neighbour() -> Neighbour:
    return Neighbour()


@pytest.fixture
def capture(heard: list[object], head: Head, neighbour: Neighbour) -> Capture:
    made = Capture(at_once, heard.append, neighbour)
    made.start()
    made.use_listener(head)
    return made


def test_what_is_heard_while_we_speak_and_just_after_is_thrown_away(
    capture: Capture, head: Head, heard: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    capture.take_piece(PIECE)
    assert until(lambda: heard == ["heard 1024"])
    capture.cover()
    capture.take_piece(PIECE)
    capture.uncover()
    clock[0] += 0.29
    capture.take_piece(PIECE)
    clock[0] += 0.02
    capture.take_piece(PIECE)
    assert until(lambda: heard == ["heard 1024", Forgotten(), "heard 1024"])
    assert head.resets == 1


def test_what_comes_while_we_speak_is_overheard_until_the_capture_hears_again(
    capture: Capture, neighbour: Neighbour, heard: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(module, "monotonic", lambda: clock[0])
    capture.take_piece(PIECE)
    capture.cover("폭염입니다.")
    capture.cover()
    capture.take_piece(PIECE)
    capture.uncover()
    capture.uncover()
    capture.take_piece(PIECE)
    assert neighbour.told == ["폭염입니다.", 1024, 1024]
    clock[0] += 0.31
    capture.take_piece(PIECE)
    capture.take_piece(PIECE)
    assert neighbour.told == ["폭염입니다.", 1024, 1024, "end"]
    assert until(lambda: heard == ["heard 1024", Forgotten(), "heard 1024", "heard 1024"])


def test_covered_twice_it_hears_only_when_uncovered_twice(
    capture: Capture, heard: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AFTER_S", 0.0)
    capture.cover()
    capture.cover()
    capture.uncover()
    capture.take_piece(PIECE)
    capture.uncover()
    capture.take_piece(PIECE)
    assert until(lambda: "heard 1024" in heard)
    assert heard == [Forgotten(), "heard 1024"]


def test_a_capture_that_hangs_answers_nothing_and_does_not_hold_up_the_microphone(
    capture: Capture, head: Head, heard: list[object]
) -> None:
    answers: list[int] = []
    capture.ask(lambda: answers.append(1))
    assert until(lambda: answers == [1])
    head.hang = threading.Event()
    capture.take_piece(PIECE)
    capture.ask(lambda: answers.append(2))
    for _ in range(MOST + 10):
        capture.take_piece(PIECE)
    assert capture.lost_s >= 10 * len(PIECE) / HEARING_BYTES_S
    assert answers == [1]
    head.hang.set()
    assert until(lambda: answers == [1, 2] and heard)


def test_before_the_models_are_loaded_it_is_deaf_and_answers(heard: list[object]) -> None:
    capture, answers = Capture(at_once, heard.append, Neighbour()), list[int]()
    capture.start()
    capture.take_piece(PIECE)
    capture.ask(lambda: answers.append(1))
    assert until(lambda: answers == [1])
    assert not heard
