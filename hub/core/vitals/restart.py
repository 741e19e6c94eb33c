"""The readings of the body after a restart: an episode goes on, if the hub was off only briefly.

Where it is not known for how long it was off, or it was off for longer than a gap between readings
may last, an episode begins anew. The beats are gone: they are not saved.
"""

from msgspec.structs import replace

from hub.contract.scaip import Kind
from hub.core.model.activity import NEVER
from hub.core.model.events import Started
from hub.core.model.rules import VitalRules
from hub.core.model.state import Caution, HomeState
from hub.core.model.vitals import NOTHING, Band, Meter, Minute, Spell, Told, VitalsState, Waiting

GAP_S = VitalRules().gap_s
FRESH = Band()


def recovered(state: HomeState, started: Started) -> HomeState:
    """Return what is known as a new process holds it; the state's clock is still the old one."""
    if state.vitals == NOTHING:
        return replace(state, vitals=NOTHING, beats={})
    return replace(state, vitals=_recovered(state, started), beats={})


def _recovered(state: HomeState, started: Started) -> VitalsState:
    old = state.vitals
    last = max((band.live_at for band in old.bands.values()), default=NEVER)
    off_s = started.utc - state.clock.utc(last)
    known = state.clock.synced and started.synced and 0.0 <= off_s <= GAP_S
    by_s = started.at - last - (off_s if known else 0.0)
    move, moves_by = _moved if known else _ended, _moves_by(state, started)
    return VitalsState(
        bands={device: move(band, by_s) for device, band in old.bands.items()},
        meters={device: replace(Meter(), tally=one.tally) for device, one in old.meters.items()},
        from_at=started.at if old.from_at is not None else None,
        told=_told(old, moves_by, started.at),
        waiting=_waiting(old, moves_by),
    )


def joined(old: VitalsState, new: VitalsState) -> VitalsState:
    """Return what two processes know, where the disk was read late."""
    bands = {**old.bands, **new.bands}
    for device in old.bands.keys() & new.bands.keys():
        bands[device] = replace(new.bands[device], usual=old.bands[device].usual)
    return replace(
        new,
        bands=bands,
        waiting={**old.waiting, **new.waiting},
        meters={**old.meters, **new.meters},
        from_at=old.from_at if new.from_at is None else new.from_at,
        told={**old.told, **new.told},
    )


def recovered_question(caution: Caution | None, vitals: VitalsState, at: float) -> Caution | None:
    """Return what was being asked of a pulse with time for the band to come back and be judged.

    Where that was cut short before, it is decided at once.
    """
    if caution is None or caution.kind is not Kind.HEART_RATE or caution.until <= at:
        return caution
    band = vitals.bands.get(caution.device, FRESH)
    return caution if band.recent else replace(caution, until=max(caution.until, at + GAP_S))


def _told(old: VitalsState, by_s: float, at: float) -> dict[str, Told]:
    """Return what is still not asked again."""
    moved = {key: replace(one, until=one.until + by_s) for key, one in old.told.items()}
    return {key: one for key, one in moved.items() if one.until > at}


def _waiting(old: VitalsState, by_s: float) -> dict[str, Waiting]:
    """Return what waits for another question: a cuff tells its reading only once."""
    return {kind: replace(one, at=one.at + by_s) for kind, one in old.waiting.items()}


def _moves_by(state: HomeState, started: Started) -> float:
    """Return by how much old times move: by the clock, else as if the hub had not been off."""
    old = state.vitals
    times = [band.live_at for band in old.bands.values()]
    times += [meter.last_at for meter in old.meters.values()]
    times += [one.at for one in old.waiting.values()]
    last = max([state.care.noted_at, *times])
    by_s = started.at - last
    if state.clock.synced and started.synced:
        return min(by_s, state.clock.utc(started.at) - started.utc)
    return by_s


def _moved(band: Band, by_s: float) -> Band:
    minute = replace(band.minute, since=band.minute.since + by_s) if band.minute.bpm else Minute()
    return replace(
        band,
        live_at=band.live_at + by_s,
        judged_at=band.judged_at + by_s,
        minute=minute,
        high=_spell(band.high, by_s),
        low=_spell(band.low, by_s),
    )


def _ended(band: Band, _by_s: float) -> Band:
    return Band(
        pulse=band.pulse, rest=band.rest, worn_s=band.worn_s, beats=band.beats,
        windows=band.windows, usual=band.usual, last_bpm=band.last_bpm,
    )  # fmt: skip


def _spell(old: Spell | None, by_s: float) -> Spell | None:
    return old and replace(old, since=old.since + by_s)
