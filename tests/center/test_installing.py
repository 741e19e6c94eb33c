"""A home is installed with a real hub: what its sensors show proves one step after the other."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from center.config import Settings
from center.domain.incident import Outcome
from center.domain.installation import Answer, Installation, Part, State, Step, Why, WhyNot
from center.domain.record import ConsentItem, Contact, Record
from center.service import homes, incidents, installation, leases
from center.service.auth import Auth, Person, Role
from center.service.desk import Desk
from center.service.incidents import Target
from center.service.installation import NotInstalledError, Told
from center.store import tables
from center.store.rows import hubs
from center.store.rows import leases as lease_rows
from drivers.virtual.cli import ask
from hub.contract.messages import Stage
from tests.broker import Broker, wait_until
from tests.center.linked import Office, mqtt, office
from tests.hub.rig import HUB, HubProcess, figure

pytestmark = pytest.mark.broker
INSTALLER, OPERATOR = Person("최설치", Role.OPERATOR), Person("김하늘", Role.OPERATOR)
LIVED = Record(name="이순자", address="정선읍 1", contacts=(Contact("이영희"),))
PUNCTUAL = ("-m", "tests.hub.punctual")
SENSORS = """
[[device]]
kind = "motion"
name = "kitchen"
place = "부엌"
pin = 23

[[device]]
kind = "contact"
name = "front"
role = "exit_door"
place = "현관문"
pin = 16

