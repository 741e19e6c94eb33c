"""A pendant's press is as safe as the button's: each calls once, and none is lost or made up."""

import msgspec
import pytest
from msgspec.structs import replace

from hub.contract.messages import COUNTER_RESTARTED, Evidence, HubState, Stage
from hub.contract.radio import How, Sensed
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.contract.wire import LinkTrouble, decode_from_hub
from hub.core import late
from hub.core.decide import decide, must_commit, next_wake, recover
from hub.core.model.effects import Publish, Say, Show, Signal, Took
from hub.core.model.events import (
    CenterAcked,
    DevicesChanged,
    Heartbeat,
    LinkDown,
    Started,
    Ticked,
    WirelessPressed,
)
from hub.core.model.rules import Rules
from hub.core.model.state import Candidate, Caution, HomeState, Present
from hub.core.supervision.snapshot import decode
from tests.hub.core.scenes import UTC, alarm, press
from tests.hub.core.wireless_scenes import (
    DAY_S,
    HALL,
    PENDANT,
    RULES,
    WRISTLET,
    Fault,
    Over,
    Told,
    found,
    home,
    pressed,
    told,
    took,
)
from tests.playbook import playbook

CALL, AGAIN = Told("raised", "pendant", PENDANT), Told("repeated", "pendant", PENDANT)
REPLAYED = Fault("replayed", PENDANT)


def lived(*events: object, state: HomeState | None = None, rules: Rules = RULES) -> HomeState:
    known = home(rules) if state is None else state
    for event in events:
        known, _ = decide(known, event, rules)  # type: ignore[arg-type]
    return known


def restarted(state: HomeState, at: float, boot: str = "b2") -> HomeState:
    """The hub ends and starts again, from what is on its disk."""
    kept = decode(msgspec.msgpack.encode(state))
    assert not kept.lost
    event = Started(at, UTC + at, synced=True, boot=boot)
    known = recover(kept.state, event, [owed.id for owed in state.owed])
    return lived(event, state=known)


def test_one_press_is_one_call_however_often_its_frame_is_heard() -> None:
    assert (
        playbook(home(), RULES, told)
        >> pressed(10.0, 500)
        << [CALL, took(500)]
        >> pressed(10.1, 500, name="p500")
        << [took(500)]
        >> pressed(10.4, 500, name="other")  # the radio was started anew, and names it anew
        << [Took("other")]
        >> pressed(42.0, 500, name="shadow")  # BlueZ tells it once more, 25 to 40 s late
        << [Took("shadow")]
    )


def test_the_resident_sees_and_hears_what_the_button_makes_them_see_and_hear() -> None:
    assert (
        playbook(home(), RULES)
        >> pressed(10.0, 500)
        << [Publish, Took, Show(Signal.RAISED), Say(Phrase.RAISED)]
    )


@pytest.mark.parametrize("how", How)
def test_every_way_of_pressing_a_help_pendant_calls(how: How) -> None:
    assert playbook(home(), RULES, told) >> pressed(10.0, 500, how=how) << [CALL, took(500)]


def test_a_second_press_calls_again_under_the_same_alarm() -> None:
    state = lived(pressed(10.0, 500), pressed(14.0, 501))
    assert len(state.alarms) == 1
    assert playbook(state, RULES, told) >> pressed(30.0, 502) << [AGAIN, took(502)]


def test_a_press_is_told_as_part_of_the_call_that_the_wired_button_made() -> None:
    state = lived(*press(5.0))
    assert playbook(state, RULES, told) >> pressed(30.0, 500) << [AGAIN, took(500)]


def test_a_press_is_on_the_disk_before_the_radio_may_forget_it() -> None:
    before = home()
    after, effects = decide(before, pressed(10.0, 500), RULES)
    assert must_commit(before, after, effects)
    green, effects = decide(before, pressed(10.0, 7, device=WRISTLET), RULES)
    assert must_commit(before, green, effects), "it would take back a later call"
    again, effects = decide(after, pressed(11.0, 500), RULES)
    assert not must_commit(after, again, effects), "a burst does not wear the disk"


def test_a_restart_between_two_frames_of_a_press_calls_once() -> None:
    state = restarted(lived(pressed(10.0, 500)), 20.0)
    assert playbook(state, RULES, told) >> pressed(21.0, 500, name="q") << [Took("q")]
    assert playbook(state, RULES, told) >> pressed(21.0, 501) << [AGAIN, took(501)]


