"""What the centre is told of the body: a summary every 15 minutes, and single readings at once.

It begins with the first reading; a home without wearables never has one. Stress is told only for
five-minute windows that are clean and at rest; where there is none, the reason is.
"""

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Vital, VitalKind, Vitals, VitalWhy
from hub.core.model.effects import Effect, Lane, Publish
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState, Step, numbered
from hub.core.model.vitals import Band, Tally, Window
from hub.core.vitals import limits, usual

MOST = 64  # entries of a message: some 10 KB
NONE = Tally()


def begun(state: HomeState, at: float) -> HomeState:
    """Return the state in which a summary is under way."""
    if state.vitals.from_at is not None:
        return state
    return replace(state, vitals=replace(state.vitals, from_at=at))


def elapse(state: HomeState, at: float, rules: Rules) -> Step:
    """Send the summary that is due; the next one begins with the next reading."""
    due = next_wake(state, rules)
    if due is None or due > at:
        return state, []
    state = _learned(state, due)
    from_at = due - rules.vitals.summary_s
    entries = tuple(_entries(state, from_at, due))
    vitals = state.vitals
    # what was taken off the list is forgotten, unless the list could not be read yet
    known = {*vitals.bands, *vitals.meters} if not rules.listed else {*rules.sensors}
    bands = {device: _emptied(band) for device, band in vitals.bands.items() if device in known}
    meters = {
        device: replace(one, tally=NONE) for device, one in vitals.meters.items() if device in known
    }
    state = replace(state, vitals=replace(vitals, bands=bands, meters=meters, from_at=None))
    effects: list[Effect] = []
    for first in range(0, len(entries), MOST):
        part = entries[first : first + MOST]
        state, told = publish(state, from_at, due, part, rules)
        effects += told
    return state, effects


def next_wake(state: HomeState, rules: Rules) -> float | None:
    """Return when the summary is due."""
    from_at = state.vitals.from_at
    return None if from_at is None else from_at + rules.vitals.summary_s


def publish(
    state: HomeState, from_at: float, to_at: float, entries: tuple[Vital, ...], rules: Rules
) -> Step:
    """Send readings; they go last, and are dropped when the disk is full of others."""
    state, key = numbered(state)
    said = Vitals(state.clock.utc(from_at), state.clock.utc(to_at), state.clock.synced, entries)
    topic = wire.topic(rules.hub, "vitals")
    return state, [Publish(key, Lane.TELEMETRY, topic, wire.encode(said))]


def _emptied(band: Band) -> Band:
    return replace(band, pulse=NONE, rest=NONE, worn_s=0.0, beats=0, windows=())


def _learned(state: HomeState, at: float) -> HomeState:
    """Learn the stress of this summary, once it is told what was usual before it."""
    if not state.clock.synced:
        return state
    bands = {}
    for device, band in state.vitals.bands.items():
        indices = [one.stress for one in band.windows if one.stress is not None]
        learned = usual.with_stress(band.usual, indices, state.clock.local(at))
        bands[device] = replace(band, usual=learned) if indices else band
    return replace(state, vitals=replace(state.vitals, bands=bands))


def _entries(state: HomeState, from_at: float, at: float) -> list[Vital]:
    utc, entries = state.clock.utc(at), list[Vital]()
    for device, band in state.vitals.bands.items():
        if band.pulse.n:
            entries += _of_band(state, device, band, at, at - from_at)
    for device, meter in state.vitals.meters.items():
        if meter.tally.n and meter.due_at is None:
            entries.append(_tallied(VitalKind.OXYGEN, utc, device, meter.tally))
    return entries


def _of_band(state: HomeState, device: str, band: Band, at: float, span_s: float) -> list[Vital]:
    utc = state.clock.utc(at)
    entries = [_tallied(VitalKind.PULSE, utc, device, band.pulse)]
    if band.rest.n:
        span = usual.of_rest(band.usual)
        entry = _tallied(VitalKind.RESTING_PULSE, utc, device, band.rest)
        if span:
            level = span.level(band.rest.mean)
            entry = replace(entry, usual=round(span.mid, 1), level=level)
        entries.append(replace(entry, why=None if span else VitalWhy.LEARNING))
    share = min(band.worn_s / span_s, 1.0)
    entries.append(Vital(VitalKind.WORN, utc, device, round(share, 3)))
    battery = state.watch.batteries.get(device)
    if battery:
        entries.append(Vital(VitalKind.BATTERY, utc, device, battery.pct))
    return [*entries, *_of_beats(state, device, band, at)]


def _of_beats(state: HomeState, device: str, band: Band, at: float) -> list[Vital]:
    utc, own = state.clock.utc(at), limits.of_resident(state)
    if not own.stress:
        return []
    clean = [one for one in band.windows if one.why is None]
    why = _why_not(state, band, clean)
    if why is not None:
        share = _clean_share(band.windows)
        beats = sum(one.beats for one in band.windows)
        return [Vital(VitalKind.STRESS, utc, device, n=beats, clean_share=share, why=why)]
    n, share = sum(one.beats for one in clean), _clean_share(band.windows)
    stresses = [one.stress for one in clean if one.stress is not None]
    ratios = [one.lf_hf for one in clean if one.lf_hf is not None]
    entries = [
        _averaged(kind, utc, device, values, n, share)
        for kind, values in (
            (VitalKind.RMSSD, [one.rmssd_ms for one in clean]),
            (VitalKind.SDNN, [one.sdnn_ms for one in clean]),
            (VitalKind.LF_HF, ratios),
            (VitalKind.STRESS, stresses),
        )
        if values
    ]
    return [_compared(state, band, entry, at) for entry in entries]


def _compared(state: HomeState, band: Band, entry: Vital, at: float) -> Vital:
    """Compare stress with what is usual."""
    if entry.kind is not VitalKind.STRESS or entry.value is None:
        return entry
    span = usual.of_stress(band.usual, state.clock.local(at))
    if span is None:
        return replace(entry, why=VitalWhy.LEARNING)
    return replace(entry, usual=round(span.mid, 1), level=span.level(entry.value))


def _why_not(state: HomeState, band: Band, clean: list[Window]) -> VitalWhy | None:
    """Return why there is no stress of this summary."""
    own = limits.of_resident(state)
    if own.pacemaker:
        return VitalWhy.PACEMAKER
    if own.irregular:
        return VitalWhy.IRREGULAR
    if not band.beats:
        return VitalWhy.NO_RR
    if clean:
        return None
    if band.windows:
        return band.windows[-1].why
    return VitalWhy.SHORT if band.rest.n else VitalWhy.NO_REST


def _clean_share(windows: tuple[Window, ...]) -> float | None:
    beats = sum(one.beats for one in windows)
    if not beats:
        return None
    return round(sum(one.clean_share * one.beats for one in windows) / beats, 3)


def _averaged(
    kind: VitalKind, utc: float, device: str, values: list[float], n: int, share: float | None
) -> Vital:
    mean = round(sum(values) / len(values), 2)
    return Vital(kind, utc, device, mean, n=n, clean_share=share)


def _tallied(kind: VitalKind, utc: float, device: str, tally: Tally) -> Vital:
    return Vital(kind, utc, device, round(tally.mean, 1), tally.least, tally.most, tally.n)
