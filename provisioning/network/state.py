"""What the hub's network does next: pure, without clock, bus or network.

              no cable, nothing saved, 20 s          the form asks        3 s, page is out
    Waiting ----------------------------> Open ------------------> Leaving ------> Joining
       ^    the button (for its time)     ^ |  ^                                      |
       |                                  | |  '--- the way failed: result shown -----'
       |  cable, time is up, "keep it"    | |                                  joined |
       |<---------------------------------|-'   result shown, the Wi-Fi is saved      v
       '----------------------------------'<----------------------------------- Checking
                     the centre answers

There is one radio: the hotspot closes while another Wi-Fi is tried, and the phone is cut off. A
Wi-Fi is saved once it was joined, never before: a power cut in between leaves what was saved.
The hotspot opens by itself only where nothing was ever saved, and there it does not end with the
button's time: it is the only way in.
"""

from enum import StrEnum
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from hub.contract.provision import NetworkTrouble, Way

SETTLE_S = 20.0  # NetworkManager joins a saved Wi-Fi within seconds of its start; DHCP included
LEAVE_S = 3.0  # for the page to reach the phone, before the hotspot closes
RESULT_S = 600.0  # a result is shown so long, then the saved Wi-Fi is used as it is
OFFLINE_S = 60.0  # without a way for so long is a trouble; a router restarts in about that
RETRY_S = 30.0  # before a hotspot that failed is tried again
CHECK_BAD_S, CHECK_GOOD_S = 30.0, 600.0  # between two looks for the centre


class Cable(StrEnum):
    """What NetworkManager says of Ethernet."""

    NONE = "none"
    TRYING = "trying"
    UP = "up"
    NO_ADDRESS = "no_address"


class Radio(StrEnum):
    """What NetworkManager says of the Wi-Fi adapter."""

    NONE = "none"
    OFF = "off"
    IDLE = "idle"
    JOINING = "joining"
    UP = "up"
    HOTSPOT = "hotspot"


class Seen(Struct, frozen=True):
    """One look at NetworkManager. `name`: of the Wi-Fi that is joined. `saved`: any Wi-Fi is."""

    cable: Cable = Cable.NONE
    radio: Radio = Radio.NONE
    name: str = ""
    signal_dbm: int | None = None
    saved: bool = False


class Security(StrEnum):
    """How a Wi-Fi is entered."""

    OPEN = "open"
    PASSWORD = "password"  # noqa: S105 - WPA2, or WPA2 and WPA3
    SAE = "sae"  # WPA3 only
    ENTERPRISE = "enterprise"  # 802.1X: an account for each user
    WEP = "wep"


class Credentials(Struct, frozen=True):
    """What somebody typed. `ssid`: the bytes on the air, whatever their encoding is."""

    ssid: bytes
    password: str = ""
    hidden: bool = False
    security: Security = Security.PASSWORD

    @property
    def name(self) -> str:
        """The name as people read it."""
        return readable(self.ssid)


class Result(Struct, frozen=True):
    """How the last try ended. `saved`: the Wi-Fi itself works and is kept."""

    name: str
    trouble: NetworkTrouble | None
    saved: bool = False


class Waiting(Struct, frozen=True):
    """The network is left to NetworkManager. `since`: when there was a way last, or the start."""

    since: float


class Open(Struct, frozen=True):
    """The hotspot is open until then; None: until there is another way, or a Wi-Fi is saved.

    `opening`: it was ordered, and is neither open nor failed yet. What stood before it ends then,
    which is no loss.
    """

    until: float | None
    retry: float | None = None  # when the hotspot, which failed or is gone, is tried again
    opening: bool = True


class Leaving(Struct, frozen=True):
    """The page says what will happen; at `at` the hotspot closes."""

    wanted: Credentials
    at: float
    back: float | None


class Joining(Struct, frozen=True):
    """NetworkManager tries a Wi-Fi."""

    wanted: Credentials
    back: float | None


class Checking(Struct, frozen=True):
    """It is joined and saved; is the centre there?"""

    wanted: Credentials
    back: float | None


Mode = Waiting | Open | Leaving | Joining | Checking


