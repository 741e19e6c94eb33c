"""Stories of the network's state: no bus, no clock."""

import pytest
from msgspec.structs import replace

from hub.contract.provision import NetworkTrouble, Way
from provisioning.network.state import (
    CHECK_BAD_S,
    CHECK_GOOD_S,
    LEAVE_S,
    OFFLINE_S,
    RESULT_S,
    RETRY_S,
    SETTLE_S,
    Action,
    Asked,
    Cable,
    Checked,
    Checking,
    Credentials,
    Event,
    Joined,
    Joining,
    Kept,
    Leaving,
    Looked,
    Mode,
    Open,
    Opened,
    Ordered,
    Radio,
    Seen,
    Ticked,
    Waiting,
    begin,
    decide,
    fault,
    readable,
    trouble,
    way,
)

HOME = Credentials("할머니댁".encode(), "12345678")
NEW = Seen(radio=Radio.IDLE)
SAVED = Seen(radio=Radio.IDLE, saved=True)
HOTSPOT = Seen(radio=Radio.HOTSPOT, name="Anbu-1234")
JOINED = Seen(radio=Radio.UP, name="할머니댁", signal_dbm=-60, saved=True)
CABLE = Seen(cable=Cable.UP, radio=Radio.IDLE)


class Story:
    """Events one after the other; what was done is kept."""

    def __init__(self) -> None:
        self.state, self.at, self.done = begin(0.0), 0.0, list[Action]()

    def hear(self, *events: Event) -> "Story":
        for event in events:
            self.state, actions = decide(self.state, event, self.at)
            self.done += actions
        return self

    def wait(self, s: float) -> "Story":
        self.at += s
        return self.hear(Ticked())

    @property
    def trouble(self) -> NetworkTrouble | None:
        return trouble(self.state, self.at)

    @property
    def mode(self) -> Mode:
        return self.state.mode

    def take(self) -> list[Action]:
        done, self.done = self.done, []
        return done


def unset() -> Story:
    """A hub that was never set up: its hotspot is open."""
    story = Story().hear(Looked(NEW)).wait(SETTLE_S).hear(Opened(well=True), Looked(HOTSPOT))
    assert story.take() == [Action.OPEN]
    return story


def trying() -> Story:
    story = unset().hear(Asked(HOME)).wait(LEAVE_S)
    assert story.take() == [Action.JOIN]
    return story


def test_a_new_hub_without_a_cable_opens_its_hotspot_after_20_s() -> None:
    story = Story().hear(Looked(NEW)).wait(SETTLE_S - 1)
    assert story.take() == []
    story.wait(1)
    assert story.take() == [Action.OPEN]
    assert story.state.mode == Open(None)


def test_a_hotspot_that_gives_way_to_the_next_try_is_not_lost() -> None:
    """Each loss that was seen ordered it again, which ended the one that stood: without end."""
    story = Story().hear(Looked(NEW)).wait(SETTLE_S).hear(Opened(well=False)).wait(RETRY_S)
    assert story.take() == [Action.OPEN, Action.OPEN]
    story.hear(Looked(HOTSPOT), Looked(NEW))
    assert story.take() == [], "the late one of the first try ends"
    story.hear(Looked(HOTSPOT), Opened(well=True), Looked(HOTSPOT))
    assert story.take() == []
    assert story.hear(Looked(NEW)).wait(RETRY_S).take() == [Action.OPEN]


def test_a_cable_comes_first() -> None:
    story = Story().hear(Looked(CABLE)).wait(10 * SETTLE_S)
    assert Action.OPEN not in story.done
    assert way(story.state) is Way.ETHERNET


def test_a_cable_plugged_in_later_shuts_the_hotspot_that_nobody_asked_for() -> None:
    story = unset().hear(Looked(Seen(cable=Cable.UP, radio=Radio.HOTSPOT)))
    assert story.take()[0] is Action.CLOSE


def test_a_cable_without_an_address_does_not_keep_the_hotspot_shut() -> None:
    story = Story().hear(Looked(Seen(cable=Cable.NO_ADDRESS, radio=Radio.IDLE))).wait(SETTLE_S)
    assert story.take() == [Action.OPEN]


def test_a_hub_that_has_a_wifi_never_opens_the_hotspot_by_itself() -> None:
    story = Story().hear(Looked(SAVED)).wait(86_400)
    assert story.take() == []
    assert story.trouble is NetworkTrouble.NOT_JOINED


