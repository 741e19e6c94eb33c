"""A hub gets its certificate, renews it, and says what is in the way: over real HTTPS."""

import asyncio
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hub.contract.provision import Claimed, Claiming, Clock, Fact, Part, Trouble
from hub.shared.county import County
from hub.shared.identity import AUTHORITY, CURRENT, KEY, NEXT, in_use, prove, read
from provisioning.certs import dev
from provisioning.certs.authority import authority, issue
from provisioning.enrol import store
from provisioning.enrol.enrolment import CLAIM_CAP_S, LOOK_S, RENEW_CAP_S, Enrolment
from provisioning.enrol.troubles import EnrolTrouble
from tests.broker import certs, free_port
from tests.provisioning.enrol.est import DIGITS, Answer, Est

DAY = 86_400.0
BOARD = "this board"


class Hub:
    """A hub's enrolment, with its clock `ahead_s` of the world's."""

    def __init__(self, root: Path, url: str, board: str = BOARD, *, synced: bool = True) -> None:
        self.root, self.board, self.url = root, board, url
        self.told: list[Fact] = []
        self.ahead_s = self.steady_s = 0.0
        self.synced = synced
        self.begin()

    def begin(self, ca: str = "ca.crt") -> None:
        """Begin anew, as after a restart."""
        county = County(center=self.url, ca=str(certs() / ca))
        self.enrolment = Enrolment(
            self.root,
            county,
            self.board,
            self.hear,
            synced=lambda: self.synced,
            utc=lambda: time.time() + self.ahead_s,
            steady=lambda: time.monotonic() + self.steady_s,
        )

    def hear(self, fact: Fact) -> None:
        """Note a fact; that a part is well, only where it was not: a process says it at first."""
        told = {one.part for one in self.told if isinstance(one, Trouble)}
        if not isinstance(fact, Trouble) or fact.present or fact.part in told:
            self.told.append(fact)

    def step(self) -> float:
        """Do one step; return the pause after it."""
        return asyncio.run(self.enrolment.step())

    def troubles(self) -> dict[Part, str]:
        """What is out of order, as the hub was told last."""
        last = {fact.part: fact for fact in self.told if isinstance(fact, Trouble)}
        return {part: fact.detail for part, fact in last.items() if fact.present}

    def claiming(self) -> list[Claiming]:
        return [fact for fact in self.told if isinstance(fact, Claiming)]


@pytest.fixture
def est() -> Iterator[Est]:
    with Est(certs()) as server:
        yield server


@pytest.fixture
def hub(tmp_path: Path, est: Est) -> Hub:
    return Hub(tmp_path / "identity", est.url)


def registered(hub: Hub, est: Est, name: str = "js-0001", days: float = 90.0) -> Hub:
    """A hub that got its first certificate, for `days`."""
    est.typed, est.days = name, days
    hub.step()
    est.typed = ""
    hub.told.clear()
    return hub


def later(hub: Hub, est: Est, days: float) -> None:
    """So many days have passed, for both."""
    hub.ahead_s = days * DAY
    est.utc = lambda: time.time() + days * DAY


def test_a_hub_shows_digits_until_they_are_typed_and_keeps_one_key(hub: Hub, est: Est) -> None:
    assert hub.step() == 5.0, "as the centre wants"
    assert hub.claiming()[-1] == Claiming(DIGITS)
    assert in_use(hub.root) is None
    hub.begin()  # a power cut
    hub.step()
    est.typed = "js-0001"
    assert hub.step() == LOOK_S
    assert hub.told[-2:] == [Claiming(), Claimed("js-0001")], hub.told
    held = in_use(hub.root)
    assert held is not None
    assert (held.hub, held.facts.board, held.facts.center) == ("js-0001", BOARD, est.url)
    assert len({spki for _, _, spki in est.asked}) == 1
    mode = stat.S_IMODE(Path(held.file(KEY)).stat().st_mode)
    assert mode == 0o600
    assert b"PRIVATE" in Path(held.file(KEY)).read_bytes()


