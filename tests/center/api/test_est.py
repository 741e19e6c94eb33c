"""A hub asks for its certificate, an installer claims it, it fetches and renews: over real TLS."""

import base64
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from center import secure_port
from center.domain.incident import Deed
from center.service import enrolment, removal
from center.service.enrolment import NotClaimedError, Who, Wish
from center.service.strangers import Budget
from center.store.rows import audit, enrolments
from provisioning.certs.authority import Pair, authority, common_name, is_issued_by, issue
from tests.broker import wait_until
from tests.center.bodies import write
from tests.center.e2e.office import Office
from tests.center.est import EST, Hub, certificate, request, settings

WHO = Who("이설치", "127.0.0.1")
HUB = "js-0417"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    own = settings(tmp_path)
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=own) as office:
        yield office


@pytest.fixture
def hub(tmp_path: Path, office: Office) -> Hub:
    return new_hub(tmp_path, office)


def new_hub(folder: Path, office: Office, name: str = "hub") -> Hub:
    own = office.settings.authority
    assert own
    hub = Hub(folder, own.listen, name)
    wait_until(lambda: reachable(own.listen), "the port listens")
    return hub


def reachable(listen: str) -> bool:
    host, _, port = listen.rpartition(":")
    with socket.socket() as found:
        return found.connect_ex((host, int(port))) == 0


def claim(office: Office, digits: str, hub: str = HUB, **more: bool) -> None:
    office.act(enrolment.claim(office.desk, WHO, Wish(digits, hub, **more)))


def given(office: Office, hub: Hub, name: str = HUB, **more: bool) -> x509.Certificate:
    claim(office, hub.digits(), name, **more)
    return hub.fetch()


def deeds(office: Office) -> list[tuple[Deed, str, str]]:
    lines = reversed(office.store.read(audit.search))
    return [(one.entry.deed, one.entry.by, one.entry.hub) for one in lines]


def reason(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"].startswith("text/plain"), answer.headers
    assert len(answer.text.strip()) > 20, "a sentence says why"
    return answer.status_code, answer.headers["anbu-reason"]


def refusals(office: Office) -> list[str]:
    lines = [one.entry for one in office.store.read(audit.search)]
    return [one.text.partition(" 127")[0] for one in lines if one.deed is Deed.ENROLMENT_REFUSED]


# --- the good way -------------------------------------------------------------------------------


def test_a_hub_waits_with_eight_digits_until_somebody_types_them(office: Office, hub: Hub) -> None:
    answer = hub.ask()
    assert (answer.status_code, answer.headers["retry-after"]) == (202, "5")
    digits = answer.json()["digits"]
    assert len(digits) == 8
    assert 880 < answer.json()["valid_s"] <= 900
    assert hub.digits() == digits, "to ask again changes nothing"
    claim(office, digits)
    got = hub.fetch()
    assert common_name(got) == HUB, "the centre names it, whatever the request says"
    assert is_issued_by(got, x509.load_pem_x509_certificate((hub.folder / "ca.crt").read_bytes()))
    assert got.public_key() == hub.key.public_key()
    life = got.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=89) < life <= timedelta(days=90)
    purposes = got.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in purposes] == ["1.3.6.1.5.5.7.3.2"], "a client's"
    assert certificate(hub.ask()) == got, "an answer that was lost comes again"
    assert deeds(office) == [
        (Deed.HUB_CLAIMED, WHO.name, HUB),
        (Deed.CERTIFICATE_ISSUED, WHO.name, HUB),
    ]


def test_the_port_tells_its_authority_and_the_time(office: Office, hub: Hub) -> None:
    with hub.client() as client:
        (parent,) = pkcs7.load_der_pkcs7_certificates(
            base64.b64decode(client.get(f"{EST}/cacerts").content)
        )
        assert parent.public_bytes(Encoding.PEM) == (hub.folder / "ca.crt").read_bytes()
        assert client.get(f"{EST}/csrattrs").status_code == 204
        assert abs(client.get("/hub/time").json()["utc"] - office.now()) < 10
        assert reason(client.get("/")) == (404, "not_found")
        assert reason(client.get(f"{EST}/simpleenroll")) == (405, "method")


def test_a_hub_renews_with_its_certificate_and_a_new_key(office: Office, hub: Hub) -> None:
    first = given(office, hub)
    newer = ec.generate_private_key(ec.SECP256R1())
    second = certificate(hub.renew(newer))
    assert (common_name(second), second.public_key()) == (HUB, newer.public_key())
    assert second.serial_number != first.serial_number
    assert certificate(hub.renew(newer)) == second, "an answer that was lost comes again"
    assert deeds(office)[-1] == (Deed.CERTIFICATE_RENEWED, "", HUB)