class State(Struct, frozen=True):
    """All that is known. `dismissed`: a call has shut the hotspot; it stays so until asked for."""

    mode: Mode
    seen: Seen = Seen()
    result: Result | None = None
    way_trouble: NetworkTrouble | None = None  # of the last check of the way to the centre
    check_at: float | None = None  # when the way is checked next; None: now
    checking: bool = False
    dismissed: bool = False
    hotspot_trouble: bool = False
    manager: bool = True


class Looked(Struct, frozen=True):
    """NetworkManager was asked; None: it does not answer."""

    seen: Seen | None


class Asked(Struct, frozen=True):
    """The form was sent."""

    wanted: Credentials


class Kept(Struct, frozen=True):
    """Somebody at the form wants the saved Wi-Fi as it is."""


class Ordered(Struct, frozen=True):
    """The hub wants the hotspot for `s` seconds; 0: it wants the saved Wi-Fi back."""

    s: float


class Joined(Struct, frozen=True):
    """The try has ended; None: the Wi-Fi is joined, and saved."""

    trouble: NetworkTrouble | None


class Checked(Struct, frozen=True):
    """The way to the centre was checked; None: the centre answers.

    `clock_off`: the clock of either is wrong, which somebody at the hub may be waiting for.
    """

    trouble: NetworkTrouble | None
    clock_off: bool = False


class Opened(Struct, frozen=True):
    """The hotspot is open, or could not be opened."""

    well: bool


class Ticked(Struct, frozen=True):
    """Time has passed."""


Event = Looked | Asked | Kept | Ordered | Joined | Checked | Opened | Ticked


class Action(StrEnum):
    """What the edge has to do. `JOIN` is for the credentials of the mode."""

    OPEN = "open"
    CLOSE = "close"
    JOIN = "join"
    CHECK = "check"
    PRUNE = "prune"  # remove other networks that the form saved: the newest one is proven


def begin(at: float) -> State:
    """Return the state at the start of the process."""
    return State(Waiting(at))


def decide(state: State, event: Event, at: float) -> tuple[State, tuple[Action, ...]]:
    """Return the next state, and what to do. `at`: monotonic seconds."""
    actions: tuple[Action, ...] = ()
    match event:
        case Looked(None):
            state = _unmanaged(state, at)
        case Looked(seen):
            state, actions = _looked(state, seen or Seen(), at)
        case Asked(wanted) if isinstance(state.mode, Open):
            leaving = Leaving(wanted, at + LEAVE_S, state.mode.until)
            state = replace(state, mode=leaving, result=None)
        case Kept() if isinstance(state.mode, Open) and _is_saved(state):
            state, actions = _close(state, at)
        case Ordered(s):
            state, actions = _ordered(state, s, at)
        case Joined(trouble) if isinstance(state.mode, Joining):
            state, actions = _joined(state, state.mode, trouble, at)
        case Checked() as found:
            state, actions = _checked(state, found, at)
        case Opened(well) if isinstance(state.mode, Open):
            retry = None if well else at + RETRY_S
            mode = replace(state.mode, retry=retry, opening=False)
            state = replace(state, mode=mode, hotspot_trouble=not well)
        case _:
            pass
    return _timed(state, actions, at)


def way(state: State) -> Way:
    """Return how the network is reached."""
    if state.seen.cable is Cable.UP:
        return Way.ETHERNET
    if state.seen.radio is Radio.HOTSPOT:
        return Way.HOTSPOT
    return Way.WIFI if state.seen.radio is Radio.UP else Way.NONE


def trouble(state: State, at: float) -> NetworkTrouble | None:
    """Return why there is no way to the centre, or None: there is one, or it is being looked for.

    An open hotspot waits for a person, which is no trouble of its own; the result of the last try
    is told as long as it is shown.
    """
    if not state.manager:
        return NetworkTrouble.NO_MANAGER
    if way(state) in {Way.ETHERNET, Way.WIFI}:
        return state.way_trouble
    if state.hotspot_trouble:
        return _blocked(state) or NetworkTrouble.HOTSPOT_FAILED
    match state.mode:
        case Open() if state.result:
            return state.result.trouble
        case Waiting(since) if at >= since + OFFLINE_S:
            return _blocked(state) or NetworkTrouble.NOT_JOINED
        case _:
            return None


