"""The fake `org.bluez` with what pairing needs: agents, bonds, a phone, devices with keys.

{"do": "around", "address": A, "how": {...}}    a device that is heard while somebody searches
    how: {"way": "just_works|compare|type|show|authorize", "number": N, "error": NAME, "paired": B}
{"do": "ask", "address": A, "identity": I, "number": N, "force": false, "way": "compare"}
{"do": "cancel"}                          the phone breaks it off
{"do": "drop", "address": A}              its link ends: the two radios disagree
{"do": "known", "address": A}             it was bonded before
{"do": "release"}                         BlueZ forgets the agent
{"do": "bonds"}                           agents, outcomes, adapter, devices, what is shown
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from tests.drivers.bluetooth.fake_bluez import (
    DEVICE,
    HCI,
    OBJECTS,
    PROPERTIES,
    Fake,
    Props,
    device_path,
    main,
)

AGENT = "org.bluez.Agent1"
EVERY_S = 0.05


class PairingFake(Fake):
    """Adds agents and bonds. A phone that asks is refused by an adapter that is not pairable."""

    def __init__(self, bus: MessageBus) -> None:
        super().__init__(bus)
        self.agents: dict[str, tuple[str, str]] = {}  # path: (sender, capability)
        self.standard = ""
        self.around_us: dict[str, dict[str, Any]] = {}
        self.outcomes: list[str] = []
        self.shown: dict[str, Any] = {}
        self.pairs: dict[str, asyncio.Task[None]] = {}
        self.asks: set[asyncio.Task[None]] = set()
        self.no_peripheral = self.no_agents = False
        assert self.adapter
        self.adapter |= {"Pairable": Variant("b", True), "Discoverable": Variant("b", False)}  # noqa: FBT003
        self.beacon = asyncio.ensure_future(self.beacons())

    async def beacons(self) -> None:
        while True:
            for address, how in self.around_us.items():
                path, new = device_path(address), device_path(address) not in self.devices
                self.advert(address, {}, name=how.get("name", "cuff"))
                if new and path in self.devices and how.pop("paired", False):
                    self.devices[path]["Paired"] = Variant("b", True)  # noqa: FBT003
            await asyncio.sleep(EVERY_S)

    # what the client asks

    def answer(self, message: Message) -> Message | None:  # noqa: C901 - a table
        sender, body, path = message.sender or "", message.body, message.path or ""
        match message.member:
            case "RegisterAgent" if self.no_agents:
                return Message.new_error(message, "org.bluez.Error.AlreadyExists", "")
            case "RegisterAgent":
                self.agents[body[0]] = sender, body[1]
            case "RequestDefaultAgent":
                self.standard = body[0]
            case "UnregisterAgent":
                self.agents.pop(body[0], None)
            case "RegisterAdvertisement" | "RegisterApplication" if self.no_peripheral:
                return Message.new_error(message, "org.bluez.Error.NotSupported", "")
            case "RegisterAdvertisement" | "RegisterApplication":
                self.keep(self.read(sender, body[0], message.member))
            case "UnregisterAdvertisement" | "UnregisterApplication":
                self.shown.pop(body[0], None)
            case "Pair":
                self.pairs[path] = asyncio.ensure_future(self.pair(message, path))
                return None  # it replies later
            case "CancelPairing":
                self.pairs[path].cancel()
            case "RemoveDevice":
                return self.remove(message, body[0])
            case _:
                return super().answer(message)
        return Message.new_method_return(message)

    def called(self, message: Message) -> Message | bool | None:  # type: ignore[override]
        reply = super().called(message)
        waits = message.message_type is MessageType.METHOD_CALL and message.member == "Pair"
        return True if reply is None and waits else reply

    def set_property(self, message: Message) -> Message:
        _, name, value = message.body
        if name == "Powered":
            return super().set_property(message)
        held = self.adapter if message.path == HCI else self.devices.get(message.path or "")
        if held is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", "")
        self.calls[-1] = f"{name}={value.value}"
        held[name] = value
        return Message.new_method_return(message)

    def remove(self, message: Message, path: str) -> Message:
        if self.devices.pop(path, None) is None:
            return Message.new_error(message, "org.bluez.Error.DoesNotExist", "")
        self.calls[-1] = f"RemoveDevice={path[-17:]}"
        self.signal("/", OBJECTS, "InterfacesRemoved", "oas", [path, [DEVICE]])
        return Message.new_method_return(message)

    async def read(self, sender: str, path: str, kind: str) -> None:
        """Read what the client shows, as BlueZ does."""
        if kind == "RegisterApplication":
            asked = Message(sender, path, OBJECTS, "GetManagedObjects")
        else:
            body = ["org.bluez.LEAdvertisement1"]
            asked = Message(sender, path, PROPERTIES, "GetAll", signature="s", body=body)
        reply = await self.bus.call(asked)
        self.shown[path] = str(reply.body)
        if kind == "RegisterApplication":
            asked = Message(
                sender, f"{path}/service0/2a4b", "org.bluez.GattCharacteristic1", "ReadValue",
                signature="a{sv}", body=[{}],
            )  # fmt: skip
            self.shown["2a4b"] = (await self.bus.call(asked)).body[0].hex()

    async def pair(self, message: Message, path: str) -> None:
        how = self.around_us[self.devices[path]["Address"].value]
        error = ""
        try:
            if not await self.person(path, how.get("way", "just_works"), how.get("number", 0)):
                error = (
                    "AuthenticationFailed" if how.get("way") == "type" else "AuthenticationRejected"
                )
        except asyncio.CancelledError:
            error = "AuthenticationCanceled"
        error = how.get("error", "") or error
        if error:
            reply = Message.new_error(message, f"org.bluez.Error.{error}", "")
        else:
            bonded = not how.get("no_bond", False)
            self.devices[path]["Paired"] = Variant("b", bonded)
            reply = Message.new_method_return(message)
        self.outcomes.append(error or "paired")
        self.bus.send(reply)

    async def person(self, path: str, way: str, number: int) -> bool:
        """Call the agent as BlueZ does; return whether it agreed, with the right key."""
        match way:
            case "just_works":
                return True
            case "compare":
                reply = await self.call_agent("RequestConfirmation", "ou", [path, number])
            case "type":
                reply = await self.call_agent("RequestPasskey", "o", [path])
                return reply.body == [number]
            case "show":
                for entered in (0, 1, 2):
                    reply = await self.call_agent("DisplayPasskey", "ouq", [path, number, entered])
                await asyncio.sleep(0.2)
            case "authorize":
                reply = await self.call_agent("RequestAuthorization", "o", [path])
            case _:
                reply = await self.call_agent(way, "o", [path])
        return reply.message_type is MessageType.METHOD_RETURN

    async def call_agent(self, member: str, signature: str, body: list[Any]) -> Message:
        (sender, _) = self.agents.get(self.standard) or self.last_agent
        self.last_agent = sender, ""
        called = Message(
            sender, "/anbu/pairing/agent", AGENT, member, signature=signature, body=body
        )
        return await self.bus.call(called)

    # what the test says

    async def do(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "around":
                self.around_us[order["address"]] = order["how"]
            case "away":
                self.around_us.pop(order["address"])
            case "ask":
                order.pop("do")
                self.keep(self.phone_asks(**order))
            case "cancel":
                self.keep(self.tell_agent("Cancel"))
            case "release":
                self.keep(self.tell_agent("Release"))
            case "known":
                path = device_path(order["address"])
                known = self.devices.setdefault(path, _phone(order["address"]))
                known["Paired"] = Variant("b", True)  # noqa: FBT003
            case "drop":
                self.change(order["address"], Connected=False)
            case "bonds":
                assert self.adapter
                return {
                    "agents": {p: c for p, (_, c) in self.agents.items()}, "calls": self.calls,
                    "outcomes": self.outcomes, "shown": self.shown,
                    "adapter": {name: v.value for name, v in self.adapter.items()},
                    "devices": {p: {n: str(v.value) for n, v in d.items()}
                                for p, d in self.devices.items()},
                    "discovering": bool(self.discovering),
                }  # fmt: skip
            case _:
                return await super().do(order)
        return {}

    def keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self.asks.add(task)
        task.add_done_callback(self.asks.discard)

    async def tell_agent(self, member: str) -> None:
        await self.call_agent(member, "", [])

    async def phone_asks(
        self, address: str, number: int = 0, identity: str = "", way: str = "compare", *,
        force: bool = False,
    ) -> None:  # fmt: skip
        """A phone pairs with us; once it is bonded BlueZ knows it by its identity."""
        assert self.adapter
        if not (self.adapter["Pairable"].value or force):
            self.outcomes.append("not pairable")
            return
        path = device_path(address)
        if path not in self.devices:
            self.devices[path] = _phone(address)
        if not await self.person(path, way, number):
            self.outcomes.append("refused")
            return
        self.outcomes.append("agreed")
        if identity:
            self.change(address, Address=identity, Paired=True, Connected=True)

    def change(self, address: str, **values: bool | str) -> None:
        path = device_path(address)
        told = {k: Variant("s" if isinstance(v, str) else "b", v) for k, v in values.items()}
        self.devices[path].update(told)
        self.signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", [DEVICE, told, []])

    last_agent = "", ""


def _phone(address: str) -> Props:
    return {
        "Address": Variant("s", address), "Name": Variant("s", "그림자\n전화"),
        "Paired": Variant("b", False), "Connected": Variant("b", True),  # noqa: FBT003
    }  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], PairingFake))