def test_who_is_called_at_a_registration_and_never_at_a_renewal(hub: Hub, est: Est) -> None:
    """Before the identity is on the disk, since the power may be cut after that; and then again."""
    called: list[str] = []

    def note(word: str) -> None:
        held = in_use(hub.root)
        called.append(f"{word} {held.number if held else None}")

    hub.enrolment.registering = lambda: note("before")
    hub.enrolment.registered = lambda: note("after")
    registered(hub, est)
    assert called == ["before None", "after 1"]
    later(hub, est, 31)
    hub.step()
    assert read(hub.root, NEXT) is not None
    assert len(called) == 2


@pytest.mark.parametrize("one_line", [True, False])
def test_base64_may_be_one_line_or_many(hub: Hub, est: Est, *, one_line: bool) -> None:
    est.one_line = one_line
    registered(hub, est)
    assert read(hub.root) is not None


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (Answer(403, b"no", {"Content-Type": "text/plain"}), EnrolTrouble.REFUSED),
        (Answer(404, b"<h1>no</h1>", {"Content-Type": "text/html"}), EnrolTrouble.REFUSED),
        (Answer(503, b"", {"Retry-After": "90"}), EnrolTrouble.BUSY),
        (Answer(429, b"", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), EnrolTrouble.BUSY),
        (Answer(302, b"", {"Location": "http://login.example/"}), EnrolTrouble.PORTAL),
        (Answer(200, b"<html>", {"Content-Type": "text/html"}), EnrolTrouble.PORTAL),
        (Answer(200, b"bm90IHBrY3M3"), EnrolTrouble.UNREADABLE),
        (Answer(200, b"\xff\xfe!"), EnrolTrouble.UNREADABLE),
        (Answer(200, b""), EnrolTrouble.UNREADABLE),
    ],
)
def test_each_refusal_is_a_word_and_is_tried_again(
    hub: Hub, est: Est, answer: Answer, trouble: EnrolTrouble
) -> None:
    est.answer = answer
    pause_s = hub.step()
    assert hub.claiming()[-1] == Claiming(trouble=trouble)
    assert 0 < pause_s <= max(CLAIM_CAP_S, 90.0)
    if answer.headers.get("Retry-After") == "90":
        assert pause_s == 90.0
    est.answer, est.typed = None, "js-0001"
    hub.step()
    assert hub.told[-1] == Claimed("js-0001")


def test_a_certificate_of_another_key_is_refused_and_the_next_request_has_a_new_one(
    hub: Hub, est: Est
) -> None:
    other = dev.read(certs(), "hubs/js-0002")
    assert other
    est.answer = Answer(200, est.pkcs7(other.certificate))
    hub.step()
    assert hub.claiming()[-1] == Claiming(trouble=EnrolTrouble.OTHER_KEY)
    est.answer = None
    hub.step()
    hub.step()
    assert len({spki for _, _, spki in est.asked}) == 1
    assert hub.claiming()[-1] == Claiming(DIGITS)


def test_a_name_that_is_no_hubs_is_refused(hub: Hub, est: Est) -> None:
    est.typed = "Nobody/#"
    hub.step()
    assert hub.claiming()[-1] == Claiming(trouble=EnrolTrouble.UNREADABLE)
    assert in_use(hub.root) is None


def test_what_stands_in_the_way_of_the_network_is_told_apart(tmp_path: Path, est: Est) -> None:
    nobody = f"https://127.0.0.1:{free_port()}"
    for url, trouble in (
        (nobody, EnrolTrouble.NOBODY),
        ("https://center.invalid:8444", EnrolTrouble.NO_NAME),
        ("", EnrolTrouble.NOT_SET_UP),
    ):
        hub = Hub(tmp_path / "identity", url)
        hub.step()
        assert hub.claiming()[-1] == Claiming(trouble=trouble), url
    with Est(certs(), server="wrong/broker") as elsewhere:
        hub = Hub(tmp_path / "identity", elsewhere.url)
        hub.step()
        assert hub.claiming()[-1] == Claiming(trouble=EnrolTrouble.NOT_THE_CENTER)
    foreign = Hub(tmp_path / "identity", est.url)
    foreign.begin(ca="foreign/ca.crt")
    foreign.step()
    assert foreign.told[-1] == Claiming(trouble=EnrolTrouble.NOT_THE_CENTER)
    foreign.begin(ca="none.crt")
    foreign.step()
    assert foreign.told[-1] == Claiming(trouble=EnrolTrouble.NOT_SET_UP)


