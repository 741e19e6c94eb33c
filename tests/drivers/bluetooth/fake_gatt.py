"""The fake `org.bluez` with devices that can be connected to, and all that goes wrong with them.

Beside the orders of `fake_bluez`:

    {"do": "peripheral", "address": A, "characteristics": {UUID: HEX}, "paired": false}
    {"do": "behave", "address": A, "how": HOW}    see `HOWS`
    {"do": "send", "address": A, "uuid": U, "value": HEX}
    {"do": "range", "address": A, "interval_s": 1.0}    it advertises, and answers when it does; a
                                                        band beats each second. 0: out of range
    {"do": "peripheral", ..., "adapter": "/org/bluez/hci1"}    of the second adapter (`dongle`)
    {"do": "set", "connect_s": 4.0}    a connect takes so long, and an adapter that listens is deaf
    {"do": "part", "address": A, "reason": "org.bluez.Reason.Timeout"}    "": as BlueZ before 5.79
"""

import asyncio
import random
import sys
from typing import Any

from dbus_fast import Message, Variant

from tests.drivers.bluetooth import fake_bluez
from tests.drivers.bluetooth.fake_bluez import DEVICE, OBJECTS, PROPERTIES, Fake, Props, device_path

SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
SERVICE_UUID = "0000180d-0000-1000-8000-00805f9b34fb"
HOWS = {
    "well": "it answers",
    "never": "nobody answers",
    "when_heard": "it answers with its next advert",
    "mute": "it answers, and never tells its services",
    "slow": "it answers, and tells its services only 1.5 s later",
    "key_missing": "Connect fails: le-connection-key-missing",
    "dies": "the link ends as soon as it is up",
    "aborts": "each link ends while it is made: le-connection-abort-by-local",
    "aborts_once": "the first does",
    "dies_later": "the link ends as soon as the services are known",
    "locked": "it wants a bond for everything",
    "in_progress": "another connect is in progress",
    "hangs": "a read is never answered",
}
FAILED = "org.bluez.Error.Failed"


