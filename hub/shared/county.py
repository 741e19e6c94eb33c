"""The county's file, `/etc/anbu/county.toml`: the same for all hubs of a county, without a secret.

    county = "jeongseon"
    center = "https://center.jeongseon.example:8444"
    ca = "ca.crt"
    brokers = ["tls://center.jeongseon.example:8883"]

It comes with the image. `center` is where a hub gets its certificate (EST, RFC 7030); `ca` is the
authority by which that machine is known. Relative paths start at the file's own folder.
"""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from hub.contract.forms import Broker, FilePath
from hub.shared.settings import Noted, read, text_of, unnoted

Url = Annotated[str, Meta(pattern="^(https://[^/\\s]+(/[^\\s]*)?)?$", max_length=200)]


class County(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of a county."""

    county: Annotated[str, Meta(max_length=60)] = ""
    center: Url = ""
    ca: FilePath = ""
    brokers: Annotated[tuple[Broker, ...], Meta(max_length=8)] = ()


def load(path: Path, noted: Noted = unnoted) -> County:
    """Read the file. Raises SettingsError or OSError."""
    found = read(text_of(path.read_bytes(), str(path), noted), str(path), County)
    folder = path.resolve().parent
    return replace(found, ca=str(folder / found.ca) if found.ca else "")
