"""The product on Debian 13, set up by a card and the installer's steps alone.

From a fresh card to a test call; then what such a machine is: confined, armed early, closed.
"""

import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker, certs
from tests.layout import REPO
from tests.pi import console
from tests.pi.centre import Centre
from tests.pi.evidence import Cut, lost
from tests.pi.figures import say
from tests.pi.guestlink import wait_until
from tests.pi.home import UNIT
from tests.pi.installed import HELP, INSTALL_S, Installed
from tests.pi.machine import EST_IN_GUEST, Machine
from tests.pi.plug import press_until_the_plug_is_out
from tests.pi.visit import Visit, steps
from tests.provisioning.enrol.est import Est

pytestmark = pytest.mark.pi

HUB = "js-0417"
WHOLE_S = 600.0  # of machine, from power on to the test call that the centre answered
PORTS = REPO / "docs/ports.md"
DYNAMIC = 32_768  # Linux takes any port from here on for whoever names none
WAITED_FOR_BY_NOBODY = re.compile(
    "network|Network|dbus|bluetooth|cloud|time-sync|timesync|time-wait|wpa_supplicant|avahi|ssh"
)
OF_ANOTHER = "다른 기기의 것입니다"  # the hub's log, in Korean
CUTS = int(os.environ.get("ANBU_PI_CUTS", "10"))
DUE_DAYS = 0.12  # it began an hour ago, so that a third of its life is over
LONGEST_S = 25.0  # a hub starts, a process starts and asks: on emulated cores
PYTHON = "cd /usr/lib/anbu/code && /usr/lib/anbu/hub/bin/python3"
WHOLE = """
from pathlib import Path
from hub.shared import identity, tls
root = Path("/var/lib/anbu/identity")
said = []
for name in (identity.CURRENT, identity.NEXT):
    link = root / name
    held = identity.read(root, name)
    assert held is not None or not link.is_symlink(), name
    if held is not None:
        tls.context(*map(held.file, (identity.AUTHORITY, identity.CERTIFICATE, identity.KEY)))
        said.append(f"{name} {held.number}")
print(", ".join(said) or "none yet")
"""
EXPOSED_MOST = {"hub": 1.6, "voice": 2.0, "radio": 2.0, "provision": 2.0}


@pytest.fixture(scope="module")
def lab_13(lab: Path) -> Path:
    """Return a folder of its own: disk, centre and logs are not those of the other Pi."""
    folder = lab / "13"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def office(lab_13: Path, broker: Broker) -> Iterator[Centre]:
    with Centre(lab_13, broker, registers=True) as centre:
        centre.hire(console.INSTALLER, console.PASSWORD, "installer")
        centre.hire(console.OPERATOR, console.PASSWORD, "operator")
        yield centre


@pytest.fixture(scope="module")
def installed(lab_13: Path, broker: Broker, office: Centre) -> Iterator[Installed]:
    with Installed(lab_13, broker, office) as home:
        yield home


class Steps:
    """The installer's steps, each with the machine's own time, and with that of a clock."""

    def __init__(self, pi: Machine) -> None:
        self._pi = pi
        self.whole_s = self._cpu_s = self._last = 0.0
        self.said: list[str] = []

    def done(self, step: str) -> None:
        """Note a step that is over."""
        self.whole_s, now = self._pi.cpu_s(), time.monotonic()
        took_s = now - self._last if self._last else self._pi.boot_s
        self.said.append(f"{step}: {self.whole_s - self._cpu_s:.0f} s of machine, {took_s:.0f} s")
        self._cpu_s, self._last = self.whole_s, now