class GattFake(Fake):
    """Devices with one service each."""

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as `Fake`
        super().__init__(*args)
        self.values: dict[str, dict[str, bytes]] = {}  # device's path -> characteristic -> value
        self.how: dict[str, str] = {}
        self.notifying: set[str] = set()
        self.written: list[tuple[str, str]] = []
        self.waiting: dict[str, Message] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.connect_s = 0.0
        self.paths: dict[str, str] = {}  # address -> object path
        self.advertising: asyncio.Task[None] | None = None

    def answer(self, message: Message) -> Any:  # noqa: ANN401 - True: it is answered later
        path = message.path or ""
        match message.member:
            case "Connect":
                self.tasks.add(asyncio.ensure_future(self.connect(path, message)))
                return True
            case "Disconnect":
                self.end(path)
            case "StartNotify" | "ReadValue" | "WriteValue" if self.how[parent(path)] == "locked":
                text = "Operation failed with ATT error: 0x05"
                return Message.new_error(message, FAILED, text)
            case "StartNotify":
                self.notifying.add(path)
                if self.how[parent(path)] == "when_heard":
                    self.tasks.add(asyncio.ensure_future(self.beat(path)))
            case "StopNotify":
                self.notifying.discard(path)
            case "ReadValue" if self.how[parent(path)] == "hangs":
                return True
            case "ReadValue":
                return Message.new_method_return(message, "ay", [self.value(path)])
            case "WriteValue":
                self.written.append((path, bytes(message.body[0]).hex()))
            case _:
                return super().answer(message)
        return Message.new_method_return(message)

    def objects(self) -> dict[str, dict[str, Props]]:
        resolved = [path for path, props in self.devices.items() if _is(props, "ServicesResolved")]
        return super().objects() | {k: v for path in resolved for k, v in self.tree(path).items()}

    def tree(self, path: str) -> dict[str, dict[str, Props]]:
        service = f"{path}/service0001"
        found: dict[str, dict[str, Props]] = {
            service: {
                SERVICE: {
                    "UUID": Variant("s", SERVICE_UUID),
                    "Device": Variant("o", path),
                    "Primary": Variant("b", True),  # noqa: FBT003
                }
            }
        }
        for handle, uuid in enumerate(self.values[path], 2):
            found[f"{service}/char{handle:04x}"] = {
                CHARACTERISTIC: {
                    "UUID": Variant("s", uuid),
                    "Service": Variant("o", service),
                    "Flags": Variant("as", ["read", "write", "notify"]),
                    "Value": Variant("ay", b""),
                    "Notifying": Variant("b", False),  # noqa: FBT003
                    "MTU": Variant("q", 23),
                }
            }
        return found

    def value(self, path: str) -> bytes:
        values = self.values[parent(path)]
        return values[list(values)[int(path[-4:], 16) - 2]]

    async def connect(self, path: str, message: Message) -> None:
        match self.how[path]:
            case "never" | "when_heard":
                self.waiting[path] = message
                return
            case "key_missing":
                self.bus.send(Message.new_error(message, FAILED, "le-connection-key-missing"))
                return
            case "in_progress":
                self.bus.send(Message.new_error(message, "org.bluez.Error.InProgress", "busy"))
                return
            case _:
                pass
        self.deaf = self.connect_s > 0 and path.startswith(f"{fake_bluez.HCI}/")
        await asyncio.sleep(self.connect_s)
        self.deaf = False
        if self.how[path].startswith("aborts"):
            self.how[path] = "aborts" if self.how[path] == "aborts" else "well"
            self.change(path, Connected=True)
            self.change(path, Connected=False)
            self.bus.send(Message.new_error(message, FAILED, "le-connection-abort-by-local"))
            return
        self.answered(path, message)

    def answered(self, path: str, message: Message) -> None:
        self.change(path, Connected=True)
        self.bus.send(Message.new_method_return(message))
        if self.how[path] == "dies":
            self.end(path)
        elif self.how[path] == "slow":
            asyncio.get_running_loop().call_later(1.5, self.resolve, path)
        elif self.how[path] != "mute":
            self.resolve(path)

    def resolve(self, path: str) -> None:
        if _is(self.devices[path], "Connected"):
            for added, interfaces in self.tree(path).items():
                self.signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [added, interfaces])
            self.change(path, ServicesResolved=True)
            if self.how[path] == "dies_later":
                self.end(path)

    def end(self, path: str, reason: str = "") -> None:
        if path in self.waiting:
            error = Message.new_error(
                self.waiting.pop(path), FAILED, "le-connection-abort-by-local"
            )
            self.bus.send(error)
        if _is(self.devices[path], "Connected"):
            if reason:
                self.signal(path, DEVICE, "Disconnected", "ss", [reason, "as BlueZ says it"])
            self.notifying = {each for each in self.notifying if parent(each) != path}
            self.change(path, ServicesResolved=False, Connected=False)

    def change(self, path: str, **values: bool) -> None:
        changed = {name: Variant("b", value) for name, value in values.items()}
        self.devices[path] |= changed
        self.signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [DEVICE, changed, []])

    def notify(self, path: str, value: bytes) -> None:
        body = [CHARACTERISTIC, {"Value": Variant("ay", value)}, []]
        self.signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)

    async def beat(self, path: str) -> None:
        """Send 72/min each second while somebody has subscribed."""
        while path in self.notifying:
            self.notify(path, b"\x00\x48")
            await asyncio.sleep(1)

    async def advertise(self, address: str, interval_s: float) -> None:
        """Advertise while not connected, beginning at any moment of the interval."""
        path = device_path(address)
        await asyncio.sleep(interval_s * random.random())  # noqa: S311 - no secret
        while True:
            if not _is(self.devices.get(path, {}), "Connected"):
                self.advert(address, {})
                if path in self.waiting:
                    self.answered(path, self.waiting.pop(path))
            await asyncio.sleep(interval_s)

    # what the test says

    def range(self, address: str, interval_s: float) -> None:
        path = device_path(address)
        if self.advertising:
            self.advertising.cancel()
        if interval_s:
            self.how[path] = "when_heard"
            self.advertising = asyncio.ensure_future(self.advertise(address, interval_s))
        else:
            self.end(path)
            self.silent(address)

    def peripheral(
        self,
        address: str,
        characteristics: dict[str, str],
        *,
        paired: bool = False,
        told: bool = True,
        identity: str = "",
        adapter: str = fake_bluez.HCI,
    ) -> None:
        path = self.paths[address] = device_path(address, adapter)
        self.values[path] = {uuid: bytes.fromhex(each) for uuid, each in characteristics.items()}
        self.how[path] = "well"
        self.devices[path] = fake_bluez._device(address, "band", ()) | {
            "Address": Variant("s", identity or address),
            "Paired": Variant("b", paired),
            "ServicesResolved": Variant("b", False),  # noqa: FBT003
        }
        if told:
            added = [path, {DEVICE: self.devices[path]}]
            self.signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", added)

    def behave(self, address: str, how: str) -> None:
        assert how in HOWS
        self.how[device_path(address)] = how

    def send(self, address: str, uuid: str, value: str) -> None:
        path = device_path(address)
        handle = list(self.values[path]).index(uuid) + 2
        at = f"{path}/service0001/char{handle:04x}"
        if at in self.notifying:
            self.notify(at, bytes.fromhex(value))

    def part(self, address: str, reason: str = "") -> None:
        self.end(self.paths[address], reason)

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:
        answer = await super().do(order)
        return answer | {"notifying": len(self.notifying), "written": self.written}


def parent(path: str) -> str:
    """The device's path of a characteristic's."""
    return path.partition("/service")[0]


def _is(props: Props, name: str) -> bool:
    return name in props and bool(props[name].value)


if __name__ == "__main__":
    asyncio.run(fake_bluez.main(sys.argv[1], GattFake))