def test_after_a_power_cut_a_frame_is_as_old_as_the_wall_clock_says() -> None:
    state = lived(pressed(5_000.0, 500))
    kept = decode(msgspec.msgpack.encode(state))
    began = Started(3.0, UTC + 5_100.0, synced=True, boot="b2")  # monotonic time begins anew
    state = lived(began, state=recover(kept.state, began, []))
    assert playbook(state, RULES, told) >> pressed(4.0, 500, name="q") << [Took("q")]


def test_what_the_hub_did_not_take_in_before_it_died_is_told_again_and_calls() -> None:
    state = restarted(home(), 20.0)  # the press came while it started: nothing was committed
    assert playbook(state, RULES, told) >> pressed(15.0, 500) << [CALL, took(500)]


def test_a_new_battery_calls_and_says_so() -> None:
    state = lived(pressed(10.0, 900_000))
    anew = Told("repeated", "pendant", PENDANT, COUNTER_RESTARTED)
    assert playbook(state, RULES, told) >> pressed(5_000.0, 1) << [anew, took(1)]
    first = Told("raised", "pendant", PENDANT, COUNTER_RESTARTED)
    closed = CenterAcked(40.0, "", state.alarms[0].id, Stage.CLOSED, 9)
    state = lived(CenterAcked(11.0, state.alarms[0].id, state.alarms[0].id, Stage.RECEIVED, 1),
                  closed, state=state)  # fmt: skip
    assert not state.alarms
    assert playbook(state, RULES, told) >> pressed(5_000.0, 1) << [first, took(1)]


def test_an_old_frame_is_refused_and_counted_and_told_to_the_centre() -> None:
    state = lived(pressed(10.0, 900_000), pressed(20.0, 900_001), pressed(30.0, 900_002))
    state, effects = decide(state, pressed(1_000.0, 900_000, name="r"), RULES)
    assert [e for one in effects if (e := told(one))] == [REPLAYED, Took("r")]
    assert state.wireless.counts == {"replay": 1}
    again = pressed(1_500.0, 900_000, name="s")
    assert playbook(state, RULES, told) >> again << [Took("s")], "it is told once"


def test_the_fault_of_a_replay_ends_a_day_after_the_last_one() -> None:
    state = lived(pressed(10.0, 900_000), pressed(30.0, 900_002), pressed(1_000.0, 900_000))
    story = playbook(state, replace(RULES, sensors={}), told)
    assert (next_wake(state, RULES) or 0.0) <= 1_000.0 + DAY_S
    assert story >> Ticked(DAY_S) << [] >> Ticked(1_000.0 + DAY_S) << [Over("pendant:replayed")]
    assert not story.state.wireless.refused


def test_what_bluez_still_holds_is_a_repeat_and_no_attack() -> None:
    state = lived(pressed(10.0, 900_000), pressed(30.0, 900_001))
    state, effects = decide(state, pressed(50_000.0, 900_001, name="s"), RULES)
    assert [e for one in effects if (e := told(one))] == [Took("s")]
    assert state.wireless.counts == {}


def test_a_plain_frame_in_the_name_of_an_encrypted_pendant_is_refused_and_told() -> None:
    state = lived(pressed(10.0, 500))
    plain = WirelessPressed(20.0, PENDANT, "f", How.PRESS, 1, 9, None, "forged")
    fault = Fault("wrong_key", PENDANT, "plain")
    assert playbook(state, RULES, told) >> plain << [fault, Took("f")]


def test_a_refused_frame_is_no_sign_of_life() -> None:
    state = lived(pressed(10.0, 900_000), pressed(30.0, 900_001))
    warned = replace(state, warning=CAUTION)
    for frame in (pressed(1_000.0, 900_000), pressed(31.0, 900_001)):
        assert lived(frame, state=warned).warning is not None
        assert lived(frame, state=state).house.active_at == state.house.active_at


CAUTION = Caution(Kind.QUIET, HALL, Evidence(0, 0, 0, 0), 2_000.0, 1_000.0)


def test_a_press_ends_a_warning_and_a_question_as_the_button_does() -> None:
    state = replace(home(), warning=CAUTION, candidate=Candidate(9.0, 2_000.0))
    after = lived(pressed(1_000.0, 500), state=state)
    assert (after.warning, after.candidate) == (None, None)
    assert after.house.active_by == PENDANT


def test_a_neighbours_pendant_is_nothing() -> None:
    before = home()
    foreign = pressed(10.0, 500, device="neighbour")
    assert playbook(before, RULES, told) >> foreign << []
    assert not lived(foreign, state=before).alarms


