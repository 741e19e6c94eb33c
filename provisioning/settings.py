"""The provisioning process's TOML file as typed settings; without one the defaults hold.

Relative paths start at the file's own folder.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.contract.forms import FilePath, SocketPath
from hub.shared.identity import FOLDER
from hub.shared.settings import Noted, read, text_of, unnoted

USUAL = Path("/etc/anbu/provision.toml")


class ProvisionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings. `state_dir` is the hub's: it holds the identity.

    `network`: whether this process looks after the network, by NetworkManager. `form_port`: of the
    page on the hotspot; a phone opens it by itself on port 80 only.
    """

    socket: SocketPath = "/run/anbu/provision.sock"
    state_dir: FilePath = "/var/lib/anbu"
    run_dir: FilePath = "/run/anbu-provision"
    county: FilePath = "/etc/anbu/county.toml"
    voice_dir: FilePath = "/var/lib/anbu-voice"  # how the resident wants the voice
    spread_s: Annotated[float, Meta(ge=0, le=86_400)] = 3600.0  # of a county's backups
    network: bool = True
    form_port: Annotated[int, Meta(ge=0, le=65535)] = 80

    @property
    def identities(self) -> Path:
        """The folder of the hub's identity."""
        return Path(self.state_dir) / FOLDER


def load(path: Path | None, noted: Noted = unnoted) -> ProvisionSettings:
    """Read the file; without one, return the defaults. Raises SettingsError or OSError."""
    if path is None:
        if not USUAL.exists():
            return ProvisionSettings()
        path = USUAL
    found = read(text_of(path.read_bytes(), str(path), noted), str(path), ProvisionSettings)
    folder = path.resolve().parent
    fields = ("socket", "state_dir", "voice_dir", "run_dir", "county")
    return replace(found, **{name: str(folder / getattr(found, name)) for name in fields})
