"""Enrolment at size: a thousand hubs, floods of strangers, digits, and what keeps them apart."""

import asyncio
import base64
import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from center.authority import signing
from center.authority.signing import UnfitError
from center.domain import enrolment as domain
from center.domain.enrolment import (
    Certificate,
    Enrolment,
    Reason,
    Refused,
    State,
    crowded,
    network,
)
from center.domain.incident import Deed
from center.service import enrolment, removal, revocation
from center.service.enrolment import NotClaimedError, NotEnrolledError, Who, Wish, digits_of
from center.service.strangers import LINES_AN_HOUR, Budget, Told
from center.store.rows import audit, enrolments, revocations
from provisioning.certs.authority import common_name, is_issued_by
from tests.center.bodies import write
from tests.center.e2e.office import Office
from tests.center.est import request, settings

WHO = Who("이설치", "192.0.2.1")
NOW = 1_790_000_000.0


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=settings(tmp_path)) as office:
        yield office


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


# --- a county -----------------------------------------------------------------------------------


async def enrolled(office: Office, number: int, key: ec.EllipticCurvePrivateKey) -> Certificate:
    body, address = request(key), f"10.0.{number // 250}.{number % 250}"
    waits = await enrolment.ask(office.desk, body, address)
    assert isinstance(waits, Enrolment)
    await enrolment.claim(office.desk, WHO, Wish(waits.digits, f"js-{number:04}"))
    got = await enrolment.ask(office.desk, body, address)
    assert isinstance(got, Certificate)
    return got


def test_a_thousand_hubs_get_a_thousand_certificates_for_a_thousand_keys(office: Office) -> None:
    keys = [new_key() for _ in range(1000)]

    async def all_of_them() -> list[Certificate]:
        return await asyncio.gather(*(enrolled(office, n, key) for n, key in enumerate(keys)))

    given_ = office.act(all_of_them(), 120)
    made = [x509.load_der_x509_certificate(one.der) for one in given_]
    assert [common_name(one) for one in made] == [f"js-{n:04}" for n in range(1000)]
    assert len({one.serial_number for one in made}) == 1000
    assert len({spki(one.public_key()) for one in made}) == 1000
    assert [one.public_key() for one in made] == [key.public_key() for key in keys]
    assert office.desk.registry
    parent = office.desk.registry.authority.chain[0]
    assert all(is_issued_by(one, parent) for one in made[::50])
    assert office.store.read(enrolments.waiting, office.now()) == 0


def spki(key: object) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]


# --- floods -------------------------------------------------------------------------------------


def small(office: Office, most: int = 30, of_network: int = 10) -> None:
    registry = office.desk.registry
    assert registry
    registry.settings = replace(registry.settings, waiting_most=most, waiting_of_network=of_network)
    registry.requests = Budget(1e9, 0.0)


