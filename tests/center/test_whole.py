"""The centre as its users start it: `anbu center`, a real broker with TLS, a hub, a browser."""

import argparse
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from center import cli
from center.store.rows.commands import HASTEN_S, LASTS_S
from center.store.store import Store
from hub.contract.messages import Availability, Command, Reply, Stage
from hub.contract.scaip import What
from hub.shared.settings import SettingsError
from tests.broker import Broker, free_port, wait_until
from tests.center.counter import BEARER, hire
from tests.center.est import Hub
from tests.center.est import settings as authority_of
from tests.center.home import Home
from tests.center.lives import word
from tests.center.making import HUB, event, state

pytestmark = pytest.mark.broker
CONFIG = """
[center]
listen = "127.0.0.1:{port}"
database = "center.db"
beat_s = 0.2
{more}
[mqtt]
brokers = ["tls://127.0.0.1:{broker}"]
ca = "{certs}/ca.crt"
cert = "{certs}/center.crt"
key = "{certs}/center.key"
"""
SIGNING = """
[authority]
listen = "{listen}"
certificate = "est.crt"
key = "est.key"
ca_certificate = "ca.crt"
ca_key = "ca.key"
"""


class Whole:
    """A folder with settings, and the processes that run on it."""

    def __init__(self, folder: Path, broker: Broker, more: str = "", after: str = "") -> None:
        self.port = free_port()
        self.config = folder / "center.toml"
        said = CONFIG.format(port=self.port, broker=broker.port, certs=broker.certs, more=more)
        self.config.write_text(said + after, encoding="utf-8")
        self.log = folder / "log"
        with closing(Store(cli.load(self.config)[1])) as store:
            hire(store)
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers=BEARER, timeout=60.0
        )

    def close(self) -> None:
        self.client.close()

    def anbu(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", "center", *words, "--config", str(self.config)]
        return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "hub", "center", "--config", str(self.config)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stderr=log)
        try:
            wait_until(self.well, f"the centre is well; it says: {self.log.read_text()}", 20)
            yield process
        finally:
            process.kill()
            process.wait()

    def well(self) -> bool:
        with suppress(httpx.TransportError):
            return self.client.get("/healthz").status_code == 200
        return False


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.fixture
def whole(tmp_path: Path, broker: Broker) -> Iterator[Whole]:
    with closing(Whole(tmp_path, broker)) as made:
        yield made