def test_a_home_is_set_up_from_a_fresh_card_to_the_report(
    installed: Installed, office: Centre
) -> None:
    """The installer's way of docs/installing.ko.md, in its order, and nothing beside it."""
    times = Steps(installed.pi)
    times.done("power on to a shell")
    installed.wait_for("unclaimed", INSTALL_S)
    times.done("packages installed, hub asks to be claimed")
    with console.chromium() as browser:
        phone = console.sign_in(browser, office, console.INSTALLER, console.PHONE)
        desk = console.sign_in(browser, office, console.OPERATOR, console.SCREEN)
        visit = Visit(installed, phone, desk, office)
        visit.begin(installed.digits(), HUB)
        wait_until(lambda: installed.facts()["hub"] == HUB, 60, "the hub has its name")
        installed.pi.until(f"systemctl is-active {UNIT}", 300)
        times.done("digits read and typed, hub registered and started under its name")
        console.fill_record(desk, office, HUB)
        visit.go_on()
        installed.synchronise()
        for step in steps():
            visit.do(step)
            times.done(f"step {step}")
        assert visit.finish() == len(steps())
        times.done("report stored")
    assert len(office.stored()) == len(("tested", "pressed", "cancelled"))
    assert office.open_alarms() == []
    say("\n".join(times.said))
    say(f"fresh card to the stored report: {times.whole_s / 60:.1f} min of machine")
    assert times.whole_s <= WHOLE_S


def test_the_units_are_confined_on_debian_13(installed: Installed) -> None:
    found = {}
    for name in EXPOSED_MOST:
        told = installed.pi.run(f"systemd-analyze security --no-pager anbu-{name}.service").out
        if level := re.search(r"exposure level for \S+: ([\d.]+)", told):
            found[name] = float(level[1])
    say(f"systemd-analyze security: {found}")
    assert found.keys() == EXPOSED_MOST.keys() - {"voice"}, "the voice is not on this card"
    assert all(level <= EXPOSED_MOST[name] for name, level in found.items())


def test_the_armed_button_waits_for_no_network_time_bus_bluetooth_or_cloud_init(
    installed: Installed,
) -> None:
    """A start as on any morning: the card was tidied, and cloud-init is off."""
    installed.pi.until("test -e /var/lib/anbu-firstboot/done", 300)
    left = installed.pi.must("ls /boot/firmware").split()
    assert {"user-data", "network-config"}.isdisjoint(left), "no password is left there"
    installed.pi.shut_down()
    installed.pi.boot()
    installed.pi.until(f"systemctl is-active {UNIT}", 300)
    installed.pi.until(f"systemd-analyze critical-chain {UNIT}", 300)  # it wants the start's end
    chain = installed.pi.must(f"systemd-analyze critical-chain --no-pager {UNIT}")
    waited_for = re.findall(r"[\w@\\.-]+\.(?:service|socket|target|mount|device|timer)", chain)
    assert UNIT in waited_for
    assert not [name for name in waited_for if WAITED_FOR_BY_NOBODY.search(name)], chain
    times = installed.pi.must(
        "systemctl show -p KernelTimestampMonotonic -p UserspaceTimestampMonotonic; "
        f"systemctl show -p ActiveEnterTimestampMonotonic {UNIT}"
    )
    shown = {key: int(value) / 1e6 for key, value in re.findall(r"(\w+)=(\d+)", times)}
    kernel_s = shown["UserspaceTimestampMonotonic"]
    armed_s = shown["ActiveEnterTimestampMonotonic"]
    say(f"armed {armed_s:.1f} s after the kernel's start, {armed_s / kernel_s:.1f} x its own time")
    say(chain)


def test_each_listening_socket_is_named_with_its_reason(installed: Installed) -> None:
    named = re.findall(
        r"^\| (tcp|udp) \| ([\w-]+) \| `([\w-]+)` \|", PORTS.read_text("utf-8"), re.MULTILINE
    )
    assert named
    found = set(_listening(installed.pi.must("ss -Hltnup")))
    say(f"listening: {sorted(found)}")
    assert not [one for one in found if one not in named]
    assert not [one for one in found if one[2].startswith(("anbu", "python"))], "none is ours"


def _listening(told: str) -> Iterator[tuple[str, str, str]]:
    """Yield (protocol, port, program) of each line of `ss`; a dynamic port is `any`."""
    for line in told.splitlines():
        protocol, _state, _received, _sent, local, _peer, *users = line.split()
        port = int(local.rpartition(":")[2])
        program = re.search(r'\(\("([^"]+)"', " ".join(users))
        name = "any" if port >= DYNAMIC else str(port)
        yield protocol, name, program[1] if program else "?"


