"""What the sensors report of a diary: passive infrared sensors, door contacts and a wearable.

A PIR is active for its hold time and then blind for its block time (HC-SR501 class modules hold for
some seconds; battery devices block 10 to 60 s). It misses some movements and sometimes triggers
without anybody. Contacts do not bounce here. The radio loses edges; devices fail for hours.
"""

from collections.abc import Iterable, Iterator
from math import inf
from operator import itemgetter

from drivers.lives.body import Body, Edge
from drivers.lives.diary import DAY, HOUR, MINUTE, Opening, State, Stay, Zone
from drivers.lives.dice import Dice
from drivers.lives.home import Home, Person, Pir, route

STEP_S = 2.2  # an old person's walk through one zone of a small home
GUEST_MOVES_H, GUEST_NIGHT_MOVES_H = 40.0, 1.5
GUEST_ZONES = (Zone.LIVING, Zone.LIVING, Zone.LIVING, Zone.KITCHEN, Zone.PASSAGE, Zone.BATHROOM)
CAT_ZONES = (Zone.LIVING, Zone.LIVING, Zone.KITCHEN, Zone.PASSAGE, Zone.BEDROOM, Zone.ENTRY)
CAT_IS_SEEN = 0.4  # a cat is small, warm and low
Move = tuple[float, str, float]  # when, where, and a factor on the chance that it is seen


