"""Whether the home has a voice and what it can do: from its Hello and its present faults."""

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Availability, HubState, VoiceCan, VoiceReport
from hub.contract.voice import Part
from hub.core.decide import decide, recover
from hub.core.model.events import DriverFailed, DriverReady, Event, PartChanged, Started, VoiceTold
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from hub.core.supervision import faults

RULES = Rules(hub="js-0001", voice="voice")
ENGINES = ("kokoro", "espeak", "vosk", "whisper")
HELLO = VoiceTold(5.0, "voice", ENGINES, hears=True)
DEAF = VoiceTold(5.0, "voice", ("espeak",))


def broken(part: Part, *, device: str = "voice") -> Event:
    return PartChanged(6.0, device, part, broken=True)


def lived(*events: Event, rules: Rules = RULES) -> HomeState:
    started = Started(0.0, 1.8e9, synced=True, boot="b1")
    state, _ = decide(recover(HomeState(), started, []), started, rules)
    for event in events:
        state, _ = decide(state, event, rules)
    return state


def report(state: HomeState, rules: Rules = RULES) -> VoiceReport:
    """Return what the centre reads of the voice."""
    told = faults.state_message(state, Availability.READY, 10.0, rules)
    _, message = wire.decode_from_hub(told.topic, told.payload)
    assert isinstance(message, HubState)
    assert message.voice is not None
    return message.voice


def test_a_home_without_a_voice_says_so() -> None:
    rules = Rules(hub="js-0001")
    assert report(lived(rules=rules), rules) == VoiceReport(VoiceCan.NOTHING)


@pytest.mark.parametrize(
    ("events", "can"),
    [
        ((), VoiceCan.STARTING),
        ((VoiceTold(5.0, "voice"),), VoiceCan.STARTING),
        ((DriverFailed(20.0, "voice", "no voice process"),), VoiceCan.LOST),
        ((HELLO, DriverFailed(20.0, "voice", "gone"), HELLO), VoiceCan.LOST),
        (
            (HELLO, DriverFailed(20.0, "voice", "gone"), DriverReady(40.0, "voice")),
            VoiceCan.TALKING,
        ),
        ((HELLO, DriverFailed(20.0, "lamp", "gone")), VoiceCan.TALKING),
        ((HELLO,), VoiceCan.TALKING),
        ((DEAF,), VoiceCan.SPEAKING),
        ((HELLO, broken(Part.MICROPHONE)), VoiceCan.SPEAKING),
        ((HELLO, broken(Part.MUTE)), VoiceCan.SPEAKING),
        ((HELLO, broken(Part.LOUDSPEAKER)), VoiceCan.HEARING),
        ((HELLO, broken(Part.LOUDSPEAKER), broken(Part.MICROPHONE)), VoiceCan.LOST),
        ((HELLO, broken(Part.SPEECH)), VoiceCan.TALKING),
        ((HELLO, broken(Part.LOUDSPEAKER, device="other")), VoiceCan.TALKING),
    ],
)
def test_what_it_can_do_is_told(events: tuple[Event, ...], can: VoiceCan) -> None:
    assert report(lived(*events)).can is can


def test_how_it_is_set_is_told_with_it() -> None:
    assert report(lived(HELLO)) == VoiceReport(VoiceCan.TALKING, ENGINES, spoken_sos=True)
    consented = report(lived(replace(HELLO, tells_words=True), broken(Part.MUTE)))
    assert (consented.tells_words, consented.muted) == (True, True)


@pytest.mark.parametrize(("hub", "voice"), [(True, False), (False, True)])
def test_spoken_calls_are_off_where_either_has_them_off(hub: bool, voice: bool) -> None:  # noqa: FBT001 - a table
    rules = replace(RULES, spoken_sos=hub)
    assert not report(lived(replace(HELLO, spoken_sos=voice), rules=rules), rules).spoken_sos


def test_after_a_restart_the_voice_has_yet_to_say_it_again() -> None:
    started = Started(100.0, 1.8e9, synced=True, boot="b2")
    assert report(recover(lived(HELLO), started, [])).can is VoiceCan.STARTING


def test_a_hub_that_does_not_speak_of_its_voice_is_still_understood() -> None:
    told = faults.state_message(lived(HELLO), Availability.READY, 10.0, RULES)
    old = msgspec.json.decode(told.payload)
    assert old.pop("voice")
    _, message = wire.decode_from_hub(told.topic, msgspec.json.encode(old))
    assert isinstance(message, HubState)
    assert message.voice is None
