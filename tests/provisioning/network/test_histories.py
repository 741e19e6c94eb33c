"""Random histories of a hub's network: whatever happens and in whatever order, it ends well.

`World` stands for NetworkManager, the air, people, and `service.py`: looks are late, what is
decided takes its time and may fail, a check by a way that is no more finds anything. A history is
repeated by its number: `World(17)`.
"""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random

import pytest
from msgspec.structs import replace

from hub.contract.provision import NetworkTrouble, Way
from provisioning.network.state import (
    CHECK_GOOD_S,
    LEAVE_S,
    RESULT_S,
    RETRY_S,
    Action,
    Asked,
    Cable,
    Checked,
    Checking,
    Credentials,
    Event,
    Joined,
    Joining,
    Kept,
    Leaving,
    Looked,
    Open,
    Opened,
    Ordered,
    Radio,
    Seen,
    State,
    Ticked,
    Waiting,
    begin,
    decide,
    trouble,
    way,
)

HISTORIES = (*range(160), 287, 309, 322, 483, 581, 668)  # these found what the others had not
TICK_S, LOOK_S, AGAIN_S, SCAN_S = 1.0, 5.0, 5.0, 4.0
LATE_S = 3.0  # a look, and what comes before it
CHECKED_S = 100.0  # two looks for the centre while it fails, of the longest
TRIED_S = 60.0  # five of the longest try: a connection may end amid it
SETTLED_S = 120.0  # after the last event: retries, checks and the longest try are over
GOOD, BAD = "12345678", "87654321"
FAILED = NetworkTrouble.JOIN_FAILED


