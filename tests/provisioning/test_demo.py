"""The demo's programs: started in order, watched, and all of them stopped; and the real demo."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.bluetooth import settings as radio_settings
from drivers.bluetooth.devices import load as load_list
from drivers.radio import Driver as Radio
from drivers.voicebox.driver import Driver as Voice
from hub.config import load
from provisioning.broker import config as broker
from provisioning.demo import command as demo
from provisioning.demo.files import PORTS, lay
from provisioning.demo.processes import DiedError, Program, serve
from tests.broker import wait_until
from voice import settings as voice_settings

REPO = Path(__file__).resolve().parents[2]
SLEEP = "import time, sys; sys.stdout.write('up'); sys.stdout.flush(); time.sleep(60)"


def program(name: str, folder: Path, code: str = SLEEP, patience_s: float = 20.0) -> Program:
    async def healthy() -> bool:
        with suppress(FileNotFoundError):
            return (folder / f"{name}.log").read_text(encoding="utf-8") == "up"
        return False

    return Program(name, (sys.executable, "-c", code), healthy, patience_s)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def processes(marker: Path) -> dict[int, str]:
    """Return the commands of all processes but ours that name `marker`."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            command = (process / "cmdline").read_text(encoding="utf-8", errors="replace")
            if str(marker) in command and process.name != str(os.getpid()):
                found[int(process.name)] = command
    return found


def running(marker: Path) -> list[str]:
    return list(processes(marker).values())


