"""One real message of each kind: the examples of the document, and of the tests that read them."""

from hub.contract import scaip, wire
from hub.contract.messages import (
    Ack,
    Activity,
    AlarmBrief,
    AlarmData,
    AlarmEvent,
    AnnouncementData,
    AnnouncementEvent,
    AnnouncementOutcome,
    AnsweredBy,
    Availability,
    CareData,
    CareEvent,
    CenterState,
    CheckInData,
    CheckInEvent,
    CheckInResult,
    Cleared,
    Command,
    CommandKind,
    Evidence,
    FaultKind,
    FaultReport,
    FromCenter,
    FromHub,
    HubState,
    InstallDevice,
    InstallReport,
    PresenceKind,
    Reply,
    ReportData,
    ReportEvent,
    Stage,
    Telemetry,
    Topic,
    Trigger,
    Vital,
    VitalEvidence,
    VitalKind,
    VitalLevel,
    VitalLimits,
    Vitals,
    VitalWhy,
    VoiceCan,
    VoiceReport,
)
from hub.contract.scaip import AUTOMATIC, DETECTED, Care, Kind, Report, What

HUB = "js-0001"
UTC = 1_772_323_200.25
ALARM = "5f0c2a1b-7"
TRIGGERS = (Trigger("help", Kind.HELP_BUTTON, "거실", normally_closed=True),)
FAULT = "help-stuck"
GROUND = Evidence(UTC - 30_600, 30_600.0, 21_600.0, 28_800.0, "motion", ("motion", "door"), 21)
SEEN, PLACES = {"motion": 14, "door": 2}, {"motion": "거실", "door": "현관"}
ACTIVITY = Activity(UTC - 3600, synced=True, seen=SEEN, places=PLACES, presence=PresenceKind.HOME)

READING = VitalEvidence(
    VitalKind.PULSE, 134.0, 120.0, above=True, device="band", since_utc=UTC - 660, lasted_s=660.0,
    n=640, usual=68.0,
)  # fmt: skip
READINGS = {
    Kind.HEART_RATE: READING,
    Kind.OXYGEN: VitalEvidence(VitalKind.OXYGEN, 86.0, 90.0, above=False, device="finger",
                               since_utc=UTC - 40, n=2, said="fine"),
    Kind.BLOOD_PRESSURE: VitalEvidence(VitalKind.SYSTOLIC, 192.0, 180.0, above=True, device="cuff",
                                       since_utc=UTC - 60),
}  # fmt: skip
VITALS = Vitals(
    UTC - 900, UTC, synced=True,
    entries=(
        Vital(VitalKind.PULSE, UTC, "band", 74.2, 61.0, 102.0, 880),
        Vital(VitalKind.RESTING_PULSE, UTC, "band", 64.0, usual=66.0, level=VitalLevel.USUAL),
        Vital(VitalKind.STRESS, UTC, "band", 148.0, n=298, clean_share=0.99, usual=95.0,
              level=VitalLevel.HIGHER),
        Vital(VitalKind.STRESS, UTC, "watch", n=0, why=VitalWhy.NO_RR),
        Vital(VitalKind.WORN, UTC, "band", 0.97),
        Vital(VitalKind.SYSTOLIC, UTC - 20, "cuff", 131.0, irregular=True),
    ),
)  # fmt: skip
INSTALLED = InstallReport(
    UTC, synced=True, boot="5f0c2a1b", software="0.1.0",
    devices=(
        InstallDevice("motion", "motion", "거실", on=False, used_s=4.2, heard_s=1.1),
        InstallDevice("help", "help_button", "거실", on=False, heard_s=12.0),
        InstallDevice("pendant", "help_button", wireless=True, used_s=31.0, heard_s=31.0,
                      battery_pct=97.0),
        InstallDevice("ups", "mains", on=True, used_s=65.0, heard_s=8.0, battery_pct=99.0),
    ),
    has=("radio", "setup", "voice"), way="wifi", network="우리집", signal_dbm=-58, ahead_s=0.1,
    voice="talking", answered_s=88.0, heard_s=88.0, test_s=540.0,
)  # fmt: skip
LIMITS = VitalLimits(high_rest_bpm=110.0, low_oxygen_pct=88.0, stress=False, pacemaker=True)


VOICE = VoiceReport(VoiceCan.TALKING, ("kokoro", "espeak", "vosk", "whisper"), spoken_sos=True)


def alarm_event(kind: Kind, what: What) -> AlarmEvent:
    """Return the event of something that happened to an alarm."""
    block = scaip.of_alarm(kind, what, "거실", ALARM)
    device, ground = ("motion", GROUND) if kind in AUTOMATIC else ("help", None)
    device = {Kind.SPOKEN: "voice", Kind.PENDANT: "pendant"}.get(kind, device)
    device = str(kind) if kind in DETECTED else device
    data = AlarmData(
        ALARM, kind, what, device, "거실", "5f0c2a1b", 7, 181.5, synced=True, scaip=block,
        evidence=None if kind in READINGS else ground,
        words="살려 주세요" if kind is Kind.SPOKEN else "", vital=READINGS.get(kind),
    )  # fmt: skip
    id_ = ALARM if what is What.RAISED else "5f0c2a1b-8"
    return AlarmEvent(id_, wire.source(HUB), f"anbu.alarm.{what}", wire.timestamp(UTC), data)


