"""`anbu house`: moves a running virtual house, shows its lamps, serves its page; or `simulate`.

Exit codes: 0 done; 1 the house refused, or the page cannot be served; 2 wrong arguments;
3 no virtual house is running.
"""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.lives import cli as lives
from drivers.virtual import sensors_cli
from drivers.virtual.wireless import Deed
from drivers.virtual.words import Variation
from hub.contract.radio import How
from hub.contract.voice import Meaning
from hub.shared import unix_socket
from hub.shared.messages import Messages, messages, ours

if TYPE_CHECKING:
    from argparse import _SubParsersAction

LONGEST_MOTION_MS = 7_200_000  # longer than any sensor is busy without being stuck
FULL_PCT = 100.0
DEEDS = ("motion", "door", "mains", "battery", "speak")
WIRELESS = ("pendant", "detector", "band", "measure", "phone")
MOST_SCORE = 3
Request = dict[str, Any]
LONGEST_MS = 600_000
NEAR = ("near", "away")
BAND_WORDS = {"range": NEAR, "skin": ("on", "off")}  # the first word is true
ANSWER_S = 5.0  # the house answers at once, or after the press that it was asked for


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    REFUSED = 1
    NO_HOUSE = 3


class Unreachable(Exception):  # noqa: N818 - a state of the world, told to a person
    """There is no answer at the socket; the text is the key of the sentence that says why."""


def usual_socket() -> str:
    """Return the socket of a house that runs in the usual place."""
    return str(Path(os.environ.get("ANBU_RUN_DIR", "run/demo")) / "house.sock")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the commands of `anbu house`."""
    said = ours("drivers.virtual")["cli"]
    parser.description = said["about"]
    usual = ArgumentParser(add_help=False)
    usual.add_argument("--socket", default=usual_socket(), help=said["socket_about"])
    asked = ArgumentParser(add_help=False, parents=[usual])
    asked.add_argument("--json", action="store_true", help=said["json_about"])
    deeds = parser.add_subparsers(
        dest="deed", required=True, metavar="COMMAND", help=said["command_about"]
    )
    press = deeds.add_parser("press", parents=[asked], help=said["press_about"])
    press.add_argument("what", help=said["what_about"])
    press.add_argument("--ms", type=_milliseconds, help=said["ms_about"])
    release = deeds.add_parser("release", parents=[asked], help=said["release_about"])
    release.add_argument("what", help=said["what_about"])
    _add_changes(deeds, asked)
    _add_wireless(deeds, asked)
    sensors_cli.add_arguments(deeds.add_parser("sensors", help=said["sensors_about"]))
    deeds.add_parser("lamps", parents=[asked], help=said["lamps_about"])
    serve = deeds.add_parser("serve", parents=[usual], help=said["serve_about"])
    serve.add_argument("--port", type=int, default=8090, help=said["port_about"])
    lives.add_arguments(deeds.add_parser("simulate", parents=[usual], help=said["simulate_about"]))


def run(args: Namespace) -> int:
    """Run the command; print the result to stdout, or the reason of a failure to stderr."""
    if args.deed == "serve":
        return _serve(args)
    if args.deed == "simulate":
        return lives.run(args)
    if args.deed == "sensors":
        return sensors_cli.run(args)
    said = messages("drivers.virtual", args.lang)
    try:
        answer = ask(args.socket, _request(args))
    except Unreachable as error:
        return _fail(said["cli"][str(error)].format(socket=args.socket), Exit.NO_HOUSE)
    if not answer["ok"]:
        return _fail(_refusal(said, args, answer), Exit.REFUSED)
    text = json.dumps(answer, ensure_ascii=False) if args.json else _told(said, args, answer)
    sys.stdout.write(text + "\n")
    return Exit.DONE


def ask(socket: str, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to the house and return its answer. Raises Unreachable."""
    patience_s = ANSWER_S + (request.get("ms") or 0) / 1000
    try:
        line = json.dumps(request).encode() + b"\n"  # a shell may give what is no Unicode
        answer: dict[str, Any] = json.loads(next(unix_socket.ask(socket, line, patience_s), b""))
    except PermissionError as error:
        raise Unreachable("no_entry") from error  # noqa: EM101 - a key, not a sentence
    except (TimeoutError, json.JSONDecodeError, ConnectionResetError, BrokenPipeError) as error:
        raise Unreachable("no_answer") from error  # noqa: EM101 - a key, not a sentence
    except OSError as error:
        raise Unreachable("no_house") from error  # noqa: EM101 - a key, not a sentence
    return answer


