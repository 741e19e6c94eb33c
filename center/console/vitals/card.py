"""The newest readings of a home in words, for its page and the page of its readings. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from center.console.lengths import length
from center.console.view import Viewer
from center.console.vitals.pictures import number
from center.domain import times
from center.domain.vitals import OLD_S, Reading
from hub.contract.messages import VitalKind

SHOWN = (
    VitalKind.PULSE, VitalKind.RESTING_PULSE, VitalKind.OXYGEN, VitalKind.SYSTOLIC,
    VitalKind.DIASTOLIC, VitalKind.STRESS, VitalKind.TEMPERATURE, VitalKind.RMSSD,
)  # fmt: skip


class Fact(Struct, frozen=True):
    """A reading: what, how much, when; `note` says what the device thought of it."""

    kind: VitalKind
    name: str
    text: str
    unit: str
    when: str
    note: str = ""


def facts(latest: Sequence[Reading], viewer: Viewer) -> list[Fact]:
    """Return the newest readings in words, a blood pressure as one."""
    held = {one.kind: one for one in latest if one.value is not None}
    low = held.get(VitalKind.DIASTOLIC)
    found = []
    for kind in SHOWN:
        one = held.get(kind)
        if one is None:
            continue
        if kind is VitalKind.SYSTOLIC and low and low.utc == one.utc:
            found.append(_fact(one, "pressure", f"{one.value:.0f}/{low.value:.0f}", viewer))
        elif not (one is low and VitalKind.SYSTOLIC in held):
            found.append(_fact(one, kind, _value(one, viewer), viewer))
    return found


def newest(latest: Sequence[Reading], viewer: Viewer) -> str:
    """Return when the newest reading was taken; empty where there is none."""
    utc = _newest(latest)
    return "" if utc is None else times.short(utc, viewer.now)


def old(latest: Sequence[Reading], viewer: Viewer) -> str:
    """Return for how long no reading has come, where that is long; else empty."""
    utc = _newest(latest)
    if utc is None or viewer.now - utc < OLD_S:
        return ""
    return length(viewer.now - utc, viewer.t)


def _newest(latest: Sequence[Reading]) -> float | None:
    """Return the time of the newest reading of the body; a battery is none."""
    return max((one.utc for one in latest if one.kind is not VitalKind.BATTERY), default=None)


def _value(one: Reading, viewer: Viewer) -> str:
    if one.kind is VitalKind.STRESS:
        return viewer.t(f"vital_level.{one.level}") if one.level else "-"
    return number(one.kind, one.value or 0.0)


def _fact(one: Reading, name: str, text: str, viewer: Viewer) -> Fact:
    t = viewer.t
    utc = one.utc if one.sure else one.stored_utc
    unit = "" if one.kind is VitalKind.STRESS else t(f"vital_unit.{name}")
    note = t("vitals.irregular") if one.irregular else ""
    return Fact(one.kind, t(f"vital.{name}"), text, unit, times.short(utc, viewer.now), note)
