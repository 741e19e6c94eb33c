"""The air around the virtual Pi: its Bluetooth controller, and devices that speak to it.

Run with a Python of its own that has Bumble (`air.py` makes it): JSON lines in, JSON lines out. The
controller stands on the socket that QEMU joins to the guest's adapter; pendants, band and phone are
on the same simulated link. Only the radio is simulated: keys, pairing and GATT are Bumble's.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from bumble import hci, ll
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData, ProtocolError
from bumble.device import Connection, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.link import LocalLink
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport

Request = dict[str, Any]
HUB = "B8:27:EB:00:00:01"
BAND = "F0:F1:F2:F3:F4:F5"
PHONE, PHONE_IRK = "C4:C5:C6:C7:C8:C9", "00112233445566778899aabbccddeeff"  # of no real phone
YES_AND_NO = 1  # what a phone has to answer with: it shows digits and takes yes or no
CONNECT_S = 40.0


def say(**told: object) -> None:
    """Write one line to the test."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


class HubController(Controller):
    """A Pi's adapter: Bumble's controller, but for three things that the kernel cannot do without.

    - Bumble mixes up a central's random and public address; a Pi's adapter uses its public one.
    - A host that wants `LE Enhanced Connection Complete` is told of a connection by that event and
      by no other (Core 5.4, Vol 4, Part E, 7.7.65.10). Bumble sends the old one: the kernel waits
      4 s for the new one, takes the connection for one that failed, and can never disconnect it.
    - A connection that is cancelled ends with an event of its own (7.8.13). Bumble keeps on trying,
      and refuses each later connection.
    """

    @property
    def random_address(self) -> hci.Address:
        return self.public_address

    @random_address.setter
    def random_address(self, _address: hci.Address) -> None:
        pass

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if isinstance(packet, hci.HCI_LE_Connection_Complete_Event) and self._wants_enhanced():
            packet = enhanced(packet)
        super().send_hci_packet(packet)

    def _wants_enhanced(self) -> bool:
        number = hci.HCI_LE_Enhanced_Connection_Complete_Event.subevent_code
        return bool(self.le_event_mask >> (number - 1) & 1)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        asyncio.get_running_loop().call_soon(self.send_hci_packet, cancelled(pending))
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)


def cancelled(
    pending: hci.HCI_LE_Create_Connection_Command | hci.HCI_LE_Extended_Create_Connection_Command,
) -> hci.HCI_LE_Connection_Complete_Event:
    """Return what tells a host that a connection was cancelled."""
    return hci.HCI_LE_Connection_Complete_Event(
        status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
        connection_handle=0, role=hci.Role.CENTRAL,
        peer_address_type=pending.peer_address.address_type, peer_address=pending.peer_address,
        connection_interval=0, peripheral_latency=0, supervision_timeout=0,
        central_clock_accuracy=0,
    )  # fmt: skip


def enhanced(
    old: hci.HCI_LE_Connection_Complete_Event,
) -> hci.HCI_LE_Enhanced_Connection_Complete_Event:
    """Return the event that has the resolvable addresses besides: here none, the host resolves."""
    return hci.HCI_LE_Enhanced_Connection_Complete_Event(
        status=old.status, connection_handle=old.connection_handle, role=old.role,
        peer_address_type=old.peer_address_type, peer_address=old.peer_address,
        local_resolvable_private_address=hci.Address.ANY_RANDOM,
        peer_resolvable_private_address=hci.Address.ANY_RANDOM,
        connection_interval=old.connection_interval, peripheral_latency=old.peripheral_latency,
        supervision_timeout=old.supervision_timeout,
        central_clock_accuracy=old.central_clock_accuracy,
    )  # fmt: skip


class Fingers(PairingDelegate):
    """Who stands beside a device: compares digits, types or shows a key."""

    def __init__(self, who: str, io_capability: int, answers: asyncio.Queue[Request]) -> None:
        super().__init__(PairingDelegate.IoCapability(io_capability))
        self._who, self._answers = who, answers

    async def compare_numbers(self, number: int, digits: int) -> bool:
        say(event="compare", who=self._who, digits=f"{number:0{digits}}")
        return bool((await self._answers.get())["yes"])

    async def display_number(self, number: int, digits: int) -> None:
        say(event="shows", who=self._who, digits=f"{number:0{digits}}")

    async def get_number(self) -> int | None:
        say(event="wants_key", who=self._who)
        return int((await self._answers.get())["key"])

    async def confirm(self, auto: bool = False) -> bool:  # noqa: FBT001, FBT002 - Bumble's
        say(event="confirmed", who=self._who, auto=auto)
        return True


