"""Five minutes of beats at rest, gathered from a band's notifications, and what they say.

    gathering --300 s--> judged (`model.rr`), and gathered anew
        '--moved, not worn, nothing heard for a while--> gathered anew

A gap between notifications is found by time, before any beat is judged: beats fall behind the clock
by more than a notification can hold back.
"""

from msgspec.structs import replace

from hub.core.model import rr
from hub.core.model.events import HeartRateMeasured
from hub.core.model.state import HomeState
from hub.core.model.vitals import Band, Beats, Window
from hub.core.vitals import limits

WINDOW_MS = 300_000.0  # Task Force 1996: 5 min
LATE_MS = 3000.0  # a notification may lack the beat that is not over: at most 2.4 s, and its delay
MOST = 1500  # beats of a window: 300 a minute
WINDOWS = 4  # of a summary


def take(state: HomeState, band: Band, event: HeartRateMeasured) -> tuple[HomeState, Band]:
    """Add the beats of a reading; judge them when five minutes are full."""
    band = replace(band, beats=band.beats + len(event.rr_ms))
    if not event.rr_ms or not limits.reads_beats(state):
        return state, band
    old = state.beats.get(event.device)
    new = Beats(event.at, event.rr_ms, span_ms=sum(event.rr_ms)) if old is None else _plus(
        old, event
    )  # fmt: skip
    if new.span_ms < WINDOW_MS and len(new.rr_ms) < MOST:
        return _with(state, event.device, new), band
    windows = (*band.windows, _judged(new))[-WINDOWS:]
    return dropped(state, event.device), replace(band, windows=windows)


def dropped(state: HomeState, device: str) -> HomeState:
    """Forget the beats of a device: they are no five minutes at rest."""
    if device not in state.beats:
        return state
    return replace(state, beats={d: b for d, b in state.beats.items() if d != device})


def _plus(old: Beats, event: HeartRateMeasured) -> Beats:
    told_ms = sum(event.rr_ms)
    lag_ms = max(old.lag_ms + 1000.0 * (event.at - old.at) - told_ms, -LATE_MS)
    gaps, lost_ms = old.gaps, 0.0
    if lag_ms > LATE_MS:
        gaps, lost_ms, lag_ms = (*gaps, (len(old.rr_ms), lag_ms)), lag_ms, 0.0
    span_ms = old.span_ms + told_ms + lost_ms
    return Beats(event.at, old.rr_ms + event.rr_ms, gaps, lag_ms, span_ms)


def _judged(beats: Beats) -> Window:
    found = rr.analyse(beats.rr_ms, dict(beats.gaps))
    if not found.usable:
        return Window(found.reason, found.beats, found.clean_share)
    return Window(
        None,
        found.beats,
        found.clean_share,
        found.rmssd_ms or 0.0,
        found.sdnn_ms or 0.0,
        found.lf_hf,
        found.stress,
    )


def _with(state: HomeState, device: str, beats: Beats) -> HomeState:
    return replace(state, beats={**state.beats, device: beats})
