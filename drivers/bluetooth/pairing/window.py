"""The window in which devices are paired; outside of it nothing can be.

    shut --wish--> opening --agent registered--> open --a device asks--> a person is wanted
     ^                |                           |  ^--no, wrong, gone: time is left--'
     '--BlueZ refuses-'----its time, its order, a success, BlueZ is gone-----'

Three kinds of device are paired in it: those of the list whose bond is stale or missing (a button's
window), one that an installer has picked by its address, and a phone, which finds the hub and asks
by itself. A name proves nothing: a device is known by its address, a phone by digits that a person
compares. What is paired is written into the list. It is long for each step of a pairing may end the
window: its ends are read best beside its steps.
"""

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from itertools import count
from pathlib import Path
from time import monotonic

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from msgspec import Struct

from drivers.bluetooth.bluez.bus import (
    BLUEZ,
    BROKEN,
    DBUS,
    DBUS_PATH,
    PROPERTIES,
    RefusedError,
    call,
    connect,
    match,
)
from drivers.bluetooth.devices import in_effect
from drivers.bluetooth.pairing import agent, bonds, roster
from drivers.bluetooth.pairing.agent import Agent, Said
from drivers.bluetooth.pairing.phone import Showing
from drivers.bluetooth.pairing.roster import NotListedError
from hub.contract.radio import (
    Fact,
    OpenPairing,
    Order,
    PairingAnswer,
    PairingAsked,
    PairingEnd,
    PairingEnded,
    PairingOpened,
    Part,
    Trouble,
    Wanted,
)
from hub.core.model.wireless import Phone, Wearable, Wireless
from hub.shared.settings import SettingsError

log = logging.getLogger(__name__)
WINDOW_S = 120.0
MOST_S = 600.0
ANSWER_S = 55.0  # BlueZ itself gives up after 60 s, and says so to nobody
FINISH_S = 30.0  # from a person's yes to the bond: the radios need a second or two
TRIES = 3  # of one device in one window
PAUSE_S = 2.0  # between two tries; the device shows another key
OUTSIDE = "pairing_outside"  # the reason of a request for which no window was open
JUST_WORKS = {"band", "chest_strap", "oximeter", "thermometer", "cuff"}  # never a phone
RULES = (
    f"sender='{BLUEZ}',interface='{PROPERTIES}',member='PropertiesChanged',arg0='{bonds.DEVICE}'",
    f"sender='{DBUS}',member='NameOwnerChanged',arg0='{BLUEZ}'",
)
LOST = (RefusedError, bonds.NoAdapterError, *BROKEN)
OUR_NAME = "Anbu Hub"  # what a phone lists
YES, NO = Variant("b", True), Variant("b", False)  # noqa: FBT003 - values of D-Bus


class Wish(Struct, frozen=True):
    """What a window is for: a phone, `new` (of an address that was picked), or listed `names`.

    A device that is bonded already is forgotten first, and paired anew.
    """

    s: float = WINDOW_S
    phone: bool = False
    new: Wearable | None = None
    names: tuple[str, ...] = ()


class _Target(Struct, frozen=True):
    """A device that we pair with, rather than it with us."""

    device: Wireless
    new: bool


