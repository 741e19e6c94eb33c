"""What a hub leaves at the centre for the one that replaces it, and what that one makes of it.

Learned habits, the list of wireless devices without their keys, and how the resident wants the
voice. No conversation, no key, no call: calls are at the centre already.

A device without a key or a bond goes on at once; the others are listed in `devices.anew.toml`.
"""

import zlib
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.shared import anew
from hub.shared.anew import LIST, LIST_BYTES
from hub.shared.files import to_disk, write_whole

FORMAT = 1
HABITS, RESTORED, VOICE = "habits.bin", "habits.restored.bin", "voice.json"
HABITS_BYTES, VOICE_BYTES = 65_536, 4096
BODY_BYTES = 200_000  # what is sent; `hub.outbox.habits_file` reads habits of 64 KB
OPENED_BYTES = 400_000  # what it may become when it is unpacked
KEYED = "keyed"  # of a device whose key is left out
Device = dict[str, str | int | float | bool]


class UnfitError(ValueError):
    """What the centre had kept cannot be read."""


class Kept(Struct, frozen=True):
    """All of it; what a hub does not have is empty. A newer program may add fields."""

    format: int = FORMAT
    habits: Annotated[bytes, Meta(max_length=HABITS_BYTES)] = b""
    devices: list[Device] = []
    voice: Annotated[bytes, Meta(max_length=VOICE_BYTES)] = b""


def collect(state_dir: Path, voice_dir: Path) -> Kept:
    """Read what this hub has; a file that cannot be read, or is too large, is left out."""
    listed = _read(state_dir / LIST, LIST_BYTES).decode(errors="replace")
    devices = [_keyless(one) for one in (*anew.tables(listed), *_waiting(state_dir))]
    habits = _read(state_dir / HABITS, HABITS_BYTES)
    return Kept(FORMAT, habits, devices, _read(voice_dir / VOICE, VOICE_BYTES))


def pack(kept: Kept) -> bytes:
    """Return what is sent."""
    return zlib.compress(msgspec.json.encode(kept))


def unpack(body: bytes) -> Kept:
    """Return what was sent. Raises UnfitError."""
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(body, OPENED_BYTES)
        kept = msgspec.json.decode(plain, type=Kept)
    except (zlib.error, msgspec.DecodeError) as error:
        raise UnfitError(str(error)) from error
    if opened.unconsumed_tail or not opened.eof or kept.format > FORMAT:
        raise UnfitError(str(kept.format))
    return kept


def restore(kept: Kept, state_dir: Path, voice_dir: Path) -> dict[str, str]:
    """Let this hub go on with it; what is here already stays. Raises `OSError`.

    The hub takes the habits at its next start. Returns a hash of each file that other programs may
    change, for `forget`.
    """
    files = {state_dir / RESTORED: kept.habits}
    here = _read(state_dir / LIST, LIST_BYTES).decode(errors="replace")
    heard = [] if anew.tables(here) else [one for one in kept.devices if _is_heard(one)]
    waiting = [one for one in kept.devices if one not in heard]
    if heard:
        files[state_dir / LIST] = anew.written(_shown(heard)).encode()
    if waiting:
        files[state_dir / anew.FILE] = anew.written(_shown(waiting), anew.HEAD).encode()
    if voice_dir.is_dir() and not (voice_dir / VOICE).exists():
        files[voice_dir / VOICE] = kept.voice
    for path, content in files.items():
        if content:
            write_whole(path, content, 0o600)
    to_disk(state_dir)
    return {str(path): _hash(content) for path, content in files.items() if content}


def forget(came: dict[str, str], state_dir: Path) -> None:
    """Drop what came from another home, for which this hub was claimed by mistake.

    A file that was changed since stays: it tells of this home. Raises `OSError`.
    """
    for path in map(Path, came):
        if _hash(_read(path, LIST_BYTES)) != came[str(path)]:
            continue
        if path.name == LIST:
            write_whole(path, b"", 0o600)  # a list that is gone would be a mistake
        else:
            path.unlink()
    (state_dir / anew.FILE).unlink(missing_ok=True)
    if str(state_dir / RESTORED) in came:
        write_whole(state_dir / RESTORED, b"", 0o600)  # empty: learning begins anew
    to_disk(state_dir)


def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()


def _shown(devices: list[Device]) -> list[Device]:
    return [{name: value for name, value in one.items() if name != KEYED} for one in devices]


def _keyless(device: Device) -> Device:
    plain = {name: value for name, value in device.items() if name != anew.KEY}
    return plain | {KEYED: True} if anew.KEY in device else plain


def _is_heard(device: Device) -> bool:
    return anew.is_heard(device) and not device.get(KEYED)


def _waiting(state_dir: Path) -> list[Device]:
    """Return what is still to be paired, so that a second replacement does not lose it."""
    left = {one.address for one in anew.awaited(state_dir)}
    text = _read(state_dir / anew.FILE, LIST_BYTES).decode(errors="replace")
    return [one | {KEYED: True} for one in anew.tables(text) if one.get("address") in left]


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(most + 1)
    except OSError:
        return b""
    return found if len(found) <= most else b""