class Sensors:
    """The sensors of one home; they remember when each PIR is free again."""

    def __init__(self, person: Person, seed: object) -> None:
        self._home: Home = person.home
        self._bouts_h = person.habits.pet_bouts_h
        self._body = Body(person, seed)
        self._dice = Dice(person.name, "sensors", seed)
        self._zone = Zone.BEDROOM
        self._free = {pir.device: 0.0 for pir in self._home.pirs}
        self._bathroom_open = True
        self._watching = _watch(self._home.pirs)
        self._dead: dict[str, tuple[float, float]] = {}

    def report(self, stays: list[Stay], openings: list[Opening]) -> list[Edge]:
        """Return the edges of a part of the diary, in the order of time."""
        moves: list[Move] = []
        edges: list[Edge] = []
        for stay in stays:
            moves += self._arrive(stay.start, stay.zone, edges)
            moves += self._moves(stay)
            edges += [*self._fridge(stay), *self._body.report(stay)]
        begin, end = stays[0].start, stays[-1].end
        moves += [*self._cat(begin, end), *self._ghosts(begin, end)]
        moves.sort(key=itemgetter(0))
        edges += [*self._infrared(moves), *_doors(openings)]
        return sorted(self._received(edges, begin, end))

    def _arrive(self, at: float, zone: Zone, edges: list[Edge]) -> Iterator[Move]:
        """Walk from the last zone, through the bathroom's door if it has a contact."""
        came_from, self._zone = self._zone, zone
        path = route(self._home, came_from, zone)
        if self._home.bathroom_door and path and Zone.BATHROOM in {came_from, zone}:
            edges.extend(self._bathroom_door(at + 0.4 + STEP_S * (zone is Zone.BATHROOM)))
        for step, passed in enumerate(path):
            for part in (0.2, 0.7):
                yield at + (step + part) * STEP_S, passed, 1.0

    def _bathroom_door(self, at: float) -> Iterator[Edge]:
        if not self._bathroom_open:
            yield Edge(at, "bathroom-door", "contact", 1)
            self._bathroom_open = True
        if self._dice.chance(self._home.shuts_door):
            yield Edge(at + self._dice.between(1.2, 6), "bathroom-door", "contact", 0)
            self._bathroom_open = False

    def _moves(self, stay: Stay) -> Iterator[Move]:
        dice = self._dice
        if stay.moves_h and stay.state is not State.AWAY:
            mean_s = HOUR / stay.moves_h
            at = stay.start + dice.wait(mean_s)
            while at < stay.end:
                yield at, stay.zone, 1.0
                at += dice.wait(mean_s)
        if stay.company:
            by_night = stay.state is State.ASLEEP
            moves_h = stay.company * (GUEST_NIGHT_MOVES_H if by_night else GUEST_MOVES_H)
            at = stay.start + dice.wait(HOUR / moves_h)
            while at < stay.end:
                yield at, dice.one_of(GUEST_ZONES), 1.0
                at += dice.wait(HOUR / moves_h)

    def _cat(self, begin: float, end: float) -> Iterator[Move]:
        bouts_h, dice = self._bouts_h, self._dice
        if not bouts_h:
            return
        at = begin + dice.wait(HOUR / bouts_h)
        while at < end:
            done = min(end, at + min(dice.long(3, 0.9), 30) * MINUTE)
            while at < done:
                yield at, dice.one_of(CAT_ZONES), CAT_IS_SEEN
                at += dice.wait(25)
            at += dice.wait(HOUR / bouts_h)

    def _ghosts(self, begin: float, end: float) -> Iterator[Move]:
        mean = self._home.hardware.false_day * (end - begin) / DAY
        for pir in self._home.pirs:
            for _ in range(self._dice.count(mean)):
                yield self._dice.between(begin, end), _ghost(pir), 1.0

    def _infrared(self, moves: Iterable[Move]) -> Iterator[Edge]:
        roll, between, free = self._dice.roll, self._dice.between, self._free
        seeing = 1 - self._home.hardware.blind
        for at, place, vigour in moves:
            for pir, sees in self._watching[place]:
                if at >= free[pir.device] and roll() < sees * vigour * seeing:
                    off = at + pir.hold_s * between(0.95, 1.1)
                    free[pir.device] = off + pir.block_s
                    yield Edge(at, pir.device, "motion", 1)
                    yield Edge(off, pir.device, "motion", 0)

    def _fridge(self, stay: Stay) -> Iterator[Edge]:
        if self._home.fridge and stay.fridge_h:
            at = stay.start + self._dice.wait(HOUR / stay.fridge_h)
            while at < stay.end - 30:
                shut = at + min(self._dice.long(9, 0.6), 25.0)
                yield Edge(at, "fridge", "contact", 1)
                yield Edge(shut, "fridge", "contact", 0)
                at = shut + 1 + self._dice.wait(HOUR / stay.fridge_h)

    def _received(self, edges: Iterable[Edge], begin: float, end: float) -> Iterator[Edge]:
        """Leave out the edges that the radio loses, or that a dead device does not send."""
        dice, hardware = self._dice, self._home.hardware
        edges = list(edges)
        for device in sorted({edge.device for edge in edges}):
            if dice.chance(hardware.outages * (end - begin) / DAY):
                dead = dice.between(begin, end)
                self._dead[device] = (dead, dead + min(dice.long(3, 0.9), 30) * HOUR)
        for edge in edges:
            dead, alive = self._dead.get(edge.device, (0.0, 0.0))
            if not dead <= edge.at < alive and not dice.chance(hardware.loss):
                yield edge


def _ghost(pir: Pir) -> str:
    return f"nobody at {pir.device}"


def _watch(pirs: tuple[Pir, ...]) -> dict[str, list[tuple[Pir, float]]]:
    """Return for each place the sensors that see it, and how well."""
    watching: dict[str, list[tuple[Pir, float]]] = {_ghost(pir): [(pir, 1.0)] for pir in pirs}
    for zone in Zone:
        watching[zone] = [(pir, pir.sees[zone]) for pir in pirs if zone in pir.sees]
    return watching


def _doors(openings: list[Opening]) -> Iterator[Edge]:
    shut_by = [opening.at - 1 for opening in openings[1:]] + [inf]
    for (at, open_s), latest in zip(openings, shut_by, strict=False):
        yield Edge(at, "front", "exit_door", 1)
        yield Edge(min(at + open_s, latest), "front", "exit_door", 0)
