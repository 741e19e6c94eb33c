"""A session at the microphone: real speech and detector; devices that behave like real ones."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.voice.sound.test_loudness import tone
from voice.hearing.vad import PIECE_S, Segmenter, detector
from voice.recording.review import Fault
from voice.recording.session import ENTER, LEAD, MENUS, Desk, GoneError, Outcome, Prompt, Session
from voice.recording.take import WAIT_S, Ending, Taking, noise_db, wrong
from voice.sound.loudness import measured, trimmed
from voice.sound.pcm import SPEECH_HZ, Audio, from_pcm, to_pcm
from voice.sound.portaudio import Reason
from voice.speaking.bank import Bank

TEXTS = ("도움을 요청하고 있습니다.", "센터에 전달되었습니다.", "잠시만 기다려 주세요.")
PROMPTS = [Prompt(number, text) for number, text in enumerate(TEXTS, 1)]
PIECE = round(SPEECH_HZ * PIECE_S)
LISTEN, AGAIN, SKIP, BACK, STOP = "1", "2", "3", "4", "0"


def said(text: str, gain: float = 1.0) -> Audio:
    sound = Bank().find(text)
    assert sound is not None
    return Audio(to_pcm(from_pcm(sound.pcm) * np.float32(gain)), sound.rate_hz)


def hiss(seconds: float, loud: float = 0.0005, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, loud, round(seconds * SPEECH_HZ))
    return noise.astype(np.float32)


def in_a_room(sound: Audio, before_s: float = 0.8, loud: float = 0.0005) -> bytes:
    """Return what a microphone hears of a person who waits, speaks, and then is quiet."""
    room = hiss(before_s + sound.seconds + WAIT_S + 1, loud)
    begin = round(before_s * SPEECH_HZ)
    room[begin : begin + len(sound.pcm) // 2] += from_pcm(sound.pcm)
    return to_pcm(room)


class Source:
    """Gives one sound for each take, and hiss before; what nobody asked for is lost."""

    def __init__(self, sounds: Sequence[bytes | str], torn: Sequence[int] = ()) -> None:
        self.sounds, self.torn = list(sounds), torn
        self.at, self.takes, self.open, self.pieces = 0, 0, False, 0
        self.sound = b""

    def begin(self) -> None:
        assert not self.open
        sound = self.sounds.pop(0)
        if isinstance(sound, str):
            raise GoneError(sound)
        lead = to_pcm(hiss((LEAD + 0.5) * PIECE_S))[: LEAD * PIECE * 2]
        self.sound, self.at, self.open, self.pieces = lead + sound, 0, True, 0
        self.takes += 1

    def piece(self) -> bytes:
        assert self.open
        self.pieces += 1
        piece = self.sound[self.at : self.at + PIECE * 2]
        self.at += PIECE * 2
        if len(piece) < PIECE * 2:
            raise GoneError(Reason.LOST)
        return piece

    def end(self) -> None:
        self.open = False

    def losses(self) -> int:
        return 3 + (self.takes in self.torn and self.pieces > LEAD)


class Keys:
    """Waits for the keys of a script, and is hung up on after the last."""

    def __init__(self, source: Source, script: Sequence[str], stop_s: float = 1e9) -> None:
        self.source, self.script, self.stop_s = source, list(script), stop_s

    def forget(self) -> None:
        assert not self.source.open

    def wait(self) -> str:
        assert not self.source.open
        if not self.script:
            raise EOFError
        if (key := self.script.pop(0)) == "^C":
            raise KeyboardInterrupt
        return key

    def pressed(self) -> str:
        return ENTER if (self.source.pieces - LEAD) * PIECE_S >= self.stop_s else ""


class Visit:
    """A volunteer at the microphone, and all that was shown, played and kept."""

    def __init__(
        self, sounds: Sequence[bytes | str], script: Sequence[str],
        *, stop_s: float = 1e9, torn: Sequence[int] = (), full: bool = False, zeros: bool = True,
    ) -> None:  # fmt: skip
        self.source = Source(sounds, torn)
        self.shown: list[tuple[str, object]] = []
        self.played: list[Audio] = []
        self.kept: list[tuple[int, Audio]] = []
        self.full = full
        self.levels: list[float | None] = []
        keys = Keys(self.source, script, stop_s)
        desk = Desk(self.source, keys, self.play, self.tell, self.levels.append)
        self.session = Session(desk, lambda: Segmenter(detector()), self.keep, zeros=zeros)

    def play(self, audio: Audio) -> str:
        self.played.append(audio)
        return "missing: no loudspeaker" if len(self.played) > 1 else ""

    def tell(self, key: str, flaw: str = "", **values: object) -> None:
        self.shown.append((key, flaw or values.get("number", values.get("reason", ""))))

    def keep(self, prompt: Prompt, audio: Audio) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.kept.append((prompt.number, audio))

    def flaws(self) -> list[object]:
        return [value for key, value in self.shown if key == "flawed"]

    def told(self, key: str) -> int:
        return sum(shown == key for shown, _ in self.shown)


def spoken(*texts: str) -> list[bytes | str]:
    return [in_a_room(said(text, 0.5)) for text in texts]


def test_each_sentence_is_said_and_kept_with_two_keys() -> None:
    visit = Visit(spoken(*TEXTS), [ENTER, ENTER] * 3)
    assert visit.session.run(PROMPTS) == Outcome(3, lost=False)
    assert [number for number, _ in visit.kept] == [1, 2, 3]
    for (_, audio), text in zip(visit.kept, TEXTS, strict=True):
        assert trimmed(audio).seconds == pytest.approx(trimmed(said(text)).seconds, abs=0.15)
        assert measured(audio).before_s > 0.05
        assert audio.rate_hz == SPEECH_HZ
    assert not visit.flaws()


def test_a_take_ends_by_itself_soon_after_the_sentence() -> None:
    visit = Visit(spoken(TEXTS[0]), [ENTER, STOP])
    visit.session.run(PROMPTS)
    end_s = 0.8 + said(TEXTS[0]).seconds
    assert 0.8 < (visit.source.pieces - LEAD) * PIECE_S - end_s < 2.0
    assert any(level is not None for level in visit.levels)
    assert visit.levels[-1] is None


def test_a_soft_yes_before_a_comma_is_not_lost() -> None:
    text = "네, 오늘 밤은 편히 주무셨으면 좋겠습니다."
    visit = Visit(spoken(text), [ENTER, ENTER])
    visit.session.run([Prompt(1, text)])
    taken = trimmed(visit.kept[0][1]).seconds
    assert taken == pytest.approx(trimmed(said(text)).seconds, abs=0.15)


def test_a_room_that_is_heard_adds_no_silence() -> None:
    visit = Visit([in_a_room(said(TEXTS[0], 0.3), loud=0.002)], [ENTER, ENTER, STOP])
    visit.session.run(PROMPTS)
    taken = trimmed(visit.kept[0][1]).seconds
    assert taken == pytest.approx(trimmed(said(TEXTS[0])).seconds, abs=0.4)


def test_a_pause_at_a_comma_ends_no_take() -> None:
    text = "없음, 이삼일 이상, 칠일 이상, 거의 매일, 이 가운데 하나로 말씀해 주세요."
    first, second = said("네, 알겠습니다."), said(TEXTS[0])
    pause = Audio(to_pcm(hiss(1.0)), SPEECH_HZ)
    both = Audio(first.pcm + pause.pcm + second.pcm, SPEECH_HZ)
    visit = Visit([in_a_room(both)], [ENTER, ENTER])
    visit.session.run([Prompt(1, text)])
    taken = trimmed(visit.kept[0][1]).seconds
    assert taken == pytest.approx(both.seconds, abs=0.3)


def test_enter_ends_a_take_at_once() -> None:
    end_s = 0.8 + said(TEXTS[0]).seconds + 0.3
    visit = Visit(spoken(TEXTS[0]), [ENTER, ENTER, STOP], stop_s=end_s)
    assert visit.session.run(PROMPTS).kept == 1
    assert (visit.source.pieces - LEAD) * PIECE_S == pytest.approx(end_s, abs=0.05)


def flaw_of(sound: bytes, text: str = TEXTS[0], stop_s: float = 1e9) -> object:
    visit = Visit([sound], [ENTER, STOP], stop_s=stop_s)
    visit.session.run([Prompt(1, text)])
    assert not visit.kept
    return (visit.flaws() or [None])[0]


def long_talk() -> Audio:
    return Audio(said(TEXTS[0], 0.5).pcm * 12, SPEECH_HZ)


@pytest.mark.parametrize(
    ("sound", "flaw"),
    [
        (lambda: in_a_room(said(TEXTS[0], 0.5)), None),
        (lambda: in_a_room(said(TEXTS[0], 0.05), loud=0.0001), Fault.QUIET),
        (lambda: in_a_room(said(TEXTS[0], 20.0)), Fault.CLIPPED),
        (lambda: in_a_room(tone(0.0)), Fault.EMPTY),
        (lambda: bytes(2 * 24_000 * 12), Fault.MUTED),
        (lambda: in_a_room(said(TEXTS[0], 0.3), loud=0.01), Fault.NOISY),
        (lambda: in_a_room(said("좋습니다.", 0.5)), Fault.FAST),
        (lambda: in_a_room(long_talk()), Fault.SLOW),
        (lambda: in_a_room(said(TEXTS[0], 0.5), before_s=0.0)[PIECE * 18 :], Fault.EARLY),
    ],
)
def test_what_is_wrong_is_told_and_not_kept(sound: Callable[[], bytes], flaw: Fault | None) -> None:
    assert flaw_of(sound()) is flaw


def test_enter_before_the_end_is_told() -> None:
    sound = in_a_room(said(TEXTS[0], 0.5))
    end_s = 0.8 + said(TEXTS[0]).seconds
    assert flaw_of(sound, stop_s=end_s - 0.4) is Fault.CUT


def test_enter_without_a_word_is_no_sentence() -> None:
    assert flaw_of(in_a_room(said(TEXTS[0])), stop_s=0.5) is Fault.EMPTY


def test_lost_sound_is_told_since_a_take_has_a_hole() -> None:
    visit = Visit(spoken(TEXTS[0], TEXTS[0]), [ENTER, ENTER, ENTER, STOP], torn=[1])
    visit.session.run(PROMPTS)
    assert visit.flaws() == [Fault.GAPS]
    assert [number for number, _ in visit.kept] == [1]


def test_a_take_too_long_is_ended_before_all_of_it_was_said() -> None:
    taking = Taking(Segmenter(detector()), "네.")
    sound = in_a_room(long_talk())
    pieces = (sound[at : at + PIECE * 2] for at in range(0, len(sound), PIECE * 2))
    count = next(n for n, piece in enumerate(pieces) if taking.take_piece(piece))
    assert count * PIECE_S < 6
    assert taking.done().ending is Ending.LONG


def test_a_noisy_room_that_never_falls_silent_is_told_as_that() -> None:
    taking = Taking(Segmenter(lambda _: 1.0), "네.")
    noise = to_pcm(hiss(10, 0.05))
    any(taking.take_piece(noise[at : at + PIECE * 2]) for at in range(0, len(noise), PIECE * 2))
    assert wrong("네.", taking.done()) is Fault.NOISY


def test_a_click_before_the_sentence_is_no_speech() -> None:
    sound = in_a_room(said(TEXTS[0], 0.5), before_s=3.0)
    click = to_pcm(hiss(0.02, 0.3))
    sound = sound[:24_000] + click + sound[24_000 + len(click) :]
    visit = Visit([sound], [ENTER, ENTER])
    visit.session.run(PROMPTS)
    assert trimmed(visit.kept[0][1]).seconds == pytest.approx(said(TEXTS[0]).seconds, abs=0.2)


def test_zeros_are_no_fault_of_a_microphone_that_gives_them_when_it_is_quiet() -> None:
    sound = bytes(5 * 2 * SPEECH_HZ) + in_a_room(said(TEXTS[0], 0.5))
    visit = Visit([sound], [ENTER, ENTER, STOP], zeros=False)
    assert visit.session.run(PROMPTS).kept == 1


def test_a_take_is_listened_to_said_again_and_only_the_last_one_kept() -> None:
    sounds = spoken(TEXTS[0], TEXTS[0])
    visit = Visit(sounds, [ENTER, LISTEN, LISTEN, AGAIN, ENTER, STOP])
    assert visit.session.run(PROMPTS).kept == 1
    assert len(visit.kept) == 1
    assert measured(visit.played[0]).speech_db == pytest.approx(-20, abs=1)  # as residents hear it
    assert ("unheard", "missing: no loudspeaker") in visit.shown


def test_what_is_wrong_can_be_heard_as_it_was() -> None:
    visit = Visit([in_a_room(said(TEXTS[0], 0.05), loud=0.0001)], [ENTER, LISTEN, STOP])
    visit.session.run(PROMPTS)
    assert measured(visit.played[0]).speech_db < -40


def test_a_sentence_is_skipped_and_the_one_before_is_said_again() -> None:
    sounds = spoken(TEXTS[0], TEXTS[0], TEXTS[2])
    script = [ENTER, ENTER, BACK, ENTER, ENTER, SKIP, ENTER, ENTER]
    visit = Visit(sounds, script)
    assert visit.session.run(PROMPTS) == Outcome(2, lost=False)
    assert [number for number, _ in visit.kept] == [1, 1, 3]
    shown = [value for key, value in visit.shown if key == "sentence"]
    assert shown == [1, 2, 1, 2, 3]


def test_back_before_the_first_stays_there() -> None:
    visit = Visit([], [BACK, BACK, STOP])
    visit.session.run(PROMPTS)
    assert [value for key, value in visit.shown if key == "sentence"] == [1, 1, 1]


def test_keys_that_mean_nothing_do_nothing() -> None:
    visit = Visit(spoken(TEXTS[0]), ["x", "", "ㅂ", LISTEN, ENTER, "y", BACK, ENTER, STOP])
    assert visit.session.run(PROMPTS).kept == 1


@pytest.mark.parametrize("script", [[STOP], ["^C"], []], ids=["stop", "ctrl-c", "hung up"])
def test_whoever_stops_has_what_was_kept(script: list[str]) -> None:
    visit = Visit(spoken(TEXTS[0]), [ENTER, ENTER, *script])
    assert visit.session.run(PROMPTS) == Outcome(1, lost=False)
    assert len(visit.kept) == 1


def test_a_microphone_that_disappears_is_told_and_comes_back() -> None:
    sounds: list[bytes | str] = [spoken(TEXTS[0])[0][: 24_000 * 2], "missing"]
    visit = Visit([*sounds, *spoken(TEXTS[0])], [ENTER, ENTER, ENTER, ENTER, STOP])
    assert visit.session.run(PROMPTS) == Outcome(1, lost=False)
    assert visit.told("gone_lost") == visit.told("gone_missing") == 1
    assert visit.levels[-1] is None


def test_a_microphone_that_stays_away_ends_the_session_as_lost() -> None:
    visit = Visit(["refused"], [ENTER, STOP])
    assert visit.session.run(PROMPTS) == Outcome(0, lost=True)
    assert visit.told("gone_refused") == 1


def test_a_full_disk_ends_the_session_loudly() -> None:
    visit = Visit(spoken(TEXTS[0]), [ENTER, ENTER], full=True)
    with pytest.raises(OSError, match="No space"):
        visit.session.run(PROMPTS)
    assert not visit.told("kept")


def test_what_is_wrong_cannot_be_kept() -> None:
    assert all(step != "keep" for step in MENUS["menu_flawed"].values())


def test_the_noise_of_the_room_is_measured_beside_the_words() -> None:
    quiet = Audio(in_a_room(said(TEXTS[0]))[: 24_000 * 6], SPEECH_HZ)
    assert noise_db(quiet) == pytest.approx(-66, abs=1.5)
    assert noise_db(Audio(b"", SPEECH_HZ)) == -120


def test_without_a_sentence_left_nothing_is_asked() -> None:
    assert Visit([], []).session.run([]) == Outcome(0, lost=False)