def test_answers_that_are_lost_again_and_again_lock_no_hub_out(office: Office, hub: Hub) -> None:
    given(office, hub)
    for _ in range(5):
        certificate(hub.renew(ec.generate_private_key(ec.SECP256R1())))


def test_the_certificate_before_the_last_one_renews_an_older_one_does_not(
    office: Office, hub: Hub, tmp_path: Path
) -> None:
    given(office, hub)
    copy = new_hub(tmp_path, office, "copy")
    copy.pair = hub.pair
    for step in ("first", "second"):
        newer = ec.generate_private_key(ec.SECP256R1())
        hub.pair = Pair(certificate(hub.renew(newer)), newer)
        with hub.client(hub.files()) as client:
            assert client.put("/hub/backup", content=b"{}").status_code == 204, "it is in use"
        answer = copy.renew(ec.generate_private_key(ec.SECP256R1()))
        assert answer.status_code == (200 if step == "first" else 403), answer.text
    assert reason(answer) == (403, "superseded")
    assert "superseded" in refusals(office)


def other_time(client: httpx.Client) -> httpx.Headers:
    answer = client.get("/hub/time")
    assert answer.status_code == 200
    return answer.headers


def test_what_a_hub_leaves_here_is_read_by_the_one_that_replaces_it(
    office: Office, hub: Hub, tmp_path: Path
) -> None:
    given(office, hub)
    with hub.client(hub.files()) as client:
        assert reason(client.get("/hub/backup")) == (404, "no_backup")
        for body in (b"older", b"learned"):
            assert client.put("/hub/backup", content=body).status_code == 204
        assert reason(client.put("/hub/backup", content=b"x" * 1_000_001)) == (413, "too_large")
    other = new_hub(tmp_path, office, "other")
    with pytest.raises(NotClaimedError, match="has_hub"):
        claim(office, other.digits())
    given(office, other, replaces=True)
    with other.client(other.files()) as client:
        answer = client.get("/hub/backup")
        assert answer.content == b"learned"
        assert float(answer.headers["anbu-saved"]) == pytest.approx(office.now(), abs=60)
        assert "anbu-reason" not in other_time(client)
    with hub.client(hub.files()) as client:
        assert other_time(client)["anbu-reason"] == "revoked", "so that it shows digits again"
        assert reason(client.get("/hub/backup")) == (403, "revoked"), "the old one is struck off"
        assert reason(client.put("/hub/backup", content=b"late")) == (403, "revoked")
    assert reason(hub.ask()) == (403, "revoked")
    done = [deed for deed, _, _ in deeds(office)]
    assert done.count(Deed.HUB_REPLACED) == done.count(Deed.BACKUP_READ) == 1
    assert Deed.CERTIFICATES_REVOKED in done


def test_a_hub_that_still_hangs_in_a_home_that_was_removed_leaves_nothing_here(
    office: Office, hub: Hub
) -> None:
    given(office, hub)
    write(office.store, hub=HUB)
    with hub.client(hub.files()) as client:
        assert client.put("/hub/backup", content=b"learned").status_code == 204
        gone = partial(removal.remove_home, utc=office.now(), hub=HUB)
        assert office.store.submit(gone).result(10)
        assert reason(client.put("/hub/backup", content=b"learned")) == (404, "no_home")
        assert reason(client.get("/hub/backup")) == (404, "no_backup")


# --- what is refused ----------------------------------------------------------------------------


def test_a_stolen_request_gains_nothing_and_disturbs_nobody(office: Office, hub: Hub) -> None:
    digits = hub.digits()
    with hub.client() as thief:
        stolen = request(hub.key)
        for _ in range(20):
            answer = thief.post(f"{EST}/simpleenroll", content=stolen)
            assert answer.json()["digits"] == digits, "they are the hub's own, not the thief's"
    claim(office, digits)
    with hub.client() as thief:
        theirs = certificate(thief.post(f"{EST}/simpleenroll", content=stolen))
    assert theirs.public_key() == hub.key.public_key(), "of no use without its key"
    assert hub.fetch() == theirs, "and the hub gets it all the same"


