"""The devices of a trace, which has no list of them: what they are is told by kind and name."""

from msgspec.structs import replace

from hub.contract.forms import composed
from hub.core.model.rules import Button, Role, Room, Rules, Sense, Sensor
from hub.replay.trace import Sort

SENSES = {
    Sort.MOTION: Sense.MOTION,
    Sort.CONTACT: Sense.DOOR,
    Sort.EXIT_DOOR: Sense.EXIT_DOOR,
    Sort.HEART_RATE: Sense.WEARABLE,
}
ROOMS = {  # parts of device names: Korean, English, and those of the public Dutch homes
    Room.BATHROOM: ("bath", "toilet", "shower", "wc", "badkamer", "욕실", "화장실", "샤워"),
    Room.BEDROOM: ("bed", "slaapkamer", "침실", "침대", "안방"),
}
GREEN, INFO = ("cancel", "green", "취소", "초록"), ("info", "안내")


def met(rules: Rules, device: str, sort: Sort) -> Rules:
    """Give the rules with a device that has just spoken for the first time."""
    if sort in SENSES:
        sensor = Sensor(SENSES[sort], device, room_of(device))
        return replace(rules, sensors={**rules.sensors, device: sensor})
    if sort is not Sort.PRESS or device in rules.buttons or _names(device, INFO):
        return rules
    role = Role.CANCEL_BUTTON if _names(device, GREEN) else Role.HELP_BUTTON
    return replace(rules, buttons={**rules.buttons, device: Button(role, device)})


def room_of(device: str) -> Room:
    """Guess a room from a device's name."""
    return next((room for room, parts in ROOMS.items() if _names(device, parts)), Room.OTHER)


def _names(device: str, parts: tuple[str, ...]) -> bool:
    name = composed(device).casefold()
    return any(part in name for part in parts)