def test_a_third_of_its_life_later_it_is_renewed_for_the_next_dial(hub: Hub, est: Est) -> None:
    registered(hub, est)
    assert hub.step() == LOOK_S
    assert [verb for verb, _, _ in est.asked] == ["simpleenroll"]
    later(hub, est, 31)
    hub.step()
    assert est.asked[-1][:2] == ("simplereenroll", "js-0001")
    assert est.asked[-1][2] != est.asked[0][2], "a new key"
    current, fresh = read(hub.root), read(hub.root, NEXT)
    assert current is not None
    assert fresh is not None
    assert (current.number, fresh.number, fresh.hub) == (1, 2, "js-0001")
    asked = len(est.asked)
    hub.step()
    assert len(est.asked) == asked, "one renewed certificate waits for the hub's dial"
    assert not hub.claiming()
    assert prove(hub.root, fresh)
    assert in_use(hub.root) == fresh


@pytest.mark.parametrize("years", [-56, -1, 1])
def test_a_clock_years_off_neither_hinders_nor_hurries_a_renewal(
    tmp_path: Path, est: Est, years: int
) -> None:
    hub = registered(Hub(tmp_path / "identity", est.url, synced=False), est)
    hub.ahead_s = years * 365 * DAY
    hub.begin()
    hub.step()
    assert [verb for verb, _, _ in est.asked] == ["simpleenroll"], "it is not due"
    assert not hub.claiming()
    clocks = [fact for fact in hub.told if isinstance(fact, Clock)]
    assert clocks


@pytest.mark.parametrize("is_off", [True, False])
def test_a_centre_that_is_away_for_60_days_costs_nothing(
    hub: Hub, est: Est, *, is_off: bool
) -> None:
    registered(hub, est)
    url = hub.url
    est.answer = Answer(503)
    hub.url = f"https://127.0.0.1:{free_port()}" if is_off else url
    hub.begin()
    pauses = []
    for day in range(30, 90):
        later(hub, est, day + 0.1)
        pauses.append(hub.step())
    assert max(pauses) <= RENEW_CAP_S
    trouble = EnrolTrouble.NOBODY if is_off else EnrolTrouble.BUSY
    assert hub.troubles() == {Part.IDENTITY: trouble}, "told when two thirds are over"
    assert not hub.claiming(), "nobody is asked for digits"
    est.answer, hub.url = None, url
    hub.begin()
    later(hub, est, 89.9)
    hub.step()
    assert read(hub.root, NEXT) is not None


def test_a_centre_that_is_away_for_120_days_costs_no_visit(hub: Hub, est: Est) -> None:
    """The certificate has ended meanwhile: the centre renews it for 90 days more."""
    registered(hub, est)
    url, hub.url = hub.url, f"https://127.0.0.1:{free_port()}"
    hub.begin()
    for day in range(30, 121, 10):
        later(hub, est, day)
        hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.EXPIRED}
    assert hub.claiming()[-1] == Claiming(trouble=EnrolTrouble.NOBODY)
    hub.url = url
    hub.begin()
    hub.step()
    assert hub.troubles() == {}
    assert hub.claiming()[-1].digits == "", "nobody is asked for digits"
    fresh = read(hub.root, NEXT)
    assert fresh is not None
    assert fresh.hub == "js-0001"


