"""The neural voice: Kokoro-82M by ONNX Runtime; its input is the sounds of Korean.

    <models>/kokoro/model.onnx          int8, 92 MB (hexgrad/Kokoro-82M, Apache-2.0)
    <models>/kokoro/voices/<name>.bin   a voice's style: 510 x 256 float32, one row per length

It takes 2 s to load and some 500 MB while it speaks. So it is loaded only when something is said
that the bank does not have, and unloaded by itself some seconds later.

Whatever it says, it begins with a vowel of its own, a tenth of a second and 10 dB below the rest: a
listener hears "우숨이" for 숨이. So it says "네." first (`LEAD`); that word takes the vowel, and is
cut off afterwards, in the pause of some 0.2 s that follows.
"""

import threading
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from msgspec import Struct, convert
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as trouble

from hub.shared.files import shipped_file
from voice.korean.hangul import Syllable, is_hangul, take_apart
from voice.korean.pronounce import pronounce
from voice.sound.pcm import SPEECH_HZ, Audio, to_pcm
from voice.speaking.mouth import MouthError

KEPT_S = 20.0  # how long the model stays loaded: longer than a pause within an announcement
LONGEST, WIDTH = 510, 256
LINKED = "linked"
MAKING = 2  # to be raised when texts come to sound different: so that cached sound is not used
PACE = 0.875  # its own speed that sounds like a young speaker's five syllables a second
LOUDNESS = 0.8  # its peaks touch full scale
BROKEN = (  # all that ONNX Runtime raises for a model or a run that fails
    trouble.Fail, trouble.InvalidArgument, trouble.InvalidGraph, trouble.InvalidProtobuf,
    trouble.NoModel, trouble.NoSuchFile, trouble.NotFound, trouble.NotImplemented,
    trouble.RuntimeException, trouble.EPFail, trouble.EngineError,
)  # fmt: skip
Style = NDArray[np.float32]
Later = Callable[[float, Callable[[], None]], threading.Timer]

# Of the silence after the first word, which is cut off:
FRAME_S = 0.02
PAUSE_FRAMES = 5  # no sound within a word is silent for so long: a closed ㅂ is 0.08 s
QUIET_DB = 38.0  # below the loudest frame
LATEST_S = 1.4  # the lead is over by then, at half the usual speed too
KEPT_FRAMES = 3  # of the silence before the sentence


