"""Ten seconds of a pulse come as one event, and are judged reading by reading all the same."""

from hub.contract.voice import Phrase
from hub.core.model.events import HeartRateMeasured, PulseReading
from tests.hub.core.vitals.scenes import BAND, MINUTE, Worn, beats, dice

LOST = range(300, 312)  # seconds in which the band was not heard


def readings(at: float, bpm: float, s: int, seed: int = 1) -> list[HeartRateMeasured]:
    """A reading each second, with its beats and a pause."""
    chance, found = dice(seed), list[HeartRateMeasured]()
    left, heard_ms = list(beats(bpm, s, seed)), 0.0
    for n in range(s):
        told = tuple[float, ...]()
        while left and heard_ms + left[0] <= 1000.0 * (n + 1):
            heard_ms += left[0]
            told = (*told, left.pop(0))
        if n not in LOST:
            shown = bpm + chance.choice((-1, 0, 1))
            found.append(HeartRateMeasured(at + 1 + n, BAND, shown, told, worn=True))
    return found


def joined(found: list[HeartRateMeasured], by: int = 10) -> list[HeartRateMeasured]:
    """The same as events of ten readings, as `drivers.radio` makes them."""
    events = []
    for n in range(0, len(found), by):
        *earlier, last = found[n : n + by]
        told = tuple(PulseReading(one.at, one.bpm, one.rr_ms) for one in earlier)
        events.append(
            HeartRateMeasured(last.at, BAND, last.bpm, last.rr_ms, last.worn, earlier=told)
        )
    return events


def worn(events: list[HeartRateMeasured], home: Worn) -> Worn:
    for event in events:
        home.take(event)
    return home


def test_joined_readings_are_judged_as_one_by_one() -> None:
    """Minutes, beats, gaps and what is usual are the same: no window is judged otherwise."""
    single, whole = Worn(), Worn()
    found = readings(single.at, 66.0, 840)
    worn(found, single)
    worn(joined(found), whole)
    assert whole.state.vitals == single.state.vitals
    assert whole.state.beats == single.state.beats
    band = whole.state.vitals.bands[BAND]
    assert len(band.windows) == 2
    assert [one.why for one in band.windows] == [None, None]


def test_a_fast_pulse_in_joined_readings_is_asked_about_in_the_same_minute() -> None:
    homes = []
    for act in (list, joined):
        home = Worn()
        worn(act(readings(home.at, 70.0, 240)), home)
        worn(act(readings(home.at, 135.0, 560, seed=2)), home)
        assert home.said == []
        worn(act(readings(home.at, 135.0, 120, seed=3)), home)
        homes.append(home)
    assert [home.said for home in homes] == [[Phrase.WARN_PULSE]] * 2


def test_joined_readings_are_life_where_one_of_them_differs_and_a_frozen_band_gives_none() -> None:
    home = Worn()
    home.wait(5 * MINUTE)
    frozen = [HeartRateMeasured(home.at + n, BAND, 70.0, (), worn=True) for n in range(1, 61)]
    worn(joined(frozen), home)
    began = home.state.house.sensed[BAND].active_at
    assert began == frozen[9].at, "the first number is one"
    living = [
        HeartRateMeasured(home.at + n, BAND, 71.0 if n == 3 else 70.0, (), worn=True)
        for n in range(1, 11)
    ]
    worn(joined(living), home)
    assert home.state.house.sensed[BAND].active_at == living[-1].at
