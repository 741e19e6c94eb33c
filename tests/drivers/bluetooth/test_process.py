"""The real radio process between a fake `org.bluez` and the hub's end: killed, hung, begun anew."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from time import monotonic

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.app import REST_S
from drivers.radio import Driver
from hub.core.model.effects import Took
from hub.core.model.events import RadioPartChanged, WirelessPressed
from hub.core.model.wireless import Presses, Verdict, fold
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus
from tests.drivers.fakes import FakePort
from tests.layout import REPO

ADDRESS, KEY = "38:39:8F:70:B2:E1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PENDANT = f"""
[[device]]
kind = "pendant"
name = "{{name}}"
address = "{ADDRESS}"
key = "{KEY}"
"""
COUNTERS = count(1)  # of all tests: they share what BlueZ holds


@pytest.fixture(scope="module")
def bluez() -> Iterator[FakeBlueZ]:
    with PrivateBus() as bus, FakeBlueZ(bus) as found:
        yield found


class Home:
    """A radio process, started again as systemd does, and a pendant in the air."""

    def __init__(self, folder: Path, bluez: FakeBlueZ, socket: Path | None = None) -> None:
        self.folder, self.bluez = folder, bluez
        self.socket = socket or folder / "radio.sock"
        self.list = folder / "devices.toml"
        self.list.write_text(PENDANT.format(name="pendant"), encoding="utf-8")
        config = folder / "radio.toml"
        config.write_text(f'socket = "{self.socket}"\nstate_dir = "."\n', encoding="utf-8")
        self._command = [sys.executable, "-m", "hub", "radio", "--config", str(config), "run"]
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        env = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": self.bluez.bus.address}
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self._command, env=env, cwd=REPO, stderr=log)

    def press(self, counter: int) -> None:
        """A frame of the pendant is in the air."""
        tail = counter.to_bytes(4, "little")
        nonce = bytes.fromhex(ADDRESS.replace(":", "")) + b"\xd2\xfc\x45" + tail
        sealed = AESCCM(bytes.fromhex(KEY), 4).encrypt(nonce, b"\x3a\x01", None)
        frame = b"\x45" + sealed[:-4] + tail + sealed[-4:]
        self.bluez.do("advert", address=ADDRESS, data={BTHOME: frame.hex()})

    async def heard(self, port: FakePort, patience_s: float = 60.0) -> WirelessPressed:
        """Press anew until the hub has one; return it."""
        before = len(presses(port))
        async with asyncio.timeout(patience_s):
            while len(presses(port)) == before:
                self.press(next(COUNTERS))
                await asyncio.sleep(0.05)
        return presses(port)[-1]

    async def until_none_is_owed(self, presses: set[str], patience_s: float = 60.0) -> None:
        """Wait until the disk says that the hub has taken these presses."""
        ends = monotonic() + patience_s
        while any(press in self.owed() for press in presses):
            assert monotonic() < ends, self.owed()
            await asyncio.sleep(0.02)

    def owed(self) -> str:
        """Return what the radio keeps on the disk for a hub that comes later."""
        try:
            return (self.folder / "owed.jsonl").read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


def presses(port: FakePort) -> list[WirelessPressed]:
    return [event for event in port.emitted if isinstance(event, WirelessPressed)]


def calls(heard: list[WirelessPressed]) -> list[WirelessPressed]:
    """Return what the hub takes for presses."""
    memory, found = Presses(), list[WirelessPressed]()
    for press in heard:
        memory, verdict = fold(memory, press)
        found += [press] if verdict is Verdict.PRESS else []
    return found


@asynccontextmanager
async def hub(home: Home) -> AsyncIterator[FakePort]:
    """One run of the hub's end."""
    port = FakePort()
    task = asyncio.create_task(Driver(socket=str(home.socket)).run(port))
    try:
        yield port
    finally:
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def home(tmp_path: Path, bluez: FakeBlueZ) -> Iterator[Home]:
    found = Home(tmp_path, bluez)
    try:
        yield found
    finally:
        found.end()


def test_a_press_that_one_hub_left_is_the_next_hubs_and_a_taken_one_is_nobodys(home: Home) -> None:
    async def story() -> None:
        async with hub(home) as port:
            first = await home.heard(port)  # and this hub ends before it has committed it
        async with hub(home) as port:
            await port.until(lambda: first.id in {press.id for press in presses(port)})
            again = next(press for press in presses(port) if press.id == first.id)
            assert (again.counter, again.mark) == (first.counter, first.mark)
            assert first.at - 0.2 < again.at < first.at + 0.2  # as old as it is
            await home.heard(port)
            taken = {press.id for press in presses(port)}
            for press in taken:
                port.tell(Took(press))
            await home.until_none_is_owed(taken)
        async with hub(home) as port:
            await home.heard(port)
            assert taken.isdisjoint(press.id for press in presses(port))

    asyncio.run(story())


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_a_radio_that_is_ended_is_back_and_no_old_press_calls_again(
    home: Home, end: signal.Signals
) -> None:
    async def story() -> None:
        async with hub(home) as port:
            old = await home.heard(port)  # never taken
            home.process.send_signal(end)
            await asyncio.to_thread(home.process.wait, 10)
            home.process = home.start()
            fresh = await home.heard(port)
            while fresh.counter == old.counter:  # BlueZ holds the last frame, and tells it
                fresh = await home.heard(port)
            assert len({press.id.partition("-")[0] for press in presses(port)}) == 2
            assert len(calls(presses(port))) == len({press.counter for press in presses(port)})

    asyncio.run(story())


def test_a_new_name_in_the_list_is_taken_up_while_it_runs(home: Home) -> None:
    async def story() -> None:
        async with hub(home) as port:
            assert (await home.heard(port)).device == "pendant"
            home.list.write_text(PENDANT.format(name="mother"), encoding="utf-8")
            async with asyncio.timeout(10):
                while (await home.heard(port)).device != "mother":
                    pass

    asyncio.run(story())


def test_without_bluetoothd_it_says_so_and_lives(home: Home, bluez: FakeBlueZ) -> None:
    async def story() -> None:
        async with hub(home) as port:
            await home.heard(port)
            bluez.kill()
            await port.until(lambda: any(isinstance(e, RadioPartChanged) for e in port.emitted))
            bluez.start()
            await home.heard(port)
            assert home.process.poll() is None

    asyncio.run(story())


def test_wrong_settings_are_told_with_their_line_and_do_not_take_a_core(tmp_path: Path) -> None:
    config = tmp_path / "radio.toml"
    config.write_text('[adapters]\nlisten = "wlan0"\n', encoding="utf-8")
    command = [sys.executable, "-m", "hub", "radio", "--config", str(config), "run"]
    begun = monotonic()
    ended = subprocess.run(command, cwd=REPO, capture_output=True, check=False, timeout=20)
    assert ended.returncode == 2
    assert b"radio.toml:2: adapters.listen: " in ended.stderr
    assert monotonic() - begun > REST_S