class Person(Struct, frozen=True):
    """Who speaks: the share of each of the model's voices, and the variants of `phonemes.toml`."""

    mix: Mapping[str, float]
    variants: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of this mixture."""
        return "+".join(
            (*(f"{voice}:{share:g}" for voice, share in self.mix.items()), *self.variants)
        )


SPEAKER = Person({"jf_nezumi": 1.0}, ("open_eo",))


class Kokoro:
    """Speaks as `person`, with the model in `folder`; `later` starts a timer."""

    def __init__(
        self, folder: Path, person: Person = SPEAKER, later: Later = threading.Timer
    ) -> None:
        self.name = f"kokoro {person.name} {MAKING}"
        self._folder, self._person, self._later = folder, person, later
        self._lock = threading.Lock()
        self._loaded: tuple[ort.InferenceSession, Style] | None = None
        self._farewell: threading.Timer | None = None

    @property
    def resident(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    def speak(self, text: str, speed: float) -> Audio:
        """Say one sentence. Raises MouthError without model or voice, or if it cannot say it."""
        return self.vary(text, speed, self._person.variants)

    def vary(self, text: str, speed: float, variants: tuple[str, ...]) -> Audio:
        """Say one sentence with other letters than this person usually says. Raises MouthError.

        It speaks word by word, for old listeners; with `LINKED` among the variants in one breath.
        """
        said_as = pronounce(text, linked=LINKED in variants)
        sounds = tokens(said_as, tuple(v for v in variants if v != LINKED))
        if not 0 < len(sounds) <= LONGEST - len(LEAD):
            message = f"{len(sounds)} sounds are nothing for the neural voice"
            raise MouthError(message)
        with self._lock:
            session, style = self._loaded = self._loaded or self._load()
            said = without_lead(_said(session, style, [*LEAD, *sounds], speed), SPEECH_HZ)
            if said is None:
                said = _said(session, style, sounds, speed)
            self._stay()
        return Audio(to_pcm(said), SPEECH_HZ)

    def unload(self) -> None:
        """Unload the model; the next sentence loads it again."""
        with self._lock:
            self._loaded = None

    def _stay(self) -> None:
        if self._farewell:
            self._farewell.cancel()
        self._farewell = self._later(KEPT_S, self.unload)
        self._farewell.daemon = True
        self._farewell.start()

    def _load(self) -> tuple[ort.InferenceSession, Style]:
        style = np.zeros((LONGEST, WIDTH), np.float32)
        for voice, share in self._person.mix.items():
            style += share * _style(self._folder / "voices" / f"{voice}.bin")
        return _session(self._folder / "model.onnx"), style


def _style(path: Path) -> Style:
    try:
        values = np.fromfile(path, np.float32)
    except OSError as error:
        raise MouthError(str(path)) from error
    if len(values) < LONGEST * WIDTH:
        message = f"{path.name} is no style of a voice"
        raise MouthError(message)
    return values[: LONGEST * WIDTH].reshape(LONGEST, WIDTH)


def _session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except BROKEN as error:
        raise MouthError(str(path)) from error


def _said(
    session: ort.InferenceSession, style: Style, sounds: list[int], speed: float
) -> NDArray[np.float32]:
    given = {
        "tokens": np.array([[0, *sounds, 0]], np.int64),
        "style": style[len(sounds) - 1].reshape(1, WIDTH),
        "speed": np.array([speed * PACE], np.float32),
    }
    try:
        out = session.run(None, given)[0]
    except BROKEN as error:
        message = "the neural voice failed"
        raise MouthError(message) from error
    return np.asarray(out, np.float32).ravel() * np.float32(LOUDNESS)


def without_lead(said: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32] | None:
    """Return mono samples without the first word; None where no pause follows it."""
    length = round(FRAME_S * rate_hz)
    frames = said[: len(said) // length * length].reshape(-1, length)
    power = np.mean(frames**2, axis=1)
    loud = np.flatnonzero(power > np.max(power, initial=0.0) * 10 ** (-QUIET_DB / 10))
    pauses = np.flatnonzero((np.diff(loud) > PAUSE_FRAMES) & (loud[:-1] * FRAME_S < LATEST_S))
    if not len(pauses):
        return None
    return said[(int(loud[pauses[0] + 1]) - KEPT_FRAMES) * length :]


class Sounds(Struct, frozen=True):
    """The tables of `phonemes.toml`."""

    tokens: dict[str, int]
    onsets: dict[str, str]
    between: dict[str, str]
    vowels: dict[str, str]
    codas: dict[str, str]
    pauses: dict[str, str]
    joined: dict[str, str]
    variants: dict[str, dict[str, str]]


SOUNDS = convert(
    tomllib.loads(shipped_file("voice", "phonemes.toml").read_text(encoding="utf-8")), Sounds
)
VARIANTS = tuple(SOUNDS.variants)
SONORANT = frozenset({"", "ㄴ", "ㄹ", "ㅁ", "ㅇ"})


def tokens(said: str, variants: tuple[str, ...] = ()) -> list[int]:
    """Return the model's numbers for `said`, Hangul in its standard pronunciation.

    What is neither Hangul nor a pause is left out; [] if there is nothing else. Raises KeyError for
    an unknown variant.
    """
    letters = _letters(said)
    letters = letters and f" {letters}"  # the first sound is clearer after a space
    for table in (SOUNDS.joined, *(SOUNDS.variants[variant] for variant in variants)):
        for near, other in table.items():
            letters = letters.replace(near, other)
    return [SOUNDS.tokens[letter] for letter in letters]


def _letters(said: str) -> str:
    out, before = "", None
    for letter in said:
        if is_hangul(letter):
            now = take_apart(letter)
            out += _syllable(now, before)
            before = now
        elif letter.isspace() or letter in SOUNDS.pauses:
            out = out.rstrip() + SOUNDS.pauses.get(letter, " ")
            before = None
    out = out.lstrip(" ,.?!").rstrip(" ,")
    return out if not out or out[-1] in ".?!" else f"{out}."


def _syllable(now: Syllable, before: Syllable | None) -> str:
    vowel, onset = SOUNDS.vowels[now.vowel], SOUNDS.onsets[now.onset]
    if now.onset in SOUNDS.between and before and before.coda in SONORANT:
        onset = SOUNDS.between[now.onset]
    if now.onset == "ㄹ" and before and before.coda == "ㄹ":
        onset = SOUNDS.codas["ㄹ"]
    if now.onset in "ㅅㅆ" and (vowel[0] in "ij" or now.vowel == "ㅟ"):
        onset = "ɕ"
    if now.onset != "ㅇ" and now.vowel in "ㅙㅚㅞ":  # 괜찮아요, 되다: few people say the w
        vowel = vowel.removeprefix("w")
    if now.onset in "ㅅㅆㅈㅉㅊ":
        vowel = vowel.removeprefix("j")
    return onset + vowel + SOUNDS.codas.get(now.coda, "")


LEAD = tuple(tokens("네."))
