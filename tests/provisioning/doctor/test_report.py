"""What an installer reads of `anbu doctor`: headings, sentences in two languages, a last line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.contract.wire import LinkTrouble
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning.doctor import command
from tests.broker import Broker
from tests.center.home import Home as TheRealHub
from tests.layout import REPO
from tests.provisioning.doctor.test_identity import COUNTY, HUB, Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A hub on a machine without D-Bus and without the programs that the doctor asks."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    monkeypatch.setenv("PATH", str(tmp_path))
    return Home(tmp_path)


def test_the_findings_stand_under_headings_and_the_last_line_counts_them(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.enrol()
    ca = home.folder / "ca.crt"
    ca.write_bytes(b"?")
    assert main(["--lang", "ko", "doctor", "--config", str(home.config)]) == 1
    lines = capsys.readouterr().out.splitlines()
    words = messages("provisioning", Language.KOREAN, "doctor")["section"]
    headings = [line for line in lines if line in words.values()]
    assert headings == [words[key] for key in ("machine", "registration", "network", "hub",
                                               "upkeep", "wiring", "wireless")]  # fmt: skip
    marked = [line for line in lines if line.startswith("✗")]
    assert f"고칠 것(✗) {len(marked)}가지" in lines[-1]
    assert not [line for line in lines if "Traceback" in line]


def test_a_program_reads_the_same_as_one_list(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--config", str(home.config), "--json"]) == 1
    every = json.loads(capsys.readouterr().out)
    assert {"county", "identity", "network", "time_source", "updates"} <= {
        one["check"] for one in every
    }
    assert all(one["ko"] and one["en"] for one in every)


def test_an_installed_hub_needs_no_file_to_be_named(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "USUAL", home.config)
    assert main(["doctor", "--json"]) == 1
    assert "identity" in {one["check"] for one in json.loads(capsys.readouterr().out)}


def test_both_languages_have_the_same_sentences() -> None:
    korean, english = (messages("provisioning", language, "doctor") for language in Language)
    assert {table: set(words) for table, words in korean.items()} == {
        table: set(words) for table, words in english.items()
    }
    assert not set(korean["doctor"]) & set(messages("provisioning", Language.KOREAN)["doctor"])
    assert set(command.SECTIONS.values()) | {"machine"} == set(korean["section"])


@pytest.mark.parametrize("language", Language)
def test_each_trouble_of_the_link_has_words_that_say_what_to_do(language: Language) -> None:
    words = messages("provisioning", language, "doctor")["link"]
    assert set(words) == {str(one) for one in LinkTrouble} | {"none"}


def test_the_doctor_needs_no_library_of_the_processes_that_it_examines() -> None:
    """It also runs where the package of one of them is broken, or not installed."""
    code = "import sys, provisioning.doctor.command as _; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPO
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"dbus_fast", "bleak", "vosk", "starlette", "sqlalchemy"}


@pytest.mark.broker
def test_a_doctor_beside_a_copied_card_does_not_throw_the_real_hub_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The copy's board is another: its hub does not dial, and neither does the doctor."""
    home = Home(tmp_path)
    home.enrol()  # for a board that this machine is not
    with Broker() as broker, TheRealHub(broker):
        address = f"tls://127.0.0.1:{broker.port}"
        county = home.folder / "county.toml"
        county.write_text(f'{COUNTY}brokers = ["{address}"]\n', "utf-8")
        assert main(["doctor", "--config", str(home.config), "--json"]) == 1
        every = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
        assert every["board"]["code"] == "other"
        assert (every["broker"]["verdict"], every["broker"]["code"]) == ("note", "foreign")
        assert f"Client {HUB} already connected" not in broker.log()
