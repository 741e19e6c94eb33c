"""The installation of a home, step by step, and what proves each step. Pure.

    waiting --the hub, the centre or the resident's word shows it--> proven
       '------the home's hardware has no such thing---------------> left out, with the reason

Who installs ticks nothing: a hub's report (`shown`), what the centre itself holds (`known`) and its
operators' answers (`called`) are the proofs. Only what the resident says is told by a person
(`told`). A step with several parts has an item each; it is proven when each of them is. All proofs
stand here side by side: what one step takes for a proof is judged against the others.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from center.domain.record import ConsentItem, Record
from hub.contract.border import Open
from hub.contract.messages import FaultKind, InstallDevice, InstallReport
from hub.contract.provision import Way

AHEAD_S = 2.0  # a hub's clock may differ from the centre's by this
LATE_S = 10.0  # a report may be so old: none is sent while bytes wait for the socket, and the hub
# makes one every 5 s, so an older one was held up on its way
WEAK_DBM = -75  # a Wi-Fi signal below this loses a session now and then; Wi-Fi makers advise -70
MEASURED_S = 20.0  # so long a signal is measured before its worst counts
READ_APART_S = (
    12.0  # a signal is read every 5 s, and one report may be lost: longer is no measuring
)
ON_BATTERY_S = 10.0  # so long a hub has to run without mains; the guide says 20: a report comes
# every 5 s, and one may be lost
SEEN_AFTER_S = 86_400.0  # so long after its end an installer may see and print it
LEFT_OFF_S = 30 * 86_400.0  # one that was begun longer ago is no longer in the installer's hands


class Step(Open):
    """The steps, in the order in which they are done."""

    HOME = "home"
    IDENTITY = "identity"
    NETWORK = "network"
    SENSORS = "sensors"  # and wired buttons
    RADIO = "radio"
    SOUND = "sound"
    MAINS = "mains"
    CLOCK = "clock"
    TEST_CALL = "test_call"
    RESIDENT = "resident"
    CONSENTS = "consents"
    ANSIM119 = "ansim119"


BY_WORD = frozenset({Step.CONSENTS, Step.ANSIM119})  # the resident's word, told by a person
BY_REPORT = frozenset({
    Step.NETWORK, Step.SENSORS, Step.RADIO, Step.SOUND, Step.MAINS, Step.CLOCK,
})  # fmt: skip


class State(Open):
    """How far a step, or an item of it, is."""

    WAITING = "waiting"
    PROVEN = "proven"
    LEFT_OUT = "left_out"


class Why(Open):
    """Why something is left out, or is still waiting though something was seen of it."""

    NO_DEVICES = "no_devices"  # left out: none is configured
    NO_RADIO = "no_radio"  # left out: the hub has no Bluetooth
    NO_VOICE = "no_voice"  # left out: nothing in the home speaks or hears
    NO_UPS = "no_ups"  # left out: nothing tells of the mains
    NO_CANCEL_BUTTON = (
        "no_cancel_button"  # left out: no word takes a call back, only a green button
    )
    NO_CALL_BUTTON = "no_call_button"  # left out: there is no red button, cord or pendant
    NOT_CONSENTED = "not_consented"  # left out: the resident's phone is not told of
    NO_REPORT = "no_report"  # waiting: the hub has not said anything yet
    OLD_HUB = "old_hub"  # waiting: its software does not know how to show itself
    NO_RECORD = "no_record"  # waiting: the centre has no name, address or contact
    NO_WAY = "no_way"  # waiting: the hub should know how it is connected, and does not
    HOTSPOT = "hotspot"  # waiting: only the hub's own Wi-Fi is up
    MEASURING = "measuring"  # waiting: the signal is measured
    WEAK = "weak"  # waiting: the worst signal is too weak
    UNSYNCED = "unsynced"  # waiting: no time service has set the clock
    LATE = "late"  # waiting: its report is old, or the clock is behind the centre's
    AHEAD = "ahead"  # waiting: the clock differs from the centre's by too much
    NOTHING_CALLS = "nothing_calls"  # waiting: nobody can call for help from this home
    OWN_ANSWER = "own_answer"  # waiting: whoever tests has answered the test
    OUT_OF_ORDER = "out_of_order"  # waiting: the hub names a fault of the part


class Answer(Open):
    """What the resident said: to a consent, and to 119안심콜."""

    GIVEN = "given"
    REFUSED = "refused"
    REGISTERED = "registered"
    NOT_AVAILABLE = "not_available"


ANSWERS = {
    Step.CONSENTS: frozenset({Answer.GIVEN, Answer.REFUSED}),
    Step.ANSIM119: frozenset({Answer.REGISTERED, Answer.REFUSED, Answer.NOT_AVAILABLE}),
}


class Part(Open):
    """Items of steps that are no device and no consent."""

    WHOLE = ""
    MICROPHONE = "microphone"
    LOUDSPEAKER = "loudspeaker"
    HEARD = "heard"  # the resident has answered what the loudspeaker asked
    PULLED = "pulled"
    BATTERY = "battery"
    BACK = "back"
    PRESSED = "pressed"
    CANCELLED = "cancelled"
    SPOKEN = "spoken"


class WhyNot(StrEnum):
    """Why something was not done to an installation; a key of the message files."""

    NO_HUB = "no_hub"  # the centre knows no such home
    NO_LINK = "no_link"  # the centre is not connected: the hub cannot be asked
    NOT_YOURS = "not_yours"  # an installer sees only homes whose hub they have claimed
    NOT_BEGUN = "not_begun"
    FINISHED = "finished"  # it is over; a new one has to be begun
    HUB_SHOWS_IT = "hub_shows_it"  # a person cannot tick what the hub or the centre has to show
    NO_SUCH_ITEM = "no_such_item"
    BAD_ANSWER = "bad_answer"
    NOT_PROVEN = "not_proven"  # a step is neither proven nor left out


class Evidence(Struct, frozen=True, omit_defaults=True):
    """What was seen: figures and names for a page, no sentences. Times: centre's UTC."""

    why: Why | None = None
    what: str = ""  # a device's sense or role
    place: str = ""
    wireless: bool = False
    on: bool | None = None
    used_utc: float | None = None  # the last use that was seen
    heard_utc: float | None = None  # the last sign of life
    battery_pct: float | None = None
    faults: tuple[str, ...] = ()
    way: str = ""  # a `hub.contract.provision.Way`; empty: the hub does not know
    network: str = ""  # the Wi-Fi's name
    signal_dbm: int | None = None  # now
    worst_dbm: int | None = None
    measured_s: float = 0.0  # so long the signal was read
    ahead_s: float | None = None  # of the centre's clock
    boot: str = ""
    software: str = ""
    certificate_ends_utc: float | None = None
    answer: Answer | None = None  # the resident's
    incident: str = ""
    device: str = ""
    unlisted: int = 0  # so many devices were listed since it was, in a home that lost one
    missing: tuple[str, ...] = ()  # fields of the record
    since_utc: float | None = None  # it has to be shown anew since then