def test_a_wired_button_is_not_pressed_over_the_air() -> None:
    assert playbook(home(), RULES, told) >> pressed(10.0, 500, device="help") << []


def test_a_pendant_that_calls_before_the_hub_has_read_the_new_list_is_heard() -> None:
    buttons = {d: b for d, b in RULES.buttons.items() if d != PENDANT}
    without = replace(RULES, buttons=buttons)
    state = lived(pressed(10.0, 500), state=home(without), rules=without)
    story = playbook(replace(state, link=replace(state.link, up=False)), RULES, told)
    assert story >> DevicesChanged(12.0) << [CALL, took(500)]
    assert story >> DevicesChanged(14.0) << []
    late = playbook(replace(state, link=replace(state.link, up=False)), RULES, told)
    assert late >> DevicesChanged(100.0) << [], "a call of somebody who was not listed for long"


def test_the_memory_of_a_home_full_of_devices_is_small() -> None:
    state, rules = home(), RULES
    buttons = {f"p{n}": replace(RULES.buttons[PENDANT], wireless=f"{n}") for n in range(64)}
    rules = replace(RULES, buttons=buttons)
    for turn in range(40):
        for n in range(64):
            frame = WirelessPressed(
                turn * 60.0, f"p{n}", "i", How.PRESS, 1, 255, 4_000_000_000 + turn, "ffffffff"
            )
            state, _ = decide(replace(state, alarms=(), owed=()), frame, rules)
    assert len(state.wireless.presses) == 64
    assert len(msgspec.msgpack.encode(state.wireless)) <= 64 * 1024


def test_a_clock_that_is_set_between_two_hubs_makes_no_second_call() -> None:
    """The radio tells both presses again; the first hub's clock was not to be trusted."""
    wrong = Heartbeat(9.0, UTC + 9.0, synced=False)
    state = lived(wrong, pressed(10.0, 500), pressed(12.0, 501))
    event = Started(20.0, UTC + 20.0 + 2 * DAY_S, synced=True, boot="b9")
    state = lived(event, state=recover(state, event, [owed.id for owed in state.owed]))
    story = playbook(state, RULES, told) >> pressed(10.0, 500, name="a") << [Took("a")]
    assert story >> pressed(12.0, 501, name="b") << [Took("b")]


def test_a_green_pendant_takes_back_in_time() -> None:
    state = lived(pressed(10.0, 500))
    back = Told("cancelled", "pendant", PENDANT)
    story = playbook(state, RULES, told) >> pressed(15.0, 7, device=WRISTLET) << [back, took(7)]
    assert story >> pressed(15.4, 7, device=WRISTLET) << [took(7)], "not the call after it, too"


def test_a_green_press_in_doubt_takes_no_call_back() -> None:
    """A counter that began anew may be a recording: it may call, but it silences nothing."""
    state = lived(pressed(5.0, 900_000, device=WRISTLET), pressed(10.0, 500))
    back = Told("cancelled", "pendant", PENDANT)
    story = playbook(state, RULES, told) >> pressed(12.0, 7, device=WRISTLET) << [took(7)]
    assert story >> pressed(14.0, 8, device=WRISTLET) << [back, took(8)], "the next one is sure"


def test_a_green_press_that_is_told_late_takes_back_nothing_that_began_after_it() -> None:
    """Green, then red; the radio could tell the hub of the green one only after the red one."""
    state = lived(*press(20.0))
    assert alarm(state).raised_at > 15.0
    late = playbook(state, RULES, told) >> pressed(15.0, 7, device=WRISTLET) << [took(7)]
    assert (
        late
        >> pressed(25.0, 8, device=WRISTLET)
        << [
            Told("cancelled", "help_button", "help"),
            took(8),
        ]
    )
    asked = replace(home(), candidate=Candidate(heard_at=20.0, until=35.0))
    assert lived(pressed(15.0, 7, device=WRISTLET), state=asked).candidate is not None
    assert lived(pressed(25.0, 7, device=WRISTLET), state=asked).candidate is None


@pytest.mark.parametrize("began_at", [0.0, 100.0])
def test_what_was_heard_before_a_warning_does_not_end_it_when_it_is_told_late(
    began_at: float,
) -> None:
    """The hub died; what the radio had told it within 45 s it tells again. After a restart it is
    not known any more when the warning began."""
    said_at = -1e6 if began_at else 100.0
    warned = replace(home(), warning=Caution(Kind.QUIET, HALL, None, 400.0, said_at))
    warned = replace(warned, care=replace(warned.care, began_at=began_at))
    for before in (found(60.0, HALL, Sensed.MOTION), pressed(60.0, 7, device=WRISTLET)):
        assert lived(before, state=warned).warning is not None
    for now in (found(110.0, HALL, Sensed.MOTION), pressed(99.0, 7, device=WRISTLET)):
        assert lived(now, state=warned).warning is None


