"""NetworkManager over D-Bus: what it sees, a Wi-Fi joined and saved, and the hotspot.

Names and numbers are those of its D-Bus reference, versions 1.42 (Debian 12) and 1.52 (Debian 13).
A Wi-Fi that is tried lives in NetworkManager's memory only; once joined it is written to the disk.
NetworkManager does not sync a new file (`nm_utils_file_set_contents`), so we do: a power cut within
seconds took it. One that failed is deleted: left over, its profile has lost its secrets, and the
right password would be refused as "key-mgmt: property is missing" (seen with 1.42). A profile is
known by its UUID: NetworkManager numbers their paths anew at each start. Looks, tries and hotspot
stand in one module: they share its objects, and it does one activation at a time.
"""

import asyncio
import logging
import os
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from msgspec import Struct

from hub.contract.provision import NetworkTrouble
from provisioning.network.bus import (
    BROKEN,
    DBUS,
    OBJECTS,
    PROPERTIES,
    RefusedError,
    call,
    match,
)
from provisioning.network.state import Cable, Credentials, Radio, Security, Seen, readable

log = logging.getLogger(__name__)
NM, ROOT = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
SETTINGS, SETTINGS_PATH = f"{NM}.Settings", f"{ROOT}/Settings"
DEVICE, WIRELESS, WIRED = f"{NM}.Device", f"{NM}.Device.Wireless", f"{NM}.Device.Wired"
POINT, ACTIVE, PROFILE = f"{NM}.AccessPoint", f"{NM}.Connection.Active", f"{SETTINGS}.Connection"
WIFI, SECRET = "802-11-wireless", "802-11-wireless-security"
JOIN_S = 100.0  # its own deadlines: 25 s to associate, 12 s for a wrong password, 45 s for DHCP
HOTSPOT_S = 90.0  # 2 s on a Pi; 40 s were seen on emulated cores
TO_DISK = 0x1  # NMSettingsUpdate2Flags
OURS, TRIED, HOTSPOT_ID = "anbu-wifi", "anbu-wifi-try", "anbu-hotspot"  # ids of our profiles
WEXT = Path("/proc/net/wireless")
Objects = dict[str, dict[str, dict[str, Variant]]]
Settings = dict[str, dict[str, Variant]]


class Kind(IntEnum):
    """NMDeviceType."""

    ETHERNET = 1
    WIFI = 2


class Device(IntEnum):
    """NMDeviceState, as far as it matters."""

    UNMANAGED = 10
    UNAVAILABLE = 20
    DISCONNECTED = 30
    PREPARE = 40
    ACTIVATED = 100
    DEACTIVATING = 110
    FAILED = 120


class Activation(IntEnum):
    """NMActiveConnectionState, as far as it matters."""

    BEGUN = 1
    UP = 2
    GONE = 4


class Key(IntEnum):
    """NM80211ApSecurityFlags: how the keys are agreed."""

    PSK = 0x100
    ENTERPRISE = 0x200
    SAE = 0x400
    SUITE_B_192 = 0x2000


PRIVACY = 0x1  # NM80211ApFlags: it is encrypted
NO_SECRETS, SSID_NOT_FOUND = 7, 53
REASONS = {  # NMDeviceStateReason
    NO_SECRETS: NetworkTrouble.WRONG_PASSWORD,
    SSID_NOT_FOUND: NetworkTrouble.NO_SUCH_NETWORK,
    **dict.fromkeys((5, 6, 15, 16, 17), NetworkTrouble.NO_DHCP),
}
REFUSALS = dict.fromkeys(
    (f"{NM}.PermissionDenied", "org.freedesktop.DBus.Error.AccessDenied"),
    NetworkTrouble.NOT_ALLOWED,
)


class Spot(Struct, frozen=True):
    """A Wi-Fi that was heard. `signal_dbm`: of its strongest access point."""

    ssid: bytes
    security: Security
    signal_dbm: int

    @property
    def name(self) -> str:
        """The name as people read it."""
        return readable(self.ssid)


class JoinError(Exception):
    """A Wi-Fi, or the hotspot, did not come up."""

    def __init__(self, trouble: NetworkTrouble, reason: int = 0) -> None:
        super().__init__(f"{trouble} ({reason})")
        self.trouble = trouble