NOTHING = Evidence()


class Item(Struct, frozen=True):
    """A part of a step; `name` is a device, a consent's item or a `Part`.

    `by` is the person who told the resident's word, or the operator who answered; empty: the hub.
    """

    step: Step
    name: str
    state: State = State.WAITING
    proven_utc: float | None = None
    by: str = ""
    evidence: Evidence = NOTHING

    @property
    def key(self) -> tuple[str, str]:
        """What it is known by within an installation."""
        return self.step.value, self.name


class Standing(Struct, frozen=True):
    """How a step stands. A step of one part alone has no items, and the part's own evidence."""

    step: Step
    state: State
    proven_utc: float | None = None  # of the last item that was proven
    by: str = ""
    evidence: Evidence = NOTHING
    items: tuple[Item, ...] = ()


class Installation(Struct, frozen=True):
    """An installation of a home: who began it, and its items in the order of the steps."""

    hub: str
    begun_utc: float
    begun_by: str
    items: tuple[Item, ...] = ()
    finished_utc: float | None = None
    finished_by: str = ""
    reported_utc: float | None = None  # when the hub last showed itself

    def find(self, step: Step, name: str = "") -> Item | None:
        """Return an item."""
        return next((one for one in self.items if one.key == (step.value, name)), None)

    def of(self, step: Step) -> tuple[Item, ...]:
        """Return the items of a step."""
        return tuple(one for one in self.items if one.step is step)

    def standing(self, step: Step) -> Standing:
        """Return how a step stands."""
        items = self.of(step)
        whole = items[0] if len(items) == 1 and not items[0].name else Item(step, "")
        if whole in items:
            return Standing(step, whole.state, whole.proven_utc, whole.by, whole.evidence)
        utc = [one.proven_utc for one in items if one.proven_utc is not None]
        by = {one.by for one in items}
        return Standing(
            step,
            _state_of(items),
            max(utc, default=None),
            by.pop() if len(by) == 1 else "",
            NOTHING,
            items,
        )

    @property
    def standings(self) -> tuple[Standing, ...]:
        """All steps, in their order."""
        return tuple(self.standing(step) for step in Step)

    @property
    def open_steps(self) -> tuple[Step, ...]:
        """The steps that are neither proven nor left out."""
        return tuple(one.step for one in self.standings if one.state is State.WAITING)