@pytest.mark.parametrize("years", [-1, 1])
def test_a_renewal_that_is_due_is_made_with_the_clock_a_year_off(
    tmp_path: Path, est: Est, years: int
) -> None:
    hub = registered(Hub(tmp_path / "identity", est.url, synced=False), est)
    later(hub, est, 40)
    hub.ahead_s += years * 365 * DAY
    hub.begin()
    hub.step()
    assert [verb for verb, _, _ in est.asked] == ["simpleenroll", "simplereenroll"]
    assert read(hub.root, NEXT) is not None
    assert Part.CLOCK in hub.troubles()


def test_an_expired_hub_is_registered_anew_and_keeps_its_name(hub: Hub, est: Est) -> None:
    registered(hub, est, days=0.1)
    later(hub, est, 1)
    est.late = False
    est.days = 90
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.EXPIRED}
    assert hub.claiming()[-1] == Claiming(DIGITS)
    assert in_use(hub.root) is not None, "the old one stays until there is another"
    est.typed = "js-0001"
    hub.step()
    assert Claimed("js-0001") in hub.told
    assert hub.troubles() == {}
    fresh = read(hub.root, NEXT)
    assert fresh is not None
    assert fresh.hub == "js-0001"


def test_a_hub_that_is_struck_off_shows_digits_and_can_be_another_homes(hub: Hub, est: Est) -> None:
    """It was claimed for the wrong home: the supervisor strikes it off, somebody claims it anew."""
    registered(hub, est)
    est.struck_off.add("js-0001")
    hub.begin()  # its plug is pulled
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.REVOKED}
    assert hub.claiming()[-1] == Claiming(DIGITS)
    est.typed = "js-0002"
    hub.step()
    assert Claimed("js-0002") in hub.told
    assert hub.troubles() == {}
    held = in_use(hub.root)
    assert held is not None
    assert held.hub == "js-0002"
    asked = len(est.asked)
    hub.step()
    assert len(est.asked) == asked


def test_a_hub_that_was_claimed_anew_under_its_name_asks_for_no_more_digits(
    hub: Hub, est: Est
) -> None:
    registered(hub, est)
    est.struck_off.add("js-0001")
    hub.begin()
    hub.step()
    est.typed = "js-0001"
    hub.step()
    est.typed, asked = "", len(est.asked)
    hub.step()
    assert len(est.asked) == asked, "it waits for the hub's dial"
    assert hub.claiming()[-1] == Claiming()


def test_under_another_name_the_new_identity_is_the_current_one(hub: Hub, est: Est) -> None:
    registered(hub, est, days=0.1)
    later(hub, est, 1)
    est.late = False
    est.days, est.typed = 90, "js-0002"
    hub.step()
    assert Claimed("js-0002") in hub.told
    current = read(hub.root, CURRENT)
    assert current is not None
    assert current.hub == "js-0002"


def test_a_copied_card_asks_for_digits_with_a_key_of_its_own(hub: Hub, est: Est) -> None:
    hub.step()  # the card is copied while it waits
    twin = Hub(hub.root, est.url, board="another board")
    twin.step()
    assert len({spki for _, _, spki in est.asked}) == 2
    registered(twin, est)
    back = Hub(hub.root, est.url)
    back.step()
    assert back.troubles() == {Part.BOARD: EnrolTrouble.OTHER_BOARD}
    assert back.told[-1] == Claiming(DIGITS)
    assert not back.troubles().get(Part.IDENTITY)


def test_a_damaged_current_key_is_not_the_end(hub: Hub, est: Est) -> None:
    registered(hub, est)
    held = in_use(hub.root)
    assert held is not None
    Path(held.file(KEY)).write_bytes(b"-----BEGIN")
    hub.begin()
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.OTHER_KEY}
    assert hub.claiming()[-1] == Claiming(DIGITS)


def test_a_request_that_was_damaged_is_begun_anew(hub: Hub, est: Est) -> None:
    hub.step()
    for file in hub.root.glob("1/*"):
        if file.name != store.BOARD:
            file.write_bytes(b"")
    hub.begin()
    est.typed = "js-0001"
    hub.step()
    held = in_use(hub.root)
    assert held is not None
    assert held.number == 2