def test_the_button_opens_the_hotspot_for_its_time_and_the_saved_wifi_is_joined_again() -> None:
    story = Story().hear(Looked(JOINED), Checked(None)).hear(Ordered(600))
    assert story.take() == [Action.CHECK, Action.OPEN]
    story.hear(Opened(well=True), Looked(Seen(radio=Radio.HOTSPOT, saved=True))).wait(599)
    assert story.take() == []
    story.wait(1)
    assert story.take() == [Action.CLOSE]
    assert isinstance(story.state.mode, Waiting)


def asked_for() -> Story:
    """A hub with a Wi-Fi; its hotspot was asked for and is open."""
    story = Story().hear(Looked(JOINED), Checked(None), Ordered(600), Opened(well=True))
    story.hear(Looked(Seen(radio=Radio.HOTSPOT, saved=True))).take()
    return story


def test_a_call_gets_the_wifi_back_and_the_hotspot_stays_shut_until_it_is_asked_for() -> None:
    story = asked_for().hear(Ordered(0))
    assert story.take() == [Action.CLOSE]
    story.hear(Looked(SAVED)).wait(10 * SETTLE_S)
    assert story.take() == []
    assert story.hear(Ordered(60)).take() == [Action.OPEN]


def test_a_call_while_the_manager_is_away_keeps_the_hotspot_shut_at_its_return() -> None:
    story = asked_for().hear(Looked(None), Ordered(0), Looked(SAVED)).wait(10 * RETRY_S)
    assert Action.OPEN not in story.take()
    assert isinstance(story.mode, Waiting)


def test_a_call_ends_a_try_that_has_not_begun_and_lets_one_that_runs_end() -> None:
    story = asked_for().hear(Asked(HOME)).hear(Ordered(0))
    assert story.take() == [Action.CLOSE]
    assert isinstance(story.mode, Waiting)
    story = asked_for().hear(Asked(HOME)).wait(LEAVE_S).hear(Ordered(0))
    assert story.take() == [Action.JOIN]
    story.hear(Joined(NetworkTrouble.WRONG_PASSWORD))
    assert story.take() == [Action.CLOSE], "the saved Wi-Fi, and no hotspot"
    story = asked_for().hear(Asked(HOME)).wait(LEAVE_S).hear(Joined(None), Ordered(0))
    story.take()
    assert story.hear(Checked(NetworkTrouble.NO_DNS)).take() == [Action.CLOSE]


def test_a_call_leaves_a_hotspot_that_took_no_wifi_away() -> None:
    story = unset().hear(Ordered(0))
    assert story.take() == []
    assert story.mode == Open(None, opening=False)


def test_the_page_is_out_before_the_hotspot_closes() -> None:
    story = unset().hear(Asked(HOME)).wait(LEAVE_S - 1)
    assert story.take() == []
    assert isinstance(story.mode, Leaving)
    assert story.wait(1).take() == [Action.JOIN]
    assert decide(story.state, Ticked(), story.at)[0].mode == Joining(HOME, None)


def test_a_wifi_that_works_is_left_alone_and_others_are_removed() -> None:
    story = trying().hear(Joined(None))
    assert story.take() == [Action.CHECK]
    assert isinstance(story.state.mode, Checking)
    story.hear(Looked(JOINED), Checked(None))
    assert story.take() == [Action.PRUNE]
    assert story.trouble is None
    assert way(story.state) is Way.WIFI
    assert story.wait(SETTLE_S * 2).take() == []


@pytest.mark.parametrize(
    "why", [NetworkTrouble.WRONG_PASSWORD, NetworkTrouble.NO_DHCP, NetworkTrouble.NO_SUCH_NETWORK]
)
def test_a_wifi_that_fails_brings_the_hotspot_back_with_the_reason(why: NetworkTrouble) -> None:
    story = trying().hear(Joined(why))
    assert story.take() == [Action.OPEN]
    assert story.state.mode == Open(None)
    story.hear(Opened(well=True), Looked(HOTSPOT))
    assert story.trouble is why
    assert story.state.result
    assert not story.state.result.saved
    assert story.hear(Asked(HOME)).wait(LEAVE_S).take() == [Action.JOIN]