class Report(Struct, frozen=True):
    """A finished installation, as it is stored and printed."""

    hub: str
    begun_utc: float
    begun_by: str
    finished_utc: float
    finished_by: str
    standings: tuple[Standing, ...]


class Known(Struct, frozen=True):
    """What the centre itself holds of a home."""

    record: Record | None = None
    certificate_ends_utc: float | None = None  # None: this centre has issued none
    old_hub: bool = False  # the hub answered that it does not know the command


class Call(Struct, frozen=True):
    """A call of the home that proves something: its incident, when (UTC), from which device."""

    incident: str
    utc: float
    device: str = ""
    place: str = ""
    by: str = ""  # who answered it
    leased_by: str = ""  # whose test mode it was


class Calls(Struct, frozen=True):
    """The first call of each sort since the installation began; None: there was none."""

    tested: Call | None = None  # it waited as a test, and an operator said that it was one
    pressed: Call | None = None
    cancelled: Call | None = None
    spoken: Call | None = None  # a spoken call, or a check-in that was answered by voice


NO_CALLS = Calls()
PARTS: dict[Step, tuple[str, ...]] = {  # items of steps whose items are always the same
    Step.RESIDENT: (Part.PRESSED, Part.CANCELLED, Part.SPOKEN),
    Step.CONSENTS: tuple(ConsentItem),
}
NEVER_TESTED = frozenset({"smoke", "gas", "carbon_monoxide", "moisture"})  # heard is enough: 0052
SUPPLY = frozenset({"mains", "battery"})
BY_CALL = frozenset({Step.TEST_CALL, Step.RESIDENT})
OF_DEVICES = frozenset({Step.SENSORS, Step.RADIO})
TURNS = 3  # a device that was left out of so many turns is gone; a report may be lost
# words of a hub's report
PHONE, WEARABLE, CANCEL, MAINS = "phone", "wearable", "cancel_button", "mains"
CALLS = frozenset({"help_button", "pull_cord"})  # also a pendant's
TRIGGERS = CALLS | {CANCEL}
VOICE, RADIO, SETUP = "voice", "radio", "setup"
UNTOLD = "untold"  # in place of a phone's faults: it is not told whether it was seen
OF_PART: dict[Part, frozenset[str]] = {
    Part.LOUDSPEAKER: frozenset({FaultKind.NO_LOUDSPEAKER, FaultKind.DRIVER_FAILED}),
    Part.MICROPHONE: frozenset({FaultKind.NO_MICROPHONE, FaultKind.MUTED, FaultKind.DRIVER_FAILED}),
    Part.HEARD: frozenset({FaultKind.NO_SPEECH}),
}


def begun(hub: str, by: str, utc: float) -> Installation:
    """Return a new installation: everything waits."""
    nothing = Evidence(why=Why.NO_REPORT)
    items = []
    for step in Step:
        empty = NOTHING if step in BY_WORD else nothing
        items += [Item(step, str(name), evidence=empty) for name in PARTS.get(step, ("",))]
    return Installation(hub, utc, by, tuple(items))


def shown(one: Installation, report: InstallReport, utc: float) -> Installation:
    """Return it with what a hub's report, received at `utc`, proves; what is proven stays so.

    Only the network may be waiting again, as a signal is as good as its worst, and a device whose
    name another one has now.
    """
    if one.finished_utc is not None:
        return one
    seen = _Seen(one, report, utc)
    found: list[Item] = [
        _proven(Item(Step.IDENTITY, ""), utc, _identity(one, report)),
        _network(seen),
        *_devices(seen),
        *_sound(seen),
        *_mains(seen),
        _clock(seen),
    ]
    items = [_merged(one.find(item.step, item.name), item, utc) for item in found]
    named = {item.step for item in found}
    items += [item for item in one.items if item.step not in named]
    if report.left:
        items = _taking_turns(one, items, report)
    one = replace(one, items=tuple(sorted(items, key=order)), reported_utc=utc)
    return _resident_parts(one, seen)


