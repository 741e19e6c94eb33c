"""Wireless devices of a home, as the list `devices.toml` names them, and what the hub remembers.

Hub and radio process read the same list. The pairing of a new device adds to it; the hub takes the
change up without a restart.

One press is heard many times: in a burst, late as a shadow, again from BlueZ after a restart, from
a recorder. `fold` tells a press from what was heard before (docs/decisions/0036).
"""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from hub.contract.addresses import Flaw, FlawError
from hub.contract.forms import BindKey, Bluetooth, Name
from hub.core.model.events import WirelessPressed
from hub.core.model.rules import Role, Room, Sense

PENDANT_SILENT_S = 0.0  # most send only when pressed
PENDANT_ROLES = (Role.HELP_BUTTON, Role.CANCEL_BUTTON)
SENSOR_SILENT_S = 86_400.0  # most beacon every few minutes to hours


class Pendant(Struct, frozen=True, forbid_unknown_fields=True, tag="pendant", tag_field="kind"):
    """A button that is worn or hangs on a wall (BTHome). A help pendant needs its `key`."""

    name: Name
    address: Bluetooth
    key: BindKey
    role: Role = Role.HELP_BUTTON
    place: str = ""
    silent_s: Annotated[float, Meta(ge=0)] = PENDANT_SILENT_S

    def __post_init__(self) -> None:
        if self.role not in PENDANT_ROLES:
            raise FlawError(Flaw.PENDANT_ROLE, self.role)


class WirelessSensor(
    Struct, frozen=True, forbid_unknown_fields=True, tag="sensor", tag_field="kind"
):
    """A BTHome sensor. With `sense = "door"`, "window" and "opening" mean that door, too."""

    name: Name
    address: Bluetooth
    sense: Sense
    key: BindKey | None = None
    place: str = ""
    room: Room = Room.OTHER
    silent_s: Annotated[float, Meta(ge=0)] = SENSOR_SILENT_S


class Wearable(Struct, frozen=True, forbid_unknown_fields=True, tag="wearable", tag_field="kind"):
    """A GATT device. `user` is the resident's number on a cuff with several users."""

    name: Name
    address: Bluetooth
    what: Literal["band", "chest_strap", "oximeter", "cuff", "thermometer"]
    user: Annotated[int, Meta(ge=0, le=254)] | None = None
    silent_s: Annotated[float, Meta(ge=0)] = 0.0

    @property
    def sense(self) -> Sense:
        """What it senses in the home."""
        return Sense.WEARABLE


class Phone(Struct, frozen=True, forbid_unknown_fields=True, tag="phone", tag_field="kind"):
    """A bonded phone, by its identity address; not seen means nothing.

    `consent`: the resident agreed that it is told when the phone is seen (consent item `phone` of
    the record). Without it nothing of the phone leaves the radio process.
    """

    name: Name
    address: Bluetooth
    consent: bool = False


Wireless = Pendant | WirelessSensor | Wearable | Phone


class WirelessFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file `devices.toml` in the hub's state folder."""

    device: Annotated[tuple[Wireless, ...], Meta(max_length=64)] = ()


REPEAT_S = 600.0  # a one-byte packet id is folded so long: it wraps after hours
REORDER_S = 1.0  # two adapters may hear two frames in another order
PLAIN_S = 5.0  # without a packet id a burst (1 to 3 s) and a second press look the same
STALE_S = 86_400.0  # BlueZ holds only the last frame so long; a counter that began anew repeats all
SMALL = 65_536  # counters heard after a change of battery: 148 to 33,221 (bthome-ble #116)
NEAR = 2**27  # a counter that began as a clock (core #173146) moves by so much in four years
WRAP = 2**32
FRAMES = 32  # remembered of a device, some 27 bytes each; a pendant is pressed seldom
SPANS = 8  # how often a counter may have begun anew


