"""What a program on the system's D-Bus has, asked through `busctl`.

Each Debian with systemd has `busctl`; the doctor runs in the hub's environment, which has no D-Bus
library. Nothing is started or changed by asking.
"""

import json
import re
import subprocess
from collections.abc import Mapping
from typing import Any

PATIENCE_S = 10.0
Objects = Mapping[str, Mapping[str, Mapping[str, Any]]]


class UnansweredError(Exception):
    """Nothing was answered. `code`: `unasked` (no busctl), `hangs`, `forbidden` or `missing`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def managed_objects(service: str, path: str) -> tuple[Objects | None, str]:
    """Return all that a service has; else None, and the code of `UnansweredError`."""
    try:
        objects: Objects = call(
            service, path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"
        )[0]
    except UnansweredError as error:
        return None, error.code
    return objects, ""


def call(service: str, path: str, interface: str, method: str) -> list[Any]:
    """Call a method without arguments; return its answer. Raises `UnansweredError`."""
    command = ("busctl", "--system", "--auto-start=no", "--json=short", "call", service, path,
               interface, method)  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except FileNotFoundError as error:
        msg = "unasked"
        raise UnansweredError(msg) from error
    except subprocess.TimeoutExpired as error:
        msg = "hangs"
        raise UnansweredError(msg) from error
    if done.returncode:
        refused = re.search("denied|rejected", done.stderr, re.IGNORECASE)
        raise UnansweredError("forbidden" if refused else "missing")
    answer: list[Any] = json.loads(done.stdout)["data"]
    return answer


def properties(objects: Objects, path: str, interface: str) -> dict[str, Any]:
    """Return an object's properties without their types."""
    return {name: value["data"] for name, value in objects[path][interface].items()}
