"""A home's voice in words: whether there is one, whether it works, its faults. Pure."""

from msgspec import Struct

from center.console.hubs import VoiceAble, voice_able, voice_badge
from center.console.view import Badge, Viewer
from center.domain import times
from center.store.rows.voices import PastFault, Voice
from hub.contract.messages import FaultKind, VoiceCan, VoiceReport


class PastFaultView(Struct, frozen=True):
    """A fault of the voice: what, from when to when, and whether it lasts."""

    badge: Badge
    when: str


class VoiceView(Struct, frozen=True):
    """A voice in words; `last` is when it last worked, empty where it never did.

    `able` is None where its hub has not said what it can do; `stale`: it may have changed since.
    """

    badge: Badge
    able: VoiceAble | None
    stale: bool
    known: bool
    last: str
    faults: tuple[PastFaultView, ...]


def view(
    voice: Voice, report: VoiceReport | None, viewer: Viewer, *, stale: bool = False
) -> VoiceView:
    """Return a voice in words; `stale`: its hub is not connected at the moment."""
    last = ""
    if voice.sign is not None:
        when = times.short(voice.sign_utc, viewer.now)
        last = viewer.t("voice_here.last", time=when, what=viewer.t(f"voice_here.{voice.sign}"))
    return VoiceView(
        badge=_state(voice, report, viewer),
        able=None if report is None else voice_able(report, viewer.t),
        stale=stale and report is not None,
        known=report is not None or voice.sign is not None or bool(voice.faults),
        last=last,
        faults=tuple(_fault(one, viewer) for one in voice.faults),
    )


def _state(voice: Voice, report: VoiceReport | None, viewer: Viewer) -> Badge:
    if report is not None and report.can not in {VoiceCan.TALKING, VoiceCan.STARTING}:
        return voice_badge(report, viewer.t)
    lasting = {one.kind for one in voice.faults if one.cleared_utc is None}
    if lasting - {FaultKind.MUTED}:
        return Badge("triangle", "bad", viewer.t("voice_here.trouble"))
    if lasting:
        return Badge("mute", "warn", viewer.t("voice_here.muted"))
    if report is not None:
        return voice_badge(report, viewer.t)
    if voice.sign is not None or voice.faults:
        return Badge("check", "good", viewer.t("voice_here.works"))
    return Badge("ring", "plain", viewer.t("voice_here.unknown"))


def _fault(one: PastFault, viewer: Viewer) -> PastFaultView:
    t = viewer.t
    since = times.short(one.since_utc, viewer.now) if one.synced else t("hubs.unsynced")
    text = t.word("fault", one.kind)
    if one.cleared_utc is None:
        return PastFaultView(Badge("triangle", "warn", text), t("voice_here.lasts", since=since))
    until = times.short(one.cleared_utc, viewer.now)
    return PastFaultView(
        Badge("check", "plain", text), t("voice_here.over", since=since, until=until)
    )
