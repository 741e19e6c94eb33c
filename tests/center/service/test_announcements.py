"""An announcement's way to its homes: ordered, with a rising counter, until the hub has it."""

import asyncio
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from center.domain.announcement import (
    REFUSALS_MAX,
    Announcement,
    Delivery,
    Draft,
    Fate,
    Whom,
    Why,
    digest,
    flaw,
    plain,
    replied,
    sent,
    told,
)
from center.domain.incident import Deed, Entry
from center.link.reconnect import LinkState
from center.service import announcements, rounds
from center.service.feed import Topic, Update
from center.store.rows import announcements as rows
from center.store.rows import audit, commands, deliveries, records
from center.store.rows.announcements import NotSent
from center.store.store import Store
from center.store.tables import events
from hub.contract.messages import AnnouncementOutcome, Command, CommandKind, Reply
from hub.contract.wire import Reason, decode_from_hub
from hub.core.decide import decide, recover
from hub.core.model.effects import Effect, Publish, Say
from hub.core.model.events import CommandReceived, Spoke, Started
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from tests.center.counter import Counter, at_counter
from tests.center.lives import RECORD, word
from tests.center.making import HUB, NOW, forget, hear, state, stored
from tests.center.service.test_rounds import holds

TEXT = "오늘 5시까지 폭염 특보입니다. 물을 자주 드세요."
DRAFT = Draft(TEXT, until_utc=NOW + 3600, key="form-1")
OTHER = "js-0002"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        hear(opened, state(), utc=NOW)
        hear(opened, state(), hub=OTHER, utc=NOW)
        yield opened


def send(store: Store, draft: Draft = DRAFT, utc: float = NOW) -> Announcement:
    made = store.submit(lambda conn: rows.put(conn, draft, "김하늘", utc)).result(10)
    assert isinstance(made, Announcement)
    return made


def refused(store: Store, draft: Draft, utc: float = NOW) -> NotSent:
    done = store.submit(lambda conn: rows.put(conn, draft, "김하늘", utc)).result(10)
    assert isinstance(done, NotSent)
    return done


def claim(store: Store, utc: float) -> list[tuple[str, Command]]:
    return store.submit(lambda conn: deliveries.claim(conn, utc)).result(10)[0]


def delivery(store: Store, ident: str, hub: str = HUB) -> Delivery:
    found = store.read(deliveries.of, ident, hub)
    assert found
    return found


def test_each_home_is_ordered_once_and_again_until_its_hub_replies(store: Store) -> None:
    made = send(store)
    first = claim(store, NOW)
    assert [(hub, order.id, order.kind, order.text) for hub, order in first] == [
        (hub, made.id, CommandKind.ANNOUNCE, TEXT) for hub in (HUB, OTHER)
    ]
    assert claim(store, NOW + 14) == []
    hear(store, Reply(made.id, done=True), utc=NOW + 14)
    ((hub, again),) = claim(store, NOW + 15)
    assert (hub, again.id) == (OTHER, made.id)
    assert again.counter > first[1][1].counter
    assert [d.fate for d in store.read(deliveries.of_announcement, made.id)] == [
        Fate.TAKEN,
        Fate.WAITING,
    ]


def test_a_command_is_young_enough_for_the_hub_to_obey(store: Store) -> None:
    made = send(store, replace(DRAFT, urgent=True))
    for utc in (NOW, NOW + 1000):
        for _, order in claim(store, utc):
            assert 100 < order.expires_utc - utc < 300
            assert (order.urgent, order.until_utc) == (True, made.until_utc)


@pytest.mark.parametrize("error_s", [-145.0, 0.0, 145.0])
def test_a_real_hub_whose_clock_errs_a_little_says_it_once_however_often_it_is_ordered(
    store: Store, error_s: float
) -> None:
    made = send(store, replace(DRAFT, whom=Whom.HOME, hubs=(HUB,), urgent=True))  # it is night
    rules, said = Rules(hub=HUB), list[Effect]()
    started = Started(0.0, NOW + error_s, synced=True, boot="b1")
    hub, _ = decide(recover(HomeState(), started, []), started, rules)
    for at in (0.0, 15.0, 45.0):  # its replies are lost
        ((_, command),) = claim(store, NOW + at)
        received = CommandReceived(at, NOW + at + error_s, command)
        hub, effects = decide(hub, received, rules)
        said += effects
        hub, effects = decide(hub, Spoke(at + 9.0, made.id, done=True), rules)
        said += effects
    assert [one.text for one in said if isinstance(one, Say)] == [TEXT]
    published = [one for one in said if isinstance(one, Publish)]
    told = [decode_from_hub(one.topic, one.payload)[1] for one in published]
    assert [one for one in told if isinstance(one, Reply)] == [Reply(made.id, done=True)] * 3
    for one in told:
        hear(store, one, utc=NOW + 60)
    assert delivery(store, made.id).fate is Fate.SPOKEN