class Pairing:
    """Opens the window and leads what happens in it; no call of it blocks.

    `tell` hands a fact to the hub, `paired` is called with the address of a device that was paired.
    Within `apart` nobody else connects to a device: that would break into its pairing.
    """

    def __init__(  # noqa: PLR0913 - its ends, one by one
        self,
        tell: Callable[[Fact], None],
        listed: Path,
        refused: Counter[str],
        *,
        adapter: str = "",
        paired: Callable[[str], None] = lambda _: None,
        apart: Callable[[str], AbstractAsyncContextManager[None]] = lambda _: nullcontext(),
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.followers: set[Callable[[Fact], None]] = set()
        # a number of an earlier process must not be given again: its answer may still come
        self.asks = count(1 + secrets.randbelow(2**31))
        self._tell_hub, self._listed, self._refused = tell, listed, refused
        self._adapter_wanted, self._paired, self._now = adapter, paired, now
        self.apart = apart
        self._wishes: asyncio.Queue[Wish] = asyncio.Queue(1)
        self._stale: set[str] = set()
        self._bus: MessageBus | None = None
        self._window: _Window | None = None
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def is_open(self) -> bool:
        """Whether a window is open, or about to be; the next may wait while one is being shut."""
        lasting = self._window is not None and not self._window.is_over
        return lasting or not self._wishes.empty()

    def open(self, wish: Wish) -> bool:
        """Open a window; False where one is open already."""
        if self.is_open:
            return False
        self._wishes.put_nowait(wish)
        self._settled.clear()
        return True

    async def settled(self) -> None:
        """Wait until no window is open, and nothing of one is left."""
        await self._settled.wait()

    def shut(self, reason: PairingEnd = PairingEnd.SHUT) -> None:
        """Shut the window, if there is one."""
        if not self._wishes.empty():
            self._wishes.get_nowait()
            self._settled.set()
            self.tell(PairingEnded(reason=reason))
        if self._window is not None:
            self._window.end(reason)

    def answer(self, said: Said) -> bool:
        """Take a person's answer; False where nobody waits for one."""
        return self._window is not None and self._window.answer(said)

    def take_order(self, order: Order) -> None:
        """Follow an order of the hub: its window is for phones, and for whose bond is stale."""
        match order:
            case OpenPairing(s=0.0):
                self.shut()
            case OpenPairing(s=s):
                wish = Wish(s, phone=True, names=tuple(sorted(self._stale)))
                if not self.open(wish) and self._window is not None:
                    self._window.tell_again()
            case PairingAnswer(yes=yes, key=key, ask=ask):
                self.answer(Said(yes, key, ask))
            case _:
                pass

    def noted(self, fact: Fact) -> None:
        """Note whose bond is stale or missing: a window that the button opens is for them."""
        if isinstance(fact, Trouble) and fact.part is Part.BOND and fact.device:
            (self._stale.add if fact.present else self._stale.discard)(fact.device)

    async def run(self) -> None:
        """Serve one window after the other, for ever."""
        try:
            with suppress(*LOST):
                await self._close_adapter()
            while True:
                await self._serve(await self._wishes.get())
                if self._wishes.empty():
                    self._settled.set()
        finally:
            if self._bus is not None:
                self._bus.disconnect()

    def tell(self, fact: Fact) -> None:
        """Tell the hub, and the programs that follow."""
        self._tell_hub(fact)
        for follower in tuple(self.followers):
            follower(fact)

    def refuse(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused[reason] += 1

    def done(self, device: Wireless) -> None:
        """Note that a device of the list is bonded."""
        self._stale.discard(device.name)
        self._paired(device.address)

    async def _serve(self, wish: Wish) -> None:
        reason = PairingEnd.FAILED
        try:
            bus = await self._connected()
            found = await bonds.objects(bus)
            at = bonds.adapter(found, self._adapter_wanted)
            self._window = _Window(self, bus, at, self._listed, self._now)
            reason = await self._window.hold(wish, self._targets(wish))
        except LOST as error:
            log.warning("pairing: %s", error)
        except (SettingsError, OSError) as error:
            log.warning("pairing: the list of devices: %s", error)
        finally:
            self._window = None
        if reason is not PairingEnd.PAIRED:  # that was told with the device's name
            self.tell(PairingEnded(reason=reason))

    def _targets(self, wish: Wish) -> list[_Target]:
        """Return with whom we pair. Raises SettingsError or OSError."""
        listed = [
            _Target(one, new=False) for one in in_effect(self._listed) if one.name in wish.names
        ]
        return [*([_Target(wish.new, new=True)] if wish.new else []), *listed]

    async def _connected(self) -> MessageBus:
        """Return the connection to the bus, a new one where the old one has ended."""
        if self._bus is None or not self._bus.connected:
            self._bus = await connect()
            self._bus.add_message_handler(self._stray)
            for rule in RULES:
                await match(self._bus, rule)
        return self._bus

    def _stray(self, message: Message) -> Message | None:
        """Refuse a request that comes when no window is open; it goes first to a window's own."""
        called = message.message_type is MessageType.METHOD_CALL and message.path == agent.PATH
        if not called or self._window is not None:
            return None
        self.refuse(OUTSIDE)
        return Message.new_error(message, agent.REJECTED, "")

    async def _close_adapter(self) -> None:
        """Leave nothing open that a process before us may have opened."""
        bus = await self._connected()
        at = bonds.adapter(await bonds.objects(bus), self._adapter_wanted)
        await bonds.put(bus, at, bonds.ADAPTER, Pairable=NO, Discoverable=NO)


class _Window:
    """One window, from its opening to its end; it is who answers for the agent's persons."""

    def __init__(
        self, pairing: Pairing, bus: MessageBus, at: str, listed: Path, now: Callable[[], float]
    ) -> None:
        self._pairing, self._bus, self._at = pairing, bus, at
        self._listed, self._now = listed, now
        self._agent, self._showing = Agent(bus, self), Showing(bus, OUR_NAME)
        self._ended: asyncio.Future[PairingEnd] = asyncio.get_running_loop().create_future()
        self._tasks: set[asyncio.Task[None]] = set()
        self._wish = Wish()
        self._until, self._opened = 0.0, False
        self._target = ""  # the path of the device that we pair with at the moment
        self._device: Wireless | None = None  # and what the list says of it
        self._asking: tuple[Wanted, asyncio.Future[Said]] | None = None
        self._incoming = ""  # the path of a phone to which a person has said yes
        self._shown = ""
        self._ask = 0  # the number of what a person was last asked
        self._why: PairingEnd | None = None  # why a person's part of the present pairing failed
        self._failure = PairingEnd.FAILED  # the latest
        self._finish: asyncio.TimerHandle | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, though it may not all be taken back yet."""
        return self._ended.done()

    async def hold(self, wish: Wish, targets: Iterable[_Target]) -> PairingEnd:
        """Keep the window open until it ends; return why. Raises `LOST`."""
        self._wish, self._until = wish, self._now() + wish.s
        over = asyncio.get_running_loop().call_later(wish.s, self.end, PairingEnd.OVER)
        self._bus.add_message_handler(self._heard)
        try:
            await self._begin()
            self._opened = True
            self._pairing.tell(PairingOpened(wish.s))
            self._start(self._pair_all(list(targets)))
            return await self._ended
        finally:
            over.cancel()
            if self._finish:
                self._finish.cancel()
            for task in self._tasks:
                task.cancel()
            self._agent.drop()
            await asyncio.shield(asyncio.ensure_future(self._leave()))

    def tell_again(self) -> None:
        """Tell that the window is open already: a hub that has just begun does not know."""
        left_s = self._until - self._now()
        if self._opened and not self.is_over and left_s > 0:
            self._pairing.tell(PairingOpened(left_s))

    def end(self, reason: PairingEnd) -> None:
        """Shut the window."""
        if not self._ended.done():
            self._ended.set_result(reason)

    def answer(self, said: Said) -> bool:
        """Take a person's answer; a yes where a key is wanted is none, nor is one to another."""
        if said.ask not in (0, self._ask):
            return False
        if self._asking is None:
            return bool(self._shown) and not said.yes and self._why is None and self._give_up()
        wanted, future = self._asking
        if future.done() or (wanted is Wanted.TYPE and said.yes and not said.key):
            return False
        future.set_result(said)
        return True

    # what the agent asks (`agent.Persons`)

    async def ask(self, device: str, wanted: Wanted, digits: str) -> Said:
        """Ask a person, if this device may be paired now."""
        ours = device == self._target
        if not ours and (
            self._ended.done() or not self._wish.phone or wanted is not Wanted.COMPARE
        ):
            self.refuse(OUTSIDE if self._ended.done() else "pairing_unasked")
            return Said(yes=False)
        future: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._asking, self._ask = (wanted, future), next(self._pairing.asks)
        said, why = Said(yes=False), PairingEnd.UNANSWERED
        try:
            name = await self._name(device)
            self._pairing.tell(PairingAsked(name, wanted, digits, self._ask))
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_S):
                    said = await future
                    why = PairingEnd.NO
        finally:
            self._asking = None
        if ours:
            self._why = None if said.yes else why
        elif said.yes:
            self._expect(device, name)
        else:
            self._failed(name, why)
        return said

    def show(self, device: str, digits: str) -> bool:
        """Tell the digits that a person types at the device."""
        if device != self._target:
            return False
        if self._shown == device:  # one more letter was typed
            return True
        self._shown, self._ask = device, next(self._pairing.asks)
        self._start(self._tell_shown(device, digits))
        return True

    def just_works(self, device: str) -> bool:
        """Whether it is the device that we pair with, of a kind without keys and screen."""
        paired = self._device
        kind = paired.what if isinstance(paired, Wearable) else ""
        return device == self._target and kind in JUST_WORKS

    def refuse(self, reason: str) -> None:
        """Count a request that was refused."""
        self._pairing.refuse(reason)

    def left(self, device: str) -> None:
        """Note that the device broke it off; of one that we pair with, `Pair` says so itself."""
        if device != self._target:
            self._failed("", PairingEnd.LEFT)

    def released(self) -> None:
        """Shut: BlueZ does not know our agent any more."""
        self.end(PairingEnd.FAILED)

    # opening and shutting

    async def _begin(self) -> None:
        owner = await call(
            self._bus,
            Message(DBUS, DBUS_PATH, DBUS, "GetNameOwner", signature="s", body=[BLUEZ]),
        )
        self._agent.owner = owner[0]
        await self._agents("RegisterAgent", "os", [agent.PATH, agent.CAPABILITY])
        await self._agents("RequestDefaultAgent", "o", [agent.PATH])
        for_s = Variant("u", int(self._wish.s))
        await bonds.put(self._bus, self._at, bonds.ADAPTER, PairableTimeout=for_s, Pairable=YES)
        if self._wish.phone:
            found = {"DiscoverableTimeout": for_s, "Discoverable": YES}
            name = Variant("s", OUR_NAME)
            await bonds.put(self._bus, self._at, bonds.ADAPTER, Alias=name, **found)
            try:
                await self._showing.register(self._at, owner[0])
            except RefusedError as error:  # a phone may still find an adapter that is discoverable
                log.warning("pairing: phones may not find the hub: %s", error)

    async def _leave(self) -> None:
        """Take everything back, each by itself: BlueZ may have forgotten some of it."""
        steps = [
            bonds.put(self._bus, self._at, bonds.ADAPTER, Pairable=NO),
            bonds.put(self._bus, self._at, bonds.ADAPTER, Discoverable=NO),
            self._agents("UnregisterAgent", "o", [agent.PATH]),
        ]
        if self._wish.phone:  # without an alias it has the machine's name again
            unnamed = bonds.put(self._bus, self._at, bonds.ADAPTER, Alias=Variant("s", ""))
            steps = [self._showing.unregister(self._at), unnamed, *steps]
        steps = [bonds.search_no_more(self._bus, self._at), *steps]  # first: it may miss a press
        for step in steps:
            with suppress(*LOST):
                await step
        self._bus.remove_message_handler(self._heard)

    async def _agents(self, member: str, signature: str, body: list[object]) -> None:
        await call(
            self._bus,
            Message(BLUEZ, agent.ROOT, agent.AGENTS, member, signature=signature, body=body),
        )

    # devices that we pair with

    async def _pair_all(self, targets: list[_Target]) -> None:
        for index, target in enumerate(targets):
            more = index + 1 < len(targets)
            try:
                async with self._pairing.apart(target.device.address):
                    paired = await self._pair(target, more=more)
                if paired and not more:
                    self.end(PairingEnd.PAIRED)
            except LOST as error:
                log.warning("pairing %s: %s", target.device.name, error)
                self._failed(target.device.name, PairingEnd.FAILED)
        if targets and not self._wish.phone:
            self.end(self._failure)

    async def _pair(self, target: _Target, *, more: bool) -> bool:
        """Pair with one device, a few times; the window's end ends it. Raises `LOST`."""
        name, renew = target.device.name, True
        for _ in range(TRIES):
            known = await bonds.found(self._bus, self._at, target.device.address)
            if renew and known.paired:  # stale, or wanted anew: see `bonds`
                await bonds.remove(self._bus, self._at, known.path)
                known = await bonds.found(self._bus, self._at, target.device.address)
            renew, self._target, self._why = False, known.path, None
            self._device = target.device
            reason = await bonds.pair(self._bus, known.path)
            self._target, self._shown, self._device = "", "", None
            if reason is PairingEnd.PAIRED:
                return await self._take_in(known.path, target.device, new=target.new, more=more)
            self._failed(name, self._reason(reason))
            await asyncio.sleep(PAUSE_S)
        return False

    async def _take_in(self, path: str, device: Wireless, *, new: bool, more: bool) -> bool:
        """List, trust and tell a device that was paired. Raises `LOST`."""
        if new and not await self._list(device):
            self._failed(device.name, PairingEnd.FAILED)
            return False
        await bonds.trust(self._bus, path, device.name)
        self._pairing.done(device)
        self._pairing.tell(
            PairingEnded(device.name, done=True, reason=PairingEnd.PAIRED, open=more)
        )
        return True

    async def _list(self, device: Wireless) -> bool:
        """List a device, in a thread: a slow card must not keep the hub waiting for our answers."""
        try:
            await asyncio.to_thread(
                roster.change, self._listed, lambda devices: roster.added(devices, device)
            )
        except (NotListedError, SettingsError, OSError) as error:
            log.warning("pairing: %s is not listed: %s", device.name, error)
            return False
        return True

    # phones, which pair with us

    def _heard(self, message: Message) -> Message | bool | None:
        """Answer BlueZ, and note what it tells: a phone is bonded, or BlueZ is gone."""
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and message.body[0] == BLUEZ:
                self.end(PairingEnd.FAILED)
            elif message.member == "PropertiesChanged" and message.path == self._incoming:
                self._phone_changed(message.path, message.body[1])
            return None
        answer = self._agent.called(message)
        return self._showing.called(message) if answer is None else answer

    def _expect(self, device: str, name: str) -> None:
        """Wait for the bond that follows a person's yes."""
        self._incoming = device
        self._finish = asyncio.get_running_loop().call_later(
            FINISH_S, lambda: self._start(self._look_at_last(device, name))
        )

    async def _look_at_last(self, path: str, name: str) -> None:
        """Take a phone that was bonded before: `Paired` was true, and BlueZ tells no change."""
        self._incoming = ""
        with suppress(*LOST):
            known = await bonds.look(self._bus, path)
            if known.paired and known.connected:
                await self._take_phone(path)
                return
        self._failed(name, PairingEnd.FAILED)

    def _phone_changed(self, path: str, properties: dict[str, Variant]) -> None:
        paired, connected = properties.get("Paired"), properties.get("Connected")
        if paired is not None and paired.value:
            self._incoming = ""
            if self._finish:
                self._finish.cancel()
            self._start(self._take_phone(path))
        elif connected is not None and not connected.value:
            if self._finish:
                self._finish.cancel()
            self._incoming = ""
            self._failed("", PairingEnd.WRONG_KEY)

    async def _take_phone(self, path: str) -> None:
        """List a phone by its identity address, which BlueZ has learned while bonding."""
        try:
            known = await bonds.look(self._bus, path)
            listed = next((d for d in in_effect(self._listed) if d.address == known.address), None)
            name = roster.free_name(in_effect(self._listed), "phone")
            device = listed or Phone(name, known.address)
            if await self._take_in(path, device, new=listed is None, more=False):
                self.end(PairingEnd.PAIRED)
        except LOST as error:
            log.warning("pairing a phone: %s", error)
            self._failed("", PairingEnd.FAILED)
        except (SettingsError, OSError) as error:
            log.warning("pairing a phone: the list of devices: %s", error)
            self._failed("", PairingEnd.FAILED)

    # small things

    async def _name(self, device: str) -> str:
        with suppress(*LOST):
            known = await bonds.look(self._bus, device)
            return known.name or known.address
        return ""

    async def _tell_shown(self, device: str, digits: str) -> None:
        self._pairing.tell(PairingAsked(await self._name(device), Wanted.SHOW, digits, self._ask))

    def _give_up(self) -> bool:
        """Break off what a person is typing at the device: somebody says no."""
        self._why = PairingEnd.NO
        self._start(self._cancel(self._shown))
        return True

    async def _cancel(self, path: str) -> None:
        with suppress(*LOST):
            await call(self._bus, Message(BLUEZ, path, bonds.DEVICE, "CancelPairing"))

    def _reason(self, told: PairingEnd) -> PairingEnd:
        """Return why a pairing failed: what a person did says more than what BlueZ `told`."""
        return self._why or told

    def _failed(self, name: str, why: PairingEnd) -> None:
        """Tell that a device was not paired; there is time for another."""
        self._failure = why
        if not self._ended.done():
            self._pairing.tell(PairingEnded(name, reason=why, open=True))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
