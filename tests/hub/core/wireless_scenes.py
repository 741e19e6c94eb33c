"""A home with a pendant, a green one, detectors and wireless sensors; what each of them says."""

from msgspec import Struct
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, Cleared, FaultReport
from hub.contract.radio import How, Part, Sensed
from hub.core.decide import recover
from hub.core.model.effects import Ask, Effect, Publish, Say, Show, Took
from hub.core.model.events import LinkUp, RadioPartChanged, WirelessFound, WirelessPressed
from hub.core.model.rules import Button, Role, Rules, Sense, Sensor
from hub.core.model.state import HomeState
from tests.hub.core import scenes

PENDANT, WRISTLET, RADIO, PHONE = "pendant", "wristlet", "radio", "phone"
KITCHEN, BOILER, SINK, DOOR, WINDOW, HALL, SOFA = (
    "smoke-kitchen", "boiler", "sink", "front", "window", "hall", "sofa",
)  # fmt: skip
DAY_S = 86_400.0
RULES = replace(
    scenes.CALM,
    radio=RADIO,
    phones=(PHONE,),
    buttons={
        **scenes.CALM.buttons,
        PENDANT: Button(Role.HELP_BUTTON, "목걸이", wireless="A4:C1:38:00:00:01"),
        WRISTLET: Button(Role.CANCEL_BUTTON, "손목", wireless="A4:C1:38:00:00:02"),
    },
    sensors={
        KITCHEN: Sensor(Sense.SMOKE, "부엌", silent_s=DAY_S),
        "smoke-bed": Sensor(Sense.SMOKE, "침실", silent_s=DAY_S),
        BOILER: Sensor(Sense.CARBON_MONOXIDE, "보일러실"),
        SINK: Sensor(Sense.MOISTURE, "싱크대"),
        DOOR: Sensor(Sense.DOOR, "현관"),
        WINDOW: Sensor(Sense.WINDOW, "창문"),
        HALL: Sensor(Sense.MOTION, "복도"),
        SOFA: Sensor(Sense.OCCUPANCY, "소파"),
    },
)


class Told(Struct, frozen=True):
    """What the centre is told of an alarm, of which device, and what it is about."""

    what: str
    kind: str
    device: str
    about: str = ""


class Fault(Struct, frozen=True):
    """A fault that the centre is told of."""

    kind: str
    device: str
    detail: str = ""


class Over(Struct, frozen=True):
    """A fault that is over."""

    fault: str


def told(effect: Effect) -> Struct | None:
    """Return an effect in short: what the centre and the radio are told; lamp and voice are not."""
    if isinstance(effect, Show | Say | Ask):
        return None
    if not isinstance(effect, Publish):
        return effect
    message = wire.decode_from_hub(effect.topic, effect.payload)[1]
    if isinstance(message, AlarmEvent):
        data = message.data
        return Told(str(data.what), str(data.kind), data.device, data.about)
    if isinstance(message, FaultReport):
        return Fault(str(message.kind), message.device, message.detail)
    if isinstance(message, Cleared):
        return Over(message.fault)
    return effect


def home(rules: Rules = RULES) -> HomeState:
    """The home, linked and at rest, at 1.0."""
    began = scenes.started()
    return scenes.tell_by(rules, recover(HomeState(), began, ()), began, LinkUp(1.0, "broker"))


def pressed(
    at: float, counter: int, *, name: str = "", how: How = How.PRESS, device: str = PENDANT
) -> WirelessPressed:
    """A frame of a pendant with this counter; `name` is the radio's name of it."""
    ident = name or f"p{counter}"
    return WirelessPressed(at, device, ident, how, 1, counter % 256, counter, f"{counter:08x}")


def found(at: float, device: str, what: Sensed, *, on: bool = True) -> WirelessFound:
    """What a sensor found."""
    return WirelessFound(at, device, what, on)


def part(at: float, which: Part, *, broken: bool = True, device: str = RADIO) -> RadioPartChanged:
    """A part of the radio, or of a device, breaks or works again."""
    return RadioPartChanged(at, device, which, broken, "")


def took(counter: int) -> Took:
    """The radio is told that a press is committed."""
    return Took(f"p{counter}")
