"""Why the hub raised an alarm, in plain words, from the evidence that it sent. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from center.console.lengths import clock, length
from center.console.view import Viewer
from center.domain.incident import Incident
from hub.contract.messages import COUNTER_RESTARTED, WORDLESS, Evidence, VitalEvidence
from hub.contract.scaip import Kind

SENSORS_SHOWN = 6
SAME_FOR_ALL = frozenset({Kind.MISSED_CHECKIN, Kind.NO_LIFE})  # their limits are not learned


class Reason(Struct, frozen=True):
    """What was seen, what is usual, and the rest; `cleared` once the resident shows life.

    `words` are the resident's own, as transcribed by a machine.
    """

    seen: str
    usual: str
    more: tuple[str, ...]
    cleared: str = ""
    words: tuple[str, ...] = ()


def reason(
    incident: Incident, places: Mapping[str, str], viewer: Viewer, words: tuple[str, ...] = ()
) -> Reason | None:
    """Return the reason of an alarm, or None for one that somebody pressed and that is as usual.

    `places` has the room of each device, `words` what was said, where it is stored.
    """
    t = viewer.t
    if incident.is_spoken and incident.about == WORDLESS:
        return Reason(
            t("evidence.spoken_wordless"), "", (t("evidence.wordless_more"),), words=words
        )
    if incident.is_spoken:
        about = told_of(incident, viewer)
        seen = t("evidence.spoken_about", about=about) if about else t("evidence.spoken")
        return Reason(seen, "", (t("evidence.spoken_more"),), words=words)
    if incident.about == COUNTER_RESTARTED and not incident.is_automatic:
        return Reason(t("evidence.counter_restarted"), "", ())
    cleared = ""
    if incident.cleared_utc is not None:
        key = "evidence.all_clear" if incident.is_detected else "evidence.cleared"
        cleared = t(key, time=clock(incident.cleared_utc, viewer.now))
    if incident.is_detected:
        return Reason(t(f"evidence.{incident.kind}"), "", (), cleared)
    if not incident.is_automatic:
        return None
    if incident.vital is not None:
        return _measured(incident, incident.vital, viewer, cleared)
    if incident.evidence is None:
        return Reason(t("evidence.none"), "", (), cleared)
    return _worded(incident, incident.evidence, places, viewer, cleared)


def brief(incident: Incident, viewer: Viewer) -> str:
    """Return in one line what was seen and what is usual; empty where somebody pressed."""
    said = incident.evidence
    if incident.is_spoken and incident.about == WORDLESS:
        return viewer.t("evidence.spoken_brief_wordless")
    if incident.is_spoken:
        about = told_of(incident, viewer)
        brief = "evidence.spoken_brief_about" if about else "evidence.spoken_brief"
        return viewer.t(brief, about=about)
    if incident.is_detected:
        return viewer.t("evidence.hazard_brief" if incident.is_hazard else "evidence.water_brief")
    if incident.vital is not None and incident.is_automatic:
        return viewer.t("vital_evidence.brief", **_values(incident.vital, viewer))
    if said is None or not incident.is_automatic:
        return ""
    seen = viewer.t("evidence.brief", lasted=length(said.lasted_s, viewer.t))
    if said.usual_s <= 0:
        return seen
    return f"{seen} · {viewer.t('evidence.brief_usual', usual=length(said.usual_s, viewer.t))}"


def told_of(incident: Incident, viewer: Viewer) -> str:
    """Return what a spoken call was about; empty where it is not known."""
    key = f"about.{incident.about}"
    return viewer.t(key) if key in viewer.t.sentences else ""


def _measured(incident: Incident, said: VitalEvidence, viewer: Viewer, cleared: str) -> Reason:
    """Return for which reading it was raised, and what the resident answered; no judgement."""
    t, values = viewer.t, _values(said, viewer)
    since = clock(said.since_utc, viewer.now) if incident.synced else t("evidence.some_time")
    turn, how = "above" if said.above else "below", "for" if said.lasted_s > 0 else "at"
    lasted = length(said.lasted_s, t)
    seen = t(f"vital_evidence.{turn}_{how}", since=since, lasted=lasted, **values)
    usual = t("vital_evidence.unlearned")
    if said.usual is not None:
        usual = t("vital_evidence.usual", usual=f"{said.usual:.0f}", unit=values["unit"])
    more = (
        t(f"vital_said.{said.said or 'none'}"),
        t("vital_evidence.device", device=said.device, n=said.n),
        t("vital_evidence.caution"),
    )
    return Reason(seen, usual, more, cleared)


def _values(said: VitalEvidence, viewer: Viewer) -> dict[str, str]:
    t = viewer.t
    return {
        "what": t(f"vital.{said.kind}"),
        "value": f"{said.value:.0f}",
        "limit": f"{said.limit:.0f}",
        "unit": t.word("vital_unit", said.kind) if said.kind.is_known else "",
    }


def _worded(
    incident: Incident, said: Evidence, places: Mapping[str, str], viewer: Viewer, cleared: str
) -> Reason:
    t = viewer.t
    usual = t("evidence.usual", usual=length(said.usual_s, t)) if said.usual_s > 0 else ""
    more = []
    if said.last:
        more.append(t("evidence.last", last=places.get(said.last) or said.last))
    if _tells_limit(incident, said):
        more.append(t("evidence.limit", limit=length(said.limit_s, t)))
    if said.wordless:
        more.append(t("evidence.wordless", n=said.wordless))
    more.append(_basis(incident, said, viewer))
    return Reason(_seen(incident, said, places, viewer), usual, tuple(more), cleared)


def _tells_limit(incident: Incident, said: Evidence) -> bool:
    """Return whether the limit adds anything: a learned one is often the same as the length."""
    if incident.kind is Kind.MISSED_CHECKIN:  # its limit is since the check-in was due
        return False
    return incident.kind is Kind.NO_LIFE or 0 < said.limit_s <= said.lasted_s - 60


def _basis(incident: Incident, said: Evidence, viewer: Viewer) -> str:
    if incident.kind in SAME_FOR_ALL:
        return viewer.t("evidence.same_for_all")
    if said.learned_days > 0:
        return viewer.t("evidence.learned", days=said.learned_days)
    return viewer.t("evidence.unlearned")


def _seen(incident: Incident, said: Evidence, places: Mapping[str, str], viewer: Viewer) -> str:
    t = viewer.t
    lasted = length(said.lasted_s, t)
    since = clock(said.since_utc, viewer.now) if incident.synced else t("evidence.some_time")
    rooms = list(dict.fromkeys(places.get(one) or one for one in said.sensors))
    key = f"evidence.{incident.kind}"
    if rooms and f"{key}_in" in t.sentences:
        shown = ", ".join(rooms[:SENSORS_SHOWN])
        return t(f"{key}_in", rooms=shown, since=since, lasted=lasted)
    return t(key, since=since, lasted=lasted)