def known(one: Installation, held: Known, utc: float) -> Installation:
    """Return it with what the centre itself holds of the home."""
    if one.finished_utc is not None:
        return one
    items = []
    for item in one.items:
        match item.step:
            case Step.HOME:
                items.append(_home(item, held.record, utc))
            case Step.IDENTITY:
                told = replace(item.evidence, certificate_ends_utc=held.certificate_ends_utc)
                items.append(_told_of(replace(item, evidence=told), held))
            case Step.CONSENTS if item.state is State.WAITING:
                items.append(replace(item, evidence=Evidence(answer=_asked_before(item, held))))
            case _:
                items.append(_told_of(item, held))
    return replace(one, items=tuple(items))


def called(one: Installation, calls: Calls) -> Installation:
    """Return it with what calls of the home prove."""
    if one.finished_utc is not None:
        return one
    proofs: Mapping[tuple[str, str], Call | None] = {
        (Step.TEST_CALL.value, ""): calls.tested,
        (Step.RESIDENT.value, Part.PRESSED.value): calls.pressed,
        (Step.RESIDENT.value, Part.CANCELLED.value): calls.cancelled,
        (Step.RESIDENT.value, Part.SPOKEN.value): calls.spoken,
    }
    return replace(one, items=tuple(_of_call(item, proofs.get(item.key)) for item in one.items))


def told(
    one: Installation, step: Step, name: str, answer: Answer, by: str, utc: float
) -> Installation | WhyNot:
    """Return it with the resident's word, which `by` tells; or why that cannot be told."""
    if one.finished_utc is not None:
        return WhyNot.FINISHED
    if step not in BY_WORD:
        return WhyNot.HUB_SHOWS_IT
    item = one.find(step, name)
    if item is None:
        return WhyNot.NO_SUCH_ITEM
    if answer not in ANSWERS[step]:
        return WhyNot.BAD_ANSWER
    said = replace(
        item, state=State.PROVEN, proven_utc=utc, by=by, evidence=Evidence(answer=answer)
    )
    return _with(one, said)


def again(one: Installation, step: Step, name: str, utc: float) -> Installation | WhyNot:
    """Return it with an item that has to be shown anew: only what comes from now on counts.

    Of the mains all parts are shown anew.
    """
    if one.finished_utc is not None:
        return WhyNot.FINISHED
    item = one.find(step, name)
    if item is None:
        return WhyNot.NO_SUCH_ITEM
    if step not in BY_REPORT:
        return WhyNot.HUB_SHOWS_IT
    anew = one.of(step) if step is Step.MAINS else (item,)  # one pull shows all three of its parts
    for each in anew:
        evidence = replace(each.evidence, used_utc=None, heard_utc=None, worst_dbm=None,
                           measured_s=0.0, since_utc=utc)  # fmt: skip
        one = _with(one, Item(step, each.name, evidence=evidence))
    return one


def finished(one: Installation, by: str, utc: float) -> tuple[Installation, Report] | WhyNot:
    """Return it as finished, with its report; or why it cannot be finished."""
    if one.finished_utc is not None:
        return WhyNot.FINISHED
    if one.open_steps:
        return WhyNot.NOT_PROVEN
    one = replace(one, finished_utc=utc, finished_by=by)
    return one, Report(one.hub, one.begun_utc, one.begun_by, utc, by, one.standings)


def may_see(
    claimed_utc: float | None, installation: tuple[float, float | None] | None, utc: float
) -> bool:
    """Whether an installer may see a home whose hub they were the last to claim.

    `installation`: when the last one began and ended. After its end they see it for a day. One
    that nobody ends is theirs for a month, since whoever may see it may begin test mode there; an
    operator may begin it anew for them.
    """
    if claimed_utc is None:
        return False
    begun_utc, ended_utc = installation or (claimed_utc, None)
    if ended_utc is None or claimed_utc > ended_utc:
        return utc < max(claimed_utc, begun_utc) + LEFT_OFF_S
    return utc < ended_utc + SEEN_AFTER_S


def may_begin(one: Installation, utc: float) -> bool:
    """Whether a new one may take its place: it is finished, or was left off."""
    return one.finished_utc is not None or utc >= one.begun_utc + LEFT_OFF_S


