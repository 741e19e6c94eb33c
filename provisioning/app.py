"""The provisioning process, put together: the hub's identity and its network.

    enrolment, network -> facts -> link -> the hub
                           '-> status.json -> `anbu provision`
    the hub -> orders -> network

It may be killed at any moment; whoever started it starts it again. No call waits for it.
"""

import asyncio
import logging
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from hub.contract.provision import (
    VOCABULARY,
    Claimed,
    Fact,
    Hello,
    Network,
    Order,
    Ping,
    Pong,
    Trouble,
)
from hub.shared.county import County
from hub.shared.county import load as load_county
from hub.shared.identity import in_use, this_board
from hub.shared.settings import SettingsError, noted_by
from hub.shared.sidecar.link import HubLink, Pace
from hub.shared.system import one_heap, settle_memory
from provisioning.backup.daily import Backups
from provisioning.enrol.enrolment import Enrolment
from provisioning.network.checks import Center
from provisioning.network.service import Connections, Setup
from provisioning.settings import ProvisionSettings, load
from provisioning.status import Board

log = logging.getLogger(__name__)
BROKEN_EXIT = 70  # EX_SOFTWARE: start me again
PACE = Pace(0.5, 2.0)
END_S = 2.0


Tell = Callable[[Fact], None]


class Connector(Protocol):
    """The part that brings the hub onto the network (`provisioning.network`)."""

    async def run(self, tell: Tell) -> None:
        """Work for ever, and tell how the network is reached."""

    def take_order(self, order: Order) -> None:
        """Follow an order of the hub."""


class Latest:
    """What is told first on each new connection: the newest fact of each kind, so nothing is owed.

    A `Claimed` is told by the greeting from what the disk holds.
    """

    def told(self, fact: Fact, *, connected: bool) -> None:
        """Keep nothing: the greeting tells all of it."""

    def followed(self, order: Order) -> None:
        """Keep nothing."""

    def parted(self) -> None:
        """Keep nothing."""

    def again(self) -> Iterable[Fact]:
        """Return nothing."""
        return ()


class App:
    """One run of the process. `network`: None where another program looks after the network."""

    def __init__(
        self,
        settings: ProvisionSettings,
        county: County,
        network: Connector | None = None,
        board: str | None = None,
    ) -> None:
        self._identities, self._network = settings.identities, network
        self._board = this_board() if board is None else board
        self._newest: dict[object, Fact] = {}
        self._status = Board(Path(settings.run_dir))
        self._link: HubLink[Fact, Order] = HubLink(
            settings.socket, VOCABULARY, self._take_order, self._greeting, Latest(), PACE
        )
        folders = Path(settings.state_dir), Path(settings.voice_dir)
        self._backups = Backups(
            folders, county, self._board, self._tell_from_afar, spread_s=settings.spread_s
        )
        self._enrolment = Enrolment(settings.identities, county, self._board, self._tell_from_afar)
        self._enrolment.registering = self._backups.registering
        self._enrolment.registered = self._backups.fetch
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()

    async def run(self) -> int:
        """Serve until a signal; return the exit code. Raises what broke."""
        loop = self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        settle_memory()
        work = [self._link.run(), self._enrolment.run(), self._backups.run(), self._ended.wait()]
        if self._network is not None:
            work.append(self._network.run(self.tell))
        tasks = [asyncio.ensure_future(one) for one in work]
        done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.wait(rest, timeout=END_S)
        for task in done:
            task.result()
        return 0 if self._ended.is_set() else BROKEN_EXIT

    def tell(self, fact: Fact) -> None:
        """Tell the hub, and whoever asks at a terminal."""
        if isinstance(fact, Network) and self._newest.get(Network) != fact:
            self._enrolment.hurry()
        self._newest[_key(fact)] = fact
        self._status.show(fact)
        self._link.tell(fact)

    def _tell_from_afar(self, fact: Fact) -> None:
        """Tell a fact from a thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self.tell, fact)

    def _take_order(self, order: Order) -> None:
        if isinstance(order, Ping):
            self._link.tell(Pong(order.n))
        elif self._network is not None:
            self._network.take_order(order)

    def _greeting(self) -> Iterable[Fact]:
        yield Hello()
        held = in_use(self._identities)
        if held is not None and held.fits(self._board):
            yield Claimed(held.hub)
        yield from [fact for fact in self._newest.values() if not isinstance(fact, Claimed)]


def _key(fact: Fact) -> object:
    return (Trouble, fact.part) if isinstance(fact, Trouble) else type(fact)


def add_arguments(parser: ArgumentParser) -> None:
    """Describe `anbu provision run`: it has no arguments of its own."""
    del parser


def run(args: Namespace) -> int:
    """Serve until a signal; return the exit code. Raises SettingsError, and what broke."""
    settings = load(args.config, noted_by(args))
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    one_heap()
    county = county_of(settings)

    async def serve() -> int:
        network = Connections(setup_of(settings, county)) if settings.network else None
        return await App(settings, county, network).run()

    return asyncio.run(serve())


def setup_of(settings: ProvisionSettings, county: County) -> Setup:
    """Return how the network is set up: the county's centre is what has to be behind it."""
    known = bool(county.center and county.ca)
    return Setup(Center.at(county.center, county.ca) if known else None, settings.form_port)


def county_of(settings: ProvisionSettings) -> County:
    """Return the county's settings; without a file that can be read, those of no county.

    The process goes on without: the network can be set up, and the hub says what is missing.
    """
    try:
        return load_county(Path(settings.county))
    except OSError as error:
        log.warning("%s: %s", settings.county, error.strerror)
    except SettingsError as error:
        log.warning("%s", error)
    return County()
