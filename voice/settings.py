"""The voice's TOML file as typed settings; relative paths start at the file's own folder."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.contract.addresses import FlawError
from hub.contract.forms import FilePath, SocketPath, TimeOfDay, socket
from hub.shared.settings import Noted, read, refuse, text_of, unnoted

Pct = Annotated[float, Meta(ge=0, le=100)]
PATHS = ("socket", "state_dir", "cache_dir", "models", "bank", "plans", "phrases")


class VoiceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the voice.

    `microphone` and `loudspeaker` are parts of a device's name; empty means the machine's default.
    `silent_s`: a microphone that gives only zeros for so long counts as switched off (0: never, for
    those that give zeros whenever it is quiet). `models` is a folder with `vosk/`, `whisper/` and
    `kokoro/`. `plans` and `bank` are a county's own and go before ours, `phrases` replaces ours.
    Two need the resident's consent: without `keep_audio` no recording is kept; without `tell_words`
    only the meaning leaves the home, with it the control centre also reads what was said with a
    call for help or an answer to a check-in.
    """

    socket: SocketPath = "/run/anbu/voice.sock"
    state_dir: FilePath = "/var/lib/anbu-voice"
    cache_dir: FilePath = "/var/cache/anbu-voice"
    models: FilePath = ""
    bank: FilePath = ""
    plans: FilePath = ""
    phrases: FilePath = ""
    microphone: str = ""
    loudspeaker: str = ""
    silent_s: Annotated[float, Meta(ge=0)] = 30.0
    language: Literal["ko"] = "ko"
    speed: Annotated[float, Meta(ge=0.5, le=1.2)] = 0.8
    volume_pct: Pct = 80.0
    night_volume_pct: Pct = 50.0
    night_from: TimeOfDay = "22:00"
    night_until: TimeOfDay = "07:00"
    zone_h: Annotated[float, Meta(ge=-12, le=14)] = 9.0  # ahead of UTC; Korea has no summer time
    spoken_sos: bool = True
    sensitivity: Literal["low", "normal", "high"] = "normal"
    keep_audio: bool = False
    tell_words: bool = False
    threads: Annotated[int, Meta(ge=1, le=8)] = 2
    memory_mb: Annotated[float, Meta(ge=200)] = 700.0
    restart_at: TimeOfDay = "03:30"


def load(path: Path | None, noted: Noted = unnoted) -> VoiceSettings:
    """Read the file; without one, return the defaults. Raises SettingsError or OSError."""
    if path is None:
        return VoiceSettings()
    text = text_of(path.read_bytes(), str(path), noted)
    settings = read(text, str(path), VoiceSettings)
    folder = path.resolve().parent
    given = {name: getattr(settings, name) for name in PATHS}
    rooted = {name: str(folder / value) for name, value in given.items() if value}
    try:
        socket(rooted["socket"])
    except FlawError as flaw:
        raise refuse(text, str(path), ("socket",), flaw) from flaw
    return replace(settings, **rooted)