def with_hub(one: Installation, claimed_by: str, fitted_utc: float) -> Installation:
    """Return it for the hub that the home has since `fitted_utc`.

    What another hub has shown before proves nothing: all is begun anew by whoever claimed this one,
    but for the resident's word and what the centre itself holds.
    """
    if one.finished_utc is not None or fitted_utc <= one.begun_utc:
        return one
    kept = tuple(item for item in one.items if item.step in {*BY_WORD, Step.HOME})
    new = begun(one.hub, claimed_by, fitted_utc)
    others = (item for item in new.items if item.step not in {*BY_WORD, Step.HOME})
    return replace(new, items=tuple(sorted([*kept, *others], key=order)))


class _Seen(Struct, frozen=True):
    """A report of a hub at a moment, for an installation."""

    one: Installation
    report: InstallReport
    utc: float

    def at(self, age_s: float | None) -> float | None:
        """Return when something was that is so many seconds old."""
        return None if age_s is None else round(self.utc - age_s, 1)

    def since(self, step: Step, name: str) -> float:
        """Return since when something counts for an item."""
        item = self.one.find(step, name)
        again_utc = item.evidence.since_utc if item else None
        return max(self.one.begun_utc, again_utc or 0.0)

    def counts(self, step: Step, name: str, age_s: float | None) -> bool:
        """Whether something that is so old counts for an item."""
        return age_s is not None and self.utc - age_s >= self.since(step, name)


def _state_of(items: Iterable[Item]) -> State:
    """Return how a step of several items stands: proven where some are and none waits."""
    states = {one.state for one in items}
    if not states or State.WAITING in states:
        return State.WAITING
    return State.PROVEN if State.PROVEN in states else State.LEFT_OUT


def order(item: Item) -> tuple[int, int, str]:
    """Return where an item stands: by step, known parts in their order, then by name."""
    parts = PARTS.get(item.step) or _OF_STEP.get(item.step, ())
    place = parts.index(item.name) if item.name in parts else len(parts)
    return list(Step).index(item.step), place, item.name


_OF_STEP: dict[Step, tuple[str, ...]] = {
    Step.SOUND: (Part.LOUDSPEAKER, Part.MICROPHONE, Part.HEARD),
    Step.MAINS: (Part.PULLED, Part.BATTERY, Part.BACK),
}


def _with(one: Installation, item: Item) -> Installation:
    items = (item if old.key == item.key else old for old in one.items)
    return replace(one, items=tuple(items))


def _proven(item: Item, utc: float, evidence: Evidence, by: str = "") -> Item:
    return replace(item, state=State.PROVEN, proven_utc=utc, by=by, evidence=evidence)


def _left_out(step: Step, why: Why, name: str = "") -> Item:
    return Item(step, name, State.LEFT_OUT, evidence=Evidence(why=why))


def _merged(old: Item | None, new: Item, utc: float) -> Item:
    """Return what becomes of an item: what was proven stays, but for a signal, and another device.

    Of another device only what comes from now on counts: its hub may name a use of the old one.
    """
    if old is None:
        return new
    if _is_another(old.evidence, new.evidence) and new.step in OF_DEVICES:
        evidence = replace(new.evidence, used_utc=None, heard_utc=None, since_utc=utc)
        return Item(new.step, new.name, evidence=evidence)
    if old.state is State.PROVEN and new.step is not Step.NETWORK:
        return old
    if old.state is State.PROVEN and new.state is State.PROVEN:
        return replace(new, proven_utc=old.proven_utc)
    return replace(new, evidence=replace(new.evidence, since_utc=old.evidence.since_utc))


def _is_another(old: Evidence, new: Evidence) -> bool:
    """Whether two devices of one name are two: another kind, or in another place."""
    known = bool(old.what and new.what)  # a phone that is not told of has no kind
    return known and (old.what, old.place) != (new.what, new.place)


# what a hub's report shows


def _identity(one: Installation, report: InstallReport) -> Evidence:
    """A hub's report has come through the broker, which lets in only a certificate of its name."""
    item = one.find(Step.IDENTITY)
    ends_utc = item.evidence.certificate_ends_utc if item else None
    return Evidence(boot=report.boot, software=report.software, certificate_ends_utc=ends_utc)


