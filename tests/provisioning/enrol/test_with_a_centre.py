"""Hub and centre over months, with the real centre: strike-offs, wrong clocks, lost answers."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import delete

from center.domain.enrolment import Reason
from center.service import enrolment, revocation
from center.service.enrolment import Who, Wish
from center.store.tables import certificates
from hub.contract.provision import Claiming, Fact, Part, Trouble
from hub.shared.county import County
from hub.shared.identity import CERTIFICATE, CURRENT, NEXT, Identity, prove, read
from provisioning.enrol import keys
from provisioning.enrol.client import Client, Waiting
from provisioning.enrol.enrolment import LOOK_S, Enrolment
from provisioning.enrol.keys import Issued
from provisioning.enrol.troubles import EnrolError, EnrolTrouble
from tests.center.e2e.office import Office
from tests.center.est import settings

WHO = Who("이설치", "192.0.2.1")
HUB, BOARD, DAY = "js-0001", "this board", 86_400.0


def center(folder: Path) -> Office:
    folder.mkdir(exist_ok=True)
    own = replace(settings(folder), broker_dir=str(folder / "revoked"))
    return Office(f"sqlite:///{folder / 'center.db'}", authority=own)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with center(tmp_path) as office:
        yield office


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Office]:
    """The centre with another authority: a stolen one was replaced, or it is another county's."""
    with center(tmp_path / "other") as office:
        yield office


class Home:
    """A hub's enrolment; its clock goes with the centre's unless it is `apart`."""

    def __init__(self, folder: Path, office: Office) -> None:
        self.root, self.apart, self.steady_s = folder / "identity", False, 0.0
        self.visit(office)

    def visit(self, office: Office) -> None:
        """Somebody puts a county's file in place, and plugs the hub in again."""
        own = office.settings.authority
        assert own
        self.office = office
        self.county = County(center=f"https://{own.listen}", ca=own.ca_certificate)
        self.plug()

    def plug(self) -> None:
        """Pull the plug and put it in again."""
        self.told: list[Fact] = []
        self.enrolment = Enrolment(
            self.root,
            self.county,
            BOARD,
            self.told.append,
            synced=lambda: True,
            utc=self.utc,
            steady=lambda: time.monotonic() + self.steady_s,
        )

    def utc(self) -> float:
        return time.time() if self.apart else self.office.now()

    def step(self) -> float:
        return asyncio.run(self.enrolment.step())

    def days(self, days: float, *, plug: bool = True) -> None:
        """So many days after the begin of the story."""
        self.office.ahead_s = days * DAY
        if plug:
            self.plug()

    def shown(self) -> Claiming:
        """What the hub was told of digits last."""
        return [Claiming(), *(one for one in self.told if isinstance(one, Claiming))][-1]

    def trouble(self) -> str:
        """What is wrong with the identity, as the hub was told last; empty: nothing."""
        of = [one for one in self.told if isinstance(one, Trouble) and one.part is Part.IDENTITY]
        return of[-1].detail if of else ""

    def claim(self, hub: str = HUB) -> None:
        """An installer types the digits that the hub shows."""
        assert self.shown().digits
        wish = Wish(self.shown().digits, hub, replaces=True)
        self.office.act(enrolment.claim(self.office.desk, WHO, wish))

    def strike_off(self) -> None:
        act = revocation.strike_off(self.office.desk, HUB, "감독", Reason.MISTAKEN)
        self.office.act(act)

    def have(self, name: str) -> Identity:
        found = read(self.root, name)
        assert found
        return found

    def certificate(self, name: str) -> Issued:
        return keys.load(Path(self.have(name).file(CERTIFICATE)).read_bytes())

    def works(self, name: str) -> bool:
        """Whether the certificate is valid now, by the centre's clock."""
        leaf, now = self.certificate(name).leaf, datetime.fromtimestamp(self.office.now(), UTC)
        return leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc


@pytest.fixture
def home(tmp_path: Path, office: Office) -> Home:
    """A home whose hub is registered."""
    home = Home(tmp_path, office)
    home.step()
    home.claim()
    home.step()
    assert home.have(CURRENT).hub == HUB
    return home


