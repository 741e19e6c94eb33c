"""Hubs that are struck off: the files for the broker, the page, the shell, a real broker."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from msgspec.structs import replace
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from center.authority.signing import LIST_DAYS
from center.domain.enrolment import Reason
from center.domain.incident import Deed
from center.service import enrolment, revocation
from center.service.auth import Role
from center.service.enrolment import Who, Wish
from center.service.strangers import Registry
from center.store.rows import audit, revocations
from hub.__main__ import main
from provisioning.broker import revocation as at_broker
from provisioning.broker.config import write_config
from provisioning.certs import dev
from provisioning.certs.authority import issue
from tests.broker import Broker, wait_until
from tests.center.e2e.office import Office
from tests.center.est import Hub, settings

WHO, HUB, OTHER = Who("이설치", "127.0.0.1"), "js-0417", "js-0418"


@pytest.fixture
def told(tmp_path: Path) -> Path:
    folder = tmp_path / "revoked"
    folder.mkdir()
    return folder


@pytest.fixture
def office(tmp_path: Path, told: Path) -> Iterator[Office]:
    own = replace(settings(tmp_path), broker_dir=str(told))
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=own) as office:
        yield office


def enrolled(office: Office, folder: Path, name: str) -> tuple[Hub, x509.Certificate]:
    """Return a hub that an installer has claimed, and its certificate."""
    own = office.settings.authority
    assert own
    hub = Hub(folder, own.listen, name)
    wait_until(lambda: hub.ask().status_code == 202, "the port listens")
    office.act(enrolment.claim(office.desk, WHO, Wish(hub.digits(), name)))
    return hub, hub.fetch()


def listed(told: Path) -> set[int]:
    made = x509.load_pem_x509_crl((told / revocation.CRL).read_bytes())
    return {one.serial_number for one in made}


def denied(told: Path) -> tuple[str, ...]:
    return at_broker.denied(told)


def strike_off(office: Office, hub: str, reason: Reason = Reason.STOLEN) -> bool:
    return bool(office.act(revocation.strike_off(office.desk, hub, "박감독", reason)))


def test_a_hub_that_is_struck_off_is_denied_and_its_certificate_listed(
    office: Office, tmp_path: Path, told: Path
) -> None:
    thief, gone = enrolled(office, tmp_path, HUB)
    _, kept = enrolled(office, tmp_path, OTHER)
    wait_until((told / revocation.DENIED).exists, "a list of nobody is there at first")
    assert (denied(told), listed(told)) == ((), set())
    assert strike_off(office, HUB)
    wait_until(lambda: denied(told) == (HUB,), "the broker's helper is told")
    assert listed(told) == {gone.serial_number}
    assert kept.serial_number not in listed(told)
    deeds = [one.entry.deed for one in office.store.read(audit.search)]
    assert {Deed.HUB_STRUCK_OFF, Deed.CERTIFICATES_REVOKED} <= set(deeds)
    assert thief.renew(thief.key).status_code == 403, "it gets no other certificate"
    assert thief.ask().status_code == 403, "nor by asking as at first"
    assert not strike_off(office, HUB), "twice is once"
    assert not strike_off(office, "js-9999"), "nobody knows it"


def test_the_helper_can_use_the_list_and_it_holds_for_two_months(
    office: Office, tmp_path: Path, told: Path
) -> None:
    enrolled(office, tmp_path, HUB)
    wait_until((told / revocation.CRL).exists, "a list is there")
    now = datetime.now(UTC)
    assert at_broker.list_of(told, tmp_path, now)
    soon = now + timedelta(days=LIST_DAYS) - at_broker.SPARE - timedelta(hours=1)
    assert at_broker.list_of(told, tmp_path, soon)
    assert at_broker.list_of(told, tmp_path, soon + timedelta(hours=2)) is None


def test_another_machine_for_the_home_is_let_in_and_the_old_one_stays_out(
    office: Office, tmp_path: Path, told: Path
) -> None:
    _, old = enrolled(office, tmp_path, HUB)
    strike_off(office, HUB)
    wait_until(lambda: denied(told) == (HUB,), "it is denied")
    own = office.settings.authority
    assert own
    new = Hub(tmp_path, own.listen, "new")
    office.act(enrolment.claim(office.desk, WHO, Wish(new.digits(), HUB, replaces=True)))
    wait_until(lambda: denied(told) == (HUB,), "until it has its certificate, nobody speaks")
    fresh = new.fetch()
    wait_until(lambda: denied(told) == (), "now the home speaks again")
    assert listed(told) == {old.serial_number}
    assert fresh.serial_number not in listed(told)


def test_the_list_is_written_anew_each_day_and_when_the_folder_comes_back(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "own"  # the rounds write to another
    folder.mkdir()
    assert office.desk.registry
    authority, own = office.desk.registry.authority, office.desk.registry.settings
    writer = revocation.Writer(Registry(authority, replace(own, broker_dir=str(folder))))
    assert office.act(writer.look(office.desk))
    assert not office.act(writer.look(office.desk)), "nothing has changed"
    first = (folder / revocation.CRL).read_bytes()
    office.ahead_s += revocation.DAY_S + 1
    assert office.act(writer.look(office.desk))
    assert (folder / revocation.CRL).read_bytes() != first
    moved = folder.rename(folder.with_name("away"))
    folder.touch()
    office.ahead_s += revocation.DAY_S + 1
    for _ in range(3):
        assert not office.act(writer.look(office.desk)), "it is tried again"
    assert [one.name for one in caplog.records].count(revocation.log.name) == 1, "and logged once"
    folder.unlink()
    moved.rename(folder)
    assert office.act(writer.look(office.desk))
    office.ahead_s -= 10 * revocation.DAY_S
    assert office.act(writer.look(office.desk)), "a clock that was set back does not stop it"


def test_what_has_ended_by_itself_need_not_be_listed(office: Office, tmp_path: Path) -> None:
    _, gone = enrolled(office, tmp_path, HUB)
    strike_off(office, HUB)
    serial = f"{gone.serial_number:x}"
    now = office.now()
    assert [one for one, _ in office.store.read(revocations.standing, now).revoked] == [serial]
    later = gone.not_valid_after_utc.timestamp() + 1
    assert office.store.read(revocations.standing, later).revoked == ()
    assert office.store.read(revocations.standing, later).denied == (HUB,)


@pytest.mark.broker
def test_a_stolen_hubs_session_ends_and_it_does_not_come_back(
    office: Office, tmp_path: Path, told: Path
) -> None:
    """From the supervisor's act to the end of the session; only systemd's path unit is left out."""
    thief, _ = enrolled(office, tmp_path, HUB)
    neighbour, _ = enrolled(office, tmp_path, OTHER)
    parent = dev.read(tmp_path, "ca")
    assert parent
    dev.write(tmp_path, "broker", issue(parent, "broker", hosts=("127.0.0.1", "localhost")))
    with Broker(certs_dir=tmp_path) as broker:
        broker.stop()
        wait_until((told / revocation.CRL).exists, "a list is there")
        write_config(broker.folder, tmp_path, broker.port, revoked=told)
        broker.start()
        with session(broker, thief) as stolen, session(broker, neighbour) as kept:
            assert strike_off(office, HUB)
            wait_until(lambda: denied(told) == (HUB,), "the broker's helper is told")
            assert main(["broker-reload", str(broker.folder), str(tmp_path), str(told)]) == 0
            wait_until(lambda: not stolen.is_connected(), "the session has ended", 5)
            assert kept.is_connected()
        before = len(broker.log())
        with pytest.raises((OSError, AssertionError)), session(broker, thief):
            pass
        assert "certificate verify failed" in broker.log()[before:]


@contextmanager
def session(broker: Broker, hub: Hub) -> Iterator[Client]:
    """A hub's session that is not dialled again when it ends."""
    certificate, key = hub.files()
    client = Client(CallbackAPIVersion.VERSION2, hub.name, reconnect_on_failure=False)
    client.tls_set(str(hub.folder / "ca.crt"), certificate, key)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        wait_until(client.is_connected, "the broker lets the hub in", 5)
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def test_only_a_supervisor_who_types_the_number_strikes_off(
    office: Office, tmp_path: Path, told: Path
) -> None:
    enrolled(office, tmp_path, HUB)
    page, said = f"/homes/{HUB}/strike-off", {"reason": "stolen", "sure": HUB}
    with visitor(office, "김상담", Role.OPERATOR) as operator:
        assert operator.get(page).status_code == 403
        assert send(operator, page, said) == 403
    with visitor(office, "박감독", Role.SUPERVISOR) as supervisor:
        assert "등록 취소" in supervisor.get(page).text
        assert send(supervisor, page, {**said, "sure": "js-0001"}) == 422
        assert send(supervisor, page, {"sure": HUB}) == 422
        assert denied(told) == ()
        assert send(supervisor, page, said) == 303
        assert "도난" in supervisor.get(page).text
        assert send(supervisor, page, said) == 409
    wait_until(lambda: denied(told) == (HUB,), "the broker's helper is told")


def visitor(office: Office, name: str, role: Role) -> httpx.Client:
    office.hire(name, role)
    return office.visit(name)


def send(person: httpx.Client, page: str, said: dict[str, str]) -> int:
    token = re.search(
        'name="csrf" value="([^"]+)"', person.get("/hubs").text + person.get(page).text
    )
    return person.post(page, data={**said, "csrf": token[1] if token else ""}).status_code
