"""What a hub shows to whoever installs it: only what this process has seen with its own eyes."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from hub.contract import wire
from hub.contract.messages import (
    AnsweredBy,
    Command,
    CommandKind,
    InstallDevice,
    InstallReport,
)
from hub.contract.provision import Way
from hub.contract.radio import How, Sensed
from hub.contract.voice import Meaning
from hub.core.decide import decide, recover
from hub.core.inputs.installing import MOST_S
from hub.core.model.events import (
    Answered,
    BatteryMeasured,
    ClockCompared,
    CommandReceived,
    ContactChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    MainsChanged,
    MotionChanged,
    NetworkChanged,
    RangeChanged,
    Spoke,
    Started,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role, Rules, Sense, Sensor
from hub.core.model.state import HomeState
from hub.witness import Follower, Witness, fitted, install_report

RULES = Rules(
    hub="js-0001",
    software="1.0",
    radio="radio",
    voice="voice",
    buttons={
        "help": Button(Role.HELP_BUTTON, "거실"),
        "pendant": Button(Role.HELP_BUTTON, wireless="AA digest"),
    },
    sensors={
        "kitchen": Sensor(Sense.MOTION, "부엌"),
        "front": Sensor(Sense.EXIT_DOOR, "현관문"),
        "power": Sensor(Sense.MAINS),
        "smoke": Sensor(Sense.SMOKE),
    },
    phones=("told", "untold"),
    phones_told=("told",),
)
BORN = Started(0.0, 1000.0, synced=True, boot="b")
FOLLOW = Command("c", CommandKind.INSTALL_FOLLOW, 1, 1100.0, lasts_s=120.0)


class Home:
    """A home's state, and what its process has witnessed."""

    def __init__(
        self, *events: Event, state: HomeState | None = None, rules: Rules = RULES
    ) -> None:
        self.state, self.witness, self.rules = state or HomeState(), Witness(), rules
        for event in (BORN, *events):
            self.live(event)

    def live(self, event: Event) -> None:
        self.state, _ = decide(self.state, event, self.rules)
        self.witness.note(event, self.state, self.rules)

    def report(self, at: float = 100.0) -> InstallReport:
        return install_report(self.state, self.rules, at, self.witness)

    def device(self, name: str) -> InstallDevice:
        return next(one for one in self.report().devices if one.name == name)


def test_the_level_at_a_start_is_no_use_and_walking_past_is_one() -> None:
    home = Home(MotionChanged(1.0, "kitchen", active=True))
    assert home.device("kitchen").used_s is None
    home.live(MotionChanged(2.0, "kitchen", active=False))
    assert (home.device("kitchen").used_s, home.device("kitchen").heard_s) == (None, 98.0)
    home.live(MotionChanged(40.0, "kitchen", active=True))
    shown = home.device("kitchen")
    assert (shown.used_s, shown.on, shown.what, shown.place) == (60.0, True, "motion", "부엌")


def test_a_door_is_used_when_it_opens_and_when_it_shuts() -> None:
    home = Home(ContactChanged(1.0, "front", closed=True))
    home.live(ContactChanged(10.0, "front", closed=True))  # its driver was started again
    assert home.device("front").used_s is None
    home.live(ContactChanged(20.0, "front", closed=False))
    assert home.device("front").used_s == 80.0
    home.live(ContactChanged(30.0, "front", closed=True))
    assert home.device("front").used_s == 70.0


def test_nothing_of_an_earlier_process_counts() -> None:
    lived = Home(
        MotionChanged(1.0, "kitchen", active=False), MotionChanged(2.0, "kitchen", active=True)
    )
    assert lived.device("kitchen").used_s is not None
    again = Home(state=recover(lived.state, BORN, ()))
    assert again.device("kitchen").used_s is None
    assert again.device("kitchen").heard_s is None


def test_a_button_is_used_when_it_is_pressed() -> None:
    home = Home(
        ContactChanged(1.0, "help", closed=False),
        ContactChanged(50.0, "help", closed=True),
        ContactChanged(51.0, "help", closed=False),
    )
    assert home.device("help").used_s == 50.0


