"""`anbu doctor`: every reason why a hub would not work is named, in both languages."""

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from hub.__main__ import _hub_config, _radio_config, _voice_config, _wireless, main
from hub.config import load
from hub.process.claim import claimed
from hub.shared import tls
from hub.shared.findings import Finding, Verdict
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.messages import tell as tell_mistake
from hub.shared.settings import SettingsError
from provisioning.certs import dev, inspect
from provisioning.certs.authority import issue
from provisioning.doctor import broker as dial
from provisioning.doctor import machine
from provisioning.doctor import voice as speech
from provisioning.findings import HubConfig, LinkConfig, Readers, tell
from tests.broker import HUBS, Broker, certs, free_port, wait_until
from tests.hub.rig import HubProcess
from voice.settings import VoiceSettings
from voice.settings import load as load_voice

HUB = HUBS[0]
READERS = Readers(_hub_config, _voice_config, tell_mistake, _wireless, _radio_config)


def link(name: str = f"hubs/{HUB}", *brokers: str, ca: str = "ca") -> LinkConfig:
    folder = certs()
    return LinkConfig(brokers, *(str(folder / file) for file in (f"{ca}.crt", f"{name}.crt",
                                                          f"{name}.key")))  # fmt: skip


def codes(found: Iterator[Finding]) -> list[tuple[Verdict, str]]:
    findings = list(found)
    assert all(tell(finding) for finding in findings)  # each has its sentences
    return [(finding.verdict, finding.code) for finding in findings]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def reached(
    address: str, with_link: LinkConfig, folder: Path = Path("/nowhere")
) -> list[tuple[Verdict, str]]:
    """Try one broker, for a hub whose folders are in `folder`."""
    mqtt = replace(with_link, brokers=(address,))
    config = HubConfig(HUB, state_dir=str(folder / "state"), run_dir=str(folder), mqtt=mqtt)
    return codes(dial.examine(config))


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
    ours = link(name) if name else LinkConfig(ca=str(certs() / "ca.crt"))
    assert reached(f"tls://127.0.0.1:{broker.port}", ours) == [(Verdict.BAD, code)]


@pytest.mark.broker
def test_a_good_broker_is_good(broker: Broker) -> None:
    assert reached(f"tls://127.0.0.1:{broker.port}", link()) == [(Verdict.GOOD, "good")]


@pytest.mark.broker
def test_an_old_broker_is_asked_in_its_own_version(broker: Broker) -> None:
    ours = replace(link(), protocol="3.1.1")
    assert reached(f"tls://127.0.0.1:{broker.port}", ours) == [(Verdict.GOOD, "good")]


@pytest.mark.broker
def test_a_hub_that_runs_is_asked_and_not_thrown_off(broker: Broker, tmp_path: Path) -> None:
    """A broker gives one session to each name, and the doctor shows the hub's certificate."""
    address = f"tls://127.0.0.1:{broker.port}"
    with HubProcess(tmp_path, broker.port) as hub:
        wait_until(hub.armed, "the hub runs", 20)
        wait_until(
            lambda: reached(address, link(), tmp_path) == [(Verdict.GOOD, "in_use")],
            "the hub says that it is connected",
        )
        for _ in range(3):
            assert reached(address, link(), tmp_path) == [(Verdict.GOOD, "in_use")]
    assert f"Client {HUB} already connected" not in broker.log()


@pytest.mark.broker
def test_a_hub_that_runs_without_a_link_says_why(broker: Broker, tmp_path: Path) -> None:
    with HubProcess(tmp_path, free_port()) as hub:
        wait_until(hub.armed, "the hub runs", 20)
        address = f"tls://127.0.0.1:{broker.port}"
        wait_until(
            lambda: reached(address, link(), tmp_path) == [(Verdict.BAD, "hub_offline")],
            "it is asked and says that it has no link",
        )


@pytest.mark.broker
@pytest.mark.parametrize("answer", [b"", b"nonsense\n", b'{"ok":true,"hub":"x","sensors":[]}\n'])
def test_a_hub_that_cannot_be_asked_keeps_its_session_all_the_same(
    broker: Broker, tmp_path: Path, answer: bytes
) -> None:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "hub.sock"))
        door.listen()

        def serve() -> None:
            with door.accept()[0] as visitor:
                visitor.recv(1000)
                visitor.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        before = len(broker.log())
        ((verdict, code),) = reached(f"tls://127.0.0.1:{broker.port}", link(), tmp_path)
        serving.join()
    assert (verdict, code) in {(Verdict.NOTE, "answers"), (Verdict.BAD, "hub_offline")}
    assert "New client connected" not in broker.log()[before:]