def test_the_tries_get_rarer_but_do_not_end(store: Store) -> None:
    made, utc, pauses = send(store), NOW, []
    for _ in range(7):
        assert claim(store, utc)
        due_utc = delivery(store, made.id).due_utc
        pauses.append(due_utc - utc)
        utc = due_utc
    assert pauses == [15, 30, 60, 120, 120, 120, 120]


def test_a_hub_that_comes_back_is_ordered_at_once(store: Store) -> None:
    made = send(store)
    for utc in (NOW, NOW + 15, NOW + 45, NOW + 105):
        claim(store, utc)
    hear(store, state(), utc=NOW + 120)
    assert [hub for hub, _ in claim(store, NOW + 120)] == [HUB]
    hear(store, state(), utc=NOW + 125)
    assert claim(store, NOW + 125) == []
    assert delivery(store, made.id).tries == 5


def test_what_was_not_taken_in_time_is_out_of_date(store: Store) -> None:
    made = send(store)
    claim(store, NOW + 3500)
    assert delivery(store, made.id).due_utc == made.until_utc - 85
    assert claim(store, made.until_utc) == []
    late = delivery(store, made.id)
    assert (late.fate, late.over_utc) == (Fate.EXPIRED, made.until_utc)
    hear(store, Reply(made.id, done=True), utc=made.until_utc + 1)
    assert delivery(store, made.id).fate is Fate.TAKEN


@pytest.mark.parametrize("outcome", AnnouncementOutcome)
def test_the_hubs_own_word_is_the_last(store: Store, outcome: AnnouncementOutcome) -> None:
    made = send(store)
    claim(store, NOW)
    said = hear(store, word(made.id, outcome, at=NOW + 30), utc=NOW + 31)
    assert [ack.stage for ack in said.acks] == ["received"]
    assert said.updates == (Update(Topic.ANNOUNCEMENT, HUB),)
    one = delivery(store, made.id)
    assert (one.fate, one.over_utc, one.taken_utc) == (outcome.value, NOW + 30, NOW + 31)
    hear(store, Reply(made.id, done=False, reason=Reason.EXPIRED), utc=NOW + 32)
    hear(store, Reply(made.id, done=True), utc=NOW + 33)
    assert delivery(store, made.id) == one
    assert HUB not in {hub for hub, _ in claim(store, NOW + 600)}
    assert delivery(store, made.id) == one


def test_a_hubs_clock_that_cannot_be_is_not_believed(store: Store) -> None:
    made = send(store)
    for at, synced in ((NOW + 9000, True), (1000.0, True), (NOW + 30, False)):
        hear(store, word(made.id, at=at, synced=synced), utc=NOW + 50)
        assert delivery(store, made.id).over_utc == NOW + 50


def test_a_command_that_was_held_back_is_no_verdict(store: Store) -> None:
    made = send(store)
    for number in range(REFUSALS_MAX):
        one = delivery(store, made.id)
        assert (one.fate, one.refusals) == (Fate.WAITING, number)
        hear(store, Reply(made.id, done=False, reason=Reason.EXPIRED), utc=NOW + number)
    assert delivery(store, made.id).fate is Fate.REFUSED
    hear(store, Reply(made.id, done=True), utc=NOW + 60)
    assert delivery(store, made.id).fate is Fate.TAKEN


def test_a_refusal_for_good_is_one(store: Store) -> None:
    made = send(store)
    hear(store, Reply(made.id, done=False, reason="not here"), utc=NOW)
    one = delivery(store, made.id)
    assert (one.fate, one.reason) == (Fate.REFUSED, "not here")
    assert [hub for hub, _ in claim(store, NOW)] == [OTHER]


