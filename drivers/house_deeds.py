"""`anbu house motion|door|mains|battery|speak`: what is asked of the house and its resident."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.contract.voice import Meaning
from hub.shared.messages import Words_house_words, usual_language_house_words, words_house_words

if TYPE_CHECKING:
    from argparse import _SubParsersAction

LONGEST_MS = 7_200_000  # longer than any sensor is busy without being stuck
FULL_PCT = 100.0
DEEDS = ("motion", "door", "mains", "battery", "speak")
MOST_SCORE = 3
Request = dict[str, Any]


def add_arguments(deeds: "_SubParsersAction[ArgumentParser]", asked: ArgumentParser) -> None:
    """Add the five commands; `asked` holds the arguments that all commands share."""
    said = words_house_words(usual_language_house_words())["cli"]

    def command(name: str) -> ArgumentParser:
        return deeds.add_parser(name, parents=[asked], help=said[f"{name}_about"])

    motion = command("motion")
    motion.add_argument("what", help=said["sensor_about"])
    how = motion.add_mutually_exclusive_group()
    how.add_argument("--ms", type=_number(LONGEST_MS, above=0), help=said["motion_ms_about"])
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


def request(args: Namespace) -> Request:
    """Say to the house what the command line says."""
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


def told(said: Words_house_words, args: Namespace, answer: Request) -> str:
    """Say in words what the house has done."""
    match args.deed:
        case "motion":
            key = "motion_still" if args.still else "motion_seen"
        case "battery":
            key = "battery_set"
        case "speak":
            return f"「{said['speak'][args.what]}」"
        case _:
            key = f"{args.deed}_{args.to}"
    seconds = f"{answer.get('lasts_s', 0.0):g}"
    pct = f"{answer.get('battery_pct', 0.0):g}"
    return said["cli"][key].format(what=answer["what"], s=seconds, pct=pct)


def _number(most: float, *, above: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not above < value <= most:
            said = words_house_words(usual_language_house_words())["cli"]["number_wrong"]
            raise ArgumentTypeError(said.format(least=max(above, 0.0), most=most))
        return value

    return number
