"""A hub's report of its installation, by a real broker: its own only; losing it is fine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from center.domain.installation import Installation, State, Step
from center.store.rows import installations
from hub.contract import wire
from hub.contract.messages import InstallDevice, InstallReport, Stage
from provisioning.broker.config import ACL
from tests.broker import HUBS, Broker, wait_until
from tests.center.home import Home
from tests.center.linked import Office, mqtt, office
from tests.center.making import HUB, event

pytestmark = pytest.mark.broker
OTHER = HUBS[1]
WHO = "최설치"
SHOWN = InstallReport(
    0.0, synced=True, boot="b1", devices=(InstallDevice("motion", "motion", used_s=0.0),)
)


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def home(broker: Broker) -> Iterator[Home]:
    with Home(broker) as connected:
        yield connected


def begun(center: Office, hub: str = HUB) -> Installation:
    now = center.inbox.clock()
    return center.store.submit(lambda conn: installations.begin(conn, hub, WHO, now)).result(10)


def stood(center: Office, step: Step, hub: str = HUB) -> State:
    one = center.store.read(installations.find, hub)
    assert one
    return one.standing(step).state


def shows(home: Home, center: Office, said: InstallReport = SHOWN) -> None:
    """Publish until the centre has it: it subscribes a moment after its link stands."""

    def arrived() -> bool:
        home.say("install", replace(said, utc=center.inbox.clock()))
        one = center.store.read(installations.find, HUB)
        return one is not None and one.reported_utc is not None

    wait_until(arrived, "a report has come in")
    home.say("event", event(alarm="barrier"))  # those that were published before it are in, too
    home.hears("barrier")


def test_a_report_comes_in_through_the_brokers_rules(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        begun(center)
        shows(home, center)
        assert stood(center, Step.SENSORS) is State.PROVEN
        assert stood(center, Step.IDENTITY) is State.PROVEN


def test_no_hub_shows_itself_under_anothers_name(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        begun(center)
        begun(center, OTHER)
        shows(home, center)  # from now on the centre hears reports
        told = home.try_as(OTHER, "install", SHOWN)
        assert told == "Not authorized"
        home.say("event", event(alarm="after"))
        assert home.hears("after").stage is Stage.RECEIVED
        one = center.store.read(installations.find, OTHER)
        assert one
        assert one.reported_utc is None
        assert stood(center, Step.IDENTITY, OTHER) is State.WAITING


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "malformed"),
        (b'{"utc":1,"synced":true}', "malformed"),
        (b"[" * 9000, "malformed"),
        (wire.encode(replace(SHOWN, boot="b" * 65)), "malformed"),
        (wire.encode(replace(SHOWN, devices=SHOWN.devices * 257)), "malformed"),
        (b" " * (wire.MAX_BYTES + 1), "oversized"),
    ],
)
def test_a_wrong_or_huge_report_is_counted_and_a_call_comes_in_after_it(
    tmp_path: Path, broker: Broker, home: Home, payload: bytes, reason: str
) -> None:
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        one = begun(center)
        shows(home, center)
        before = center.store.read(installations.find, HUB)
        home.say("install", payload)
        home.say("event", event(alarm=f"call {reason} {len(payload)}"))
        assert home.hears(f"call {reason} {len(payload)}").stage is Stage.RECEIVED
        assert center.tally.refused() == {reason: 1}
        assert center.store.read(installations.find, HUB) == before
        assert one.hub == HUB


def test_a_broker_with_older_rules_loses_reports_and_nothing_else(tmp_path: Path) -> None:
    broker = Broker()
    rules = broker.folder / ACL
    lines = rules.read_text("utf-8").splitlines()
    older = [line for line in lines if "install" not in line]
    assert len(older) == len(lines) - 2
    rules.write_text("\n".join(older) + "\n", "utf-8")
    with broker, Home(broker) as home, office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        begun(center)
        home.try_as(HUB, "install", SHOWN)
        home.say("event", event(alarm="call"))
        assert home.hears("call").stage is Stage.RECEIVED
        assert stood(center, Step.IDENTITY) is State.WAITING
        assert center.link.listening_utc is not None


def test_what_a_hub_showed_while_the_centre_was_away_is_not_kept_for_it(
    tmp_path: Path, broker: Broker, home: Home
) -> None:
    """Its ages would be those of then."""
    with office(tmp_path, mqtt(broker)) as center:
        center.wait_up()
        begun(center)
        shows(home, center)
        before = center.store.read(installations.find, HUB)
    home.say("install", replace(SHOWN, boot="away"))
    home.say("event", event(alarm="kept"))
    with office(tmp_path, mqtt(broker)) as center:
        assert home.hears("kept").stage is Stage.RECEIVED
        assert center.store.read(installations.find, HUB) == before
