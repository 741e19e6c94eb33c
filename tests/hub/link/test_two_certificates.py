"""With two certificates, `next` and `current`, a call for help goes out by the one that is good.

A simulated clock: brokers are told what they do with either certificate, and dials are counted.
"""

import asyncio
import random
import socket
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.contract.wire import LinkTrouble
from hub.link import reconnect
from hub.link.backoff import CAP_S, REFUSED_S, REFUSED_URGENT_S, SILENT_TURNS, URGENT_CAP_S
from hub.link.identity import AGAIN_S, Identities
from hub.link.reconnect import SLOW, Link
from hub.link.session import MqttSettings
from tests.broker import Broker
from tests.drivers.fakes import jump
from tests.hub.link.test_reconnect import Notes
from tests.hub.rig import HUB, tell, until
from tests.identities import enrol

ANSWER_S = 0.2  # a handshake in the simulated network
DIAL_S = MqttSettings().dial_s
CURRENT, NEXT = 1, 2  # the generations on the disk


class Does(Enum):
    """What a broker does with a dial."""

    TAKES = auto()
    CLOSES = auto()
    REFUSES = auto()
    IS_SILENT = auto()
    IS_GONE = auto()


BAD = [Does.CLOSES, Does.REFUSES, Does.IS_SILENT]
WHY = {
    Does.CLOSES: LinkTrouble.CLOSED,
    Does.REFUSES: LinkTrouble.CERTIFICATE_EXPIRED,
    Does.IS_GONE: LinkTrouble.UNREACHABLE,
}
Pair = tuple[Does, Does]  # with the current certificate, and with `next`


class World:
    """Brokers, and the dials that they saw: when, in which round, whose, with which generation."""

    def __init__(self, *brokers: Pair) -> None:
        self.brokers = list(brokers)
        self.dials: list[tuple[float, int, int, int]] = []
        self.round = 0
        self.session: FakeSession | None = None
        self.stands = asyncio.Event()

    def answer(self, broker: int, generation: int) -> Does:
        return self.brokers[broker][min(generation, NEXT) - 1]

    def seen(self) -> list[tuple[int, int]]:
        return [(broker, generation) for _, _, broker, generation in self.dials]


class FakeSession:
    """A session with a simulated broker. Two at a time would end each other."""

    silent = True

    def __init__(self, world: World, chosen: MqttSettings, broker: str) -> None:
        self._world, self._broker = world, int(broker.rpartition(":")[2])
        self._generation = int(Path(chosen.cert).parent.name)
        self.ended: asyncio.Future[LinkTrouble] = asyncio.get_running_loop().create_future()

    async def dial(self) -> LinkTrouble | None:
        world, at = self._world, asyncio.get_running_loop().time()
        assert world.session is None, "a dial beside a running session"
        world.dials.append((at, world.round, self._broker, self._generation))
        does = world.answer(self._broker, self._generation)
        if does is Does.IS_SILENT:
            await asyncio.Event().wait()
        await asyncio.sleep(ANSWER_S)
        if does is Does.TAKES:
            world.session = self
            world.stands.set()
        return WHY.get(does)

    def tend(self) -> None:
        pass

    def end(self, trouble: LinkTrouble) -> None:
        if self._world.session is self:
            self._world.session = None
            self._world.stands.clear()
        if not self.ended.done():
            self.ended.set_result(trouble)


Story = Callable[[Link], Awaitable[None]]


def play(root: Path, world: World, story: Story, *, seed: int = 0, board: str = "") -> None:
    """Run the link in a simulated world while `story` lasts."""
    back_off = Link._back_off

    async def counted(link: Link, failures: int) -> None:
        world.round += 1
        await back_off(link, failures)

    async def at_once(work: Callable[[], object]) -> object:
        return work()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        brokers = tuple(f"tls://broker.example:{n}" for n in range(len(world.brokers)))
        identities = Identities(root, HUB, board, loop.time)
        link = Link(MqttSettings(brokers=brokers), HUB, Notes(), lambda: b"", identities)
        running = asyncio.create_task(link.run())
        await story(link)
        assert not running.done()
        running.cancel()
        await asyncio.wait({running})

    def session(chosen: MqttSettings, _hub: str, broker: str, *_: object) -> FakeSession:
        return FakeSession(world, chosen, broker)

    with ExitStack() as stack:
        stack.enter_context(patch.object(reconnect, "Session", session))
        stack.enter_context(patch.object(reconnect, "_in_thread", at_once))
        stack.enter_context(patch.object(reconnect, "random", random.Random(seed)))  # noqa: S311
        stack.enter_context(patch.object(Link, "_back_off", counted))
        jump(run())


def connects(world: World, within_s: float, *, urgent: bool) -> Story:
    """Return a story in which a session stands within this time."""

    async def story(link: Link) -> None:
        link.hurry(urgent=urgent)
        await up(world, within_s)

    return story


