"""`anbu radio decode`: says what frames say, in the order in which they were heard.

    anbu radio decode --kind bthome --address 38:39:8F:70:B2:E1 --key 0f1e... --gap-s 2 HEX HEX
    anbu radio decode --kind 2a37 --json 1048000400
    anbu radio decode --kind rr 812 806 820 ...

With `--json` it is one object: the last frame, how many presses all are, and `frames`, each by
itself. Names carry their unit. Exit codes: 0; 2 (no hexadecimal digits, no key).
"""

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import msgspec
from msgspec import Struct

from drivers.bluetooth.frames import bthome, gatt
from drivers.bluetooth.frames.octets import Stamp
from hub.contract.forms import BindKey, Bluetooth
from hub.contract.radio import How
from hub.core.model import rr
from hub.core.model.events import WirelessPressed
from hub.core.model.wireless import Frame, Presses, Span, Verdict, fold
from hub.shared.messages import Messages, messages, ours

USAGE_ERROR = 2
GAP_S = 1.0
BEGAN_AT = 1e6  # when the first frame is heard: what is stored is older
PRESSES = frozenset({Verdict.PRESS, Verdict.RESTARTED})
READERS: dict[str, gatt.Reader] = {
    "2a37": gatt.heart_rate,
    "2a35": gatt.pressure,
    "2a5e": gatt.spot_oxygen,
    "2a5f": gatt.continuous_oxygen,
    "2a1c": gatt.temperature,
    "2a19": gatt.charge,
}
KINDS = ("bthome", *READERS, "rr")
SILENT = frozenset({"kind", "event", "dimmer_steps", "frames", "presses"})  # others say it
WITHIN = re.compile(r"[\s,:;-]|0x")
BETWEEN = re.compile(r"[\s,;\[\]]+")
WORDS = {name: (off, on) for name, off, on in bthome.STATES.values()}
Told = dict[str, object]


