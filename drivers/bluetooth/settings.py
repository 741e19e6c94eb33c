"""The radio's TOML file as typed settings; relative paths start at the file's own folder."""

from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from hub.contract.addresses import FlawError
from hub.contract.forms import Adapter, FilePath, SocketPath, socket
from hub.shared.settings import Noted, read, refuse, text_of, unnoted


class Adapters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which adapter does what, by name or address; empty: the first that there is.

    An adapter hears nothing for some seconds while it connects. So with two, the Pi's own listens
    and a dongle connects.
    """

    listen: Adapter = ""
    connect: Adapter = ""


class RadioSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the radio. `state_dir` is the hub's: it holds the list `devices.toml`."""

    socket: SocketPath = "/run/anbu/radio.sock"
    state_dir: FilePath = "/var/lib/anbu"
    adapters: Adapters = field(default_factory=Adapters)


def load(path: Path | None, noted: Noted = unnoted) -> RadioSettings:
    """Read the file; without one, return the defaults. Raises SettingsError or OSError.

    A file that is not there has no mistakes, and a pendant must not wait for it.
    """
    if path is None or not path.exists():
        return RadioSettings()
    text = text_of(path.read_bytes(), str(path), noted)
    settings = read(text, str(path), RadioSettings)
    folder = path.resolve().parent
    rooted = {name: str(folder / getattr(settings, name)) for name in ("socket", "state_dir")}
    try:
        socket(rooted["socket"])
    except FlawError as flaw:
        raise refuse(text, str(path), ("socket",), flaw) from flaw
    return replace(settings, **rooted)