class Verdict(StrEnum):
    """What a frame with a press is; the first two are presses."""

    PRESS = "press"
    RESTARTED = "counter_restarted"  # a press, and the counter began anew: a battery was changed
    REPEAT = "repeat"  # heard before: a burst, a shadow, what BlueZ still holds
    REPLAY = "replay"  # older than the last: recorded, or very late
    DOWNGRADE = "downgrade"  # plain, of a device whose frames were encrypted


class Frame(Struct, frozen=True, array_like=True):
    """A press that was taken, and when it was last heard. `counter` None: it was plain."""

    at: float
    counter: int | None
    packet_id: int | None
    mark: str
    button: int


class Span(Struct, frozen=True, array_like=True):
    """The lowest and the highest counter taken since the counter began (anew)."""

    low: int
    high: int


class Presses(Struct, frozen=True, omit_defaults=True):
    """What is remembered of a device's presses: at most 1 KB, in the snapshot of the home.

    `doubt` is the counter that was last refused without having been heard before.
    """

    frames: tuple[Frame, ...] = ()  # the newest `FRAMES`, newest last
    spans: tuple[Span, ...] = ()  # the newest `SPANS`, newest last
    doubt: int | None = None
    doubt_at: float = 0.0
    forgot: int = 0  # the highest counter of a press that is not remembered any more

    @property
    def last(self) -> int | None:
        """The counter of the newest press."""
        return self.spans[-1].high if self.spans else None

    def moved(self, by_s: float, now: float) -> "Presses":
        """Return this with times of another boot moved into this one; none is later than `now`.

        `by_s` is the old clock's offset (`Clock.offset_s`) less the new one's.
        """
        frames = tuple(replace(one, at=min(one.at + by_s, now)) for one in self.frames)
        return replace(self, frames=frames, doubt=None)

    def after(self, older: "Presses") -> "Presses":
        """Return this with what was remembered before it began."""
        frames = tuple(one for one in older.frames if one not in self.frames)
        both = replace(
            self,
            spans=(*older.spans, *self.spans)[-SPANS:],
            forgot=max(older.forgot, self.forgot),
        )
        return both.holding((*frames, *self.frames))

    def holding(self, frames: tuple[Frame, ...]) -> "Presses":
        """Return this with the newest `FRAMES` of `frames`."""
        gone = [one.counter or 0 for one in frames[:-FRAMES]]
        return replace(self, frames=frames[-FRAMES:], forgot=max([self.forgot, *gone]))


class Hazard(Struct, frozen=True):
    """Whether a detector finds something, since when, and when it last called for that."""

    on: bool
    since: float
    told_at: float


class WirelessState(Struct, frozen=True, omit_defaults=True):
    """What is remembered of the wireless devices (`HomeState.wireless`): 64 KB at most."""

    presses: dict[str, Presses] = field(default_factory=dict)  # by `Button.wireless`
    taken: int = 0  # presses that something followed from
    early: tuple[WirelessPressed, ...] = ()  # of devices that are not listed, or not yet
    hazards: dict[str, Hazard] = field(default_factory=dict)  # by `device:kind`
    refused: dict[str, float] = field(default_factory=dict)  # fault -> when last, to end it
    counts: dict[str, int] = field(default_factory=dict)  # refused presses, by reason


def recovered(memory: WirelessState, by_s: float, now: float) -> WirelessState:
    """Return the memory as a new process holds it.

    `by_s` and `now` are as for `Presses.moved`.
    """
    return replace(
        memory,
        presses={name: one.moved(by_s, now) for name, one in memory.presses.items()},
        early=(),
        hazards={k: replace(one, since=now, told_at=now) for k, one in memory.hazards.items()},
        refused=dict.fromkeys(memory.refused, now),
    )


def joined(old: WirelessState, new: WirelessState) -> WirelessState:
    """Return the memory of a process that could read what was there before only later."""
    presses = {p: one.after(old.presses.get(p, Presses())) for p, one in new.presses.items()}
    return replace(
        new,
        presses={**old.presses, **presses},
        taken=old.taken + new.taken,
        hazards={**old.hazards, **new.hazards},
        refused={**old.refused, **new.refused},
        counts={**old.counts, **new.counts},
    )


