"""The link against a real Mosquitto: why a dial fails, and that a session leaves nothing behind."""

import asyncio
import gc
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pytest
from msgspec.structs import replace
from paho.mqtt.client import DisconnectFlags
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from hub.contract.wire import LinkTrouble
from hub.core.model.effects import Lane
from hub.link.backoff import SILENT_TURNS, delay_s
from hub.link.reconnect import Link
from hub.link.session import MqttSettings, Session
from hub.outbox.store import Row
from provisioning.certs import dev
from tests.broker import HUBS, Broker, certs, free_port, wait_until
from tests.chaos import Chaos, Flow
from tests.hub.rig import EVENT, HUB, StubCenter, row, tell, until

pytestmark = [
    pytest.mark.broker,
    # paho drops a socket whose handshake failed without closing it; that does close it
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


class Notes:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.brokers: list[str] = []
        self.troubles: list[LinkTrouble] = []
        self.acks: list[tuple[str, bool]] = []
        self.messages: list[tuple[str, bytes]] = []

    def link_up(self, broker: str) -> None:
        self.brokers.append(broker)

    def link_down(self, trouble: LinkTrouble) -> None:
        self.troubles.append(trouble)

    def acked(self, id_: str, *, refused: bool) -> None:
        self.acks.append((id_, refused))

    def arrived(self, topic: str, payload: bytes) -> None:
        self.messages.append((topic, payload))


def settings(*ports: int, cert: str = f"hubs/{HUB}", ca: str = "ca") -> MqttSettings:
    folder = certs()
    return MqttSettings(
        brokers=tuple(f"tls://127.0.0.1:{port}" for port in ports),
        ca=str(folder / f"{ca}.crt"),
        cert=str(folder / f"{cert}.crt"),
        key=str(folder / f"{cert}.key"),
    )


@asynccontextmanager
async def linked(chosen: MqttSettings, hub: str = HUB) -> AsyncIterator[tuple[Link, Notes]]:
    notes = Notes()
    link = Link(chosen, hub, notes, lambda: b"lost")
    running = asyncio.create_task(link.run())
    try:
        yield link, notes
    finally:
        running.cancel()
        await asyncio.wait({running})


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


async def first_trouble(chosen: MqttSettings, hub: str = HUB) -> LinkTrouble:
    async with linked(chosen, hub) as (_, notes):
        await until(lambda: notes.troubles, "the dial fails", 15)
        assert notes.brokers == []
        return notes.troubles[0]


def test_nobody_listens() -> None:
    assert tell(first_trouble(settings(free_port()))) is LinkTrouble.UNREACHABLE


def test_no_such_name() -> None:
    nowhere = replace(settings(1), brokers=("tls://broker.invalid:8883",))
    assert tell(first_trouble(nowhere)) in {LinkTrouble.UNREACHABLE, LinkTrouble.TIMEOUT}


def test_a_black_hole_is_given_up_within_the_dials_time(broker: Broker) -> None:
    with Chaos(broker) as line:
        line.up = line.down = Flow.LOST
        chosen = replace(settings(line.port), dial_s=0.5)
        assert tell(first_trouble(chosen)) is LinkTrouble.TIMEOUT


def test_a_paused_broker_is_given_up_too(broker: Broker) -> None:
    broker.pause()
    try:
        chosen = replace(settings(broker.port), dial_s=0.5)
        assert tell(first_trouble(chosen)) is LinkTrouble.TIMEOUT
    finally:
        broker.resume()


@pytest.mark.parametrize(
    ("cert", "trouble"),
    [
        ("hubs/expired", LinkTrouble.CERTIFICATE_EXPIRED),
        ("hubs/early", LinkTrouble.CERTIFICATE_UNKNOWN),
        ("hubs/foreign", LinkTrouble.CERTIFICATE_UNKNOWN),
    ],
)
def test_the_broker_says_what_is_wrong_with_our_certificate(
    broker: Broker, cert: str, trouble: LinkTrouble
) -> None:
    """Under TLS 1.3 only after the handshake, and paho tells it only to its log.

    Sometimes the broker has hung up before it is read; the next dial has the reason.
    """

    async def story() -> None:
        async with linked(settings(broker.port, cert=cert)) as (_, notes):
            await until(lambda: trouble in notes.troubles, f"it is said, not {notes.troubles}")
            assert notes.brokers == []
            assert set(notes.troubles) <= {trouble, LinkTrouble.CLOSED}

    with patch("hub.link.reconnect.delay_s", return_value=0.0):
        tell(story())


def test_without_a_certificate_nobody_is_let_in(broker: Broker) -> None:
    bare = replace(settings(broker.port), cert="", key="")
    assert tell(first_trouble(bare)) in {LinkTrouble.REFUSED, LinkTrouble.CLOSED}


def test_a_broker_of_a_foreign_authority_is_not_trusted(broker: Broker) -> None:
    chosen = settings(broker.port, ca="foreign/ca")
    assert tell(first_trouble(chosen)) is LinkTrouble.CERTIFICATE_UNKNOWN


@pytest.mark.parametrize("missing", ["ca", "cert", "key"])
def test_a_missing_file_of_ours_is_no_network_trouble(broker: Broker, missing: str) -> None:
    chosen = replace(settings(broker.port), **{missing: "/nowhere.pem"})
    assert tell(first_trouble(chosen)) is LinkTrouble.TLS


def test_a_broker_that_speaks_no_tls_is_no_broker_of_ours() -> None:
    with Broker(tls=False) as plain:
        assert tell(first_trouble(settings(plain.port))) in {
            LinkTrouble.TLS,
            LinkTrouble.CLOSED,
            LinkTrouble.UNREACHABLE,
        }


@pytest.fixture
def imposter(tmp_path: Path) -> Path:
    """Certificates of a broker with another name."""
    folder = certs()
    for name in ("ca.crt", "ca.key"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    for kind in ("crt", "key"):
        (tmp_path / f"broker.{kind}").write_bytes((folder / f"wrong/broker.{kind}").read_bytes())
    return tmp_path


def test_a_broker_of_another_name_is_not_believed(imposter: Path) -> None:
    with Broker(certs_dir=imposter) as wrong:
        assert tell(first_trouble(settings(wrong.port))) is LinkTrouble.CERTIFICATE_WRONG_NAME


@pytest.mark.parametrize(
    ("days", "trouble"),
    [(1, LinkTrouble.CERTIFICATE_NOT_YET_VALID), (-2, LinkTrouble.CERTIFICATE_EXPIRED)],
)
def test_a_broker_whose_time_is_not_ours_is_told_apart(
    tmp_path: Path, days: int, trouble: LinkTrouble
) -> None:
    """A Pi without a clock battery starts with a time in the past."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only here

    from provisioning.certs.authority import issue  # noqa: PLC0415

    parent = dev.read(certs(), "ca")
    assert parent
    begins = datetime.now(UTC) + timedelta(days=days)
    ends = begins + timedelta(days=1)
    pair = issue(parent, "broker", hosts=("127.0.0.1",), begins=begins, ends=ends)
    dev.write(tmp_path, "broker", pair)
    (tmp_path / "ca.crt").write_bytes((certs() / "ca.crt").read_bytes())
    with Broker(certs_dir=tmp_path) as early:
        assert tell(first_trouble(settings(early.port))) is trouble


def test_a_link_speaks_and_hears(broker: Broker) -> None:
    async def story() -> None:
        async with linked(settings(broker.port)) as (link, notes):
            await until(lambda: notes.brokers, "the link is up")
            link.publish(row(1))
            await until(lambda: notes.acks == [("b-1", False)], "the PUBACK comes")
            await until(lambda: notes.messages, "the centre's ack comes")
            assert notes.messages[0][0] == f"anbu/1/{HUB}/ack"

    with StubCenter(broker) as center:
        tell(story())
        assert list(center.heard) == ["b-1"]


def test_a_hub_that_is_not_its_certificates_is_refused_and_told_so(broker: Broker) -> None:
    """Under MQTT 5 the PUBACK says so."""

    async def story() -> None:
        async with linked(settings(broker.port, cert=f"hubs/{HUBS[1]}")) as (link, notes):
            await until(lambda: notes.brokers, "the link is up")
            link.publish(row(1))
            await until(lambda: notes.acks == [("b-1", True)], "it is refused")

    tell(story())


def test_a_hub_that_may_not_hear_the_center_has_no_link(broker: Broker) -> None:
    """A broker that checks subscriptions says no; Mosquitto's file ACL does not, so it is lost."""

    async def story() -> None:
        async with linked(replace(settings(line.port), dial_s=0.5)) as (_, notes):
            await until(lambda: notes.troubles, "no link without SUBACK")
            assert notes.brokers == []

    with Chaos(broker, hub=HUB) as line:
        line.loses = lambda packet: packet.kind.name == "SUBACK"
        tell(story())


def test_a_twin_with_our_name_is_told_apart_and_waited_for(broker: Broker) -> None:
    """A cloned SD card: the broker lets the second in and throws the first out, and so on.

    Mosquitto 2.0.11 closes without a word; later ones, and other brokers, say why at once.
    """

    async def story() -> None:
        async with linked(settings(broker.port)) as (_, first):
            await until(lambda: first.brokers, "the first is in")
            async with linked(settings(broker.port)) as (_, second):
                await until(lambda: second.brokers, "the second is in")
                taken = LinkTrouble.TAKEN_OVER
                await until(
                    lambda: taken in first.troubles or taken in second.troubles, "it is told", 30
                )
                loser = first if taken in first.troubles else second
                ups = len(loser.brokers)
                await asyncio.sleep(3.0)  # the other one would have been thrown out again by now
                assert len(loser.brokers) == ups
                assert len(first.brokers) + len(second.brokers) <= 2 + 2 * SILENT_TURNS

    tell(story())


def test_a_call_that_waits_is_sent_though_a_twin_holds_the_session(broker: Broker) -> None:
    async def story() -> None:
        async with linked(settings(broker.port)) as (link, notes):
            await until(lambda: notes.brokers, "the link is up")
            assert link._session
            link._session.end(LinkTrouble.TAKEN_OVER)
            await until(lambda: notes.troubles, "it is thrown off")
            link.hurry(urgent=True)
            await until(lambda: len(notes.brokers) == 2, "it dials at once", 3)

    tell(story())


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_closes_in_good_order_is_told_from_a_network_that_breaks(
    broker: Broker, protocol: Literal["5", "3.1.1"]
) -> None:
    async def story() -> None:
        chosen = replace(settings(line.port), protocol=protocol)
        async with linked(chosen) as (link, notes):
            for n, how in enumerate(("broken", "closed")):
                await until(partial(more_than, notes.brokers, n), "the link is up")
                session = link._session
                assert session
                if how == "broken":
                    line.reset()
                else:
                    async with linked(chosen) as (_, twin):
                        await until(lambda: twin.brokers, "the twin is in")
                await until(partial(more_than, notes.troubles, n), "it is down")
                assert session.silent is (how == "closed" and notes.troubles[n] is not TAKEN)

    TAKEN = LinkTrouble.TAKEN_OVER  # noqa: N806 - a name for two lines
    with Chaos(broker) as line, patch("hub.link.reconnect.delay_s", return_value=0.0):
        tell(story())


def test_a_broker_that_says_why_is_understood() -> None:
    async def story() -> None:
        session = Session(settings(1), HUB, "tls://127.0.0.1:1", Notes(), b"lost")
        said = ReasonCode(PacketTypes.DISCONNECT, identifier=0x8E)
        session._on_disconnect(DisconnectFlags(is_disconnect_packet_from_server=True), said)
        assert await session.ended is LinkTrouble.TAKEN_OVER
        assert not session.silent
        session.end(LinkTrouble.CLOSED)

    tell(story())


def revoked(folder: Path, hub: str) -> Path:
    """Write a list that revokes a hub's certificate."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - only here

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415

    authority, now = dev.read(certs(), "ca"), datetime.now(UTC)
    assert authority
    stolen = x509.load_pem_x509_certificate((certs() / f"hubs/{hub}.crt").read_bytes())
    entry = x509.RevokedCertificateBuilder().serial_number(stolen.serial_number)
    ended = entry.revocation_date(now).build()
    builder = x509.CertificateRevocationListBuilder().issuer_name(stolen.issuer)
    builder = builder.last_update(now - timedelta(days=1)).next_update(now + timedelta(days=1))
    made = builder.add_revoked_certificate(ended).sign(authority.key, hashes.SHA256())
    path = folder / "revoked.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_hub_whose_certificate_is_revoked_is_told_so_and_dials_once_a_minute(
    tmp_path: Path,
) -> None:
    waits: list[float] = []

    def remember(*facts: Any, **more: Any) -> float:  # noqa: ANN401
        waits.append(delay_s(*facts, **more))
        return 0.0

    async def story() -> None:
        revoked_ = LinkTrouble.CERTIFICATE_REVOKED
        async with linked(settings(strict.port)) as (_, notes):
            await until(lambda: notes.troubles.count(revoked_) > 2, f"it is said: {notes.troubles}")
            assert notes.brokers == []
            began = notes.troubles.index(revoked_)
            assert set(notes.troubles[began:]) == {revoked_}

    with (
        Broker(more=f"crlfile {revoked(tmp_path, HUB)}") as strict,
        patch("hub.link.reconnect.delay_s", side_effect=remember),
    ):
        tell(story())
    assert max(waits) >= 60.0


def test_brokers_are_tried_in_turn_and_without_a_pause(broker: Broker) -> None:
    async def story() -> None:
        dead, wrong = free_port(), free_port()
        async with linked(settings(dead, wrong, broker.port)) as (_, notes):
            await until(lambda: notes.brokers, "the third is taken", 5)
            assert notes.brokers == [f"tls://127.0.0.1:{broker.port}"]
            assert notes.troubles == [LinkTrouble.UNREACHABLE] * 2

    with patch("hub.link.reconnect.delay_s", side_effect=AssertionError("no pause within a round")):
        tell(story())


def test_a_broker_that_refuses_our_messages_is_left_for_the_next(broker: Broker) -> None:
    async def story(ports: tuple[int, ...], *, moves: bool) -> None:
        async with linked(settings(*ports)) as (link, notes):
            await until(lambda: notes.brokers, "the first is up")
            link.hang_up(LinkTrouble.REFUSED)
            if moves:
                await until(lambda: len(notes.brokers) == 2, "the next is up")
            else:
                link.publish(row(1))
                await until(lambda: notes.acks, "there is no other: the session goes on")

    tell(story((broker.port,), moves=False))
    with Broker() as other:
        tell(story((broker.port, other.port), moves=True))


def test_an_old_broker_is_spoken_to_in_its_own_version(broker: Broker) -> None:
    async def story() -> None:
        async with linked(replace(settings(broker.port), protocol="3.1.1")) as (link, notes):
            await until(lambda: notes.brokers, "the link is up")
            link.publish(row(1))
            await until(lambda: notes.acks == [("b-1", False)], "the PUBACK comes")
            await until(lambda: notes.messages, "the centre's ack comes")

    with StubCenter(broker):
        tell(story())


def test_small_packets_leave_at_once(broker: Broker) -> None:
    """Nagle's algorithm delays the PUBACK by 44 ms."""

    async def story() -> None:
        async with linked(settings(broker.port)) as (link, notes):
            await until(lambda: notes.brokers, "the link is up")
            assert link._session
            sock = link._session._client.socket()
            assert isinstance(sock, socket.socket)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

    tell(story())


def more_than(things: Sequence[str], count: int) -> bool:
    return len(things) > count


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no Path objects wanted here


@pytest.mark.parametrize("how", ["hung up", "reset"])
def test_fifty_sessions_leave_nothing_behind(broker: Broker, how: str) -> None:
    """No thread, no file, and nothing that only the garbage collector would find."""

    async def story() -> None:
        async with linked(settings(line.port)) as (link, notes):
            for n in range(50):
                await until(partial(more_than, notes.brokers, n), f"session {n} is up")
                if n == 5:
                    await until(lambda: paho_threads() <= 1, "old dials have ended")
                    gc.collect()
                    gc.disable()
                    before.append(open_files())
                if how == "hung up":
                    link.hang_up(LinkTrouble.ACK_OVERDUE)
                else:
                    line.reset()
            await until(lambda: paho_threads() <= 1, "old dials have ended")
            await until(lambda: open_files() <= before[0] + 6, f"files: {open_files()}")

    def paho_threads() -> int:
        names = [thread.name for thread in threading.enumerate()]
        return sum(name.startswith(("paho", "anbu-dial")) for name in names)

    before: list[int] = []
    with ExitStack() as stack:
        line = stack.enter_context(Chaos(broker))
        stack.enter_context(patch("hub.link.reconnect.delay_s", return_value=0.0))
        stack.callback(gc.enable)
        tell(story())


def test_sessions_that_end_in_the_middle_of_things_harm_no_thread(broker: Broker) -> None:
    """`filterwarnings = error` fails this test for any exception in any thread."""

    async def story() -> None:
        async with linked(settings(broker.port)) as (link, notes):
            for n in range(20):
                await until(partial(more_than, notes.brokers, n), f"session {n} is up")
                for k in range(10):
                    link.publish(row(1000 * n + k))
                link.hang_up(LinkTrouble.ACK_OVERDUE)

    with patch("hub.link.reconnect.delay_s", return_value=0.0):
        tell(story())


def test_a_clean_leave_says_disconnected_and_nothing_comes_after_it(broker: Broker) -> None:
    async def story() -> None:
        async with linked(settings(broker.port)) as (link, notes):
            await until(lambda: notes.brokers, "the link is up")
            await link.leave(Row(0, "state", Lane.LIVE, f"anbu/1/{HUB}/state", b"bye", retain=True))
            link.publish(row(1))
            await until(lambda: notes.troubles, "the session has ended")
            assert notes.acks == [("state", False)]
            assert notes.brokers == [f"tls://127.0.0.1:{broker.port}"], "no redial"

    before = len(broker.log())
    tell(story())
    wait_until(lambda: f"Client {HUB} disconnected." in broker.log()[before:], "the broker agrees")


def test_a_callback_that_raises_ends_the_link(broker: Broker) -> None:
    """The exception ends the process; in paho's own thread it would only end that thread."""

    async def story() -> None:
        notes = Notes()
        link = Link(settings(broker.port), HUB, notes, lambda: b"lost")
        running = asyncio.create_task(link.run())
        await until(lambda: notes.brokers, "the link is up")
        link.publish(row(1))
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(running, 5)

    def explode(*_: object) -> None:
        raise ZeroDivisionError

    real = Session._wire_up

    def wire_up(session: Session) -> None:
        real(session)
        session._client.on_publish = explode

    with patch.object(Session, "_wire_up", wire_up):
        tell(story())


def test_a_stop_in_the_moment_in_which_a_back_off_is_cut_short_is_a_stop() -> None:
    """`asyncio.wait_for` of Python 3.11 swallowed it: a hub lived on after SIGTERM."""

    async def story(turns: int) -> None:
        notes = Notes()
        link = Link(settings(free_port()), HUB, notes, lambda: b"lost")
        with patch("hub.link.reconnect.delay_s", lambda *_, **__: 60.0):
            running = asyncio.create_task(link.run())
            await until(lambda: notes.troubles, "the dial has failed")
            await asyncio.sleep(0)
            link.hurry(urgent=True)
            for _ in range(turns):
                await asyncio.sleep(0)
            running.cancel()
            await asyncio.wait({running}, timeout=2.0)
            assert running.cancelled(), f"{turns} turns of the loop later"

    for turns in range(6):
        tell(story(turns))


def test_a_link_that_has_left_dials_no_more(broker: Broker) -> None:
    """A redial would publish `ready` again, and then the broker would publish `lost`."""

    async def story() -> None:
        notes = Notes()
        link = Link(settings(broker.port), HUB, notes, lambda: b"lost")
        running = asyncio.create_task(link.run())
        await until(lambda: notes.brokers, "the link is up")
        await link.leave(Row(0, "state", Lane.LIVE, f"anbu/1/{HUB}/state", b"bye", retain=True))
        await asyncio.wait_for(running, 5)
        assert len(notes.brokers) == 1

    tell(story())


def test_events_are_never_sent_retained() -> None:
    assert row(1).topic == EVENT
    assert row(1).retain is False
