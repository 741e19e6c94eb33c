"""`anbu radio pair`: leads an installer through pairing a device.

    anbu radio pair                              search, choose, name
    anbu radio pair --address A --name N --what cuff
    anbu radio pair --phone
    anbu radio pair --again NAME                 a bond that the device has forgotten

The radio process opens the window (over `control`), so pendants are heard meanwhile; where none
runs, this command pairs by itself. Exit codes: 0 paired; 1 not; 2 the command line is wrong.
"""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from drivers.bluetooth.bluez.bus import connect
from drivers.bluetooth.devices import FILE, in_effect
from drivers.bluetooth.pairing import bonds, control, roster
from drivers.bluetooth.pairing.add_cli import WHATS, tidy_address
from drivers.bluetooth.pairing.agent import Said
from drivers.bluetooth.pairing.bonds import Known
from drivers.bluetooth.pairing.bonds_cli import ROOM, UNASKED, complain, wanted
from drivers.bluetooth.pairing.control import Request, Session
from drivers.bluetooth.pairing.roster import NotListedError
from drivers.bluetooth.pairing.window import MOST_S, WINDOW_S, Pairing, Wish
from drivers.bluetooth.settings import RadioSettings
from drivers.bluetooth.settings import load as load_settings
from hub.contract.radio import Fact, PairingAsked, PairingEnded, PairingOpened, Wanted
from hub.shared.messages import ours
from hub.shared.settings import noted_by