def test_a_press_reaches_a_person_and_the_answer_comes_home(broker: Broker, whole: Whole) -> None:
    with whole.running() as process, Home(broker) as home:
        with whole.client.stream("GET", "/api/feed") as feed:
            lines = feed.iter_lines()
            assert next(line for line in lines if line) == ": still here"
            home.say("event", event(alarm="one"))
            assert home.hears("one").stage is Stage.RECEIVED
            told = next(json.loads(line[6:]) for line in lines if '"alarm"' in line)
            assert told == {"topic": "alarm", "id": "one", "version": 1}
        taken = whole.client.post("/api/alarms/one/take", json={"version": 1})
        assert taken.status_code == 200
        ack = home.hears("")
        assert (ack.alarm, ack.stage, ack.who) == ("one", Stage.ACCEPTED, "token:bench")
        home.say("state", state(Availability.READY, ("one", Stage.RECEIVED, 1)), retain=True)
        assert home.hears("").stage is Stage.ACCEPTED
        (hub,) = whole.client.get("/api/hubs").json()["hubs"]
        assert (hub["hub"], hub["seen"]) == (HUB, "ready")
        home.sees_center(online=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        home.sees_center(online=False)
    assert "Traceback" not in whole.log.read_text()


def test_a_call_that_comes_again_goes_back_to_everybody_through_a_killed_centre(
    broker: Broker, tmp_path: Path
) -> None:
    with closing(Whole(tmp_path, broker, "answer_s = 1.5\npresent_expires_s = 3")) as office:

        def acted(verb: str) -> None:
            assert office.client.post(f"/api/alarms/again/{verb}").status_code == 200

        def shown() -> dict[str, Any]:
            found: dict[str, Any] = office.client.get("/api/alarms/again").json()
            return found

        with office.running() as process, Home(broker) as home:
            home.say("event", event(alarm="again"))
            assert home.hears("again").stage is Stage.RECEIVED
            acted("send")
            ack = home.hears("")
            assert (ack.stage, ack.sent) == (Stage.ACCEPTED, True)
            called = event(What.REPEATED, alarm="again")
            home.say("event", called)
            assert home.hears(called.id).stage is Stage.RECEIVED  # stored
            assert home.hears("").stage is Stage.ACCEPTED  # and still held
            assert shown()["times"]["again"]
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        with Home(broker) as home, office.running():
            while home.hears("").stage is not Stage.RECEIVED:
                pass
            assert shown()["needs_person"]
            acted("present")
            while home.hears("").stage is not Stage.PRESENT:
                pass
            assert home.hears("").stage is Stage.RECEIVED  # it runs out
            deeds = [line["deed"] for line in shown()["timeline"]]
            assert deeds == [
                "raised", "sent", "repeated", "unanswered", "present", "present_expired",
            ]  # fmt: skip


def test_a_stop_does_not_wait_for_an_open_feed(whole: Whole) -> None:
    with whole.running() as process, whole.client.stream("GET", "/api/feed") as feed:
        lines = feed.iter_lines()
        next(lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    assert "Traceback" not in whole.log.read_text()


def test_a_hub_gets_its_certificate_and_a_stop_waits_for_no_hub(
    tmp_path: Path, broker: Broker
) -> None:
    own = authority_of(tmp_path)
    with closing(Whole(tmp_path, broker, after=SIGNING.format(listen=own.listen))) as whole:
        hub = Hub(tmp_path, own.listen)
        host, port = own.listen.split(":")
        with whole.running() as process, socket.create_connection((host, int(port))):
            said = {"digits": hub.digits(), "hub": "js-0417", "known_home": False}
            assert whole.client.post("/api/claims", json=said).status_code == 200
            hub.fetch()
            with hub.client(hub.files()) as held:
                assert held.put("/hub/backup", content=b"x").status_code == 204
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
        assert "Traceback" not in whole.log.read_text()
        with whole.running(), hub.client(hub.files()) as again:
            assert again.get("/hub/backup").content == b"x"


def test_keys_that_are_no_pair_are_told_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = authority_of(tmp_path)
    (tmp_path / "ca.key").write_bytes((tmp_path / "est.key").read_bytes())
    config = tmp_path / "center.toml"
    config.write_text(SIGNING.format(listen=own.listen), encoding="utf-8")
    parser = ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(["--config", str(config)])) == 2
    assert "[authority]" in capsys.readouterr().err


def test_a_killed_centre_forgets_nothing(broker: Broker, whole: Whole) -> None:
    with Home(broker) as home:
        with whole.running() as process:
            home.say("event", event(alarm="before"))
            assert home.hears("before").version == 1
            whole.client.post("/api/alarms/before/take")
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            home.say("event", event(alarm="meanwhile"))
        with whole.running():
            assert home.hears("meanwhile").stage is Stage.RECEIVED
            alarms = whole.client.get("/api/alarms").json()["alarms"]
            assert {(one["id"], one["stage"]) for one in alarms} == {
                ("before", "accepted"), ("meanwhile", "received"),
            }  # fmt: skip


def test_an_announcement_is_ordered_until_its_home_has_it_through_a_killed_centre(
    broker: Broker, whole: Whole
) -> None:
    ready, seen = state(Availability.READY, utc=time.time()), list[Command]()
    said = {"text": "오늘은 덥습니다. 물을 자주 드세요.", "key": "once"}
    with Home(broker) as home, whole.running() as process:
        home.say("state", ready)
        wait_until(lambda: whole.client.get("/api/hubs").json()["hubs"], "the hub is known")
        made = whole.client.post("/api/announcements", json=said).json()
        seen.append(home.commands.get(timeout=10))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with whole.running():
        assert whole.client.post("/api/announcements", json=said).json()["id"] == made["id"]
        with Home(broker) as home:  # whatever came before its time is refused: it had no reply
            wait_until(lambda: is_late(seen[0]), "the hub may be asked again", 20)
            home.say("state", ready)
            seen.append(home.commands.get(timeout=20))
            home.say("reply", Reply(made["id"], done=True))
            spoken = word(made["id"], at=time.time())
            home.say("event", spoken)
            assert home.hears(spoken.id).stage is Stage.RECEIVED
            path = f"/api/announcements/{made['id']}"
            wait_until(lambda: whole.client.get(path).json()["counts"]["spoken"], "it is spoken")
            assert home.commands.empty()
    assert {(command.id, command.text) for command in seen} == {(made["id"], said["text"])}
    assert seen[0].counter < seen[1].counter


def is_late(command: Command) -> bool:
    """Whether the hub may get the order again at its next message."""
    sent_utc = command.expires_utc - LASTS_S
    return time.time() > sent_utc + HASTEN_S


def test_an_operator_signs_in_and_the_cookie_opens_the_api(whole: Whole) -> None:
    password = "언덕 위의 파란 집"  # noqa: S105 - of a person who does not exist
    added = whole.anbu("user", "add", "이들판", "--role", "supervisor", "--password-stdin",
                       typed=password + "\n")  # fmt: skip
    assert added.returncode == 0
    assert password not in added.stdout + added.stderr
    token = whole.anbu("token", "add", "bench").stdout.strip()
    with whole.running(), httpx.Client(base_url=whole.client.base_url) as browser:
        key = re.search(r'name="csrf" value="([^"]+)"', browser.get("/sign-in").text)
        assert key
        form = {"name": "이들판", "password": password, "csrf": key[1]}
        assert browser.post("/sign-in", data=form).status_code == 303
        assert browser.get("/api/audit").status_code == 200
        browser.cookies.clear()
        bearer = {"authorization": f"Bearer {token}"}
        assert browser.get("/api/alarms", headers=bearer).status_code == 200
        assert whole.client.get("/api/alarms").status_code == 401  # a new token ends the old one


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("user", "add", "a", "--password-stdin"), "short\n"),
        (("user", "add", "a", "--role", "king", "--password-stdin"), "long enough for all\n"),
        (("user", "add", "\x07", "--password-stdin"), "long enough for all\n"),
        (("token", "add", "x" * 65), ""),
        (("user", "add"), ""),
        (("token", "add", "a", "--config", "no such file"), ""),
    ],
)
def test_a_wrong_word_at_the_command_line_is_refused(
    words: tuple[str, ...],
    typed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    try:
        code = cli.run(parser.parse_args(words))
    except SystemExit as refused:
        code = int(refused.code or 0)
    assert code == 2
    assert capsys.readouterr().err


def test_all_mistakes_of_the_settings_are_told_at_once(tmp_path: Path) -> None:
    config = tmp_path / "center.toml"
    config.write_text(
        '[center]\nlisten = "8080"\ntake_expires_s = -1\ncolour = 1\n'
        '[mqtt]\nbrokers = ["http://x"]\nprotocol = "4"\n',
        encoding="utf-8",
    )
    with pytest.raises(SettingsError) as caught:
        cli.load(config)
    keys = {mistake.key for mistake in caught.value.mistakes}
    assert keys == {
        "center.listen",
        "center.take_expires_s",
        "center.colour",
        "mqtt.brokers[1]",
        "mqtt.protocol",
    }


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[center]\nlisten = "127.0.0.1:99999"', "center.listen"),
        ('[center]\nlisten = "127.0.0.1\uff1a8080"', "center.listen"),
        ('[center]\ndatabase = "postgresql://db:port/anbu"', "center.database"),
        ('[center]\ndatabase = "oracel://db/anbu"', "center.database"),
        ('[center]\nkey = "key\\u0000"', "center.key"),
        ('\n[center]\nkey = "key.pem"', "center"),
        ('[mqtt]\nbrokers = ["tls://[::1]", "tls://[backup.example]:8883"]', "mqtt.brokers[2]"),
        ("[mqtt]\nsession_s = 4294967296", "mqtt.session_s"),
        ("[center]\nsession_s = 1e300", "center.session_s"),
    ],
)
def test_what_would_fail_later_is_refused_when_it_is_read(
    tmp_path: Path, text: str, key: str
) -> None:
    config = tmp_path / "center.toml"
    config.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as wrong:
        cli.load(config)
    assert [(mistake.line, mistake.key) for mistake in wrong.value.mistakes] == [(2, key)]


