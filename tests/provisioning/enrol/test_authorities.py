"""A hub that was in its box for years: intermediate authorities have lapsed, or the root has."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from hub.contract.provision import Claiming
from hub.shared.county import County
from hub.shared.identity import AUTHORITY, NEXT, in_use, read
from provisioning.certs import dev
from provisioning.certs.authority import Pair, issue
from provisioning.enrol import keys
from provisioning.enrol.enrolment import Enrolment
from provisioning.enrol.troubles import EnrolTrouble
from tests.provisioning.enrol.est import DIGITS, Est
from tests.provisioning.enrol.test_enrolment import DAY, Hub

YEARS_3 = 3 * 365
ROOT, MIDDLE = "County root", "County hubs"


class Box(Hub):
    """A hub with the county's file of its image."""

    def __init__(self, folder: Path, url: str, *known: Pair, synced: bool = True) -> None:
        self.folder = folder
        (folder / "county.crt").write_bytes(b"".join(one.certificate_pem() for one in known))
        super().__init__(folder / "identity", url, synced=synced)

    def begin(self, ca: str = "county.crt") -> None:
        county = County(center=self.url, ca=str(self.folder / ca))
        self.enrolment = Enrolment(
            self.root,
            county,
            self.board,
            self.hear,
            synced=lambda: self.synced,
            utc=lambda: time.time() + self.ahead_s,
        )


def signed(
    name: str, days: tuple[int, int], key: ec.EllipticCurvePrivateKey, parent: Pair | None = None
) -> Pair:
    """Return an authority that begins and ends so many days from now."""
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = parent.key if parent else key
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.certificate.subject if parent else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True,
                content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    return Pair(made.sign(signer, SHA256()), key)


class County3:
    """A county three years after the image was made."""

    def __init__(self, folder: Path) -> None:
        old, new = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        middle = ec.generate_private_key(ec.SECP256R1())
        self.folder = folder
        folder.mkdir()
        self.root = signed(ROOT, (-YEARS_3, 4000), old)
        self.lapsed = signed(MIDDLE, (-YEARS_3, -30), middle, self.root)
        self.middle = signed(MIDDLE, (-60, 700), middle, self.root)
        self.ended_root = signed(ROOT, (-YEARS_3, -10), old)
        self.new_root = signed("New root", (-60, 4000), new)

    def center(self, root: Pair | None = None) -> Est:
        """The centre's server, with the chain that it sends."""
        middle = self.middle if root is None else signed(MIDDLE, (-60, 700), self.middle.key, root)
        server = issue(middle, "center", hosts=("127.0.0.1",))
        dev.write(self.folder, "ca", middle)
        dev.write(self.folder, "broker", server)
        chain = server.certificate_pem() + middle.certificate_pem()
        (self.folder / "broker.crt").write_bytes(chain)
        both = middle.certificate_pem() + (root or self.root).certificate_pem()
        (self.folder / "ca.crt").write_bytes(both)
        est = Est(self.folder)
        est.above = ((root or self.root).certificate,)
        return est


@pytest.fixture
def county(tmp_path: Path) -> County3:
    return County3(tmp_path / "county")


def names(root: Path, name: str = "") -> set[tuple[str, bool]]:
    """The authorities of an identity, and whether each is valid now."""
    held = read(root, name) if name else in_use(root)
    assert held is not None
    found = x509.load_pem_x509_certificates(Path(held.file(AUTHORITY)).read_bytes())
    now = datetime.now(UTC)
    return {(one.subject.rfc4514_string()[3:], one.not_valid_after_utc > now) for one in found}


@pytest.mark.parametrize("synced", [True, False])
def test_a_lapsed_intermediate_of_the_image_is_replaced_under_the_pinned_root(
    county: County3, tmp_path: Path, *, synced: bool
) -> None:
    with county.center() as est:
        box = Box(tmp_path, est.url, county.root, county.lapsed, synced=synced)
        box.step()
        assert box.claiming()[-1] == Claiming(DIGITS)
        est.typed = "js-0001"
        box.step()
    assert names(box.root) == {(ROOT, True), (MIDDLE, True)}


@pytest.mark.parametrize("successor", [True, False])
def test_a_root_that_has_lapsed_is_told_with_what_a_visit_must_do(
    county: County3, tmp_path: Path, *, successor: bool
) -> None:
    with county.center(county.new_root if successor else None) as est:
        box = Box(tmp_path, est.url, county.ended_root, county.lapsed)
        box.step()
        assert box.claiming()[-1] == Claiming(trouble=EnrolTrouble.CENTER_EXPIRED)
        (tmp_path / "county.crt").write_bytes(
            (county.new_root if successor else county.root).certificate_pem()
        )  # the visit
        box.begin()
        box.step()
        assert box.claiming()[-1] == Claiming(DIGITS)


def test_a_running_hub_takes_up_a_new_chain_at_its_own_next_dial(
    county: County3, tmp_path: Path
) -> None:
    with county.center() as est:
        box = Box(tmp_path, est.url, county.root)
        est.typed = "js-0001"
        box.step()
        before = in_use(box.root)
        est.above = (county.root.certificate, county.new_root.certificate)
        box.step()
        assert read(box.root, NEXT) is None or names(box.root, NEXT), "once a day is enough"
        box.ahead_s = 1.1 * DAY
        est.utc = lambda: time.time() + 1.1 * DAY
        box.step()
        fresh = read(box.root, NEXT)
        assert fresh is not None
        assert in_use(box.root) == before, "nothing is taken from a running session"
        assert names(box.root, NEXT) == {(ROOT, True), (MIDDLE, True), ("New root", True)}
        assert Path(fresh.file("hub.key")).read_bytes() == key_of(box)
        box.ahead_s = 31 * DAY
        est.utc = lambda: time.time() + 31 * DAY
        box.step()
        assert est.asked[-1][0] == "simplereenroll", "it does not hold up a renewal"


def key_of(box: Box) -> bytes:
    held = in_use(box.root)
    assert held is not None
    return Path(held.file("hub.key")).read_bytes()


def test_a_centre_without_cacerts_takes_no_authority_away(county: County3, tmp_path: Path) -> None:
    with county.center() as est:
        box = Box(tmp_path, est.url, county.root)
        est.typed = "js-0001"
        box.step()
        known = names(box.root)
        est.above, est.fit = (), county.new_root
        box.ahead_s = 1.1 * DAY
        est.utc = lambda: time.time() + 1.1 * DAY
        box.step()
    assert known <= names(box.root, NEXT)


def test_the_authorities_of_a_file_are_compared_and_judged(county: County3) -> None:
    now = datetime.now(UTC)
    one, other = county.root.certificate_pem(), county.middle.certificate_pem()
    assert keys.same(one + other, other + one)
    assert not keys.same(one, other)
    assert keys.have_ended(now, county.ended_root.certificate_pem())
    assert not keys.have_ended(now, one, county.ended_root.certificate_pem())
    assert not keys.have_ended(now, other), "there is no root in it"