def lose_the_answer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The centre gives a certificate, and the line breaks before the hub has it."""
    real = Client.enrol

    def lost(self: Client, request: bytes, key: bytes, *, again: bool = False) -> Issued | Waiting:
        real(self, request, key, again=again)
        raise EnrolError(EnrolTrouble.TIMEOUT)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "enrol", lost)
        home.step()


def test_a_certificate_of_a_centre_with_a_clock_ahead_is_replaced_once_it_is_right(
    home: Home,
) -> None:
    home.apart = True
    home.days(150, plug=False)
    home.step()
    home.days(0, plug=False)
    assert not home.works(NEXT)
    home.step()
    assert home.works(NEXT)
    assert home.trouble() == ""
    assert home.shown() == Claiming()


def test_a_hub_that_dialled_with_a_certificate_of_the_future_gets_another_at_once(
    home: Home,
) -> None:
    home.apart = True
    home.days(150, plug=False)
    home.step()
    prove(home.root, home.have(NEXT))
    home.days(0)
    assert not home.works(CURRENT)
    home.step()
    assert home.works(NEXT)
    assert home.trouble() == ""


def test_digits_for_a_hub_that_ended_by_a_wrong_clock_go_when_the_clock_is_right(
    home: Home,
) -> None:
    home.days(200, plug=False)  # more than the centre renews
    home.apart = True
    home.step()
    assert home.shown().digits
    assert home.trouble() == EnrolTrouble.EXPIRED
    home.days(0, plug=False)
    for _ in range(2):  # the first one hears the time
        home.step()
    assert home.trouble() == ""
    assert home.shown() == Claiming()


def test_a_hub_struck_off_while_a_renewed_certificate_waits_shows_digits_when_plugged_in(
    home: Home,
) -> None:
    home.days(31)
    home.step()
    assert home.works(NEXT)
    home.strike_off()
    home.days(31.1)
    home.step()
    assert home.trouble() == EnrolTrouble.REVOKED
    home.claim("js-0002")
    home.step()
    assert home.have(CURRENT).hub == "js-0002"


def test_a_hub_struck_off_is_claimed_anew_under_its_name_and_waits_for_its_dial(
    home: Home,
) -> None:
    home.days(31)
    home.step()
    home.strike_off()
    home.plug()
    home.step()
    home.claim()
    home.step()
    assert home.trouble() == ""
    home.plug()
    assert home.step() == LOOK_S
    assert home.trouble() == ""
    assert home.shown() == Claiming()
    assert home.works(NEXT)


def test_the_first_try_after_the_plug_may_fail_and_a_strike_off_is_heard_all_the_same(
    home: Home,
) -> None:
    home.strike_off()
    home.plug()
    home.office.shut()  # as a network that is not up yet
    home.step()
    home.office.open()
    home.step()
    assert home.trouble() == EnrolTrouble.REVOKED
    assert home.shown().digits


def test_a_hub_struck_off_before_it_had_its_first_certificate_asks_with_another_key(
    tmp_path: Path, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path, office)
    home.step()
    home.claim()
    lose_the_answer(home, monkeypatch)
    home.strike_off()
    home.plug()
    for _ in range(2):
        home.step()
    home.claim("js-0002")
    home.step()
    assert home.have(CURRENT).hub == "js-0002"


def test_a_renewal_that_was_lost_is_not_asked_for_by_who_has_to_be_claimed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.days(31)
    lose_the_answer(home, monkeypatch)
    home.strike_off()
    home.plug()
    home.step()
    home.claim()
    home.step()
    home.plug()
    home.step()
    assert home.trouble() == ""
    assert home.shown() == Claiming()


def restored(office: Office, certificate: Issued) -> None:
    """The centre's book is of a backup that does not know a certificate."""
    serial = f"{certificate.leaf.serial_number:x}"
    forget = delete(certificates).where(certificates.c.serial == serial)
    assert office.act(office.store.change(lambda conn: conn.execute(forget).rowcount)) == 1


def test_a_centre_that_was_restored_renews_by_the_certificate_of_before(home: Home) -> None:
    home.days(31)
    home.step()
    prove(home.root, home.have(NEXT))
    restored(home.office, home.certificate(CURRENT))
    home.days(62)
    home.step()
    assert home.trouble() == ""
    assert home.works(NEXT)
    asked = home.have(NEXT)
    home.step()
    assert home.have(NEXT) == asked
    assert home.shown() == Claiming()


def test_a_hub_that_no_book_of_the_centre_knows_is_told_and_shows_digits_and_goes_on(
    home: Home,
) -> None:
    restored(home.office, home.certificate(CURRENT))
    home.days(31)
    home.step()
    assert home.trouble() == EnrolTrouble.REFUSED
    assert home.works(CURRENT)
    home.claim()
    home.step()
    assert home.trouble() == ""
    assert home.works(CURRENT)
    assert home.works(NEXT)


def test_away_for_125_days_after_a_lost_renewal_costs_no_hour(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.days(31)
    lose_the_answer(home, monkeypatch)
    home.days(125)
    home.step()
    assert home.works(NEXT)
    assert home.trouble() == ""


def test_a_hub_whose_authority_was_replaced_shows_digits_and_keeps_what_it_has(
    home: Home, other: Office
) -> None:
    old = home.have(CURRENT)
    home.visit(other)
    home.step()
    assert home.trouble() == EnrolTrouble.OWN_REFUSED
    assert home.have(CURRENT) == old
    home.claim()
    home.step()
    assert home.trouble() == ""
    assert home.have(CURRENT) == old, "until a session stands with the new one"
    assert home.works(NEXT)
    home.step()
    assert home.shown() == Claiming()
    assert home.trouble() == ""


def test_a_hub_that_is_refused_for_an_hour_takes_its_digits_back(
    home: Home, office: Office, other: Office
) -> None:
    """The centre ran with another authority's files; its own are back."""
    home.visit(other)
    home.step()
    assert home.shown().digits
    own = office.settings.authority
    assert own
    home.enrolment._county = County(center=f"https://{own.listen}", ca=own.ca_certificate)
    home.steady_s += LOOK_S
    home.step()
    assert home.trouble() == ""
    assert home.shown() == Claiming()