class NetworkDaemon:
    """NetworkManager behind one connection to the bus. Calls raise `RefusedError` or `BROKEN`."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self.changed = asyncio.Event()  # something is worth a look
        self._gone = asyncio.Event()  # the NetworkManager that knew us
        self._steps: asyncio.Queue[tuple[str, str, tuple[int, ...]]] | None = None
        self._hotspot = ""  # the active connection
        self._ordered: asyncio.Future[None] | None = None  # the hotspot, until it is answered

    async def begin(self) -> None:
        """Follow what changes, and have Wi-Fi switched on."""
        self._bus.add_message_handler(self._heard)
        await match(self._bus, f"sender='{DBUS}',member='NameOwnerChanged',arg0='{NM}'")
        await match(self._bus, f"sender='{NM}',member='StateChanged'")
        await match(self._bus, f"sender='{NM}',path='{ROOT}',interface='{PROPERTIES}'")
        if not await self._get(ROOT, NM, "WirelessEnabled"):
            try:
                await self._set(ROOT, NM, "WirelessEnabled", Variant("b", True))  # noqa: FBT003
            except RefusedError as error:
                log.info("Wi-Fi cannot be switched on: %s", error)

    async def until_gone(self) -> None:
        """Wait for the end of this NetworkManager. A new one knows nothing of what we began."""
        await self._gone.wait()

    # what there is

    async def look(self) -> Seen:
        """Return what NetworkManager sees now."""
        objects = await self._objects()
        radio, name, signal = _radio(objects)
        return Seen(_cable(objects), radio, name, signal, saved=bool(await self._saved()))

    async def scan(self) -> tuple[Spot, ...]:
        """Ask for a scan, and return what was heard so far, strongest first.

        While the hotspot is open a driver may refuse to scan; what was heard before is still there.
        """
        objects = await self._objects()
        if device := _device(objects, Kind.WIFI):
            try:
                await self._call(device, WIRELESS, "RequestScan", "a{sv}", {})
            except RefusedError as error:
                log.info("no scan now: %s", error)
        return tuple(_spots(objects))

    # a Wi-Fi

    async def join(self, wanted: Credentials) -> str:
        """Join a Wi-Fi and save it; return its UUID. Raises `JoinError`: nothing is left."""
        await self._answered()
        device = await self._wifi()
        await self._remove(lambda settings: _ssid(settings) == wanted.ssid and _is_try(settings))
        options = {"persist": Variant("s", "memory")}
        settings = profile_of(wanted)
        uuid = _uuid(settings)
        profile, active = await self._activate(settings, device, options)
        try:
            await self._until_up(device, active, JOIN_S)
        except JoinError:
            await self._remove(lambda settings: _uuid(settings) == uuid)
            raise
        settings["connection"]["id"] = Variant("s", OURS)
        await self._call(profile, PROFILE, "Update2", "a{sa{sv}}ua{sv}", settings, TO_DISK, {})
        await asyncio.to_thread(os.sync)
        await self._remove(
            lambda settings: _ssid(settings) == wanted.ssid and _uuid(settings) != uuid
        )
        return uuid

    async def prune(self, but: str) -> None:
        """Delete what the form saved before, now that the profile of the UUID `but` is proven."""
        await self._remove(lambda settings: _id(settings) == OURS and _uuid(settings) != but)

    async def forget_tries(self) -> None:
        """Delete profiles of tries whose end was never heard."""
        await self._remove(_is_try)

    # the hotspot

    async def open_hotspot(self, name: str, password: str) -> str:
        """Open it; return its own address. It ends when our connection to the bus ends.

        Raises `JoinError`. If it is cancelled, `close_hotspot` ends what it began.
        """
        await self._answered()
        device = await self._wifi()
        self._ordered = asyncio.ensure_future(self._order(hotspot_of(name, password), device))
        await asyncio.shield(self._ordered)
        try:
            await self._until_up(device, self._hotspot, HOTSPOT_S)
        except JoinError:
            await self._end_hotspot()  # it might come up later, without a form
            raise
        config = await self._get(device, DEVICE, "Ip4Config")
        addresses = await self._get(config, f"{NM}.IP4Config", "AddressData")
        return str(addresses[0]["address"].value)

    async def close_hotspot(self) -> None:
        """Close it, and join the saved Wi-Fi that was used last, unless one is joined already.

        NetworkManager would join one by itself, but only after a scan of its own.
        """
        await self._end_hotspot()
        saved = await self._saved()
        objects = await self._objects()
        device = _device(objects, Kind.WIFI)
        if saved and device and _radio(objects)[0] is not Radio.UP:
            try:
                last = max(saved, key=_used_at)[0]
                await self._call(ROOT, NM, "ActivateConnection", "ooo", last, device, "/")
            except RefusedError as error:
                log.info("it joins the saved Wi-Fi by itself: %s", error)

    # how

    async def _order(self, hotspot: Settings, device: str) -> None:
        options = {
            "persist": Variant("s", "volatile"),
            "bind-activation": Variant("s", "dbus-client"),
        }
        _, self._hotspot = await self._activate(hotspot, device, options)

    async def _answered(self) -> None:
        """Wait for the answer to the last order of a hotspot: only then it can be ended."""
        if self._ordered:
            await asyncio.wait([self._ordered])
            self._ordered = self._steps = None

    async def _end_hotspot(self) -> None:
        await self._answered()
        active, self._hotspot = self._hotspot, ""
        if active:
            try:
                await self._call(ROOT, NM, "DeactivateConnection", "o", active)
            except RefusedError as error:
                log.info("the hotspot was closed already: %s", error)

    async def _wifi(self) -> str:
        objects = await self._objects()
        device = _device(objects, Kind.WIFI)
        if not device:
            raise JoinError(NetworkTrouble.NO_WAY)
        if _value(objects[device], DEVICE, "State") < Device.DISCONNECTED:
            raise JoinError(NetworkTrouble.RADIO_OFF)
        return device

    async def _activate(
        self, settings: Settings, device: str, options: dict[str, Variant]
    ) -> tuple[str, str]:
        self._steps = asyncio.Queue()
        signature = "a{sa{sv}}ooa{sv}"
        try:
            body = await self._call(
                ROOT, NM, "AddAndActivateConnection2", signature, settings, device, "/", options
            )
        except RefusedError as error:
            log.warning("NetworkManager refuses: %s", error)
            raise JoinError(REFUSALS.get(error.name, NetworkTrouble.JOIN_FAILED)) from error
        return str(body[0]), str(body[1])

    async def _until_up(self, device: str, active: str, within_s: float) -> None:
        """Wait until this activation is up. Raises `JoinError`.

        Its own state says so: the device's may be of what it did before. Of a failure the device's
        state comes first, and has the reason.
        """
        assert self._steps is not None  # noqa: S101 - `_activate` comes first
        begun = False
        try:
            async with asyncio.timeout(within_s):
                while True:
                    path, interface, numbers = await self._steps.get()
                    if interface == ACTIVE and path == active:
                        if numbers[0] == Activation.UP:
                            return
                        if numbers[0] == Activation.GONE:
                            raise JoinError(NetworkTrouble.JOIN_FAILED, numbers[1])
                        begun = True
                    elif begun and (path, interface, numbers[0]) == (device, DEVICE, Device.FAILED):
                        reason = numbers[2]
                        raise JoinError(REASONS.get(reason, NetworkTrouble.JOIN_FAILED), reason)
        except TimeoutError as error:
            raise JoinError(NetworkTrouble.JOIN_FAILED) from error
        finally:
            self._steps = None

    async def _saved(self) -> list[tuple[str, Settings]]:
        """Return the profiles of Wi-Fi to join that outlast a power cut, as far as we know."""
        found = [one async for one in self._profiles()]
        return [one for one in found if is_network(one[1]) and not _is_try(one[1])]

    async def _remove(self, fits: Any) -> None:  # noqa: ANN401 - a predicate
        for path, settings in [one async for one in self._profiles()]:
            if is_network(settings) and fits(settings):
                await self._delete(path)

    async def _delete(self, profile: str) -> None:
        try:
            await self._call(profile, PROFILE, "Delete", "")
        except RefusedError as error:
            log.info("%s: %s", profile, error)

    async def _profiles(self) -> Any:  # noqa: ANN401 - an iterator of paths and settings
        for path in (await self._call(SETTINGS_PATH, SETTINGS, "ListConnections", ""))[0]:
            try:
                settings = (await self._call(path, PROFILE, "GetSettings", ""))[0]
            except RefusedError:
                continue  # it was deleted just now
            yield path, settings

    async def _objects(self) -> Objects:
        message = Message(NM, "/org/freedesktop", OBJECTS, "GetManagedObjects")
        objects: Objects = (await call(self._bus, message))[0]
        return objects

    async def _get(self, path: str, interface: str, name: str) -> Any:  # noqa: ANN401
        body = await self._call(path, PROPERTIES, "Get", "ss", interface, name)
        return body[0].value

    async def _set(self, path: str, interface: str, name: str, value: Variant) -> None:
        await self._call(path, PROPERTIES, "Set", "ssv", interface, name, value)

    async def _call(
        self, path: str, interface: str, member: str, signature: str, *body: object
    ) -> list[Any]:
        message = Message(NM, path, interface, member, signature=signature, body=list(body))
        return await call(self._bus, message)

    def _heard(self, message: Message) -> None:
        if message.message_type is not MessageType.SIGNAL:
            return
        self.changed.set()
        if message.member == "NameOwnerChanged" and message.body[0] == NM:
            self._gone.set()
        if message.member == "StateChanged" and self._steps is not None:
            self._steps.put_nowait((message.path or "", message.interface or "", (*message.body,)))


def profile_of(wanted: Credentials) -> Settings:
    """Return the profile of a home's Wi-Fi, which is joined again whenever it is there.

    Until it is saved its id says that it is a try. NetworkManager's own flag would not do: a
    profile that netplan keeps for it lies in memory, too.
    """
    settings: Settings = {
        "connection": {
            "id": Variant("s", TRIED),
            "uuid": Variant("s", str(uuid4())),
            "type": Variant("s", WIFI),
            "autoconnect": Variant("b", True),  # noqa: FBT003
            "autoconnect-retries": Variant("i", 0),  # without end
        },
        WIFI: {
            "ssid": Variant("ay", wanted.ssid),
            "mode": Variant("s", "infrastructure"),
            "hidden": Variant("b", wanted.hidden),
            "powersave": Variant("u", 2),  # off: a hub on the mains has to be reached at once
        },
        "ipv4": {"method": Variant("s", "auto")},
        "ipv6": {"method": Variant("s", "auto")},
    }
    if wanted.security is not Security.OPEN:
        sae = wanted.security is Security.SAE
        settings[SECRET] = {
            "key-mgmt": Variant(
                "s", "sae" if sae else "wpa-psk"
            ),  # wpa-psk: WPA3 too, if it is offered
            "psk": Variant("s", wanted.password),
        }
    return settings


def hotspot_of(name: str, password: str) -> Settings:
    """Return the profile of the hotspot: WPA2 with AES only, which every phone has."""
    return {
        "connection": {
            "id": Variant("s", HOTSPOT_ID),
            "uuid": Variant("s", str(uuid4())),
            "type": Variant("s", WIFI),
            "autoconnect": Variant("b", False),  # noqa: FBT003
        },
        WIFI: {
            "ssid": Variant("ay", name.encode()),
            "mode": Variant("s", "ap"),
            "band": Variant("s", "bg"),  # 2.4 GHz: through walls, and no radar to wait for
        },
        SECRET: {
            "key-mgmt": Variant("s", "wpa-psk"),
            "psk": Variant("s", password),
            "proto": Variant("as", ["rsn"]),
            "pairwise": Variant("as", ["ccmp"]),
            "group": Variant("as", ["ccmp"]),
            "pmf": Variant("i", 1),  # off: brcmfmac as an access point fails with it
        },
        "ipv4": {
            "method": Variant("s", "shared"),
            "address-data": Variant(
                "aa{sv}", [{"address": Variant("s", ADDRESS), "prefix": Variant("u", 24)}]
            ),
        },
        "ipv6": {"method": Variant("s", "disabled")},
    }


ADDRESS = "10.42.0.1"


def is_network(settings: Settings) -> bool:
    """Whether a profile is a Wi-Fi to join: no hotspot, and no cable."""
    mode = settings.get(WIFI, {}).get("mode")
    return WIFI in settings and (mode is None or mode.value == "infrastructure")


def _id(settings: Settings) -> str:
    return str(settings["connection"]["id"].value)


def _uuid(settings: Settings) -> str:
    return str(settings["connection"]["uuid"].value)


def _is_try(settings: Settings) -> bool:
    """Whether it is a profile of ours that was not saved, or not yet."""
    return _id(settings) == TRIED


def _ssid(settings: Settings) -> bytes:
    return bytes(settings[WIFI]["ssid"].value)


def _used_at(profile: tuple[str, Settings]) -> int:
    """Return when a profile was up last, in seconds of Unix time; 0: never."""
    told = profile[1].get("connection", {}).get("timestamp")
    return int(told.value) if told else 0


def _value(interfaces: dict[str, dict[str, Variant]], interface: str, name: str) -> Any:  # noqa: ANN401
    return interfaces[interface][name].value


def _device(objects: Objects, kind: Kind) -> str:
    """Return the first device of a kind that NetworkManager looks after, or ""."""
    found = [
        (path, interfaces)
        for path, interfaces in sorted(objects.items())
        if DEVICE in interfaces and _value(interfaces, DEVICE, "DeviceType") == kind
    ]
    managed = [one for one, held in found if _value(held, DEVICE, "State") > Device.UNMANAGED]
    return next(iter(managed), "")


def _cable(objects: Objects) -> Cable:
    found = [_cable_of(interfaces) for interfaces in objects.values() if WIRED in interfaces]
    order = (Cable.UP, Cable.TRYING, Cable.NO_ADDRESS)
    return next((one for one in order if one in found), Cable.NONE)


def _cable_of(interfaces: dict[str, dict[str, Variant]]) -> Cable:
    state = _value(interfaces, DEVICE, "State")
    if _value(interfaces, DEVICE, "DeviceType") != Kind.ETHERNET or state <= Device.UNMANAGED:
        return Cable.NONE
    if state == Device.ACTIVATED:
        return Cable.UP
    if not _value(interfaces, WIRED, "Carrier"):
        return Cable.NONE
    trying = Device.PREPARE <= state < Device.ACTIVATED
    return Cable.TRYING if trying else Cable.NO_ADDRESS


def _radio(objects: Objects) -> tuple[Radio, str, int | None]:
    device = _device(objects, Kind.WIFI)
    if not device:
        return Radio.NONE, "", None
    held = objects[device]
    state = _value(held, DEVICE, "State")
    if state < Device.DISCONNECTED:
        return Radio.OFF, "", None
    if state < Device.PREPARE or state >= Device.DEACTIVATING:
        return Radio.IDLE, "", None
    if state < Device.ACTIVATED:
        return Radio.JOINING, "", None
    point = objects.get(_value(held, WIRELESS, "ActiveAccessPoint"), {})
    name = readable(bytes(_value(point, POINT, "Ssid"))) if point else ""
    if _value(held, WIRELESS, "Mode") == MODE_AP:
        return Radio.HOTSPOT, name, None
    percent = _value(point, POINT, "Strength") if point else 0
    measured = measured_dbm(str(_value(held, DEVICE, "Interface")))
    return Radio.UP, name, dbm(percent) if measured is None else measured


MODE_AP = 3  # NM80211Mode


def dbm(percent: int) -> int:
    """Return NetworkManager's strength in dBm, as its nm_wifi_utils_level_to_quality has it.

    100 % is -40 dBm or more, 0 % is -100 dBm or less.
    """
    return round(-40 - (100 - percent) * 0.6)


def measured_dbm(interface: str, table: Path = WEXT) -> int | None:
    """Return the kernel's own measure for the Wi-Fi that is joined, or None where it has none."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        name, _, rest = line.partition(":")
        if name.strip() == interface:
            level = int(float(rest.split()[2]))
            return level if -200 < level < 0 else None  # noqa: PLR2004 - as the wire has it
    return None