def ask(office: Office, address: str, key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """Ask once; return the digits, or why there are none."""
    try:
        found = office.act(enrolment.ask(office.desk, request(key or new_key()), address))
    except NotEnrolledError as error:
        return error.why.value
    assert isinstance(found, Enrolment)
    return found.digits


def test_strangers_fill_the_table_and_push_no_home_out(office: Office) -> None:
    small(office)
    home = new_key()
    digits = ask(office, "203.0.113.7", home)
    found = Counter(len(ask(office, f"198.51.100.{n}")) for n in (1, 2, 3, 4) for _ in range(15))
    assert found[len("busy")] >= 20, "no more of one network than it may have"
    assert office.store.read(enrolments.waiting, office.now()) == 30
    late = new_key()
    assert len(ask(office, "203.0.113.8", late)) == 8, "another home still gets in"
    assert ask(office, "203.0.113.7", home) == digits, "and nobody pushed the first one out"
    assert office.store.read(enrolments.waiting, office.now()) == 30
    assert ask(office, "198.51.100.1") == "busy"


def test_a_request_that_is_pushed_out_may_come_again_later(office: Office) -> None:
    small(office, most=3, of_network=3)
    keys = [new_key() for _ in range(3)]
    first = [ask(office, "198.51.100.1", key) for key in keys]
    assert len(ask(office, "203.0.113.7")) == 8
    assert ask(office, "198.51.100.1", keys[2]) == "busy", "the newest of whoever has most"
    assert [ask(office, "198.51.100.1", key) for key in keys[:2]] == first[:2]


def test_who_asks_no_longer_makes_room_first(office: Office) -> None:
    small(office, most=3, of_network=3)
    keys = [new_key() for _ in range(3)]
    for n, key in enumerate(keys):
        ask(office, f"203.0.113.{n}", key)
    assert ask(office, "203.0.113.9") == "busy", "each has one: nobody is pushed out"
    office.ahead_s = 100.0
    held = [ask(office, f"203.0.113.{n}", keys[n]) for n in (0, 1)]
    office.ahead_s = 150.0
    assert len(ask(office, "203.0.113.9")) == 8
    assert [ask(office, f"203.0.113.{n}", keys[n]) for n in (0, 1)] == held


def test_requests_that_are_over_hold_no_place_and_are_forgotten(office: Office) -> None:
    small(office, most=3, of_network=3)
    for _ in range(3):
        ask(office, "198.51.100.1")
    office.ahead_s = 901.0
    assert len(ask(office, "198.51.100.1")) == 8
    assert len(office.store.read(enrolments.all_waiting)) == 4
    office.ahead_s += 5000.0
    ask(office, "198.51.100.1")
    assert len(office.store.read(enrolments.all_waiting)) == 1


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 20), min_size=1),
    st.sampled_from("abcdefg"),
    st.integers(1, 60),
    st.integers(1, 20),
)
def test_nobody_makes_room_but_whoever_holds_most(
    holding: dict[str, int], newcomer: str, most: int, of_network: int
) -> None:
    gives = crowded(holding, newcomer, most, of_network)
    own = holding.get(newcomer, 0)
    if own >= of_network:
        assert gives is None
    elif gives:
        assert holding[gives] == max(holding.values())
        assert holding[gives] > own + 1, "it still has as many as the newcomer"
    elif gives == "":
        assert sum(holding.values()) < most


def test_two_hubs_that_ask_at_once_get_one_place_each(office: Office) -> None:
    key = new_key()

    async def both() -> list[object]:
        again = [enrolment.ask(office.desk, request(key), f"10.0.0.{n}") for n in range(9)]
        return [one.digits for one in await asyncio.gather(*again)]  # type: ignore[union-attr]

    assert len(set(office.act(both()))) == 1


def test_who_fetches_at_once_gets_one_certificate(office: Office) -> None:
    key = new_key()
    office.act(enrolment.claim(office.desk, WHO, Wish(ask(office, "10.0.0.1", key), "js-0001")))

    async def many() -> list[object]:
        again = [enrolment.ask(office.desk, request(key), f"10.0.0.{n}") for n in range(9)]
        return [one.serial for one in await asyncio.gather(*again)]  # type: ignore[union-attr]

    assert len(set(office.act(many()))) == 1
    issued = [one for one in office.store.read(audit.search) if one.entry.deed is ISSUED]
    assert len(issued) == 1


ISSUED = Deed.CERTIFICATE_ISSUED


# --- small parts --------------------------------------------------------------------------------


def test_digits_are_never_those_of_another_request(office: Office) -> None:
    drawn = iter(["00000001", "00000001", "00000001", "00000002"])
    room = enrolments.Room(10, 10, 900.0)
    asking = partial(enrolments.ask, room=room, digits=lambda: next(drawn))
    for key, digits in (("a", "00000001"), ("b", "00000002")):
        found = office.store.submit(
            lambda conn, key=key: asking(conn, key, "n", NOW)  # type: ignore[misc]
        ).result(10)
        assert isinstance(found, Enrolment)
        assert found.digits == digits


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("40718235", "40718235"),
        (" 4071 8235 ", "40718235"),
        ("4071-8235", "40718235"),
        ("4071823", ""),
        ("407182355", ""),
        ("4071823a", ""),
        ("\u0664\u0660\u0667\u0661\u0668\u0662\u0663\u0665", ""),
        ("", ""),
    ],
)
def test_digits_are_typed_in_many_ways(typed: str, digits: str) -> None:
    assert digits_of(typed) == digits


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::5", "2001:db8:1::"),
        ("2001:db8:1:ffff::5", "2001:db8:1::"),
        ("2001:db8:2::5", "2001:db8:2::"),
        ("", ""),
    ],
)
def test_a_customer_of_a_provider_is_one_network(address: str, whose: str) -> None:
    assert network(address) == whose