def test_all_are_healthy_before_ready_and_none_is_left_after(tmp_path: Path) -> None:
    told: list[str] = []

    def ready() -> None:
        told.extend(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.log"))
        interrupt()

    code = f"# {tmp_path}\n{SLEEP}"
    groups = [[program("a", tmp_path, code)], [program("b", tmp_path, code)]]
    asyncio.run(serve(groups, tmp_path, ready))
    assert told == ["up", "up"]
    assert not running(tmp_path)


def test_who_dies_is_named_with_the_tail_of_its_log_and_all_stop(tmp_path: Path) -> None:
    code = f"# {tmp_path}\n{SLEEP}"
    dying = "import sys; sys.stderr.write('no disk\\n'); sys.exit(3)"
    with pytest.raises(DiedError) as caught:
        asyncio.run(
            serve(
                [[program("a", tmp_path, code)], [program("b", tmp_path, dying)]], tmp_path, print
            )
        )
    assert (caught.value.name, caught.value.code, caught.value.tail()) == ("b", 3, "no disk")
    assert not running(tmp_path)


def test_who_may_end_is_started_again(tmp_path: Path) -> None:
    code = "import os, sys; sys.stdout.write('up'); sys.stdout.flush(); os.kill(os.getpid(), 9)"
    twice = program("a", tmp_path, code)

    async def back() -> bool:
        return "upup" in (tmp_path / "a.log").read_text(encoding="utf-8")

    mortal = replace(twice, healthy=back, again=True)
    asyncio.run(serve([[mortal]], tmp_path, interrupt))
    assert (tmp_path / "a.log").read_text(encoding="utf-8").startswith("upup")


def test_a_demo_with_a_voice_has_a_voicebox_and_its_settings(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    lay(tmp_path, voice=True)
    devices = load(tmp_path / "hub.toml").device
    assert [d.name for d in devices if isinstance(d, Voice)] == ["voice"]
    told = voice_settings.load(tmp_path / "voice.toml")
    assert (told.socket, told.models) == (str(tmp_path / "voice.sock"), str(tmp_path / "models"))


def test_the_demo_has_wireless_devices_whose_keys_are_its_own_and_kept(tmp_path: Path) -> None:
    lay(tmp_path / "a")
    listed = tmp_path / "a" / "state" / "hub" / "devices.toml"
    first = load_list(listed)
    assert {one.name for one in first} >= {"pendant", "band", "cuff", "balcony", "phone", "smoke"}
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600
    lay(tmp_path / "a")
    assert load_list(listed) == first
    lay(tmp_path / "b")
    assert load_list(tmp_path / "b" / "state" / "hub" / "devices.toml") != first
    told = radio_settings.load(tmp_path / "a" / "radio.toml")
    sockets = [d.socket for d in load(tmp_path / "a" / "hub.toml").device if isinstance(d, Radio)]
    assert (sockets, told.state_dir) == ([told.socket], str(listed.parent))


def test_who_dies_later_ends_it_as_well(tmp_path: Path) -> None:
    code = "import sys, time; sys.stdout.write('up'); sys.stdout.flush(); time.sleep(0.5)"
    with pytest.raises(DiedError, match="exit 0"):
        asyncio.run(serve([[program("a", tmp_path, code)]], tmp_path, lambda: None))


def test_who_is_not_healthy_in_time_is_named(tmp_path: Path) -> None:
    code = "import time; time.sleep(60)"
    with pytest.raises(DiedError, match="not healthy"):
        asyncio.run(serve([[program("a", tmp_path, code, 0.2)]], tmp_path, lambda: None))


def test_who_does_not_listen_to_the_request_to_end_is_made_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.demo.processes.STOP_S", 0.2)
    code = f"# {tmp_path}\nimport signal; signal.signal(15, signal.SIG_IGN)\n{SLEEP}"
    asyncio.run(serve([[program("a", tmp_path, code)]], tmp_path, interrupt))
    assert not running(tmp_path)


def test_the_folder_is_made_once_and_then_kept(tmp_path: Path) -> None:
    first = lay(tmp_path)
    second = lay(tmp_path)
    assert first.password == second.password
    assert len(first.password) >= 10
    assert stat.S_IMODE((tmp_path / "operator").stat().st_mode) == 0o600
    assert f"listener {second.ports['broker']}" in (tmp_path / "mosquitto.conf").read_text("utf-8")
    assert second.url("console") == f"http://127.0.0.1:{second.ports['console']}"


def test_a_port_that_is_taken_is_replaced_by_a_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = lay(tmp_path).ports["broker"]
    monkeypatch.setitem(PORTS, "house", taken)
    with socket.create_server(("127.0.0.1", taken)):
        assert lay(tmp_path).ports["house"] != taken


def test_a_second_demo_in_the_same_folder_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with demo._alone(tmp_path) as alone:
        assert alone
        assert demo.main(["--dir", str(tmp_path)]) == 1
    assert "이미 켜져 있습니다" in capsys.readouterr().out


@contextmanager
def demonstrated(folder: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "provisioning.demo.command", "--dir", str(folder), "--json"]
    running_demo = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)
    assert running_demo.stdout
    try:
        line = next((line for line in running_demo.stdout if line.startswith("{")), "{}")
        yield json.loads(line)
    finally:
        running_demo.send_signal(signal.SIGINT)
        assert running_demo.wait(30) == 0
        running_demo.stdout.close()


def anbu(*words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "hub", *words], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.broker
def test_in_the_demo_a_press_is_received_and_the_lamp_says_so(tmp_path: Path) -> None:
    house = ("--socket", str(tmp_path / "house.sock"))
    with demonstrated(tmp_path) as told:
        assert set(told) == {"console", "house", "user", "password"}
        anbu("house", "press", "help", "--ms", "200", *house)
        wait_until(lambda: "received" in anbu("house", "lamps", "--json", *house), "received", 30.0)
    assert not running(tmp_path)


@pytest.mark.broker
def test_in_the_demo_a_pendant_calls_and_the_radio_is_started_again(tmp_path: Path) -> None:
    house = ("--socket", str(tmp_path / "house.sock"))

    def heard() -> bool:
        return bool(json.loads(anbu("house", "lamps", "--json", *house))["wireless"]["heard"])

    with demonstrated(tmp_path):
        assert heard()
        config = str(tmp_path / "radio.toml")
        radios = [pid for pid, command in processes(tmp_path).items() if config in command]
        assert len(radios) == 1
        os.kill(radios[0], signal.SIGKILL)
        wait_until(lambda: not heard(), "the radio is gone", 10.0)
        wait_until(heard, "the radio is back", 20.0)
        anbu("house", "pendant", "pendant", *house)
        wait_until(lambda: "received" in anbu("house", "lamps", "--json", *house), "received", 30.0)
    assert not running(tmp_path)


def test_a_broker_config_can_be_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = ArgumentParser()
    broker.add_arguments(parser)
    assert broker.run(parser.parse_args([str(tmp_path), str(tmp_path), "--port", "9999"])) == 0
    path = Path(capsys.readouterr().out.strip())
    assert "listener 9999 127.0.0.1" in path.read_text("utf-8")
    assert "@" not in path.read_text("utf-8")
    path.unlink()
    path.mkdir()
    assert broker.run(parser.parse_args([str(tmp_path), str(tmp_path)])) == 1
