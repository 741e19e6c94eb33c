"""A hub that is replaced is told to the broker; one that is only taken off the list is not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from center.domain.enrolment import Certificate
from center.service import enrolment, removal
from center.service.enrolment import Who, Wish
from provisioning.broker.revocation import denied, list_of
from tests.broker import wait_until
from tests.center.e2e.office import Office
from tests.center.est import request, settings

WHO = Who("이설치", "192.0.2.1")


@pytest.fixture
def revoked(tmp_path: Path) -> Path:
    return tmp_path / "revoked"


@pytest.fixture
def office(tmp_path: Path, revoked: Path) -> Iterator[Office]:
    own = replace(settings(tmp_path), broker_dir=str(revoked))
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=own) as office:
        yield office


def enrolled(office: Office, hub: str) -> tuple[int, bytes]:
    """Claim a new hub; return the serial number of its certificate, and its request."""
    body = request(ec.generate_private_key(ec.SECP256R1()))
    waits = office.act(enrolment.ask(office.desk, body, "10.0.0.1"))
    office.act(enrolment.claim(office.desk, WHO, Wish(waits.digits, hub, replaces=True)))
    got = office.act(enrolment.ask(office.desk, body, "10.0.0.1"))
    assert isinstance(got, Certificate)
    return int(got.serial, 16), body


def listed(revoked: Path) -> set[int]:
    """Return the serial numbers of the list, once the broker's helper may use it."""
    found = list_of(revoked, revoked.parent, datetime.now(UTC))
    if found is None:
        return set()
    return {one.serial_number for one in x509.load_pem_x509_crl(found)}


def test_the_first_list_is_there_at_the_start_and_names_nobody(
    office: Office, revoked: Path
) -> None:
    wait_until((revoked / "denied").exists, "both files are written")
    found = x509.load_pem_x509_crl((revoked / "crl.pem").read_bytes())
    assert found.next_update_utc
    assert found.next_update_utc - datetime.now(UTC) > timedelta(days=30)
    assert list_of(revoked, revoked.parent, datetime.now(UTC)), "the broker's helper takes it"
    assert not denied(revoked)
    assert office.url


def test_a_replaced_hubs_certificate_is_on_the_list_and_its_name_goes_on(
    office: Office, revoked: Path
) -> None:
    old, _ = enrolled(office, "js-0001")
    neighbour, _ = enrolled(office, "js-0002")
    newer, _ = enrolled(office, "js-0001")
    wait_until(lambda: listed(revoked) == {old}, "within seconds", 10)
    assert {newer, neighbour}.isdisjoint(listed(revoked))
    assert not denied(revoked), "the home has a hub that works"


def test_a_hub_that_is_only_taken_off_the_list_can_still_call(
    office: Office, revoked: Path
) -> None:
    """Who tidies the list of hubs, and errs, must silence no home."""
    kept, _ = enrolled(office, "js-0001")
    office.greet("js-0001")
    done = office.store.submit(lambda conn: removal.remove_hub(conn, office.now(), "js-0001"))
    assert done.result(10) is removal.Removed.DONE
    gone, _ = enrolled(office, "js-0002")
    enrolled(office, "js-0002")
    wait_until(lambda: listed(revoked) == {gone}, "what was replaced is listed", 10)
    assert kept not in listed(revoked)
    assert not denied(revoked)


def test_the_list_is_made_anew_each_day(office: Office, revoked: Path) -> None:
    wait_until((revoked / "denied").exists, "it is written")
    first = x509.load_pem_x509_crl((revoked / "crl.pem").read_bytes()).last_update_utc
    office.ahead_s = 86_401.0

    def newer() -> bool:
        found = x509.load_pem_x509_crl((revoked / "crl.pem").read_bytes())
        return found.last_update_utc - first > timedelta(hours=23)

    wait_until(newer, "a day later", 10)