def test_a_budget_comes_back_with_time_and_is_of_each_network() -> None:
    budget = Budget(burst=3.0, rate_hz=0.5)
    assert [budget.spend("a", 1.0, 0.0) for _ in range(4)] == [True, True, True, False]
    assert budget.spend("b", 1.0, 0.0)
    assert not budget.spend("a", 1.0, 1.0)
    assert budget.spend("a", 1.0, 2.0)
    assert not budget.spend("a", 1.0, -500.0), "a clock that was set back gives nothing"


def test_a_thousand_networks_write_sixty_lines_an_hour() -> None:
    told = Told()
    lines = [told.times(("busy", f"net-{n}"), float(n)) for n in range(1000)]
    assert sum(lines) == LINES_AN_HOUR
    assert told.times(("busy", "net-999"), 3700.0) == 2, "and the next one says how many"


CERT = Certificate("1", "js-0001", "k", "", NOW, NOW, NOW + 100, b"")


@pytest.mark.parametrize(
    ("shown", "later", "why"),
    [
        (None, 0, Refused.NOT_OURS),
        (CERT, 0, None),
        (CERT, 1, None),
        (CERT, 2, Refused.SUPERSEDED),
        (replace(CERT, revoked_utc=NOW), 0, Refused.REVOKED),
        (replace(CERT, ends_utc=NOW - 9), 0, None),
        (replace(CERT, ends_utc=NOW - 11), 0, Refused.LAPSED),
    ],
)
def test_which_certificate_may_be_renewed(
    shown: Certificate | None, later: int, why: Refused | None
) -> None:
    newer = tuple(replace(CERT, serial=str(n), used_utc=NOW) for n in range(later))
    unused = tuple(replace(CERT, serial=f"u{n}") for n in range(5))
    assert domain.may_renew(shown, newer + unused, NOW, 10.0) is why


def test_no_bytes_break_the_reader_of_requests() -> None:
    draw = random.Random(7)  # noqa: S311 - no secret
    good = request(new_key())
    for _ in range(500):
        torn = bytearray(good)
        for _ in range(draw.randint(1, 4)):
            torn[draw.randrange(len(torn))] = draw.randrange(256)
        try:
            signing.read(bytes(torn))
        except UnfitError:
            continue


@pytest.mark.parametrize("wrap", ["one line", "many lines", "pem", "der"])
def test_a_request_is_read_however_a_client_wraps_it(wrap: str) -> None:
    line = request(new_key())
    lines = b"\r\n".join(line[n : n + 64] for n in range(0, len(line), 64))
    head, end = b"-----BEGIN CERTIFICATE REQUEST-----\n", b"\n-----END CERTIFICATE REQUEST-----\n"
    ways = {
        "one line": line,
        "many lines": lines + b"\r\n",
        "pem": head + lines + end,
        "der": base64.b64decode(line),
    }
    assert signing.read(ways[wrap]) == replace(
        signing.read(line), public=signing.read(ways[wrap]).public
    )


def test_an_authorised_request_that_nobody_fetches_waits_again_after_a_day(
    office: Office,
) -> None:
    key = new_key()
    digits = ask(office, "10.0.0.1", key)
    office.act(enrolment.claim(office.desk, WHO, Wish(digits, "js-0001")))
    office.ahead_s = 2 * 86_400.0
    fresh = ask(office, "10.0.0.1", key)
    assert fresh != digits
    one = office.store.read(enrolments.all_waiting)[0]
    assert (one.state, one.hub) == (State.WAITING, "")


def test_what_a_hub_left_here_goes_with_the_home(office: Office) -> None:
    office.greet("js-0001")
    assert left(office)
    office.store.submit(lambda conn: removal.remove_hub(conn, NOW, "js-0001")).result(10)
    assert office.store.read(enrolments.backup, "js-0001") is None
    assert not left(office), "it is still plugged in"
    office.greet("js-0001")
    assert left(office), "it is listed again: somebody has put it up again"


def left(office: Office, hub: str = "js-0001") -> bool:
    """Let a hub leave its habits; return whether they are kept."""
    leave = partial(enrolments.put_backup, hub=hub, serial="1", body=b"habits", now=NOW)
    taken = office.store.submit(leave).result(10)
    kept = office.store.read(enrolments.backup, hub)
    assert taken == (kept is not None)
    return taken