@pytest.mark.broker
def test_a_state_folder_that_is_in_use_or_closed_to_us_means_that_a_hub_may_run(
    broker: Broker, tmp_path: Path
) -> None:
    address = f"tls://127.0.0.1:{broker.port}"
    with claimed(tmp_path / "state"):
        assert reached(address, link(), tmp_path) == [(Verdict.NOTE, "answers")]
    assert reached(address, link(), tmp_path) == [(Verdict.GOOD, "good")]
    with patch("os.open", side_effect=PermissionError):
        assert reached(address, link(), tmp_path) == [(Verdict.NOTE, "answers")]


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
    parent, now, day = dev.read(certs(), "ca"), datetime.now(UTC), timedelta(days=1)
    assert parent
    hosts = ("elsewhere.example",) if flaw == "wrong" else ("127.0.0.1",)
    begins = now + day if flaw == "early" else now - 2 * day
    ends = now - day if flaw == "expired" else now + 9 * day
    dev.write(tmp_path, "broker", issue(parent, "broker", hosts=hosts, begins=begins, ends=ends))
    dev.write(tmp_path, "ca", parent)
    with Broker(certs_dir=tmp_path) as broker:
        assert reached(f"tls://127.0.0.1:{broker.port}", link()) == [(Verdict.BAD, code)]


def answering(answer: bytes) -> int:
    """Start somebody who answers one visitor with `answer`, then hangs up; return the port."""
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
    assert [
        found for _, found in reached(f"tcp://127.0.0.1:{answering(answer)}", LinkConfig())
    ] == [code]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (f"tls://127.0.0.1:{free_port()}", "unreachable"),
        ("tls://no-such-name.invalid:8883", "unresolved"),
        ("tls://127.0.0.1:99999", "unreachable"),
        ("nonsense", "unreachable"),
    ],
)
def test_an_address_that_leads_nowhere_is_named(address: str, code: str) -> None:
    assert reached(address, LinkConfig()) == [(Verdict.BAD, code)]


def test_a_server_that_speaks_no_tls_is_named() -> None:
    port = answering(b"220 hello\r\n")
    assert reached(f"tls://127.0.0.1:{port}", LinkConfig()) == [(Verdict.BAD, "tls")]


def test_files_of_a_certificate_that_do_not_fit_are_named_in_openssls_word(broker: Broker) -> None:
    address, good = f"tls://127.0.0.1:{broker.port}", link()
    other = replace(good, key=link("center").key)
    assert dial.reach(address, other, HUB) == ("tls", "KEY_VALUES_MISMATCH")
    missing = replace(good, key="/nowhere/hub.key")
    code, detail = dial.reach(address, missing, HUB)
    assert code == "tls"
    assert "No such file" in detail


def test_silence_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "PATIENCE_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert reached(address, LinkConfig()) == [(Verdict.BAD, "timeout")]


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
    assert codes(inspect.examine(HubConfig(hub, mqtt=link(name, ca=ca)))) == [(verdict, code)]