def _network(seen: _Seen) -> Item:
    """A cable is enough; of a Wi-Fi the worst signal counts, since `again` or the first report.

    The worst is forgotten by nothing but `again` and another Wi-Fi.
    """
    report, item = seen.report, seen.one.find(Step.NETWORK)
    before = item.evidence if item else NOTHING
    wifi = report.way == Way.WIFI
    name = (report.network if wifi else "") or before.network
    if name != before.network and before.network:
        before = NOTHING
    signals = [report.signal_dbm if wifi else None, before.worst_dbm]
    evidence = Evidence(
        way=report.way,
        network=name,
        signal_dbm=report.signal_dbm,
        worst_dbm=min((dbm for dbm in signals if dbm is not None), default=None),
        measured_s=_measured_s(seen, before),
    )
    why = _not_yet(evidence, report)
    waiting = Item(Step.NETWORK, "", evidence=replace(evidence, why=why))
    return waiting if why else _proven(waiting, seen.utc, evidence)


def _measured_s(seen: _Seen, before: Evidence) -> float:
    """Return how long a Wi-Fi's signal has been read, up to `MEASURED_S`; gaps are not in it."""
    read_utc = seen.one.reported_utc if before.way == Way.WIFI else None
    readings = (before.signal_dbm, seen.report.signal_dbm)
    if read_utc is None or None in readings or seen.report.way != Way.WIFI:
        return before.measured_s
    if not 0.0 < seen.utc - read_utc <= READ_APART_S:
        return before.measured_s
    passed_s = seen.utc - max(read_utc, seen.since(Step.NETWORK, ""))
    return min(before.measured_s + max(passed_s, 0.0), MEASURED_S)


def _not_yet(evidence: Evidence, report: InstallReport) -> Why | None:
    """Return why a network waits. A hub without the provisioning process knows no way: it has one.

    That process tells its way as soon as it is connected to the hub's.
    """
    if evidence.way == Way.HOTSPOT:
        return Why.HOTSPOT
    if evidence.way in {"", Way.NONE} and SETUP in report.has:
        return Why.NO_WAY
    if evidence.way != Way.WIFI:
        return None
    if evidence.worst_dbm is not None and evidence.worst_dbm < WEAK_DBM:
        return Why.WEAK
    return None if evidence.measured_s >= MEASURED_S else Why.MEASURING


def _devices(seen: _Seen) -> list[Item]:
    """Return the items of sensors and wired buttons, and of what was paired."""
    sensors, paired = [], []
    for device in seen.report.devices:
        if device.what in SUPPLY:
            continue
        if device.what in {PHONE, WEARABLE} or (device.wireless and device.what in TRIGGERS):
            paired.append(_device(seen, Step.RADIO, device))
        else:
            sensors.append(_device(seen, Step.SENSORS, device))
    if seen.report.left:  # the others are in the next report
        return [*sensors, *paired]
    sensors = sensors or [_none(Step.SENSORS, seen.report)]
    return [*sensors, *(paired or [_none(Step.RADIO, seen.report)])]


def _none(step: Step, report: InstallReport) -> Item:
    """Return a step of devices in a home that has none of them."""
    deaf = step is Step.RADIO and RADIO not in report.has
    return _left_out(step, Why.NO_RADIO if deaf else Why.NO_DEVICES)


def _taking_turns(one: Installation, items: list[Item], report: InstallReport) -> list[Item]:
    """Return the items of a report that has no room for all devices, with those of before.

    What is not listed though all others were, several times, is gone.
    """
    listed, total = {device.name for device in report.devices}, len(report.devices) + report.left
    found = {item.key for item in items}
    before = (item for item in one.items if item.step in OF_DEVICES and item.name)
    items = items + [item for item in before if item.key not in found]
    lost_one = len(_names(items, report)) > total
    after = list[Item]()
    for item in items:
        unlisted = item.evidence.unlisted + len(listed) if lost_one else 0
        if item.step not in OF_DEVICES or not item.name or item.name in listed:
            unlisted = 0
        if unlisted < TURNS * total:
            after.append(replace(item, evidence=replace(item.evidence, unlisted=unlisted)))
    if not _is_whole(after, report):
        return after
    empty = OF_DEVICES - {item.step for item in after if item.name}
    after = [item for item in after if item.step not in empty]
    return [*after, *(_none(step, report) for step in empty)]


def _is_whole(items: Iterable[Item], report: InstallReport) -> bool:
    """Whether all devices of a home have been listed, by this report and those before."""
    return len(_names(items, report)) >= len(report.devices) + report.left


def _names(items: Iterable[Item], report: InstallReport) -> set[str]:
    """Return the names of all devices that are known of a home."""
    named = {item.name for item in items if item.step in OF_DEVICES}
    mains = {item.evidence.device for item in items if item.step is Step.MAINS}
    return {device.name for device in report.devices} | (named | mains) - {""}


