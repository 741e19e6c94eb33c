"""One real message of each kind: the examples of the contract, and of the tests that read it."""

from hub.core import scaip, wire
from hub.core.payloads import (
    Ack,
    AlarmBrief,
    AlarmData,
    AlarmEvent,
    Availability,
    CenterState,
    Cleared,
    Command,
    CommandKind,
    FaultKind,
    FaultReport,
    FromCenter,
    FromHub,
    HubState,
    Reply,
    ReportData,
    ReportEvent,
    Stage,
    Telemetry,
)
from hub.core.scaip import Kind, Report, What

HUB = "js-0001"
UTC = 1_772_323_200.25
ALARM = "5f0c2a1b-7"
FAULT = "help-stuck"


def alarm_event(kind: Kind, what: What) -> AlarmEvent:
    """Give the event of something that has happened to an alarm."""
    block = scaip.of_alarm(kind, what, "거실", ALARM)
    data = AlarmData(
        ALARM, kind, what, "help", "거실", "5f0c2a1b", 7, 181.5, synced=True, scaip=block
    )
    id_ = ALARM if what is What.RAISED else "5f0c2a1b-8"
    return AlarmEvent(id_, wire.source(HUB), f"anbu.alarm.{what}", wire.timestamp(UTC), data)


def report_event(report: Report) -> ReportEvent:
    """Give a technical report."""
    data = ReportData(report, 42.0, synced=True, scaip=scaip.of_report(report, "5f0c2a1b-9"))
    kind = f"anbu.report.{report}"
    return ReportEvent("5f0c2a1b-9", wire.source(HUB), kind, wire.timestamp(UTC), data)


def state(
    state: Availability, alarms: tuple[AlarmBrief, ...] = (), faults: tuple[str, ...] = ()
) -> HubState:
    """Give what a hub says of itself."""
    return HubState(
        state, UTC, synced=True, boot="5f0c2a1b", software="0.1.0", interval_s=30.0,
        alarms=alarms, faults=faults,
    )  # fmt: skip


def from_hub() -> dict[str, list[FromHub]]:
    """Give what a hub says, by channel."""
    brief = AlarmBrief(ALARM, Stage.RECEIVED, 1)
    ready = state(Availability.READY, (brief,), (FAULT,))
    lost = state(Availability.LOST)
    fault = FaultReport(FAULT, FaultKind.STUCK, "help", UTC, synced=True, detail="60 s")
    return {
        "state": [ready, lost],
        "event": [
            *(alarm_event(Kind.HELP_BUTTON, what) for what in What),
            alarm_event(Kind.PULL_CORD, What.RAISED),
            alarm_event(Kind.TEST, What.RAISED),
            *(report_event(report) for report in Report),
        ],
        "fault": [fault, Cleared(FAULT)],
        "telemetry": [Telemetry(UTC, synced=True, readings={"rss_mb": 31.5}, dropped=2)],
        "reply": [Reply("c-1", done=True), Reply("c-2", done=False, reason="expired")],
    }


def from_center() -> dict[str, list[FromCenter]]:
    """Give what the centre says, by channel."""
    return {
        "ack": [
            Ack(ALARM, ALARM, Stage.RECEIVED, 1, UTC),
            Ack("", ALARM, Stage.ACCEPTED, 2, UTC, "김하나"),
        ],
        "cmd": [
            Command("c-1", CommandKind.TEST_CALL, 11, UTC + 60),
            Command("c-2", CommandKind.ANNOUNCE, 12, UTC + 60, "오늘은 폭염 경보입니다."),
        ],
        "center": [CenterState(online=True, utc=UTC)],
    }
