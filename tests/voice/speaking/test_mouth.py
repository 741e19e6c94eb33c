"""The mouth says any text; where one engine fails, the next one says it."""

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.voice.sound.test_loudness import tone
from voice.korean.sentences import LONGEST, sentences
from voice.sound.pcm import SPEECH_HZ, Audio
from voice.speaking.cache import Cache
from voice.speaking.mouth import MOST_CHARACTERS, PAUSE_S, Mouth, MouthError


class Engine:
    """Says each sentence as a tone that lasts longer for longer ones."""

    def __init__(self, name: str = "engine", *, broken: bool = False) -> None:
        self.name, self.broken = name, broken
        self.said: list[str] = []

    def speak(self, text: str, speed: float) -> Audio:
        if self.broken:
            raise MouthError(self.name)
        self.said.append(text)
        return tone(0.1 + 0.001 * len(text) / speed, rate_hz=22_050)


class Bank:
    """Knows some sentences."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def find(self, text: str) -> Audio | None:
        return tone(0.5) if text in self.texts else None


def test_what_the_bank_knows_costs_no_engine() -> None:
    engine = Engine()
    mouth = Mouth(Bank("안녕하세요.", "고맙습니다."), [engine], None)
    audio = mouth.render("안녕하세요. 고맙습니다.")
    assert audio.rate_hz == SPEECH_HZ
    assert audio.seconds == pytest.approx(1.0 + PAUSE_S, abs=0.01)
    assert not engine.said


def test_a_new_sentence_is_spoken_and_then_remembered(tmp_path: Path) -> None:
    engine, cache = Engine(), Cache(tmp_path)
    mouth = Mouth(Bank("안내 말씀입니다."), [engine], cache)
    first = mouth.render("안내 말씀입니다. 내일은 비가 옵니다.")
    assert engine.said == ["내일은 비가 옵니다."]
    assert mouth.render("안내 말씀입니다. 내일은 비가 옵니다.") == first
    assert engine.said == ["내일은 비가 옵니다."]
    assert first.pcm


def test_another_voice_does_not_find_what_the_first_said(tmp_path: Path) -> None:
    cache, second = Cache(tmp_path), Engine("second")
    Mouth(None, [Engine("first")], cache).render("비가 옵니다.")
    Mouth(None, [second], cache).render("비가 옵니다.")
    assert second.said


def test_an_engine_that_fails_is_followed_by_the_next() -> None:
    last = Engine("last")
    assert Mouth(None, [Engine(broken=True), last], None).render("네.").pcm
    assert last.said == ["네."]


def test_without_any_engine_there_is_silence_and_no_error() -> None:
    assert Mouth(None, [Engine(broken=True)], None).render("네.").pcm == b""
    assert Mouth(None, [], None).render("네.").pcm == b""


def test_the_second_time_is_slower() -> None:
    mouth = Mouth(Bank("안녕하세요."), [], None)
    once, again = mouth.render("안녕하세요."), mouth.render("안녕하세요.", slow=True)
    assert again.seconds == pytest.approx(1.25 * once.seconds, rel=0.05)


def test_the_first_sentence_sounds_before_the_last_is_made() -> None:
    engine = Engine()
    parts = Mouth(None, [engine], None).parts("하나입니다. 둘입니다. 셋입니다.")
    assert next(parts).pcm
    assert engine.said == ["하나입니다."]


@pytest.mark.parametrize(
    "text",
    ["", "   ", "…!?", "👴👵", "漢字 かな", "hello", "가" * 10_000, "가 " * 5_000, "\0\ud800"],
)
def test_no_text_is_too_strange(text: str) -> None:
    engine = Engine()
    assert Mouth(Bank(), [engine], None).render(text).rate_hz == SPEECH_HZ
    assert all(len(said) <= LONGEST for said in engine.said)
    assert sum(map(len, engine.said)) <= MOST_CHARACTERS


@given(st.text(max_size=300))
def test_any_text_becomes_sentences_without_losing_a_letter(text: str) -> None:
    found = sentences(text)
    assert all(0 < len(sentence) <= LONGEST for sentence in found)


@given(st.text(st.sampled_from("가나다라 ,.?!\n"), max_size=400))
def test_cutting_loses_no_syllable(text: str) -> None:
    kept = "".join(sentences(text))
    assert [c for c in kept if c in "가나다라"] == [c for c in text if c in "가나다라"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(texts=st.lists(st.text("가나다라", min_size=1, max_size=5), max_size=12))
def test_the_cache_never_outgrows_its_bound(tmp_path: Path, texts: list[str]) -> None:
    cache = Cache(tmp_path, most_bytes=100_000)
    for text in texts:
        cache.keep(text, tone(0.5))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 100_000
        assert cache.find(text) == tone(0.5)


def test_a_damaged_or_unwritable_cache_is_only_slower(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "a")
    cache.keep("네.", tone(0.5))
    next((tmp_path / "a").iterdir()).write_bytes(b"RIFF nonsense")
    assert cache.find("네.") is None
    (tmp_path / "file").write_text("no folder")
    Cache(tmp_path / "file").keep("네.", tone(0.5))


def test_two_threads_may_speak_at_once(tmp_path: Path) -> None:
    mouth = Mouth(None, [Engine()], Cache(tmp_path))
    heard: list[Audio] = []
    threads = [
        threading.Thread(target=lambda: heard.append(mouth.render("네. 그렇습니다.")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(heard)) == 1