class Stored(Struct, frozen=True, forbid_unknown_fields=True):
    """The last press on the hub's disk: `age_s` before the first frame."""

    packet_id: int | None = None
    counter: int | None = None
    mark: str | None = None
    button: int = 1
    age_s: float = 0.0


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu radio decode`."""
    said = _usual()["cli"]
    parser.description = said["about"]
    parser.add_argument("--kind", choices=KINDS, required=True, help=said["kind"])
    parser.add_argument("--address", type=_as(Bluetooth), metavar="A", help=said["address"])
    parser.add_argument("--key", type=_as(BindKey), metavar="K", help=said["key"])
    parser.add_argument("--stored", type=_stored, metavar="JSON", help=said["stored"])
    parser.add_argument("--gap-s", type=float, default=GAP_S, metavar="N", help=said["gap_s"])
    parser.add_argument("--json", action="store_true", help=said["json"])
    parser.add_argument("frames", nargs="+", metavar="HEX", help=said["frames"])


def run(args: Namespace) -> int:
    """Print what the frames say."""
    said = messages("drivers.bluetooth", args.lang, "decode")
    if args.key and not args.address:
        sys.stderr.write(said["cli"]["needs_address"] + "\n")
        return USAGE_ERROR
    try:
        told = _told(args)
    except ValueError:
        key = "needs_numbers" if args.kind == "rr" else "needs_hex"
        sys.stderr.write(said["cli"][key].format(given=" ".join(args.frames)) + "\n")
        return USAGE_ERROR
    text = json.dumps(told, ensure_ascii=False) if args.json else _sentences(said, told)
    sys.stdout.write(text + "\n")
    return 0


def _told(args: Namespace) -> Told:
    """Return what is printed. Raises ValueError where a word is no frame."""
    if args.kind == "rr":
        words = [word for word in BETWEEN.split(" ".join(args.frames)) if word]
        return _of_beats([float(word) for word in words])
    data = [bytes.fromhex(WITHIN.sub("", word)) for word in args.frames]
    if args.kind == "bthome":
        cipher = bthome.Cipher(args.address, args.key) if args.key else None
        frames = adverts(data, cipher, args.stored, args.gap_s)
    else:
        frames = [_of_reading(READERS[args.kind](one)) for one in data]
    last = {"kind": args.kind, **frames[-1]}
    if args.kind == "bthome":
        last["presses"] = sum(1 for one in frames for _ in _list(one["events"]))
    return last if len(frames) == 1 else {**last, "frames": frames}


# adverts


def adverts(
    data: Sequence[bytes], cipher: bthome.Cipher | None, stored: Stored | None, gap_s: float
) -> list[Told]:
    """Return what each advert says, and what the hub makes of it."""
    frames = [bthome.read(one, cipher) for one in data]
    presses, others, found = _memory(stored, frames), Presses(), list[Told]()
    for n, frame in enumerate(frames):
        at = BEGAN_AT + n * gap_s
        verdicts = list[tuple[How, Verdict]]()
        for number, how in bthome.presses(frame):
            presses, verdict = fold(presses, _heard(frame, at, number))
            verdicts.append((how, verdict))
        if frame.authenticated and not verdicts:
            others, verdict = fold(others, _heard(frame, at, 0))
            verdicts = [] if verdict in PRESSES else [(How.OTHER, verdict)]
        found.append(_of_advert(frame, verdicts))
    return found


def _memory(stored: Stored | None, frames: Sequence[bthome.Frame]) -> Presses:
    if stored is None:
        return Presses()
    mark, counter = stored.mark, stored.counter
    if mark is None:  # not given: that of the frame which is asked about
        mark = next((one.mark for one in frames if one.counter == counter), "")
    frame = Frame(BEGAN_AT - stored.age_s, counter, stored.packet_id, mark, stored.button)
    return Presses((frame,), () if counter is None else (Span(counter, counter),))


def _heard(frame: bthome.Frame, at: float, button: int) -> WirelessPressed:
    packet_id, counter = frame.packet_id, frame.counter
    return WirelessPressed(at, "", "", How.OTHER, button, packet_id, counter, frame.mark)


def _of_advert(frame: bthome.Frame, verdicts: Sequence[tuple[How, Verdict]]) -> Told:
    events = [str(how) for how, verdict in verdicts if verdict in PRESSES]
    refused = next((str(verdict) for _, verdict in verdicts if verdict not in PRESSES), None)
    restarted = any(verdict is Verdict.RESTARTED for _, verdict in verdicts)
    return {
        "encrypted": frame.encrypted,
        "authenticated": frame.authenticated,
        "triggered": frame.triggered,
        "counter": frame.counter,
        "packet_id": frame.packet_id,
        **{name: _word(name, value) for name, value in frame.values.items()},
        "button": [_code(bthome.BUTTONS, code) for code in frame.buttons],
        "dimmer": [_code(bthome.DIMMERS, code) for code, _ in frame.dimmers],
        "dimmer_steps": [steps for _, steps in frame.dimmers],
        "command": [_code(bthome.COMMANDS, code) for code, _ in frame.commands],
        "event": events[0] if events else None,
        "events": events,
        "note": str(Verdict.RESTARTED) if restarted else None,
        "reason": frame.reason or (None if events else refused),
    }


def _code(names: dict[int, str], code: int) -> str:
    return str(names.get(code, f"0x{code:02x}"))


def _word(name: str, value: bthome.Value) -> object:
    """Return a state as the format calls it."""
    if not isinstance(value, bool):
        return value
    return WORDS[name.rstrip("0123456789").rstrip("_")][value]


# readings of wearables


def _of_reading(reading: gatt.Reading) -> Told:
    told: Told = {}
    for name in reading.__struct_fields__:
        value: object = getattr(reading, name)
        if isinstance(value, Stamp):
            told["at"] = value.at.isoformat() if value.at else None
            told["fresh"] = gatt.is_fresh(value)
        else:
            told[name] = list(value) if isinstance(value, tuple) else value
    match reading:
        case gatt.HeartRate():
            told["worn"] = reading.worn
        case gatt.Pressure():
            told["irregular"] = reading.irregular
        case _:
            pass
    return told


# beats


def _of_beats(rr_ms: Sequence[float]) -> Told:
    """Return what the hub makes of the times between heartbeats, in ms."""
    found = rr.analyse(rr_ms)
    return {
        "kind": "rr",
        "usable": found.usable,
        "reason": found.reason,
        "beats": found.beats,
        "clean_share": found.clean_share,
        "mean_ms": found.mean_ms,
        "rmssd_ms": found.rmssd_ms,
        "sdnn_ms": found.sdnn_ms,
        "lf_hf": found.lf_hf,
        "stress": found.stress,
    }


# sentences


def _sentences(said: Messages, told: Told) -> str:
    frames = _list(told.get("frames")) or [told]
    numbered = len(frames) > 1
    lines = list[str]()
    for n, frame in enumerate(frames, 1):
        if numbered:
            lines.append(said["says"]["frame"].format(n=n))
        lines += [f"  {line}" for line in _lines(said, frame)]
    if numbered and "presses" in told:
        lines.append(said["name"]["presses"].format(value=told["presses"]))
    return "\n".join(lines)


def _lines(said: Messages, frame: Told) -> Iterator[str]:
    for name, value in frame.items():
        if name in SILENT or value is None or value == []:
            continue
        if name in {"reason", "note"}:
            yield said[name][str(value)]
        else:
            yield said["name"][_base(name)].format(value=_said(said, value))


def _said(said: Messages, value: object) -> str:
    match value:
        case bool():
            return said["word"]["yes" if value else "no"]
        case list():
            return ", ".join(_said(said, one) for one in value)
        case float():
            return f"{value:.10g}"
        case _:
            return said["word"].get(str(value), str(value))


def _base(name: str) -> str:
    """Return a name without the number of a second object."""
    return re.sub(r"_\d+$", "", name)


def _list(value: object) -> list[Told]:
    return value if isinstance(value, list) else []


# the command line


def _usual() -> Messages:
    return ours("drivers.bluetooth", "decode")


def _as(shape: object) -> Callable[[str], str]:
    """Return what reads an address or a key, however its letters are written."""

    def read(text: str) -> str:
        for given in (text.upper().replace("-", ":"), text.lower()):
            try:
                return msgspec.convert(given, cast("type[str]", shape))
            except msgspec.ValidationError:
                pass
        raise ArgumentTypeError(_usual()["cli"]["needs_form"].format(given=text))

    return read


def _stored(text: str) -> Stored:
    try:
        return msgspec.json.decode(text, type=Stored)
    except msgspec.DecodeError as error:
        raise ArgumentTypeError(str(error)) from None
