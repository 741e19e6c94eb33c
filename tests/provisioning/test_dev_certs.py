"""`anbu dev-certs`: it keeps the folder complete, valid and private."""

import stat
from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from provisioning.certs import dev
from provisioning.certs.authority import (
    Pair,
    authority,
    common_name,
    hosts_of,
    is_issued_by,
    issue,
    load,
)
from provisioning.certs.dev import Outcome, ensure, hub_id, read, write

NOW = datetime.now(UTC)


def outcomes(folder: Path, *hubs: str) -> dict[str, Outcome]:
    return dict(ensure(folder, hubs))


def held(folder: Path, name: str) -> Pair:
    pair = read(folder, name)
    assert pair
    return pair


def test_an_empty_folder_gets_everything(tmp_path: Path) -> None:
    made = outcomes(tmp_path, "a-1", "b-2")
    assert made == dict.fromkeys(("ca", "broker", "center", "a-1", "b-2"), Outcome.MADE)
    ca = held(tmp_path, "ca").certificate
    for name, common in [("broker", "broker"), ("center", "center"), ("hubs/a-1", "a-1")]:
        leaf = held(tmp_path, name).certificate
        assert is_issued_by(leaf, ca)
        assert common_name(leaf) == common
        assert leaf.not_valid_after_utc - NOW > timedelta(days=364)
        assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)
    hosts = {"localhost", "127.0.0.1", "::1", "10.0.2.100"}
    assert hosts_of(held(tmp_path, "broker").certificate) == hosts


def test_a_key_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    outcomes(tmp_path, "a-1")
    keys = list(tmp_path.rglob("*.key"))
    assert len(keys) == 4
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


def test_a_second_run_keeps_all_and_adds_a_new_hub(tmp_path: Path) -> None:
    outcomes(tmp_path, "a-1")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.*")}
    again = outcomes(tmp_path, "b-2")
    assert {name for name, outcome in again.items() if outcome is Outcome.KEPT} == {
        "broker", "center", "a-1",
    }  # fmt: skip
    assert again["b-2"] is Outcome.MADE
    assert all(file.read_bytes() == content for file, content in before.items())


@pytest.mark.parametrize("flaw", ["expired", "soon", "early", "foreign", "name", "hosts"])
def test_what_is_not_good_is_renewed(tmp_path: Path, flaw: str) -> None:
    outcomes(tmp_path, "a-1")
    ca, day = held(tmp_path, "ca"), timedelta(days=1)
    bad = {
        "expired": issue(ca, "a-1", begins=NOW - 2 * day, ends=NOW - day),
        "soon": issue(ca, "a-1", ends=NOW + 29 * day),
        "early": issue(ca, "a-1", begins=NOW + day, ends=NOW + 99 * day),
        "foreign": issue(authority(), "a-1"),
        "name": issue(ca, "other"),
        "hosts": issue(ca, "a-1", hosts=("localhost",)),
    }[flaw]
    write(tmp_path, "hubs/a-1", bad)
    assert outcomes(tmp_path)["a-1"] is Outcome.RENEWED
    assert outcomes(tmp_path)["a-1"] is Outcome.KEPT


def test_a_new_authority_renews_all_that_the_old_one_signed(tmp_path: Path) -> None:
    outcomes(tmp_path, "a-1")
    (tmp_path / "ca.key").write_text("damaged", encoding="utf-8")
    assert outcomes(tmp_path) == {
        "ca": Outcome.MADE,
        **dict.fromkeys(("broker", "center", "a-1"), Outcome.RENEWED),
    }


def test_a_key_that_fits_no_certificate_is_not_loaded() -> None:
    one, two = authority(), authority()
    with pytest.raises(ValueError, match="does not belong"):
        load(one.certificate_pem(), two.key_pem())
    other = rsa.generate_private_key(65537, 2048)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="elliptic"):
        load(one.certificate_pem(), pem)


def test_a_nameless_certificate_has_no_name() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([]))
    request = request.public_key(key.public_key()).serial_number(1)
    bare = (
        request.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1)).sign(key, SHA256())
    )
    assert common_name(bare) == ""
    assert hosts_of(bare) == set()


@pytest.mark.parametrize("text", ["", "center", "A", "a/b", "+", "#", "-a", "a" * 64, "a b", "가"])
def test_what_cannot_be_a_topic_or_a_file_is_no_hub_id(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        hub_id(text)


def test_the_command_prints_a_line_per_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    dev.add_arguments(parser)
    assert dev.run(parser.parse_args([str(tmp_path), "--hub", "a-1"])) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{name}: 만들었습니다" for name in ("ca", "broker", "center", "a-1")]
    (tmp_path / "file").touch()
    assert dev.run(parser.parse_args([str(tmp_path / "file")])) == 1
    assert "Not a directory" in capsys.readouterr().err
