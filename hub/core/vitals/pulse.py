"""The pulse, minute by minute: too fast at rest, or too slow, for ten minutes in a row.

    a minute's median  beyond the limit --> a spell --ten of them--> the resident is asked
                       within, moved, no reading for 3 min, taken off --> no spell

One wrong reading does not change a median. A minute does not count whose beats contradict its
pulse; nor a spell in which every reading is the same number; nor one which another wearable
contradicts, unless only this one's beats confirm its pulse, or the other repeats one number. 0 and
255 are no readings.
"""

from msgspec.structs import replace

from hub.contract.messages import VitalEvidence
from hub.contract.scaip import Kind
from hub.core.model.events import HeartRateMeasured
from hub.core.model.rr import median
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step
from hub.core.model.vitals import Band, Minute, Spell, Tally
from hub.core.vitals import beats, limits, question, rest, usual
from hub.core.vitals.limits import Limit

SLOWEST, FASTEST = 25.0, 245.0  # beats a minute of a living heart; 0 and 255 are signs of their own
MINUTE_S, WORN_S = 60.0, 60.0  # readings closer than this: it was worn in between
READINGS = 240  # of a minute
MEDIANS = 60  # of a spell
RECENT = 3
CONFIRMING = 20  # beats of a minute; it has some 60
AGREE = 0.2  # of the pulse
FROZEN = 100  # readings, all of the same number
FRESH = Band()


def is_live(event: HeartRateMeasured) -> bool:
    """Whether it is the pulse of somebody who wears the band."""
    return event.worn is not False and SLOWEST <= event.bpm <= FASTEST


def take(state: HomeState, event: HeartRateMeasured, rules: Rules) -> Step:
    """Apply a reading of a listed wearable."""
    band = state.vitals.bands.get(event.device)
    if not is_live(event):
        off = band is not None and event.worn is False
        return (_taken_off(state, event.device, band or FRESH) if off else state), []
    band = band or FRESH
    if event.at < band.live_at:  # heard before, and told late
        return state, []
    since_s = event.at - band.live_at
    if since_s > rules.vitals.gap_s:
        state, band = beats.dropped(state, event.device), _broken(band)
    asked: list[Kind] = []
    if event.at >= band.minute.since + MINUTE_S and band.minute.bpm:
        state, band = _close(state, event.device, band, event.at, rules)
        asked = [Kind.HEART_RATE]
    band = _with_reading(band, event, since_s)
    state, band = beats.take(state, band, event)
    state = _with(state, event.device, band)
    return _judge(state, event.device, event.at, rules) if asked else (state, [])


def _with_reading(band: Band, event: HeartRateMeasured, since_s: float) -> Band:
    minute = band.minute if band.minute.bpm else Minute(event.at)
    beats_told = minute.rr
    for one in event.rr_ms:
        beats_told = beats_told.plus(one)
    bpm = (*minute.bpm, event.bpm)[-READINGS:]
    return replace(
        band,
        live_at=event.at,
        last_bpm=event.bpm,
        worn=True,
        minute=replace(minute, bpm=bpm, rr=beats_told),
        pulse=band.pulse.plus(event.bpm),
        worn_s=band.worn_s + (since_s if since_s <= WORN_S else 0.0),
    )


def _taken_off(state: HomeState, device: str, band: Band) -> HomeState:
    state = beats.dropped(state, device)
    return _with(state, device, replace(_broken(band), worn=False))


def _broken(band: Band) -> Band:
    """Return the band without what was under way."""
    return replace(band, minute=Minute(), recent=(), high=None, low=None, stirs=0)


