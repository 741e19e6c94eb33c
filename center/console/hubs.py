"""A hub in words: its state, its faults, its last call, and what its voice can do. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from center.console.view import Badge, Call, Viewer, call
from center.domain import clones, times
from center.domain.clones import Boot
from center.domain.hub import BACK_S, Fault, Hub, Seen, seen
from center.domain.incident import Incident
from center.service.texts import Texts
from hub.contract.messages import FaultKind, VoiceCan, VoiceReport

UNHEARD = frozenset({VoiceCan.NOTHING, VoiceCan.LOST})  # no announcement is heard there
_LOOK = {  # state -> (shape, tone)
    Seen.READY: ("check", "good"),
    Seen.STARTING: ("clock", "plain"),
    Seen.DISCONNECTED: ("ring", "plain"),
    Seen.LOST: ("away", "bad"),
    Seen.UNKNOWN: ("triangle", "warn"),
}
_VOICE_LOOK = {  # what it can do -> (shape, tone)
    VoiceCan.NOTHING: ("mute", "warn"),
    VoiceCan.STARTING: ("clock", "plain"),
    VoiceCan.LOST: ("triangle", "bad"),
    VoiceCan.HEARING: ("mute", "bad"),
    VoiceCan.SPEAKING: ("voice", "warn"),
    VoiceCan.TALKING: ("check", "good"),
}


class FaultView(Struct, frozen=True):
    """A fault in words, with its device and since when."""

    text: str
    since: str


class HubView(Struct, frozen=True):
    """A row of the hubs page."""

    hub: str
    name: str
    seen: Seen
    state: Badge
    heard: float
    heard_ago: str
    faults: tuple[FaultView, ...]
    last: Call | None
    last_at: str
    synced: bool
    software: str
    voice: Badge
    cloned: bool = False  # two machines speak in its name
    back: str = ""  # since when a removed hub is there again


class MachineView(Struct, frozen=True):
    """One of two machines with one name: the id of its boot, and when it spoke last."""

    boot: str
    heard: str


class VoiceAble(Struct, frozen=True):
    """What a voice can do, what an operator should do about it, and its settings."""

    badge: Badge
    lead: str
    settings: tuple[Badge, ...]
    engines: str  # empty where none is known


def row(
    hub: Hub, last: Incident | None, viewer: Viewer, listening_utc: float | None, name: str = ""
) -> HubView:
    """Return a row in words; `listening_utc` is since when the centre is connected."""
    state = seen(hub, viewer.now, listening_utc)
    icon, tone = _LOOK[state]
    unit, count = times.ago(viewer.now - hub.heard_utc)
    return HubView(
        hub=hub.hub,
        name=name,
        seen=state,
        state=Badge(icon, tone, viewer.t(f"seen.{state}")),
        heard=hub.heard_utc,
        heard_ago=viewer.t(f"ago.{unit}", n=count),
        faults=tuple(_fault(one, viewer) for one in hub.faults),
        last=call(last, viewer) if last else None,
        last_at=times.short(last.received_utc, viewer.now) if last else "",
        synced=hub.synced,
        software=hub.software,
        voice=voice_badge(hub.voice, viewer.t),
        cloned=any(fault.kind is FaultKind.TWIN for fault in hub.faults),
        back=_back(hub, viewer),
    )


def machines(boots: Sequence[Boot], viewer: Viewer) -> list[MachineView]:
    """Return the two machines that speak in a hub's name, the one that spoke last first."""
    found = clones.pair(boots)
    return [MachineView(one.boot, times.short(one.heard_utc, viewer.now)) for one in found]


def fits(view: HubView, wish: str) -> bool:
    """Return whether a row has these letters in its hub, resident or last call."""
    wish = wish.casefold().strip()
    last = view.last.title if view.last else ""
    return any(wish in text.casefold() for text in (view.hub, view.name, last))


def worst_first(view: HubView) -> tuple[bool, bool, str]:
    """Return the sort key: silent hubs, then hubs with faults, then the others, each by name."""
    well = view.seen in {Seen.READY, Seen.STARTING, Seen.DISCONNECTED}
    return well, not view.faults, view.hub


def voice_badge(report: VoiceReport | None, t: Texts) -> Badge:
    """Return what a home's voice can do, in a word; `report` None: its hub has not said."""
    if report is None:
        return Badge("ring", "plain", t("voice_here.unknown"))
    return Badge(*_VOICE_LOOK.get(report.can, ("ring", "plain")), t(f"voice_can.{report.can}"))


def voice_able(report: VoiceReport, t: Texts) -> VoiceAble:
    """Return what a voice can do, with what an operator should do about it."""
    lead = t(f"voice_lead.{report.can}")
    return VoiceAble(
        voice_badge(report, t), lead, tuple(_voice_settings(report, t)), ", ".join(report.engines)
    )


def is_unheard(report: VoiceReport | None) -> bool:
    """Return whether a home is known to have no voice that could say an announcement."""
    return report is not None and report.can in UNHEARD


def _back(hub: Hub, viewer: Viewer) -> str:
    if hub.back_utc is None or viewer.now - hub.back_utc > BACK_S:
        return ""
    return viewer.t("hubs.back", time=times.short(hub.back_utc, viewer.now))


def _fault(fault: Fault, viewer: Viewer) -> FaultView:
    text = viewer.t.word("fault", fault.kind)
    which = fault.detail if fault.kind is FaultKind.TWIN else fault.device  # both their boots
    device = f"{text} · {which}" if which else text
    since = times.short(fault.since_utc, viewer.now) if fault.synced else viewer.t("hubs.unsynced")
    return FaultView(device, since)


def _voice_settings(report: VoiceReport, t: Texts) -> Iterator[Badge]:
    if not report.engines:
        return  # its settings are not known
    if report.muted:
        yield Badge("mute", "warn", t("voice_here.muted"))
    if not report.spoken_sos:
        yield Badge("cross", "warn", t("voice_here.sos_off"))
    if report.tells_words:
        yield Badge("voice", "plain", t("voice_here.tells_words"))