def test_a_request_for_somebody_elses_key_is_refused(office: Office, hub: Hub) -> None:
    made = bytearray(base64.b64decode(request(hub.key)))
    made[-3] ^= 1
    torn = base64.b64encode(made)
    with hub.client() as client:
        assert reason(client.post(f"{EST}/simpleenroll", content=torn)) == (400, "bad_signature")
        answer = client.post(f"{EST}/simpleenroll", content=b"x", headers={"accept-language": "ko"})
        assert reason(answer) == (400, "no_request")
        assert "인증서 요청" in answer.text
        big = client.post(f"{EST}/simpleenroll", content=b"A" * 20_000)
        assert reason(big) == (413, "too_large")
    assert set(refusals(office)) == {"bad_signature", "no_request"}


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1(), None])
def test_only_p_256_is_signed(office: Office, hub: Hub, curve: ec.EllipticCurve | None) -> None:
    assert office.desk.registry
    if curve is None:
        hub.key = rsa.generate_private_key(65537, 2048)  # type: ignore[assignment]
    else:
        hub.key = ec.generate_private_key(curve)
    assert reason(hub.ask()) == (400, "wrong_key")


def test_digits_are_over_after_their_time_and_are_used_once(office: Office, hub: Hub) -> None:
    digits = hub.digits()
    office.ahead_s = 901.0
    with pytest.raises(NotClaimedError, match="digits_over"):
        claim(office, digits)
    fresh = hub.digits()
    assert fresh != digits
    with pytest.raises(NotClaimedError, match="no_such_digits"):
        claim(office, digits)
    claim(office, fresh)
    with pytest.raises(NotClaimedError, match="taken"):
        claim(office, fresh, "js-0418")
    hub.fetch()
    with pytest.raises(NotClaimedError, match="no_such_digits"):
        claim(office, fresh, "js-0418")
    refused = [line for line in deeds(office) if line[0] is Deed.CLAIM_REFUSED]
    assert len(refused) == 4
    assert {line[1] for line in refused} == {WHO.name}


def test_an_unknown_home_is_refused_where_a_known_one_is_meant(office: Office, hub: Hub) -> None:
    with pytest.raises(NotClaimedError, match="unknown_home"):
        claim(office, hub.digits(), "js-9999", known_home=True)
    assert hub.ask().status_code == 202, "it still waits"


def test_renewal_wants_the_certificate_and_its_own_name(office: Office, hub: Hub) -> None:
    given(office, hub)
    key = ec.generate_private_key(ec.SECP256R1())
    with hub.client() as client:
        answer = client.post(f"{EST}/simplereenroll", content=request(key))
        assert reason(answer) == (403, "no_certificate")
        assert reason(client.get("/hub/backup")) == (403, "no_certificate")
    assert reason(hub.renew(key, "js-0001")) == (403, "wrong_name")
    assert common_name(certificate(hub.renew(key, HUB))) == HUB, "its own is right"


def test_a_certificate_that_is_in_no_book_is_not_renewed(office: Office, hub: Hub) -> None:
    own = office.settings.authority
    assert own
    assert office.desk.registry
    hub.pair = issue(office.desk.registry.authority.pair, HUB)
    assert reason(hub.renew(hub.key)) == (403, "not_ours")


def test_an_ended_certificate_is_renewed_for_a_while_then_a_person_has_to_come(
    office: Office, hub: Hub
) -> None:
    given(office, hub)
    office.ahead_s = 150 * 86_400.0
    late = ec.generate_private_key(ec.SECP256R1())
    hub.pair = Pair(certificate(hub.renew(late)), late)
    office.ahead_s = 3 * 366 * 86_400.0
    assert reason(hub.renew(hub.key)) == (403, "lapsed")
    assert len(hub.digits()) == 8, "the same key may be claimed again"


def test_a_lapsed_authority_signs_nothing_and_says_so(office: Office, hub: Hub) -> None:
    digits = hub.digits()
    claim(office, digits)
    office.ahead_s = 80_000.0
    assert office.desk.registry
    held = office.desk.registry.authority
    chain = (issue(held.pair, "old", ends=datetime.now(UTC)).certificate,)
    office.desk.registry.authority = type(held)(held.pair, chain, held.days, held.server_ends_utc)
    answer = hub.ask()
    assert reason(answer) == (503, "authority_lapsed")
    assert int(answer.headers["retry-after"]) > 0
    office.desk.registry.authority = held
    assert common_name(hub.fetch()) == HUB, "and it goes on when the authority has a new one"


def test_a_strangers_certificate_does_not_even_connect(office: Office, hub: Hub) -> None:
    stranger = authority("stranger")
    for name, pair in (("wrong-ca", issue(stranger, HUB)), ("self-signed", stranger)):
        hub.pair, hub.name = pair, name
        with hub.client(hub.files()) as client, pytest.raises(httpx.HTTPError, match="unknown ca"):
            client.get("/hub/backup")
    found = wait_until_told(office, 2)
    assert any("self-signed" in one or "self signed" in one for one in found)
    assert any("unable to get local issuer" in one for one in found)


