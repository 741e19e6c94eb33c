"""The demo's folder: certificates, a password and settings, made at the first start.

DIR/certs/  mosquitto.conf  center.toml  hub.toml  radio.toml  operator  state/  log/
"""

import os
import secrets
import socket
from pathlib import Path

from msgspec import Struct

from provisioning.broker import config as broker
from provisioning.certs import dev

HUB = "js-0001"
USER = "demo"
PORTS = {"broker": 8883, "console": 8080, "house": 8090}
HOST = "127.0.0.1"

CENTER = """\
[center]
listen = "{host}:{console}"
database = "state/center.db"

[mqtt]
brokers = ["tls://{host}:{broker}"]
ca = "certs/ca.crt"
cert = "certs/center.crt"
key = "certs/center.key"
"""

HOME = """\
hub = "{hub}"
state_dir = "state/hub"
run_dir = "."
telemetry_s = 30

[rules.watch]
spread_s = 10  # a single home does not have to wait for others

[mqtt]
brokers = ["tls://{host}:{broker}"]
ca = "certs/ca.crt"
cert = "certs/hubs/{hub}.crt"
key = "certs/hubs/{hub}.key"

[[device]]
kind = "contact"
name = "help"
role = "help_button"
place = "거실"
pin = 17
wiring = "normally_closed"  # a cut wire is then a call, and a fault a minute later

[[device]]
kind = "contact"
name = "cord"
role = "pull_cord"
place = "욕실"
pin = 27
wiring = "normally_closed"

[[device]]
kind = "contact"
name = "cancel"
role = "cancel_button"
place = "거실"
pin = 22

[[device]]
kind = "lamp"
name = "lamp"
red = 5
green = 6
amber = 13
buzzer = 19

[[device]]
kind = "motion"
name = "kitchen"
place = "부엌"
pin = 23

[[device]]
kind = "motion"
name = "living"
place = "거실"
pin = 24

[[device]]
kind = "motion"
name = "bathroom"
place = "욕실"
room = "bathroom"
pin = 25

[[device]]
kind = "motion"
name = "bedroom"
place = "침실 앞 복도"
room = "bedroom"
pin = 12

[[device]]
kind = "contact"
name = "front"
role = "exit_door"
place = "현관문"
pin = 16

[[device]]
kind = "supply"
name = "power"
place = "허브 전원"
pin = 26
battery = "/sys/class/power_supply/*/capacity"

[[device]]
kind = "radio"
socket = "{folder}/radio.sock"
"""

RADIO = """\
# The radio process of the demo, in the virtual house: no Bluetooth.
socket = "radio.sock"
state_dir = "state/hub"
"""

DEVICES = """\
# The wireless devices of the demo. Addresses and keys are invented.

[[device]]
kind = "pendant"
name = "pendant"
address = "C0:FF:EE:00:00:01"
key = "{pendant}"
place = "목걸이"

[[device]]
kind = "sensor"
name = "balcony"
address = "C0:FF:EE:00:00:02"
key = "{balcony}"
sense = "door"
place = "베란다 문"

[[device]]
kind = "sensor"
name = "smoke"
address = "C0:FF:EE:00:00:03"
key = "{smoke}"
sense = "smoke"
place = "부엌 천장"

[[device]]
kind = "wearable"
name = "band"
address = "C0:FF:EE:00:00:04"
what = "band"

[[device]]
kind = "wearable"
name = "cuff"
address = "C0:FF:EE:00:00:05"
what = "cuff"

[[device]]
kind = "phone"
name = "phone"
address = "C0:FF:EE:00:00:06"
consent = true
"""
KEYED = ("pendant", "balcony", "smoke")

VOICEBOX = """
[[device]]
kind = "voicebox"
socket = "{folder}/voice.sock"
"""

VOICE = """\
# The voice of the demo: the machine's own microphone and loudspeaker.
socket = "voice.sock"
state_dir = "state/voice"
cache_dir = "state/voice/cache"
{models}
"""


class Files(Struct, frozen=True):
    """The folder, and the ports and password that were chosen."""

    folder: Path
    ports: dict[str, int]
    password: str

    def url(self, name: str) -> str:
        """Return the address of a page: `console` or `house`."""
        return f"http://{HOST}:{self.ports[name]}"


def lay(folder: Path, *, voice: bool = False) -> Files:
    """Write the folder's files; ports are the usual ones, or free ones.

    With `voice` the home has a voicebox; it understands speech if `DIR/models` has its models.
    """
    for part in ("state/hub", "log"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    list(dev.ensure(folder / "certs", [HUB]))
    ports = {name: _port(usual) for name, usual in PORTS.items()}
    broker.write_config(folder, folder / "certs", ports["broker"])
    home = HOME + VOICEBOX if voice else HOME
    models = 'models = "models"' if (folder / "models").is_dir() else ""
    texts = {"center.toml": CENTER, "hub.toml": home, "voice.toml": VOICE, "radio.toml": RADIO}
    for name, text in texts.items():
        filled = text.format(host=HOST, hub=HUB, folder=folder, models=models, **ports)
        (folder / name).write_text(filled, encoding="utf-8")
    keys = {name: secrets.token_hex(16) for name in KEYED}
    _kept(folder / "state" / "hub" / "devices.toml", DEVICES.format(**keys))
    return Files(folder, ports, _kept(folder / "operator", secrets.token_urlsafe(9)))


def _kept(file: Path, secret: str) -> str:
    """Return what the file says; a new one gets the `secret`, and only its owner can read it."""
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secret)
        return secret


def _port(usual: int) -> int:
    for port in (usual, 0):
        try:
            with socket.create_server((HOST, port)) as server:
                return int(server.getsockname()[1])
        except OSError:
            continue
    message = f"no free port beside {usual}"
    raise OSError(message)
