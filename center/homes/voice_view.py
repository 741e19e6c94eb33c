"""A home's voice in words: is there one, does it work, what was wrong with it. Pure."""

from msgspec import Struct

from center import moments
from center.homes.voice_rows import PastFault, Voice
from center.views import Badge, Eye
from hub.core.payloads import FaultKind


class PastFaultView(Struct, frozen=True):
    """A fault of the voice: what, from when to when, and whether it lasts."""

    badge: Badge
    when: str


class VoiceView(Struct, frozen=True):
    """Whether a voice is there; `last` is its last sign of work, empty where there was none."""

    badge: Badge
    known: bool
    last: str
    faults: tuple[PastFaultView, ...]


def view(voice: Voice, eye: Eye) -> VoiceView:
    """Word what is known of a voice."""
    last = ""
    if voice.sign is not None:
        when = moments.short(voice.sign_utc, eye.now)
        last = eye.t("voice_here.last", time=when, what=eye.t(f"voice_here.{voice.sign}"))
    return VoiceView(
        badge=_state(voice, eye),
        known=voice.sign is not None or bool(voice.faults),
        last=last,
        faults=tuple(_fault(one, eye) for one in voice.faults),
    )


def _state(voice: Voice, eye: Eye) -> Badge:
    lasting = {one.kind for one in voice.faults if one.cleared_utc is None}
    if lasting - {FaultKind.MUTED}:
        return Badge("triangle", "bad", eye.t("voice_here.trouble"))
    if lasting:
        return Badge("mute", "warn", eye.t("voice_here.muted"))
    if voice.sign is not None or voice.faults:
        return Badge("check", "good", eye.t("voice_here.works"))
    return Badge("ring", "plain", eye.t("voice_here.unknown"))


def _fault(one: PastFault, eye: Eye) -> PastFaultView:
    t = eye.t
    since = moments.short(one.since_utc, eye.now) if one.synced else t("hubs.unsynced")
    text = t.word("fault", one.kind)
    if one.cleared_utc is None:
        return PastFaultView(Badge("triangle", "warn", text), t("voice_here.lasts", since=since))
    until = moments.short(one.cleared_utc, eye.now)
    return PastFaultView(
        Badge("check", "plain", text), t("voice_here.over", since=since, until=until)
    )