def _spots(objects: Objects) -> Iterator[Spot]:
    best: dict[bytes, Spot] = {}
    device = _device(objects, Kind.WIFI)
    here = _value(objects[device], WIRELESS, "AccessPoints") if device else ()
    own = _value(objects[device], WIRELESS, "ActiveAccessPoint") if device else ""
    for path in here:
        held = objects.get(path, {})
        if not held or (path == own and _value(objects[device], WIRELESS, "Mode") == MODE_AP):
            continue
        ssid = bytes(_value(held, POINT, "Ssid"))
        spot = Spot(ssid, _security(held), dbm(_value(held, POINT, "Strength")))
        if ssid.strip(b"\0") and (ssid not in best or best[ssid].signal_dbm < spot.signal_dbm):
            best[ssid] = spot
    yield from sorted(best.values(), key=lambda spot: -spot.signal_dbm)


def _security(held: dict[str, dict[str, Variant]]) -> Security:
    keys = _value(held, POINT, "WpaFlags") | _value(held, POINT, "RsnFlags")
    if keys & Key.PSK:
        return Security.PASSWORD
    if keys & Key.SAE:
        return Security.SAE
    if keys & (Key.ENTERPRISE | Key.SUITE_B_192):
        return Security.ENTERPRISE
    private = _value(held, POINT, "Flags") & PRIVACY
    return Security.WEP if private and not keys else Security.OPEN


UNREACHED = (*BROKEN, RefusedError)


def trouble_of(error: Exception) -> NetworkTrouble:
    """Return what it means that a call was refused, or that none was answered."""
    name = error.name if isinstance(error, RefusedError) else ""
    return REFUSALS.get(name, NetworkTrouble.NO_MANAGER)