[[device]]
kind = "supply"
name = "power"
pin = 26
battery = "/sys/class/power_supply/*/capacity"
"""


class Walk:
    """An installer in the home and an operator at the desk."""

    def __init__(self, center: Office, hub: HubProcess) -> None:
        self.center, self.hub = center, hub
        store, link, clock = center.store, center.link, time.time
        guard = Auth(store, clock, session_s=3600.0, tls=False)
        self.desk = Desk(Settings(), clock, store, center.inbox.feed, link, guard, center.tally)

    def does(self, **deed: object) -> None:
        """Have somebody do something in the house."""
        answer = ask(self.hub.socket, deed)
        assert answer["ok"], answer

    async def look(self) -> Installation:
        return (await installation.look(self.desk, HUB, INSTALLER)).one

    async def stands(
        self, step: Step, name: str | None = None, state: State = State.PROVEN
    ) -> None:
        """Wait until a step, or an item of it, is so."""
        began = time.monotonic()
        while True:
            one = await self.look()
            item = one.find(step, name) if name is not None else one.standing(step)
            if item and item.state is state:
                figure(f"{step} {name or ''}: {state} after {time.monotonic() - began:.1f} s")
                return
            assert time.monotonic() < began + 20, (step, name, one.standing(step), self.hub.log())
            await asyncio.sleep(0.05)

    async def waiting_call(self) -> str:
        """Wait until a call is open; return its incident."""
        began = time.monotonic()
        query = select(tables.incidents.c.id).where(tables.incidents.c.stage != Stage.CLOSED.value)
        while not (found := self.center.store.read(lambda conn: conn.scalar(query))):
            assert time.monotonic() < began + 10
            await asyncio.sleep(0.02)
        return str(found)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    with Broker() as broker, office(tmp_path / "center", mqtt(broker)) as center:
        hub = HubProcess(tmp_path / "hub", broker.port)
        with hub.config.open("a", encoding="utf-8") as config:
            config.write(SENSORS)
        hub.start(*PUNCTUAL)
        with hub:
            wait_until(hub.armed, f"the house opens; {hub.log()}")
            wait_until(lambda: center.store.read(hubs.known), "the centre has heard the hub")
            yield Walk(center, hub)


def test_a_home_is_installed_by_what_its_hub_shows(walk: Walk) -> None:
    asyncio.run(_installed(walk))


async def _installed(walk: Walk) -> None:
    desk = walk.desk
    await homes.keep(desk, HUB, LIVED, OPERATOR.name, None)
    await installation.begin(desk, HUB, INSTALLER)
    await walk.stands(Step.HOME)
    await walk.stands(Step.IDENTITY)
    await walk.stands(Step.NETWORK)
    await walk.stands(Step.CLOCK)
    await walk.stands(Step.RADIO, state=State.LEFT_OUT)
    await _sensors(walk)
    await _test_call(walk)
    await _resident(walk)
    await _mains(walk)
    assert (await walk.look()).open_steps == (Step.CONSENTS, Step.ANSIM119)
    for item in ConsentItem:
        told = Told(Step.CONSENTS, item, Answer.GIVEN)
        await installation.tell(desk, HUB, INSTALLER, told)
    with pytest.raises(NotInstalledError) as early:
        await installation.finish(desk, HUB, INSTALLER)
    assert (early.value.why, early.value.steps) == (WhyNot.NOT_PROVEN, (Step.ANSIM119,))
    await installation.tell(desk, HUB, INSTALLER, Told(Step.ANSIM119, "", Answer.REGISTERED))
    report = await installation.finish(desk, HUB, INSTALLER)
    assert [one.step for one in report.standings] == list(Step)
    left_out = [one.step for one in report.standings if one.state is State.LEFT_OUT]
    assert left_out == [Step.RADIO]


async def _sensors(walk: Walk) -> None:
    """Each sensor is proven when somebody uses it, and not before."""
    assert (await walk.look()).standing(Step.SENSORS).state is State.WAITING
    walk.does(do="motion", what="kitchen", ms=300)
    await walk.stands(Step.SENSORS, "kitchen")
    walk.does(do="door", what="front", open=True)
    await walk.stands(Step.SENSORS, "front")
    walk.does(do="door", what="front", open=False)
    waits = [one.name for one in (await walk.look()).of(Step.SENSORS) if one.state is State.WAITING]
    assert waits == ["cancel", "help"]


async def _test_call(walk: Walk) -> None:
    """In test mode a press is shown to the operator, whose answer proves the step."""
    await leases.begin(walk.desk, HUB, INSTALLER)

    def shown() -> bool:
        held = walk.center.store.read(lease_rows.standing, time.time(), HUB)
        return bool(held) and held[0].shown_utc is not None

    wait_until(shown, "the home shows test mode")
    walk.hub.press()
    incident = await walk.waiting_call()
    assert (await walk.look()).standing(Step.TEST_CALL).state is State.WAITING
    await incidents.answer_test(walk.desk, Target(OPERATOR.name, incident))
    await walk.stands(Step.TEST_CALL)
    assert (await walk.look()).standing(Step.TEST_CALL).by == OPERATOR.name
    await leases.end(walk.desk, HUB, INSTALLER)
    await walk.stands(Step.SENSORS, "help")


async def _resident(walk: Walk) -> None:
    """The resident presses, takes it back, and answers what the hub asks."""
    walk.hub.press()
    incident = await walk.waiting_call()
    walk.hub.press(what="cancel")
    await walk.stands(Step.RESIDENT, Part.PRESSED)
    await walk.stands(Step.RESIDENT, Part.CANCELLED)
    await walk.stands(Step.SENSORS)
    await incidents.take(walk.desk, Target(OPERATOR.name, incident))
    await incidents.close(walk.desk, Target(OPERATOR.name, incident), Outcome.TEST)
    wait_until(lambda: walk.hub.signal() == "resting", "the call is over in the home", 20)
    assert (await walk.look()).standing(Step.SOUND).state is State.WAITING
    await installation.check_sound(walk.desk, HUB, INSTALLER)
    wait_until(lambda: "ask_health" in str(ask(walk.hub.socket, {"do": "lamps"})), "it asks")
    walk.does(do="speak", what="fine")
    await walk.stands(Step.SOUND)
    await walk.stands(Step.RESIDENT)


async def _mains(walk: Walk) -> None:
    """The plug is pulled; the hub goes on by its battery, and the plug is put back."""
    assert (await walk.look()).standing(Step.MAINS).state is State.WAITING
    walk.does(do="mains", present=False)
    await walk.stands(Step.MAINS, Part.BATTERY)
    assert (await walk.look()).standing(Step.MAINS).state is State.WAITING
    walk.does(do="mains", present=True)
    await walk.stands(Step.MAINS)


def test_an_installation_goes_on_after_the_hub_was_started_again(walk: Walk) -> None:
    asyncio.run(_goes_on(walk))


async def _goes_on(walk: Walk) -> None:
    await installation.begin(walk.desk, HUB, INSTALLER)
    await walk.stands(Step.IDENTITY)
    walk.does(do="motion", what="kitchen", ms=300)
    await walk.stands(Step.SENSORS, "kitchen")
    walk.does(do="door", what="front", open=True)
    await walk.stands(Step.SENSORS, "front")
    before = (await walk.look()).find(Step.SENSORS, "kitchen")
    again = await installation.again(walk.desk, HUB, INSTALLER, Step.SENSORS, "front")
    assert again.find(Step.SENSORS, "front")
    walk.hub.kill()
    walk.hub.start(*PUNCTUAL)
    wait_until(walk.hub.armed, "the house opens again")
    reported = (await walk.look()).reported_utc
    began = time.monotonic()  # each look renews what the hub has forgotten
    while (await walk.look()).reported_utc == reported:
        assert time.monotonic() < began + 40
        await asyncio.sleep(0.1)
    after = await walk.look()
    assert after.find(Step.SENSORS, "kitchen") == before
    front = after.find(Step.SENSORS, "front")
    assert front
    assert (front.state, front.evidence.used_utc, front.evidence.why) == (
        State.WAITING,
        None,
        None,
    ), "the level that its driver says at a start is no use"
    assert Why.NO_REPORT not in {one.evidence.why for one in after.of(Step.SENSORS)}
