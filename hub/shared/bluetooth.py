"""What the machine says about Bluetooth without D-Bus: the kernel's flaw, and blocked radios.

Until b5431dc2803a ("hci_sync: avoid dup filtering when passive scanning with adv monitor") kernels
since 5.16 let the controller drop repeated adverts in passive scanning: one event in 2 minutes. The
mend is in 6.11, 6.10.5, 6.6.46 and 6.1.105 (August 2024).
"""

import os
import re
from pathlib import Path

RFKILL = Path("/sys/class/rfkill")
MENDED_IN = {(6, 1): 105, (6, 6): 46, (6, 10): 5}  # series that are kept up: the patch level
MENDED_SINCE = (6, 11)
HARMLESS = ((5, 14), (5, 16))  # from c32d624640fd, which brought it, to abfeea476c68, which lost it
DEBIAN = re.compile(r"Debian (?:\d+:)?(\d+)\.(\d+)\.(\d+)")  # in `uname -v`; `-r` has the ABI only
RELEASE = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def kernel() -> tuple[int, int, int]:
    """Return this kernel's upstream version; 0.0.0 where it does not say."""
    told = os.uname()
    return kernel_version(told.release, told.version)


def kernel_version(release: str, version: str) -> tuple[int, int, int]:
    """Read the upstream version of what `uname -r` and `uname -v` print."""
    found = DEBIAN.search(version) or RELEASE.match(release)
    if not found:
        return 0, 0, 0
    return int(found[1]), int(found[2]), int(found[3] or 0)


def hears_repeats(version: tuple[int, int, int]) -> bool:
    """Whether passive scanning on this kernel hears a device more than once."""
    series = version[:2]
    if series >= MENDED_SINCE or HARMLESS[0] <= series < HARMLESS[1]:
        return True
    return version[2] >= MENDED_IN.get(series, version[2] + 1)


def blocked(adapter: str = "", folder: Path = RFKILL) -> str:
    """Return how the adapter (`hci0`; empty: any) is blocked: "hard", "soft" or "".

    A laptop's or a dock's own switch, which is no adapter, blocks each of them.
    """
    found = set[str]()
    for switch in sorted(folder.glob("rfkill*")):
        name = _read(switch / "name")
        is_other = name.startswith("hci") and adapter not in ("", name)
        if _read(switch / "type") == "bluetooth" and not is_other:
            found |= {kind for kind in ("hard", "soft") if _read(switch / kind) == "1"}
    return "hard" if "hard" in found else "".join(found)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it was pulled out meanwhile
        return ""