def wait_until_told(office: Office, count: int) -> list[str]:
    wait_until(lambda: len(refusals(office)) >= count, "it is in the audit")
    return refusals(office)


def test_tls_1_1_is_refused_with_its_reason(office: Office, hub: Hub) -> None:
    old = [
        "openssl", "s_client", "-connect", hub.url.removeprefix("https://"), "-tls1_1",
        "-cipher", "DEFAULT:@SECLEVEL=0",
    ]  # fmt: skip
    said = subprocess.run(old, input=b"", capture_output=True, timeout=20, check=False)
    assert b"alert protocol version" in said.stdout + said.stderr
    assert any("UNSUPPORTED_PROTOCOL" in one for one in wait_until_told(office, 1))


def test_strangers_are_told_of_in_the_audit_once_in_ten_minutes(office: Office, hub: Hub) -> None:
    with hub.client() as client:
        for _ in range(30):
            client.post(f"{EST}/simpleenroll", content=b"x")
        assert refusals(office) == ["no_request"]
        office.ahead_s = 601.0
        client.post(f"{EST}/simpleenroll", content=b"x")
    newest = office.store.read(audit.search)[0].entry
    assert newest.text.split()[-1] == "30", "and then with how many there were"


def test_a_network_that_sends_nonsense_has_to_wait(office: Office, hub: Hub) -> None:
    assert office.desk.registry
    office.desk.registry.requests = Budget(20.0, 0.0)
    with hub.client() as client:
        codes = [client.post(f"{EST}/simpleenroll", content=b"x").status_code for _ in range(25)]
        answer = client.post(f"{EST}/simpleenroll", content=request(hub.key))
    assert codes[:15] == [400] * 15
    assert reason(answer) == (429, "busy")
    assert answer.headers["retry-after"] == "60"


def test_open_connections_are_bounded_and_the_console_goes_on(
    office: Office, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure_port, "HANDSHAKE_S", 600.0)  # nothing else shuts them
    own = office.settings.authority
    assert own
    host, _, port = own.listen.rpartition(":")
    held = [socket.create_connection((host, int(port))) for _ in range(120)]
    try:
        for one in held:
            one.settimeout(5)
        wait_until(lambda: sum(map(is_shut, held)) >= 60, "the rest is shut at once")
        assert httpx.get(f"{office.url}/sign-in").status_code == 200
    finally:
        for one in held:
            one.close()
    wait_until(lambda: hub_works(hub), "and a hub is served again")


def is_shut(one: socket.socket) -> bool:
    one.setblocking(False)  # noqa: FBT003 - its only form
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def hub_works(hub: Hub) -> bool:
    try:
        return hub.ask().status_code == 202
    except httpx.HTTPError:
        return False


# --- a client that is not ours ------------------------------------------------------------------


def pki(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [shutil.which("pki") or "pki", *words],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_strongswan_enrols_and_renews(office: Office, hub: Hub, tmp_path: Path) -> None:
    url = hub.url
    made = pki(tmp_path, "--estca", "--url", url, "--cacert", "ca.crt", "--caout", "got.crt")
    assert made.returncode == 0, made.stderr
    for name in ("one", "two"):
        key = pki(tmp_path, "--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem")
        (tmp_path / f"{name}.key").write_bytes(key.stdout)
        asked = pki(tmp_path, "--req", "--type", "priv", "--in", f"{name}.key", "--dn", f"CN={HUB}")
        (tmp_path / f"{name}.req").write_bytes(asked.stdout)
    enrol = [
        shutil.which("pki") or "pki", "--est", "--url", url, "--cacert", "ca.crt",
        "--in", "one.req", "--interval", "1", "--outform", "pem",
    ]  # fmt: skip
    with subprocess.Popen(
        enrol, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asking:
        wait_until(lambda: waiting_digits(office) != "", "it waits")
        claim(office, waiting_digits(office))
        out, err = asking.communicate(timeout=60)
        assert asking.returncode == 0, err
    (tmp_path / "one.crt").write_bytes(out)
    assert common_name(x509.load_pem_x509_certificate(out)) == HUB
    again = pki(
        tmp_path, "--est", "--url", url, "--cacert", "ca.crt", "--in", "two.req",
        "--cert", "one.crt", "--key", "one.key", "--outform", "pem",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    newer = x509.load_pem_x509_certificate(again.stdout)
    assert common_name(newer) == HUB
    assert deeds(office)[-1][0] is Deed.CERTIFICATE_RENEWED


def waiting_digits(office: Office) -> str:
    def query(conn: object) -> str:
        return next((one.digits for one in enrolments.all_waiting(conn)), "")  # type: ignore[arg-type]

    return office.store.read(query)