USAGE_ERROR = 2
SEARCH_S = 10.0
YES, NO = (
    {"y", "yes", "네", "예", "ㅛ"},
    {"n", "no", "아니요", "ㅜ"},
)  # ㅛ, ㅜ: y, n on a Korean keyboard


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio pair`."""
    said = ours(ROOM)["pair"]
    parser.add_argument("--phone", action="store_true", help=said["phone"])
    parser.add_argument("--again", metavar="NAME", help=said["again"])
    parser.add_argument("--address", metavar="A", help=said["address"])
    parser.add_argument("--name", metavar="NAME", help=said["name"])
    parser.add_argument("--what", choices=WHATS, help=said["what"])
    parser.add_argument(
        "--search-s", type=float, default=SEARCH_S, metavar="N", help=said["search_s"]
    )
    parser.add_argument("--s", type=float, default=WINDOW_S, metavar="N", help=said["seconds"])


def run(args: Namespace) -> int:
    """Pair a device; return 0, 1 or 2. Raises SettingsError or OSError."""
    settings = load_settings(args.config, noted_by(args))
    try:
        return asyncio.run(_pair(args, settings, Path(settings.state_dir) / FILE))
    except NotListedError as error:
        return complain(error)
    except UNASKED as error:
        _say("failed", table="end")
        sys.stderr.write(f"{error}\n")
        return 1


async def _pair(args: Namespace, settings: RadioSettings, path: Path) -> int:
    answers = Answers()
    wish = await _wish(args, settings, path, answers)
    if wish is None:
        _say("stopped")
        return 1
    async with session(settings, path) as found:
        return await lead(found, wish, answers)


async def _wish(
    args: Namespace, settings: RadioSettings, path: Path, answers: "Answers"
) -> Wish | None:
    """Return what the window is for; None: somebody stopped. Raises NotListedError, `UNASKED`."""
    seconds = min(max(args.s, 1.0), MOST_S)
    if args.phone:
        return Wish(seconds, phone=True)
    if args.again:
        return Wish(seconds, names=(roster.named(in_effect(path), args.again).name,))
    address = tidy_address(args.address or "") or await _chosen(
        settings, path, answers, args.search_s
    )
    if not address:
        return None
    kinds = ", ".join(WHATS)
    what = args.what or await answers.ask("what_is_it", kinds=kinds)
    name = args.name or await answers.ask("name_it")
    if not name:
        return None
    new = roster.wearable(name, address, what)
    roster.added(
        in_effect(path), new, roster.wired(args.config)
    )  # refused now, not after the pairing
    return Wish(seconds, new=new)


async def _chosen(settings: RadioSettings, path: Path, answers: "Answers", for_s: float) -> str:
    """Search, show what is heard, and return the address that was chosen; empty: none."""
    said = ours(ROOM)["pair"]
    _say("searching", s=for_s)
    listed = {one.address for one in in_effect(path)}
    found = [one for one in await heard(settings, for_s) if one.address not in listed]
    if not found:
        _say("nothing")
        return ""
    for n, one in enumerate(found, 1):
        rssi = said["dbm"].format(rssi=one.rssi_dbm)
        _say("heard", n=n, name=one.name or said["unnamed"], address=one.address, rssi=rssi)
    number = await answers.ask("which")
    chosen = int(number) if number.isascii() and number.isdigit() else 0
    return found[chosen - 1].address if 1 <= chosen <= len(found) else ""


async def heard(settings: RadioSettings, for_s: float) -> list[Known]:
    """Return the devices that BlueZ hears, the strongest first. Raises `UNASKED`."""
    bus = await connect()
    try:
        at = bonds.adapter(await bonds.objects(bus), wanted(settings))
        await bonds.search(bus, at)
        await asyncio.sleep(for_s)
        found = bonds.known(await bonds.objects(bus), at)
        await bonds.search_no_more(bus, at)
    finally:
        bus.disconnect()
    near = [one for one in found if one.rssi_dbm is not None]
    return sorted(near, key=lambda one: -(one.rssi_dbm or 0))


async def lead(found: Session, wish: Wish, answers: "Answers") -> int:
    """Open the window, ask what the devices ask, until the window ends; return the exit code."""
    found.send(Request("open", wish=wish))
    asking: asyncio.Task[None] | None = None
    try:
        async for fact in found.facts():
            if isinstance(fact, PairingAsked | PairingEnded) and asking is not None:
                asking.cancel()
            if isinstance(fact, PairingAsked):
                asking = asyncio.create_task(_answer(found, fact, answers))
            elif isinstance(fact, PairingOpened):
                _say("open", s=fact.s)
                if wish.phone:
                    _say("open_phone")
            elif isinstance(fact, PairingEnded) and _ended(fact, wish):
                return 0 if fact.done else 1
    finally:
        if asking is not None:
            asking.cancel()
    _say("failed", table="end")
    return 1


def _ended(fact: PairingEnded, wish: Wish) -> bool:
    """Say what came of it; return whether the window is shut."""
    if fact.done:
        _say("paired", name=fact.name)
        if wish.phone:
            _say("phone_consent", name=fact.name)
    else:
        _say(fact.reason, table="end")
        if fact.open:
            _say("again_hint")
    return not fact.open


async def _answer(found: Session, asked: PairingAsked, answers: "Answers") -> None:
    """Ask the installer, and hand the answer on; what is no answer is asked again."""
    while True:
        typed = await answers.ask(str(asked.wanted), name=asked.name, digits=asked.digits)
        if typed.lower() in NO:
            said = Said(yes=False, ask=asked.ask)
        elif asked.wanted is Wanted.COMPARE and typed.lower() in YES:
            said = Said(yes=True, ask=asked.ask)
        elif asked.wanted is Wanted.TYPE and typed.isascii() and typed.isdigit():
            said = Said(yes=True, key=typed[:6], ask=asked.ask)
        else:
            continue
        found.send(Request("answer", said=said))
        return


@asynccontextmanager
async def session(settings: RadioSettings, path: Path) -> AsyncIterator[Session]:
    """Lead a window in the radio process, or in this one where none runs."""
    remote = await control.connected(control.path_of(settings.socket))
    if remote is not None:
        try:
            yield remote
        finally:
            await remote.leave()
        return
    _say("no_radio")
    pairing = Pairing(_unheard, path, Counter(), adapter=wanted(settings))
    running = asyncio.create_task(pairing.run())
    try:
        yield control.Local(pairing)
        await pairing.settled()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Answers:
    """What is typed at the terminal, line by line, without blocking the loop."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._rest = b""
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._read)

    async def ask(self, key: str, **values: object) -> str:
        """Print a question; return what is typed, empty where nothing more can be typed."""
        sys.stdout.write(ours(ROOM)["pair"][key].format(**values))
        sys.stdout.flush()
        return (await self._lines.get()).strip()

    def _read(self) -> None:
        more = os.read(sys.stdin.fileno(), 4096)
        *lines, self._rest = (self._rest + more).split(b"\n")
        for line in lines if more else [self._rest]:
            self._lines.put_nowait(line.decode(errors="replace"))
        if not more:
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())


def _unheard(_: Fact) -> None:
    """There is no hub to be told."""


def _say(key: str, table: str = "pair", **values: object) -> None:
    sys.stdout.write(ours(ROOM)[table][key].format(**values) + "\n")
    sys.stdout.flush()