def _add_changes(deeds: "_SubParsersAction[ArgumentParser]", asked: ArgumentParser) -> None:
    """Add the commands that change the house; `asked` holds the arguments that all share."""
    said = ours("drivers.virtual")["cli"]

    def command(name: str) -> ArgumentParser:
        return deeds.add_parser(name, parents=[asked], help=said[f"{name}_about"])

    motion = command("motion")
    motion.add_argument("what", help=said["sensor_about"])
    how = motion.add_mutually_exclusive_group()
    how.add_argument("--ms", type=_number(LONGEST_MOTION_MS, above=0), help=said["motion_ms_about"])
    how.add_argument("--still", action="store_true", help=said["still_about"])
    door = command("door")
    door.add_argument("what", help=said["sensor_about"])
    door.add_argument("to", choices=("open", "shut"), help=said["door_to_about"])
    command("mains").add_argument("to", choices=("off", "on"), help=said["mains_to_about"])
    battery = command("battery")
    battery.add_argument("pct", type=_number(FULL_PCT, above=-1e-9), help=said["pct_about"])
    battery.add_argument("what", nargs="?", default="", help=said["sensor_about"])
    speak = command("speak")
    meanings = [str(meaning) for meaning in Meaning]
    speak.add_argument("what", choices=meanings, metavar="MEANING", help=said["speak_what_about"])
    scores = range(MOST_SCORE + 1)
    speak.add_argument("--score", type=int, choices=scores, default=0, help=said["score_about"])


def _add_wireless(deeds: "_SubParsersAction[ArgumentParser]", asked: ArgumentParser) -> None:
    """Add the commands for what is worn, carried and heard by the radio process."""
    said = ours("drivers.virtual")["cli"]

    def command(name: str) -> ArgumentParser:
        made = deeds.add_parser(name, parents=[asked], help=said[f"{name}_about"])
        made.add_argument("what", help=said["wireless_about"])
        return made

    hows = [str(deed) for deed in Deed]
    pendant = command("pendant")
    pendant.add_argument("--how", choices=hows, default=hows[0], help=said["how_about"])
    command("detector").add_argument("to", choices=("found", "clear"), help=said["found_about"])
    band = command("band")
    for name, words in BAND_WORDS.items():
        band.add_argument(f"--{name}", choices=words, help=said[f"{name}_about"])
    band.add_argument("--pulse", type=float, metavar="BPM", help=said["pulse_about"])
    variations = [str(variation) for variation in Variation]
    band.add_argument("--variation", choices=variations, help=said["variation_about"])
    measure = command("measure")
    for name in ("systolic", "diastolic"):
        measure.add_argument(name, type=float, metavar="MMHG", help=said[f"{name}_about"])
    command("phone").add_argument("to", choices=NEAR, help=said["range_about"])


def _milliseconds(text: str) -> float:
    try:
        ms = float(text)
    except ValueError:
        ms = 0.0
    if not 0 < ms <= LONGEST_MS:
        raise ArgumentTypeError(ours("drivers.virtual")["cli"]["ms_wrong"].format(most=LONGEST_MS))
    return ms


