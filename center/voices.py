"""Whether anybody will hear what is said to a home, and whether it hears them: in words. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from center.console.view import Badge
from center.service.texts import Texts
from hub.contract.messages import VoiceCan, VoiceReport

UNHEARD = frozenset({VoiceCan.NOTHING, VoiceCan.LOST})  # nobody there hears an announcement
_LOOK = {  # what it can do -> (shape, tone)
    VoiceCan.NOTHING: ("mute", "warn"),
    VoiceCan.STARTING: ("clock", "plain"),
    VoiceCan.LOST: ("triangle", "bad"),
    VoiceCan.HEARING: ("mute", "bad"),
    VoiceCan.SPEAKING: ("voice", "warn"),
    VoiceCan.TALKING: ("check", "good"),
}


class Able(Struct, frozen=True):
    """What a voice can do, what follows from it for an operator, and how it is set."""

    badge: Badge
    lead: str
    settings: tuple[Badge, ...]
    engines: str  # empty where none is known


def badge(report: VoiceReport | None, t: Texts) -> Badge:
    """Say what a home's voice can do; None: its hub has not said."""
    if report is None:
        return Badge("ring", "plain", t("voice_here.unknown"))
    return Badge(*_LOOK.get(report.can, ("ring", "plain")), t(f"voice_can.{report.can}"))


def able(report: VoiceReport, t: Texts) -> Able:
    """Say it, with what an operator may do about it."""
    lead = t(f"voice_lead.{report.can}")
    return Able(badge(report, t), lead, tuple(_settings(report, t)), ", ".join(report.engines))


def is_unheard(report: VoiceReport | None) -> bool:
    """Tell whether a home is known to have nothing that could say an announcement."""
    return report is not None and report.can in UNHEARD


def _settings(report: VoiceReport, t: Texts) -> Iterator[Badge]:
    if not report.engines:
        return  # it has not said how it is set
    if report.muted:
        yield Badge("mute", "warn", t("voice_here.muted"))
    if not report.spoken_sos:
        yield Badge("cross", "warn", t("voice_here.sos_off"))
    if report.tells_words:
        yield Badge("voice", "plain", t("voice_here.tells_words"))
