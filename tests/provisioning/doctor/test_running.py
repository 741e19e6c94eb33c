"""`anbu doctor` beside a hub: it is well only where a press now would reach the centre."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace

from hub.__main__ import _hub_config, main
from hub.contract import json_lines
from hub.contract.messages import FaultKind
from hub.core.model.rules import CALL_OF_ROLE, Role, Sense
from hub.installer import DeviceReport, DevicesReport, LinkReport, OwnFault
from hub.process.claim import claimed
from hub.shared.findings import Finding, Verdict
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import unnoted
from provisioning.doctor import broker, command, running
from provisioning.doctor.running import Unit
from provisioning.findings import HubConfig, LinkConfig, tell
from tests.broker import HUBS, Broker, certs, wait_until
from tests.hub.rig import HubProcess
from tests.provisioning.doctor.test_identity import COUNTY, Home
from tests.provisioning.test_doctor import CONFIG, READERS

HUB = HUBS[0]
ADDRESS = "tls://127.0.0.1:8883"
RUN_BY_SYSTEMD = """\
#!/bin/sh
cat <<'END'
LoadState={load}
UnitFileState={enabled}
ActiveState={active}
ExecStart={{ path=/x/bin/anbu ; argv[]=/x/bin/anbu hub --config {config} ; ignore_errors=no }}
END
"""


def device(name: str, what: Role | Sense, *faults: str, on: bool | None = False) -> DeviceReport:
    return DeviceReport(name, what, "거실", on, 27012.4, 3.0, None, faults)


HELP = device("help", Role.HELP_BUTTON)
WELL = LinkReport(True, HUB, ADDRESS, "", "db", True)  # noqa: FBT003


class Hub:
    """A hub's settings in a folder, and what answers at its socket."""

    def __init__(self, folder: Path, run_dir: Path) -> None:
        self.folder, self.run_dir, self.config = folder, run_dir, folder / "hub.toml"
        self.write(8883)

    def write(self, port: int) -> None:
        text = CONFIG.format(hub=HUB, port=port, certs=certs())
        self.config.write_text(f'run_dir = "{self.run_dir}"\n{text}', "utf-8")

    def read(self, *, enrolled: bool = False) -> HubConfig:
        return replace(_hub_config(self.config, unnoted), enrolled=enrolled)

    def installed(self, monkeypatch: pytest.MonkeyPatch, **said: str) -> None:
        """Let systemd have a unit for it."""
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        told = {"load": "loaded", "enabled": "enabled", "active": "active"} | said
        text = RUN_BY_SYSTEMD.format_map({"config": str(self.config)} | told)
        (tools / "systemctl").write_text(text)
        (tools / "systemctl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")

    @contextmanager
    def answers(
        self, *devices: DeviceReport, link: LinkReport | bytes = WELL, mode: int = 0o600
    ) -> Iterator[None]:
        """Answer as a running hub does."""
        told = {"sensors": json_lines.encode(DevicesReport(True, HUB, list(devices)))}  # noqa: FBT003
        told["link"] = link if isinstance(link, bytes) else json_lines.encode(link)
        path = self.run_dir / "hub.sock"
        with socket.socket(socket.AF_UNIX) as served:
            served.bind(str(path))
            served.listen()
            path.chmod(mode)

            def serve() -> None:
                while True:
                    try:
                        client = served.accept()[0]
                    except OSError:  # the end
                        return
                    with client, client.makefile("rb") as lines:
                        client.sendall(told[json.loads(lines.readline())["do"]])

            serving = threading.Thread(target=serve)
            serving.start()
            try:
                yield
            finally:
                served.shutdown(socket.SHUT_RDWR)
                serving.join()
                path.unlink()

    def found(self, *, enrolled: bool = False) -> list[Finding]:
        config = self.read(enrolled=enrolled)
        every = [*running.examine(config, self.config, running.look(config), running.unit())]
        assert all(tell(one) for one in every)  # each has its sentences
        return every

    def codes(self, *, enrolled: bool = False) -> dict[str, tuple[Verdict, str]]:
        return {one.check: (one.verdict, one.code) for one in self.found(enrolled=enrolled)}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with TemporaryDirectory() as run_dir:  # a socket's path must be short
        yield Hub(tmp_path, Path(run_dir))


def test_a_hub_whose_call_would_reach_the_centre_is_well(hub: Hub) -> None:
    with hub.answers(HELP):
        found = hub.found(enrolled=True)
    assert {one.verdict for one in found} == {Verdict.GOOD}
    assert [one.check for one in found] == ["hub_process", "hub_center", "hub_device"]


def test_a_registered_hub_that_does_not_run_is_to_be_mended(hub: Hub) -> None:
    assert hub.codes(enrolled=True) == {"hub_process": (Verdict.BAD, "stopped")}