def test_a_wifi_behind_which_no_centre_is_is_kept_and_the_reason_is_shown_for_10_min() -> None:
    story = trying().hear(Joined(None), Looked(JOINED), Checked(NetworkTrouble.CAPTIVE_PORTAL))
    assert story.take() == [Action.CHECK, Action.OPEN]
    story.hear(Opened(well=True), Looked(Seen(radio=Radio.HOTSPOT, saved=True)))
    assert story.trouble is NetworkTrouble.CAPTIVE_PORTAL
    assert story.wait(RESULT_S - 1).take() == []
    assert story.wait(1).take() == [Action.CLOSE]


def test_a_wrong_clock_is_looked_at_again_as_soon_as_a_trouble() -> None:
    story = Story().hear(Looked(CABLE), Checked(None, clock_off=True))
    assert story.take() == [Action.CHECK]
    assert story.wait(CHECK_BAD_S).take() == [Action.CHECK]
    story.hear(Checked(None)).wait(CHECK_BAD_S)
    assert story.take() == []


def test_somebody_at_the_form_may_keep_the_wifi_as_it_is() -> None:
    story = trying().hear(Joined(None), Looked(JOINED), Checked(NetworkTrouble.NO_DNS))
    story.hear(Opened(well=True), Looked(Seen(radio=Radio.HOTSPOT, saved=True)))
    story.take()
    assert story.hear(Kept()).take() == [Action.CLOSE]


def test_what_was_just_saved_is_kept_before_the_next_look_has_seen_it() -> None:
    """A look takes 0.1 s and more on a busy Pi; the page has shown the button by then."""
    stale = Seen(radio=Radio.HOTSPOT)
    story = trying().hear(Joined(None), Looked(stale), Checked(NetworkTrouble.NO_DNS))
    story.hear(Opened(well=True)).take()
    assert story.hear(Kept()).take() == [Action.CLOSE]
    story = trying().hear(Joined(None), Looked(stale), Checked(NetworkTrouble.NO_DNS))
    assert story.hear(Opened(well=True), Ordered(0)).take()[-1] is Action.CLOSE
    story = trying().hear(Joined(None), Looked(stale), Ordered(0))
    assert story.hear(Checked(NetworkTrouble.NO_DNS)).take()[-1] is Action.CLOSE


def test_a_failed_try_at_a_hub_that_was_set_up_ends_in_its_own_wifi() -> None:
    story = Story().hear(Looked(JOINED), Checked(None), Ordered(60), Opened(well=True))
    story.hear(Looked(Seen(radio=Radio.HOTSPOT, saved=True)), Asked(HOME)).wait(LEAVE_S)
    story.hear(Joined(NetworkTrouble.WRONG_PASSWORD), Opened(well=True)).take()
    assert story.wait(RESULT_S - 1).take() == []
    assert story.wait(1).take() == [Action.CLOSE]


def test_an_order_during_a_try_does_not_end_it() -> None:
    story = trying().hear(Ordered(0))
    assert isinstance(story.state.mode, Joining)
    assert story.hear(Joined(NetworkTrouble.WRONG_PASSWORD)).take() == [Action.OPEN]
    story = trying().hear(Ordered(900), Joined(NetworkTrouble.WRONG_PASSWORD))
    assert story.state.mode == Open(story.at + 900)


def test_an_order_while_the_hotspot_is_open_gives_it_that_time_where_a_wifi_is_saved() -> None:
    story = asked_for().wait(500).hear(Ordered(600)).wait(599)
    assert story.take() == []
    assert story.wait(1).take() == [Action.CLOSE]


def test_the_button_ends_no_hotspot_that_is_the_only_way_in() -> None:
    """It closed after the button's time, and came back with another password, no result shown."""
    story = trying().hear(Joined(NetworkTrouble.WRONG_PASSWORD), Opened(well=True), Looked(HOTSPOT))
    story.hear(Ordered(600)).take()
    story.wait(86_400)
    assert story.take() == []
    assert story.trouble is NetworkTrouble.WRONG_PASSWORD
    assert story.hear(Looked(Seen(cable=Cable.UP, radio=Radio.HOTSPOT))).take()[0] is Action.CLOSE


@pytest.mark.parametrize("seen", [Seen(), Seen(radio=Radio.OFF), CABLE])
def test_a_hotspot_that_cannot_be_or_need_not_be_ends_with_its_time(seen: Seen) -> None:
    story = Story().hear(Looked(seen), Ordered(600), Opened(well=False), Looked(seen)).wait(600)
    assert Action.CLOSE in story.take()
    assert isinstance(story.mode, Waiting)