def test_a_copied_card_in_another_board_dials_nobody_and_says_why(
    installed: Installed, office: Centre, broker: Broker, lab_13: Path
) -> None:
    installed.pi.shut_down()
    folder = lab_13 / "copy"
    folder.mkdir()
    twin = installed.copied(folder, board="5a1e6f0c-0000-4000-8000-00000000b002")
    connects = broker.log().count(f" as {HUB} ")
    known = office.stored()
    try:
        twin.pi.boot()
        twin.pi.until(f"systemctl is-active {UNIT}", 300)
        twin.pi.until(f"journalctl -b -u {UNIT} | grep -q '{OF_ANOTHER}'", 180)
        assert not twin.facts()["fits"]
        told = twin.provision()
        assert f"다른 기기({HUB})에서 등록된 것입니다" in told
        before = twin.signal()
        list(twin.pi.press(HELP))
        wait_until(lambda: twin.signal() != before, 60, "the lamp tells of the press")
        say(f"copied card: lamp {before}, pressed {twin.signal()}; {told.strip()}")
        assert broker.log().count(f" as {HUB} ") == connects, "it has dialled nobody"
        assert office.stored() == known
    finally:
        twin.pi.shut_down()
    installed.pi.boot()
    wait_until(
        lambda: broker.log().count(f" as {HUB} ") > connects, 300, "the first board connects"
    )


def test_no_power_cut_leaves_a_hub_without_its_name_or_loses_a_call(
    installed: Installed, office: Centre, broker: Broker
) -> None:
    """Cuts amid a first registration and, while somebody presses, amid a renewal, in turn.

    The certificates of this authority are due as soon as they are there, so that each start renews.
    """
    dice = random.Random()  # noqa: S311 - moments, not secrets
    cuts: list[Cut] = []
    with Est(certs()) as est:
        est.typed, est.days = HUB, DUE_DAYS
        installed.pi.forwards = {EST_IN_GUEST: est.port}
        installed.pi.cut_power()
        installed.pi.boot()
        for number in range(CUTS):
            began = time.monotonic()
            if number % 2:
                cuts.append(_cut_amid_a_renewal(installed, broker, dice))
            else:
                _cut_amid_a_registration(installed, dice)
            held = _identity_after(installed)
            wait_until(lambda: installed.facts()["hub"] == HUB, 300, "it has its name", 1.0)
            installed.pi.until(f"systemctl is-active {UNIT}", 300)
            wait_until(
                lambda: not lost(cuts, office.stored()), 300, "what was durable is delivered"
            )
            say(f"cut {number + 1}: {held}; {time.monotonic() - began:.0f} s")
    gone = lost(cuts, office.stored())
    durable = sum(len(cut.durable) for cut in cuts)
    say(f"{CUTS} cuts, {len(est.asked)} requests; {durable} durable calls, {len(gone)} lost")
    assert durable >= len(cuts)
    assert not gone


def _cut_amid_a_registration(installed: Installed, dice: random.Random) -> None:
    """The hub is nobody's again and registers; the cut comes before, amid or after it."""
    installed.pi.must("systemctl stop anbu-provision anbu-hub; rm -rf /var/lib/anbu/identity; sync")
    installed.pi.must("systemctl start anbu-hub anbu-provision", 300)
    time.sleep(dice.uniform(1.0, LONGEST_S))  # the moment of the cut is meant to be blind
    installed.pi.cut_power()
    installed.pi.boot()


def _cut_amid_a_renewal(installed: Installed, broker: Broker, dice: random.Random) -> Cut:
    """The renewed certificate is taken up at the next dial, and the one after it is asked for."""
    broker.stop()
    broker.start()
    installed.pi.must("systemctl restart --no-block anbu-provision")
    cut = press_until_the_plug_is_out(installed.pi, dice.uniform(0.3, LONGEST_S), gap_s=3.0)
    installed.pi.boot()
    return cut


def _identity_after(installed: Installed) -> str:
    """What the disk has after a cut: none that is half, and the one in use is whole and fits."""
    return installed.pi.must(f"{PYTHON} -c '{WHOLE}'").strip()