def test_a_certificate_of_the_console_that_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "center.toml"
    config.write_text('[center]\ncertificate = "missing.pem"\n', encoding="utf-8")
    parser = ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(["--config", str(config)])) == 2
    assert str(tmp_path / "missing.pem") in capsys.readouterr().err


@pytest.mark.skipif(bool(find_spec("psycopg")), reason="its driver is installed here")
def test_a_database_whose_driver_is_missing_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "center.toml"
    text = (
        f'[center]\nlisten = "127.0.0.1:{free_port()}"\ndatabase = "postgresql+psycopg://db/anbu"\n'
    )
    config.write_text(text, encoding="utf-8")
    parser = ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(["--config", str(config)])) == 1
    assert "psycopg" in capsys.readouterr().err


def test_paths_start_at_the_settings_file(tmp_path: Path) -> None:
    config = tmp_path / "center.toml"
    config.write_text('[mqtt]\nca = "certs/ca.crt"\ncert = "/etc/x.crt"\n', encoding="utf-8")
    settings, database = cli.load(config)
    assert settings.mqtt.ca == str(tmp_path / "certs/ca.crt")
    assert settings.mqtt.cert == "/etc/x.crt"
    assert database == f"sqlite:///{tmp_path / 'anbu-center.db'}"
    text = (
        f'[center]\nlisten = "127.0.0.1:{free_port()}"\ndatabase = "postgresql+psycopg://db/anbu"\n'
    )
    config.write_text(text, encoding="utf-8")
    assert cli.load(config)[1] == "postgresql+psycopg://db/anbu"
