"""Tasks: one person takes each, checked by version; a second person learns who was first."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from center.domain.incident import Deed
from center.domain.need import Called, Need, NeedKind, NotHandled, Try, WhyNot, handle, said_again
from center.store.rows import audit, needs
from center.store.rows.needs import Task
from center.store.store import Store
from hub.contract.messages import CheckInResult
from tests.center.lives import care, check_in
from tests.center.making import HUB, NAMES, NOW, hear, stored

NEED = Need("n-1", HUB, NeedKind.UNWELL, 1, NOW, NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def tried(result: Called | None = Called.REACHED, version: int | None = 1, note: str = "") -> Try:
    return Try("김하늘", NOW + 60, result, note, version)


def test_a_call_that_nobody_answers_leaves_the_task_open() -> None:
    once = handle(NEED, tried(Called.NOT_REACHED))
    assert isinstance(once, Need)
    assert (once.is_open, once.tries, once.version, once.called_by) == (True, 1, 2, "김하늘")
    then = handle(once, tried(Called.VISIT_ARRANGED, 2))
    assert isinstance(then, Need)
    assert (then.is_open, then.tries, then.done_utc) == (False, 1, NOW + 60)


@pytest.mark.parametrize(
    ("tries", "why"),
    [
        ((tried(Called.NOT_REACHED), tried()), WhyNot.STALE),
        ((tried(), tried(version=2)), WhyNot.IS_DONE),
        ((tried(None),), WhyNot.NO_RESULT),
        ((tried(note="가" * 2001),), WhyNot.NOTE_TOO_LONG),
    ],
)
def test_who_comes_too_late_or_says_too_little_is_told(tries: tuple[Try, ...], why: WhyNot) -> None:
    need = NEED
    for one in tries:
        decided = handle(need, one)
        if isinstance(decided, Need):
            need = decided
    assert decided == NotHandled(why, need)


@given(st.lists(st.tuples(st.sampled_from([*Called, None, "again"]), st.integers(-1, 1))))
def test_only_a_person_ends_a_task(steps: list[tuple[Called | str | None, int]]) -> None:
    need = NEED
    for number, (step, stale_by) in enumerate(steps):
        before = need
        if step == "again":
            need = said_again(need, NOW + number, number)
            assert (need.version, need.is_open) == (before.version, before.is_open)
            continue
        result = step if isinstance(step, Called) else None
        decided = handle(need, Try("박바다", NOW + number, result, "", need.version + stale_by))
        if isinstance(decided, Need):
            assert before.is_open
            assert stale_by == 0
            assert decided.version == before.version + 1
            need = decided


def test_two_at_once_and_the_second_learns_who_was_first(store: Store) -> None:
    hear(store, care())
    (task,) = store.read(needs.still_open)
    ident = task.need.id
    tries = [Try(who, NOW + 60, Called.REACHED, "다녀감") for who in NAMES]
    answers = [store.submit(partial(needs.call, looked={ident: 1}, tried=one)) for one in tries]
    first, second = (answer.result(10) for answer in answers)
    assert isinstance(first, tuple)
    assert isinstance(second, NotHandled)
    assert second.need
    assert (second.why, second.need.called_by) == (WhyNot.IS_DONE, NAMES[0])
    (done,) = store.read(needs.done_since, NOW)
    assert [note.by for note in done.notes] == [NAMES[0]]


def test_a_call_about_several_tasks_is_noted_whole_or_not_at_all(store: Store) -> None:
    hear(store, check_in(CheckInResult.MISSED))
    hear(store, care())
    ids = [task.need.id for task in store.read(needs.still_open)]
    stale = dict(zip(ids, (1, 7), strict=True))
    refused = store.submit(lambda conn: needs.call(conn, stale, tried())).result(10)
    assert isinstance(refused, NotHandled)
    assert refused.why is WhyNot.STALE
    assert len(store.read(needs.still_open)) == 2
    fresh = dict.fromkeys(ids, 1)
    noted = store.submit(lambda conn: needs.call(conn, fresh, tried())).result(10)
    assert isinstance(noted, tuple)
    assert store.read(needs.still_open) == []
    nothing = store.submit(lambda conn: needs.call(conn, {}, tried())).result(10)
    assert nothing == NotHandled(WhyNot.NOTHING_CHOSEN)
    unknown = store.submit(lambda conn: needs.call(conn, {"n-x": 1}, tried())).result(10)
    assert unknown == NotHandled(WhyNot.NOT_FOUND)


def test_the_audit_says_who_called_but_not_what_was_said(store: Store) -> None:
    hear(store, care())
    (task,) = store.read(needs.still_open)
    said = tried(note="잠을 잘 못 주무신다고 함")
    noted = store.submit(lambda conn: needs.call(conn, {task.need.id: 1}, said)).result(10)
    assert isinstance(noted, tuple)
    assert [one.text for one in noted[0].notes] == ["잠을 잘 못 주무신다고 함"]
    (line,) = store.read(audit.search)
    assert (line.entry.deed, line.entry.by, line.entry.hub) == (Deed.CALLED, "김하늘", HUB)
    assert line.entry.text == "counselling reached"


def test_a_need_that_comes_after_the_last_was_dealt_with_is_a_new_task(store: Store) -> None:
    hear(store, care(), utc=NOW)
    (task,) = store.read(needs.still_open)
    store.submit(lambda conn: needs.call(conn, {task.need.id: 1}, tried())).result(10)
    hear(store, care(), utc=NOW + 9000)
    (again,) = store.read(needs.still_open)
    assert isinstance(again, Task)
    assert (again.need.id != task.need.id, again.need.version) == (True, 1)