def test_a_hub_that_had_a_name_says_that_its_identity_is_lost(hub: Hub, est: Est) -> None:
    registered(hub, est)
    for file in [*hub.root.glob("1/hub.*"), *hub.root.glob("1/*.csr")]:
        file.write_bytes(b"")
    hub.begin()
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.NO_IDENTITY}
    assert hub.claiming()[-1] == Claiming(DIGITS)
    est.typed = "js-0001"
    hub.step()
    assert hub.troubles() == {}


def test_old_generations_go_and_the_one_before_stays(hub: Hub, est: Est) -> None:
    registered(hub, est)
    for round_ in range(1, 5):
        later(hub, est, round_ * 61)
        hub.step()
        fresh = read(hub.root, NEXT)
        assert fresh is not None, round_
        prove(hub.root, fresh)
    store.tidy(hub.root)
    assert sorted(p.name for p in hub.root.iterdir() if p.name.isdecimal()) == ["4", "5"]


def test_a_full_disk_is_told_and_what_was_asked_goes_on(
    hub: Hub, est: Est, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_whole", full)
        hub.step()
    assert hub.troubles() == {Part.DISK: "[Errno 28] No space left on device"}
    assert hub.claiming()[-1] == Claiming(trouble=EnrolTrouble.NO_ROOM)
    registered(hub, est)
    assert in_use(hub.root) is not None


@pytest.mark.parametrize(
    ("begins", "ends", "told", "synced", "trouble"),
    [
        (300, 600, 365, False, ""),  # this clock is a year behind, and knows that it may be
        (300, 600, 365, True, EnrolTrouble.CLOCK),
        (-600, -300, -365, False, ""),  # a year ahead
        (-600, -300, -365, True, EnrolTrouble.CENTER_EXPIRED),
        (-600, -300, 0, False, EnrolTrouble.CENTER_EXPIRED),  # it has expired by its own time
    ],
)
def test_without_a_clock_the_centre_is_checked_at_its_own_time(
    tmp_path: Path, begins: int, ends: int, told: int, trouble: str, *, synced: bool
) -> None:
    parent, now = dev.read(certs(), "ca"), datetime.now(UTC)
    assert parent
    days = timedelta(days=begins), timedelta(days=ends)
    dev.write(tmp_path, "ca", parent)
    pair = issue(parent, "center", hosts=("127.0.0.1",), begins=now + days[0], ends=now + days[1])
    dev.write(tmp_path, "broker", pair)
    with Est(tmp_path) as est:
        est.utc = lambda: time.time() + told * DAY
        hub = Hub(tmp_path / "identity", est.url, synced=synced)
        hub.step()
    assert hub.claiming()[-1] == (Claiming(trouble=trouble) if trouble else Claiming(DIGITS))


def test_while_digits_wait_a_refused_certificate_is_shown_once_an_hour(hub: Hub, est: Est) -> None:
    registered(hub, est)
    later(hub, est, 181)
    est.late = False
    for _ in range(5):
        assert hub.step() == 5.0
    assert [verb for verb, _, _ in est.asked].count("simplereenroll") == 1


def test_a_renewal_that_is_refused_without_a_word_shows_no_digits(hub: Hub, est: Est) -> None:
    """A wrong proxy at the centre, say: nobody is sent to a home that a hub protects."""
    registered(hub, est)
    later(hub, est, 31)
    est.answer = Answer(404, b"no", {"Content-Type": "text/plain"})
    hub.step()
    assert not hub.claiming()
    later(hub, est, 61)
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.REFUSED}
    assert not hub.claiming()


def test_a_renewed_one_that_waits_is_enough_while_the_centre_is_away(hub: Hub, est: Est) -> None:
    registered(hub, est)
    later(hub, est, 31)
    hub.step()
    later(hub, est, 85)
    est.answer = Answer(503)
    hub.step()
    assert read(hub.root, NEXT) is not None
    assert hub.troubles() == {}