def pressed(at: float, ident: str, counter: int) -> WirelessPressed:
    return WirelessPressed(at, "pendant", ident, How.PRESS, counter=counter, mark="m")


def test_a_pendants_press_counts_once_and_not_what_bluez_tells_again() -> None:
    home = Home(pressed(10.0, "p1", 7))
    assert home.device("pendant").used_s == 90.0
    home.live(pressed(60.0, "p2", 7))
    shown = home.device("pendant")
    assert (shown.used_s, shown.heard_s, shown.wireless) == (90.0, 40.0, True)


def test_a_mains_plug_that_was_pulled_and_put_back_is_told() -> None:
    home = Home(
        MainsChanged(1.0, "power", present=True),
        MainsChanged(40.0, "power", present=False),
        MainsChanged(70.0, "power", present=True),
        BatteryMeasured(71.0, "power", 98.0),
    )
    shown = home.device("power")
    assert (shown.on, shown.used_s, shown.battery_pct) == (True, 60.0, 98.0)


def test_a_detector_that_finds_smoke_is_used_and_one_that_beacons_is_heard() -> None:
    home = Home(WirelessFound(5.0, "smoke", Sensed.SMOKE, on=False))
    assert (home.device("smoke").used_s, home.device("smoke").heard_s) == (None, 95.0)
    home.live(WirelessFound(50.0, "smoke", Sensed.SMOKE, on=True))
    assert home.device("smoke").used_s == 50.0


def test_of_a_phone_without_consent_nothing_is_told_but_that_it_is_paired() -> None:
    home = Home(RangeChanged(3.0, "told", near=True), RangeChanged(3.0, "untold", near=True))
    assert home.device("told") == InstallDevice("told", "phone", wireless=True, heard_s=97.0)
    assert home.device("untold") == InstallDevice(
        "untold", "phone", wireless=True, faults=("untold",)
    )
    home.live(RangeChanged(63.0, "told", near=True))  # it has never left
    assert home.device("told").heard_s == 37.0


def test_a_hub_whose_clock_is_an_hour_ahead_shows_that_clock() -> None:
    home = Home(Heartbeat(1.0, 4601.0, synced=True))
    home.live(CommandReceived(2.0, 4602.0, FOLLOW))  # of a centre at 1002: long over, by this clock
    assert home.state.is_followed(100.0)
    assert (home.report().utc, home.report().synced) == (4700.0, True)


def test_an_answer_to_a_question_shows_microphone_and_loudspeaker() -> None:
    home = Home(Answered(10.0, Meaning.HELP))
    assert (home.report().heard_s, home.report().answered_s) == (90.0, None)
    home.live(Answered(20.0, Meaning.UNCLEAR, asked="ask_help"))
    home.live(Answered(25.0, Meaning.FINE, by=AnsweredBy.BUTTON, asked="ask_help"))
    assert home.report().answered_s is None
    home.live(Answered(30.0, Meaning.YES, asked="ask_help"))
    home.live(Spoke(50.0, "r", done=False))
    assert (home.report().answered_s, home.report().spoke_s) == (70.0, None)
    home.live(Spoke(60.0, "r", done=True))
    assert home.report().spoke_s == 40.0


def test_network_and_clock_are_told_as_the_provisioning_process_says() -> None:
    told = Home().report()
    assert (told.way, told.ahead_s, told.has) == ("", None, ("radio", "voice"))
    home = Home(
        NetworkChanged(1.0, Way.WIFI, "우리집", signal_dbm=-61), ClockCompared(2.0, ahead_s=-0.4)
    )
    told = home.report()
    assert (told.way, told.network, told.signal_dbm, told.ahead_s) == ("wifi", "우리집", -61, -0.4)


def test_a_provisioning_process_that_has_ended_says_no_signal_any_more() -> None:
    said = NetworkChanged(1.0, Way.WIFI, "우리집", signal_dbm=-61)
    home = Home(said, rules=msgspec.structs.replace(RULES, setup="setup"))
    assert home.report().signal_dbm == -61
    home.live(DriverFailed(3.0, "setup", "it ended"))
    assert (home.report().way, home.report().signal_dbm) == ("", None)
    home.live(DriverReady(4.0, "setup"))
    assert home.report().signal_dbm == -61


