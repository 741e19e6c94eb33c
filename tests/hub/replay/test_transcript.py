"""A replay of the black box of a real run gives the same effects, or says where they differ."""

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path
from secrets import token_hex
from unittest.mock import patch

import pytest

from hub.contract.voice import Meaning
from hub.core.decide import decide
from hub.core.model.effects import Lane, Show, Signal
from hub.core.model.events import Answered, ContactChanged, Ticked
from hub.core.model.state import HomeState
from hub.process.blackbox import BEHIND, BlackBox
from hub.replay.transcript import TranscriptError, replay
from tests.broker import Broker, wait_until
from tests.hub.rig import RULES, HubProcess, StubCenter, publish

EVENT = ContactChanged(1.0, "x", closed=True)
CRY = '살려 "주세요"'


@pytest.fixture(scope="module")
def transcript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A press and a cancel in a real hub, which then ends cleanly."""
    folder = tmp_path_factory.mktemp("run")
    with Broker() as broker, StubCenter(broker) as center, HubProcess(folder, broker.port) as hub:
        hub.press()
        wait_until(lambda: hub.signal() == "received", "the centre has it")
        hub.press(what="cancel")
        wait_until(lambda: len(center.stored) == 2, "the cancel came")
        assert hub.stop() == 0
    (file,) = (folder / "state" / "blackbox").glob("*.jsonl")
    return file


@pytest.mark.broker
def test_a_real_run_gives_the_same_effects_again(transcript: Path) -> None:
    found = replay(transcript)
    assert found.difference is None
    assert found.events > 10
    story = "\n".join(found.story)
    for signal in (Signal.RAISED, Signal.RECEIVED, Signal.CANCELLED):
        assert f"{Show(signal)}" in story


@pytest.mark.broker
def test_the_command_line_tells_it(transcript: Path) -> None:
    words = [sys.executable, "-m", "hub", "replay", "--json", str(transcript)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["difference"] is None


@pytest.mark.broker
def test_a_tampered_run_shows_the_first_difference(transcript: Path, tmp_path: Path) -> None:
    lines = transcript.read_text(encoding="utf-8").splitlines(keepends=True)
    raised = next(n for n, line in enumerate(lines) if '"lane":0' in line)
    entry = json.loads(lines[raised])
    entry["effects"] = [e for e in entry["effects"] if e.get("lane") != 0]
    lines[raised] = json.dumps(entry) + "\n"
    tampered = tmp_path / "tampered.jsonl"
    tampered.write_text("".join(lines), encoding="utf-8")
    found = replay(tampered)
    assert found.difference
    assert found.difference.line == raised + 1
    words = [sys.executable, "-m", "hub", "replay", str(tampered)]
    assert subprocess.run(words, capture_output=True, check=False, timeout=30).returncode == 1


@pytest.mark.broker
def test_a_last_line_that_the_power_cut_is_no_difference(transcript: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(transcript.read_bytes()[:-20])
    found = replay(cut)
    assert found.difference is None
    assert found.events == replay(transcript).events - 1


@pytest.mark.parametrize("text", [b"", b"{}\n", b'{"rules":{},"state":{}}\n{"event":1}\n', b"\xff"])
def test_what_is_no_transcript_is_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(text)
    with pytest.raises(TranscriptError):
        replay(file)


def test_files_take_turns_and_never_grow_beyond_their_size(tmp_path: Path) -> None:
    box = BlackBox(tmp_path, file_mb=0.02, files=3)
    box.begin(RULES, HomeState())
    for n in range(2000):
        if n % 500 == 0:
            wait_until(box._work.empty, "it keeps up")
        box.record(ContactChanged(n, token_hex(20), closed=True), [], HomeState(), RULES)
    box.close()
    *packed, last = sorted(tmp_path.iterdir())
    assert int(last.stem) - int(packed[0].name[:8]) == len(packed) >= 3  # none is left out
    assert int(packed[0].name[:8]) > 1
    assert last.suffix == ".jsonl"
    assert all(file.suffix == ".gz" for file in packed)
    assert all(len(gzip.decompress(file.read_bytes()).splitlines()) > 20 for file in packed)
    assert sum(file.stat().st_size for file in (*packed, last)) < 3 * 22_000
    box = BlackBox(tmp_path, file_mb=0.02, files=3)
    box.begin(RULES, HomeState())  # of the next process
    box.close()
    assert [file for file in tmp_path.iterdir() if file.suffix != ".gz"] == [
        tmp_path / f"{int(last.stem) + 1:08d}.jsonl"
    ]


@pytest.mark.broker
def test_a_packed_transcript_that_is_damaged_is_refused(transcript: Path, tmp_path: Path) -> None:
    whole = gzip.compress(transcript.read_bytes())
    for name, data in {"cut": whole[:-200], "wrong": whole[:400] + b"\xff" * 50}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(TranscriptError):
            replay(tmp_path / name)
        words = [sys.executable, "-m", "hub", "replay", str(tmp_path / name)]
        assert subprocess.run(words, capture_output=True, check=False, timeout=30).returncode == 2


@pytest.mark.broker
def test_a_packed_transcript_is_told_as_a_plain_one(transcript: Path, tmp_path: Path) -> None:
    packed = tmp_path / "00000001.jsonl.gz"
    packed.write_bytes(gzip.compress(transcript.read_bytes()))
    assert replay(packed) == replay(transcript)
    words = [sys.executable, "-m", "hub", "replay", "--json", str(packed)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    assert json.loads(ended.stdout)["events"] == replay(transcript).events


def test_a_call_for_help_is_written_out_at_once(tmp_path: Path) -> None:
    box = BlackBox(tmp_path, file_mb=1, files=3)
    box.begin(RULES, HomeState())
    box.record(EVENT, [publish(1, Lane.SOS)], HomeState(), RULES)
    wait_until(
        lambda: any("b-1" in f.read_text() for f in tmp_path.glob("*.jsonl")), "it is in the file"
    )
    box.close()


def test_what_the_resident_said_is_left_out_and_the_rest_is_decided_as_it_was(
    tmp_path: Path,
) -> None:
    box, state = BlackBox(tmp_path, file_mb=1, files=3), HomeState(boot="b")
    box.begin(RULES, state)
    for event in (
        Answered(10.0, Meaning.HELP, words=CRY),
        Ticked(25.0),
        Answered(200.0, Meaning.HELP, words=CRY),
    ):
        state, effects = decide(state, event, RULES)
        box.record(event, effects, state, RULES)
    assert state.alarms[0].words == CRY
    box.begin(RULES, state)
    box.close()
    first, second = sorted(tmp_path.iterdir())
    assert (replay(first).events, replay(first).difference) == (3, None)
    text = gzip.decompress(first.read_bytes()).decode("utf-8")
    told = [e["payload"] for line in text.splitlines()[1:]
            for e in json.loads(line)["effects"] if "payload" in e]  # fmt: skip
    calls = [json.loads(base64.b64decode(payload)) for payload in told]
    assert [call["data"]["words"] for call in calls if call["type"] == "anbu.alarm.raised"] == [""]
    for found in (text, second.read_text("utf-8"), str(calls)):
        assert "살려" not in found


def test_a_disk_that_refuses_ends_the_transcript_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be", encoding="utf-8")
    box = BlackBox(tmp_path / "taken", file_mb=1, files=3)
    box.begin(RULES, HomeState())
    for _ in range(10):
        box.record(EVENT, [], HomeState(), RULES)
    box.close()
    assert not box._thread.is_alive()


def test_a_disk_that_hangs_costs_a_gap_and_no_time_and_the_rest_is_consistent(
    tmp_path: Path,
) -> None:
    import threading  # noqa: PLC0415 - only here

    hang = threading.Event()
    real = BlackBox._write_decision

    def hanging(box: BlackBox, *line: object) -> None:
        assert hang.wait(30)
        real(box, *line)  # type: ignore[arg-type]

    with patch.object(BlackBox, "_write_decision", hanging):
        box = BlackBox(tmp_path, file_mb=10, files=3)
        box.begin(RULES, HomeState())
        for n in range(BEHIND + 500):
            box.record(Ticked(float(n)), [], HomeState(), RULES)
        assert box._work.qsize() <= BEHIND + 2
        hang.set()
        wait_until(box._work.empty, "it has caught up")
        box.record(Ticked(9e3), [], HomeState(), RULES)
        box.record(Ticked(9e3 + 1), [], HomeState(), RULES)
        box.close()
    first, second = sorted(tmp_path.iterdir())
    assert len(gzip.decompress(first.read_bytes()).splitlines()) > BEHIND
    assert len(second.read_bytes().splitlines()) == 2
