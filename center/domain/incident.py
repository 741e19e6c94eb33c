"""An incident: its stage, timeline, outcome and age, and what each change of it does. Pure.

received --take--> accepted --present--> present        any of them --close--> closed
   ^--expire---------'---------------------'            closed --reopen, or a press--> received

A call that comes again while somebody holds the incident rings the holder; where the holder does
not answer, or nobody holds it, the incident is `received` again and rings everybody.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.border import Open
from hub.contract.messages import Evidence, Stage, VitalEvidence
from hub.contract.reading import UNREAD
from hub.contract.scaip import BY_HAND, DETECTED, HAZARDS, Kind

LATE_S = 60.0  # TSA: 97.5 % of alarms are answered in 60 s
OVERDUE_S = 180.0  # TSA: 99 % in 180 s
TEST_S = 60.0  # a press in test mode waits so long as a test: as long as any call may wait (TSA)
CLOCK_BACK_S = 60.0  # a time further ahead was written before the clock was set back
CALLED = BY_HAND | {Kind.TEST}
STILL = frozenset({Kind.QUIET, Kind.NOT_UP, Kind.NO_LIFE, Kind.MISSED_CHECKIN})  # nothing moves
HELD = frozenset({Stage.ACCEPTED, Stage.PRESENT})


class Outcome(Open):
    """How an incident ended. Mandatory at closing; the false alarms name their cause."""

    EMERGENCY_119 = "emergency_119"
    RESPONDER_SENT = "responder_sent"
    HELP_GIVEN = "help_given"
    FAMILY_HELPED = "family_helped"
    REASSURED = "reassured"
    OTHER_NEED = "other_need"
    MADE_SAFE = "made_safe"  # a fire, gas or water
    PRESSED_BY_MISTAKE = "pressed_by_mistake"
    VISITOR_OR_CHILD = "visitor_or_child"
    PET = "pet"
    CLEANING = "cleaning"
    COOKING = "cooking"  # its smoke or steam
    DEVICE_NOT_UNDERSTOOD = "device_not_understood"
    EQUIPMENT_FAULT = "equipment_fault"
    MISHEARD = "misheard"  # the voice took other words, or the television, for a call
    TEST = "test"
    OTHER_FALSE = "other_false"

    @property
    def is_false_alarm(self) -> bool:
        """Whether nobody needed help; False for an outcome that only a newer program knows."""
        return self.is_known and self not in _REAL

    @property
    def needs_note(self) -> bool:
        """Whether the name alone says too little, so that closing asks for a note."""
        return self in {Outcome.OTHER_NEED, Outcome.OTHER_FALSE}


_REAL = frozenset({
    Outcome.EMERGENCY_119, Outcome.RESPONDER_SENT, Outcome.HELP_GIVEN, Outcome.FAMILY_HELPED,
    Outcome.REASSURED, Outcome.OTHER_NEED, Outcome.MADE_SAFE,
})  # fmt: skip


class Deed(Open):
    """What a line of the audit tells: a hub's evidence, people, the clock; last, of no incident."""

    RAISED = "raised"
    REPEATED = "repeated"
    CANCELLED = "cancelled"
    CANCEL_ASKED = "cancel_asked"
    ON_SITE = "on_site"  # the green button was held at the home
    UNREAD = "unread"  # an event could not be read whole; `text` names what is missing
    CLEARED = "cleared"  # the resident shows life: the reason of an automatic alarm is gone
    ALL_CLEAR = "all_clear"  # a detector finds its smoke, gas or water no longer
    TAKEN = "taken"
    TAKEN_OVER = "taken_over"  # `text` names who had it before
    RENEWED = "renewed"
    PRESENT = "present"
    CLOSED = "closed"
    REOPENED = "reopened"  # `by` is empty where a press after closing did it
    NOTED = "noted"
    EXPIRED = "expired"  # `text` names who had taken it and forgot it
    SENT = "sent"  # somebody is on the way; only from now on the green button means "on site"
    HELD = "held"  # the green button was held at the home, but nobody had been sent
    ANSWERED = "answered"  # its holder has heard that it came in again
    UNANSWERED = "unanswered"  # its holder (`text`) has not, and everybody is called
    RETURNED = "returned"  # it came in again, and its holder (`text`) had done nothing for long
    PRESENT_EXPIRED = "present_expired"  # nobody has said for hours that somebody is there
    TEST_PRESSED = "test_pressed"  # `by` had told of it beforehand, and has it now
    TEST_UNANSWERED = "test_unanswered"  # nobody has said that it was `text`'s test: it is a call
    TEST_IN_EARNEST = "test_in_earnest"  # it came again, or its test mode ended: it is a call
    CAUGHT_UP = "caught_up"  # the hub knew a higher version: this store is an older copy

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_FAILED = "sign_in_failed"
    USER_ADDED = "user_added"
    TOKEN_ADDED = "token_added"  # noqa: S105 - a deed, not a token

    RECORD_SEEN = "record_seen"
    RECORD_CHANGED = "record_changed"  # `text` names the fields, never what they hold
    SHEET_SEEN = "sheet_seen"
    SHEET_SEEN_IN_EMERGENCY = "sheet_seen_in_emergency"  # without consent to share it with 119
    SHEET_PRINTED = "sheet_printed"
    CALLED = "called"  # `text` says why and with what result, as `kind result`
    ANNOUNCED = "announced"  # `text` is its id and how many homes; what it says is kept apart
    WITHDRAWN = "withdrawn"  # an announcement; `text` as above
    HUB_REMOVED = "hub_removed"  # by a person: it is not listed any more, its history stays
    HUB_BACK = "hub_back"  # a hub that was removed speaks again
    RECORD_REMOVED = "record_removed"
    USER_REMOVED = "user_removed"
    TOKEN_REMOVED = "token_removed"  # noqa: S105 - a deed, not a token
    PAIRING_OPENED = "pairing_opened"  # Bluetooth devices may be paired; `text`: the command
    PAIRING_ANSWERED = "pairing_answered"  # `text`: the command, and yes, no or key
    TEST_MODE_BEGUN = "test_mode_begun"  # `text`: the command, for how many minutes
    INSTALLATION_BEGUN = "installation_begun"
    INSTALLATION_TOLD = "installation_told"  # the resident's word; `text`: step, item, answer
    INSTALLATION_AGAIN = "installation_again"  # an item has to be shown anew; `text`: step, item
    INSTALLATION_FINISHED = "installation_finished"  # its report is stored
    TEST_MODE_ENDED = "test_mode_ended"  # before its time; `by` is empty: the hub ended it
    LIMITS_CHANGED = "limits_changed"  # of the readings of the body; `text` says which, to what
    VITALS_SHARED = "vitals_shared"  # with the medical partner `by`; `text`: how many, from when
    PARTNER_ADDED = "partner_added"
    PARTNER_REMOVED = "partner_removed"
    HUB_CLAIMED = "hub_claimed"  # an installer's digits; `text`: the key's begin, the network
    HUB_REPLACED = "hub_replaced"  # the same, in a home that had one
    CLAIM_REFUSED = "claim_refused"  # `text`: why, as `domain.enrolment.NotClaimed`
    CERTIFICATE_ISSUED = "certificate_issued"  # `text`: its serial number
    CERTIFICATE_RENEWED = "certificate_renewed"
    CERTIFICATES_REVOKED = "certificates_revoked"  # all of a hub; `text`: why, how many
    ENROLMENT_REFUSED = "enrolment_refused"  # a stranger, or a hub; `text`: why, the network, times
    HUB_STRUCK_OFF = "hub_struck_off"  # it may say and hear nothing any more; `text`: why
    BACKUP_READ = "backup_read"  # a replacement got what the hub before it had learned


