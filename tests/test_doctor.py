"""`anbu doctor`: every reason why a hub would not work is named, in both languages."""

import json
import os
import socket
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from provisioning import dev_certs, dial, doctor, machine, papers
from provisioning.certs import issue
from provisioning.findings import Finding, Link, Patient, Verdict
from provisioning.texts import LANGUAGES, words
from tests.broker import HUBS, Broker, certs, free_port

HUB = HUBS[0]


def link(name: str = f"hubs/{HUB}", *brokers: str, ca: str = "ca") -> Link:
    folder = certs()
    return Link(brokers, *(str(folder / file) for file in (f"{ca}.crt", f"{name}.crt",
                                                          f"{name}.key")))  # fmt: skip


def codes(found: Iterator[Finding]) -> list[tuple[Verdict, str]]:
    findings = list(found)
    assert all(doctor.tell(finding) for finding in findings)  # each has its sentences
    return [(finding.verdict, finding.code) for finding in findings]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def reached(address: str, with_link: Link) -> list[tuple[Verdict, str]]:
    return codes(dial.examine(Patient(HUB, mqtt=replace(with_link, brokers=(address,)))))


@pytest.mark.broker
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("hubs/expired", "own_expired"),
        ("hubs/foreign", "own_unknown"),
        ("hubs/early", "own_refused"),
        ("", "own_missing"),
    ],
)
def test_a_broker_that_refuses_our_certificate_says_why(
    broker: Broker, name: str, code: str
) -> None:
    ours = link(name) if name else Link(ca=str(certs() / "ca.crt"))
    assert reached(f"tls://127.0.0.1:{broker.port}", ours) == [(Verdict.BAD, code)]


@pytest.mark.broker
def test_a_good_broker_is_good(broker: Broker) -> None:
    assert reached(f"tls://127.0.0.1:{broker.port}", link()) == [(Verdict.GOOD, "good")]


@pytest.mark.broker
def test_a_broker_that_we_cannot_trust_is_named(broker: Broker) -> None:
    address = f"tls://127.0.0.1:{broker.port}"
    assert reached(address, link(ca="foreign/ca")) == [(Verdict.BAD, "server_unknown")]
    elsewhere = f"tls://127.0.0.2:{broker.port}"
    assert reached(elsewhere, link()) == [(Verdict.BAD, "unreachable")]


@pytest.mark.broker
@pytest.mark.parametrize(
    ("flaw", "code"),
    [
        ("expired", "server_expired"),
        ("early", "server_not_yet_valid"),
        ("wrong", "server_wrong_name"),
    ],
)
def test_a_brokers_own_certificate_may_be_at_fault(tmp_path: Path, flaw: str, code: str) -> None:
    parent, now, day = dev_certs.read(certs(), "ca"), datetime.now(UTC), timedelta(days=1)
    assert parent
    hosts = ("elsewhere.example",) if flaw == "wrong" else ("127.0.0.1",)
    begins = now + day if flaw == "early" else now - 2 * day
    ends = now - day if flaw == "expired" else now + 9 * day
    dev_certs.write(
        tmp_path, "broker", issue(parent, "broker", hosts=hosts, begins=begins, ends=ends)
    )
    dev_certs.write(tmp_path, "ca", parent)
    with Broker(certs_dir=tmp_path) as broker:
        assert reached(f"tls://127.0.0.1:{broker.port}", link()) == [(Verdict.BAD, code)]


