"""The radio's connection to the hub: a press is told until the hub says that it is taken.

A flood in the air, be it a broken sensor or a recorder that repeats a neighbour's frames, must not
make the hub take this process for a broken one: what is told in a second has a bound. Nor may it
drown a call: presses and hazards have a bound for each device, and old presses one of their own.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from time import monotonic

from msgspec.structs import replace

from drivers.bluetooth.owed_file import OwedFile, Owing
from hub.contract.radio import (
    VOCABULARY,
    Fact,
    Found,
    Hello,
    Order,
    Pong,
    Pressed,
    Reading,
    Sensed,
    Taken,
)
from hub.shared.sidecar.link import HubLink, Pace, Untold

PACE = Pace(0.2, 1.0)  # a hub that begins anew waits for presses
KEEP_S = 3600.0  # a call for help that the hub could not take is still told up to so much later
UNSURE_S = 45.0  # a hub that froze took in nothing of these; its watchdog ends it after 30 s
MOST, MOST_OF_ONE = 48, 8  # presses that wait: of all, of one device
MOST_OTHERS = 32  # hazards that wait, and as many other findings
REPEAT_S = 2.0  # one frame is heard three to ten times; the hub folds what comes later
# with what is told at first, below the hub's 1,000, though all of 64 devices should go mad
URGENT_PER_S = 12  # presses and hazards, of one device
REPLAYS_PER_S, OTHERS_PER_S = 10, 50  # of all devices
HAZARDS = frozenset({Sensed.SMOKE, Sensed.GAS, Sensed.CARBON_MONOXIDE, Sensed.MOISTURE})
TOO_MANY = "too_many"


def _nowhere(_: tuple[Owing, ...]) -> None:
    """Keep what is owed in memory only."""


class Owed:
    """What is told again: presses until they are taken, findings and readings that may be lost.

    `keep` gets all presses and hazards that are owed whenever they change.
    """

    def __init__(
        self,
        now: Callable[[], float] = monotonic,
        keep: Callable[[tuple[Owing, ...]], None] = _nowhere,
    ) -> None:
        self._now, self._keep_all = now, keep
        self._presses: OrderedDict[str, tuple[float, Pressed]] = OrderedDict()
        self._hazards, self._others = self._untold(), self._untold()

    def _untold(self) -> Untold[Fact]:
        return Untold(most=MOST_OTHERS, keep_s=KEEP_S, unsure_s=UNSURE_S, now=self._now)

    def told(self, fact: Fact, *, connected: bool) -> None:
        """Keep what must not be lost."""
        if isinstance(fact, Pressed):
            self._keep(fact)
            self._keep_all(self.lasting())
        elif isinstance(fact, Found) and fact.what in HAZARDS:
            self._hazards.told(fact, connected=connected)
            if self._lasting_hazards():
                self._keep_all(self.lasting())
        elif isinstance(fact, Found | Reading):
            self._others.told(fact, connected=connected)

    def followed(self, order: Order) -> None:
        """Forget a press that the hub has committed."""
        if isinstance(order, Taken) and order.id in self._presses:
            del self._presses[order.id]
            self._keep_all(self.lasting())

    def parted(self) -> None:
        """Count as untold what a frozen hub may not have taken in."""
        hazards = self._lasting_hazards()
        self._hazards.parted()
        self._others.parted()
        if hazards:
            self._keep_all(self.lasting())

    def lasting(self) -> tuple[Owing, ...]:
        """Return what is owed though this process should end: presses and hazards."""
        presses = [Owing(at, press, at + KEEP_S) for at, press in self._presses.values()]
        return (*presses, *self._lasting_hazards())

    def _lasting_hazards(self) -> list[Owing]:
        """Return the hazards. Of an end only that of one of them: a detector tells it for ever."""
        found, begun = list[Owing](), set[tuple[str, Sensed]]()
        for at, fact, until in self._hazards.held():
            if isinstance(fact, Found) and (fact.on or (fact.device, fact.what) in begun):
                begun.add((fact.device, fact.what))
                found.append(Owing(at - fact.ago_s, fact, until))
        return found

    def again(self) -> Iterable[Fact]:
        """Return what is still owed, as old as it is by now, presses and hazards first."""
        now, found = self._now(), [*self._hazards.again(), *self._others.again()]
        return [*self._again(), *(_older(fact, now - at) for at, fact in found)]

    def renamed(self, names: Mapping[str, str]) -> Iterable[Pressed]:
        """Return the owed presses of devices that have other names now, by these names."""
        presses = [press for press in self._again() if press.device in names]
        return [replace(press, device=names[press.device]) for press in presses]

    def _again(self) -> list[Pressed]:
        now = self._now()
        for id_ in [i for i, (heard_at, _) in self._presses.items() if now - heard_at > KEEP_S]:
            del self._presses[id_]
        return [replace(press, ago_s=now - at) for at, press in self._presses.values()]

    def _keep(self, press: Pressed) -> None:
        """Keep a press; of too many one of the same device goes, then one of all devices."""
        self._presses[press.id] = self._now() - press.ago_s, press
        kept = [other for _, other in self._presses.values()]
        same = [other for other in kept if other.device == press.device]
        if len(same) > MOST_OF_ONE:
            self._drop(same)
        elif len(kept) > MOST:
            self._drop(kept)

    def _drop(self, presses: list[Pressed]) -> None:
        """Forget the oldest, and first of all what is doubtful."""
        del self._presses[min(presses, key=lambda one: not one.doubtful).id]


def _older(fact: Fact, by_s: float) -> Fact:
    return replace(fact, ago_s=fact.ago_s + by_s) if isinstance(fact, Found | Reading) else fact


class Bound:
    """At most so many a second."""

    def __init__(self, per_s: int, now: Callable[[], float]) -> None:
        self._per_s, self._now = per_s, now
        self._since, self._count = now(), 0

    def allows(self) -> bool:
        """Whether there may be one more now."""
        now = self._now()
        if now - self._since >= 1.0:
            self._since, self._count = now, 0
        self._count += 1
        return self._count <= self._per_s


class RadioLink:
    """Tells the hub facts, within bounds; `refused` counts what was left out.

    `file` holds what is owed when this process ends; what an earlier one owed is told at first.
    """

    def __init__(
        self,
        path: str,
        take_order: Callable[[Order], None],
        greeting: Callable[[], Iterable[Fact]],
        refused: Counter[str],
        now: Callable[[], float] = monotonic,
        file: OwedFile | None = None,
    ) -> None:
        self._now, self._refused, self._file = now, refused, file
        self._owed = Owed(now, file.keep if file else _nowhere)
        if file:
            for fact in file.load():
                self._owed.told(fact, connected=False)
            file.keep(self._owed.lasting())  # what was too old goes
        self._link = HubLink(path, VOCABULARY, take_order, greeting, self._owed, PACE)
        self.run = self._link.run
        self._urgent = dict[str, Bound]()  # by device
        self._replays, self._others = Bound(REPLAYS_PER_S, now), Bound(OTHERS_PER_S, now)
        self._lately: OrderedDict[object, float] = OrderedDict()

    @property
    def connected(self) -> bool:
        """Whether there is a hub."""
        return self._link.connected

    def tell(self, fact: Fact) -> None:
        """Tell the hub. A press is kept until it is taken; a repeat of it at once is left out."""
        if isinstance(fact, Pong | Hello):
            self._link.tell(fact)
        elif isinstance(fact, Pressed) and self._is_repeat(fact):
            return
        elif self._bound(fact).allows():
            self._link.tell(fact)
        else:
            self._refused[TOO_MANY] += 1

    def renamed(self, names: Mapping[str, str]) -> None:
        """Tell what is owed by a device's new name: by the old one the hub knows nobody."""
        for press in self._owed.renamed(names):
            self._link.tell(press)

    def close(self) -> None:
        """Bring to the disk what is owed."""
        if self._file:
            self._file.close()

    def _bound(self, fact: Fact) -> Bound:
        match fact:
            case Pressed(doubtful=True):
                return self._replays
            case Pressed(device=device):
                return self._urgent_of(device)
            case Found(device=device, what=what, on=True) if what in HAZARDS:
                return self._urgent_of(device)
            case _:
                return self._others

    def _urgent_of(self, device: str) -> Bound:
        return self._urgent.setdefault(device, Bound(URGENT_PER_S, self._now))

    def _is_repeat(self, press: Pressed) -> bool:
        which = replace(press, id="", ago_s=0.0, rssi_dbm=None)
        now, told_at = self._now(), self._lately.get(which)
        if told_at is not None and now - told_at < REPEAT_S:
            return True
        self._lately[which] = now
        self._lately.move_to_end(which)
        if len(self._lately) > MOST:
            self._lately.popitem(last=False)
        return False