def test_an_installed_hub_that_does_not_run_is_to_be_mended(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.installed(monkeypatch, active="inactive", enabled="disabled")
    assert hub.codes() == {"hub_process": (Verdict.BAD, "stopped")}


def test_a_failed_unit_is_seen_by_a_user_who_may_not_look_into_the_hubs_folders(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.installed(monkeypatch, active="failed")

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    (hub.folder / "state").mkdir()
    monkeypatch.setattr("provisioning.doctor.running.os.open", refused)
    assert hub.codes() == {"hub_process": (Verdict.BAD, "stopped")}
    hub.installed(monkeypatch)
    assert hub.codes() == {"hub_process": (Verdict.BAD, "hidden")}


def test_on_a_workstation_no_hub_is_missed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has settings, and perhaps the package; the package's unit is for other settings."""
    assert hub.codes() == {"hub_process": (Verdict.NOTE, "none")}
    hub.installed(monkeypatch, config="/etc/anbu/hub.toml")
    assert hub.codes() == {"hub_process": (Verdict.NOTE, "none")}
    hub.installed(monkeypatch, load="not-found")
    assert hub.codes() == {"hub_process": (Verdict.NOTE, "none")}
    with claimed(hub.folder / "state"):
        assert hub.codes() == {"hub_process": (Verdict.NOTE, "unasked")}


@pytest.mark.parametrize("answer", [b"", b"nonsense\n"])
def test_an_installed_hub_that_does_not_answer_is_to_be_mended(hub: Hub, answer: bytes) -> None:
    with hub.answers(link=answer):
        assert hub.codes(enrolled=True) == {"hub_process": (Verdict.BAD, "silent")}
    with claimed(hub.folder / "state"):  # it runs, without its socket
        assert hub.codes(enrolled=True) == {"hub_process": (Verdict.BAD, "silent")}


def test_who_may_not_ask_the_hub_is_not_told_that_all_is_well(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> Iterator[bytes]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hub.shared.unix_socket.ask", refused)
    (found,) = hub.found(enrolled=True)
    assert (found.verdict, found.code) == (Verdict.BAD, "hidden")
    assert "sudo anbu doctor" in tell(found)["ko"]


def test_a_hub_that_a_power_cut_would_end_is_to_be_mended(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.installed(monkeypatch, enabled="disabled")
    with hub.answers(HELP):
        assert hub.codes()["hub_process"] == (Verdict.BAD, "disabled")


def test_a_centre_that_is_not_at_the_broker_is_to_be_mended(hub: Hub) -> None:
    with hub.answers(HELP, link=replace(WELL, center="", center_online=False)):
        assert hub.codes()["hub_center"] == (Verdict.BAD, "absent")
    older = b'{"ok":true,"hub":"js-0001","broker":"tls://b","trouble":""}\n'
    with hub.answers(HELP, link=older):
        assert "hub_center" not in hub.codes()


CALLING = [role for role in Role if role in CALL_OF_ROLE] + [
    Sense.SMOKE, Sense.GAS, Sense.CARBON_MONOXIDE, Sense.MOISTURE,
]  # fmt: skip


@pytest.mark.parametrize("what", [*Role, *Sense])
def test_a_fault_of_what_calls_is_to_be_mended_and_another_is_worth_knowing(
    hub: Hub, what: Role | Sense
) -> None:
    with hub.answers(HELP, device("one", what, FaultKind.SILENT)):
        (found,) = (one for one in hub.found() if one.check == "hub_device")
    assert found.verdict is (Verdict.BAD if what in CALLING else Verdict.NOTE)
    assert found.values["name"] == "one"
    assert "배터리" in tell(found)["ko"]
    assert "battery" in tell(found)["en"]


def test_a_dead_button_is_named_with_each_of_its_faults(hub: Hub) -> None:
    dead = device("help", Role.HELP_BUTTON, "driver_failed", "of_a_newer_hub", on=None)
    with hub.answers(dead):
        found = [one for one in hub.found() if one.check == "hub_device"]
    assert [(one.verdict, one.values["fault"]) for one in found] == [
        (Verdict.BAD, "driver_failed"), (Verdict.BAD, "of_a_newer_hub"),
    ]  # fmt: skip


def test_a_wired_button_that_told_nothing_is_to_be_mended_and_a_new_pendant_is_not(
    hub: Hub,
) -> None:
    pendant = device("pendant", Role.HELP_BUTTON, on=None)  # never pressed
    with hub.answers(device("help", Role.HELP_BUTTON, on=None), pendant):
        (found,) = (one for one in hub.found() if one.check == "hub_device")
    assert (found.verdict, found.code) == (Verdict.BAD, "unheard")
    assert found.values == {"names": "help"}


def test_a_button_that_was_added_since_the_hub_started_is_to_be_mended(hub: Hub) -> None:
    with hub.answers(device("kitchen", Sense.MOTION)):
        assert hub.codes()["hub_device"] == (Verdict.BAD, "unknown")


def test_a_hub_that_does_not_tell_its_devices_is_to_be_mended(hub: Hub) -> None:
    config = hub.read()
    seen = running.Running(may=True, word=running.Word(ADDRESS))
    found = list(running.examine(config, hub.config, seen, Unit()))
    assert (Verdict.BAD, "untold") in [(one.verdict, one.code) for one in found]


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (FaultKind.STORAGE, Verdict.BAD),
        (FaultKind.NO_RADIO, Verdict.BAD),
        (FaultKind.BROKER_REFUSES, Verdict.BAD),
        (FaultKind.MUTED, Verdict.NOTE),
        (FaultKind.NO_BACKUP, Verdict.NOTE),
    ],
)
def test_what_the_hub_says_of_itself_is_told(hub: Hub, kind: FaultKind, verdict: Verdict) -> None:
    with hub.answers(HELP, link=replace(WELL, faults=(OwnFault("hub", kind),))):
        (found,) = (one for one in hub.found() if one.check == "hub_own")
    assert (found.verdict, found.values["fault"]) == (verdict, kind)


@pytest.mark.parametrize("process", ["radio", "voice"])
def test_a_hub_that_does_not_listen_for_another_process_is_to_be_mended(
    hub: Hub, process: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the settings were changed after it had started: no pendant would be heard."""
    config = replace(hub.read(), **{process: f"{hub.run_dir}/{process}.sock"})
    monkeypatch.setattr("provisioning.doctor.voice.LIBRARIES", ("no_such_library",))

    def told() -> tuple[Verdict, str]:
        seen = running.look(config)
        every = command.beside(config, hub.config, None, READERS, seen)
        return next((one.verdict, one.code) for one in every if one.check == f"{process}_socket")

    assert told() == (Verdict.NOTE, "deaf")
    with hub.answers(HELP):
        assert told() == (Verdict.BAD, "closed")


@pytest.mark.parametrize("language", Language)
def test_each_fault_that_a_hub_can_tell_has_words_that_say_what_to_do(language: Language) -> None:
    words = messages("provisioning", language, "doctor")["fault"]
    of_the_centre = {FaultKind.TWIN, FaultKind.FLOOD, FaultKind.CROWDED}
    assert set(words) - {"other"} == {str(one) for one in set(FaultKind) - of_the_centre}
    assert "other" in words


def test_a_registered_hub_without_a_broker_is_to_be_mended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.enrol()
    (home.folder / "county.toml").write_text(COUNTY, "utf-8")
    (found,) = broker.examine(_hub_config(home.config, unnoted))
    assert (found.verdict, found.code) == (Verdict.BAD, "none")
    (there,) = broker.examine(HubConfig(HUB, mqtt=LinkConfig()))
    assert (there.verdict, there.code) == (Verdict.NOTE, "none")


def test_an_installed_hub_whose_settings_are_gone_is_to_be_mended(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "USUAL", hub.folder / "none.toml")

    def first() -> tuple[Verdict, str]:
        found = next(iter(command.examine(None, None, READERS)))
        return found.verdict, found.code

    assert first() == (Verdict.NOTE, "none")
    hub.installed(monkeypatch)
    assert first() == (Verdict.BAD, "gone")


@pytest.mark.broker
def test_the_doctor_ends_with_one_where_no_call_can_get_out(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def examined() -> int:
        return main(["--lang", "en", "doctor", "--config", str(hub.config)])

    with Broker() as served:
        hub.write(served.port)
        assert examined() == 0  # a workstation: no hub is meant to run
        hub.installed(monkeypatch)
        assert examined() == 1
        assert "The hub is not running" in capsys.readouterr().out
        with hub.answers(HELP, link=replace(WELL, broker=f"tls://127.0.0.1:{served.port}")):
            assert examined() == 0
            assert "Nothing has to be mended" in capsys.readouterr().out
        with hub.answers(device("help", Role.HELP_BUTTON, "stuck")):
            assert examined() == 1


@pytest.mark.broker
def test_a_real_hub_is_asked_and_the_centre_that_it_does_not_hear_is_told(tmp_path: Path) -> None:
    with Broker() as served, HubProcess(tmp_path, served.port) as real:
        wait_until(real.armed, "the hub runs", 20)
        config = _hub_config(real.config, unnoted)

        def told() -> set[tuple[str, str]]:
            every = running.examine(config, real.config, running.look(config), Unit())
            return {(one.check, one.code) for one in every}

        wait_until(lambda: ("hub_center", "absent") in told(), "it is at the broker")
        assert told() >= {("hub_process", "good"), ("hub_device", "good")}
