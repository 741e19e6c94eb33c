"""A fake `org.bluez`: a process of its own on a private bus, for load, faults and passive delivery.

It knows what the radio uses: ObjectManager, Adapter1 (Powered, StartDiscovery, RemoveDevice),
AdvertisementMonitorManager1 with monitors that match by pattern, and Device1 as properties. As with
BlueZ, an advert that repeats its service data changes only RSSI, and that only by 8 dB or more; one
that matches no monitor, without a discovery, is not told. A monitor without RSSI thresholds is told
`DeviceFound` for each advert and never `DeviceLost`; with them, once adverts have come for its high
timeout. It is driven by one JSON object a line on stdin, each answered by one on stdout
(`private_bus.FakeBlueZ` does that):

    {"do": "advert", "address": "A4:C1:38:00:00:01", "data": {UUID: HEX}, "rssi": -60, "name": ""}
    {"do": "silent", "address": A}       DeviceLost, as after the low timeout
    {"do": "forget", "address": A}       InterfacesRemoved, as 30 s later
    {"do": "identify", "address": A, "identity": B}    paired: from now on it is B, on A's path
    {"do": "load", "per_s": 2200, "strangers": 200, "listed": [A, ...]}     0 ends it
    {"do": "release"}                    all monitors end
    {"do": "set", "FAULT": true}         one of the faults that `Fake` has
    {"do": "powered", "on": false} {"do": "vanish"} {"do": "return"} {"do": "state"}

The answer to an advert is the time on the monotonic clock just before it was sent, as `at`. A hung
daemon is SIGSTOP, a restarted one SIGKILL and another process. What it lacks is added where a
story needs it: subclass `Fake` and extend `answer`.
"""

import asyncio
import json
import sys
import time
from itertools import cycle
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from drivers.bluetooth.bluez.bus import patient

ROOT, HCI, DONGLE = "/org/bluez", "/org/bluez/hci0", "/org/bluez/hci1"
DONGLE_ADDRESS = "00:1A:7D:DA:71:13"
ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
MANAGER, MONITOR = "org.bluez.AdvertisementMonitorManager1", "org.bluez.AdvertisementMonitor1"
OBJECTS, PROPERTIES = "org.freedesktop.DBus.ObjectManager", "org.freedesktop.DBus.Properties"
BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"
RSSI_STEP = 8  # dB: src/device.c, RSSI_THRESHOLD
NEWS_EVERY = 50  # adverts of a listed sensor repeat a reading so often
FLAGS, SERVICE_DATA_16 = 0x01, 0x16  # AD types
Props = dict[str, Variant]


