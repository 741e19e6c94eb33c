"""Invented readings of invented bodies: a usual day of a band, a cuff in the morning."""

import math
from collections.abc import Iterator

from msgspec.structs import replace

from center.domain.incident import Deed, Entry
from center.domain.record import Consent, ConsentItem, Record
from center.domain.times import local
from center.store.rows import records
from center.store.store import Store
from hub.contract.messages import Vital, VitalKind, VitalLevel, Vitals, VitalWhy
from tests.center.lives import RECORD
from tests.center.making import HUB, NOW

ENTRY_S = 900.0
WILLING = replace(
    RECORD,
    consents=(
        *RECORD.consents,
        Consent(ConsentItem.VITALS, given=True, date="2020-03-02", version="2.1"),
        Consent(ConsentItem.SHARE_MEDICAL, given=True, date="2026-03-02", version="2.1"),
    ),
)


def write(store: Store, record: Record = WILLING, hub: str = HUB, utc: float = NOW) -> None:
    """Store a record."""
    change = Entry(utc, Deed.RECORD_CHANGED, version=0, by="김하늘")
    store.submit(lambda conn: records.put(conn, hub, record, change)).result(10)


def reading(kind: VitalKind, value: float | None, utc: float = NOW, **more: object) -> Vitals:
    """Make a message with one reading, taken at `utc`."""
    one = replace(Vital(kind, utc, "band", value), **more)
    return Vitals(utc, utc, synced=True, entries=(one,))


def pressure(utc: float, systolic: float = 131.0, diastolic: float = 78.0) -> Vitals:
    """Make a message of a cuff."""
    values = {
        VitalKind.SYSTOLIC: systolic,
        VitalKind.DIASTOLIC: diastolic,
        VitalKind.MEAN_PRESSURE: round(diastolic + (systolic - diastolic) / 3),
    }
    entries = tuple(Vital(kind, utc, "cuff", value) for kind, value in values.items())
    return Vitals(utc, utc, synced=True, entries=entries)


def quarter(utc: float, *, rr: bool = True) -> Vitals:
    """Make the quarter of an hour that ends at `utc`; without `rr` the band tells no beats."""
    here = local(utc)
    assert here
    hour, salt = here.hour + here.minute / 60, math.sin(utc / 4_321.0)
    pulse = 66.0 + 12.0 * math.sin((hour - 9) / 24 * 2 * math.pi) + 6.0 * salt
    entries = [
        Vital(VitalKind.PULSE, utc, "band", round(pulse, 1), pulse - 8, pulse + 22, 880),
        Vital(VitalKind.WORN, utc, "band", 0.97),
        Vital(VitalKind.BATTERY, utc, "band", 80.0 - hour),
        *_beats(utc, salt, rr=rr),
    ]
    if 1.0 <= hour < 6.0:
        rest = round(58.0 + 2.0 * salt, 1)
        entries.append(Vital(VitalKind.RESTING_PULSE, utc, "band", rest, usual=59.0))
    if here.hour % 6 == 0 and here.minute == 0:
        entries.append(Vital(VitalKind.OXYGEN, utc, "finger", 96.0 + round(salt), n=20))
    return Vitals(utc - ENTRY_S, utc, synced=True, entries=tuple(entries))


def _beats(utc: float, salt: float, *, rr: bool) -> Iterator[Vital]:
    if not rr:
        yield Vital(VitalKind.STRESS, utc, "band", n=0, why=VitalWhy.NO_RR)
        return
    share = 1.0 + 0.5 * salt
    level = VitalLevel.HIGHER if share > 1.3 else VitalLevel.USUAL
    yield Vital(VitalKind.RMSSD, utc, "band", round(26.0 - 8 * salt, 1), n=290, clean_share=0.98)
    yield Vital(VitalKind.SDNN, utc, "band", round(38.0 - 6 * salt, 1), n=290, clean_share=0.98)
    if salt < -0.9:
        yield Vital(VitalKind.STRESS, utc, "band", n=120, clean_share=0.7, why=VitalWhy.NOISY)
    else:
        value = round(95.0 * share, 1)
        yield Vital(
            VitalKind.STRESS, utc, "band", value, n=290, clean_share=0.98, usual=95.0, level=level
        )


def usual_quarters(until_utc: float, count: int, *, rr: bool = True) -> Iterator[Vitals]:
    """Make quarters of an hour of a usual life, oldest first; the band is charged at 20 o'clock."""
    last = until_utc // ENTRY_S * ENTRY_S
    for back in range(count - 1, -1, -1):
        utc = last - ENTRY_S * back
        here = local(utc)
        assert here
        if here.hour != 20:
            yield quarter(utc, rr=rr)
        if here.hour == 8 and here.minute == 0:
            yield pressure(utc - 60, 128.0 + here.day % 9, 76.0 + here.day % 5)