def fault(state: State, at: float) -> NetworkTrouble | None:
    """Return the trouble that somebody has to mend, or None.

    Somebody is at the form while it is open; and where the centre answers without NetworkManager,
    another program looks after the network.
    """
    if not state.manager:
        return trouble(state, at) if state.way_trouble else None
    return trouble(state, at) if isinstance(state.mode, Waiting) else None


def readable(ssid: bytes) -> str:
    """Return a Wi-Fi's name as text: UTF-8, CP949 of older Korean routers, or bytes in hex."""
    for encoding in ("utf-8", "cp949"):
        try:
            return ssid.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ssid.hex()


def _blocked(state: State) -> NetworkTrouble | None:
    if state.seen.cable is Cable.NO_ADDRESS:
        return NetworkTrouble.NO_DHCP
    if state.seen.radio is Radio.OFF:
        return NetworkTrouble.RADIO_OFF
    return NetworkTrouble.NO_WAY if state.seen.radio is Radio.NONE else None


def _unmanaged(state: State, at: float) -> State:
    """Look for the centre all the same: another program may look after the network.

    The hotspot ends with our connection to the bus: open it again later.
    """
    if state.manager:
        seen = Seen(saved=state.seen.saved)  # a call may want it back
        state = _unchecked(replace(state, manager=False, seen=seen))
    if isinstance(state.mode, Open) and state.mode.retry is None:
        return replace(state, mode=replace(state.mode, retry=at + RETRY_S, opening=False))
    return state


def _looked(state: State, seen: Seen, at: float) -> tuple[State, tuple[Action, ...]]:
    before, returned = way(state), not state.manager
    state = replace(state, seen=seen, manager=True)
    now = way(state)
    if now is not before:
        state = _unchecked(state)
    match state.mode:
        case Waiting() if returned:  # NetworkManager has only begun
            return replace(state, mode=Waiting(at)), ()
        case Waiting() if now in {Way.ETHERNET, Way.WIFI}:
            return replace(state, mode=Waiting(at)), ()
        case Open(None) if now in {Way.ETHERNET, Way.WIFI} or seen.saved:  # by others
            return _close(state, at)
        case Open(opening=False):
            return replace(state, mode=_watched(state, state.mode, at)), ()
        case _:
            return state, ()


def _unchecked(state: State) -> State:
    """Forget what was found, or is being looked for, by another way: it says nothing of this one.

    Only the check of a Wi-Fi that was just joined goes on: it began before the first look at it.
    """
    goes_on = isinstance(state.mode, Checking)
    return replace(state, way_trouble=None, check_at=None, checking=state.checking and goes_on)


def _watched(state: State, mode: Open, at: float) -> Open:
    """Have a hotspot that is gone opened again, as after somebody's try at a terminal.

    Not at once: a look may be from before it stood, and the next one knows better. One that stands
    without its form (`hotspot_trouble`) is of no use.
    """
    radio = state.seen.radio
    if radio is Radio.HOTSPOT and not state.hotspot_trouble:
        return replace(mode, retry=None)
    if mode.retry is None and radio not in {Radio.HOTSPOT, Radio.JOINING}:
        return replace(mode, retry=at + RETRY_S)
    return mode


def _ordered(state: State, s: float, at: float) -> tuple[State, tuple[Action, ...]]:
    if s == 0:
        return _given_up(state, at)
    match state.mode:
        case Open():
            return replace(state, mode=replace(state.mode, until=at + s)), ()
        case Waiting():
            return _open(state, at + s, at)
        case Leaving() | Joining() | Checking():  # the try goes on
            return replace(state, mode=replace(state.mode, back=at + s), dismissed=False), ()
        case _:
            assert_never(state.mode)


def _given_up(state: State, at: float) -> tuple[State, tuple[Action, ...]]:
    """Give the radio back to the saved Wi-Fi. Where there is none, nothing would be gained."""
    if not _is_saved(state):
        return state, ()
    match state.mode:
        case Open() | Leaving():
            return replace(_close(state, at)[0], dismissed=True), (Action.CLOSE,)
        case Joining() | Checking():  # a try ends in a Wi-Fi: the new one, or else the saved one
            return replace(state, mode=replace(state.mode, back=at), dismissed=True), ()
        case Waiting():
            return replace(state, dismissed=True), ()
        case _:
            assert_never(state.mode)