class Entry(Struct, frozen=True):
    """A line of the timeline. `by` is a person, or empty for the hub and the clock."""

    utc: float  # the centre's clock, when stored
    deed: Deed
    version: int  # the incident's, after this
    by: str = ""
    event: str = ""  # the hub's event id
    happened_utc: float | None = None  # the hub's clock
    synced: bool = True  # whether the hub's clock could be trusted
    device: str = ""
    place: str = ""
    outcome: Outcome | None = None
    text: str = ""
    hub: str = ""  # of a line about a home; an incident knows its own


class Incident(Struct, frozen=True):
    """One alarm as the centre holds it; every time is UTC seconds since 1970.

    `stage` is only ever received, accepted, present or closed. `version` counts every change,
    `staged` is the version at which the stage or its owner last changed.
    """

    id: str
    hub: str
    alarm: str  # the hub's own id of it; equals `id` unless that was unfit or not free
    kind: Kind
    device: str
    place: str
    stage: Stage
    version: int
    staged: int
    raised_utc: float  # the hub's clock; trust it only if `synced`
    synced: bool
    received_utc: float  # when the centre first stored it
    waiting_utc: float  # since when a person is waited for: received, or reopened
    last_utc: float  # `last_*`: the newest change, for who comes too late
    last_deed: Deed
    last_by: str = ""
    who: str = ""
    presses: int = 0
    accepted_utc: float | None = None
    expires_utc: float | None = None  # when a take is forgotten, unless its owner acts
    present_utc: float | None = None
    closed_utc: float | None = None
    cancelled_utc: float | None = None
    cancel_asked_utc: float | None = None
    reopened_utc: float | None = None
    outcome: Outcome | None = None
    cleared_utc: float | None = None  # since when the resident shows life, or nothing is detected
    evidence: Evidence | None = None  # why an automatic alarm was raised, by its newest word
    about: str = ""  # what a call was about (`AlarmData.about`), by its newest word that said so
    acted_utc: float | None = None  # when its holder last did anything
    again_utc: float | None = None  # since when a call that came again waits for its holder
    sent_utc: float | None = None  # when the centre said that somebody is on the way
    surplus: int = 0  # so many alarms share it: more than are shown one by one (`service.surplus`)
    vital: VitalEvidence | None = None  # the reading for which it was raised
    unread: str = ""  # places of its events that could not be read, with blanks between; `*`: all
    test_utc: float | None = None  # until then it waits as a test (`domain.lease`)

    @property
    def is_test(self) -> bool:
        """Whether it waits for somebody to say that it was a test, and rings nobody till then."""
        return self.test_utc is not None and self.stage in HELD

    @property
    def is_shared(self) -> bool:
        """Whether several alarms of a home are in it: a surplus, or calls that name no alarm."""
        return self.surplus > 0 or self.alarm.startswith(UNREAD)

    @property
    def is_automatic(self) -> bool:
        """Whether the hub judged it by itself: nobody called, and no detector went off."""
        if self.kind in CALLED or self.is_detected:
            return False
        grounds = self.evidence is not None or self.vital is not None
        return self.kind.is_known or grounds

    @property
    def is_detected(self) -> bool:
        """Whether a detector found smoke, gas or water: its end says nothing of the resident."""
        return self.kind in DETECTED

    @property
    def is_hazard(self) -> bool:
        """Whether it is a case for 119: smoke, gas, carbon monoxide."""
        return self.kind in HAZARDS

    @property
    def is_pressed(self) -> bool:
        """Whether somebody pressed or pulled something."""
        return self.kind in CALLED and not self.is_spoken

    @property
    def is_spoken(self) -> bool:
        """Whether the voice heard a call; it may mishear."""
        return self.kind is Kind.SPOKEN

    @property
    def is_quiet(self) -> bool:
        """Whether it was raised because nothing moves."""
        return self.kind in STILL

    @property
    def is_open(self) -> bool:
        """Whether a person has yet to close it."""
        return self.stage is not Stage.CLOSED

    @property
    def needs_person(self) -> bool:
        """Whether nobody at the centre owns it, even if someone is on site."""
        return self.is_open and not self.who