class Band:
    """A heart-rate band: notifies what the test says, and can forget its bond."""

    def __init__(self, link: LocalLink, controller: str = "C0:DE:CA:FE:00:01") -> None:
        self.answers: asyncio.Queue[Request] = asyncio.Queue()
        host = Host()
        host.controller = Controller("band", link=link, public_address=controller)
        config = DeviceConfiguration(name="CareBand", address=hci.Address(BAND))
        self.device = Device(config=config, host=host)
        self.pulse = Characteristic(
            UUID.from_16_bits(0x2A37), Characteristic.Properties.NOTIFY, Characteristic.READABLE
        )
        battery = Characteristic(
            UUID.from_16_bits(0x2A19),
            Characteristic.Properties.READ | Characteristic.Properties.NOTIFY,
            Characteristic.READABLE,
            CharacteristicValue(read=lambda _connection: bytes([77])),
        )
        maker = Characteristic(
            UUID.from_16_bits(0x2A29),
            Characteristic.Properties.READ,
            Characteristic.READABLE,
            b"Invented Bands",
        )
        self.device.add_services(
            [
                Service(UUID.from_16_bits(0x180D), [self.pulse]),
                Service(UUID.from_16_bits(0x180F), [battery]),
                Service(UUID.from_16_bits(0x180A), [maker]),
            ]
        )
        self.device.advertising_data = bytes(
            AdvertisingData(
                [
                    (AdvertisingData.FLAGS, bytes([6])),
                    (AdvertisingData.COMPLETE_LOCAL_NAME, b"CareBand"),
                    (AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, b"\x0d\x18"),
                ]
            )
        )
        self.device.on("connection", self._connected)
        self.secure(io_capability=3)

    def secure(self, io_capability: int) -> None:
        """Pair from now on with these means: 0 shows a key, 3 neither shows nor takes any."""
        delegate = Fingers("band", io_capability, self.answers)
        self.device.pairing_config_factory = lambda _connection: PairingConfig(
            sc=True, mitm=io_capability != 3, bonding=True, delegate=delegate
        )

    def _connected(self, connection: Connection) -> None:
        say(event="connected", who="band")
        connection.on("disconnection", lambda reason: say(event="gone", who="band", reason=reason))
        connection.on("pairing", lambda _keys: say(event="paired", who="band"))
        connection.on("pairing_failure", lambda why: say(event="not_paired", who="band", why=why))

    async def notify(self, value: bytes) -> None:
        """Send one notification to whoever has subscribed."""
        await self.device.notify_subscribers(self.pulse, value)

    async def leave(self) -> None:
        """Go out of range: no adverts, and no connection any more."""
        await self.device.stop_advertising()
        for connection in list(self.device.connections.values()):
            await connection.disconnect()

    async def forget(self) -> None:
        """Lose all bonds, as after a factory reset."""
        if self.device.keystore is not None:
            await self.device.keystore.delete_all()

    def ask(self) -> None:
        """Ask whoever is connected to pair, as a band does that wants to be bonded."""
        for connection in self.device.connections.values():
            connection.request_pairing()


