"""A fake `org.freedesktop.NetworkManager`: a process of its own on a private bus.

It behaves as versions 1.42 and 1.52 do, by their D-Bus reference and by what was seen of them: a
device walks through its states by signals; a wrong password ends in FAILED with reason no-secrets
after 12 s; a network that is not there in reason 53; no DHCP in reason 5; while a profile that
failed is left over, the right password is refused. A device leaves what it did before it begins
anew, which takes a moment; each step is told of the device first, then of its active connection
(`device_state_changed` in nm-act-request.c). A Wi-Fi whose profile is saved is joined by itself. A
hotspot bound to a client of the bus ends with it. Profiles "on the disk" are in a file, so that a
process that is killed and started again has them, under new numbers: a power cut.

All of its times are `PACE` of the real ones. One JSON object a line on stdin, one on stdout:

    {"do": "air", "networks": [{"ssid": HEX, "psk": "...", "keys": 256, "strength": 70}]}
        also "dhcp": false, "dhcp_s": 10.0, "hidden": true, "flags": 1;
        keys as NM80211ApSecurityFlags
    {"do": "save", "network": {"ssid": HEX, "psk": "..."}}      also "id"; as a terminal would
    {"do": "cable", "state": 100, "carrier": true}
    {"do": "set", "FAULT": true}      no_wifi, off, deny_scan, refuse_hotspot,
        hotspot_s (seconds until one is up), slow (it joins nothing by itself),
        forbid (polkit lets nobody change anything)
    {"do": "state"}

The hotspot's address is one of the loopback, another for each fake: several may have a port 80.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from provisioning.network.nm import (
    ACTIVE,
    DEVICE,
    NM,
    POINT,
    ROOT,
    SECRET,
    SETTINGS_PATH,
    WIFI,
    WIRED,
    WIRELESS,
)

PACE = 0.02
NO_SECRETS_S, DHCP_S, ASSOCIATE_S = 12.0, 45.0, 25.0
LEAVE_S, START_S = 2.0, 5.0  # for a device to leave what it did, and to come up
ACTIVATING, UP, GONE = 1, 2, 4  # NMActiveConnectionState
ETH, WLAN = f"{ROOT}/Devices/1", f"{ROOT}/Devices/2"
CHANGES = {"AddAndActivateConnection2", "ActivateConnection", "DeactivateConnection", "RequestScan"}
IP4 = f"{NM}.IP4Config"
ADDRESS = f"127.{os.getpid() >> 16 & 255}.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
PROPERTIES = "org.freedesktop.DBus.Properties"
Props = dict[str, Variant]


class Fake:
    """What NetworkManager would hold; faults are fields that `set` sets."""

    def __init__(self, bus: MessageBus, disk: Path) -> None:
        self.bus, self.disk = bus, disk
        self.air: list[dict[str, Any]] = []
        self.profiles: dict[str, dict[str, Any]] = {}  # path: settings, and "stored", "failed"
        self.count = self.actives = 0
        self.cable, self.carrier = 20, False
        self.wlan, self.using, self.active, self.owner = 30, "", "", ""
        self.activation: asyncio.Task[None] | None = None
        self.no_wifi = self.off = self.deny_scan = self.refuse_hotspot = self.slow = False
        self.forbid = False
        self.hotspot_s = START_S
        self.scans = 0
        self.calls: list[str] = []
        for settings in json.loads(disk.read_text()) if disk.exists() else []:
            self.add(settings, stored=True)

    # the client's calls

    def called(self, message: Message) -> Message | None:
        if message.message_type is MessageType.SIGNAL:
            if message.member == "NameOwnerChanged" and message.body[0] == self.owner:
                self.deactivate()
            return None
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        self.calls.append(f"{message.member}")
        answers = {
            "GetManagedObjects": self.objects, "Get": self.get, "Set": self.set_property,
            "RequestScan": self.scan, "AddAndActivateConnection2": self.activate,
            "ActivateConnection": self.use, "DeactivateConnection": self.stop,
            "ListConnections": self.listed,
            "GetSettings": self.settings, "Update2": self.update, "Delete": self.delete,
        }  # fmt: skip
        if self.forbid and message.member in CHANGES:
            error = f"{NM}.PermissionDenied"
            return Message.new_error(message, error, "Not authorized to perform this operation")
        answer = answers.get(message.member or "")
        return answer(message) if answer else None

    def objects(self, message: Message) -> Message:
        found: dict[str, dict[str, Props]] = {ETH: self.ethernet()}
        if not self.no_wifi:
            found[WLAN] = self.wifi()
            found |= {self.point(n): self.heard(one) for n, one in self.visible().items()}
            if self.hotspot():
                found[f"{ROOT}/AccessPoint/99"] = self.own_point()
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [found])

    def get(self, message: Message) -> Message:
        name = message.body[1]
        if name == "WirelessEnabled":
            value = Variant("b", not self.off)
        elif name == "Ip4Config":
            value = Variant("o", f"{ROOT}/IP4Config/1")
        else:
            data = [{"address": Variant("s", ADDRESS), "prefix": Variant("u", 24)}]
            value = Variant("aa{sv}", data)
        return Message.new_method_return(message, "v", [value])

    def set_property(self, message: Message) -> Message:
        self.off = not message.body[2].value
        return Message.new_method_return(message)

    def scan(self, message: Message) -> Message:
        self.scans += 1
        if self.deny_scan:
            error = f"{DEVICE}.NotAllowed"
            return Message.new_error(message, error, "Scanning not allowed at this time")
        return Message.new_method_return(message)

    def listed(self, message: Message) -> Message:
        return Message.new_method_return(message, "ao", [list(self.profiles)])

    def settings(self, message: Message) -> Message:
        held = self.profiles[message.path or ""]["settings"]
        hidden = {name: part for name, part in held.items() if name != SECRET}
        return Message.new_method_return(message, "a{sa{sv}}", [_variants(hidden)])

    def update(self, message: Message) -> Message:
        held = self.profiles[message.path or ""]
        held["stored"] = True
        if settings := _plain(message.body[0]):
            assert settings["connection"]["uuid"] == held["settings"]["connection"]["uuid"]
            held["settings"] = settings
        self.write()
        return Message.new_method_return(message, "a{sv}", [{}])

    def delete(self, message: Message) -> Message:
        if self.profiles.pop(message.path or "", None) is None:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "")
        if self.using == message.path:
            self.deactivate()
        self.write()
        return Message.new_method_return(message)

    def activate(self, message: Message) -> Message:
        settings = _plain(message.body[0])
        options = _plain(message.body[3])
        ssid, ap = settings[WIFI]["ssid"], settings[WIFI].get("mode") == "ap"
        left = any(
            one["failed"] and one["settings"][WIFI]["ssid"] == ssid
            for one in self.profiles.values()
        )
        psk = settings.get(SECRET, {}).get("psk", "12345678")
        if left:
            why = "802-11-wireless-security.key-mgmt: property is missing"
            return Message.new_error(message, f"{NM}.InvalidConnection", why)
        if settings.get(SECRET, {}).get("key-mgmt") != "sae" and not 8 <= len(psk) <= 64:
            return Message.new_error(message, f"{NM}.InvalidConnection", "psk: invalid")
        path = self.add(settings, stored=False)
        self.owner = message.sender or "" if options.get("bind-activation") else ""
        self.begin(path, ap=ap)
        return Message.new_method_return(message, "ooa{sv}", [path, self.active, {}])

    def use(self, message: Message) -> Message:
        self.begin(message.body[0], ap=False)
        return Message.new_method_return(message, "o", [self.active])

    def stop(self, message: Message) -> Message:
        if message.body[0] != self.active:
            return Message.new_error(message, f"{NM}.ConnectionNotActive", "")
        self.deactivate()
        return Message.new_method_return(message)

    # what happens

    def add(self, settings: dict[str, Any], *, stored: bool) -> str:
        self.count += 1
        path = f"{SETTINGS_PATH}/{self.count}"
        self.profiles[path] = {"settings": settings, "stored": stored, "failed": False}
        return path

    def write(self) -> None:
        stored = [one["settings"] for one in self.profiles.values() if one["stored"]]
        self.disk.write_text(json.dumps(stored))

    def begin(self, path: str, *, ap: bool) -> None:
        busy = self.wlan > 30
        if self.activation:
            self.activation.cancel()
        if busy:
            self.step(110, 60)
        self.tell(GONE)
        self.end_hotspot()
        self.actives += 1
        self.using, self.active = path, f"{ROOT}/ActiveConnection/{self.actives}"
        self.activation = asyncio.ensure_future(self.walk(path, ap=ap, busy=busy))

    async def walk(self, path: str, *, ap: bool, busy: bool) -> None:
        await asyncio.sleep(LEAVE_S * PACE)
        if busy:
            self.step(30, 60)
        self.step(40, 0)
        self.tell(ACTIVATING)
        self.step(50, 0)
        await asyncio.sleep((self.hotspot_s if ap else START_S) * PACE)
        settings = self.profiles[path]["settings"]
        reason = int(self.refuse_hotspot) * 30 if ap else await self.associate(settings)
        if reason == 0:
            for state in (70, 80, 90, 100):
                self.step(state, 0)
            self.tell(UP)
            return
        self.profiles[path]["failed"] = True
        self.step(120, reason)
        self.tell(GONE)
        self.using = self.active = ""
        self.step(30, 0)

    def tell(self, state: int) -> None:
        """Tell the state of the active connection."""
        self.signal(self.active, ACTIVE, "StateChanged", "uu", [state, 0])

    async def associate(self, settings: dict[str, Any]) -> int:
        """Join, and return the reason why not."""
        for one in self.air:
            if one["ssid"] == settings[WIFI]["ssid"] and (
                settings[WIFI].get("hidden") or not one.get("hidden")
            ):
                break
        else:
            await asyncio.sleep(ASSOCIATE_S * PACE)
            return 53
        secret = settings.get(SECRET, {})
        sae_only = one.get("keys", 0x100) == 0x400
        if sae_only and secret.get("key-mgmt") != "sae":
            await asyncio.sleep(ASSOCIATE_S * PACE)
            return 11
        if secret.get("psk", "") != one.get("psk", ""):
            self.step(60, 0)
            await asyncio.sleep(NO_SECRETS_S * PACE)
            return 7
        await asyncio.sleep(one.get("dhcp_s", 0.0) * PACE)
        if not one.get("dhcp", True):
            self.step(70, 0)
            await asyncio.sleep(DHCP_S * PACE)
            return 5
        return 0

    def step(self, state: int, reason: int) -> None:
        old, self.wlan = self.wlan, state
        self.signal(WLAN, DEVICE, "StateChanged", "uuu", [state, old, reason])

    def deactivate(self) -> None:
        if self.activation:
            self.activation.cancel()
        self.step(110, 39)
        self.tell(GONE)
        self.end_hotspot()
        self.using = self.owner = self.active = ""
        self.step(30, 39)

    def end_hotspot(self) -> None:
        """A volatile profile goes with its activation."""
        if self.profiles.get(self.using, {}).get("settings", {}).get(WIFI, {}).get("mode") == "ap":
            self.profiles.pop(self.using)

    def autoconnect(self) -> None:
        """Join a saved Wi-Fi that is in the air, as NetworkManager does by itself."""
        names = {one["ssid"] for one in self.air}
        begun = self.activation and not self.activation.done()
        if self.wlan != 30 or begun or self.off or self.no_wifi or self.slow:
            return
        for path, one in self.profiles.items():
            named = one["settings"][WIFI]["ssid"] in names
            if named and not one["failed"] and one["settings"]["connection"]["autoconnect"]:
                self.owner = ""
                self.begin(path, ap=False)
                return

    def signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        if path:
            self.bus.send(Message.new_signal(path, interface, member, signature, body))

    # what there is

    def hotspot(self) -> dict[str, Any] | None:
        settings = self.profiles.get(self.using, {}).get("settings")
        ap = settings and settings[WIFI].get("mode") == "ap" and self.wlan == 100
        return settings if ap else None

    def ethernet(self) -> dict[str, Props]:
        return {
            DEVICE: _device("eth0", 1, self.cable),
            WIRED: {"Carrier": Variant("b", self.carrier)},
        }

    def wifi(self) -> dict[str, Props]:
        own = self.hotspot()
        points = [self.point(n) for n in self.visible()] + (
            [f"{ROOT}/AccessPoint/99"] if own else []
        )
        joined = "/"
        if own:
            joined = points[-1]
        elif self.wlan == 100:
            ssid = self.profiles[self.using]["settings"][WIFI]["ssid"]
            joined = next(self.point(n) for n, one in enumerate(self.air) if one["ssid"] == ssid)
        held = {
            "AccessPoints": Variant("ao", points), "ActiveAccessPoint": Variant("o", joined),
            "Mode": Variant("u", 3 if own else 2),
        }  # fmt: skip
        return {DEVICE: _device("wlan0", 2, 20 if self.off else self.wlan), WIRELESS: held}

    def visible(self) -> dict[int, dict[str, Any]]:
        return {
            n: one for n, one in enumerate(self.air) if not (one.get("hidden") and not self.on(one))
        }

    def on(self, network: dict[str, Any]) -> bool:
        used = self.profiles.get(self.using, {}).get("settings", {}).get(WIFI, {}).get("ssid")
        return bool(self.wlan == 100 and used == network["ssid"])

    def point(self, n: int) -> str:
        return f"{ROOT}/AccessPoint/{n}"

    def heard(self, one: dict[str, Any]) -> dict[str, Props]:
        keys = one.get("keys", 0x100 if one.get("psk") else 0)
        return {
            POINT: _point(
                one["ssid"], one.get("strength", 70), keys, one.get("flags", int(bool(keys)))
            )
        }

    def own_point(self) -> dict[str, Props]:
        own = self.hotspot() or {}
        return {POINT: _point(own[WIFI]["ssid"], 100, 0x100, 1)}

    # orders of the test

    def order(self, order: dict[str, Any]) -> dict[str, Any]:
        match order:
            case {"do": "air", "networks": networks}:
                self.air = networks
                if self.wlan == 100 and not self.hotspot() and not any(map(self.on, self.air)):
                    self.deactivate()
            case {"do": "save", "network": one}:
                secret = {"key-mgmt": "wpa-psk", "psk": one["psk"]}
                wifi = {"ssid": one["ssid"], "mode": "infrastructure"}
                connection = {"id": one.get("id", "home"), "uuid": "1", "autoconnect": True}
                settings = {"connection": connection, WIFI: wifi, SECRET: secret}
                self.add(settings, stored=True)
                self.write()
            case {"do": "cable", "state": state, "carrier": carrier}:
                old, self.cable, self.carrier = self.cable, state, carrier
                self.signal(ETH, DEVICE, "StateChanged", "uuu", [state, old, 0])
            case {"do": "set", **faults}:
                for name, value in faults.items():
                    setattr(self, name, value)
                self.signal(WLAN, DEVICE, "StateChanged", "uuu", [self.wlan, self.wlan, 0])
            case _:
                return self.state()
        return {}

    def state(self) -> dict[str, Any]:
        own = self.hotspot() or {}
        profiles = self.profiles.values()
        used = self.profiles.get(self.using, {}).get("settings", {}).get(WIFI, {}).get("ssid", "")
        return {
            "hotspot": bytes.fromhex(own[WIFI]["ssid"]).decode() if own else "",
            "password": own.get(SECRET, {}).get("psk", ""),
            "joined": used if self.wlan == 100 and not own else "",
            "stored": [one["settings"][WIFI]["ssid"] for one in profiles if one["stored"]],
            "profiles": len(profiles), "scans": self.scans, "wlan": self.wlan,
        }  # fmt: skip


def _device(interface: str, kind: int, state: int) -> Props:
    return {
        "Interface": Variant("s", interface),
        "DeviceType": Variant("u", kind),
        "State": Variant("u", state),
    }


def _point(ssid: str, strength: int, keys: int, flags: int) -> Props:
    return {
        "Ssid": Variant("ay", bytes.fromhex(ssid)), "Strength": Variant("y", strength),
        "Flags": Variant("u", flags), "WpaFlags": Variant("u", 0), "RsnFlags": Variant("u", keys),
    }  # fmt: skip


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a D-Bus value as JSON has it; bytes as hex."""
    match value:
        case Variant():
            return _plain(value.value)
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case bytes() | bytearray():
            return bytes(value).hex()
        case list():
            return [_plain(one) for one in value]
        case _:
            return value


def _variants(settings: dict[str, Any]) -> dict[str, Props]:
    found: dict[str, Props] = {
        "connection": {name: Variant("s", settings["connection"][name]) for name in ("id", "uuid")}
    }
    found["connection"]["type"] = Variant("s", WIFI)
    found[WIFI] = {
        "ssid": Variant("ay", bytes.fromhex(settings[WIFI]["ssid"])),
        "mode": Variant("s", settings[WIFI].get("mode", "infrastructure")),
    }
    return found


async def main(address: str) -> None:
    bus = await MessageBus(bus_address=address).connect()
    fake = Fake(bus, Path(address.removeprefix("unix:path=")).with_name("profiles.json"))
    bus.add_message_handler(fake.called)
    rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'"
    await bus.call(
        Message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "AddMatch", signature="s", body=[rule])
    )  # fmt: skip
    await bus.request_name(NM)
    print("{}", flush=True)  # noqa: T201
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while True:
        try:
            async with asyncio.timeout(0.05):
                line = await lines.readline()
        except TimeoutError:
            fake.autoconnect()
            continue
        if not line:
            return
        print(json.dumps(fake.order(json.loads(line))), flush=True)  # noqa: T201
        fake.autoconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