def report_event(report: Report) -> ReportEvent:
    """Return a technical report."""
    data = ReportData(report, 42.0, synced=True, scaip=scaip.of_report(report, "5f0c2a1b-9"))
    kind = f"anbu.report.{report}"
    return ReportEvent("5f0c2a1b-9", wire.source(HUB), kind, wire.timestamp(UTC), data)


def check_in_event(result: CheckInResult) -> CheckInEvent:
    """Return the result of a check-in."""
    spoken = {CheckInResult.FINE, CheckInResult.UNWELL, CheckInResult.UNCLEAR}
    still = {CheckInResult.MISSED, CheckInResult.AWAY}
    by = AnsweredBy.VOICE if result in spoken else AnsweredBy.BUTTON
    data = CheckInData(
        "2026-03-01-0900", Topic.SLEEP, result, AnsweredBy.NOBODY if result in still else by,
        attempts=0 if result is CheckInResult.AWAY else 1, due_utc=UTC, synced=True,
        scaip=scaip.of_check_in("5f0c2a1b-10"),
        words="어제 잘 못 잤어요" if result is CheckInResult.UNWELL else "",
    )  # fmt: skip
    kind = f"anbu.checkin.{result}"
    return CheckInEvent("5f0c2a1b-10", wire.source(HUB), kind, wire.timestamp(UTC), data)


def care_event(care: Care) -> CareEvent:
    """Return a need that is no emergency."""
    score = 4 if care is Care.LOW_MOOD else 0
    data = CareData(care, score, synced=True, scaip=scaip.of_care(care, "5f0c2a1b-11"))
    kind = f"anbu.care.{care}"
    return CareEvent("5f0c2a1b-11", wire.source(HUB), kind, wire.timestamp(UTC), data)


def announcement_event(outcome: AnnouncementOutcome) -> AnnouncementEvent:
    """Return the receipt of an announcement."""
    block = scaip.of_announcement("5f0c2a1b-12")
    data = AnnouncementData("c-2", outcome, synced=True, scaip=block)
    kind = f"anbu.announcement.{outcome}"
    return AnnouncementEvent("5f0c2a1b-12", wire.source(HUB), kind, wire.timestamp(UTC), data)


def state(
    state: Availability, alarms: tuple[AlarmBrief, ...] = (), faults: tuple[str, ...] = ()
) -> HubState:
    """Return a hub's report of its own state."""
    return HubState(
        state, UTC, synced=True, boot="5f0c2a1b", software="0.1.0", interval_s=30.0,
        alarms=alarms, faults=faults, voice=VOICE, triggers=TRIGGERS,
    )  # fmt: skip


def from_hub() -> dict[str, list[FromHub]]:
    """Return what a hub sends, by channel."""
    brief = AlarmBrief(ALARM, Stage.RECEIVED, 1)
    ready = state(Availability.READY, (brief,), (FAULT,))
    lost = state(Availability.LOST)
    fault = FaultReport(FAULT, FaultKind.STUCK, "help", UTC, synced=True, detail="60 s")
    return {
        "state": [ready, lost],
        "event": [
            *(alarm_event(Kind.HELP_BUTTON, what) for what in What),
            alarm_event(Kind.PULL_CORD, What.RAISED),
            alarm_event(Kind.SPOKEN, What.RAISED),
            alarm_event(Kind.PENDANT, What.RAISED),
            alarm_event(Kind.TEST, What.RAISED),
            *(alarm_event(kind, What.RAISED) for kind in sorted(DETECTED)),
            alarm_event(Kind.SMOKE, What.CLEARED),
            *(alarm_event(kind, What.RAISED) for kind in sorted(AUTOMATIC)),
            *(report_event(report) for report in Report),
            *(check_in_event(result) for result in CheckInResult),
            *(care_event(care) for care in Care),
            *(announcement_event(outcome) for outcome in AnnouncementOutcome),
        ],
        "fault": [fault, Cleared(FAULT)],
        "telemetry": [Telemetry(UTC, synced=True, readings={"rss_mb": 31.5}, dropped=2)],
        "activity": [ACTIVITY],
        "vitals": [VITALS],
        "install": [INSTALLED],
        "reply": [Reply("c-1", done=True), Reply("c-2", done=False, reason="expired")],
    }


def from_center() -> dict[str, list[FromCenter]]:
    """Return what the centre sends, by channel."""
    return {
        "ack": [
            Ack(ALARM, ALARM, Stage.RECEIVED, 1, UTC),
            Ack("", ALARM, Stage.ACCEPTED, 2, UTC, "김하나"),
            Ack("", ALARM, Stage.ACCEPTED, 3, UTC, "김하나", sent=True),
        ],
        "cmd": [
            Command("c-1", CommandKind.TEST_CALL, 11, UTC + 60),
            Command("c-2", CommandKind.ANNOUNCE, 12, UTC + 60, "오늘은 폭염 경보입니다."),
            Command("c-3", CommandKind.VITAL_LIMITS, 13, UTC + 60, limits=LIMITS),
            Command("c-4", CommandKind.INSTALL_FOLLOW, 14, UTC + 60, lasts_s=120.0),
        ],
        "center": [CenterState(online=True, utc=UTC)],
    }
