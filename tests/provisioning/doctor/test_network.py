"""`anbu doctor` on the way to the centre: each fault made, with real TLS and a real D-Bus."""

import asyncio
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from hub.shared.county import County
from hub.shared.findings import Finding, Verdict
from provisioning.certs import dev
from provisioning.certs.authority import issue
from provisioning.doctor import network
from provisioning.doctor.network import Machine
from provisioning.findings import tell
from provisioning.network.bus import connect
from provisioning.network.nm import NetworkDaemon
from provisioning.network.state import Credentials
from tests.broker import certs, free_port
from tests.drivers.bluetooth.private_bus import PrivateBus
from tests.provisioning.enrol.est import Answer, Est
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM

AIR = {"ssid": HOME, "psk": PASSWORD, "strength": 75}
ROUTE = "Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\n"


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBus]:
    with PrivateBus() as bus:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
        yield bus


@pytest.fixture
def nm(bus: PrivateBus) -> Iterator[FakeNM]:
    with FakeNM(bus) as nm:
        yield nm


def found(
    folder: Path, county: County | None = None, portal_port: int = 1
) -> dict[str, tuple[Verdict, str]]:
    machine = Machine(folder / "proc", portal_port)
    return codes(network.examine(county or County(), machine))


def codes(findings: Iterator[Finding]) -> dict[str, tuple[Verdict, str]]:
    every = list(findings)
    assert all(tell(finding) for finding in every)  # each has its sentences
    return {finding.check: (finding.verdict, finding.code) for finding in every}


def join(ssid: bytes = HOME, password: str = PASSWORD) -> None:
    async def story() -> None:
        bus = await connect()
        manager = NetworkDaemon(bus)
        await manager.begin()
        await manager.join(Credentials(ssid, password))
        bus.disconnect()

    asyncio.run(story())


def measured(folder: Path, dbm: int) -> None:
    """Write the kernel's measure of the Wi-Fi that is joined."""
    file = folder / "proc" / "net" / "wireless"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"Inter-| sta-|\n face |\n wlan0: 0000   60.  {dbm}.  -256  0 0 0 0 0 0\n")


def test_a_cable_is_told(nm: FakeNM, tmp_path: Path) -> None:
    nm.do("cable", state=100, carrier=True)
    assert found(tmp_path)["network"] == (Verdict.GOOD, "cable")


def test_a_cable_without_an_address_is_told(nm: FakeNM, tmp_path: Path) -> None:
    nm.do("cable", state=30, carrier=True)
    every = list(network.examine(County(), Machine(tmp_path)))
    assert (Verdict.BAD, "no_address") in [(one.verdict, one.code) for one in every]


def test_a_hub_without_any_connection_says_what_to_plug_in(nm: FakeNM, tmp_path: Path) -> None:
    assert found(tmp_path)["network"] == (Verdict.BAD, "none")
    assert found(tmp_path)["wifi_saved"] == (Verdict.NOTE, "none")
    nm.do("set", no_wifi=True)
    assert found(tmp_path)["network"] == (Verdict.BAD, "no_adapter")


@pytest.mark.usefixtures("nm")
def test_a_cable_that_another_program_looks_after_is_no_fault(tmp_path: Path) -> None:
    """Seen with a real NetworkManager 1.42, whose devices were unmanaged."""
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text(ROUTE)
    assert found(tmp_path)["network"] == (Verdict.NOTE, "other")


def test_a_wifi_that_was_saved_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "_saved", lambda: iter(["home", "home", "office"]))
    assert network.saved().values == {"n": "2", "wifi": "home, office"}


def test_a_spare_way_that_does_not_work_is_no_fault(nm: FakeNM, tmp_path: Path) -> None:
    nm.do("cable", state=100, carrier=True)
    nm.do("set", off=True)
    every = [(one.verdict, one.code) for one in network.examine(County(), Machine(tmp_path))]
    assert (Verdict.GOOD, "cable") in every
    assert (Verdict.NOTE, "radio_off") in every
    assert Verdict.BAD not in {verdict for verdict, _ in every}


def test_wifi_that_is_blocked_is_told(nm: FakeNM, tmp_path: Path) -> None:
    nm.do("set", off=True)
    every = [one.code for one in network.examine(County(), Machine(tmp_path))]
    assert "radio_off" in every


@pytest.mark.parametrize(
    ("dbm", "expected"), [(-55, (Verdict.GOOD, "wifi")), (-78, (Verdict.NOTE, "weak"))]
)
def test_the_signal_of_a_wifi_is_told_and_that_it_is_saved(
    nm: FakeNM, tmp_path: Path, dbm: int, expected: tuple[Verdict, str]
) -> None:
    nm.air(AIR)
    join()
    measured(tmp_path, dbm)
    every = {one.check: one for one in network.examine(County(), Machine(tmp_path / "proc"))}
    way, kept = every["network"], every["wifi_saved"]
    assert (way.verdict, way.code) == expected
    assert way.values == {"wifi": "할머니댁", "dbm": str(dbm)}
    assert (kept.verdict, kept.values) == (Verdict.GOOD, {"n": "1", "wifi": "할머니댁"})


def test_without_the_kernels_measure_the_managers_percent_count(nm: FakeNM, tmp_path: Path) -> None:
    nm.air(AIR | {"strength": 40})
    join()
    every = {one.check: one for one in network.examine(County(), Machine(tmp_path))}
    assert every["network"].values["dbm"] == "-76"


