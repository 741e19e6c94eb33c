"""Lines that fail silently: each hub is back in time, each call counts once."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from msgspec import Struct

from tests.broker import Broker, wait_until
from tests.chaos import Chaos, Flow
from tests.hub.rig import HubProcess, StubCenter, figure, names
from tests.packets import Kind, Packet

pytestmark = pytest.mark.broker
URGENT_BAR_S, IDLE_BAR_S = 6.0, 20.0


class Case(Struct):
    """A hub behind a failing line, and how the line fails and mends."""

    name: str
    hub: HubProcess
    center: StubCenter
    breaks: Callable[[], None]
    mends: Callable[[], None]
    mended_at: float = 0.0
    back_s: float = 0.0

    def acked(self) -> bool:
        return self.hub.signal() == "received"

    def ready_again(self) -> bool:
        return any(
            hub == self.hub.hub and state.state == "ready" and at > self.mended_at
            for hub, state, at in list(self.center.states)
        )


def loses(line: Chaos, lost: Callable[[Packet], bool]) -> None:
    line.loses = lost


def puback_and_ack(packet: Packet) -> bool:
    return not packet.up and (packet.kind is Kind.PUBACK or packet.topic.endswith("/ack"))


def ack(packet: Packet) -> bool:
    return packet.topic.endswith("/ack")


def puback(packet: Packet) -> bool:
    return not packet.up and packet.kind is Kind.PUBACK


def nothing(_: Packet) -> bool:
    return False


def flows(line: Chaos, up: Flow, down: Flow) -> None:
    line.up, line.down = up, down


class Lines:
    """Several hubs, each behind its own line: the tests wait for all of them at once."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._names = iter(names(12))
        self.broker = stack.enter_context(Broker())
        self.center = stack.enter_context(StubCenter(self.broker))
        self.cases: list[Case] = []

    def packets(self, name: str, lost: Callable[[Packet], bool]) -> Case:
        hub = next(self._names)
        line = self._stack.enter_context(Chaos(self.broker, hub=hub))
        return self._case(name, hub, line.port, self.center,
                          partial(loses, line, lost), partial(loses, line, nothing))  # fmt: skip

    def bytes(self, name: str, up: Flow) -> Case:
        line = self._stack.enter_context(Chaos(self.broker))
        return self._case(name, next(self._names), line.port, self.center,
                          partial(flows, line, up, Flow.LOST),
                          partial(flows, line, Flow.PASSED, Flow.PASSED))  # fmt: skip

    def paused(self, name: str) -> Case:
        broker = self._stack.enter_context(Broker())
        center = self._stack.enter_context(StubCenter(broker))
        hub = next(self._names)
        return self._case(name, hub, broker.port, center, broker.pause, broker.resume)

    def start(self, case: Case) -> Case:
        self._stack.enter_context(case.hub)
        wait_until(case.ready_again, f"{case.name}: it is there; {case.hub.log()}", 20)
        return case

    def _case(
        self, name: str, hub: str, port: int, center: StubCenter, breaks: Callable[[], None],
        mends: Callable[[], None],
    ) -> Case:  # fmt: skip  # noqa: PLR0913, RUF100 - a row of a table
        process = HubProcess(self._folder / hub, port, hub=hub)
        self.cases.append(Case(name, process, center, breaks, mends))
        return self.cases[-1]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Lines]:
    with ExitStack() as stack:
        yield Lines(stack, tmp_path)


def mend_all(cases: list[Case], is_back: Callable[[Case], bool], patience_s: float) -> None:
    """Mend all lines and note how long each hub takes."""
    for case in cases:
        case.mends()
        case.mended_at = time.monotonic()
    waiting = list(cases)

    def all_back() -> bool:
        for case in list(waiting):
            if is_back(case):
                case.back_s = time.monotonic() - case.mended_at
                waiting.remove(case)
        return not waiting

    wait_until(all_back, "all are back", patience_s)


def stay_broken(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, "the lines have been broken for long", 60)


def test_with_a_call_pending_every_hub_is_back_in_time_and_nothing_is_doubled(
    lines: Lines,
) -> None:
    lines.packets("withheld PUBACK and received", puback_and_ack)
    lines.packets("withheld received", ack)
    lines.bytes("black hole", Flow.LOST)
    lines.bytes("half-open", Flow.PASSED)
    lines.paused("paused broker")
    for case in lines.cases:
        lines.start(case)
        case.breaks()
        case.hub.press()
    stay_broken(7.0)
    mend_all(lines.cases, Case.acked, URGENT_BAR_S * 3)
    for case in lines.cases:
        calls = case.center.raised(case.hub.hub)
        heard = sum(case.center.heard[e.id] for e in calls)
        figure(f"SOS pending, {case.name}: back after {case.back_s:.2f} s; {heard} came, 1 counts")
        assert len(calls) == 1
    late = [(case.name, case.back_s) for case in lines.cases if case.back_s > URGENT_BAR_S]
    assert not late


def test_an_idle_hub_is_back_in_time_and_a_call_hurries_it(lines: Lines) -> None:
    """A press in the middle of a long pause between two dials ends the pause."""
    withheld = lines.packets("withheld PUBACK", puback)
    withheld.breaks()  # of the first word already
    lines.bytes("black hole", Flow.LOST)
    lines.bytes("half-open", Flow.PASSED)
    lines.paused("paused broker")
    idle = list(lines.cases)
    pressed = lines.bytes("black hole, pressed when it ends", Flow.LOST)
    for case in lines.cases:
        lines.start(case)
        case.breaks()
    stay_broken(18.0)  # paho notices after 1.9 x 8 s
    pressed.mends()
    pressed.hub.press()
    mend_all([pressed], Case.acked, URGENT_BAR_S * 3)
    mend_all(idle, Case.ready_again, IDLE_BAR_S * 2)
    for case in lines.cases:
        figure(f"idle, {case.name}: back after {case.back_s:.2f} s")
    assert pressed.back_s <= URGENT_BAR_S
    late = [(case.name, case.back_s) for case in idle if case.back_s > IDLE_BAR_S]
    assert not late
