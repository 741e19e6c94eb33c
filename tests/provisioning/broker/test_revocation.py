"""Hubs that are struck off while a real broker runs: their sessions end, their neighbours stay."""

import errno
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Timer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hub.__main__ import main
from provisioning.broker import reload, revocation
from provisioning.broker.config import ADMIN_SOCKET, CRL, write_config
from provisioning.broker.reload import Outcome
from provisioning.certs import dev
from provisioning.certs.authority import authority
from tests.broker import HUBS, Broker, certs, wait_until
from tests.provisioning.broker.test_config import NOT_AUTHORIZED, talker

THIEF, HONEST = HUBS
MONTH = timedelta(days=30)


def strike_off(folder: Path, *hubs: str, ends: timedelta = MONTH, serials: bool = True) -> Path:
    """Write what the centre writes: who is denied, and the list of revoked certificates."""
    parent, now = dev.read(certs(), "ca"), datetime.now(UTC)
    assert parent
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(parent.certificate.subject)
        .last_update(min(now, now + ends) - timedelta(days=1))
        .next_update(now + ends)
    )
    for hub in hubs if serials else ():
        pair = dev.read(certs(), f"hubs/{hub}")
        assert pair
        number = pair.certificate.serial_number
        one = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now).build()
        made = made.add_revoked_certificate(one)
    signed = made.sign(parent.key, SHA256())
    (folder / revocation.CRL).write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / revocation.DENIED).write_text("".join(f"{hub}\n" for hub in hubs), encoding="utf-8")
    return folder


class Revocable(Broker):
    """A broker that knows where the centre writes."""

    def __init__(self, revoked: Path) -> None:
        super().__init__()
        self.revoked = revoked
        self.configure()

    def configure(self) -> None:
        """Write its configuration as before each start."""
        write_config(self.folder, self.certs, self.port, revoked=self.revoked)

    def reload(self) -> int:
        """Run `anbu broker-reload`."""
        return main(["broker-reload", str(self.folder), str(self.certs), str(self.revoked)])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Revocable]:
    with Revocable(strike_off(tmp_path)) as found:
        yield found


