"""A home whose Pi was set up by a card alone: Debian 13, the packages, the county's files.

What a person does there: puts the card in and the power on; reads or hears the digits; presses.
What is done at the centre is in `console.py`.
"""

import copy
import json
import logging
import re
import shutil
import time
from pathlib import Path
from typing import Any, Self

from tests.broker import Broker
from tests.pi import image, packages
from tests.pi.centre import Centre
from tests.pi.guestlink import GuestError, wait_until
from tests.pi.home import UNIT
from tests.pi.machine import BROKER_IN_GUEST, EST_IN_GUEST, Machine

log = logging.getLogger("anbu-pi")

HELP, CANCEL, DOOR, MOTION, MAINS = 17, 22, 16, 25, 12
INSTALL_S = 2400.0  # from power on until the hub asks to be claimed; cores are emulated and shared
FACTS = "runuser -u anbu -- env ANBU_LANG=ko anbu provision"
COUNTY = f"""\
county = "jeongseon"
center = "https://{EST_IN_GUEST}"
ca = "ca.crt"
brokers = ["tls://{BROKER_IN_GUEST}"]
"""
WIRING = f"""\
language = "ko"
[[device]]
kind = "contact"
name = "help"
role = "help_button"
place = "거실"
pin = {HELP}
wiring = "normally_closed"
[[device]]
kind = "contact"
name = "cancel"
role = "cancel_button"
place = "거실"
pin = {CANCEL}
[[device]]
kind = "contact"
name = "front"
role = "exit_door"
place = "현관문"
pin = {DOOR}
[[device]]
kind = "motion"
name = "living"
place = "거실"
pin = {MOTION}
[[device]]
kind = "supply"
name = "ups"
pin = {MAINS}
[[device]]
kind = "lamp"
name = "lamp"
red = 5
green = 6
amber = 13
buzzer = 19
[[device]]
kind = "radio"
[[device]]
kind = "provision"
"""  # of a county without a voice: its packages are not on this card


class Pi13(Machine):
    """A board with a card in it."""

    closed = (HELP, MOTION, MAINS)
    cargo_is_read_only = False
    kernel_words = (
        " net.ifnames=0 ds=nocloud;s=file:///boot/firmware/"  # as a card writer leaves it
    )
    board = "5a1e6f0c-0000-4000-8000-00000000a001"

    def copied(self, folder: Path) -> Self:
        """Return a board with a copy of this one's card, in `folder`."""
        cargo = folder / "bootfs.img"
        assert self._cargo
        shutil.copy(self._cargo, cargo)
        other = type(self)(self._image, folder, self._broker_port, cargo)
        other.forwards = self.forwards
        shutil.copy(self.folder / "card.qcow2", folder / "card.qcow2")
        return other


class Installed:
    """A context: within it the Pi is on. The card is in it, and nothing else was done to it."""

    def __init__(self, folder: Path, broker: Broker, centre: Centre) -> None:
        authority = (broker.certs / "ca.crt").read_bytes()
        card = packages.card(folder, COUNTY, WIRING, authority)
        self.pi = Pi13(image.build(image.TRIXIE), folder, broker.port, card)
        self.pi.forwards = {EST_IN_GUEST: centre.est_port}
        self.began = time.monotonic()

    def copied(self, folder: Path, board: str) -> Self:
        """Copy the card, with both its partitions, for another board; the power must be off."""
        other = copy.copy(self)
        other.pi = self.pi.copied(folder)
        other.pi.board = board
        return other

    def __enter__(self) -> Self:
        self.pi.boot()
        return self

    def __exit__(self, *_: object) -> None:
        self.pi.shut_down()

    def signal(self) -> str:
        """The lamp's signal, as the hub says it to systemd; empty where there is no hub yet."""
        text = self.pi.run(f"systemctl show -P StatusText {UNIT}").out
        return text.strip().removeprefix("signal ")

    def provision(self) -> str:
        """What `anbu provision` shows."""
        return self.pi.run(FACTS).out

    def facts(self) -> dict[str, Any]:
        """The same, for a program."""
        found: dict[str, Any] = json.loads(self.pi.must(f"{FACTS} status --json"))
        return found

    def wait_for(self, signal: str, timeout_s: float = 300.0) -> None:
        """Wait until the lamp shows a signal; what the machine says, where it does not."""
        try:
            wait_until(lambda: self.signal() == signal, timeout_s, f"the lamp says {signal}", 1.0)
        except GuestError as error:
            message = f"{error}\n{self.log()}"
            raise GuestError(message) from None

    def digits(self) -> str:
        """The eight digits that the hub shows, once it does."""

        def shown() -> re.Match[str] | None:
            return re.search(r"등록 번호: (\d{4}) ?(\d{4})", self.provision())

        wait_until(shown, 180, "anbu provision shows digits", 1.0)
        found = shown()
        assert found
        return "".join(found.groups())

    def synchronise(self) -> None:
        """The clock becomes right, as a time server would make it.

        By how far it is off, not by the time: what takes this to the guest takes a second here.
        """
        for _ in range(2):  # the second time within milliseconds
            self.pi.must(f"python3 /opt/pi/clock_is_right.py {self.pi.clock_offset_s():.4f}")

    def log(self) -> str:
        """The last words of all that matters here."""
        units = "-u anbu-hub -u anbu-provision -u cloud-final -u anbu-firstboot -u anbu-radio"
        words = f"journalctl -b --no-pager -o short-monotonic {units} | tail -60"
        return f"{self.signal()}\n{self.pi.run(words).out}"
