"""The house stands as docs/architecture.md draws it, and each of its rules can be broken."""

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
    impurities,
    median_length,
    modules,
    oversizes,
    promises_missing,
    side_doors,
    strays,
    vague_names,
)

PRODUCT = modules(*ROOMS)
TOOLS = modules("bench", "tests")
Rule = Callable[[Module], Iterator[str]]

OURS = {"", ".py", ".toml", ".md", ".yaml", ".html", ".css", ".js", ".json", ".svg", ".png", ".txt",
        ".in", ".sh", ".service", ".conf", ".typed", ".sysusers", ".tmpfiles", ".rules", ".network",
        ".socket", ".target", ".timer", ".tsv", ".csv", ".ogg"}  # fmt: skip
NOT_OURS = re.compile(r"\.min\.|(^|/)(vendor|node_modules|site-packages)/|\.(whl|so|ttf|woff2?)$")
FILE = re.compile(
    r"\b(hub|drivers|center|provisioning|tests|bench|docs|systemd)/[\w/-]+\.(py|md|yaml|sh|toml|service)\b"
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


def test_the_core_is_pure() -> None:
    core = [module for module in PRODUCT if module.room == "hub.core"]
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