class Fake:
    """What bluetoothd would hold; the faults are fields that `set` sets."""

    def __init__(self, bus: MessageBus) -> None:
        self.bus = bus
        self.adapter: Props | None = {
            "Address": Variant("s", "B8:27:EB:00:00:01"), "Name": Variant("s", "anbu"),
            "Alias": Variant("s", "anbu"), "Powered": Variant("b", True),  # noqa: FBT003
            "Discovering": Variant("b", False),  # noqa: FBT003
            "Roles": Variant("as", ["central", "peripheral"]),
        }  # fmt: skip
        self.devices: dict[str, Props] = {}
        self.monitors: dict[tuple[str, str], list[Any]] = {}  # (sender, path): patterns
        self.high_s: dict[tuple[str, str], int] = {}  # of those that have RSSI thresholds
        self.since: dict[tuple[str, str, str], tuple[float, float]] = {}  # first and last advert
        self.found: set[tuple[str, str, str]] = set()
        self.discovering: set[str] = set()
        self.calls: list[str] = []
        self.registered: set[tuple[str, str]] = set()  # (sender, root of its monitors)
        self.sent = 0  # adverts that were told
        self.no_passive = self.refuse = self.blocked = self.busy = self.deaf = False
        self.refuse_until_cycled = self.releases = False
        self.refuse_times = 0
        self.dongle = False  # a second adapter, which connects
        self.goes_off = False  # once, just when a monitor is registered
        self.load: asyncio.Task[None] | None = None
        self.activations: list[asyncio.Task[None]] = []

    # what the client asks

    def called(self, message: Message) -> Message | None:
        if message.message_type is MessageType.SIGNAL:
            self.signalled(message)
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        self.calls.append(f"{message.member}")
        if message.interface in (MANAGER, ADAPTER) and self.adapter is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "")
        return self.answer(message)

    def answer(self, message: Message) -> Message | None:
        sender = message.sender or ""
        match message.member:
            case "GetManagedObjects":
                return Message.new_method_return(message, "a{oa{sa{sv}}}", [self.objects()])
            case "RegisterMonitor":
                return self.register(message)
            case "Set" | "Get" | "GetAll":
                return self.property(message)
            case "StartDiscovery" if self.refuse:
                return Message.new_error(message, "org.bluez.Error.InProgress", "busy")
            case "StartDiscovery":
                self.discovering.add(sender)
            case "StopDiscovery":
                self.discovering.discard(sender)
            case "UnregisterMonitor":
                self.drop(sender, message.body[0])
            case "SetDiscoveryFilter" | "RemoveDevice":
                pass
            case _:
                return None
        return Message.new_method_return(message)

    def property(self, message: Message) -> Message:
        if message.member == "Set":
            return self.set_property(message)
        held = (self.adapter or {}) if message.path == HCI else self.devices[message.path or ""]
        if message.member == "GetAll":
            return Message.new_method_return(message, "a{sv}", [held])
        return Message.new_method_return(message, "v", [held[message.body[1]]])

    def objects(self) -> dict[str, dict[str, Props]]:
        found: dict[str, dict[str, Props]] = {ROOT: {"org.bluez.AgentManager1": {}}}
        if self.dongle:
            found[DONGLE] = {
                ADAPTER: (self.adapter or {}) | {"Address": Variant("s", DONGLE_ADDRESS)}
            }
        if self.adapter is not None:
            found[HCI] = {ADAPTER: self.adapter} | ({} if self.no_passive else {MANAGER: {}})
            found |= {path: {DEVICE: props} for path, props in self.devices.items()}
        return found

    def register(self, message: Message) -> Message:
        if self.no_passive:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "")
        self.refuse_times -= 1
        if self.refuse or self.refuse_until_cycled or self.refuse_times >= 0:
            return Message.new_error(message, "org.bluez.Error.Failed", "")
        if self.goes_off:
            self.goes_off = False
            self.power(on=False)
        self.registered.add((message.sender or "", message.body[0]))
        activation = self.activate(message.sender or "", message.body[0])
        self.activations.append(asyncio.ensure_future(activation))
        return Message.new_method_return(message)

    async def activate(self, sender: str, root: str) -> None:
        """Ask the client for its monitors, as BlueZ does, and activate them."""
        reply = await self.bus.call(Message(sender, root, OBJECTS, "GetManagedObjects"))
        if reply.message_type is MessageType.METHOD_RETURN:
            self.add(sender, reply.body[0])

    def add(self, sender: str, objects: dict[str, Any]) -> None:
        roots = tuple(root for client, root in self.registered if client == sender)
        for path, interfaces in objects.items():
            known = (sender, path) in self.monitors or not path.startswith(roots)
            if MONITOR in interfaces and not known:
                asked = interfaces[MONITOR]
                self.monitors[sender, path] = asked["Patterns"].value
                if "RSSIHighTimeout" in asked:
                    self.high_s[sender, path] = asked["RSSIHighTimeout"].value
                self.bus.send(Message(sender, path, MONITOR, "Activate"))
        if self.releases:
            self.release()

    def signalled(self, message: Message) -> None:
        sender = message.sender or ""
        if message.member == "NameOwnerChanged" and not message.body[2]:
            self.drop(message.body[0], "/")
            self.discovering.discard(message.body[0])
        elif message.member == "InterfacesAdded" and sender != self.bus.unique_name:
            self.add(sender, dict([message.body]))  # bleak exports its monitor after it registers

    def drop(self, sender: str, root: str) -> None:
        self.registered = {
            key for key in self.registered if key[0] != sender or not key[1].startswith(root)
        }
        self.monitors = {
            key: patterns
            for key, patterns in self.monitors.items()
            if key[0] != sender or not key[1].startswith(root)
        }
        self.found = {key for key in self.found if key[:2] in self.monitors}

    def set_property(self, message: Message) -> Message:
        if (self.blocked or self.busy) and message.body[2].value:
            error = "org.bluez.Error.Blocked" if self.blocked else "org.bluez.Error.Busy"
            return Message.new_error(message, error, "")
        _, name, value = message.body
        self.calls[-1] = f"{name}={value.value}"
        if name == "Powered":
            self.power(on=value.value)
        elif self.adapter is not None:
            self.adapter[name] = value
        return Message.new_method_return(message)

    # what happens in the air

    def power(self, *, on: bool) -> None:
        assert self.adapter
        self.adapter["Powered"] = Variant("b", on)
        self.discovering.clear()
        self.found.clear()
        if on:
            self.refuse_until_cycled = False
        self.signal(HCI, PROPERTIES, "PropertiesChanged", "sa{sv}as",
                    [ADAPTER, {"Powered": self.adapter["Powered"]}, []])  # fmt: skip

    def vanish(self) -> None:
        self.adapter = None
        self.devices.clear()
        self.monitors.clear()
        self.registered.clear()
        self.found.clear()
        self.signal("/", OBJECTS, "InterfacesRemoved", "oas", [HCI, [ADAPTER, MANAGER]])

    def come_back(self) -> None:
        self.adapter = Fake(self.bus).adapter
        self.signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [HCI, self.objects()[HCI]])

    def advert(
        self, address: str, data: dict[str, bytes], rssi: int = -60, name: str = "",
        uuids: tuple[str, ...] = (), *, flags: bool = True,
    ) -> bool:  # fmt: skip
        """One advert is heard; return whether the client is told."""
        matching = [key for key, patterns in self.monitors.items() if _fits(patterns, data, flags)]
        if self.deaf or not self._powered() or not (matching or self.discovering):
            return False
        self.sent += 1
        path = self.path_of(address)
        before = self.devices.get(path, {}).get("RSSI")
        changed = before is None or abs(before.value - rssi) >= RSSI_STEP
        told: Props = {"RSSI": Variant("n", rssi)} if changed else {}
        carried = Variant("a{sv}", {uuid: Variant("ay", value) for uuid, value in data.items()})
        if data and self.devices.get(path, {}).get("ServiceData") != carried:
            told["ServiceData"] = carried
        if path in self.devices:
            self.devices[path].update(told)
            if told:
                self.signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [DEVICE, told, []])
        else:
            self.devices[path] = _device(address, name, uuids) | told
            self.signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}",
                        [path, {DEVICE: self.devices[path]}])  # fmt: skip
        for sender, monitor in matching:
            self._found(sender, monitor, path)
        return True

    def _found(self, sender: str, monitor: str, path: str) -> None:
        """As `adv_monitor_filter_rssi` of BlueZ does it."""
        high_s = self.high_s.get((sender, monitor))
        if high_s is None:
            self.bus.send(
                Message(sender, monitor, MONITOR, "DeviceFound", signature="o", body=[path])
            )
            return
        now, key = time.monotonic(), (sender, monitor, path)
        first, last = self.since.get(key, (now, now))
        first = now if now - last > high_s else first
        self.since[key] = first, now
        if now - first >= high_s:
            self._tell(sender, monitor, path, "DeviceFound")

    def release(self) -> None:
        """It ends all monitors, as when the controller cannot keep them."""
        for sender, monitor in self.monitors:
            self.bus.send(Message(sender, monitor, MONITOR, "Release"))
        self.monitors.clear()
        self.found.clear()

    def identify(self, address: str, identity: str) -> None:
        """A device tells its identity while it is paired: it keeps its path."""
        path = device_path(address)
        self.devices[path]["Address"] = Variant("s", identity)
        told = [DEVICE, {"Address": Variant("s", identity)}, []]
        self.signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", told)

    def path_of(self, address: str) -> str:
        """Return the path of a device that is known by this address, else that of a new one."""
        held = (p for p, props in self.devices.items() if props["Address"].value == address)
        return next(held, device_path(address))

    def silent(self, address: str) -> None:
        for sender, monitor in self.monitors:
            self._tell(sender, monitor, device_path(address), "DeviceLost")
            self.since.pop((sender, monitor, device_path(address)), None)

    def forget(self, address: str) -> None:
        path = device_path(address)
        if self.devices.pop(path, None):
            self.signal("/", OBJECTS, "InterfacesRemoved", "oas", [path, [DEVICE]])

    def _powered(self) -> bool:
        return self.adapter is not None and bool(self.adapter["Powered"].value)

    def _tell(self, sender: str, monitor: str, path: str, what: str) -> None:
        key, here = (sender, monitor, path), what == "DeviceFound"
        if (key in self.found) != here:
            (self.found.add if here else self.found.discard)(key)
            self.bus.send(Message(sender, monitor, MONITOR, what, signature="o", body=[path]))

    def signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        self.bus.send(Message.new_signal(path, interface, member, signature, body))

    async def loaded(self, per_s: float, strangers: int, listed: list[str]) -> None:
        """Strangers, and listed sensors whose data is new now and then: `per_s` adverts in all."""
        names = [f"5A:00:00:00:{n // 256:02X}:{n % 256:02X}" for n in range(strangers)] + listed
        begun = time.monotonic()
        for sent, address in enumerate(cycle(names)):
            reading = (sent // (NEWS_EVERY * len(names))).to_bytes(2, "little")
            data = {BTHOME: b"\x40\x02" + reading} if address in listed else {}
            self.advert(address, data, rssi=-50 - sent % 40)
            if (ahead_s := begun + sent / per_s - time.monotonic()) > 0.005:
                await asyncio.sleep(ahead_s)

    # what the test says

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:
        match order.pop("do"):
            case "advert":
                order["data"] = {u: bytes.fromhex(value) for u, value in order["data"].items()}
                at = time.monotonic()
                return {"at": at, "told": self.advert(**order)}
            case "load":
                if self.load:
                    self.load.cancel()
                self.load = asyncio.ensure_future(self.loaded(**order)) if order["per_s"] else None
            case "set":
                vars(self).update(order)
            case "powered":
                self.power(**order)
            case "return":
                self.come_back()
            case "state":
                return {
                    "calls": self.calls, "monitors": len(self.monitors), "powered": self._powered(),
                    "discovering": bool(self.discovering), "found": [k[2] for k in self.found],
                    "sent": self.sent,
                }  # fmt: skip
            case what:
                getattr(self, what)(**order)
        return {"at": time.monotonic()}


def device_path(address: str, adapter: str = HCI) -> str:
    return f"{adapter}/dev_{address.replace(':', '_')}"


def _device(address: str, name: str, uuids: tuple[str, ...]) -> Props:
    named = {"Name": Variant("s", name)} if name else {}
    return named | {
        "Address": Variant("s", address), "AddressType": Variant("s", "public"),
        "Alias": Variant("s", name or address.replace(":", "-")), "Adapter": Variant("o", HCI),
        "Paired": Variant("b", False), "Connected": Variant("b", False),  # noqa: FBT003
        "UUIDs": Variant("as", list(uuids)),
    }  # fmt: skip


def _fits(patterns: list[Any], data: dict[str, bytes], flags: bool) -> bool:  # noqa: FBT001
    """Whether an advert has what one of the patterns asks for: [position, AD type, bytes]."""
    sections = [(SERVICE_DATA_16, bytes.fromhex(u[4:8])[::-1] + v) for u, v in data.items()]
    if flags:
        sections.append((FLAGS, b"\x06"))
    return any(
        kind == wanted and value[at:].startswith(bytes(content))
        for at, wanted, content in patterns
        for kind, value in sections
    )


async def main(address: str, kind: type[Fake] = Fake) -> None:
    bus = patient(await MessageBus(bus_address=address).connect())
    fake = kind(bus)
    bus.add_message_handler(fake.called)
    for rule in (
        f"type='signal',interface='{OBJECTS}',member='InterfacesAdded'",
        "type='signal',member='NameOwnerChanged',sender='org.freedesktop.DBus'",
    ):
        daemon = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
        await bus.call(Message(*daemon, "AddMatch", signature="s", body=[rule]))
    await bus.request_name("org.bluez")
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    sys.stdout.write("{}\n")
    sys.stdout.flush()
    while line := await reader.readline():
        sys.stdout.write(json.dumps(await fake.do(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
