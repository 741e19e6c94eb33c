"""An installation at the centre: who may do what, what is stored, what a hub's report changes."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, func, insert, select

from center.domain import enrolment as requests
from center.domain.enrolment import Certificate, Reason
from center.domain.incident import Deed
from center.domain.installation import Answer, Part, State, Step, Why, WhyNot
from center.domain.lease import WhyNot as NoLease
from center.domain.record import ConsentItem, Contact, Record
from center.service import homes, incidents, installation, leases, revocation
from center.service.auth import Person, Role
from center.service.incidents import Target
from center.service.installation import NotInstalledError, Told
from center.service.intake import store_message
from center.service.leases import NotLeasedError
from center.service.removal import remove_home
from center.store import tables
from center.store.rows import audit, enrolments, installations, records
from center.store.rows import incidents as incident_rows
from center.store.rows import leases as lease_rows
from center.store.rows.audit import Filter
from hub.contract.messages import (
    CheckInResult,
    CommandKind,
    InstallDevice,
    InstallReport,
    Reply,
)
from hub.contract.scaip import Kind, What
from tests.center.counter import Counter, at_counter
from tests.center.lives import check_in
from tests.center.making import HUB, NAMES, NOW, event, hear, received, state

WHO = Person("최설치", Role.INSTALLER)
OTHER = Person("정설치", Role.INSTALLER)
OPERATOR = Person(NAMES[0], Role.OPERATOR)
LIVED = Record(name="이순자", address="정선읍 1", contacts=(Contact("이영희"),))
DEVICES = (
    InstallDevice("motion", "motion", "거실", used_s=1.0, heard_s=1.0),
    InstallDevice("button", "help_button", "거실", used_s=1.0),
)
SHOWN = InstallReport(NOW, synced=True, boot="b1", software="1.0", devices=DEVICES)


def claim(conn: Connection, by: str, utc: float, hub: str = HUB) -> None:
    """Have an installer claim a hub."""
    one = requests.asked(f"key {by} {utc}", "12345678", "192.0.2.1", utc, 900.0)
    done = requests.claimed(one, hub, by, utc, replaces=False)
    conn.execute(insert(tables.enrolments).values(**msgspec.structs.asdict(done)))


def fetch(conn: Connection, by: str, utc: float, hub: str = HUB) -> None:
    """Have the hub that was claimed fetch its certificate."""
    made = Certificate(f"{by} {utc}", hub, f"key {by} {utc}", by, utc, utc, utc + 9e6, b"")
    assert enrolments.issue(conn, made) is made


def typed(desk: Counter, by: Person = WHO, hub: str = HUB) -> None:
    desk.store.submit(lambda conn: claim(conn, by.name, desk.now, hub)).result(10)


def claimed(desk: Counter, by: Person = WHO, hub: str = HUB) -> None:
    typed(desk, by, hub)
    desk.store.submit(lambda conn: fetch(conn, by.name, desk.now, hub)).result(10)


def report(desk: Counter, said: InstallReport = SHOWN, hub: str = HUB) -> None:
    hear(desk.store, replace(said, utc=desk.now), hub, desk.now)


def stood(desk: Counter, step: Step, name: str = "") -> State:
    one = desk.store.read(installations.find, HUB)
    assert one
    item = one.find(step, name)
    return item.state if item else one.standing(step).state


async def refused(doing: object) -> WhyNot:
    with pytest.raises(NotInstalledError) as error:
        await doing  # type: ignore[misc]
    return error.value.why


def test_an_installer_sees_the_homes_whose_hub_they_claimed_and_no_other(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        assert await refused(installation.begin(desk.desk, HUB, WHO)) is WhyNot.NOT_YOURS
        claimed(desk)
        one = await installation.begin(desk.desk, HUB, WHO)
        assert (one.begun_by, one.begun_utc) == (WHO.name, NOW)
        assert await refused(installation.look(desk.desk, HUB, OTHER)) is WhyNot.NOT_YOURS
        assert await refused(installation.finish(desk.desk, HUB, OTHER)) is WhyNot.NOT_YOURS
        assert await refused(installation.reports(desk.desk, HUB, OTHER)) is WhyNot.NOT_YOURS
        told = Told(Step.CONSENTS, "voice", Answer.GIVEN)
        assert await refused(installation.tell(desk.desk, HUB, OTHER, told)) is WhyNot.NOT_YOURS
        assert [brief.hub for brief in await installation.listed(desk.desk, WHO)] == [HUB]
        assert await installation.listed(desk.desk, OTHER) == []
        assert [brief.by for brief in await installation.listed(desk.desk, OPERATOR)] == [WHO.name]
        desk.now += 10
        claimed(desk, OTHER)  # the hub was replaced, by another installer
        assert await refused(installation.look(desk.desk, HUB, WHO)) is WhyNot.NOT_YOURS
        assert (await installation.begin(desk.desk, HUB, OTHER)).begun_by == OTHER.name

    at_counter(tmp_path, story)


def test_a_home_that_nobody_knows_is_not_installed(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        assert await refused(installation.begin(desk.desk, "js-9999", OPERATOR)) is WhyNot.NO_HUB
        assert await refused(installation.look(desk.desk, HUB, OPERATOR)) is WhyNot.NOT_BEGUN

    at_counter(tmp_path, story)


def test_an_installation_goes_on_on_another_phone_and_with_another_person(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await installation.begin(desk.desk, HUB, WHO)
        desk.now += 30
        report(desk)
        again = await installation.begin(desk.desk, HUB, OPERATOR)
        assert (again.begun_by, again.begun_utc) == (WHO.name, NOW)
        item = (await installation.look(desk.desk, HUB, OPERATOR)).one.find(Step.SENSORS, "motion")
        assert item
        assert (item.state, item.proven_utc, item.by) == (State.PROVEN, NOW + 30, "")
        assert item.evidence.used_utc == NOW + 29
        lines = desk.store.read(audit.search, Filter(hub=HUB))
        deeds = [line.entry.by for line in lines if line.entry.deed is Deed.INSTALLATION_BEGUN]
        assert deeds == [WHO.name]

    at_counter(tmp_path, story)


def test_a_report_where_nobody_installs_changes_nothing(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        assert desk.link.orders == []
        told = received(SHOWN, utc=NOW)
        done = desk.store.submit(lambda conn: store_message(conn, told)).result(10)
        assert done.updates == ()
        rows = select(func.count()).select_from(tables.installations)
        assert desk.store.read(lambda conn: conn.scalar(rows)) == 0

    at_counter(tmp_path, story)


def test_a_report_that_the_broker_kept_proves_nothing(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        await installation.begin(desk.desk, HUB, OPERATOR)
        kept = received(SHOWN, utc=NOW + 30, retained=True)
        desk.store.submit(lambda conn: store_message(conn, kept)).result(10)
        assert stood(desk, Step.IDENTITY) is State.WAITING

    at_counter(tmp_path, story)


def test_the_hub_is_told_to_show_itself_while_somebody_looks(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        await installation.begin(desk.desk, HUB, OPERATOR)
        (hub, command), *_ = desk.link.orders
        assert (hub, command.kind, command.lasts_s) == (HUB, CommandKind.INSTALL_FOLLOW, 120.0)
        report(desk)
        for later, orders in ((1.0, 1), (59.0, 1), (61.0, 2), (62.0, 2)):
            desk.now = NOW + later
            report(desk)
            await installation.look(desk.desk, HUB, OPERATOR)
            assert len(desk.link.orders) == orders, later
        desk.now = NOW + 80  # the hub was started again, and has forgotten it
        await installation.look(desk.desk, HUB, OPERATOR)
        assert len(desk.link.orders) == 3
        counters = [command.counter for _, command in desk.link.orders]
        assert counters == sorted(set(counters))

    at_counter(tmp_path, story)


def test_a_hub_that_is_too_old_is_said_to_be(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        await installation.begin(desk.desk, HUB, OPERATOR)
        (_, command), *_ = desk.link.orders
        hear(desk.store, Reply(command.id, done=False, reason="unknown"), utc=NOW + 1)
        one = (await installation.look(desk.desk, HUB, OPERATOR)).one
        assert one.standing(Step.SENSORS).evidence.why is Why.OLD_HUB

    at_counter(tmp_path, story)


def test_what_the_resident_said_is_kept_in_the_record_and_in_the_audit(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await homes.keep(desk.desk, HUB, LIVED, OPERATOR.name, None)
        await installation.begin(desk.desk, HUB, WHO)
        assert stood(desk, Step.HOME) is State.PROVEN
        voice = Told(Step.CONSENTS, "voice", Answer.GIVEN, "2026-1")
        await installation.tell(desk.desk, HUB, WHO, voice)
        await installation.tell(
            desk.desk, HUB, WHO, replace(voice, name="vitals", answer=Answer.REFUSED)
        )
        await installation.tell(desk.desk, HUB, WHO, Told(Step.ANSIM119, "", Answer.REGISTERED))
        kept = desk.store.read(records.find, HUB)
        assert kept
        given = kept.record.consent(ConsentItem.VOICE)
        assert given
        assert (given.given, given.version, given.date) == (True, "2026-1", "2026-09-21")
        assert kept.record.consent(ConsentItem.VITALS) is not None
        assert not kept.record.allows(ConsentItem.VITALS)
        assert kept.record.registered_119
        assert (kept.record.name, kept.changed_by) == (LIVED.name, WHO.name)
        lines = desk.store.read(audit.search, Filter(hub=HUB))
        said = [one.entry.text for one in lines if one.entry.deed is Deed.INSTALLATION_TOLD]
        assert said == ["ansim119 registered", "consents vitals refused", "consents voice given"]
        assert (
            await refused(
                installation.tell(desk.desk, HUB, WHO, Told(Step.SENSORS, "motion", Answer.GIVEN))
            )
            is WhyNot.HUB_SHOWS_IT
        )

    at_counter(tmp_path, story)


def test_an_installer_begins_and_ends_test_mode_only_where_they_install(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        for person in (WHO, OTHER):
            with pytest.raises(NotLeasedError) as error:
                await leases.begin(desk.desk, HUB, person)
            assert error.value.why is NoLease.NOT_YOURS
        claimed(desk)
        with pytest.raises(NotLeasedError):  # it is not being installed yet
            await leases.begin(desk.desk, HUB, WHO)
        await installation.begin(desk.desk, HUB, WHO)
        await leases.begin(desk.desk, HUB, WHO)
        look = await installation.look(desk.desk, HUB, WHO)
        assert look.lease
        assert look.lease.by == WHO.name
        with pytest.raises(NotLeasedError) as error:
            await leases.end(desk.desk, HUB, OTHER)
        assert error.value.status == 403
        await leases.end(desk.desk, HUB, WHO)
        assert (await installation.look(desk.desk, HUB, WHO)).lease is None

    at_counter(tmp_path, story)


async def lease_shown(desk: Counter, by: Person) -> None:
    await leases.begin(desk.desk, HUB, by)
    command = desk.link.orders[-1][1]
    hear(desk.store, Reply(command.id, done=True), utc=desk.now)


def press(desk: Counter, alarm: str, what: What = What.RAISED) -> None:
    desk.now += 1
    hear(desk.store, event(what, alarm, at=desk.now), utc=desk.now)


def test_the_operators_answer_proves_the_test_call_and_the_testers_own_does_not(
    tmp_path: Path,
) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await installation.begin(desk.desk, HUB, WHO)
        report(desk)
        await lease_shown(desk, WHO)
        press(desk, "one")
        look = await installation.look(desk.desk, HUB, WHO)
        assert look.one.standing(Step.TEST_CALL).state is State.WAITING
        await incidents.answer_test(desk.desk, Target(WHO.name, "one"))  # by a page, he cannot
        own = (await installation.look(desk.desk, HUB, WHO)).one.standing(Step.TEST_CALL)
        assert (own.state, own.evidence.why) == (State.WAITING, Why.OWN_ANSWER)
        press(desk, "two")
        await incidents.answer_test(desk.desk, Target(OPERATOR.name, "two"))
        done = (await installation.look(desk.desk, HUB, WHO)).one.standing(Step.TEST_CALL)
        assert (done.state, done.by) == (State.PROVEN, OPERATOR.name)
        assert done.evidence.incident == "two"

    at_counter(tmp_path, story)


def test_in_a_home_without_a_button_a_spoken_call_is_the_test(tmp_path: Path) -> None:
    def cry(desk: Counter, alarm: str) -> bool:
        """Call by voice; return whether it waits as a test."""
        desk.now += 1
        said = event(What.RAISED, alarm, at=desk.now)
        spoken = replace(said, data=replace(said.data, kind=Kind.SPOKEN, device="voice"))
        hear(desk.store, spoken, utc=desk.now)
        found = desk.store.read(incident_rows.incident_of, HUB, alarm)
        assert found
        return found.is_test

    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await installation.begin(desk.desk, HUB, WHO)
        report(desk, replace(SHOWN, devices=DEVICES[:1], has=("voice",)))
        await lease_shown(desk, WHO)
        assert cry(desk, "one")
        await incidents.answer_test(desk.desk, Target(OPERATOR.name, "one"))
        done = (await installation.look(desk.desk, HUB, WHO)).one
        assert done.standing(Step.TEST_CALL).state is State.PROVEN
        assert stood(desk, Step.RESIDENT, Part.PRESSED) is State.LEFT_OUT
        assert stood(desk, Step.RESIDENT, Part.SPOKEN) is State.WAITING, "that was the installer"
        assert cry(desk, "two"), "the first one was answered"
        await installation.look(desk.desk, HUB, WHO)
        assert stood(desk, Step.RESIDENT, Part.SPOKEN) is State.PROVEN
        assert not cry(desk, "three"), "the second one was not"

    at_counter(tmp_path, story)


def test_a_real_call_and_a_test_of_before_prove_no_test_call(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        await lease_shown(desk, OPERATOR)
        press(desk, "before")
        await incidents.answer_test(desk.desk, Target(NAMES[1], "before"))
        await leases.end(desk.desk, HUB, OPERATOR)
        desk.now += 60
        await installation.begin(desk.desk, HUB, OPERATOR)
        press(desk, "real")
        await incidents.take(desk.desk, Target(NAMES[1], "real"))
        report(desk)
        assert stood(desk, Step.TEST_CALL) is State.WAITING
        assert stood(desk, Step.RESIDENT, Part.PRESSED) is State.PROVEN

    at_counter(tmp_path, story)


def test_the_installers_test_is_not_the_residents_press(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        await installation.begin(desk.desk, HUB, OPERATOR)
        with_green = replace(SHOWN, devices=(*DEVICES, InstallDevice("green", "cancel_button")))
        with_voice = replace(with_green, has=("voice",))
        report(desk, with_voice)
        await lease_shown(desk, OPERATOR)
        press(desk, "one")
        await incidents.answer_test(desk.desk, Target(NAMES[1], "one"))
        report(desk, with_voice)
        assert stood(desk, Step.TEST_CALL) is State.PROVEN
        parts = (Part.PRESSED, Part.CANCELLED, Part.SPOKEN)
        assert [stood(desk, Step.RESIDENT, one) for one in parts] == [State.WAITING] * 3
        press(desk, "two")
        press(desk, "two", What.CANCELLED)
        hear(desk.store, check_in(CheckInResult.FINE), utc=desk.now)
        report(desk, with_voice)
        assert [stood(desk, Step.RESIDENT, one) for one in parts] == [State.PROVEN] * 3

    at_counter(tmp_path, story)


async def all_shown(desk: Counter, person: Person) -> None:
    """Do all steps of a home with a motion sensor and a button."""
    hear(desk.store, state(utc=desk.now), utc=desk.now)
    await homes.keep(desk.desk, HUB, LIVED, OPERATOR.name, None)
    await installation.begin(desk.desk, HUB, person)
    desk.now += 5
    report(desk)
    await lease_shown(desk, person)
    press(desk, f"test {desk.now}")
    (one,) = desk.store.read(
        lambda conn: conn.execute(
            select(tables.incidents.c.id).where(tables.incidents.c.stage != "closed")
        ).all()
    )
    await incidents.answer_test(desk.desk, Target(NAMES[1], one.id))
    await leases.end(desk.desk, HUB, person)
    press(desk, f"own {desk.now}")
    for item in ConsentItem:
        await installation.tell(desk.desk, HUB, person, Told(Step.CONSENTS, item, Answer.GIVEN))
    await installation.tell(desk.desk, HUB, person, Told(Step.ANSIM119, "", Answer.REFUSED))


def test_it_ends_with_a_report_and_for_its_installer_a_day_later(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        claimed(desk)
        await all_shown(desk, WHO)
        await installation.again(desk.desk, HUB, WHO, Step.SENSORS, "motion")
        with pytest.raises(NotInstalledError) as error:
            await installation.finish(desk.desk, HUB, WHO)
        assert (error.value.why, error.value.steps) == (WhyNot.NOT_PROVEN, (Step.SENSORS,))
        desk.now += 5
        report(desk)
        done = await installation.finish(desk.desk, HUB, WHO)
        assert await installation.reports(desk.desk, HUB, WHO) == [done]
        assert {one.state for one in done.standings} == {State.PROVEN, State.LEFT_OUT}
        assert await refused(installation.begin(desk.desk, HUB, WHO)) is WhyNot.FINISHED
        assert await refused(installation.finish(desk.desk, HUB, WHO)) is WhyNot.FINISHED
        with pytest.raises(NotLeasedError):
            await leases.begin(desk.desk, HUB, WHO)
        desk.now += 86_401
        assert await refused(installation.look(desk.desk, HUB, WHO)) is WhyNot.NOT_YOURS
        assert await installation.listed(desk.desk, OPERATOR) == []
        desk.now += 10
        await installation.begin(desk.desk, HUB, OPERATOR)
        assert stood(desk, Step.SENSORS) is State.WAITING
        assert await installation.reports(desk.desk, HUB, OPERATOR) == [done]

    at_counter(tmp_path, story)


def test_nothing_of_it_is_left_when_the_home_is_removed(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        await all_shown(desk, OPERATOR)
        desk.store.submit(lambda conn: remove_home(conn, desk.now, HUB)).result(10)
        rows = select(func.count()).select_from(tables.installations)
        assert desk.store.read(lambda conn: conn.scalar(rows)) == 0

    at_counter(tmp_path, story)


async def all_done(desk: Counter) -> None:
    """Begin an installation, and have all of its steps proven but the test call's."""
    await homes.keep(desk.desk, HUB, LIVED, OPERATOR.name, None)
    await installation.begin(desk.desk, HUB, WHO)
    desk.now += 10
    report(desk)
    for item in ConsentItem:
        told = Told(Step.CONSENTS, item.value, Answer.REFUSED)
        await installation.tell(desk.desk, HUB, WHO, told)
    await installation.tell(desk.desk, HUB, WHO, Told(Step.ANSIM119, "", Answer.REFUSED))
    await lease_shown(desk, WHO)
    press(desk, "tested")
    await incidents.answer_test(desk.desk, Target(OPERATOR.name, "tested"))
    desk.now += 10
    press(desk, "pressed")
    press(desk, "pressed", What.CANCELLED)
    desk.now += 5
    report(desk)


