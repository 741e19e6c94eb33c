"""The numbers that decide, and where each comes from. A home's config may change them."""

from enum import StrEnum

from msgspec import Struct, field


class Role(StrEnum):
    """What a contact is for."""

    HELP_BUTTON = "help_button"
    PULL_CORD = "pull_cord"
    CANCEL_BUTTON = "cancel_button"


class Button(Struct, frozen=True):
    """A contact's role, and the room it is in."""

    role: Role
    place: str = ""


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds in the unit of their suffix."""

    hub: str = ""
    software: str = ""
    buttons: dict[str, Button] = field(default_factory=dict)
    press_settle_s: float = 0.020  # product's promise: a level held 20 ms is a press
    release_settle_s: float = 0.035  # shorter gaps are bounce; gaps of 50 ms part two presses
    hold_s: float = 3.0  # the green button held on site: the responder is present
    stuck_s: float = 60.0  # a cord caught in a door, a button jammed
    chatter_edges: int = 200  # edges in `chatter_window_s` that no finger makes
    chatter_window_s: float = 10.0
    cancel_window_s: float = 10.0  # Chiptech SEVEN, Climax: 10 s for a press
    undelivered_s: float = 10.0  # EN 50136 D4 asks <= 10 s mean to transmit
    quick_resend_s: float = 5.0  # a withheld `received` is made good within 6 s
    quick_resends: int = 24
    resend_s: float = 30.0  # Chiptech SEVEN: 16 x 30 s, then every 10 min, without end
    resends: int = 16
    slow_resend_s: float = 600.0
    repeat_undelivered_s: float = 30.0
    repeat_received_s: float = 60.0  # TSA: 97.5 % are answered in 60 s
    farewell_s: float = 5.0  # how long closed and cancelled stay on the lamp
    offline_s: float = 20.0  # the lamp says offline only when a reconnect has had its chance
    state_interval_s: float = 30.0  # loss is to be reported in <= 90 s: three missed are lost
    alarm_state_interval_s: float = 10.0  # how soon a lamp that missed an ack is put right
    command_age_s: float = 300.0  # a command that is older than this was held back by someone