def test_a_home_with_more_devices_than_a_report_holds_tells_of_each_in_turn() -> None:
    many = tuple(InstallDevice(f"d{n:03}", "motion", "방" * 60) for n in range(150))
    report = msgspec.structs.replace(Home().report(), devices=many)
    first, after = fitted(report)
    assert 0 < len(first.devices) < len(many)
    assert first.left == len(many) - len(first.devices)
    assert len(wire.encode(first)) <= wire.MAX_BYTES
    told = {one.name for one in first.devices}
    while after:
        part, after = fitted(report, after)
        assert len(wire.encode(part)) <= wire.MAX_BYTES
        told |= {one.name for one in part.devices}
        if told == {one.name for one in many}:
            break
    assert told == {one.name for one in many}
    assert fitted(Home().report())[0] == Home().report()
    assert fitted(msgspec.structs.replace(report, devices=many[:2]), 99)[1] == 0


def test_the_centre_follows_for_a_quarter_of_an_hour_at_most() -> None:
    home = Home()
    assert not home.state.is_followed(1.0)
    long = msgspec.structs.replace(FOLLOW, lasts_s=3600.0)
    home.live(CommandReceived(10.0, 1010.0, long))
    assert home.state.is_followed(10.0 + MOST_S - 1)
    assert not home.state.is_followed(10.0 + MOST_S)
    end = msgspec.structs.replace(FOLLOW, id="d", counter=2, lasts_s=0.0)
    home.live(CommandReceived(20.0, 1020.0, end))
    assert not home.state.is_followed(20.0)
    assert recover(home.state, BORN, ()).follow_until is None


class Sink:
    """Where reports go."""

    def __init__(self) -> None:
        self.told: list[InstallReport] = []
        self.came = asyncio.Event()

    def mention(self, topic: str, payload: bytes) -> None:
        hub, message = wire.decode_from_hub(topic, payload)
        assert hub == "js-0001"
        assert isinstance(message, InstallReport)
        self.told.append(message)
        self.came.set()


def following(home: Home, sink: Sink, at: Callable[[], float]) -> Follower:
    return Follower(home.witness, lambda: (home.state, RULES, at()), sink)


def test_reports_are_sent_only_while_the_centre_follows() -> None:
    asyncio.run(_reports_are_sent_only_while_the_centre_follows())


async def _reports_are_sent_only_while_the_centre_follows() -> None:
    home, sink, now = Home(MotionChanged(9.0, "kitchen", active=False)), Sink(), [10.0]
    follower = following(home, sink, lambda: now[0])
    running = asyncio.create_task(follower.run())
    for event in (
        MotionChanged(10.0, "kitchen", active=True),
        MotionChanged(10.5, "kitchen", active=False),
        CommandReceived(11.0, 1011.0, FOLLOW),
        MotionChanged(11.5, "kitchen", active=True),
    ):
        home.state, _ = decide(home.state, event, RULES)
        now[0] = event.at
        follower.note(event, home.state, RULES)
        await asyncio.sleep(0)  # the follower's turn
        await asyncio.sleep(0)
        assert bool(sink.told) is home.state.is_followed(event.at)
    async with asyncio.timeout(10):
        while sink.told[-1].devices[0].used_s != 0.0:
            sink.came.clear()
            await sink.came.wait()
    running.cancel()


@pytest.mark.parametrize(
    ("event", "shows"),
    [
        (Heartbeat(12.0, 1012.0, synced=True), False),
        (DeviceSeen(12.0, "stranger"), False),
        (RangeChanged(12.0, "told", near=False), False),
        (Spoke(12.0, "r", done=False), False),
        (Answered(12.0, Meaning.UNCLEAR, asked="ask_mood"), False),
        (DeviceSeen(12.0, "kitchen"), True),
        (Answered(12.0, Meaning.FINE, asked="ask_mood"), True),
    ],
)
def test_only_what_shows_something_hurries_a_report(event: Event, *, shows: bool) -> None:
    home = Home()
    assert home.witness.note(event, home.state, RULES) is shows
