"""Invented days of invented homes: check-ins, needs, activity, evidence, a record."""

import itertools
from collections.abc import Iterator

from center.domain.record import Consent, ConsentItem, Contact, Record
from center.domain.times import local
from hub.contract import wire
from hub.contract.messages import (
    Activity,
    AnnouncementData,
    AnnouncementEvent,
    AnnouncementOutcome,
    AnsweredBy,
    CareData,
    CareEvent,
    CheckInData,
    CheckInEvent,
    CheckInResult,
    Evidence,
    PresenceKind,
    Topic,
)
from hub.contract.scaip import Care, of_announcement, of_care, of_check_in
from tests.center.making import HUB, NOW

PLACES = {"pir1": "거실", "pir2": "부엌", "pir3": "욕실", "door1": "현관"}
QUIET = Evidence(
    since_utc=NOW - 5 * 3600 - 1200,
    lasted_s=5 * 3600.0 + 1200,
    usual_s=5400.0,
    limit_s=10_800.0,
    last="pir2",
    sensors=("pir1", "pir2", "pir3"),
    learned_days=21,
)
RECORD = Record(
    name="한가온",
    birth_year=1941,
    phone="010-0000-0101",
    address="가상군 없는면 물결길 12, 101호",
    door_code="0000#",
    entry="공동 현관은 열려 있고, 여벌 열쇠는 관리실에 있습니다.",
    illnesses="고혈압, 당뇨병",
    medicines="아침 혈압약 1정, 저녁 당뇨약 1정. 아스피린 알레르기",
    contacts=(
        Contact("한나래", "딸", "010-0000-0102"),
        Contact("윤바람", "이웃", "010-0000-0103"),
    ),
    consents=(
        Consent(ConsentItem.HEALTH, given=True, date="2026-03-02", version="2.1"),
        Consent(ConsentItem.PATTERN, given=True, date="2026-03-02", version="2.1"),
        Consent(ConsentItem.VOICE, given=False, date="2026-03-02", version="2.1"),
        Consent(ConsentItem.SHARE_119, given=True, date="2026-03-02", version="2.1"),
    ),
    baseline="7시쯤 일어나고 22시쯤 잔다. 화·금 오전에는 경로당에 간다.",
    registered_119=True,
    notes="왼쪽 귀가 잘 들리지 않아 천천히 말해야 한다.",
)
_numbers = itertools.count(1)


def check_in(
    result: CheckInResult = CheckInResult.FINE,
    checkin: str = "2026-09-21-0900",
    ident: str = "",
    hub: str = HUB,
    at: float = NOW,
    wordless: int = 0,
) -> CheckInEvent:
    """Make a check-in's result; without `ident` it is one that was never seen before."""
    by = AnsweredBy.NOBODY if result is CheckInResult.MISSED else AnsweredBy.VOICE
    ident = ident or f"c-{next(_numbers)}"
    data = CheckInData(
        checkin, Topic.HEALTH, result, by, 1, at - 600, synced=True, scaip=of_check_in(ident),
        wordless=wordless,
    )  # fmt: skip
    kind = f"anbu.checkin.{result}"
    return CheckInEvent(ident, wire.source(hub), kind, wire.timestamp(at), data)


def care(
    what: Care = Care.COUNSELLING, ident: str = "", hub: str = HUB, score: int = 0
) -> CareEvent:
    """Make a need."""
    ident = ident or f"n-{next(_numbers)}"
    data = CareData(what, score, synced=True, scaip=of_care(what, ident))
    return CareEvent(ident, wire.source(hub), f"anbu.care.{what}", wire.timestamp(NOW), data)


def word(
    command: str, outcome: AnnouncementOutcome = AnnouncementOutcome.SPOKEN, hub: str = HUB,
    at: float = NOW, *, synced: bool = True,
) -> AnnouncementEvent:  # fmt: skip
    """Make a hub's report on an announcement."""
    ident = f"w-{next(_numbers)}"
    data = AnnouncementData(command, outcome, synced, of_announcement(ident))
    kind = f"anbu.announcement.{outcome}"
    return AnnouncementEvent(ident, wire.source(hub), kind, wire.timestamp(at), data)


def activity(from_utc: float, **seen: int) -> Activity:
    """Make an hour at home."""
    return Activity(from_utc, synced=True, seen=seen, places=PLACES, presence=PresenceKind.HOME)


def usual_hours(until_utc: float, count: int) -> Iterator[Activity]:
    """Make hours of a usual life, the last one ending at or before `until_utc`."""
    last = until_utc // 3600 * 3600
    for back in range(count, 0, -1):
        yield usual_hour(last - 3600 * back)


def usual_hour(from_utc: float) -> Activity:
    """Make an hour of a usual life: asleep at night, out on some mornings, at home else."""
    here = local(from_utc)
    assert here
    hour, salt = here.hour, here.day * 7 + here.hour
    asleep = 3600.0 if hour < 6 or hour >= 22 else 1500.0 if hour == 6 else 0.0
    away = 3600.0 if here.weekday() in {1, 4} and hour in {9, 10} else 0.0
    busy = {"pir1": 4 + salt % 17, "pir2": salt % 23 * (hour in {7, 8, 12, 18}), "pir3": salt % 4}
    night = {"pir1": 0, "pir2": 0, "pir3": int(hour == 3), "door1": 0}
    seen = night if asleep == 3600 else {**busy, "door1": int(hour in {9, 11})}
    if away:
        seen = {"door1": 1, "pir1": 0, "pir2": 0, "pir3": 0}
    presence = PresenceKind.ASLEEP if asleep else PresenceKind.AWAY if away else PresenceKind.HOME
    return Activity(from_utc, True, seen, PLACES, presence, asleep, away)  # noqa: FBT003 - its clock