@pytest.mark.usefixtures("nm")
def test_a_hotspot_that_is_open_is_told_and_is_no_saved_wifi(tmp_path: Path) -> None:
    async def open_it() -> None:
        bus = await connect()
        manager = NetworkDaemon(bus)
        await manager.begin()
        await manager.open_hotspot("Anbu-0001", "1234567890")
        every = await asyncio.to_thread(found, tmp_path)
        assert every["network"] == (Verdict.NOTE, "hotspot")
        assert every["wifi_saved"] == (Verdict.NOTE, "none")
        bus.disconnect()

    asyncio.run(open_it())


@pytest.mark.usefixtures("bus")
def test_a_manager_that_is_not_there_is_a_fault_only_without_another_way(tmp_path: Path) -> None:
    assert found(tmp_path)["network"] == (Verdict.BAD, "missing")
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "proc/net/route").write_text(ROUTE)
    assert found(tmp_path)["network"] == (Verdict.NOTE, "other")


def test_a_machine_without_a_bus_or_its_tools_gets_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert found(tmp_path)["network"] == (Verdict.BAD, "missing")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found(tmp_path)["network"] == (Verdict.NOTE, "unasked")


def test_a_manager_that_hangs_gets_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "busctl"
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("provisioning.doctor.bus.PATIENCE_S", 0.2)
    assert found(tmp_path)["network"] == (Verdict.BAD, "hangs")


# the centre, with real TLS


def county(port: int, ca: str = "ca.crt", host: str = "127.0.0.1") -> County:
    return County("jeongseon", f"https://{host}:{port}", str(certs() / ca))


def looked(of: County, portal_port: int = 1) -> dict[str, tuple[Verdict, str]]:
    return codes(network.center(of, portal_port))


def port_of(est: Est) -> int:
    return int(est.url.rpartition(":")[2])


def test_the_countys_own_centre_is_good_and_its_time_is_compared() -> None:
    with Est(certs()) as est:
        est.answer = Answer(200, msgspec.json.encode({"utc": time.time()}))
        assert looked(county(port_of(est))) == {
            "center": (Verdict.GOOD, "good"), "center_clock": (Verdict.GOOD, "good"),
        }  # fmt: skip


@pytest.mark.parametrize(
    ("behind_s", "expected"),
    [(30.0, (Verdict.NOTE, "off")), (7200.0, (Verdict.BAD, "wrong"))],
)
def test_a_clock_that_is_off_is_told(behind_s: float, expected: tuple[Verdict, str]) -> None:
    with Est(certs()) as est:
        est.answer = Answer(200, msgspec.json.encode({"utc": time.time() + behind_s}))
        assert looked(county(port_of(est)))["center_clock"] == expected


def test_a_centre_that_tells_no_time_is_told() -> None:
    with Est(certs()) as est:
        est.answer = Answer(404, b"", {"Date": "no date"})
        assert looked(county(port_of(est)))["center_clock"] == (Verdict.NOTE, "untold")


def test_a_centre_of_another_authority_or_another_name_is_told_apart() -> None:
    with Est(certs()) as est:
        assert looked(county(port_of(est), "foreign/ca.crt"))["center"][1] == "server_unknown"
        assert looked(county(port_of(est), "nowhere.crt"))["center"][1] == "no_ca"
    with Est(certs(), "wrong/broker") as est:
        assert looked(county(port_of(est)))["center"][1] == "server_wrong_name"


def test_a_centre_whose_certificate_has_lapsed_is_told_from_a_clock_that_is_wrong(
    tmp_path: Path,
) -> None:
    parent, now = dev.read(certs(), "ca"), datetime.now(UTC)
    assert parent
    dev.write(tmp_path, "ca", parent)
    lapsed = issue(
        parent, "broker", hosts=("127.0.0.1",), begins=now - timedelta(2), ends=now - timedelta(1)
    )
    dev.write(tmp_path, "broker", lapsed)
    with Est(tmp_path) as est:
        est.answer = Answer(200, msgspec.json.encode({"utc": time.time()}))
        assert looked(county(port_of(est)))["center"] == (Verdict.BAD, "server_expired")
        est.answer = Answer(200, msgspec.json.encode({"utc": time.time() - 1.5 * 86_400}))
        assert looked(county(port_of(est))) == {
            "center": (Verdict.BAD, "no_time"), "center_clock": (Verdict.BAD, "wrong"),
        }  # fmt: skip


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve each connection of a port with `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            while True:
                try:
                    line, _ = door.accept()
                except OSError:
                    return
                with line:
                    try:
                        answer(line)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_program_without_tls_or_with_an_old_one_is_told() -> None:
    def plain(line: socket.socket) -> None:
        line.recv(1000)
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with answering(plain) as port:
        assert looked(county(port))["center"] == (Verdict.BAD, "no_tls")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.load_cert_chain(certs() / "broker.crt", certs() / "broker.key")

    def tls_1_1(line: socket.socket) -> None:
        old.wrap_socket(line, server_side=True).close()

    with answering(tls_1_1) as port:
        assert looked(county(port))["center"] == (Verdict.BAD, "no_tls")


def test_a_page_for_signing_in_is_told_from_a_centre_that_is_away() -> None:
    def portal(line: socket.socket) -> None:
        line.recv(1000)
        line.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n")

    away = free_port()
    assert looked(county(away), free_port())["center"] == (Verdict.BAD, "center_unreachable")
    with answering(portal) as port:
        assert looked(county(away), port)["center"] == (Verdict.BAD, "captive_portal")


@pytest.mark.parametrize(
    ("number", "code"), [(socket.EAI_AGAIN, "no_dns"), (socket.EAI_NONAME, "no_name")]
)
def test_a_name_that_nobody_looks_up_is_told_from_one_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "made")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    assert looked(county(8444, host="center.example"))["center"] == (Verdict.BAD, code)
