"""A renewed certificate is taken up at the hub's own next dial, and a bad one costs no call."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from hub.contract.wire import LinkTrouble
from hub.link.identity import AGAIN_S, Identities, settings_of
from hub.link.reconnect import Link
from hub.link.session import MqttSettings
from hub.shared import identity
from hub.shared.identity import CURRENT, NEXT, in_use, read, this_board
from tests.broker import Broker, certs, free_port
from tests.hub.link.test_reconnect import Notes
from tests.hub.rig import HUB, tell, until
from tests.identities import enrol

pytestmark = [
    pytest.mark.broker,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # paho, see test_reconnect
]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@asynccontextmanager
async def linked(root: Path, port: int, board: str = "") -> AsyncIterator[tuple[Link, Notes]]:
    notes, chosen = Notes(), MqttSettings(brokers=(f"tls://127.0.0.1:{port}",))
    link = Link(chosen, HUB, notes, lambda: b"lost", Identities(root, HUB, board))
    running = asyncio.create_task(link.run())
    try:
        yield link, notes
    finally:
        running.cancel()
        await asyncio.wait({running})


def number(root: Path, name: str) -> int:
    found = read(root, name)
    return found.number if found else 0


def test_a_renewed_one_is_proven_by_the_hubs_own_next_dial(broker: Broker, tmp_path: Path) -> None:
    assert enrol(tmp_path, HUB) == CURRENT

    async def story() -> None:
        async with linked(tmp_path, broker.port) as (link, notes):
            await until(lambda: notes.brokers, "a session stands")
            assert enrol(tmp_path, HUB) == NEXT
            assert await tended(link, 3), "it looks after its session"
            assert (len(notes.brokers), notes.troubles) == (1, []), "nothing is dialled beside it"
            assert (number(tmp_path, CURRENT), number(tmp_path, NEXT)) == (1, 2)
            link.hang_up(LinkTrouble.CLOSED)
            await until(lambda: len(notes.brokers) == 2, "the next session stands")
            await until(lambda: number(tmp_path, CURRENT) == 2, "the new one is the current one")
            assert not number(tmp_path, NEXT)

    tell(story())


async def tended(link: Link, times: int) -> bool:
    """Whether the link has looked after its session so often: each time it could have dialled."""
    session, count = link._session, 0
    assert session
    tend = session.tend

    def counted() -> None:
        nonlocal count
        count += 1
        tend()

    with patch.object(session, "tend", counted):
        await until(lambda: count >= times, "it is tended")
    return True


def test_a_refused_one_costs_one_handshake_and_is_kept_for_later(
    broker: Broker, tmp_path: Path
) -> None:
    enrol(tmp_path, HUB)
    enrol(tmp_path, HUB, foreign=True)

    async def story() -> None:
        async with linked(tmp_path, broker.port) as (link, notes):
            await until(lambda: notes.brokers, "a session stands by the current one", 5)
            assert len(notes.troubles) == 1
            assert (number(tmp_path, CURRENT), number(tmp_path, NEXT)) == (1, 2)
            link.hang_up(LinkTrouble.CLOSED)
            await until(lambda: len(notes.brokers) == 2, "so does the next", 5)
            assert notes.troubles[1:] == [LinkTrouble.CLOSED], "it was not tried again yet"

    tell(story())


def test_another_board_dials_nobody_and_says_why(broker: Broker, tmp_path: Path) -> None:
    enrol(tmp_path, HUB, "a board")

    async def story() -> None:
        async with linked(tmp_path, broker.port, "another board") as (_, notes):
            await until(lambda: notes.troubles, "it is told")
            assert notes.troubles == [LinkTrouble.OTHER_BOARD]
            assert notes.brokers == []

    before = broker.log().count("New connection")
    tell(story())
    assert broker.log().count("New connection") == before


def test_registered_anew_on_this_board_it_dials(broker: Broker, tmp_path: Path) -> None:
    enrol(tmp_path, HUB, "a board")

    async def story() -> None:
        async with linked(tmp_path, broker.port, "another board") as (_, notes):
            await until(lambda: notes.troubles, "it is told")
            assert enrol(tmp_path, HUB, "another board") == CURRENT
            await until(lambda: notes.brokers, "a session stands")

    with patch("hub.link.reconnect.delay_s", return_value=0.05):
        tell(story())


def test_without_brokers_it_waits_and_says_so(tmp_path: Path) -> None:
    enrol(tmp_path, HUB)

    async def story() -> None:
        notes = Notes()
        link = Link(MqttSettings(), HUB, notes, lambda: b"", Identities(tmp_path, HUB, ""))
        running = asyncio.create_task(link.run())
        await until(lambda: notes.troubles, "it is told")
        running.cancel()
        await asyncio.wait({running})
        assert notes.troubles == [LinkTrouble.UNREACHABLE]

    tell(story())


def test_a_disk_that_hangs_holds_up_no_dial(tmp_path: Path) -> None:
    enrol(tmp_path, HUB)

    async def story() -> None:
        stuck = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hang(_: str) -> LinkTrouble:
            asyncio.run_coroutine_threadsafe(stuck.wait(), loop).result(30)
            return LinkTrouble.TLS

        async with linked(tmp_path, free_port()) as (link, notes):
            with patch.object(link._identities, "choose", hang):
                await until(lambda: LinkTrouble.TIMEOUT in notes.troubles, "it is given up")
                stuck.set()

    with patch("hub.link.reconnect.delay_s", return_value=0.0):
        tell(story())


class Disk:
    """Whose turn it is, without a broker."""

    def __init__(self, root: Path, board: str = "b") -> None:
        self.at = 0.0
        self.identities = Identities(root, HUB, board, lambda: self.at)

    def turn(self, broker: str = "a") -> object:
        """The number of the chosen generation, with whether it is new; or the trouble."""
        chosen = self.identities.choose(broker)
        if isinstance(chosen, LinkTrouble):
            return chosen
        return chosen[0].number, chosen[1]

    def fails(self, trouble: LinkTrouble) -> bool:
        """Let the dial fail whose turn it is; whether the other one is dialled at once."""
        self.at += 1.0
        chosen = self.identities.choose("a")
        assert not isinstance(chosen, LinkTrouble)
        return self.identities.failed("a", chosen[0], trouble)


def test_after_a_failed_dial_it_is_the_other_ones_turn(tmp_path: Path) -> None:
    enrol(tmp_path, HUB, "b")
    enrol(tmp_path, HUB, "b")
    disk = Disk(tmp_path)
    assert disk.turn() == (2, True)
    assert not disk.fails(LinkTrouble.UNREACHABLE)
    assert disk.turn() == (2, True), "nobody has seen it"
    assert not disk.fails(LinkTrouble.TIMEOUT)
    assert (disk.turn(), disk.turn("another broker")) == ((1, False), (2, True))
    assert disk.fails(LinkTrouble.CERTIFICATE_EXPIRED), "dial the other one at once"
    assert disk.turn() == (2, True)
    assert not disk.identities.refused("a")
    assert disk.fails(LinkTrouble.CERTIFICATE_UNKNOWN) is False
    assert disk.turn() == (1, False)
    assert disk.identities.refused("a"), "both"
    disk.at += AGAIN_S
    assert disk.turn() == (2, True)
    assert not disk.identities.refused("a")


def test_an_identity_of_another_hub_is_not_dialled_with(tmp_path: Path) -> None:
    enrol(tmp_path, "js-0002", "b")
    assert Disk(tmp_path).turn() is LinkTrouble.NO_IDENTITY
    assert Disk(tmp_path / "none").turn() is LinkTrouble.NO_IDENTITY
    enrol(tmp_path, "js-0002", "b")
    assert Disk(tmp_path).turn() is LinkTrouble.NO_IDENTITY


def test_a_renewed_one_that_was_replaced_meanwhile_is_not_proven(tmp_path: Path) -> None:
    enrol(tmp_path, HUB)
    enrol(tmp_path, HUB)
    proven = read(tmp_path, NEXT)
    assert proven
    (tmp_path / NEXT).unlink()
    assert not identity.prove(tmp_path, proven)
    enrol(tmp_path, HUB)
    assert not identity.prove(tmp_path, proven)
    assert number(tmp_path, CURRENT) == 1


def test_where_the_current_one_is_damaged_the_newest_whole_one_is_used(tmp_path: Path) -> None:
    enrol(tmp_path, HUB)
    enrol(tmp_path, HUB)
    (tmp_path / "1" / identity.CERTIFICATE).write_bytes(b"")
    found = in_use(tmp_path)
    assert found
    assert found.number == 2
    (tmp_path / "2" / identity.FACTS).write_bytes(b"{")
    assert in_use(tmp_path) is None
    assert in_use(tmp_path / "nowhere") is None


def test_a_board_is_known_by_its_serial_and_the_machines_id(tmp_path: Path) -> None:
    serial, product, machine = (tmp_path / name for name in ("serial", "product", "machine"))
    assert this_board(serial, product, machine) == ""
    machine.write_text("0123\n")
    first = this_board(serial, product, machine)
    product.write_text("pc\n")
    pc = this_board(serial, product, machine)
    serial.write_text("10000000abcdef01\0")
    pi = this_board(serial, product, machine)
    assert len({first, pc, pi}) == 3
    product.write_text("another\n")
    assert this_board(serial, product, machine) == pi
    machine.write_text("4567\n")
    assert this_board(serial, product, machine) != pi


def test_the_settings_name_the_files_of_the_identity(tmp_path: Path) -> None:
    enrol(tmp_path, HUB)
    held = in_use(tmp_path)
    assert held
    made = settings_of(held, MqttSettings(brokers=("tls://a:1",), keepalive_s=3))
    assert made == replace(
        MqttSettings(brokers=("tls://a:1",), keepalive_s=3),
        ca=f"{tmp_path}/1/ca.crt",
        cert=f"{tmp_path}/1/hub.crt",
        key=f"{tmp_path}/1/hub.key",
    )
    assert Path(made.ca).read_bytes() == (certs() / "ca.crt").read_bytes()
