"""The voice says what it can do as soon as it can: nothing yet, then to speak, then to hear."""

from typing import cast

from hub.contract.voice import Hello
from voice.hearing.hearing import Hearing
from voice.loading import Loaded, richer
from voice.speaking.mouth import Mouth

MOUTH, HEARING = cast("Mouth", object()), cast("Hearing", object())


def test_it_grows_with_what_has_been_found_and_keeps_how_it_is_set() -> None:
    first = Hello(spoken_sos=False, tells_words=True)
    speaks = richer(first, Loaded(("espeak-ng",), mouth=MOUTH))
    assert speaks == Hello(engines=("espeak-ng",), spoken_sos=False, tells_words=True)
    hears = richer(speaks, Loaded(("vosk", "whisper"), hearing=HEARING))
    assert (hears.engines, hears.hears) == (("espeak-ng", "vosk", "whisper"), True)
    assert (hears.spoken_sos, hears.tells_words) == (False, True)


def test_an_ear_without_a_model_understands_nobody() -> None:
    assert not richer(Hello(), Loaded(trouble="no model", hearing=HEARING)).hears