class World:
    """One history. `wrong`: what should never have been, as it was seen first."""

    def __init__(self, number: int) -> None:
        self.random = Random(number)  # noqa: S311 - it is to be repeated
        self.log, self.wrong = list[str](), ""
        self.now, self.due, self.order = 0.0, list[tuple[float, int, Callable[[], None]]](), count()
        self.state = begin(0.0)
        # the world; the centre is behind A, and sometimes behind B
        self.saved = ["A"] if self.chance(0.3) else list[str]()
        self.air, self.cable, self.behind = {"A", "B"}, False, {"A"} | set(self.some("B"))
        self.radio, self.on, self.activation = Radio.IDLE, "", 0
        self.manager, self.terminal = True, False
        # the service
        self.todo, self.form = list[Action](), False
        self.busy: Action | None = None
        self.doing = object()  # this time
        self.joined, self.check, self.connection = "", 0, 0
        self.looking = False
        # what is watched
        self.shut_at: float | None = None  # by a call
        self.changed_at = self.trying_at = self.saved_at = self.centre_at = 0.0
        for s, what in ((0.1, self.look), (TICK_S, self.tick), (LOOK_S, self.look_on)):
            self.later(s, what)
        self.later(0.5, self.autoconnect)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def some(self, names: str) -> list[str]:
        return [one for one in names if self.chance(0.5)]

    def later(self, s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self.due, (self.now + s, next(self.order), what))

    def run(self, s: float) -> None:
        end = self.now + s
        while self.due[0][0] <= end:
            self.now, _, what = heapq.heappop(self.due)
            what()
        self.now = end

    # NetworkManager

    def become(self, radio: Radio, on: str = "") -> None:
        self.radio, self.on, self.changed_at = radio, on, self.now
        self.later(0.2, self.look)

    def activate(self, name: str, s: float, ended: Callable[[bool], None]) -> None:
        """Bring a Wi-Fi up, or the hotspot: its name is empty."""
        self.activation += 1
        mine = self.activation
        self.become(Radio.IDLE)

        def step(radio: Radio) -> None:
            if mine == self.activation:
                self.become(radio)

        def end() -> None:
            if mine != self.activation:
                return ended(False)  # noqa: FBT003
            well = name in self.air if name else self.chance(0.95)
            if well:
                self.become(Radio.UP if name else Radio.HOTSPOT, name)
            else:
                self.become(Radio.IDLE)
            return ended(well)

        self.later(0.3, lambda: step(Radio.JOINING))
        self.later(s, end)

    def autoconnect(self) -> None:
        known = [one for one in self.saved if one in self.air]
        if self.manager and self.radio is Radio.IDLE and known and not (self.busy or self.terminal):
            self.activate(known[-1], 3.0, _no_matter)
        self.later(SCAN_S, self.autoconnect)

    def save(self, name: str) -> None:
        if not self.saved:
            self.saved_at = self.now
        self.saved = [one for one in self.saved if one != name] + [name]

    def cease(self) -> None:
        """NetworkManager, or only our connection to it, ends."""
        self.activation += 1
        self.connection += 1
        self.manager, self.form, self.terminal, self.looking = False, False, False, False
        self.become(Radio.IDLE)
        self.busy = None
        back = self.now + self.random.choice([1.0, 6.0, 40.0, 120.0])

        def ask() -> None:
            if self.now < back:
                self.lose()
                self.later(AGAIN_S, ask)
            else:
                self.manager = True
                self.look()
                self.work()

        ask()

    # the service

    def lose(self) -> None:
        if isinstance(self.state.mode, Joining):
            self.hear(Joined(FAILED))
        self.todo.clear()
        self.hear(Looked(None))

    def seen(self) -> Seen:
        cable = Cable.UP if self.cable else Cable.NONE
        return Seen(cable, self.radio, self.on, -60 if self.on else None, bool(self.saved))

    def look(self) -> None:
        """One look after the other; each is as late as a busy machine answers."""
        if not self.manager or self.looking:
            return
        self.looking, seen, mine = True, self.seen(), self.connection

        def answer() -> None:
            if mine == self.connection:
                self.looking = False
                self.hear(Looked(seen))
                if seen != self.seen():
                    self.later(0.2, self.look)

        self.later(self.random.choice([0.05, 0.1, 0.1, 0.5, 2.0]), answer)

    def look_on(self) -> None:
        self.look()
        self.later(LOOK_S, self.look_on)

    def tick(self) -> None:
        self.hear(Ticked())
        if isinstance(self.state.mode, Waiting) and self.steady(CHECKED_S) and self.mistaken():
            self.fail("what is told of the centre is wrong")
        self.later(TICK_S, self.tick)

    def hear(self, event: Event) -> None:
        before = self.state
        self.state, actions = decide(before, event, self.now)
        if actions or type(before.mode) is not type(self.state.mode):
            mode = type(self.state.mode).__name__
            self.log.append(f"{self.now:7.1f} {event} -> {mode} {[str(one) for one in actions]}")
        self.watch(before, event, actions)
        for action in actions:
            if action is Action.CHECK:
                self.begin_check()
            else:
                self.todo.append(action)
        self.work()

    def begin_check(self) -> None:
        self.check += 1
        mine, by = self.check, (self.way(), self.on)

        def end() -> None:
            if mine == self.check:
                there = self.reached() if by == (self.way(), self.on) else self.chance(0.5)
                self.hear(Checked(None if there else NetworkTrouble.CENTER_UNREACHABLE))

        self.later(self.random.choice([0.1, 0.1, 0.5, 3.0, 16.0]), end)

    def way(self) -> Way:
        return way(replace(self.state, seen=self.seen()))

    def reached(self) -> bool:
        return self.cable or self.on in self.behind

    def work(self) -> None:
        """Do what is next. A hotspot that is coming up holds nothing back."""
        if not self.manager or not self.todo or self.busy not in {None, Action.OPEN}:
            return
        self.busy = self.todo.pop(0)
        match self.busy:
            case Action.OPEN:
                self.form = False
                self.activate("", self.random.choice([2.0, 2.0, 8.0, 40.0]), self.ends(self.opened))
            case Action.JOIN if isinstance(self.state.mode, Joining):
                self.form = False
                name = self.state.mode.wanted.name
                ended = self.ends(self.tried(self.state.mode.wanted))
                self.activate(name, self.random.choice([3.0, 5.0, 12.0]), ended)
            case Action.CLOSE:
                self.close()
                self.soon(self.ends(_no_matter))
            case Action.PRUNE:
                self.prune()
                self.soon(self.ends(_no_matter))
            case _:
                self.soon(self.ends(_no_matter))

    def soon(self, ended: Callable[[bool], None]) -> None:
        self.later(0.2, lambda: ended(True))  # noqa: FBT003

    def ends(self, then: Callable[[bool], None]) -> Callable[[bool], None]:
        """Return what ends the action that is being done, unless another one has ended it."""
        mine = self.doing = object()

        def ended(well: bool) -> None:  # noqa: FBT001
            if mine is self.doing and self.busy:
                self.busy = None
                then(well)
                self.work()

        return ended

    def opened(self, well: bool) -> None:  # noqa: FBT001
        self.form = well
        self.hear(Opened(well))

    def tried(self, wanted: Credentials) -> Callable[[bool], None]:
        def ended(well: bool) -> None:  # noqa: FBT001
            well = well and wanted.password == GOOD
            if well:
                self.save(wanted.name)
                self.joined = wanted.name
            elif self.radio is Radio.UP:
                self.become(Radio.IDLE)
            self.hear(Joined(None if well else FAILED))

        return ended

    def close(self) -> None:
        self.form = False
        self.activation += 1
        if self.radio in {Radio.HOTSPOT, Radio.JOINING}:
            self.become(Radio.IDLE)
        if self.saved:
            self.activate(self.saved[-1], 3.0, _no_matter)

    def prune(self) -> None:
        lost = [one for one in self.saved if one != self.joined]
        if lost and not self.cable and self.joined not in self.behind:
            self.fail(f"{lost} went, and {self.joined} is not proven")
        self.saved = [one for one in self.saved if one == self.joined]

    # people and powers

    def happen(self) -> None:
        kinds = [self.press, self.call, self.plug, self.carry, self.lose_centre, self.type]
        kinds += [self.cease] * self.manager
        if self.form and isinstance(self.state.mode, Open):
            kinds += [self.fill_in] * 4
            kinds += [self.keep] * bool(self.state.result and self.state.result.saved)
        what = self.random.choice(kinds)
        self.log.append(f"{self.now:7.1f} **** {what.__name__}")
        what()

    def press(self) -> None:
        self.shut_at = None
        self.hear(Ordered(600))

    def call(self) -> None:
        if self.saved and self.now > self.saved_at + LATE_S:
            self.shut_at = self.now
        open_now = isinstance(self.state.mode, Open | Leaving)
        self.hear(Ordered(0))
        if open_now and self.shut_at == self.now and self.manager:
            self.later(1.0, self.expect_shut)

    def expect_shut(self) -> None:
        stands = self.radio is Radio.HOTSPOT or self.busy is Action.OPEN
        if self.shut_at is not None and stands:
            self.fail("a call waits for the hotspot")

    def fill_in(self) -> None:
        self.shut_at = None
        name = self.random.choice("AB").encode()
        self.hear(Asked(Credentials(name, self.random.choice([GOOD, BAD]))))

    def keep(self) -> None:
        self.hear(Kept())

    def plug(self) -> None:
        self.cable, self.changed_at = not self.cable, self.now
        self.look()

    def carry(self) -> None:
        """A router is switched on or off."""
        self.air ^= {self.random.choice("AB")}
        if self.on and self.on not in self.air:
            self.activation += 1
            self.become(Radio.IDLE)

    def lose_centre(self) -> None:
        self.behind, self.centre_at = self.behind ^ {"B"}, self.now

    def type(self) -> None:
        """Somebody at a terminal joins a Wi-Fi, perhaps with a wrong password."""
        if not self.manager or self.busy:
            return
        self.terminal, well = True, self.chance(0.5)

        def ended(up: bool) -> None:  # noqa: FBT001
            self.terminal = False
            if up and well:
                self.save("A")
            elif up:
                self.become(Radio.IDLE)

        self.activate("A", 5.0, ended)

    # what must never be

    def fail(self, why: str) -> None:
        self.log.append(f"{self.now:7.1f} !!!! {why}")
        self.wrong = self.wrong or why

    def watch(self, before: State, event: Event, actions: tuple[Action, ...]) -> None:
        if not isinstance(before.mode, Joining):
            self.trying_at = self.now
        if self.now > self.trying_at + TRIED_S:
            self.fail("a try does not end")
        if Action.CLOSE in actions and not (self.saved or self.cable) and self.steady(LATE_S):
            self.fail("the only way in is shut")
        if Action.OPEN in actions:
            self.watch_opening(before, event)
        if isinstance(before.mode, Checking) and self.steady(1.0) and not self.cable:
            told = self.state.result.name if self.state.result else ""
            if told and told == self.on and self.reached():
                self.fail("the page says that the centre is not there, and it is")

    def watch_opening(self, before: State, event: Event) -> None:
        asked_for = isinstance(event, Ordered) or not isinstance(before.mode, Waiting)
        if not asked_for and self.saved and self.state.seen.saved:
            self.fail("the hotspot opened by itself, though a Wi-Fi is saved")
        if self.shut_at is not None and self.saved:
            self.fail("the hotspot opens after a call has shut it")
        if not before.manager and not self.manager:
            self.fail("a hotspot is ordered of nobody")
        if self.form and self.radio is Radio.HOTSPOT and self.steady(RETRY_S):
            self.fail("a hotspot that stands is opened anew")

    def mistaken(self) -> bool:
        """Whether something else is told of the centre than is, which nothing has changed since."""
        if not self.manager or way(self.state) not in {Way.ETHERNET, Way.WIFI}:
            return False
        told = trouble(self.state, self.now) is None
        known = self.centre_at < self.changed_at or self.now > self.centre_at + CHECK_GOOD_S + 60.0
        return told is not self.reached() and (known or self.reached())

    def steady(self, s: float) -> bool:
        return self.now > self.changed_at + s

    # where it ends

    def end(self) -> str:
        """Let all end that goes on; return what is wrong then, or ""."""
        self.run(SETTLED_S)
        self.air = {"A", "B"}
        self.run(2 * RESULT_S + SETTLED_S)
        return self.wrong or self.flaw()

    def flaw(self) -> str:
        waiting = isinstance(self.state.mode, Waiting)
        stands = self.radio is Radio.HOTSPOT and self.form
        if not self.saved and not self.cable:
            return "" if stands else "neither a Wi-Fi nor the hotspot"
        if not waiting or (self.saved and not self.cable and self.radio is not Radio.UP):
            return "the hotspot does not end"
        return ""


def _no_matter(_: bool) -> None:  # noqa: FBT001
    """It makes no difference how it ended."""


@pytest.mark.parametrize("tenth", range(10))
def test_a_network_ends_well_whatever_happens(tenth: int) -> None:
    for number in HISTORIES[tenth::10]:
        world = World(number)
        world.run(30.0)
        for _ in range(world.random.randrange(1, 9)):
            world.happen()
            pauses = [0.05, 0.3, 1.0, LEAVE_S, LOOK_S, 10.0, 25.0, 60.0, 200.0]
            world.run(world.random.choice(pauses))
        wrong = world.end()
        assert not wrong, "\n".join([f"history {number}: {wrong}", *world.log[-30:]])