def answering(answer: bytes) -> int:
    """Start somebody who answers one visitor with `answer`, then hangs up; give the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as visitor:
            visitor.recv(1024)
            visitor.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"\x20\x03\x00\x00\x00", "good"),
        (b"\x20\x03\x00\x87\x00", "not_welcome"),
        (b"HTTP/1.1 400 Bad Request\r\n", "unreachable"),
        (b"", "hung_up"),
    ],
)
def test_what_a_plain_broker_answers_is_understood(answer: bytes, code: str) -> None:
    assert [found for _, found in reached(f"tcp://127.0.0.1:{answering(answer)}", Link())] == [code]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"tls://127.0.0.1:{free_port()}", "unreachable"),
        ("tls://no-such-name.invalid:8883", "unresolved"),
        ("tls://127.0.0.1:99999", "unreachable"),
        ("nonsense", "unresolved"),
    ],
)
def test_an_address_that_leads_nowhere_is_named(address: str, code: str) -> None:
    assert reached(address, Link()) == [(Verdict.BAD, code)]


def test_a_server_that_speaks_no_tls_is_named() -> None:
    port = answering(b"220 hello\r\n")
    assert reached(f"tls://127.0.0.1:{port}", Link()) == [(Verdict.BAD, "tls")]


def test_silence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert reached(address, Link()) == [(Verdict.BAD, "timeout")]


@pytest.mark.parametrize(
    ("name", "hub", "ca", "verdict", "code"),
    [
        (f"hubs/{HUB}", HUB, "ca", Verdict.GOOD, "good"),
        ("hubs/expired", HUB, "ca", Verdict.BAD, "expired"),
        ("hubs/early", HUB, "ca", Verdict.BAD, "not_yet_valid"),
        ("hubs/foreign", HUB, "ca", Verdict.BAD, "unknown_authority"),
        (f"hubs/{HUB}", "other", "ca", Verdict.BAD, "wrong_name"),
        (f"hubs/{HUB}", HUB, "nowhere", Verdict.BAD, "missing"),
        ("hubs/nowhere", HUB, "ca", Verdict.BAD, "missing"),
    ],
)
def test_a_certificate_is_examined_without_the_broker(
    name: str, hub: str, ca: str, verdict: Verdict, code: str
) -> None:
    assert codes(papers.examine(Patient(hub, mqtt=link(name, ca=ca)))) == [(verdict, code)]


def test_damaged_and_exposed_papers_are_named(tmp_path: Path) -> None:
    list(dev_certs.ensure(tmp_path, [HUB]))
    ours = Link(cert=str(tmp_path / f"hubs/{HUB}.crt"), key=str(tmp_path / f"hubs/{HUB}.key"))
    Path(ours.key).chmod(0o644)
    assert codes(papers.examine(Patient(HUB, mqtt=ours))) == [(Verdict.NOTE, "exposed")]
    (tmp_path / "ca.crt").write_text("damaged", encoding="utf-8")
    signed = replace(ours, ca=str(tmp_path / "ca.crt"))
    assert (Verdict.BAD, "unreadable") in codes(papers.examine(Patient(HUB, mqtt=signed)))
    Path(ours.cert).write_text("damaged", encoding="utf-8")
    assert codes(papers.examine(Patient(HUB, mqtt=ours))) == [(Verdict.BAD, "unreadable")]
    assert codes(papers.examine(Patient(HUB))) == [(Verdict.NOTE, "none")]


def test_a_certificate_that_soon_ends_is_noted(tmp_path: Path) -> None:
    parent = dev_certs.read(certs(), "ca")
    assert parent
    dev_certs.write(tmp_path, HUB, issue(parent, HUB, ends=datetime.now(UTC) + timedelta(days=5)))
    ours = Link(cert=str(tmp_path / f"{HUB}.crt"), key=str(tmp_path / f"{HUB}.key"))
    assert codes(papers.examine(Patient(HUB, mqtt=ours))) == [(Verdict.NOTE, "expires_soon")]


def test_the_machine_is_examined_part_by_part(tmp_path: Path) -> None:
    checks = [finding.check for finding in machine.examine(tmp_path)]
    assert checks == ["python", "packages", "gpio", "systemd", "mosquitto", "disk", "clock"]


def test_each_part_of_a_machine_may_be_at_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "@x")
    monkeypatch.setattr(machine, "SLOW_MS", -1.0)
    found = codes(
        iter([
            machine.python((3, 10)),
            machine.packages(("msgspec", "no_such.package", "nothing_here")),
            machine.systemd(tmp_path),
            machine.systemd(tmp_path / "none"),
            machine.mosquitto("no-such-program"),
            machine.mosquitto(sys.executable),
            machine.disk(tmp_path / "not" / "yet"),
            machine.clock(0.0, synced=True),
            machine.clock(2e9, synced=False),
            machine.clock(2e9, synced=True),
        ])
    )  # fmt: skip
    assert found == [
        (Verdict.BAD, "old"),
        (Verdict.BAD, "missing"),
        (Verdict.GOOD, "listening"),
        (Verdict.NOTE, "none"),
        (Verdict.NOTE, "none"),
        (Verdict.GOOD, "good"),
        (Verdict.NOTE, "slow"),
        (Verdict.BAD, "wrong"),
        (Verdict.NOTE, "unsynchronised"),
        (Verdict.GOOD, "good"),
    ]
    monkeypatch.setattr(machine, "LEAST_MB", 1e12)
    assert machine.disk(tmp_path).code == "full"
    assert machine.disk(Path("/proc")).code == "unwritable"


def test_gpio_needs_a_chip_a_permission_and_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine.gpio(tmp_path).code == "none"
    (tmp_path / "gpiochip0").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert machine.gpio(tmp_path).code == "forbidden"
    monkeypatch.setattr(os, "access", lambda *_: True)
    monkeypatch.setattr(machine, "_is_there", lambda _: False)
    assert machine.gpio(tmp_path).code == "no_library"
    monkeypatch.setattr(machine, "_is_there", lambda _: True)
    assert machine.gpio(tmp_path).values == {"chips": "gpiochip0"}


CONFIG = """\
hub = "{hub}"
state_dir = "state"
[mqtt]
brokers = ["tls://127.0.0.1:{port}"]
ca = "{certs}/ca.crt"
cert = "{certs}/hubs/{hub}.crt"
key = "{certs}/hubs/{hub}.key"
[[device]]
kind = "unknown to the doctor"
"""


def examined(*words_: str) -> int:
    parser = ArgumentParser()
    doctor.add_arguments(parser)
    return doctor.run(parser.parse_args(words_))


@pytest.mark.broker
def test_a_healthy_hub_leaves_with_zero(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(CONFIG.format(hub=HUB, port=broker.port, certs=certs()), encoding="utf-8")
    assert examined("--config", str(config)) == 0
    said = capsys.readouterr().out
    assert f"인증서: {HUB}" in said
    assert f"Certificate: {HUB}" in said


def test_a_program_gets_json_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(CONFIG.format(hub=HUB, port=free_port(), certs=certs()), encoding="utf-8")
    assert examined("--config", str(config), "--json") == 1
    findings = json.loads(capsys.readouterr().out)
    assert [f["code"] for f in findings if f["verdict"] == "bad"] == ["unreachable"]
    assert all(finding["ko"] and finding["en"] for finding in findings)


@pytest.mark.parametrize("text", ["hub = ", "hub = 1", "mqtt = 1", None])
def test_a_config_that_cannot_be_read_is_bad_and_the_machine_is_examined_still(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    config = tmp_path / "hub.toml"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    assert examined("--config", str(config)) == 1
    assert "cannot be read" in capsys.readouterr().out


def test_both_languages_have_the_same_sentences() -> None:
    for table in ("doctor", "demo"):
        korean, english = (set(words(table, language)) for language in LANGUAGES)
        assert korean == english