def test_damaged_and_exposed_papers_are_named(tmp_path: Path) -> None:
    list(dev.ensure(tmp_path, [HUB]))
    ours = LinkConfig(cert=str(tmp_path / f"hubs/{HUB}.crt"), key=str(tmp_path / f"hubs/{HUB}.key"))
    Path(ours.key).chmod(0o644)
    assert codes(inspect.examine(HubConfig(HUB, mqtt=ours))) == [(Verdict.NOTE, "exposed")]
    (tmp_path / "ca.crt").write_text("damaged", encoding="utf-8")
    signed = replace(ours, ca=str(tmp_path / "ca.crt"))
    assert (Verdict.BAD, "unreadable") in codes(inspect.examine(HubConfig(HUB, mqtt=signed)))
    Path(ours.cert).write_text("damaged", encoding="utf-8")
    assert codes(inspect.examine(HubConfig(HUB, mqtt=ours))) == [(Verdict.BAD, "unreadable")]
    assert codes(inspect.examine(HubConfig(HUB))) == [(Verdict.NOTE, "none")]


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_of_another_kind_that_the_hub_takes_is_good(tmp_path: Path, kind: str) -> None:
    key = (
        rsa.generate_private_key(65537, 2048)
        if kind == "rsa"
        else ed25519.Ed25519PrivateKey.generate()
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HUB)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=90))
    signed = made.sign(key, SHA256() if kind == "rsa" else None)
    (tmp_path / "hub.crt").write_bytes(signed.public_bytes(Encoding.PEM))
    (tmp_path / "hub.key").touch(mode=0o600)
    (tmp_path / "hub.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    ours = LinkConfig(cert=str(tmp_path / "hub.crt"), key=str(tmp_path / "hub.key"))
    assert codes(inspect.examine(HubConfig(HUB, mqtt=ours))) == [(Verdict.GOOD, "good")]
    tls.context("", ours.cert, ours.key)
    other = replace(ours, key=link().key)
    assert codes(inspect.examine(HubConfig(HUB, mqtt=other))) == [(Verdict.BAD, "mismatch")]
    with pytest.raises(ValueError, match="SSL"):
        tls.context("", other.cert, other.key)


def test_a_certificate_that_soon_ends_is_noted(tmp_path: Path) -> None:
    parent = dev.read(certs(), "ca")
    assert parent
    dev.write(tmp_path, HUB, issue(parent, HUB, ends=datetime.now(UTC) + timedelta(days=5)))
    ours = LinkConfig(cert=str(tmp_path / f"{HUB}.crt"), key=str(tmp_path / f"{HUB}.key"))
    assert codes(inspect.examine(HubConfig(HUB, mqtt=ours))) == [(Verdict.NOTE, "expires_soon")]


def test_the_machine_is_examined_part_by_part(tmp_path: Path) -> None:
    checks = [finding.check for finding in machine.examine(tmp_path)]
    first, last = ["python", "packages", "gpio", "systemd", "mosquitto", "disk"], ["clock"]
    assert checks == [*first, "encryption", *last]


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
kind = "contact"
name = "help"
role = "help_button"
pin = 17
"""


def examined(*words_: str) -> int:
    return main(["doctor", *words_])


@pytest.mark.broker
def test_a_healthy_hub_leaves_with_zero(
    broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(CONFIG.format(hub=HUB, port=broker.port, certs=certs()), encoding="utf-8")
    for language, ours, others in (
        ("ko", "인증서", "Certificate"),
        ("en", "Certificate", "인증서"),
    ):
        assert examined("--config", str(config), "--lang", language) == 0
        said = capsys.readouterr().out
        assert f"{ours}: {HUB}" in said
        assert others not in said


def test_a_program_gets_json_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(CONFIG.format(hub=HUB, port=free_port(), certs=certs()), encoding="utf-8")
    assert examined("--config", str(config), "--json") == 1
    findings = json.loads(capsys.readouterr().out)
    assert [f["code"] for f in findings if f["verdict"] == "bad"] == ["unreachable"]
    assert all(finding["ko"] and finding["en"] for finding in findings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hub = ", "TOML"),
        ("hub = 1", "hub.toml:1: hub: "),
        (CONFIG + 'rolle = "help_button"\n', "hub.toml:13: device[1].rolle: "),
        (CONFIG.replace("127.0.0.1", "[backup.example]"), "hub.toml:4: mqtt.brokers[1]: "),
        (CONFIG.replace('"contact"', '"kontact"'), "Did you mean"),
        (None, "cannot be read"),
    ],
)
def test_a_config_that_the_hub_refuses_is_bad_and_the_machine_is_examined_still(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, said: str
) -> None:
    config = tmp_path / "hub.toml"
    if text is not None:
        text = text.replace("{hub}", HUB).replace("{port}", "8883")
        config.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError):
            load(config)
    assert examined("--config", str(config), "--lang", "en") == 1
    shown = capsys.readouterr().out
    assert said in shown
    assert "Python" in shown


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_config_from_korean_windows_is_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    config = tmp_path / "hub.toml"
    text = CONFIG.format(hub=HUB, port=free_port(), certs=certs()) + 'place = "욕실"\n'
    config.write_bytes(text.encode(encoding))
    examined("--config", str(config), "--json")
    found = [one for one in json.loads(capsys.readouterr().out) if one["check"] == "config"]
    assert [one["code"] for one in found] == ["codepage"] * (encoding == "cp949")


PROTO = "Num       RefCount Protocol Flags    Type St Inode Path\n"
LISTENS = "0000: 00000002 00000000 00010000 0001 01 11 {}\n"
SPEAKS = "0000: 00000003 00000000 00000000 0001 03 12 {}\n"


def proc_of(folder: Path, ours: str, voices: str = "", cards: str = "") -> Path:
    """A /proc with us in one network, and a voice in another."""
    for name, table, network in (("self", ours, "a"), ("7", ours, "a"), ("42", voices, "b")):
        (folder / name / "ns").mkdir(parents=True)
        (folder / name / "net").mkdir()
        (folder / name / "ns" / "net").symlink_to(f"net:[{network}]")
        (folder / name / "net" / "unix").write_text(PROTO + table, encoding="utf-8")
    (folder / "net").symlink_to("self/net")
    (folder / "asound").mkdir()
    (folder / "asound" / "pcm").write_text(cards, encoding="utf-8")
    return folder


def test_a_real_voice_is_seen_at_the_hubs_door(tmp_path: Path) -> None:
    path = str(tmp_path / "voice.sock")
    proc = Path("/proc")
    assert speech.connected(path, proc).code == "deaf"
    with socket.socket(socket.AF_UNIX) as hub, socket.socket(socket.AF_UNIX) as voice:
        hub.bind(path)
        hub.listen()
        assert speech.connected(path, proc).code == "alone"
        voice.connect(path)
        with hub.accept()[0]:
            assert speech.connected(path, proc).code == "good"
        assert speech.connected(path, proc).code == "alone"


@pytest.mark.parametrize(
    ("ours", "voices", "verdict", "code"),
    [
        (LISTENS + SPEAKS, "", Verdict.GOOD, "good"),
        (LISTENS, SPEAKS, Verdict.GOOD, "good"),
        (LISTENS, "", Verdict.BAD, "alone"),
        (LISTENS, SPEAKS.replace("{}", "{}.other"), Verdict.BAD, "alone"),
        ("", SPEAKS, Verdict.NOTE, "deaf"),
    ],
)
def test_a_voice_is_seen_in_its_own_network_too(
    tmp_path: Path, ours: str, voices: str, verdict: Verdict, code: str
) -> None:
    path = "/run/a hub/voice.sock"
    proc = proc_of(tmp_path, ours.format(path, path), voices.format(path))
    assert codes(iter([speech.connected(path, proc)])) == [(verdict, code)]
    assert speech.connected(path, tmp_path / "nowhere").code == "deaf"


def test_a_socket_that_one_may_not_look_at_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> str:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", refused)
    assert speech.connected("/run/voice.sock", tmp_path).code == "forbidden"


def speaking(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Replace the voice's own examination by a program of the test."""
    monkeypatch.setattr(speech, "LIBRARIES", ())
    monkeypatch.setattr(speech, "_command", lambda _: [sys.executable, "-c", program])


@pytest.mark.parametrize(
    ("program", "running", "verdict", "code"),
    [
        ("print('✓ 마이크')", False, Verdict.GOOD, "good"),
        ("print('✗ 마이크'); exit(1)", False, Verdict.BAD, "bad"),
        ("print('✗ 마이크'); exit(1)", True, Verdict.NOTE, "busy"),
        ("raise RuntimeError('마이크')", True, Verdict.BAD, "bad"),
        ("import sys; sys.stderr.write('마이크'); exit(2)", True, Verdict.BAD, "bad"),
        ("import os; print('마이크', flush=True); os.abort()", True, Verdict.BAD, "bad"),
    ],
)
def test_what_the_voice_says_of_itself_is_shown(
    monkeypatch: pytest.MonkeyPatch, *, program: str, running: bool, verdict: Verdict, code: str
) -> None:
    speaking(monkeypatch, program)
    found = speech.check(None, running=running)
    assert codes(iter([found])) == [(verdict, code)]
    assert "마이크" in found.values["lines"]


def test_a_voice_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    speaking(monkeypatch, "import time; print('✓ 마이크', flush=True); time.sleep(60)")
    monkeypatch.setattr(speech, "PATIENCE_S", 1.0)
    found = speech.check(None, running=False)
    assert codes(iter([found])) == [(Verdict.BAD, "silent")]
    assert "마이크" in found.values["lines"]


def test_a_voice_in_another_environment_is_not_called_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speech, "LIBRARIES", ("msgspec", "no_such_library"))
    found = speech.check(None, running=False)
    assert codes(iter([found])) == [(Verdict.NOTE, "elsewhere")]
    assert found.values["names"] == "no_such_library"