class Change(Struct, frozen=True):
    """The incident after a change, and the new lines of its timeline."""

    incident: Incident
    entries: tuple[Entry, ...]


class Patience(Struct, frozen=True):
    """How long the holder of an incident counts as looking after it without an act, in seconds."""

    take_expires_s: float = 600.0  # a phone call fits in; five in a row stay below a long lie (1 h)
    present_expires_s: float = 4 * 3600.0  # a visit, or waiting with 119; then somebody looks again
    answer_s: float = 60.0  # TSA: 97.5 % of calls are answered in 60 s; so is one that came again
    fresh_act_s: float = 180.0  # TSA: 99 % in 180 s; a holder who did nothing for longer is away

    def lasts_s(self, stage: Stage) -> float:
        """Return for how many seconds a held stage lasts without an act."""
        return self.present_expires_s if stage is Stage.PRESENT else self.take_expires_s


class Urgency(StrEnum):
    """How long an incident waits for a person, against the 60 s and 180 s of TSA."""

    FRESH = "fresh"
    LATE = "late"
    OVERDUE = "overdue"


def urgency(waited_s: float) -> Urgency:
    """Return the urgency of a waiting time in seconds."""
    if waited_s >= OVERDUE_S:
        return Urgency.OVERDUE
    return Urgency.LATE if waited_s >= LATE_S else Urgency.FRESH


def waited_s(incident: Incident, now_utc: float) -> float:
    """Return for how many seconds the incident waits, or waited, to be taken by a person; >= 0.

    A present or closed incident that nobody took stopped waiting at that moment.
    """
    if incident.needs_person:
        until = now_utc
    else:
        until = incident.accepted_utc or incident.closed_utc or now_utc
    return max(0.0, until - incident.waiting_utc)


def advance(before: Incident, after: Incident, *entries: Entry) -> Change:
    """Return the change, with the next version in the incident and in all entries."""
    version = before.version + 1
    moved = (before.stage, before.who, before.is_test) != (after.stage, after.who, after.is_test)
    last = entries[-1]
    changed = replace(
        after,
        version=version,
        staged=version if moved else before.staged,
        expires_utc=after.expires_utc if after.stage in HELD else None,
        again_utc=after.again_utc if after.stage in HELD else None,
        test_utc=after.test_utc if after.stage in HELD else None,
        last_utc=last.utc,
        last_deed=last.deed,
        last_by=last.by,
    )
    return Change(changed, tuple(replace(entry, version=version) for entry in entries))


def given_back(incident: Incident) -> Incident:
    """Return the incident as held by nobody, waiting for anybody. Nobody is on site any more.

    Somebody who was sent and is still on the way stays sent.
    """
    was_there = incident.stage is Stage.PRESENT
    return replace(
        incident,
        stage=Stage.RECEIVED,
        who="",
        accepted_utc=None,
        present_utc=None,
        acted_utc=None,
        again_utc=None,
        sent_utc=None if was_there else incident.sent_utc,
    )


def reopened(incident: Incident, utc: float) -> Incident:
    """Return the incident as if it had just come; `advance` gives it its version."""
    return replace(
        given_back(incident),
        waiting_utc=utc,
        reopened_utc=utc,
        sent_utc=None,
        closed_utc=None,
        outcome=None,
    )