def test_a_word_on_nothing_that_was_announced_is_answered_and_changes_nothing(store: Store) -> None:
    send(store)
    said = hear(store, word("elsewhere"), utc=NOW)
    assert (len(said.acks), said.updates) == (1, ())
    assert hear(store, Reply("elsewhere", done=True)).updates == (Update(Topic.HUB, HUB),)


def test_one_form_is_sent_once(store: Store) -> None:
    assert send(store) == send(store, utc=NOW + 5)
    assert len(claim(store, NOW + 5)) == 2
    deeds = [line.entry for line in store.read(audit.search)]
    assert [(one.deed, one.by, one.text.split()[1]) for one in deeds] == [
        (Deed.ANNOUNCED, "김하늘", "2")
    ]
    assert TEXT not in deeds[0].text


def test_the_same_words_a_moment_later_are_a_mistake_unless_confirmed(store: Store) -> None:
    send(store)
    twice = replace(DRAFT, key="form-2")
    assert refused(store, twice, NOW + 599).why is Why.TWICE
    send(store, replace(twice, again=True), NOW + 599)
    send(store, replace(twice, key="form-3", text=f"{TEXT} 그리고"), NOW + 599)
    send(store, replace(twice, key="form-4"), NOW + 1300)


def test_an_announcement_goes_to_some_homes_by_address_name_or_number(store: Store) -> None:
    change = Entry(NOW, Deed.RECORD_CHANGED, version=0)
    store.submit(lambda conn: records.put(conn, HUB, RECORD, change)).result(10)
    for letters, homes in (
        ("물결길", (HUB,)), (RECORD.name, (HUB,)), ("JS-00", (HUB, OTHER)), ("0002", (OTHER,)),
        (unicodedata.normalize("NFD", "물결길"), (HUB,)), ("없는 길", ()), ("", ()),
    ):  # fmt: skip
        draft = replace(DRAFT, whom=Whom.PLACE, place=letters)
        assert store.read(rows.homes, draft) == homes, letters
    assert refused(store, replace(DRAFT, whom=Whom.PLACE)).why is Why.NO_HOMES
    one = send(store, replace(DRAFT, whom=Whom.HOME, hubs=(OTHER, "js-0099")))
    assert [hub for hub, _ in claim(store, NOW)] == [OTHER]
    (line,) = [e.entry for e in store.read(audit.search) if e.entry.deed is Deed.ANNOUNCED]
    assert (line.hub, line.text) == (OTHER, f"{one.id} 1")


def test_other_homes_than_were_shown_are_not_spoken_to(store: Store) -> None:
    seen = digest(hubs=(HUB, OTHER))
    hear(store, state(), hub="js-0003")
    assert refused(store, replace(DRAFT, seen=seen)).why is Why.CHANGED


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"text": ""}, Why.EMPTY),
        ({"text": "가" * 301}, Why.TOO_LONG),
        ({"text": "오늘 ○○까지"}, Why.BLANK),
        ({"until_utc": None}, Why.NO_TIME),
        ({"until_utc": NOW + 59}, Why.TOO_SOON),
        ({"until_utc": float("-inf")}, Why.TOO_SOON),
        ({"until_utc": NOW + 15 * 86_400}, Why.TOO_LATE),
        ({"key": ""}, Why.NO_KEY),
    ],
)
def test_a_draft_with_a_mistake_is_not_sent(
    store: Store, fields: dict[str, object], why: Why
) -> None:
    assert refused(store, replace(DRAFT, **fields)).why is why
    assert not store.read(rows.newest, 9)


def test_what_is_typed_becomes_one_plain_line() -> None:
    assert plain("  오늘\r\n 은\x00\t덥습니다\u2028 ") == "오늘 은 덥습니다"
    assert plain("\u1112\u1161\u11ab") == "한"
    assert flaw(replace(DRAFT, text="가" * 300), NOW) is None