def test_the_real_voice_is_asked_and_names_the_mistake_in_its_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "voice.toml"
    config.write_text("no_such_setting = 1\n", encoding="utf-8")
    monkeypatch.setattr(speech, "LIBRARIES", ())
    found = speech.check(config, running=True)
    assert found.code == "bad"
    assert "no_such_setting" in found.values["lines"]


def test_the_models_are_looked_for_where_the_voice_looks(tmp_path: Path) -> None:
    config = tmp_path / "voice.toml"
    assert codes(speech.models("")) == [(Verdict.NOTE, "unnamed")]
    config.write_text("models = 'there'\nspeed = 0.8\n", encoding="utf-8")
    folder = load_voice(config).models
    assert codes(speech.models(folder)) == [
        (Verdict.BAD, "missing"),
        (Verdict.BAD, "missing"),
        (Verdict.NOTE, "optional"),
    ]
    missing = next(iter(speech.models(folder)))
    assert missing.values["file"] == str(tmp_path / "there/whisper/config.json")
    damaged = tmp_path / "there" / "whisper" / "config.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}", encoding="utf-8")
    assert codes(speech.models(folder))[0] == (Verdict.BAD, "damaged")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, (Verdict.NOTE, "none")),
        ("models = 1", (Verdict.BAD, "mistake")),
        ("models = ", (Verdict.BAD, "mistake")),
        ("modles = 'x'", (Verdict.BAD, "mistake")),
        ("socket = 'another.sock'", (Verdict.BAD, "socket")),
    ],
)
def test_a_voices_config_that_does_not_fit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, code: tuple[Verdict, str]
) -> None:
    monkeypatch.setenv("ANBU_MODELS", str(tmp_path / "models"))
    speaking(monkeypatch, "")
    config = tmp_path / "voice.toml"
    if text is not None:
        config.write_text(text, encoding="utf-8")
    proc = proc_of(tmp_path / "proc", "")
    found = codes(speech.examine(VoiceSettings().socket, config, READERS, proc))
    assert found[:2] == [(Verdict.NOTE, "deaf"), code]
    assert found[2] == (Verdict.BAD, "missing")  # a model: ANBU_MODELS holds where none is named