def test_test_mode_ends_with_the_installation(tmp_path: Path) -> None:
    """Its installer goes away, and a call must not wait for them."""

    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await all_done(desk)
        assert desk.store.read(lease_rows.standing, desk.now, HUB)
        await installation.finish(desk.desk, HUB, WHO)
        assert desk.store.read(lease_rows.standing, desk.now, HUB) == []
        told = desk.link.orders[-1][1]
        assert (told.kind, told.lasts_s) == (CommandKind.TEST_MODE, 0.0)
        desk.now += 30
        press(desk, "fall")
        one = desk.store.read(incident_rows.incident_of, HUB, "fall")
        assert one
        assert not one.is_test

    at_counter(tmp_path, story)


def test_whoever_began_test_mode_may_end_it_though_the_home_is_anothers_now(
    tmp_path: Path,
) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await installation.begin(desk.desk, HUB, WHO)
        await lease_shown(desk, WHO)
        desk.store.submit(lambda conn: fetch_for_another(conn, desk.now)).result(10)
        assert not await installation.may_see(desk.desk, HUB, WHO)
        await leases.end(desk.desk, HUB, WHO)
        assert desk.store.read(lease_rows.standing, desk.now, HUB) == []
        with pytest.raises(NotLeasedError):
            await leases.begin(desk.desk, HUB, WHO)

    at_counter(tmp_path, story)