def test_a_green_pendant_held_reports_who_was_sent() -> None:
    state = lived(pressed(10.0, 500))
    ident = alarm(state).id
    sent = CenterAcked(12.0, ident, ident, Stage.ACCEPTED, 2, "Kim", sent=True)
    story = playbook(lived(sent, state=state), RULES, told)
    held = pressed(900.0, 7, how=How.HOLD, device=WRISTLET)
    assert story >> held << [Told("present", "pendant", PENDANT), took(7)]
    assert isinstance(alarm(story.state).life, Present)
    alone = playbook(state, RULES, told)
    held = pressed(12.0, 7, how=How.LONG, device=WRISTLET)
    assert alone >> held << [Told("cancelled", "pendant", PENDANT), took(7)]


def test_a_pendant_is_listed_as_what_the_resident_can_call_by() -> None:
    _, effects = decide(home(), DevicesChanged(5.0), RULES)
    (state,) = [_message(e) for e in effects if isinstance(e, Publish)]
    assert isinstance(state, HubState)
    listed = [(t.device, t.kind, t.place) for t in state.triggers or ()]
    assert (PENDANT, "pendant", "목걸이") in listed
    assert WRISTLET not in {device for device, _, _ in listed}


def _message(effect: Publish) -> object:
    return decode_from_hub(effect.topic, effect.payload)[1]


def test_what_is_gone_from_the_list_is_forgotten() -> None:
    state = lived(pressed(10.0, 900_000), pressed(30.0, 900_001), pressed(1_000.0, 900_000))
    assert "pendant:replayed" in state.faults
    gone = replace(RULES, buttons={d: b for d, b in RULES.buttons.items() if d != PENDANT})
    state = lived(LinkDown(1_001.0, LinkTrouble.CLOSED), state=state)
    story = playbook(state, gone, told)
    assert story >> DevicesChanged(1_002.0) << [Over("pendant:replayed")]
    memory = story.state.wireless
    assert (memory.presses, memory.refused) == ({}, {})
    assert len(story.state.alarms) == 1, "its call goes on"


def test_a_list_that_cannot_be_read_forgets_nobody() -> None:
    state = lived(pressed(10.0, 500))
    unread = replace(
        RULES,
        listed=False,
        buttons={d: b for d, b in RULES.buttons.items() if not b.wireless},
    )
    began = Started(20.0, UTC + 20.0, synced=True, boot="b2")
    state = lived(began, state=recover(state, began, []), rules=unread)
    assert state.wireless.presses.keys() == {"A4:C1:38:00:00:01"}
    fault = Fault("device_list", "hub", "devices.toml:7")
    story = playbook(state, unread, told)
    assert story >> DevicesChanged(21.0, "devices.toml:7") << [fault]
    mended = playbook(story.state, RULES, told)
    assert mended >> DevicesChanged(60.0) << [Over("hub:device_list")]
    assert mended >> pressed(61.0, 500, name="old") << [Took("old")]


def test_another_device_under_an_old_name_begins_with_an_empty_memory() -> None:
    state = lived(pressed(10.0, 900_000), pressed(20.0, 900_001))
    other = replace(RULES.buttons[PENDANT], wireless="A4:C1:38:00:00:09")
    rules = replace(RULES, buttons={**RULES.buttons, PENDANT: other})
    state = lived(DevicesChanged(30.0), state=state, rules=rules)
    assert playbook(state, rules, told) >> pressed(900.0, 900_000) << [AGAIN, took(900_000)]


def test_a_disk_that_is_read_late_does_not_let_an_old_frame_call() -> None:
    old = lived(pressed(10.0, 900_000), pressed(12.0, 900_001), pressed(14.0, 900_002))
    began = Started(2_000.0, UTC + 2_000.0, synced=True, boot="b2")
    new = lived(began, pressed(2_010.0, 900_003), state=recover(HomeState(), began, []))
    state, _ = late.joined(recover(old, began, []), new, RULES)
    replay = pressed(2_700.0, 900_001, name="r")
    assert playbook(state, RULES, told) >> replay << [REPLAYED, Took("r")]
    again = pressed(2_020.0, 900_003, name="q")
    assert playbook(state, RULES, told) >> again << [Took("q")]
    assert state.wireless.taken == 4