def test_two_who_send_the_form_at_once_do_not_disturb_each_other() -> None:
    story = unset().hear(Asked(HOME)).hear(Asked(Credentials(b"other")))
    assert isinstance(story.state.mode, Leaving)
    assert story.state.mode.wanted == HOME


def test_a_hotspot_that_fails_is_tried_again() -> None:
    story = Story().hear(Looked(NEW)).wait(SETTLE_S).hear(Opened(well=False))
    story.take()
    assert story.trouble is NetworkTrouble.HOTSPOT_FAILED
    assert story.wait(RETRY_S).take() == [Action.OPEN]


@pytest.mark.parametrize(
    "looks",
    [
        (NEW,),
        (Seen(radio=Radio.JOINING), NEW),  # somebody at a terminal mistypes a password
        (Seen(radio=Radio.JOINING), Seen(radio=Radio.OFF), NEW),
    ],
)
def test_a_hotspot_that_is_gone_is_opened_again(looks: tuple[Seen, ...]) -> None:
    story = unset().hear(*(Looked(one) for one in looks)).wait(RETRY_S)
    assert story.take() == [Action.OPEN]
    story.wait(10 * RETRY_S).hear(Looked(NEW))
    assert story.take() == [], "it is still coming up"


def test_a_hotspot_that_ends_before_a_look_has_seen_it_is_opened_again() -> None:
    story = Story().hear(Looked(NEW)).wait(SETTLE_S).hear(Opened(well=True), Looked(NEW))
    story.take()
    assert story.wait(RETRY_S).take() == [Action.OPEN]


def test_a_hotspot_whose_form_cannot_be_served_is_opened_again() -> None:
    story = Story().hear(Looked(NEW)).wait(SETTLE_S).hear(Opened(well=False), Looked(HOTSPOT))
    story.take()
    assert story.wait(RETRY_S).take() == [Action.OPEN]


def test_a_look_from_before_the_hotspot_stood_ends_nothing() -> None:
    story = Story().hear(Looked(NEW)).wait(SETTLE_S).hear(Opened(well=True))
    story.hear(Looked(NEW), Looked(HOTSPOT)).take()
    assert story.wait(10 * RETRY_S).take() == []


def test_a_hotspot_ends_with_a_manager_and_is_opened_by_the_next() -> None:
    story = unset().hear(Looked(None))
    assert story.trouble is NetworkTrouble.NO_MANAGER
    assert story.hear(Looked(NEW)).wait(RETRY_S).take() == [Action.OPEN]


def test_a_hotspot_is_ordered_once_at_the_return_of_a_manager_that_was_away_for_long() -> None:
    """Nine were opened one after the other after 5 minutes."""
    story = asked_for().hear(Ordered(3600))
    for _ in range(60):
        story.wait(5).hear(Looked(None))
    assert Action.OPEN not in story.take()
    assert story.hear(Looked(SAVED)).take().count(Action.OPEN) == 1


def test_the_button_while_the_manager_is_away_opens_the_hotspot_at_its_return() -> None:
    story = Story().hear(Looked(JOINED), Checked(None), Looked(None), Ordered(600))
    assert Action.OPEN not in story.take()
    assert story.hear(Looked(None)).wait(5).hear(Looked(SAVED)).take().count(Action.OPEN) == 1


def test_a_cable_has_its_time_after_the_return_of_a_manager() -> None:
    story = Story().hear(Looked(CABLE), Checked(None)).wait(60).hear(Looked(CABLE), Looked(None))
    story.wait(10 * SETTLE_S).hear(Looked(Seen(cable=Cable.TRYING, radio=Radio.IDLE)))
    assert story.wait(SETTLE_S - 1).hear(Looked(CABLE)).wait(1).take().count(Action.OPEN) == 0


def test_a_manager_that_is_away_for_a_moment_ends_no_result() -> None:
    story = trying().hear(Joined(NetworkTrouble.WRONG_PASSWORD), Looked(None), Looked(NEW))
    assert story.state.result


def test_without_a_manager_the_centre_is_looked_for_and_found_it_is_no_fault() -> None:
    story = Story().hear(Looked(JOINED), Checked(None), Looked(None))
    assert story.take() == [Action.CHECK, Action.CHECK]
    story.hear(Checked(None), Looked(None))
    assert (story.take(), fault(story.state, story.at)) == ([], None)
    assert story.trouble is NetworkTrouble.NO_MANAGER
    assert story.wait(CHECK_GOOD_S).take() == [Action.CHECK]
    story.hear(Checked(NetworkTrouble.NO_DNS))
    assert fault(story.state, story.at) is NetworkTrouble.NO_MANAGER