CARDS = """\
00-00: bcm2835 Headphones : bcm2835 Headphones : playback 8
01-00: USB Audio : USB Audio : playback 1 : capture 1
"""


@pytest.mark.parametrize(
    ("cards", "heard", "verdict"),
    [
        (CARDS, False, Verdict.GOOD),
        (CARDS.splitlines()[0], False, Verdict.BAD),
        ("", False, Verdict.BAD),
        ("", True, Verdict.NOTE),
    ],
)
def test_a_microphone_is_a_card_that_can_record(
    tmp_path: Path, *, cards: str, heard: bool, verdict: Verdict
) -> None:
    (tmp_path / "pcm").write_text(cards, encoding="utf-8")
    found = speech.microphone(tmp_path, heard=heard)
    assert codes(iter([found]))[0][0] is verdict
    assert found.values.get("names", "01: USB Audio") == "01: USB Audio"
    assert speech.microphone(tmp_path / "none", heard=False).code == "none"


def test_the_voices_config_is_named_or_beside_the_hubs_or_the_usual_one(tmp_path: Path) -> None:
    hub = tmp_path / "hub.toml"
    assert speech.config_of(hub, None) == Path("/etc/anbu/voice.toml")
    (tmp_path / "voice.toml").touch()
    assert speech.config_of(hub, None) == tmp_path / "voice.toml"
    assert speech.config_of(hub, tmp_path / "mine.toml") == tmp_path / "mine.toml"


def test_a_hub_with_a_voicebox_has_its_voice_examined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    speaking(monkeypatch, "print('✗ 스피커가 없습니다'); exit(1)")
    config, voice = tmp_path / "hub.toml", tmp_path / "mine.toml"
    door = tmp_path / "voice.sock"
    text = CONFIG.format(hub=HUB, port=free_port(), certs=certs())
    box = f'[[device]]\nkind = "voicebox"\nsocket = "{door}"\n'
    config.write_text(text + box, encoding="utf-8")
    assert examined("--config", str(config), "--voice-config", str(voice), "--json") == 1
    found = [f for f in json.loads(capsys.readouterr().out) if f["check"] in VOICES]
    assert [f"{f['check']} {f['code']}" for f in found][:2] == [
        "voice_socket deaf", "voice_config none",
    ]  # fmt: skip
    voice.write_text("models = 'models'\nsocket = 'voice.sock'\n", encoding="utf-8")
    named = ("--config", str(config), "--voice-config", str(voice))
    assert examined(*named, "--lang", "en") == 1
    said = capsys.readouterr().out
    assert said.count("스피커가 없습니다") == 1
    assert "Voice model vosk: a file is missing" in said


VOICES = {"voice_socket", "voice_config", "voice_models", "model", "voice_check", "microphone"}


def test_a_hub_without_a_voicebox_has_no_voice_to_examine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "hub.toml"
    text = CONFIG.format(hub=HUB, port=free_port(), certs=certs())
    config.write_text(text, encoding="utf-8")
    examined("--config", str(config), "--json")
    assert not {f["check"] for f in json.loads(capsys.readouterr().out)} & VOICES


def test_both_languages_have_the_same_sentences() -> None:
    for table in ("doctor", "demo", "examine", "dev_certs", "broker"):
        korean, english = (set(messages("provisioning", language)[table]) for language in Language)
        assert korean == english
