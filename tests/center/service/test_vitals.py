"""Readings of the body at the centre: what is kept of them, and limits on their way to a hub."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from center.domain import times
from center.domain import vitals as pictures
from center.domain.incident import Deed, Entry
from center.domain.limits import AGAIN_S, DEFAULTS, Fate, Kept, is_too_old
from center.domain.record import Consent, ConsentItem, Record
from center.domain.vitals import SPANS, Window, window
from center.link.reconnect import LinkState
from center.service import homes, removal, rounds, vitals
from center.service.feed import Topic, Update
from center.service.intake import store_message
from center.service.vitals import NotSetError
from center.store.rows import audit, limits
from center.store.rows import vitals as rows
from center.store.store import Store
from center.store.tables import vitals as table
from hub.contract.messages import (
    Command,
    CommandKind,
    Reply,
    Vital,
    VitalKind,
    VitalLimits,
    Vitals,
    VitalWhy,
)
from hub.contract.wire import Reason, decode_from_hub
from hub.core.decide import decide, recover
from hub.core.model.effects import Publish
from hub.core.model.events import CommandReceived, Started
from hub.core.model.rules import Rules, VitalRules
from hub.core.model.state import HomeState
from tests.center.bodies import WILLING, pressure, quarter, reading, usual_quarters, write
from tests.center.counter import Counter, at_counter
from tests.center.lives import RECORD
from tests.center.making import HUB, NOW, forget, hear, received, state, stored
from tests.hub.core.vitals.scenes import CUFF, EIGHT, MINUTE, Worn

PULSE, STRESS = VitalKind.PULSE, VitalKind.STRESS
WANTED = VitalLimits(high_rest_bpm=110.0, stress=False)
DAY = window(SPANS["1"], NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        hear(opened, state(), utc=NOW)
        yield opened


def count(store: Store) -> int:
    return store.read(lambda conn: conn.scalar(select(func.count()).select_from(table))) or 0


def points(store: Store, kind: VitalKind, days: Window = DAY) -> list[pictures.Point]:
    return [one for one in store.read(rows.points, HUB, days) if one.kind is kind]


def put(store: Store, wanted: VitalLimits = WANTED, utc: float = NOW) -> Kept:
    kept = store.submit(lambda conn: limits.put(conn, HUB, wanted, "김하늘", utc)).result(10)
    assert isinstance(kept, Kept)
    return kept


def claim(store: Store, utc: float) -> list[tuple[str, Command]]:
    return store.submit(lambda conn: limits.claim(conn, utc)).result(10)


@pytest.mark.parametrize("record", [None, RECORD])
def test_without_consent_readings_leave_no_trace(store: Store, record: object) -> None:
    if record:
        write(store, RECORD)
    told = hear(store, quarter(NOW), utc=NOW)
    assert (count(store), told.updates) == (0, ())


def test_an_offline_hubs_readings_from_before_the_consent_are_not_stored(store: Store) -> None:
    today = times.day_of(NOW)
    begun = times.day_start(today)
    assert begun
    consent = Consent(ConsentItem.VITALS, given=True, date=today)
    write(store, replace(RECORD, consents=(*RECORD.consents, consent)))
    for utc, kept in ((begun - 1.0, 0), (begun - 86_400.0 * 3, 0), (begun, 1), (NOW, 2)):
        hear(store, reading(PULSE, 70.0, utc=utc), utc=NOW)
        assert count(store) == kept


def test_where_a_time_is_not_known_readings_are_kept_by_the_consent_of_now(store: Store) -> None:
    consent = Consent(ConsentItem.VITALS, given=True)  # without a day
    write(store, replace(RECORD, consents=(*RECORD.consents, consent)))
    hear(store, reading(PULSE, 70.0, utc=NOW - 86_400.0), utc=NOW)
    assert count(store) == 1


def test_a_hub_whose_clock_was_wrong_tells_readings_of_now(store: Store) -> None:
    write(store)
    hear(store, replace(reading(PULSE, 70.0, utc=1.6e9), synced=False), utc=NOW)
    assert count(store) == 1


def test_readings_are_kept_and_the_pages_of_the_home_are_told(store: Store) -> None:
    write(store)
    told = hear(store, quarter(NOW), utc=NOW)
    assert told.updates == (Update(Topic.VITALS, HUB),)
    (pulse,) = points(store, PULSE)
    assert pulse.least < pulse.value < pulse.most


def test_what_is_said_again_counts_once_and_the_newer_word_stays(store: Store) -> None:
    write(store)
    for value in (70.0, 70.0, 74.0):
        hear(store, reading(PULSE, value), utc=NOW)
    assert [(one.value, one.n) for one in points(store, PULSE)] == [(74.0, 1)]


def test_a_summary_stands_where_its_interval_began_and_a_reading_when_it_was_taken(
    store: Store,
) -> None:
    write(store)
    edge = DAY.at(50)
    hear(store, Vitals(edge - 900, edge, synced=True, entries=(Vital(PULSE, edge, "band", 70.0),)))
    hear(store, pressure(edge))
    assert [one.slot for one in points(store, PULSE)] == [49]
    assert [one.slot for one in points(store, VitalKind.SYSTOLIC)] == [50]


def test_a_slot_without_a_reading_has_no_point(store: Store) -> None:
    write(store)
    for slot in (3, 4, 7):
        hear(store, reading(PULSE, 70.0, DAY.at(slot)))
    found = pictures.by_kind(store.read(rows.points, HUB, DAY))[PULSE]
    assert [[one.slot for one in run] for run in pictures.runs(found)] == [[3, 4], [7]]
    assert pictures.gaps(found, DAY.slots) == [(0, 3), (5, 2), (8, DAY.slots - 8)]


@pytest.mark.parametrize(
    "said",
    [
        replace(reading(PULSE, 70.0), synced=False),
        reading(PULSE, 70.0, fresh=False),
        reading(PULSE, 70.0, NOW + 86_400),
    ],
    ids=["no clock", "a record of unknown age", "from tomorrow"],
)
def test_a_reading_whose_time_is_not_known_is_listed_apart(store: Store, said: Vitals) -> None:
    write(store)
    hear(store, said, utc=NOW)
    for span in SPANS.values():
        assert points(store, PULSE, window(span, NOW + 86_400)) == []
    assert [one.value for one in store.read(rows.unsure, HUB, 0.0)] == [70.0]


def test_a_time_that_is_none_and_a_kind_of_a_newer_hub_harm_nothing(store: Store) -> None:
    write(store)
    new = VitalKind.of("skin_moisture")
    hear(store, reading(PULSE, 70.0, 1e300))
    hear(store, reading(PULSE, 70.0, -5.0))
    hear(store, reading(new, 3.0))
    assert count(store) == 1
    assert store.read(rows.points, HUB, DAY) == []
    assert store.read(rows.latest, HUB, NOW) == []


def test_stress_is_a_share_of_what_is_usual_and_else_has_its_reason(store: Store) -> None:
    write(store)
    hear(store, reading(STRESS, 142.5, usual=95.0))
    hear(store, reading(STRESS, 80.0, NOW - 900, why=VitalWhy.LEARNING))
    hear(store, reading(STRESS, None, NOW - 1800, why=VitalWhy.NO_RR))
    hear(store, reading(STRESS, None, NOW - 2700, why=VitalWhy.NO_RR))
    assert [one.value for one in points(store, STRESS)] == [1.5]
    whys = store.read(rows.whys, HUB, STRESS, 0.0)
    assert [(one.why, one.n) for one in whys] == [(VitalWhy.NO_RR, 2), (VitalWhy.LEARNING, 1)]


def test_a_year_is_summed_up_by_days_of_korea(store: Store) -> None:
    write(store)
    year = window(SPANS["365"], NOW)
    for at in (10.0, 10.25, 10.5, 12.0):
        hear(store, reading(PULSE, 60.0 + at, year.at(at)))
    found = points(store, PULSE, year)
    assert [(one.slot, one.n, one.value) for one in found] == [(10, 3, 70.25), (12, 1, 72.0)]


def test_the_last_week_is_compared_with_the_weeks_before_where_both_are_known(store: Store) -> None:
    write(store)
    for day in range(28):
        value = 66.0 if day < 7 else 60.0
        hear(store, reading(VitalKind.RESTING_PULSE, value, NOW - day * 86_400 - 600))
        if day < 8:
            hear(store, reading(PULSE, value, NOW - day * 86_400 - 600))
    both = [VitalKind.RESTING_PULSE, PULSE]
    (found,) = store.read(rows.trends, HUB, both, NOW)
    assert (found.kind, found.now, found.usual) == (VitalKind.RESTING_PULSE, 66.0, 60.0)


def test_consent_that_is_taken_back_takes_the_readings_with_it(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        write(counter.store)
        for said in usual_quarters(NOW, 96):
            hear(counter.store, said, utc=NOW)
        assert await vitals.forget_unwanted(counter.desk) == 0
        held = count(counter.store)
        back = Consent(ConsentItem.VITALS, given=False)
        write(counter.store, replace(WILLING, consents=(*WILLING.consents, back)))
        assert await vitals.forget_unwanted(counter.desk) == held > 300  # more than one batch
        assert count(counter.store) == 0

    at_counter(tmp_path, story)


def test_the_rounds_drop_what_nobody_consents_to(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        write(counter.store)
        hear(counter.store, quarter(NOW), utc=NOW)
        write(counter.store, RECORD)
        walking = asyncio.ensure_future(rounds.prune(counter.desk))
        async with asyncio.timeout(30):
            while count(counter.store):  # noqa: ASYNC110 - the database changes
                await asyncio.sleep(0.01)
        walking.cancel()

    at_counter(tmp_path, story)


def test_old_readings_go_with_the_other_days(store: Store) -> None:
    write(store)
    hear(store, quarter(NOW - 86_400), utc=NOW - 86_400)
    hear(store, reading(PULSE, 70.0), utc=NOW)
    forget(store, NOW - 3600)
    assert count(store) == 1


def test_limits_are_sent_until_the_hub_has_replied(store: Store) -> None:
    kept = put(store)
    ((hub, first),) = claim(store, NOW)
    assert (hub, first.kind, first.limits) == (HUB, CommandKind.VITAL_LIMITS, WANTED)
    assert claim(store, NOW + 14) == []
    ((_, second),) = claim(store, NOW + 15)
    assert (second.id, second.counter > first.counter) == (first.id, True)
    hear(store, Reply(kept.command, done=True), utc=NOW + 16)
    assert claim(store, NOW + 10_000) == []
    assert store.read(limits.find, HUB).fate is Fate.AT_HUB


def test_a_hub_obeys_them_and_a_reply_of_older_limits_says_nothing_of_newer(store: Store) -> None:
    put(store)
    ((_, first),) = claim(store, NOW)
    put(store, VitalLimits(low_bpm=45.0), NOW + 1)
    started = Started(0.0, NOW, synced=True, boot="b1")
    home, _ = decide(recover(HomeState(), started, []), started, Rules(hub=HUB))
    for at in (1.0, 2.0):
        order = first if at == 1.0 else claim(store, NOW + at)[0][1]
        home, effects = decide(home, CommandReceived(at, NOW + at, order), Rules(hub=HUB))
        for one in effects:
            if isinstance(one, Publish) and one.topic.endswith("/reply"):
                hear(store, decode_from_hub(one.topic, one.payload)[1], utc=NOW + at)
        fate = store.read(limits.find, HUB).fate
        assert fate is (Fate.WAITING if at == 1.0 else Fate.AT_HUB)


def test_limits_outlast_a_restart_of_the_centre(tmp_path: Path) -> None:
    with stored(tmp_path) as before:
        hear(before, state(), utc=NOW)
        put(before)
        claim(before, NOW)
    with stored(tmp_path) as after:
        assert [hub for hub, _ in claim(after, NOW + 60)] == [HUB]


def test_a_hub_that_comes_online_gets_them_at_once(store: Store) -> None:
    put(store)
    for at in (0, 15, 45, 105):
        claim(store, NOW + at)
    assert claim(store, NOW + 130) == []
    hear(store, state(utc=NOW + 130), utc=NOW + 130)
    assert [hub for hub, _ in claim(store, NOW + 130)] == [HUB]


def test_a_hub_that_was_set_up_anew_gets_them_again(store: Store) -> None:
    kept = put(store)
    claim(store, NOW)
    hear(store, Reply(kept.command, done=True), utc=NOW + 1)
    hear(store, replace(state(utc=NOW + 2), limits=WANTED), utc=NOW + 2)
    assert claim(store, NOW + 3) == []
    hear(store, replace(state(utc=NOW + 60), limits=None), utc=NOW + 60)
    assert store.read(limits.find, HUB).fate is Fate.WAITING
    assert [order.limits for _, order in claim(store, NOW + 61)] == [WANTED]


def test_a_hub_whose_reply_was_lost_shows_by_its_state_that_it_has_them(store: Store) -> None:
    put(store)
    claim(store, NOW)
    hear(store, replace(state(utc=NOW + 2), limits=WANTED), utc=NOW + 2)
    assert store.read(limits.find, HUB).fate is Fate.AT_HUB


def test_a_hub_that_never_had_limits_is_sent_none(store: Store) -> None:
    hear(store, replace(state(utc=NOW + 2), limits=WANTED), utc=NOW + 2)
    assert claim(store, NOW + 60) == []


def test_an_old_hub_is_known_as_such_and_asked_again_in_an_hour(store: Store) -> None:
    kept = put(store)
    claim(store, NOW)
    hear(store, Reply(kept.command, done=False, reason=Reason.UNKNOWN), utc=NOW + 1)
    assert is_too_old(store.read(limits.find, HUB))
    hear(store, state(utc=NOW + 60), utc=NOW + 60)
    assert claim(store, NOW + 120) == []
    assert len(claim(store, NOW + 2 + AGAIN_S)) == 1
    assert claim(store, NOW + 60 + AGAIN_S) == []
    hear(store, Reply(kept.command, done=True), utc=NOW + 70 + AGAIN_S)  # it was updated
    assert store.read(limits.find, HUB).fate is Fate.AT_HUB


@pytest.mark.parametrize("reason", [Reason.EXPIRED, Reason.REPLAYED, Reason.NOT_NOW])
def test_a_try_that_was_late_is_not_the_last(store: Store, reason: Reason) -> None:
    kept = put(store)
    claim(store, NOW)
    hear(store, Reply(kept.command, done=False, reason=reason), utc=NOW + 1)
    assert len(claim(store, NOW + 15)) == 1


def test_the_audit_says_who_set_which_limit_to_what(store: Store) -> None:
    put(store)
    put(store, VitalLimits(pacemaker=True), NOW + 1)
    put(store, VitalLimits(pacemaker=True), NOW + 2)  # nothing changed
    lines = [line.entry for line in store.read(audit.search) if line.entry.by]
    assert [line.text for line in lines] == [
        "high_rest_bpm= stress=yes pacemaker=yes",
        "high_rest_bpm=110 stress=no",
    ]
    assert {(line.by, line.hub) for line in lines} == {("김하늘", HUB)}


def test_who_moves_in_next_has_limits_of_their_own(store: Store) -> None:
    write(store)
    kept = put(store)
    claim(store, NOW)
    hear(store, Reply(kept.command, done=True), utc=NOW + 1)
    store.submit(lambda conn: removal.remove_home(conn, NOW + 2, HUB)).result(10)
    ((_, order),) = claim(store, NOW + 3)
    assert order.limits == VitalLimits(since_utc=NOW + 2)


def kept_after(store: Store, record: Record) -> list[VitalLimits | None]:
    """The limits that a change of the record sends to the hub."""
    change = Entry(NOW + 5, Deed.RECORD_CHANGED, version=0, by="김하늘")
    store.submit(lambda conn: homes.put(conn, HUB, record, change)).result(10)
    return [order.limits for _, order in claim(store, NOW + 6)]


def test_what_was_usual_is_not_the_next_residents(store: Store) -> None:
    """Nor is it kept by whoever takes their consent back. Limits that were never set are sent."""
    write(store)
    anew = [VitalLimits(since_utc=NOW + 5)]
    assert kept_after(store, replace(WILLING, name="이바다", birth_year=1939)) == anew
    refused = tuple(replace(one, given=False) for one in WILLING.consents)
    assert kept_after(store, replace(WILLING, name="이바다", consents=refused)) == anew


@pytest.mark.parametrize("fields", [{"name": "이름"}, {"birth_year": 1931}, {"notes": "개가 있음"}])
def test_a_record_that_is_corrected_is_of_the_same_resident(
    store: Store, fields: dict[str, object]
) -> None:
    before = replace(WILLING, name="이바다", birth_year=1939)
    write(store, before)
    assert kept_after(store, replace(before, **fields)) == []


def test_limits_that_people_set_later_still_say_whose_they_are(store: Store) -> None:
    write(store)
    store.submit(lambda conn: removal.remove_home(conn, NOW, HUB)).result(10)
    kept = put(store, WANTED, NOW + 1)
    assert kept.limits == replace(WANTED, since_utc=NOW)
    ((_, order),) = claim(store, NOW + 2)
    hear(store, Reply(order.id, done=True), utc=NOW + 3)
    hear(store, replace(state(utc=NOW + 4), limits=WANTED), utc=NOW + 4)
    assert claim(store, NOW + 60) == [], "of an older program: it cannot say since when"
    hear(store, replace(state(utc=NOW + 61), limits=VitalLimits()), utc=NOW + 61)
    assert len(claim(store, NOW + 62)) == 1, "it was set up anew"


def test_a_hub_that_was_removed_and_is_taken_over_is_to_forget(store: Store) -> None:
    put(store)
    store.submit(lambda conn: removal.remove_hub(conn, NOW, HUB)).result(10)
    assert claim(store, NOW + 365 * 86_400) == [], "nothing is sent to it meanwhile"
    hear(store, replace(state(utc=NOW + 60), limits=WANTED), utc=NOW + 60)
    ((_, order),) = claim(store, NOW + 61)
    assert order.limits == VitalLimits(since_utc=NOW)


def test_who_moves_in_next_has_no_readings_of_who_lived_there(store: Store) -> None:
    write(store)
    hear(store, quarter(NOW), utc=NOW)
    assert count(store)
    store.submit(lambda conn: removal.remove_home(conn, NOW + 2, HUB)).result(10)
    write(store)  # within minutes, and they consent, too
    assert count(store) == 0


def test_a_hub_that_is_removed_is_sent_nothing(store: Store) -> None:
    put(store)
    store.submit(lambda conn: removal.remove_hub(conn, NOW, HUB)).result(10)
    assert claim(store, NOW + 60) == []


def test_two_who_set_limits_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        with pytest.raises(NotSetError):
            await vitals.set_limits(counter.desk, HUB, WANTED, "김하늘", 0)
        hear(counter.store, state(), utc=NOW)
        await vitals.set_limits(counter.desk, HUB, WANTED, "김하늘", 0)
        assert [hub for hub, _ in counter.link.orders] == [HUB]
        with pytest.raises(NotSetError) as late:
            await vitals.set_limits(counter.desk, HUB, VitalLimits(), "박바다", 0)
        assert late.value.status == 409

    at_counter(tmp_path, story)


def test_the_rounds_send_what_waits_once_the_link_is_up(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        up, counter.link._state = counter.link._state, LinkState(None, "")
        await vitals.set_limits(counter.desk, HUB, WANTED, "김하늘", None)
        assert counter.link.orders == []
        counter.link._state = up
        walking = asyncio.ensure_future(rounds.order_limits(counter.desk))
        async with asyncio.timeout(30):
            while not counter.link.orders:  # noqa: ASYNC110 - another task sends
                await asyncio.sleep(0.01)
        walking.cancel()

    at_counter(tmp_path, story)


def test_a_retained_state_says_nothing_of_limits(store: Store) -> None:
    kept = put(store)
    claim(store, NOW)
    hear(store, Reply(kept.command, done=True), utc=NOW + 1)
    old = received(replace(state(), limits=None), utc=NOW + 5, retained=True)
    store.submit(lambda conn: store_message(conn, old)).result(10)
    assert store.read(limits.find, HUB).fate is Fate.AT_HUB


def test_the_defaults_that_the_form_shows_are_the_hubs_own() -> None:
    hubs, shown = VitalRules(), msgspec.structs.asdict(DEFAULTS)
    assert shown.pop("since_utc") == 0.0, "nobody types it"
    numbers = {name: value for name, value in shown.items() if not isinstance(value, bool)}
    assert numbers == {name: getattr(hubs, name) or None for name in numbers}


def test_what_a_real_hub_tells_of_a_band_and_a_cuff_is_drawn_where_it_was(store: Store) -> None:
    write(store)
    home = Worn()
    began = EIGHT + home.at
    home.beat(72.0, 160 * MINUTE, rr=True)
    home.measure(CUFF, {"systolic_mmhg": 131.0, "diastolic_mmhg": 78.0})
    ended = EIGHT + home.at
    home.wait(20 * MINUTE)
    for said in home.vitals:
        hear(store, said, utc=EIGHT + home.at)
    shown = window(SPANS["1"], EIGHT + home.at)
    found = pictures.by_kind(store.read(rows.points, HUB, shown))
    first, last = (int((utc - shown.start_utc) // shown.slot_s) for utc in (began, ended))
    assert pictures.runs(found[PULSE]) == [found[PULSE]]  # without a gap
    assert (found[PULSE][0].slot, found[PULSE][-1].slot) == (first, last)
    assert all(abs(one.value - 72.0) < 2.0 for one in found[PULSE])
    (cuff,) = found[VitalKind.SYSTOLIC]
    assert (cuff.slot, cuff.value) == (last, 131.0)
    held = {one.kind: one for one in store.read(rows.latest, HUB, EIGHT + home.at)}
    assert held[PULSE].from_utc is not None
    assert held[VitalKind.SYSTOLIC].from_utc is None
    assert store.read(rows.whys, HUB, STRESS, 0.0)  # nothing is usual yet


def test_intervals_that_move_by_seconds_leave_no_slot_empty(store: Store) -> None:
    write(store)
    moving_s = 905.0  # each begins with the next reading after the last one's end
    edge = DAY.start_utc + 800.0  # soon one of them begins just after a slot of its own length
    while edge + moving_s < DAY.end_utc:
        edge += moving_s
        entry = Vital(PULSE, edge, "band", 70.0, n=180)
        hear(store, Vitals(edge - 900.0, edge, synced=True, entries=(entry,)))
    found = pictures.by_kind(store.read(rows.points, HUB, DAY))[PULSE]
    assert pictures.gaps(found, DAY.slots - 1) == []
