"""`anbu network` at a terminal, over a D-Bus with a fake NetworkManager; or without any."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers.bluetooth.private_bus import PrivateBus
from tests.layout import REPO
from tests.provisioning.network.conftest import HOME, PASSWORD, FakeNM

AIR = {"ssid": HOME, "psk": PASSWORD, "strength": 75}


def anbu(*words: str, typed: str = "", bus: str = "") -> subprocess.CompletedProcess[str]:
    env = os.environ | {"ANBU_LANG": "ko"} | ({"DBUS_SYSTEM_BUS_ADDRESS": bus} if bus else {})
    return subprocess.run(
        [sys.executable, "-m", "hub", "network", *words],
        cwd=REPO, env=env, input=typed, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_wifi_is_joined_at_a_terminal_and_shown(nm: FakeNM) -> None:
    nm.air(AIR)
    assert "랜선: 없음" in anbu("status").stdout
    assert "할머니댁" in anbu("scan").stdout
    wrong = anbu("join", "할머니댁", typed="not the horse\n")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "비밀번호가 맞지 않습니다" in wrong.stderr
    assert anbu("join", "할머니댁", typed=f"{PASSWORD}\n").returncode == 0
    shown = json.loads(anbu("status", "--json").stdout)
    assert (shown["radio"], shown["name"], shown["saved"]) == ("up", "할머니댁", True)


@pytest.mark.parametrize("command", ["status", "scan", "join"])
@pytest.mark.parametrize("bus", ["unix:path={folder}/none", "nonsense", ""])
def test_without_a_bus_or_a_manager_a_sentence_says_so(
    command: str, bus: str, tmp_path: Path
) -> None:
    with PrivateBus() as empty:
        address = bus.format(folder=tmp_path) or empty.address
        words = [command, "x"] if command == "join" else [command]
        told = anbu(*words, typed="12345678\n", bus=address)
    assert told.returncode == 1
    assert "NetworkManager가 응답하지 않습니다" in told.stderr
    assert "Traceback" not in told.stderr


def test_whoever_may_not_change_the_network_is_told_so(nm: FakeNM) -> None:
    nm.air(AIR)
    nm.do("set", forbid=True)
    told = anbu("join", "할머니댁", typed=f"{PASSWORD}\n")
    assert told.returncode == 1
    assert "권한이 없습니다" in told.stderr
