"""What holds of readings in every history: nothing is raised unasked, and nothing spins."""

from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, CareEvent, VitalKind, VitalLimits, Vitals
from hub.contract.scaip import BY_HAND, Kind
from hub.contract.voice import Meaning
from hub.core.alarm.warning import PHRASE
from hub.core.decide import next_wake
from hub.core.model.effects import Ask, Publish
from hub.core.model.events import Heartbeat, Ticked
from hub.core.model.state import HomeState
from tests.hub.core.histories import examples
from tests.hub.core.vitals.scenes import (
    BAND,
    CUFF,
    EIGHT,
    GREEN,
    HELP,
    KITCHEN,
    LIVING,
    STRAP,
    Worn,
)

READ = frozenset({Kind.HEART_RATE, Kind.OXYGEN, Kind.BLOOD_PRESSURE})
BEATEN = frozenset({VitalKind.STRESS, VitalKind.RMSSD, VitalKind.SDNN, VitalKind.LF_HF})
PULSES = (135.0, 135.0, 34.0, 72.0, 0.0, 255.0)
PRESSURES = (
    {"systolic_mmhg": 195.0, "diastolic_mmhg": 100.0},
    {"systolic_mmhg": 84.0, "diastolic_mmhg": 60.0},
    {"systolic_mmhg": 130.0, "diastolic_mmhg": 80.0},
    {"systolic_mmhg": float("nan"), "pulse_bpm": 60.0},
)
LIMITS = (
    None,
    VitalLimits(stress=False),
    VitalLimits(watch_pulse=False, watch_oxygen=False, watch_pressure=False, stress=False),
    VitalLimits(high_rest_bpm=140.0, low_oxygen_pct=75.0),
    VitalLimits(pacemaker=True),
)


class Move(Struct, frozen=True):
    """What happens; `s` is for how long."""

    what: str
    s: float
    pick: int
    flag: bool


def _wear(home: Worn, move: Move) -> None:
    device, bpm = (BAND, STRAP)[move.pick % 2], PULSES[move.pick % len(PULSES)]
    worn = None if move.pick > 15 else move.pick % 7 > 0
    home.beat(bpm, move.s, device, every_s=12.0, worn=worn, rr=move.flag)


def _restart(home: Worn, move: Move) -> None:
    home.start(home.at if move.flag else 9.0, synced=move.pick % 4 > 0)
    home.take(Heartbeat(home.at + 1.0, EIGHT + home.off_s + home.at + 1.0, synced=True))


MAKE: dict[str, Callable[[Worn, Move], object]] = {
    "wear": _wear,
    "wait": lambda home, move: home.wait(move.s),
    "move": lambda home, move: home.move((KITCHEN, LIVING)[move.pick % 2]),
    "finger": lambda home, move: home.finger((79.0, 87.0, 96.0)[move.pick % 3], move.s % 40),
    "cuff": lambda home, move: home.measure(CUFF, PRESSURES[move.pick % 4], fresh=move.flag),
    "say": lambda home, move: home.say(list(Meaning)[move.pick % len(Meaning)]),
    "press": lambda home, move: home.press(GREEN if move.flag else HELP),
    "limits": lambda home, move: home.limit(LIMITS[move.pick % len(LIMITS)]),
    "restart": _restart,
}
kinds = [*MAKE, "wear", "wear", "wear", "wear", "cuff", "finger"]
moves = st.lists(
    st.builds(
        Move,
        st.sampled_from(kinds),
        st.sampled_from([5.0, 61.0, 200.0, 660.0, 700.0, 900.0]),
        st.integers(0, 20),
        st.booleans(),
    ),
    max_size=14,
)


def live(history: list[Move]) -> Worn:
    home = Worn()
    for move in history:
        MAKE[move.what](home, move)
        packed = msgspec.msgpack.encode(replace(home.state, beats={}))
        assert msgspec.msgpack.decode(packed, type=HomeState) == replace(home.state, beats={})
        # an answer ends a question, and the next one, long due, is asked at the next tick
        home.take(Ticked(home.at))
        wake = next_wake(home.state, home.rules)
        assert wake is None or wake >= home.at, "nothing that is due is left undone"
    return home


@examples(25)
@given(moves)
def test_no_alarm_of_a_reading_is_raised_unasked(history: list[Move]) -> None:
    home, asked, by_hand = live(history), set[Kind](), False
    phrases = {PHRASE[kind]: kind for kind in READ}
    for effect in home.effects:
        if isinstance(effect, Ask) and effect.phrase in phrases:
            asked.add(phrases[effect.phrase])
        if not isinstance(effect, Publish):
            continue
        told = wire.decode_from_hub(effect.topic, effect.payload)[1]
        assert len(effect.payload) <= wire.MAX_BYTES
        if isinstance(told, AlarmEvent):
            by_hand = by_hand or told.data.kind in BY_HAND
            if told.data.kind in READ and told.data.what in {"raised", "repeated"}:
                assert told.data.kind in asked
                assert told.data.vital
                value, limit = told.data.vital.value, told.data.vital.limit
                assert by_hand or (value > limit if told.data.vital.above else value < limit)
        if isinstance(told, CareEvent) and told.data.care == "reading":
            assert Kind(told.data.what) in asked


@examples(15)
@given(moves)
def test_who_wants_no_stress_has_none(history: list[Move]) -> None:
    home = Worn().limit(VitalLimits(stress=False))
    for move in history:
        if move.what != "limits":
            MAKE[move.what](home, move)
        assert home.state.beats == {}
    kinds = {one.kind for told in home.vitals for one in told.entries}
    assert not kinds & BEATEN
    assert all(isinstance(told, Vitals) for told in home.vitals)