def test_what_somebody_at_the_form_is_shown_is_no_fault() -> None:
    story = trying().hear(Joined(NetworkTrouble.WRONG_PASSWORD), Looked(HOTSPOT))
    assert (story.trouble, fault(story.state, story.at)) == (NetworkTrouble.WRONG_PASSWORD, None)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Seen(), NetworkTrouble.NO_WAY),
        (Seen(radio=Radio.OFF), NetworkTrouble.RADIO_OFF),
        (Seen(cable=Cable.NO_ADDRESS), NetworkTrouble.NO_DHCP),
        (SAVED, NetworkTrouble.NOT_JOINED),
    ],
)
def test_being_without_a_way_is_told_after_a_minute(seen: Seen, why: NetworkTrouble) -> None:
    story = Story().hear(Looked(seen)).wait(OFFLINE_S - 1)
    assert story.trouble is None
    story.wait(1)
    assert story.trouble is why


def test_the_way_to_the_centre_is_checked_often_while_it_fails() -> None:
    story = Story().hear(Looked(CABLE))
    assert story.take() == [Action.CHECK]
    story.hear(Looked(CABLE), Checked(NetworkTrouble.NO_DNS))
    assert story.take() == []
    assert story.trouble is NetworkTrouble.NO_DNS
    assert story.wait(CHECK_BAD_S).take() == [Action.CHECK]
    story.hear(Checked(None)).wait(CHECK_BAD_S)
    assert story.take() == []
    assert story.wait(CHECK_GOOD_S).take() == [Action.CHECK]


def test_another_way_is_checked_at_once_and_forgets_the_trouble_of_the_last() -> None:
    story = Story().hear(Looked(CABLE), Checked(NetworkTrouble.NO_DNS), Looked(JOINED))
    assert story.take() == [Action.CHECK, Action.CHECK]
    assert story.trouble is None


def test_another_way_is_checked_at_once_though_the_last_one_is_still_being_checked() -> None:
    """The edge ends the running check: what it finds would be told of the new way."""
    story = Story().hear(Looked(JOINED))
    assert story.take() == [Action.CHECK]
    assert story.hear(Looked(CABLE)).take() == [Action.CHECK]
    story = Story().hear(Looked(JOINED)).hear(Looked(SAVED), Looked(JOINED))
    assert story.take() == [Action.CHECK, Action.CHECK]
    assert Story().hear(Looked(JOINED), Looked(None)).take() == [Action.CHECK, Action.CHECK]


def test_a_centre_that_is_found_by_cable_proves_no_wifi() -> None:
    story = trying().hear(Joined(None), Looked(replace(JOINED, cable=Cable.UP)), Checked(None))
    assert story.take() == [Action.CHECK]
    assert isinstance(story.mode, Waiting)


def test_a_router_that_restarts_is_no_trouble() -> None:
    story = Story().hear(Looked(JOINED), Checked(None)).wait(500).hear(Looked(JOINED))
    assert story.hear(Looked(SAVED)).wait(OFFLINE_S - 1).trouble is None


def test_a_wifi_joined_at_a_terminal_shuts_the_open_hotspot() -> None:
    assert unset().hear(Looked(Seen(radio=Radio.HOTSPOT, saved=True))).take() == [Action.CLOSE]


@pytest.mark.parametrize(
    "seen",
    [
        Seen(radio=Radio.HOTSPOT, saved=True),
        JOINED,
        Seen(radio=Radio.UP, name="할머니댁"),  # it is joined, and being saved
    ],
)
def test_a_wifi_joined_at_a_terminal_after_a_failed_form_shuts_the_hotspot(seen: Seen) -> None:
    story = trying().hear(Joined(NetworkTrouble.WRONG_PASSWORD), Opened(well=True), Looked(HOTSPOT))
    story.take()
    assert Action.CLOSE in story.hear(Looked(Seen(radio=Radio.JOINING)), Looked(seen)).take()
    assert story.hear(Looked(SAVED)).wait(86_400).take() == []


def test_names_of_older_korean_routers_are_read() -> None:
    assert readable("안부".encode()) == "안부"
    assert readable("안부".encode("cp949")) == "안부"
    assert readable(b"\xff\xfe\x00") == "fffe00"