def _close(
    state: HomeState, device: str, band: Band, at: float, rules: Rules
) -> tuple[HomeState, Band]:
    """Judge the minute that is over, and begin a new one."""
    minute, bpm = band.minute, median(band.minute.bpm)
    band = replace(band, minute=Minute(), stirs=rest.with_minute(state, band, at, rules))
    confirmed = _confirms(minute, bpm)
    if confirmed is False:
        return beats.dropped(state, device), replace(band, high=None, low=None, recent=())
    high, _ = limits.high_pulse(state, rules)
    low, _ = limits.low_pulse(state, rules)
    rests = rest.is_at_rest(state, band, at, rules)
    band = replace(
        band,
        recent=(*band.recent, bpm)[-RECENT:],
        judged_at=at,
        by_beats=confirmed is True,
        high=_spell(band.high, minute, bpm) if rests and high.is_passed(bpm) else None,
        low=_spell(band.low, minute, bpm) if low.is_passed(bpm) else None,
    )
    if not rests:
        return beats.dropped(state, device), band
    band = replace(band, rest=band.rest.plus(bpm))
    if state.clock.synced:
        band = replace(band, usual=usual.with_rest(band.usual, bpm, state.clock.local(at)))
    return state, band


def _confirms(minute: Minute, bpm: float) -> bool | None:
    """Whether the minute's beats confirm its pulse; None: there are too few to tell."""
    if minute.rr.n < CONFIRMING:
        return None
    return abs(60_000.0 - minute.rr.mean * bpm) <= AGREE * 60_000.0


def _spell(old: Spell | None, minute: Minute, bpm: float) -> Spell:
    tally = old.bpm if old else Tally()
    for one in minute.bpm:
        tally = tally.plus(one)
    medians = (*old.medians, bpm)[-MEDIANS:] if old else (bpm,)
    return Spell(old.since if old else minute.since, medians, tally)


def _judge(state: HomeState, device: str, at: float, rules: Rules) -> Step:
    """Ask of a spell that is long enough; end the asking once the pulse is within its limits."""
    band = state.vitals.bands[device]
    state, effects = question.see_pulse(state, device, at, rules)
    found = (
        (band.high, *limits.high_pulse(state, rules)),
        (band.low, *limits.low_pulse(state, rules)),
    )
    for spell, limit, lasts_s in found:
        if spell is None or at - spell.since < lasts_s or _repeats(spell.bpm):
            continue
        if _is_contradicted(state, device, at, rules):
            continue
        evidence = _evidence(state, device, spell, (limit, lasts_s), at)
        state, more = question.begin(state, Kind.HEART_RATE, evidence, at, rules)
        effects = [*effects, *more]
    return state, effects


def _repeats(bpm: Tally) -> bool:
    """Whether the readings are one number, over and over: no heart is as even."""
    return bpm.n >= FROZEN and bpm.least == bpm.most


def _is_contradicted(state: HomeState, device: str, at: float, rules: Rules) -> bool:
    """Whether another wearable, which is believed as much, feels a pulse within the limits."""
    high, low = limits.high_pulse(state, rules)[0], limits.low_pulse(state, rules)[0]
    mine = state.vitals.bands[device]
    for name, other in state.vitals.bands.items():
        fresh = other.recent and at - other.judged_at <= rules.vitals.gap_s
        if name == device or not fresh or (mine.by_beats and not other.by_beats):
            continue
        if _repeats(other.pulse):  # it lies in a drawer, or its program has stopped
            continue
        if not high.is_passed(other.recent[-1]) and not low.is_passed(other.recent[-1]):
            return True
    return False


def _evidence(
    state: HomeState, device: str, spell: Spell, passed: tuple[Limit, float], at: float
) -> VitalEvidence:
    limit, lasts_s = passed
    minutes = max(1, round(lasts_s / MINUTE_S))
    span = usual.of_rest(state.vitals.bands[device].usual)
    return VitalEvidence(
        kind=limit.kind,
        value=median(spell.medians[-minutes:]),
        limit=limit.value,
        above=limit.above,
        device=device,
        since_utc=state.clock.utc(spell.since),
        lasted_s=at - spell.since,
        n=spell.bpm.n,
        usual=span and round(span.mid, 1),
    )


def _with(state: HomeState, device: str, band: Band) -> HomeState:
    bands = {**state.vitals.bands, device: band}
    return replace(state, vitals=replace(state.vitals, bands=bands))
