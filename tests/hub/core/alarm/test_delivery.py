"""An undelivered message is sent again, without end, until the centre has stored it."""

from msgspec.structs import replace

from hub.contract.messages import Stage
from hub.contract.scaip import Kind, What
from hub.contract.wire import LinkTrouble
from hub.core.alarm import delivery
from hub.core.decide import next_wake, recover
from hub.core.model.effects import Effect, Forget, Publish, Resend
from hub.core.model.events import CenterBorn, Event, LinkDown, LinkUp, Started, Ticked
from hub.core.model.state import Cancelled, HomeState, Received
from tests.hub.core.scenes import (
    FIRST,
    GREEN,
    RULES,
    acked,
    alarm,
    called,
    calls,
    closed,
    offline,
    press,
    read,
    received,
    started,
    story,
    tell,
)

DOWN = LinkDown(11.0, LinkTrouble.CLOSED)


def resends(effects: list[Effect]) -> list[str]:
    return [e.id for e in effects if isinstance(e, Resend)]


def resend_times(state: HomeState, count: int) -> list[float]:
    """Decide each deadline in time; return when something was sent again."""
    times = list[float]()
    for _ in range(100 * count):
        wake = next_wake(state, RULES)
        assert wake is not None
        state, effects = story(state, Ticked(wake))
        times += [wake] * len(resends(effects))
        if len(times) == count:
            break
    return times


def test_24_times_after_5_s_16_times_after_30_s_then_every_10_minutes() -> None:
    times = resend_times(called(at=9.98), 60)
    waits = [round(b - a, 3) for a, b in zip([10.0, *times], times, strict=False)]
    assert waits == [5.0] * 24 + [30.0] * 16 + [600.0] * 20


def test_nothing_is_sent_again_while_there_is_no_link() -> None:
    state = tell(called(), DOWN)
    for at in (16.0, 100.0, 1e5):
        assert not resends(story(state, Ticked(at))[1])
    assert not resends(story(tell(offline(), *press(5.0)), Ticked(99.0))[1])


def test_the_link_brings_all_at_once_in_order() -> None:
    state = tell(called(), DOWN, *press(20.0))
    effects = story(state, LinkUp(30.0, "broker"))[1]
    assert effects[:2] == [Resend(FIRST), Resend("b1-2")]


def test_a_centre_that_starts_hears_all_at_once() -> None:
    state, effects = story(called(), CenterBorn(11.0))
    assert resends(effects) == [FIRST]
    assert [o.due_at for o in state.owed] == [16.0]


def test_a_reconnect_does_not_begin_the_schedule_anew() -> None:
    state = called()
    late = replace(state, owed=tuple(replace(o, tries=40) for o in state.owed))
    state = tell(late, DOWN, LinkUp(20.0, "broker"))
    assert resend_times(state, 3) == [25.0, 625.0, 1225.0]


def test_what_is_stored_is_never_sent_again() -> None:
    state, effects = story(called(), received())
    assert Forget(FIRST) in effects
    assert not resends(story(state, Ticked(1e5), CenterBorn(1e5), LinkUp(1e5, "broker"))[1])


def test_only_what_is_due_is_sent_again() -> None:
    state, effects = story(tell(called(), *press(13.0)), Ticked(15.02))
    assert resends(effects) == [FIRST]
    assert resends(story(state, Ticked(18.02))[1]) == ["b1-2"]
    assert resends(story(state, Ticked(20.02))[1]) == [FIRST, "b1-2"]


def test_a_deadline_that_is_served_late_is_served_once() -> None:
    assert resends(story(called(), Ticked(500.0))[1]) == [FIRST]


def test_a_restored_state_is_sent_as_soon_as_there_is_a_link() -> None:
    events: list[Event] = [Ticked(5000.0), LinkUp(5000.1, "broker")]
    state = recover(called(), Started(4999.0, 0.0, synced=False, boot="b2"), [])
    effects = story(state, *events)[1]
    assert resends(effects) == [FIRST]
    assert not [e for e in effects if isinstance(e, Publish) and e.id == FIRST]


def undelivered() -> HomeState:
    """A home whose alarm the centre has stored, but not yet the resident's second call."""
    state = tell(called(), received(), *press(40.0))
    assert [o.id for o in state.owed] == ["b1-2"]
    return state


def begun(state: HomeState) -> tuple[HomeState, list[Effect]]:
    """Begin a new process with a state."""
    event = started(5.0, "b2")
    return story(recover(state, event, ()), event, LinkUp(6.0, "broker"), Ticked(6.1))


def test_a_call_whose_bytes_are_lost_is_told_anew_and_holds_its_alarm_no_longer() -> None:
    state, effects = begun(delivery.reconciled(undelivered(), (), ()))
    (call,) = calls(effects)
    assert read(call).data.what is What.REPEATED
    assert [o.id for o in state.owed] == [call.id] != ["b1-2"]
    assert tell(state, closed(7.0)).alarms  # not before the centre knows of it
    state = tell(state, acked(8.0, Stage.RECEIVED, 4, call.id), closed(9.0, 5))
    assert not state.alarms


def test_what_is_held_stays_owed() -> None:
    assert delivery.reconciled(undelivered(), ["b1-2"], ()) == undelivered()
    assert delivery.reconciled(called(), (), ()) == called()  # the centre will ask for it


def test_what_was_settled_while_the_disk_was_unread_is_not_owed_any_more() -> None:
    state, effects = begun(delivery.reconciled(undelivered(), (), ["b1-2"]))
    assert not calls(effects)
    assert not state.owed
    assert not tell(state, closed(7.0)).alarms
    heard = delivery.reconciled(called(), (), [FIRST])
    assert (heard.owed, alarm(heard).life) == ((), Received())


def test_a_lost_call_that_was_taken_back_or_that_no_hand_made_is_not_told_anew() -> None:
    state = tell(called(), *press(12.0), *press(13.0, GREEN))
    taken_back = delivery.reconciled(state, ["b1-3"], ())
    assert isinstance(alarm(taken_back).life, Cancelled)
    assert [o.id for o in taken_back.owed] == [FIRST, "b1-3"]
    assert not calls(begun(taken_back)[1])
    nobody = replace(alarm(undelivered()), kind=Kind.QUIET, calls=())
    assert not calls(
        begun(delivery.reconciled(replace(undelivered(), alarms=(nobody,)), (), ()))[1]
    )