def fetch_for_another(conn: Connection, utc: float) -> None:
    claim(conn, OTHER.name, utc)
    fetch(conn, OTHER.name, utc)


def test_a_hub_that_takes_the_place_of_another_has_to_show_all_anew(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await all_done(desk)
        desk.now += 3600
        claimed(desk)
        one = (await installation.look(desk.desk, HUB, WHO)).one
        assert one.begun_utc == desk.now
        assert set(Step) - set(one.open_steps) == {Step.HOME, Step.CONSENTS, Step.ANSIM119}
        assert await refused(installation.finish(desk.desk, HUB, WHO)) is WhyNot.NOT_PROVEN
        desk.now += 10
        report(desk)
        assert stood(desk, Step.SENSORS) is State.PROVEN
        assert (await installation.listed(desk.desk, WHO))[0].begun_utc == one.begun_utc

    at_counter(tmp_path, story)


def test_digits_typed_for_the_wrong_home_give_no_rights_there_and_take_none(
    tmp_path: Path,
) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await installation.begin(desk.desk, HUB, WHO)
        desk.now += 60
        typed(desk, OTHER)
        assert await refused(installation.look(desk.desk, HUB, OTHER)) is WhyNot.NOT_YOURS
        assert (await installation.look(desk.desk, HUB, WHO)).one.begun_by == WHO.name
        desk.store.submit(lambda conn: fetch(conn, OTHER.name, desk.now)).result(10)
        assert await installation.may_see(desk.desk, HUB, OTHER)
        await revocation.strike_off(desk.desk, HUB, OPERATOR.name, Reason.MISTAKEN)
        for who in (WHO, OTHER):
            assert not await installation.may_see(desk.desk, HUB, who)

    at_counter(tmp_path, story)


def test_a_new_homes_installer_sees_it_before_the_hub_has_fetched_its_certificate(
    tmp_path: Path,
) -> None:
    async def story(desk: Counter) -> None:
        typed(desk)
        assert (await installation.begin(desk.desk, HUB, WHO)).begun_by == WHO.name
        desk.now += requests.SHOWN_S
        assert not await installation.may_see(desk.desk, HUB, WHO)

    at_counter(tmp_path, story)


def test_a_press_that_may_become_the_test_call_is_not_the_residents(tmp_path: Path) -> None:
    async def story(desk: Counter) -> None:
        hear(desk.store, state(utc=NOW), utc=NOW)
        claimed(desk)
        await installation.begin(desk.desk, HUB, WHO)
        await lease_shown(desk, WHO)
        press(desk, "one")
        await installation.look(desk.desk, HUB, WHO)  # the page is fetched every few seconds
        assert stood(desk, Step.RESIDENT, Part.PRESSED) is State.WAITING
        await incidents.answer_test(desk.desk, Target(OPERATOR.name, "one"))
        await installation.look(desk.desk, HUB, WHO)
        assert stood(desk, Step.TEST_CALL) is State.PROVEN
        assert stood(desk, Step.RESIDENT, Part.PRESSED) is State.WAITING
        desk.now += 10
        press(desk, "two")
        await installation.look(desk.desk, HUB, WHO)
        assert stood(desk, Step.RESIDENT, Part.PRESSED) is State.PROVEN

    at_counter(tmp_path, story)