def fold(memory: Presses, press: WirelessPressed) -> tuple[Presses, Verdict]:
    """Return what the frame is, and what is remembered from now on.

    A frame in doubt is a press: a missed call is worse than a false alarm. A frame that was heard
    is none.
    """
    if press.counter is not None:
        return _fold_counted(memory, press, press.counter)
    if memory.spans:
        return memory, Verdict.DOWNGRADE
    for frame in memory.frames:
        if _is_same_plain(frame, press):
            return _remember(memory, press, frame), Verdict.REPEAT
    return _remember(memory, press), Verdict.PRESS


def _is_same_plain(frame: Frame, press: WirelessPressed) -> bool:
    if (frame.button, frame.packet_id) != (press.button, press.packet_id):
        return False
    if press.packet_id is not None:
        return press.at - frame.at <= REPEAT_S
    return frame.mark == press.mark and press.at - frame.at <= PLAIN_S


def _fold_counted(memory: Presses, press: WirelessPressed, counter: int) -> tuple[Presses, Verdict]:
    known = next((one for one in memory.frames if _is_same(one, press)), None)
    if known and _counts(known, memory, press.at):
        # the last frame is told again by BlueZ, hours later, too; an older one is not
        if counter == memory.last or press.at - known.at <= REORDER_S:
            return _remember(memory, press, known), Verdict.REPEAT
        return memory, Verdict.REPLAY
    verdict = _judge(memory, press, counter)
    if verdict is Verdict.REPLAY:
        return replace(memory, doubt=counter, doubt_at=press.at), verdict
    memory = replace(memory, spans=_spans(memory.spans, counter), doubt=None)
    return _remember(memory, press, known), verdict


def _is_same(frame: Frame, press: WirelessPressed) -> bool:
    same_frame = (frame.counter, frame.mark) == (press.counter, press.mark)
    return same_frame and frame.button == press.button


def _counts(known: Frame, memory: Presses, at: float) -> bool:
    """Whether a frame that was heard is still held against the same bytes.

    A counter that begins at the same number each time makes the same bytes after each change of
    battery. So a small counter is believed again after a day, unless it is the last one.
    """
    return known.counter == memory.last or (known.counter or 0) > SMALL or at - known.at <= STALE_S


def _judge(memory: Presses, press: WirelessPressed, counter: int) -> Verdict:
    """Return what a frame is that is not remembered, by its counter."""
    last = memory.last
    if last is None:
        return Verdict.PRESS
    if 0 < (counter - last) % WRAP <= SMALL:
        return Verdict.PRESS
    # the same frame's other button; or other content under a counter that was heard
    marks = {one.mark for one in memory.frames if one.counter == counter}
    if press.mark in marks and counter == last:
        return Verdict.PRESS
    far = not any(span.low - NEAR <= counter <= span.high for span in memory.spans)
    if counter > last and (far or counter > memory.forgot):
        return Verdict.PRESS
    if counter <= SMALL or far or marks or _follows_doubt(memory, press, counter):
        return Verdict.RESTARTED
    return Verdict.REPLAY


def _follows_doubt(memory: Presses, press: WirelessPressed, counter: int) -> bool:
    """Whether a frame was refused just now, and this one follows it: who was not heard presses on.

    Counters may begin anew at random (bthome-ble #338), so within a span, too.
    """
    if memory.doubt is None or press.at - memory.doubt_at > REPEAT_S:
        return False
    return 0 < counter - memory.doubt <= SMALL


def _spans(spans: tuple[Span, ...], counter: int) -> tuple[Span, ...]:
    if spans and 0 <= counter - spans[-1].high <= SMALL:
        return (*spans[:-1], Span(spans[-1].low, counter))
    return (*spans, Span(counter, counter))[-SPANS:]


def _remember(memory: Presses, press: WirelessPressed, known: Frame | None = None) -> Presses:
    frame = Frame(press.at, press.counter, press.packet_id, press.mark, press.button)
    return memory.holding((*(one for one in memory.frames if one is not known), frame))