class Phone:
    """A phone: its address changes, and it tells its identity only to whom it is bonded with."""

    def __init__(self, link: LocalLink, controller: str = "C0:DE:CA:FE:00:02") -> None:
        self.answers: asyncio.Queue[Request] = asyncio.Queue()
        host = Host()
        host.controller = Controller("phone", link=link, public_address=controller)
        config = DeviceConfiguration(
            name="Phone", address=hci.Address(PHONE), irk=bytes.fromhex(PHONE_IRK),
            le_privacy_enabled=True, le_rpa_timeout=0,
        )  # fmt: skip
        self.device = Device(config=config, host=host)
        delegate = Fingers("phone", YES_AND_NO, self.answers)
        self.device.pairing_config_factory = lambda _connection: PairingConfig(
            sc=True, mitm=True, bonding=True, delegate=delegate,
            identity_address_type=PairingConfig.AddressType.RANDOM,
        )  # fmt: skip
        self._pairing: asyncio.Task[None] | None = None

    async def choose_hub(self) -> None:
        """Connect to the hub, as chosen in the phone's settings, and begin to pair."""
        await self.device.connect(
            hci.Address(HUB, hci.Address.PUBLIC_DEVICE_ADDRESS),
            own_address_type=hci.OwnAddressType.RANDOM,
            timeout=CONNECT_S,
        )
        self._pairing = asyncio.create_task(self._pair())

    async def _pair(self) -> None:
        (connection,) = self.device.connections.values()
        try:
            await connection.pair()
            say(event="paired", who="phone")
        except ProtocolError as error:
            say(event="not_paired", who="phone", why=str(error))

    async def leave(self) -> None:
        """Go out of range."""
        await self.device.stop_advertising()
        for connection in list(self.device.connections.values()):
            await connection.disconnect()

    async def be_heard(self) -> None:
        """Advertise under a new address, as phones do every quarter of an hour."""
        await self.leave()
        self.device.random_address = hci.Address.generate_private_address(self.device.irk)
        await self.device.send_sync_command(
            hci.HCI_LE_Set_Random_Address_Command(random_address=self.device.random_address)
        )
        self.device.advertising_data = bytes(
            AdvertisingData([(AdvertisingData.FLAGS, bytes([0x1A]))])
        )
        await self.device.start_advertising(own_address_type=hci.OwnAddressType.RANDOM)
        say(event="address", who="phone", address=str(self.device.random_address)[:17])


class World:
    """Everything on the link, and what the test may do with it."""

    def __init__(self, hub: Controller, link: LocalLink) -> None:
        self._hub = hub
        self.band = Band(link)
        self.phone = Phone(link)

    async def begin(self) -> None:
        """Switch the devices on; none advertises yet."""
        await self.band.device.power_on()
        await self.phone.device.power_on()

    async def advert(self, request: Request) -> None:
        """Send one advert `times` times, `gap_ms` apart."""
        kind = hci.Address.RANDOM_DEVICE_ADDRESS if request.get("random") else 0
        address = hci.Address(request["address"], hci.AddressType(kind))
        pdu = ll.AdvInd(advertiser_address=address, data=bytes.fromhex(request["hex"]))
        for _ in range(request.get("times", 1)):
            self._hub.on_ll_advertising_pdu(pdu)
            await asyncio.sleep(request.get("gap_ms", 20) / 1000)

    async def band_on(self, _request: Request) -> None:
        """Come into range and advertise until connected."""
        await self.band.device.start_advertising(auto_restart=True)

    async def band_off(self, _request: Request) -> None:
        """Go out of range."""
        await self.band.leave()

    async def pulse(self, request: Request) -> None:
        """Notify one heart-rate frame."""
        await self.band.notify(bytes.fromhex(request["hex"]))

    async def band_forgets(self, _request: Request) -> None:
        """Lose the bond."""
        await self.band.forget()

    async def band_secure(self, request: Request) -> None:
        """Choose how the band pairs."""
        self.band.secure(request["io"])

    async def band_asks(self, _request: Request) -> None:
        """Have the band ask to be paired."""
        self.band.ask()

    async def phone_chooses_hub(self, _request: Request) -> None:
        """Have somebody choose the hub in the phone's settings."""
        await self.phone.choose_hub()

    async def phone_heard(self, _request: Request) -> None:
        """Have the phone advertise under a new address."""
        await self.phone.be_heard()

    async def phone_off(self, _request: Request) -> None:
        """Take the phone out of range."""
        await self.phone.leave()

    async def answer(self, request: Request) -> None:
        """Answer what a device, `who`, asks whoever stands beside it."""
        await {"band": self.band, "phone": self.phone}[request["who"]].answers.put(request)


async def serve(socket: str) -> None:
    """Work until the test closes its end."""
    link = LocalLink()
    transport = await open_transport(f"unix-client:{socket}")
    hub = HubController(
        "hub", host_source=transport.source, host_sink=transport.sink, link=link,
        public_address=HUB,
    )  # fmt: skip
    world = World(hub, link)
    await world.begin()
    say(event="up")
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request: Request = json.loads(line)
        act: Callable[[Request], Awaitable[None]] = getattr(world, request["do"])
        await act(request)
        say(event="done", id=request["id"])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