def _device(seen: _Seen, step: Step, device: InstallDevice) -> Item:
    """A sensor or wired button has to be used; of what is worn, and of smoke, a word is enough."""
    if device.what == PHONE and device.heard_s is None and UNTOLD in device.faults:
        return _left_out(step, Why.NOT_CONSENTED, device.name)
    used = seen.counts(step, device.name, device.used_s)
    by_word = step is Step.RADIO or device.what in NEVER_TESTED
    evidence = Evidence(
        what=device.what,
        place=device.place,
        wireless=device.wireless,
        on=device.on,
        used_utc=seen.at(device.used_s) if used else None,
        heard_utc=seen.at(device.heard_s),
        battery_pct=device.battery_pct,
        faults=device.faults,
    )
    if used or (by_word and seen.counts(step, device.name, device.heard_s)):
        return _proven(Item(step, device.name), seen.utc, evidence)
    why = Why.OUT_OF_ORDER if device.faults else None
    return Item(step, device.name, evidence=replace(evidence, why=why))


def _sound(seen: _Seen) -> list[Item]:
    """The resident's answer to what the hub asked shows all; a tick shows nothing."""
    report, step = seen.report, Step.SOUND
    if VOICE not in report.has:
        return [_left_out(step, Why.NO_VOICE)]
    ages = {
        Part.LOUDSPEAKER: (report.spoke_s, report.answered_s),
        Part.MICROPHONE: (report.heard_s, report.answered_s),
        Part.HEARD: (report.answered_s,),
    }
    items = []
    for part, told in ages.items():
        faults = tuple(one for one in report.faults if one in OF_PART[part])
        newest = min((age for age in told if age is not None), default=None)
        evidence = Evidence(what=report.voice, used_utc=seen.at(newest), faults=faults)
        if seen.counts(step, part, newest):
            items.append(_proven(Item(step, part), seen.utc, evidence))
        else:
            why = Why.OUT_OF_ORDER if faults else None
            items.append(Item(step, part, evidence=replace(evidence, why=why)))
    return items


def _mains(seen: _Seen) -> list[Item]:
    """Mains pulled, battery seen, mains back: in this order, and told by one process of the hub.

    Only a hub that runs without mains shows that its battery carries it: `used_s` is counted by the
    process that saw the mains go. A gauge is shown and proves nothing.
    """
    step, supply = Step.MAINS, [one for one in seen.report.devices if one.what in SUPPLY]
    mains = next((one for one in supply if one.what == MAINS), None)
    if mains is None:
        before = [one for one in seen.one.of(step) if one.name]
        return before if seen.report.left and before else [_left_out(step, Why.NO_UPS)]
    evidence = _of_mains(seen, mains, supply)
    broken = tuple(sorted({each for one in supply for each in one.faults} - {FaultKind.MAINS_LOST}))
    weak = replace(evidence, why=Why.OUT_OF_ORDER, faults=broken) if broken else evidence
    pulled = seen.counts(step, Part.PULLED, mains.used_s)
    ran_s = mains.used_s or 0.0 if pulled and mains.on is False else 0.0
    battery = seen.one.find(step, Part.BATTERY)
    was_seen = battery is not None and battery.state is State.PROVEN
    proofs = (
        (Part.PULLED, pulled, evidence),
        (Part.BATTERY, ran_s >= ON_BATTERY_S and not broken, weak),
        (Part.BACK, pulled and was_seen and mains.on is True, evidence),
    )
    return [
        _proven(Item(step, part), seen.utc, told) if proven else Item(step, part, evidence=told)
        for part, proven, told in proofs
    ]


def _of_mains(seen: _Seen, mains: InstallDevice, supply: list[InstallDevice]) -> Evidence:
    charges = (one.battery_pct for one in supply if one.battery_pct is not None)
    return Evidence(
        what=mains.what,
        device=mains.name,
        on=mains.on,
        used_utc=seen.at(mains.used_s),
        heard_utc=seen.at(mains.heard_s),
        battery_pct=next(charges, None),
        faults=mains.faults,
    )