def test_it_is_taken_back_from_those_who_do_not_have_it_yet(store: Store) -> None:
    made = send(store)
    claim(store, NOW)
    hear(store, Reply(made.id, done=True), utc=NOW)
    withdraw = deliveries.withdraw
    for _ in range(2):
        store.submit(lambda conn: withdraw(conn, made.id, "박바다", NOW + 5)).result(10)
    assert claim(store, NOW + 60) == []
    assert [delivery(store, made.id, hub).fate for hub in (HUB, OTHER)] == [
        Fate.TAKEN,
        Fate.WITHDRAWN,
    ]
    deeds = [(line.entry.deed, line.entry.by) for line in store.read(audit.search)]
    assert deeds == [(Deed.WITHDRAWN, "박바다"), (Deed.ANNOUNCED, "김하늘")]
    hear(store, word(made.id, hub=OTHER), hub=OTHER, utc=NOW + 70)  # its hub had it after all
    assert delivery(store, made.id, OTHER).fate is Fate.SPOKEN
    missing = store.submit(lambda conn: withdraw(conn, "a-0", "박바다", NOW)).result(10)
    assert missing is Why.NOT_FOUND


def test_counters_rise_whatever_the_clock_does_and_outlive_the_process(tmp_path: Path) -> None:
    seen: list[int] = []
    for utc in (NOW, NOW, NOW - 86_400, NOW + 1, NOW + 1):
        with stored(tmp_path) as store:
            job = partial(commands.next_counter, hub=HUB, utc=utc)
            seen.append(store.submit(job).result(10))
    assert seen == sorted(set(seen))
    assert max(seen) < 2**53


def test_two_centres_on_one_database_order_each_home_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'center.db'}"
    with closing(Store(url)) as one, closing(Store(url)) as two:
        for number in range(120):
            hear(one, state(), hub=f"js-{number:04}")
        for number in range(3):
            send(one, replace(DRAFT, key=f"form-{number}", text=f"{number}"))
        with ThreadPoolExecutor(4) as pool:
            claims = [pool.submit(claim, store, NOW) for store in (one, two) * 10]
            orders = [order for claimed in claims for order in claimed.result()]
        counters = [(hub, command.counter) for hub, command in orders]
        assert len(set(counters)) == len(orders) == 360
        assert len({(hub, command.id) for hub, command in orders}) == 360


def test_a_batch_leaves_room_for_the_answers_to_calls(store: Store) -> None:
    for number in range(3, 250):
        hear(store, state(), hub=f"js-{number:04}")
    send(store)
    claims = [len(claim(store, NOW)) for _ in range(11)]
    assert claims == [25] * 9 + [24, 0]


def test_the_round_orders_what_is_due_and_waits_for_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ORDERS_S", 0.01)

    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        standing, counter.link._state = counter.link.state(), LinkState(None)
        made = send(counter.store)
        await announcements.order_due(counter.desk)
        assert counter.link.orders == []
        assert delivery(counter.store, made.id).tries == 0
        counter.link._state = standing
        walking = asyncio.ensure_future(rounds.order_announcements(counter.desk))
        await holds(lambda: len(counter.link.orders) == 1)
        counter.now = NOW + 15
        await holds(lambda: len(counter.link.orders) == 2)
        walking.cancel()
        ids = {command.id for _, command in counter.link.orders}
        counts = [command.counter for _, command in counter.link.orders]
        assert (ids, counts[0] < counts[1]) == ({made.id}, True)

    at_counter(tmp_path, story)


def test_what_was_announced_is_forgotten_with_the_days(store: Store) -> None:
    made = send(store)
    hear(store, word(made.id), utc=NOW + 60)
    forget(store, NOW + 61)
    assert store.read(rows.newest, 9) == []
    assert store.read(deliveries.of, made.id, HUB) is None
    assert store.read(lambda conn: conn.execute(events.select()).all()) == []


REPLIES = st.builds(Reply, id=st.just("a"), done=st.booleans(), reason=st.sampled_from(
    ["", Reason.EXPIRED, Reason.REPLAYED, "no"]))  # fmt: skip


@given(st.lists(REPLIES | st.sampled_from(AnnouncementOutcome) | st.none(), max_size=20))
def test_whatever_is_said_what_was_spoken_stays_spoken(
    said: list[Reply | AnnouncementOutcome | None],
) -> None:
    one, spoken = Delivery("a", HUB, Fate.WAITING, NOW), False
    for number, each in enumerate(said):
        match each:
            case Reply():
                one = replied(one, each, NOW + number) or one
            case AnnouncementOutcome():
                one = told(one, each, NOW + number, NOW + number)
            case None:
                one = sent(one, NOW + number, NOW + 9000)
        spoken = spoken or each is AnnouncementOutcome.SPOKEN
        assert not spoken or one.fate is Fate.SPOKEN