async def up(world: World, within_s: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await world.stands.wait()
    assert world.session, f"no session within {within_s} s: {world.seen()[:12]}"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    return two_generations(tmp_path / "identity")


def two_generations(root: Path) -> Path:
    enrol(root, HUB)
    enrol(root, HUB)
    return root


EXPIRED_AND_RENEWED: Pair = (Does.REFUSES, Does.TAKES)
CALM = pytest.mark.parametrize("urgent", [True, False], ids=["with an SOS", "calm"])


@CALM
def test_a_silent_broker_keeps_the_good_certificate_from_no_other(
    disk: Path, *, urgent: bool
) -> None:
    world = World((Does.IS_SILENT, Does.IS_SILENT), EXPIRED_AND_RENEWED)
    play(disk, world, connects(world, DIAL_S + 2 * ANSWER_S, urgent=urgent))
    assert world.seen() == [(0, NEXT), (1, NEXT)]


@CALM
def test_a_closed_connection_is_no_word_on_the_certificate(disk: Path, *, urgent: bool) -> None:
    """A proxy, or a broker that is being restarted, closes one connection, then all is well."""
    world = World((Does.REFUSES, Does.CLOSES))

    async def story(link: Link) -> None:
        link.hurry(urgent=urgent)
        await asyncio.sleep(ANSWER_S * 1.5)
        world.brokers = [EXPIRED_AND_RENEWED]
        await up(world, URGENT_CAP_S + 3 * ANSWER_S)

    play(disk, world, story)
    assert world.seen() == [(0, NEXT), (0, CURRENT), (0, NEXT)]


@CALM
def test_a_broker_that_closes_all_it_gets_stops_nobody(disk: Path, *, urgent: bool) -> None:
    world = World((Does.CLOSES, Does.CLOSES), EXPIRED_AND_RENEWED)
    play(disk, world, connects(world, 4 * ANSWER_S, urgent=urgent))
    assert world.seen() == [(0, NEXT), (0, CURRENT), (1, NEXT)]


def test_one_brokers_refusal_is_not_the_others(disk: Path) -> None:
    world = World((Does.REFUSES, Does.REFUSES), EXPIRED_AND_RENEWED)
    play(disk, world, connects(world, 4 * ANSWER_S, urgent=True))
    assert world.seen() == [(0, NEXT), (0, CURRENT), (1, NEXT)]


def test_a_refused_renewed_one_is_tried_at_once_where_the_current_one_is_refused(
    disk: Path,
) -> None:
    """The broker gets the new authority later, and the current certificate ends meanwhile."""
    world = World((Does.TAKES, Does.REFUSES))

    async def story(_: Link) -> None:
        await up(world, 3 * ANSWER_S)
        world.brokers = [EXPIRED_AND_RENEWED]
        assert world.session
        world.session.end(LinkTrouble.CLOSED)
        await asyncio.sleep(2.0)
        await up(world, 1.0)

    play(disk, world, story)
    assert world.seen() == [(0, NEXT), (0, CURRENT), (0, CURRENT), (0, NEXT)]


@pytest.mark.parametrize("does", [Does.IS_SILENT, Does.CLOSES, Does.REFUSES])
def test_where_the_current_one_is_another_boards_the_renewed_one_has_every_dial(
    tmp_path: Path, does: Does
) -> None:
    enrol(tmp_path, HUB, "a board")
    enrol(tmp_path, HUB, "a board")
    facts = (tmp_path / "1/identity.json").read_text().replace("a board", "another")
    (tmp_path / "1/identity.json").write_text(facts)
    world = World((does, does))

    async def story(link: Link) -> None:
        link.hurry(urgent=True)
        await asyncio.sleep(30.0)
        world.brokers = [EXPIRED_AND_RENEWED]
        await up(world, at_most_s(1, urgent=True))

    play(tmp_path, world, story, board="a board")
    assert {generation for _, generation in world.seen()} == {NEXT}


@pytest.mark.parametrize(("urgent", "least_s"), [(True, REFUSED_URGENT_S), (False, REFUSED_S)])
def test_where_both_are_refused_nobody_is_dialled_more_often_than_with_one(
    disk: Path, *, urgent: bool, least_s: float
) -> None:
    world = World((Does.REFUSES, Does.REFUSES))

    async def story(link: Link) -> None:
        link.hurry(urgent=urgent)
        await asyncio.sleep(7200.0)

    play(disk, world, story)
    ats = [at for at, *_ in world.dials]
    assert ats[1] - ats[0] == pytest.approx(ANSWER_S), "each had its turn"
    assert min(later - at for at, later in pairwise(ats[1:])) >= least_s
    assert [generation for _, generation in world.seen()[2:6]] == [NEXT, CURRENT, NEXT, CURRENT]


def at_most_s(brokers: int, *, urgent: bool) -> float:
    """Return within how many seconds a session stands, whatever was before.

    The good broker is dialled with the right certificate in the second of its turns at the latest.
    Before it, the round in which it became good runs out: three rounds. A turn lasts at most one
    answer and one dial that times out. Between two turns of a broker is one pause, or the time for
    which it is passed over and the pause in which that ends.
    """
    round_s = brokers * (SLOW * DIAL_S + ANSWER_S)
    pause_s = REFUSED_URGENT_S * 1.5 if urgent else REFUSED_S * 1.5 + CAP_S + round_s
    return 3 * (round_s + pause_s)


def doubled(world: World) -> Iterator[tuple[int, float, bool]]:
    """Yield the turns with two dials: broker, time, and whether one of the two timed out."""
    turns: defaultdict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for at, round_, broker, generation in world.dials:
        turns[broker, round_].append((at, generation))
    for (broker, _), dials in turns.items():
        assert len(dials) <= 2
        if len(dials) == 2:
            slow = any(world.answer(broker, one) is Does.IS_SILENT for _, one in dials)
            yield broker, dials[0][0], slow


bad = st.one_of(
    st.tuples(st.sampled_from(BAD), st.sampled_from(BAD)),
    st.just((Does.IS_GONE, Does.IS_GONE)),  # it has seen neither certificate
)
good = st.sampled_from(BAD).flatmap(
    lambda other: st.sampled_from([(other, Does.TAKES), (Does.TAKES, other)])
)


@settings(max_examples=150, deadline=None)
@given(
    before=st.lists(bad, min_size=1, max_size=3),
    now=st.tuples(good, bad, bad),
    where=st.integers(0, 2),
    waited_s=st.sampled_from([0.0, 1.0, 7.0, 61.0, 300.0, 700.0, 3000.0]),
    seed=st.integers(0, 99),
    urgent=st.booleans(),
)
def test_a_call_goes_out_wherever_one_certificate_is_taken(
    before: list[Pair],
    now: tuple[Pair, Pair, Pair],
    where: int,
    waited_s: float,
    seed: int,
    *,
    urgent: bool,
) -> None:
    """The good broker, and with it an SOS, comes after any time with brokers that are all bad."""
    count = len(before)
    later = list(now[1:count])
    later.insert(where % count, now[0])
    world = World(*before)

    async def story(link: Link) -> None:
        await asyncio.sleep(waited_s)
        check(world)
        world.brokers, world.dials = later, []
        link.hurry(urgent=urgent)
        await up(world, at_most_s(count, urgent=urgent))
        assert sum(broker == where % count for _, _, broker, _ in world.dials) <= 2 * 3

    with tempfile.TemporaryDirectory() as folder:
        play(two_generations(Path(folder)), world, story, seed=seed)


def check(world: World) -> None:
    """Two quick dials of one broker in one turn come once in `AGAIN_S`, as ever."""
    last: dict[int, float] = {}
    for broker, at, slow in doubled(world):
        assert slow or at - last.get(broker, -AGAIN_S) >= AGAIN_S
        if not slow:
            last[broker] = at


def test_a_twin_is_given_its_turns_though_a_renewed_one_comes(disk: Path) -> None:
    """Another machine with our name ends each session: the third is understood, as ever."""
    world = World((Does.TAKES, Does.TAKES))

    async def story(_: Link) -> None:
        for turn in range(2 * SILENT_TURNS):
            await up(world, 480.0 * 1.5 + 1.0)
            await asyncio.sleep(1.0)
            if turn == SILENT_TURNS:
                enrol(disk, HUB)
            assert world.session
            world.session.end(LinkTrouble.CLOSED)

    play(disk, world, story)
    ats = [at for at, *_ in world.dials][SILENT_TURNS - 1 :]
    assert min(later - at for at, later in pairwise(ats)) >= REFUSED_S
    assert {generation for _, generation in world.seen()} == {NEXT, NEXT + 1}


@pytest.mark.broker
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho, see test_reconnect
def test_a_real_broker_takes_the_renewed_one_beside_a_silent_machine(tmp_path: Path) -> None:
    """The current certificate is refused; a machine before the broker says nothing."""
    enrol(tmp_path, HUB, foreign=True)
    enrol(tmp_path, HUB)

    async def story(*ports: int) -> None:
        notes = Notes()
        chosen = MqttSettings(tuple(f"tls://127.0.0.1:{port}" for port in ports), dial_s=0.5)
        link = Link(chosen, HUB, notes, lambda: b"lost", Identities(tmp_path, HUB, ""))
        link.hurry(urgent=True)
        running = asyncio.create_task(link.run())
        await until(lambda: notes.brokers, f"a session stands: {notes.troubles}")
        running.cancel()
        await asyncio.wait({running})

    with Broker() as broker, socket.create_server(("127.0.0.1", 0)) as silent:
        tell(story(silent.getsockname()[1], broker.port))