@pytest.mark.broker
def test_a_session_that_stands_ends_and_its_neighbour_hears_nothing_of_it(
    broker: Revocable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with talker(broker, THIEF) as thief, talker(broker, HONEST) as honest:
        assert thief.say(f"anbu/1/{THIEF}/event") == 0
        strike_off(tmp_path, THIEF)
        assert broker.reload() == Outcome.DONE
        assert THIEF in capsys.readouterr().out
        wait_until(lambda: not thief.client.is_connected(), "the thief's session has ended", 5)
        assert honest.client.is_connected()
        assert honest.say(f"anbu/1/{HONEST}/event") == 0
    assert "certificate verify failed" in refused(broker, THIEF)


def refused(broker: Revocable, hub: str) -> str:
    """Return what OpenSSL and the broker say when a client comes anew."""
    before = len(broker.log())
    with pytest.raises((OSError, AssertionError)), talker(broker, hub):
        pass
    return broker.log()[before:]


@pytest.mark.broker
def test_a_message_of_a_denied_hub_is_refused_though_its_session_stands(
    broker: Revocable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "END_S", 0.5)
    (broker.folder / ADMIN_SOCKET).unlink()  # nobody can end its session
    with talker(broker, THIEF) as thief:
        strike_off(tmp_path, THIEF, serials=False)
        assert broker.reload() == Outcome.FAILED
        wait_until(lambda: thief.say(f"anbu/1/{THIEF}/event") == NOT_AUTHORIZED, "it is refused")


@pytest.mark.broker
def test_the_session_ends_though_the_brokers_own_socket_comes_late(
    broker: Revocable, tmp_path: Path
) -> None:
    socket, aside = broker.folder / ADMIN_SOCKET, broker.folder / "aside"
    socket.rename(aside)
    with talker(broker, THIEF) as thief:
        strike_off(tmp_path, THIEF, serials=False)
        Timer(0.5, aside.rename, (socket,)).start()
        assert broker.reload() == Outcome.DONE
        wait_until(lambda: not thief.client.is_connected(), "its session has ended")


@pytest.mark.broker
def test_who_is_denied_without_a_list_may_say_and_hear_nothing(tmp_path: Path) -> None:
    """A county with an authority of its own may have no list for us."""
    (tmp_path / revocation.DENIED).write_text(f"{THIEF}\n", encoding="utf-8")
    with Revocable(tmp_path) as broker, talker(broker, "center") as center:
        center.hear(f"anbu/1/{THIEF}/event")
        with talker(broker, THIEF) as thief:
            assert thief.say(f"anbu/1/{THIEF}/event") == NOT_AUTHORIZED
            thief.hear(f"anbu/1/{THIEF}/cmd")
            center.say(f"anbu/1/{THIEF}/cmd")
            assert thief.say(f"anbu/1/{THIEF}/event") == NOT_AUTHORIZED  # what it hears came before
        assert thief.heard.empty()
        assert center.heard.empty()


@pytest.mark.broker
def test_where_nothing_has_changed_the_broker_is_left_alone(
    broker: Revocable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals, kill = list[int](), os.kill

    def noted(pid: int, sign: int) -> None:
        signals.append(sign)
        kill(pid, sign)

    monkeypatch.setattr(os, "kill", noted)
    strike_off(tmp_path, THIEF)
    assert [broker.reload(), broker.reload(), broker.reload()] == [Outcome.DONE] * 3
    assert signals == [signal.SIGHUP]


@pytest.mark.broker
def test_what_was_cut_off_after_the_rules_were_written_is_done_at_the_next_reload(
    broker: Revocable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path) -> None:
        raise OSError(errno.ENOSPC, "no room", str(folder))

    with talker(broker, THIEF) as thief:
        strike_off(tmp_path, THIEF, serials=False)
        with monkeypatch.context() as cut:
            cut.setattr(reload, "to_disk", full)
            assert broker.reload() == Outcome.FAILED
        assert broker.reload() == Outcome.DONE
        wait_until(lambda: not thief.client.is_connected(), "the thief's session has ended", 5)


@pytest.mark.broker
def test_a_session_that_could_not_be_ended_is_ended_by_a_later_reload(
    broker: Revocable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "END_S", 0.5)
    aside = (broker.folder / ADMIN_SOCKET).rename(broker.folder / "aside")
    with talker(broker, THIEF) as thief:
        strike_off(tmp_path, THIEF, serials=False)
        assert broker.reload() == Outcome.FAILED
        assert thief.client.is_connected()
        aside.rename(broker.folder / ADMIN_SOCKET)
        assert broker.reload() == Outcome.DONE
        wait_until(lambda: not thief.client.is_connected(), "the thief's session has ended", 5)


@pytest.mark.broker
def test_a_hub_that_is_taken_back_may_speak_again(broker: Revocable, tmp_path: Path) -> None:
    strike_off(tmp_path, THIEF)
    assert broker.reload() == Outcome.DONE
    strike_off(tmp_path)
    assert broker.reload() == Outcome.DONE
    with talker(broker, THIEF) as hub:
        wait_until(lambda: hub.say(f"anbu/1/{THIEF}/event") == 0, "it is heard")


@pytest.mark.broker
@pytest.mark.parametrize("ends", [timedelta(days=-1), timedelta(days=2)])
def test_a_list_near_its_end_never_locks_the_county_out(tmp_path: Path, ends: timedelta) -> None:
    with Revocable(strike_off(tmp_path, THIEF, ends=ends)) as broker:
        assert not (broker.folder / CRL).exists()
        with talker(broker, HONEST) as honest:
            assert honest.say(f"anbu/1/{HONEST}/event") == 0
        with talker(broker, THIEF) as thief:  # the rule still holds
            assert thief.say(f"anbu/1/{THIEF}/event") == NOT_AUTHORIZED


@pytest.mark.broker
def test_a_list_that_runs_out_while_the_broker_runs_asks_for_a_restart(
    broker: Revocable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The centre has been down for a month: the helper comes each day, and sees it in time."""
    strike_off(tmp_path, ends=timedelta(days=2))
    assert broker.reload() == Outcome.RESTART
    assert capsys.readouterr().out
    broker.stop()
    broker.configure()
    broker.start()
    with talker(broker, HONEST) as honest:
        assert honest.say(f"anbu/1/{HONEST}/event") == 0
    strike_off(tmp_path)
    assert broker.reload() == Outcome.RESTART  # there is a list again


@pytest.mark.parametrize("what", ["foreign", "damaged", "empty", "none"])
def test_a_list_that_would_refuse_everybody_is_left_out(tmp_path: Path, what: str) -> None:
    now = datetime.now(UTC)
    trusted = tmp_path / "certs"
    trusted.mkdir()
    shutil.copy(certs() / "ca.crt", trusted / "ca.crt")
    strike_off(tmp_path)
    assert revocation.list_of(tmp_path, trusted, now)
    path = tmp_path / revocation.CRL
    if what == "foreign":  # there is a second authority, and no list of it
        with (trusted / "ca.crt").open("ab") as file:
            file.write(authority("Another county").certificate_pem())
    elif what == "damaged":
        path.write_bytes(path.read_bytes()[:100] + b"?" * 20 + path.read_bytes()[120:])
    elif what == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
    assert revocation.list_of(tmp_path, trusted, now) is None


def denied_by(rules: str) -> set[str]:
    pairs = pairwise(rules.split("\n"))
    return {one.removeprefix("user ") for one, then in pairs if then == "topic deny #"}


def test_a_list_that_is_not_valid_yet_is_left_out(tmp_path: Path) -> None:
    """OpenSSL refuses everybody by it: the clock of whoever wrote it was ahead."""
    strike_off(tmp_path)
    now = datetime.now(UTC)
    assert revocation.list_of(tmp_path, certs(), now)
    assert revocation.list_of(tmp_path, certs(), now - timedelta(days=2)) is None


def test_a_line_that_is_no_hub_makes_no_rule(tmp_path: Path) -> None:
    lines = f"{THIEF}\nuser center\ntopic deny #\ncenter\n../x\n\n# {HONEST}\n"
    (tmp_path / revocation.DENIED).write_text(lines, encoding="utf-8")
    assert revocation.denied(tmp_path) == (THIEF,)
    rules = revocation.rules(tmp_path)
    assert denied_by(rules) == {THIEF}
    plain = revocation.rules(None)
    assert rules.replace(f"user {THIEF}\ntopic deny #\n\n", "") == plain
    assert denied_by(plain) == set()


def test_a_folder_with_a_long_name_has_no_socket_and_the_broker_starts(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    config = write_config(folder, certs(), 8883)
    assert "admin.socket" not in config.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as short:
        assert "admin.socket" in write_config(Path(short), certs(), 8883).read_text(
            encoding="utf-8"
        )