def test_a_centre_that_renews_later_leaves_no_home_in_silence(hub: Hub, est: Est) -> None:
    registered(hub, est)
    later(hub, est, 91)
    est.answer = Answer(202, b"{}")
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.EXPIRED}


@pytest.mark.parametrize("years", [-1, 0, 1])
def test_a_clock_that_was_set_takes_nobody_for_expired(
    tmp_path: Path, est: Est, years: int
) -> None:
    """The hub compared clocks before its own was set; then the centre is away."""
    hub = registered(Hub(tmp_path / "identity", est.url, synced=False), est)
    est.utc = lambda: time.time() + 85 * DAY  # the hub was off, its clock stood still
    hub.ahead_s = years * 365 * DAY
    hub.begin()
    hub.step()
    hub.told.clear()
    hub.synced, hub.ahead_s = True, 85 * DAY
    est.answer = Answer(503, b"", {"Date": "none"})
    hub.step()
    assert hub.troubles() == {}
    assert not hub.claiming()


def test_a_certificate_that_is_not_valid_yet_is_told_while_the_centre_is_away(
    hub: Hub, est: Est
) -> None:
    est.utc = lambda: time.time() + 95 * DAY
    registered(hub, est)
    est.utc, hub.url = time.time, f"https://127.0.0.1:{free_port()}"
    hub.begin()
    hub.step()
    assert hub.troubles() == {Part.IDENTITY: EnrolTrouble.NOT_YET_VALID}


def test_new_authorities_do_not_push_the_older_certificate_off_the_disk(hub: Hub, est: Est) -> None:
    """A centre that was restored from a backup may know only that one."""
    registered(hub, est)
    later(hub, est, 31)
    hub.step()
    fresh = read(hub.root, NEXT)
    assert fresh is not None
    prove(hub.root, fresh)
    est.above = (authority("The next one").certificate,)
    hub.begin()
    hub.step()
    reissued = read(hub.root, NEXT)
    assert reissued is not None
    prove(hub.root, reissued)
    store.tidy(hub.root)
    left = {p.name for p in hub.root.iterdir() if p.name.isdecimal()}
    assert left == {"1", "2", "3"}


def test_a_certificate_that_comes_again_and_has_ended_is_asked_for_with_another_key(
    hub: Hub, est: Est, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of a renewal was lost; another EST server gives it again months later."""
    registered(hub, est)
    given: dict[bytes, x509.Certificate] = {}
    real = est.issue

    def again(request: x509.CertificateSigningRequest, name: str) -> x509.Certificate:
        key = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return given.setdefault(key, real(request, name))

    monkeypatch.setattr(est, "issue", again)
    later(hub, est, 31)
    with monkeypatch.context() as patch:
        patch.setattr(est, "pkcs7", lambda *_: b"")  # it was lost
        hub.step()
    assert given
    later(hub, est, 125)
    assert hub.step() == LOOK_S
    fresh = read(hub.root, NEXT)
    assert fresh is not None
    assert hub.troubles() == {}
    assert len(given) == 2


@pytest.mark.parametrize("name", [CURRENT, NEXT])
def test_an_identity_whose_authorities_were_damaged_is_renewed_at_once(
    hub: Hub, est: Est, name: str
) -> None:
    """The hub cannot dial with it: it would know no broker."""
    registered(hub, est)
    if name == NEXT:
        later(hub, est, 31)
        hub.step()
    held = read(hub.root, name)
    assert held is not None
    Path(held.file(AUTHORITY)).write_bytes(b"-----BEGIN")
    hub.begin()
    assert hub.step() == LOOK_S
    fresh = read(hub.root, NEXT)
    assert fresh is not None
    assert fresh != held
    assert x509.load_pem_x509_certificates(Path(fresh.file(AUTHORITY)).read_bytes())
    assert not hub.claiming()
