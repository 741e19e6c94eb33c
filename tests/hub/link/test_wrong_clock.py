"""A hub whose clock is not synchronised calls all the same: a network without a time server.

The brokers' certificates begin in the hub's future, or have ended in its past; both by far.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from hub import config
from hub.app import Hub
from hub.clocks import SystemClocks
from hub.contract.wire import LinkTrouble
from hub.core.model.events import ClockCompared
from hub.link.reconnect import Link
from hub.link.session import MqttSettings
from provisioning.certs import dev
from provisioning.certs.authority import issue
from tests.broker import HUBS, Broker, certs, wait_until
from tests.hub.link.test_reconnect import Notes, settings
from tests.hub.rig import HUB, HubProcess, tell, until, write_config

pytestmark = [
    pytest.mark.broker,
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # paho, see test_reconnect
]
DAY_S = 86_400.0
EARLY_DAYS, LATE_DAYS = 300, -100  # where the middle of a certificate's month lies


@pytest.fixture(scope="module", params=[EARLY_DAYS, LATE_DAYS], ids=["from the future", "ended"])
def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Broker, int]]:
    folder = tmp_path_factory.mktemp("certs")
    with Broker(certs_dir=dated(folder, request.param)) as running:
        yield running, request.param


def dated(folder: Path, days: int, host: str = "127.0.0.1") -> Path:
    """Write a broker's certificate for the month around this day; return the folder."""
    parent = dev.read(certs(), "ca")
    assert parent
    middle, half = datetime.now(UTC) + timedelta(days=days), timedelta(days=15)
    pair = issue(parent, "broker", hosts=(host,), begins=middle - half, ends=middle + half)
    dev.write(folder, "broker", pair)
    for name in ("ca.crt", f"hubs/{HUB}.crt", f"hubs/{HUB}.key"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((certs() / name).read_bytes())
    return folder


class Clocks(SystemClocks):
    """A hub's clocks; a test says whether they are synchronised."""

    def __init__(self) -> None:
        super().__init__(0.0)
        self.right = False

    def synced(self) -> bool:
        return self.right


@asynccontextmanager
async def linked(chosen: MqttSettings, clocks: Clocks) -> AsyncIterator[tuple[Link, Notes]]:
    notes = Notes()
    link = Link(chosen, HUB, notes, lambda: b"lost", clocks=clocks)
    running = asyncio.create_task(link.run())
    try:
        yield link, notes
    finally:
        running.cancel()
        await asyncio.wait({running})


def what_is_wrong(days: int) -> LinkTrouble:
    early = days == EARLY_DAYS
    return LinkTrouble.CERTIFICATE_NOT_YET_VALID if early else LinkTrouble.CERTIFICATE_EXPIRED


def test_dates_are_checked_from_the_next_dial_on_once_the_clock_is_right(
    broker: tuple[Broker, int],
) -> None:
    running, days = broker
    clocks = Clocks()

    async def story() -> None:
        async with linked(settings(running.port), clocks) as (link, notes):
            await until(lambda: notes.brokers, "a session stands")
            clocks.right = True
            link.hang_up(LinkTrouble.ACK_OVERDUE)
            await until(lambda: len(notes.troubles) > 1, "the next dial fails")
            assert notes.troubles == [LinkTrouble.ACK_OVERDUE, what_is_wrong(days)]
            assert len(notes.brokers) == 1

    tell(story())


@pytest.mark.parametrize("ahead_days", [0, EARLY_DAYS, LATE_DAYS])
def test_where_the_centres_time_is_known_the_brokers_dates_are_checked_by_it(
    broker: tuple[Broker, int], ahead_days: int
) -> None:
    running, days = broker
    clocks = Clocks()
    clocks.compare(-ahead_days * DAY_S)

    async def story() -> None:
        async with linked(settings(running.port), clocks) as (_, notes):
            await until(lambda: notes.brokers or notes.troubles, "the dial ends")
            if ahead_days == days:
                assert notes.troubles == []
            else:
                early = ahead_days < days
                assert notes.troubles[0] is what_is_wrong(EARLY_DAYS if early else LATE_DAYS)

    tell(story())


@pytest.mark.parametrize(
    ("host", "ca", "trouble"),
    [
        ("elsewhere.example", "ca", LinkTrouble.CERTIFICATE_WRONG_NAME),
        ("127.0.0.1", "foreign/ca", LinkTrouble.CERTIFICATE_UNKNOWN),
    ],
)
def test_name_and_authority_are_checked_by_a_wrong_clock_too(
    tmp_path: Path, host: str, ca: str, trouble: LinkTrouble
) -> None:
    async def story() -> None:
        chosen = replace(settings(wrong.port), ca=str(certs() / f"{ca}.crt"))
        async with linked(chosen, Clocks()) as (_, notes):
            await until(lambda: notes.troubles or notes.brokers, "the dial ends")
            assert (notes.troubles[:1], notes.brokers) == ([trouble], [])

    with Broker(certs_dir=dated(tmp_path, EARLY_DAYS, host)) as wrong:
        tell(story())


def test_the_centres_time_goes_on_whatever_is_done_to_the_wall_clock() -> None:
    clocks = SystemClocks(0.0)
    assert clocks.center_utc() is None
    now = time.time()
    clocks.compare(-DAY_S)
    with patch("hub.clocks.time.time", return_value=now - 400 * DAY_S):
        assert clocks.center_utc() == pytest.approx(now + DAY_S, abs=5.0)


def test_the_centres_time_comes_from_the_provisioning_process(tmp_path: Path) -> None:
    async def story() -> None:
        hub = Hub(config.load(write_config(tmp_path, 1)), ())
        hub.record(ClockCompared(1.0, -DAY_S), [])
        assert hub.clocks.center_utc() == pytest.approx(time.time() + DAY_S, abs=5.0)

    tell(story())


START = "import hub.clocks as c; c.clock_synced = lambda: {}; from hub.__main__ import main; main()"


def test_a_hub_goes_by_what_the_kernel_says_of_its_clock(tmp_path: Path) -> None:
    joined = f"as {HUBS[0]} "
    with Broker(certs_dir=dated(tmp_path, EARLY_DAYS)) as early:
        hub = HubProcess(tmp_path / "hub", early.port, certs_dir=early.certs)
        hub.start("-c", START.format("True"))
        with hub:
            wait_until(lambda: early.log().count("New connection") > 1, f"it dials: {hub.log()}")
            assert joined not in early.log()
            hub.stop()
            hub.start("-c", START.format("False"))
            wait_until(lambda: joined in early.log(), f"it is in: {hub.log()}")