def _clock(seen: _Seen) -> Item:
    """A clock that no time service has set is right by chance only.

    The hub's comparison may be of before its clock changed, so the report's own time counts, too.
    """
    report = seen.report
    own_s = report.utc - seen.utc  # the clock is ahead by it at least: a report is never early
    compared_s = own_s if report.ahead_s is None else report.ahead_s
    own_most_s = AHEAD_S if report.ahead_s is None else LATE_S
    ahead_s, why = compared_s, None
    if not report.synced:
        why = Why.UNSYNCED
    elif report.ahead_s is not None and abs(compared_s) > AHEAD_S:
        why = Why.AHEAD
    elif abs(own_s) > own_most_s:
        ahead_s, why = own_s, Why.AHEAD if own_s > 0 else Why.LATE
    evidence = Evidence(why=why, ahead_s=round(ahead_s, 1))
    item = Item(Step.CLOCK, "", evidence=evidence)
    return item if why else _proven(item, seen.utc, evidence)


def _resident_parts(one: Installation, seen: _Seen) -> Installation:
    """Return it without what cannot be done in this home; a spoken answer is a proof."""
    whole, lacks = _is_whole(one.items, seen.report), _lacks(one, seen.report)
    items = []
    for item in one.items:
        made = item
        if item.step in BY_CALL and item.state is not State.PROVEN:
            why = lacks.get(item.name)
            sure = whole or why is Why.NO_VOICE or item.evidence.why is why
            made = _by_call(item, why if sure else None)
        items.append(made)
    one = replace(one, items=tuple(items))
    spoken = one.find(Step.RESIDENT, Part.SPOKEN)
    if spoken is None or spoken.state is not State.WAITING:
        return one
    if not seen.counts(Step.RESIDENT, Part.SPOKEN, seen.report.answered_s):
        return one
    evidence = Evidence(used_utc=seen.at(seen.report.answered_s))
    return _with(one, _proven(spoken, seen.utc, evidence))


def _lacks(one: Installation, report: InstallReport) -> dict[str, Why]:
    """Return why a test call, or a part of the resident's, cannot be made in this home."""
    kinds = {item.evidence.what for item in one.items if item.step in OF_DEVICES}
    lacks = dict[str, Why]()
    if VOICE not in report.has:
        lacks[Part.SPOKEN] = Why.NO_VOICE
    if not kinds & CALLS:
        lacks[Part.PRESSED] = Why.NO_CALL_BUTTON
    if CANCEL not in kinds:
        lacks[Part.CANCELLED] = Why.NO_CANCEL_BUTTON
    if {Part.SPOKEN, Part.PRESSED} <= lacks.keys():
        lacks[Part.WHOLE] = Why.NOTHING_CALLS
    return lacks


def _by_call(item: Item, why: Why | None) -> Item:
    """Return an item that a call proves. A test call waits: a home that cannot call is not done."""
    state = State.LEFT_OUT if why and item.step is Step.RESIDENT else State.WAITING
    return Item(item.step, item.name, state, evidence=Evidence(why=why))


# what the centre holds


def _home(item: Item, record: Record | None, utc: float) -> Item:
    """Return the step of home and resident: a name, an address, and somebody to call."""
    held = record or Record()
    fields = {"name": held.name, "address": held.address, "contacts": held.contacts}
    missing = tuple(name for name, value in fields.items() if not value)
    if missing:
        return Item(item.step, "", evidence=Evidence(why=Why.NO_RECORD, missing=missing))
    return item if item.state is State.PROVEN else _proven(item, utc, NOTHING)


def _asked_before(item: Item, held: Known) -> Answer | None:
    """Return what the record says of a consent: shown, and still to be asked of the resident."""
    kept = held.record.consent(ConsentItem.of(item.name)) if held.record else None
    return None if kept is None else Answer.GIVEN if kept.given else Answer.REFUSED


def _told_of(item: Item, held: Known) -> Item:
    """Return an item of which nothing was heard yet, with the reason."""
    why = item.evidence.why
    if item.state is not State.WAITING or why not in {Why.NO_REPORT, Why.OLD_HUB}:
        return item
    now = Why.OLD_HUB if held.old_hub else Why.NO_REPORT
    return replace(item, evidence=replace(item.evidence, why=now))


def _of_call(item: Item, call: Call | None) -> Item:
    if call is None or item.state is State.PROVEN:
        return item
    evidence = Evidence(incident=call.incident, device=call.device, place=call.place)
    if item.step is Step.TEST_CALL and call.by == call.leased_by:
        return Item(item.step, item.name, evidence=replace(evidence, why=Why.OWN_ANSWER))
    return _proven(item, call.utc, evidence, call.by)