def test_nothing_is_kept_of_a_home_whose_record_was_removed(office: Office) -> None:
    office.greet("js-0001")
    assert left(office), "a record may be written later"
    write(office.store, hub="js-0001")
    assert left(office)
    office.store.submit(lambda conn: removal.remove_home(conn, NOW, "js-0001")).result(10)
    assert not left(office), "the hub still hangs there"
    assert left(office, "js-0002")
    write(office.store, hub="js-0001")
    assert left(office), "somebody else lives there"


# --- claims that meet ---------------------------------------------------------------------------

HUB, DAY_S = "js-0001", 86_400.0
Key = ec.EllipticCurvePrivateKey


def claimed(office: Office, address: str, *, replaces: bool = False) -> tuple[Key, str]:
    """Have an installer type the digits of a hub; it has not fetched its certificate yet."""
    key = new_key()
    wish = Wish(ask(office, address, key), HUB, replaces=replaces)
    office.act(enrolment.claim(office.desk, WHO, wish))
    return key, address


def fetched(office: Office, box: tuple[Key, str]) -> Certificate | Enrolment:
    found = office.act(enrolment.ask(office.desk, request(box[0]), box[1]))
    assert isinstance(found, Certificate | Enrolment)
    return found


def test_of_two_claims_for_a_home_the_last_one_counts(office: Office) -> None:
    """The first box's line broke before it fetched; in the depot it must not take the home."""
    first = claimed(office, "10.0.0.1")
    second = claimed(office, "10.0.0.2")
    own = fetched(office, second)
    assert isinstance(own, Certificate)
    office.ahead_s = 3600.0
    late = fetched(office, first)
    assert isinstance(late, Enrolment)
    assert (late.state, late.hub) == (State.WAITING, "")
    assert not office.act(enrolment.is_revoked(office.desk, own.der))


def test_a_strike_off_ends_a_claim_that_nobody_has_fetched(office: Office) -> None:
    assert isinstance(fetched(office, claimed(office, "10.0.0.1")), Certificate)
    stolen = claimed(office, "10.0.0.2", replaces=True)
    assert office.act(revocation.strike_off(office.desk, HUB, "이정민", Reason.STOLEN))
    assert isinstance(fetched(office, stolen), Enrolment)
    assert office.store.read(revocations.standing, office.now()).denied == (HUB,)
    assert isinstance(fetched(office, claimed(office, "10.0.0.3", replaces=True)), Certificate)
    assert office.store.read(revocations.standing, office.now()).denied == ()


def test_a_renewal_amid_a_replacement_leaves_the_old_hub_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = claimed(office, "10.0.0.1")
    own = fetched(office, old)
    assert isinstance(own, Certificate)
    office.ahead_s = 31 * DAY_S
    new = claimed(office, "10.0.0.2", replaces=True)
    stored = office.desk.store.change

    async def after_the_other(change: Any, *args: Any) -> Any:  # noqa: ANN401 - as it is called
        if change is enrolments.renew:
            await enrolment.ask(office.desk, request(new[0]), new[1])
        return await stored(change, *args)

    monkeypatch.setattr(office.desk.store, "change", after_the_other)
    with pytest.raises(NotEnrolledError) as error:
        office.act(enrolment.renew(office.desk, own.der, request(old[0], HUB), old[1]))
    assert error.value.why is Refused.REVOKED


def test_a_certificate_that_has_ended_is_not_given_a_second_time(office: Office) -> None:
    """Its answer was lost, and the hub was away for three months: it would look in an hour."""
    box = claimed(office, "10.0.0.1")
    own = fetched(office, box)
    assert isinstance(own, Certificate)

    def renewed() -> Certificate:
        asked = enrolment.renew(office.desk, own.der, request(box[0], HUB), box[1])
        found = office.act(asked)
        assert isinstance(found, Certificate)
        return found

    office.ahead_s = 31 * DAY_S
    lost = renewed()
    assert renewed() == lost
    office.ahead_s = 125 * DAY_S
    assert renewed().ends_utc > office.now()


def test_digits_typed_again_after_their_day_are_over(office: Office) -> None:
    key = new_key()
    wish = Wish(ask(office, "10.0.0.1", key), HUB)
    office.act(enrolment.claim(office.desk, WHO, wish))
    office.act(enrolment.claim(office.desk, WHO, wish))  # twice is one
    office.ahead_s = domain.SHOWN_S
    with pytest.raises(NotClaimedError) as error:
        office.act(enrolment.claim(office.desk, WHO, wish))
    assert error.value.why is domain.NotClaimed.OVER