def _open(state: State, until: float | None, at: float) -> tuple[State, tuple[Action, ...]]:
    if not state.manager:  # at its return
        return replace(state, mode=Open(until, retry=at, opening=False), dismissed=False), ()
    return replace(state, mode=Open(until), dismissed=False), (Action.OPEN,)


def _close(state: State, at: float) -> tuple[State, tuple[Action, ...]]:
    state = replace(state, mode=Waiting(at), result=None, hotspot_trouble=False, check_at=None)
    return state, (Action.CLOSE,)


def _joined(
    state: State, mode: Joining, trouble: NetworkTrouble | None, at: float
) -> tuple[State, tuple[Action, ...]]:
    if trouble is None:
        checking = Checking(mode.wanted, mode.back)
        return replace(state, mode=checking, checking=True), (Action.CHECK,)
    state = replace(state, result=Result(mode.wanted.name, trouble))
    return _back(state, mode.back, at)


def _back(state: State, back: float | None, at: float) -> tuple[State, tuple[Action, ...]]:
    """Open the hotspot again, with the result on its page."""
    saved = state.result is not None and state.result.saved
    if back is None and not saved:
        return _open(state, None, at)
    if state.dismissed:
        return _close(state, at)
    return _open(state, max(back or at, at + RESULT_S), at)


def _checked(state: State, found: Checked, at: float) -> tuple[State, tuple[Action, ...]]:
    trouble = found.trouble
    again_s = CHECK_BAD_S if trouble or found.clock_off else CHECK_GOOD_S
    state = replace(state, way_trouble=trouble, checking=False, check_at=at + again_s)
    match state.mode:
        case Checking() if trouble is None:
            proven = way(state) is not Way.ETHERNET  # it may have been found by that
            state = replace(state, mode=Waiting(at), result=None)
            return state, ((Action.PRUNE,) if proven else ())
        case Checking(wanted, back):
            state = replace(state, result=Result(wanted.name, trouble, saved=True))
            return _back(state, back, at)
        case _:
            return state, ()


def _timed(
    state: State, actions: tuple[Action, ...], at: float
) -> tuple[State, tuple[Action, ...]]:
    """Do what is due at `at`."""
    match state.mode:
        case Waiting(since) if _wants_hotspot(state) and at >= since + SETTLE_S:
            state, more = _open(state, None, at)
        case Open(until) if until is not None and at >= until and _is_only_way_in(state):
            state, more = replace(state, mode=replace(state.mode, until=None)), ()
        case Open(until) if until is not None and at >= until:
            state, more = _close(state, at)
        case Open(retry=retry) if retry is not None and at >= retry and state.manager:
            state = replace(state, mode=replace(state.mode, retry=None, opening=True))
            more = (Action.OPEN,)
        case Leaving(wanted, due, back) if at >= due:
            state, more = replace(state, mode=Joining(wanted, back)), (Action.JOIN,)
        case Waiting() if _wants_check(state, at):
            state, more = replace(state, checking=True), (Action.CHECK,)
        case _:
            more = ()
    return state, actions + more


def _is_saved(state: State) -> bool:
    """Whether there is a Wi-Fi to go back to: the last look may be older than the last try."""
    just_now = isinstance(state.mode, Checking) or (state.result and state.result.saved)
    return state.seen.saved or bool(just_now)


def _is_only_way_in(state: State) -> bool:
    """Whether the hotspot would be opened again, as soon as it is closed."""
    possible = state.seen.radio not in {Radio.NONE, Radio.OFF} or not state.manager
    return possible and not _is_saved(state) and state.seen.cable is not Cable.UP


def _wants_hotspot(state: State) -> bool:
    free = state.seen.radio in {Radio.IDLE, Radio.JOINING}
    unset = not state.seen.saved and state.manager
    return free and unset and state.seen.cable is not Cable.UP


def _wants_check(state: State, at: float) -> bool:
    due = state.check_at is None or at >= state.check_at
    online = way(state) in {Way.ETHERNET, Way.WIFI} or not state.manager
    return due and not state.checking and online
