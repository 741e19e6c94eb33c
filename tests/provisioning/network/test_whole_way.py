"""Stories of a hub's network, over a D-Bus with a fake NetworkManager."""

import asyncio
import os
import time
from typing import Any

import pytest
from dbus_fast import Message
from dbus_fast.aio import MessageBus

from hub.contract.provision import Clock, NetworkTrouble, OpenHotspot, Part, Trouble, Way
from provisioning.network import checks, service, state
from provisioning.network.bus import call, connect
from provisioning.network.checks import Center
from provisioning.network.nm import JoinError, NetworkDaemon, dbm
from provisioning.network.service import hotspot_name
from provisioning.network.state import Checking, Credentials, Joining, Security, Seen, Waiting
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM, Home, Living, until

AIR = {"ssid": HOME, "psk": PASSWORD, "strength": 75}
ENTERPRISE = {"ssid": b"office", "keys": 0x200}
WRONG = "wrong horse"
NAME = hotspot_name("a-machine")


def test_a_new_hub_opens_a_hotspot_whose_name_and_password_it_tells(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            there = nm.state()
            assert there["hotspot"] == home.network.name == NAME
            assert there["password"] == home.network.password
            assert len(home.network.password) == 10
            assert home.network.password.isdigit()

    asyncio.run(story())


def test_a_form_that_is_filled_in_brings_the_hub_onto_the_wifi_for_good(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            status, _, text = await home.post("join", network=HOME.hex(), password=PASSWORD)
            assert status == 200
            assert "할머니댁”에 연결하는 중" in text
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")
            assert home.network.name == "할머니댁"
            assert home.network.signal_dbm == dbm(75)
            assert nm.state()["stored"] == [HOME.hex()]
            nm.kill()  # a power cut
            await home.until(lambda: home.network.trouble == "no_manager", "it is noticed")
            nm.start()
            nm.air(AIR)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined again")
            assert nm.state()["hotspot"] == ""

    asyncio.run(story())


def test_a_joined_wifi_is_on_the_disk_before_it_is_told(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NetworkManager does not sync a new file: a power cut within seconds took it."""
    synced: list[list[str]] = []

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: isinstance(home.connections._state.mode, Waiting), "joined")
            assert synced == [[HOME.hex()]]

    monkeypatch.setattr(os, "sync", lambda: synced.append(nm.state()["stored"]))
    asyncio.run(story())


def test_a_wrong_password_is_told_and_the_right_one_works_afterwards(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            password = home.network.password
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=WRONG)
            await home.until(lambda: home.network.trouble == "wrong_password", "it is told")
            await home.opened()
            assert home.network.password == password, "the phone would not come back"
            assert nm.state()["stored"] == []
            assert nm.state()["profiles"] == 1  # the hotspot's own
            _, _, text = await home.get()
            assert "비밀번호가 맞지 않습니다" in text
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the right one works")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("air", "typed", "why"),
    [
        (AIR | {"dhcp": False}, {"network": HOME.hex()}, "no_dhcp"),
        (AIR, {"network": "other", "name": "nobody"}, "no_such_network"),
    ],
)
def test_each_failure_is_told_apart(
    nm: FakeNM, living: Living, air: dict[str, Any], typed: dict[str, str], why: str
) -> None:
    async def story() -> None:
        nm.air(air)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", password=PASSWORD, **typed)
            await home.until(lambda: home.network.trouble == why, why)
            await home.opened()
            assert nm.state()["stored"] == []

    asyncio.run(story())


def test_a_hidden_wifi_is_joined_by_its_name(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR | {"hidden": True})
        async with living() as home:
            await home.opened()
            await home.post("join", network="other", name="할머니댁", password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")

    asyncio.run(story())


def test_wpa3_is_taken(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR | {"keys": 0x400})
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")

    asyncio.run(story())


def test_a_company_wifi_is_refused_with_a_sentence_and_nothing_is_tried(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR, ENTERPRISE)
        async with living() as home:
            await home.opened()
            await home.until(lambda: len(home.connections._spots) == 2, "they are heard")
            _, _, text = await home.post("join", network=b"office".hex(), password=WRONG)
            assert "802.1X" in text
            assert "office" in text
            _, _, text = await home.post("join", network=HOME.hex(), password=WRONG[:5])
            assert "지금 5자입니다" in text
            assert nm.state()["hotspot"] == NAME

    asyncio.run(story())


def test_a_wifi_without_the_centre_is_kept_and_the_reason_is_on_the_page(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            home.way = checks.Way(NetworkTrouble.CAPTIVE_PORTAL)
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: nm.state()["stored"] == [HOME.hex()], "it is saved")
            await home.until(lambda: home.network.trouble == "captive_portal", "it is told")
            await home.opened()
            _, _, text = await home.get("?lang=en")
            assert "first wants a page to be accepted" in text
            await home.post("keep")
            await home.until(lambda: home.network.way is Way.WIFI, "it is used as it is")
            told = [one for one in home.facts if isinstance(one, Trouble)]
            assert told[-1] == Trouble(Part.NETWORK, present=True, detail="captive_portal")

    asyncio.run(story())


def test_the_button_opens_the_hotspot_of_a_hub_that_has_a_wifi(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            await home.post("join", network=HOME.hex(), password=PASSWORD)
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")
            home.connections.take_order(OpenHotspot(300))
            await home.opened()
            home.connections.take_order(OpenHotspot(0))
            await home.until(lambda: home.network.way is Way.WIFI, "it is shut again")

    asyncio.run(story())


@pytest.mark.usefixtures("nm")
def test_a_phone_that_looks_for_the_internet_is_sent_to_the_form(living: Living) -> None:
    async def story() -> None:
        async with living() as home:
            await home.opened()
            for host, path in (
                ("connectivitycheck.gstatic.com", "generate_204"),
                ("captive.apple.com", "hotspot-detect.html"),
                ("www.msftconnecttest.com", "connecttest.txt"),
                ("detectportal.firefox.com", "canonical.html"),
            ):
                status, head, _ = await home.get(path, host)
                assert (status, head["Location"]) == (302, home.url)

    asyncio.run(story())


def test_another_site_cannot_send_the_form(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            status, _, _ = await home.post("join", origin="http://evil.example", name="x")
            assert status == 403

    asyncio.run(story())


def test_a_cable_is_told(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.do("cable", state=100, carrier=True)
        async with living() as home:
            home.way = checks.Way(None, 42.0)
            await home.until(lambda: Clock(42.0) in home.facts, "the clock is told")
            assert home.network.way is Way.ETHERNET
            assert Trouble(Part.CLOCK, present=True, detail="42") in home.facts

    asyncio.run(story())


def test_a_clock_that_has_become_right_is_told_soon(nm: FakeNM, living: Living) -> None:
    """An installer waits for it, who would have waited for 10 minutes."""

    async def story() -> None:
        nm.do("cable", state=100, carrier=True)
        async with living() as home:
            home.way = checks.Way(None, -3277.0)
            await home.until(lambda: Clock(-3277.0) in home.facts, "the clock is told")
            home.way = checks.Way(None, 0.1)
            await home.until(lambda: Clock(0.1) in home.facts, "it is told again")
            assert Trouble(Part.CLOCK, present=False) in home.facts

    asyncio.run(story())


def test_wifi_that_is_blocked_is_said(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        nm.do("set", no_wifi=True)
        async with living() as home:
            await home.until(lambda: home.network.trouble == "no_way", "it is told")

    asyncio.run(story())


def test_a_driver_that_does_not_scan_during_the_hotspot_loses_no_list(
    nm: FakeNM, living: Living
) -> None:
    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await home.opened()
            await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
            nm.do("set", deny_scan=True)
            nm.air()
            scans = nm.state()["scans"]
            await home.until(lambda: nm.state()["scans"] > scans + 1, "it scans on")
            _, _, text = await home.get()
            assert "할머니댁" in text

    asyncio.run(story())


def test_a_hotspot_ends_with_the_process_that_opened_it(nm: FakeNM, living: Living) -> None:
    async def story() -> None:
        async with living() as home:
            await home.opened()
        await home.until(lambda: not nm.state()["hotspot"], "it ends")

    asyncio.run(story())


def test_a_wifi_joined_at_a_terminal_after_a_failed_form_is_used_and_not_joined_anew(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    close, members, closed = NetworkDaemon.close_hotspot, list[str](), asyncio.Event()

    async def heard(bus: MessageBus, message: Message) -> list[Any]:
        members.append(message.member or "")
        return await call(bus, message)

    async def told(self: NetworkDaemon) -> None:
        await close(self)
        closed.set()

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await trying(home, WRONG)
            await home.until(lambda: home.network.trouble == "wrong_password", "it is told")
            await home.opened()
            monkeypatch.setattr(NetworkDaemon, "close_hotspot", told)
            monkeypatch.setattr("provisioning.network.nm.call", heard)
            terminal = NetworkDaemon(await connect())
            await terminal.begin()
            await terminal.join(Credentials(HOME, PASSWORD))
            terminal._bus.disconnect()
            await home.until(closed.is_set, "the hotspot is shut")
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is used")
            assert "ActivateConnection" not in members

    asyncio.run(story())


async def trying(home: Home, password: str = PASSWORD) -> None:
    """Send the form, and wait until the Wi-Fi is tried."""
    await home.opened()
    await home.until(lambda: home.connections._spots, "the Wi-Fi is heard")
    await home.post("join", network=HOME.hex(), password=password)
    await home.until(lambda: isinstance(home.connections._state.mode, Joining), "it is tried")


def test_a_try_ends_with_the_networkmanager_that_began_it(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never told of, and no hotspot opened again: a new one answers before the next look."""

    async def story() -> None:
        nm.air(AIR | {"dhcp_s": 1000.0})
        async with living() as home:
            await home.opened()
            monkeypatch.setattr(service, "LOOK_S", 60.0)
            await trying(home)
            await home.until(lambda: nm.state()["wlan"] == 50, "it asks for an address")
            nm.restart()
            await home.until(lambda: home.network.trouble == "join_failed", "it is told")
            await home.opened()

    asyncio.run(story())


def test_a_look_that_gets_no_answer_amid_a_try_ends_it(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = [TimeoutError()]
    look, opened = NetworkDaemon.look, list[str]()
    open_hotspot = NetworkDaemon.open_hotspot

    async def late(self: NetworkDaemon) -> Seen:
        while looks:
            raise looks.pop()
        return await look(self)

    async def counted(self: NetworkDaemon, name: str, password: str) -> str:
        opened.append(name)
        return await open_hotspot(self, name, password)

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await trying(home, WRONG)
            monkeypatch.setattr(state, "RETRY_S", 0.1)  # shorter than to open it
            monkeypatch.setattr(NetworkDaemon, "open_hotspot", counted)
            monkeypatch.setattr(NetworkDaemon, "look", late)
            await home.until(lambda: home.network.trouble == "join_failed", "it is told")
            await home.opened()
            assert opened == [NAME]
            assert nm.state()["profiles"] == 1  # the hotspot's own

    asyncio.run(story())


def test_a_wifi_is_known_though_networkmanager_numbers_its_profiles_anew(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Wi-Fi that was joined a moment ago was deleted as one of before."""

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            ended = asyncio.Event()

            async def check(_: Center) -> checks.Way:
                await ended.wait()
                return checks.Way()

            monkeypatch.setattr(checks, "check", check)
            await trying(home)
            await home.until(lambda: isinstance(home.connections._state.mode, Checking), "checked")
            nm.restart()
            nm.air(AIR)
            await home.until(lambda: home.network.trouble == "no_manager", "it is noticed")
            await home.until(lambda: home.network.way is Way.WIFI, "it is joined again")
            nm.do("save", network={"ssid": b"old".hex(), "psk": PASSWORD, "id": "anbu-wifi"})
            ended.set()
            await home.until(lambda: b"old".hex() not in nm.state()["stored"], "others go")
            assert nm.state()["stored"] == [HOME.hex()]

    asyncio.run(story())


def test_a_wifi_that_was_saved_is_used_though_the_end_of_its_try_is_never_heard(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card takes seconds for a sync; a restart within them deleted it."""

    async def story() -> None:
        nm.air(AIR)
        async with living() as home:
            await trying(home)
            await home.until(lambda: nm.state()["stored"], "it is saved")
            nm.restart()
            nm.air(AIR)
            await home.until(lambda: home.network.trouble == "no_manager", "it is noticed")
            await home.until(lambda: home.network.way is Way.WIFI, "it is joined again")
            await home.until(lambda: isinstance(home.connections._state.mode, Waiting), "is used")
            assert nm.state()["stored"] == [HOME.hex()]

    monkeypatch.setattr(os, "sync", lambda: time.sleep(0.6))
    asyncio.run(story())


@pytest.mark.parametrize("typed", [PASSWORD, WRONG])
def test_a_try_that_its_process_did_not_outlive_is_no_saved_wifi(
    nm: FakeNM, living: Living, typed: str
) -> None:
    """Its profile is in NetworkManager's memory only, and would be gone after a power cut."""

    async def story() -> None:
        nm.air(AIR | {"dhcp_s": 10.0})
        async with living() as home:
            await trying(home, typed)
            await home.until(lambda: nm.state()["profiles"] == 1, "its profile is there")
            await home.until(lambda: nm.state()["wlan"] > 30, "it is tried")
        async with living() as home:
            await home.opened()
            assert nm.state()["profiles"] == 1  # the hotspot's own
            assert not home.connections._state.seen.saved

    asyncio.run(story())


def test_a_call_does_not_wait_for_a_hotspot_that_is_only_coming_up(
    nm: FakeNM, living: Living
) -> None:
    """It waited for the hotspot's own deadline, up to 90 s."""

    async def story() -> None:
        nm.air(AIR)
        nm.do("save", network=AIR | {"ssid": HOME.hex()})
        async with living() as home:
            await home.until(lambda: home.network.way is Way.WIFI, "the Wi-Fi is joined")
            nm.do("set", hotspot_s=3600.0)
            home.connections.take_order(OpenHotspot(600))
            await home.until(lambda: nm.state()["wlan"] == 50, "it is coming up")
            home.connections.take_order(OpenHotspot(0))
            await home.until(lambda: nm.state()["joined"] == HOME.hex(), "the Wi-Fi is back")
            nm.do("set", hotspot_s=0.0)
            home.connections.take_order(OpenHotspot(600))
            await home.opened()

    asyncio.run(story())


def test_a_hotspot_that_is_not_wanted_any_more_while_it_is_ordered_does_not_stand(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NetworkManager answers after the cable is in: nobody else would end it."""
    ordered, answered = asyncio.Event(), asyncio.Event()

    async def slow(bus: MessageBus, message: Message) -> list[Any]:
        answer = await call(bus, message)
        if message.member == "AddAndActivateConnection2":
            ordered.set()
            await answered.wait()
        return answer

    async def story() -> None:
        monkeypatch.setattr("provisioning.network.nm.call", slow)
        async with living() as home:
            await ordered.wait()
            nm.do("cable", state=100, carrier=True)
            await home.until(lambda: isinstance(home.connections._state.mode, Waiting), "cable")
            await home.until(lambda: nm.state()["hotspot"], "it came up")
            answered.set()
            await home.until(lambda: not nm.state()["hotspot"], "it is ended")

    asyncio.run(story())


def test_a_check_ends_with_the_way_that_it_looks_by(
    nm: FakeNM, living: Living, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal of the Wi-Fi was told of the cable."""
    ways = list[Way]()

    async def story() -> None:
        nm.air(AIR)
        nm.do("save", network=AIR | {"ssid": HOME.hex()})
        async with living() as home:
            ended = asyncio.Event()

            async def check(_: Center) -> checks.Way:
                ways.append(state.way(home.connections._state))
                if ways == [Way.WIFI]:
                    try:
                        await asyncio.Event().wait()
                    finally:
                        ended.set()
                return checks.Way()

            monkeypatch.setattr(checks, "check", check)
            await home.until(lambda: ways, "the Wi-Fi is checked")
            nm.do("cable", state=100, carrier=True)
            await home.until(ended.is_set, "that check ends")
            await home.until(lambda: ways[1:] == [Way.ETHERNET], "the cable is checked")

    asyncio.run(story())


@pytest.mark.usefixtures("nm")
def test_a_phone_that_says_nothing_does_not_hold_the_hotspot_open(living: Living) -> None:
    """A browser connects beforehand; from Python 3.12 on, a server waits for its connections."""

    async def story() -> None:
        async with living() as home:
            await home.opened()
            address, _, port = home.connections._form.own.partition(":")
            reader, writer = await asyncio.open_connection(address, int(port))
            served = home.connections._served
            assert served
            served.cancel()
            async with asyncio.timeout(5.0):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(story())


def test_a_hotspot_is_up_by_its_own_steps_not_by_those_of_the_wifi_before_it(
    nm: FakeNM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Wi-Fi came up while the order was on its way: its address was taken for the hotspot's."""

    async def story() -> None:
        nm.air(AIR)
        nm.do("set", slow=True)
        manager = NetworkDaemon(await connect())
        await manager.begin()
        nm.do("save", network=AIR | {"ssid": HOME.hex()})

        async def late(bus: MessageBus, message: Message) -> list[Any]:
            if message.member == "AddAndActivateConnection2":
                nm.do("set", slow=False)
                await until(lambda: nm.state()["joined"] == HOME.hex(), "it is joined")
                nm.do("set", slow=True)
            return await call(bus, message)

        monkeypatch.setattr("provisioning.network.nm.call", late)
        await manager.open_hotspot(NAME, "1234567890")
        assert nm.state()["hotspot"] == NAME
        manager._bus.disconnect()

    asyncio.run(story())


def test_a_failed_profile_that_is_left_over_would_block_the_right_password(nm: FakeNM) -> None:
    """The fake is as bad as the real one: without the deletion, the second try is refused."""

    async def story() -> None:
        nm.air(AIR)
        manager = NetworkDaemon(await connect())
        await manager.begin()
        with pytest.raises(JoinError) as failed:
            await manager.join(Credentials(HOME, "wrong horse", security=Security.PASSWORD))
        assert failed.value.trouble is NetworkTrouble.WRONG_PASSWORD
        assert await manager.join(Credentials(HOME, PASSWORD))
        manager._bus.disconnect()

    asyncio.run(story())
