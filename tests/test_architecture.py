"""The code keeps the rules of docs/architecture.md, and each rule can be violated by a test."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.layout import (
    FUNCTION_MEDIAN,
    REPO,
    ROOMS,
    Module,
    circles,
    impurities,
    median_length,
    modules,
    offers,
    oversizes,
    past_offers,
    promises_missing,
    side_doors,
    strays,
    vague_names,
)

PRODUCT = modules(*ROOMS)
TOOLS = modules("bench", "tests")
Rule = Callable[[Module], Iterator[str]]

OURS = {"", ".py", ".toml", ".md", ".yaml", ".html", ".css", ".js", ".json", ".svg", ".png", ".txt",
        ".in", ".path", ".sh", ".service", ".conf", ".typed", ".sysusers", ".tmpfiles", ".rules",
        ".network", ".socket", ".target", ".timer", ".tsv", ".csv", ".ogg",
        ".postinst", ".postrm", ".prerm", ".lintian-overrides", ".1"}  # fmt: skip
NOT_OURS = re.compile(r"\.min\.|(^|/)(vendor|node_modules|site-packages)/|\.(whl|so|ttf|woff2?)$")
FILE = re.compile(
    r"(?<!-)\b(hub|drivers|center|provisioning|tests|bench|docs|systemd)/[\w/-]+\.(py|md|yaml|sh|toml|service)\b"
)
MACHINE = re.compile(r"(?<![\w.])/" + r"(work|root|home/\w+|opt/(wheels|pypi)|Users)/")
REGISTRY = re.compile(r"https?://[\w.]*" + r"(pypi|pythonhosted|npmjs|piwheels)\.")


def all_of(found: Iterator[str]) -> str:
    return "\n".join(found)


@pytest.mark.parametrize("rule", [strays, side_doors, oversizes, vague_names, promises_missing])
def test_the_product_keeps_the_rule(rule: Rule) -> None:
    assert not all_of(sentence for module in PRODUCT for sentence in rule(module))


@pytest.mark.parametrize("rule", [vague_names, promises_missing])
def test_tests_and_benches_keep_the_rule(rule: Rule) -> None:
    assert not all_of(sentence for module in TOOLS for sentence in rule(module))


def test_nothing_imports_in_a_circle() -> None:
    assert not all_of(circles(PRODUCT))


def test_a_room_is_entered_by_what_it_offers() -> None:
    offered = offers(PRODUCT)
    assert not all_of(sentence for module in PRODUCT for sentence in past_offers(module, offered))


def test_every_room_says_what_it_offers() -> None:
    rooms = {module.name.rpartition(".")[0] for module in PRODUCT} - {"", *ROOMS}
    assert rooms <= offers(PRODUCT).keys()


def test_what_a_room_offers_exists() -> None:
    names = {module.name for module in PRODUCT}
    offered = {f"{room}.{name}" for room, found in offers(PRODUCT).items() for name in found}
    assert not offered - names


def test_the_core_and_the_contract_are_pure() -> None:
    core = [module for module in PRODUCT if module.is_in("hub.core", "hub.contract")]
    core.remove(next(m for m in core if m.name == "hub.contract.asyncapi"))  # writes the document
    assert core
    assert not all_of(sentence for module in core for sentence in impurities(module))


def test_the_functions_of_a_bench_are_as_short_as_the_product_s() -> None:
    assert not all_of(s for module in modules("bench") for s in oversizes(module))


@pytest.mark.parametrize("room", ["hub.core", *ROOMS])
def test_most_functions_are_short(room: str) -> None:
    assert median_length([module for module in PRODUCT if module.room == room]) <= FUNCTION_MEDIAN


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (strays, "drivers.lamp", "import hub.engine"),
        (strays, "drivers.lamp", "from hub import app"),
        (strays, "drivers.lamp", "from center.domain.by_people import Board"),
        (strays, "center.link.session", "from hub.engine import Engine"),
        (strays, "hub.engine", "from drivers import lamp"),
        (strays, "hub.engine", "from . import app"),
        (strays, "hub.core.alarm.alarm", "from hub.shared.messages import tell"),
        (strays, "hub.core.alarm.alarm", "from drivers.lamp import TABLE"),
        (impurities, "hub.core.alarm.alarm", "import time"),
        (impurities, "hub.core.alarm.alarm", "from random import random"),
        (impurities, "hub.core.alarm.alarm", "import logging"),
        (impurities, "hub.core.alarm.alarm", "import asyncio"),
        (impurities, "hub.core.alarm.alarm", "import os"),
        (impurities, "hub.core.alarm.alarm", "import socket"),
        (impurities, "hub.core.alarm.alarm", "def f():\n    open('x')"),
        (impurities, "hub.core.alarm.alarm", "from datetime import datetime\ndatetime.now()"),
        (impurities, "hub.core.alarm.alarm", "async def f(g):\n    await g"),
        (side_doors, "hub.engine", "import paho.mqtt.client"),
        (side_doors, "drivers.lamp", "from systemd import daemon"),
        (side_doors, "hub.linker", "import sqlite3"),
        (oversizes, "hub.engine", "def f():\n" + "    x = 1\n" * 35),
        (vague_names, "hub.engine", "class LampManager: ..."),
        (vague_names, "hub.engine", "class BaseLamp: ..."),
        (vague_names, "hub.lamp_util", ""),
        (promises_missing, "hub.engine", "x = 1"),
    ],
)
def test_each_rule_can_be_broken(rule: Rule, name: str, text: str) -> None:
    assert all_of(rule(Module(name, text)))


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (
            strays,
            "drivers.lamp",
            "from hub.core.model.effects import Show\nfrom drivers import house",
        ),
        (strays, "hub.app", "from drivers import lamp\nimport center.domain.by_people"),
        (strays, "hub.engine", "from hub.outbox.store import Row\nimport asyncio"),
        (strays, "hub.core.alarm.alarm", "from hub.core import wire\nimport math"),
        (
            impurities,
            "hub.core.alarm.alarm",
            "import msgspec\nfrom hub.core.model.state import Home\nimport math",
        ),
        (side_doors, "hub.link.session", "import paho.mqtt.client"),
        (side_doors, "drivers.contact", "import gpiozero"),
        (oversizes, "hub.engine", "def f():\n" + "    x = 1\n" * 34),
        (vague_names, "hub.engine", "class Baseline: ...\nclass Engine: ..."),
    ],
)
def test_no_rule_forbids_what_is_right(rule: Rule, name: str, text: str) -> None:
    assert not all_of(rule(Module(name, text)))


@pytest.mark.parametrize(
    "texts",
    [
        {"hub.a.x": "from hub.b import y", "hub.b.y": "from hub.a import x"},
        {"hub.a.x": "from hub.a.z import Z", "hub.a.z": "from hub.a.x import X"},
        # no circle of modules, but one of rooms
        {"hub.a.x": "from hub.b.y import Y", "hub.b.y": "", "hub.b.w": "from hub.a.z import Z",
         "hub.a.z": ""},
    ],
)  # fmt: skip
def test_a_circle_is_found(texts: dict[str, str]) -> None:
    packages = {name.rpartition(".")[0]: "" for name in texts}
    assert all_of(circles([Module(name, text) for name, text in (texts | packages).items()]))


def test_a_module_that_composes_rooms_makes_no_circle() -> None:
    texts = {
        "hub": "", "hub.a": "", "hub.a.x": "from hub.config import C", "hub.config": "",
        "hub.app": "from hub.a.x import X",
    }  # fmt: skip
    assert not all_of(circles([Module(name, text) for name, text in texts.items()]))


def test_an_import_past_what_a_room_offers_is_found() -> None:
    room = [Module("hub.a", '__all__ = ["x"]'), Module("hub.a.x", ""), Module("hub.a.y", "")]
    offered = offers(room)
    assert all_of(past_offers(Module("hub.b", "from hub.a.y import Y"), offered))
    assert all_of(past_offers(Module("hub.b", "from hub.a import y"), offered))
    assert not all_of(past_offers(Module("hub.b", "from hub.a.x import X"), offered))
    assert not all_of(past_offers(Module("hub.a.x", "from hub.a.y import Y"), offered))


def test_long_functions_raise_the_median() -> None:
    long = Module("hub.a", "def f():\n" + "    x = 1\n" * 20)
    assert median_length([long]) == 21


def test_systemd_is_no_package() -> None:
    """`from systemd import daemon` must find systemd-python, never our unit files."""
    assert not list((REPO / "systemd").rglob("*.py"))


def committed() -> list[Path]:
    if not (REPO / ".git").exists() or not shutil.which("git"):
        pytest.skip("no git here")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPO, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    return [path for name in listed.split("\0") if name and (path := REPO / name).is_file()]


def test_no_third_party_file_is_committed() -> None:
    names = [str(path.relative_to(REPO)) for path in committed()]
    assert not [name for name in names if NOT_OURS.search(name)]
    assert not [name for name in names if Path(name).suffix not in OURS]


def test_no_file_names_a_machine_or_a_registry() -> None:
    guilty = []
    for path in committed():
        if path.suffix not in {".png", ".ogg"}:
            text = path.read_text("utf-8")
            guilty += [f"{path.name}: {found[0]}" for found in MACHINE.finditer(text)]
            guilty += [f"{path.name}: {found[0]}" for found in REGISTRY.finditer(text)]
    assert not guilty


def test_documents_name_only_files_that_exist() -> None:
    texts = [*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md")]
    named = {
        (path.name, found[0]) for path in texts for found in FILE.finditer(path.read_text("utf-8"))
    }
    assert named
    assert not [(text, name) for text, name in named if not (REPO / name).exists()]


@pytest.mark.parametrize("name", ["center/static/vendor/htmx.js", "a/htmx.min.js", "x.woff2"])
def test_a_third_party_name_is_recognised(name: str) -> None:
    assert NOT_OURS.search(name)


def test_a_machines_path_is_recognised() -> None:
    assert MACHINE.search("see " + "/work" + "/main/hub")
    assert not MACHINE.search("docs/work/x and center/home/x")
    assert REGISTRY.search("https://" + "files.pythonhosted.org/x")