def _number(most: float, *, above: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not above < value <= most:
            said = ours("drivers.virtual")["cli"]["number_wrong"]
            raise ArgumentTypeError(said.format(least=max(above, 0.0), most=most))
        return value

    return number


def _request(args: Namespace) -> dict[str, Any]:
    match args.deed:
        case "press":
            return {"do": "press", "what": args.what, "ms": args.ms}
        case "release":
            return {"do": "release", "what": args.what}
        case deed if deed in DEEDS:
            return _change_request(args)
        case deed if deed in WIRELESS:
            return {"do": deed, "what": args.what} | _wireless_request(args)
        case _:
            return {"do": "lamps"}


def _change_request(args: Namespace) -> Request:
    """Return the house's request for a command that changes it."""
    match args.deed:
        case "motion":
            return {"do": "motion", "what": args.what, "ms": args.ms, "still": args.still}
        case "door":
            return {"do": "door", "what": args.what, "open": args.to == "open"}
        case "mains":
            return {"do": "mains", "present": args.to == "on"}
        case "speak":
            return {"do": "speak", "what": args.what, "score": args.score}
        case _:
            return {"do": "battery", "what": args.what, "pct": args.pct}


def _wireless_request(args: Namespace) -> Request:
    """Return what is particular to a command for a wireless device."""
    match args.deed:
        case "pendant":
            return {"how": args.how}
        case "detector":
            return {"on": args.to == "found"}
        case "band":
            words = {name: getattr(args, name) for name in BAND_WORDS}
            states = {k: v and v == BAND_WORDS[k][0] for k, v in words.items()}
            near, worn = states["range"], states["skin"]
            more = {"pulse_bpm": args.pulse, "variation": args.variation}
            return {"near": near, "worn": worn} | more
        case "measure":
            return {"systolic_mmhg": args.systolic, "diastolic_mmhg": args.diastolic}
        case _:
            return {"near": args.to == NEAR[0]}


def _serve(args: Namespace) -> int:
    said = messages("drivers.virtual", args.lang)["cli"]
    try:
        from drivers.virtual.web import open_port, serve  # noqa: PLC0415 - needs starlette
    except ImportError as error:
        return _fail(said["no_page"].format(reason=error), Exit.REFUSED)
    try:
        sock = open_port(args.port)
    except (OSError, OverflowError) as error:
        return _fail(said["no_port"].format(port=args.port, reason=error), Exit.REFUSED)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}/?lang={args.lang}"
    sys.stdout.write(said["serving"].format(url=url) + "\n")
    sys.stdout.flush()
    serve(args.socket, sock)
    return Exit.DONE


def _fail(sentence: str, code: Exit) -> int:
    sys.stderr.write(sentence + "\n")
    return code


def _refusal(said: Messages, args: Namespace, answer: dict[str, Any]) -> str:
    what = getattr(args, "what", "")
    sentence = said["cli"].get(answer["error"], said["cli"]["bad_request"])
    known = ", ".join(answer.get("known", []))
    name = said["contact"].get(what, what)
    return sentence.format(what=what, name=name, known=known, detail=answer["detail"])


def _told(said: Messages, args: Namespace, answer: dict[str, Any]) -> str:
    if args.deed == "lamps":
        return _look(said, answer)
    if args.deed in (*DEEDS, *WIRELESS):
        return _change_told(said, args, answer)
    ms = getattr(args, "ms", None)
    sentence = "released" if args.deed == "release" else "held" if ms is None else "pressed"
    name = said["contact"].get(args.what, args.what)
    return said["cli"][sentence].format(name=name, what=args.what, ms=ms and f"{ms:g}")


def _look(said: Messages, answer: dict[str, Any]) -> str:
    meaning = said["signal"].get(answer["signal"] or "none", answer["signal"])
    lines = [f"■ {meaning}"]
    for name, lamp in answer["lamps"].items():
        mark = "●" if lamp["on"] else "○"
        lines.append(f"{mark} {said['part'].get(name, name)}: {said['pattern'][lamp['pattern']]}")
    lines.append(said["cli"]["said_title" if answer["said"] else "said_nothing"])
    for say in answer["said"]:
        ago = said["cli"]["ago"].format(s=round(say["age_s"]))
        lines.append(f"  {ago}: {say['text']}")
    return "\n".join(lines)


def _change_told(said: Messages, args: Namespace, answer: Request) -> str:
    """Return the sentence for what the house has done."""
    match args.deed:
        case "motion":
            key = "motion_still" if args.still else "motion_seen"
        case "battery":
            key = "battery_set"
        case "speak":
            return f"「{said['speak'][args.what]}」"
        case "pendant":
            key = "pendant_pressed" if args.how in {how.value for how in How} else args.how
        case "band" | "measure":
            key = f"{args.deed}_done"
        case _:
            key = f"{args.deed}_{args.to}"
    seconds = f"{answer.get('lasts_s', 0.0):g}"
    pct = f"{answer.get('battery_pct', 0.0):g}"
    return said["cli"][key].format(what=answer["what"], s=seconds, pct=pct)
