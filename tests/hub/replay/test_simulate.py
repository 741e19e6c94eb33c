"""A trace runs through the real decisions, with a simulated centre; a fall branches off."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.contract.messages import Evidence, FaultKind
from hub.contract.scaip import Kind
from hub.core.alarm import warning
from hub.core.model.rules import Role, Room, Sense
from hub.core.model.state import HomeState
from hub.replay.command import add_arguments
from hub.replay.command import run as run_command
from hub.replay.simulate import CLOSE_S, RULES, Options, OutsideError, Replay, fall, run
from hub.replay.summary import Change, Stop, Story
from hub.replay.text import _change, _stop
from hub.replay.trace import Row, Sort, room_of
from hub.shared.command_line import Parser
from hub.shared.language import Language
from hub.shared.messages import messages

KOREA = timezone(timedelta(hours=9))
BEGIN = datetime(2025, 3, 3, 8, tzinfo=KOREA)
T0 = BEGIN.timestamp()
HOUR = 3600.0
NOW = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
GROUND = warning.Ground(Kind.QUIET, "living", Evidence(T0, 4 * HOUR, 2 * HOUR, 3 * HOUR, "living"))


def row(after_s: float, device: str = "living", sort: Sort = Sort.MOTION, value: float = 1) -> Row:
    return Row(T0 + after_s, 32_400.0, device, sort, value)


def living(*rows: Row) -> tuple[Replay, Story]:
    story = Story(T0)
    replay = Replay(rows[0], note=story.note)
    for each in rows:
        replay.feed(each)
    return replay, story


def warned(replay: Replay) -> Replay:
    """Begin a warning now, as the detection would."""
    before = replay.state
    replay.state, effects = warning.begin(before, GROUND, replay.now, RULES)
    assert replay.note
    replay.note(replay.now, before, replay.state, effects)
    return replay


def told(story: Story) -> list[tuple[str, str]]:
    return [(change.what, change.kind) for change in story.changes if change.what != "presence"]


def test_each_kind_of_row_becomes_its_fact() -> None:
    replay, _ = living(
        row(0),
        row(1, "front", Sort.EXIT_DOOR),
        row(2, "욕실 문", Sort.CONTACT),
        row(3, "watch", Sort.HEART_RATE, 61),
        row(4, "voice", Sort.ANSWER),
        row(5, value=0),
    )
    sensors = replay.rules.sensors
    assert {name: sensor.sense for name, sensor in sensors.items()} == {
        "living": Sense.MOTION,
        "front": Sense.EXIT_DOOR,
        "욕실 문": Sense.DOOR,
        "watch": Sense.WEARABLE,
    }
    assert sensors["욕실 문"].room is Room.BATHROOM
    sensed = replay.state.house.sensed
    assert sensed["front"].active
    assert not sensed["living"].active
    assert sensed["living"].active_at == T0


@pytest.mark.parametrize(
    ("device", "room"),
    [
        ("bathroom-door", Room.BATHROOM),
        ("거실 화장실", Room.BATHROOM),
        ("Bed mat", Room.BEDROOM),
        ("안방", Room.BEDROOM),
        ("kitchen", Room.OTHER),
    ],
)
def test_a_room_is_guessed_from_a_name(device: str, room: Room) -> None:
    assert room_of(device) is room


def test_a_press_calls_once_and_the_centre_closes_it() -> None:
    replay, story = living(row(0), row(9, value=0), row(60, "help", Sort.PRESS))
    assert replay.rules.buttons["help"].role is Role.HELP_BUTTON
    replay.reach(T0 + 61)
    assert told(story) == [("alarm", "help_button")]
    assert (len(replay.state.alarms), len(replay.state.owed)) == (1, 0)  # the centre has it
    replay.reach(T0 + 60 + CLOSE_S + 1)
    assert not replay.state.alarms
    assert told(story) == [("alarm", "help_button")]


def test_activity_a_minute_later_closes_an_alarm() -> None:
    replay, _ = living(row(0), row(60, "help", Sort.PRESS), row(90), row(91, value=0))
    assert replay.state.alarms
    replay.feed(row(200))
    assert not replay.state.alarms


def test_a_green_button_and_an_info_button_call_nobody() -> None:
    replay, story = living(
        row(0), row(1, "green", Sort.PRESS), row(9, "info", Sort.PRESS), row(20, value=0)
    )
    assert replay.rules.buttons["green"].role is Role.CANCEL_BUTTON
    assert "info" not in replay.rules.buttons
    assert not told(story)


def test_deadlines_between_rows_are_served_at_their_own_time() -> None:
    replay, story = living(row(0), row(9, value=0), row(4 * HOUR), row(4 * HOUR, value=0))
    warned(replay).feed(row(6 * HOUR))
    assert told(story)[:2] == [("warning", "quiet"), ("alarm", "quiet")]
    assert "warning_over" not in dict(told(story))  # it has become an alarm
    raised = datetime.fromisoformat(story.changes[-1].time)
    assert [at for at, _ in story.alarms] == [T0 + 4 * HOUR + RULES.warn_s]
    assert raised.utcoffset() == timedelta(hours=9)


def test_a_sign_of_life_ends_a_warning() -> None:
    replay, story = living(row(0), row(1, value=0))
    warned(replay).feed(row(60))
    assert told(story) == [("warning", "quiet"), ("warning_over", "quiet")]


def test_summer_time_reaches_the_clock() -> None:
    replay, _ = living(row(0), replace(row(60, value=0), zone_s=36_000.0))
    assert replay.state.clock.zone_s == 36_000.0


def test_a_motion_that_does_not_end_is_a_fault() -> None:
    replay, story = living(row(0))
    replay.reach(T0 + 2 * 86_400)
    assert ("fault", FaultKind.STUCK) in told(story)


def test_a_branch_leaves_the_home_as_it_is() -> None:
    replay, story = living(row(0))
    warned(replay)
    story_of_the_fall = Story(T0)
    branch = replay.branch(story_of_the_fall.note)
    branch.silence(T0 + 1)
    assert fall(branch, story_of_the_fall, T0 + 1, 48 * HOUR) == (T0 + RULES.warn_s, Kind.QUIET)
    assert not replay.state.alarms
    assert replay.state.house.sensed["living"].active
    assert not branch.state.house.sensed["living"].active  # nobody moves any more
    assert told(story) == [("warning", "quiet")]


def test_a_deadline_that_never_moves_on_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    replay, _ = living(row(0))
    monkeypatch.setattr("hub.core.calm.until", lambda *_: -math.inf)
    monkeypatch.setattr(
        "hub.replay.simulate.next_wake", lambda state, _rules: state.clock.offset_s + T0
    )
    replay.step(T0)
    assert replay.stalls == 1
    assert replay.now == T0 + 1


def trace(tmp_path: Path, days: int = 6, tail: str = "") -> Path:
    """Someone who moves every half hour from 7 to 22 o'clock."""
    lines = ["time,device,kind,value"]
    for day in range(days):
        for half in range(30):
            at = datetime(2025, 3, 1 + day, 7, tzinfo=KOREA) + timedelta(minutes=30 * half)
            lines += [f"{at.isoformat()},living,motion,1"]
            lines += [f"{(at + timedelta(seconds=20)).isoformat()},living,motion,0"]
    file = tmp_path / "trace.csv"
    file.write_text("\n".join(lines) + "\n" + tail, encoding="utf-8")
    return file


def test_the_sum_of_a_calm_trace(tmp_path: Path) -> None:
    summary = run(trace(tmp_path), Options(NOW, learn_days=2))
    assert summary.rows == 6 * 60
    assert summary.begin == "2025-03-01T07:00:00+09:00"
    assert summary.alarms == summary.stalls == 0
    assert summary.false_alarms_per_day == 0
    assert summary.stop is None


def test_a_trace_of_which_all_only_teaches_has_no_rate(tmp_path: Path) -> None:
    assert run(trace(tmp_path), Options(NOW, learn_days=9)).false_alarms_per_day is None


def test_whoever_falls_is_noticed_in_the_end(tmp_path: Path) -> None:
    stop_at = datetime(2025, 3, 4, 12, 10)  # noqa: DTZ001 - as in the trace
    summary = run(trace(tmp_path), Options(NOW, learn_days=2, stop_at=stop_at))
    assert summary.stop
    assert summary.stop.stopped_at == "2025-03-04T12:10:00+09:00"
    assert summary.stop.first_alarm
    assert summary.stop.delay_s
    assert 0 < summary.stop.delay_s <= 25 * HOUR  # Waplat's 24 h at the latest
    assert summary.alarms == 0  # of those that were false


@pytest.mark.parametrize("day", [1, 28])
def test_a_fall_outside_of_the_trace_is_refused(tmp_path: Path, day: int) -> None:
    with pytest.raises(OutsideError):
        run(trace(tmp_path), Options(NOW, stop_at=datetime(2025, 3, day, 1, tzinfo=KOREA)))


def test_an_alarm_in_the_days_of_learning_is_marked_and_not_counted(tmp_path: Path) -> None:
    tail = "2025-03-06T23:00:00+09:00,help,press,1\n2025-03-06T23:10:00+09:00,living,motion,1\n"
    file = trace(tmp_path, tail=tail)
    for learn_days, counted in ((3.0, 1), (5.9, 0)):
        summary = run(file, Options(NOW, learn_days=learn_days))
        (alarm,) = (c for c in summary.changes if c.what == "alarm")
        assert alarm.learning is not bool(counted)
        assert summary.alarms == counted
        assert not summary.false_alarms_per_day  # a press is no false alarm


Call = Callable[..., int]


@pytest.fixture
def call() -> Call:
    def called(*words: str | Path) -> int:
        parser = Parser()
        add_arguments(parser)
        return run_command(parser.parse_args([str(word) for word in words]))

    return called


def test_the_command_prints_json(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(trace(tmp_path), "--json", "--stop-at", "2025-03-05T10:00") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["from"] == "2025-03-01T07:00:00+09:00"
    assert said["rows"] == 360
    assert said["first_alarm"] > said["first_warning"] > said["stopped_at"]
    assert said["delay_s"] > 0
    assert isinstance(said["changes"], list)
    assert "stop" not in said


@pytest.mark.parametrize(
    ("language", "word"), [("ko", "하루 거짓 경보"), ("en", "false alarms a day")]
)
def test_the_command_tells_it_to_an_installer(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str], language: str, word: str
) -> None:
    file = trace(tmp_path, tail="2025-03-06T23:00:00+09:00,help,press,1\n")
    assert call(file, "--lang", language, "--learn-days", "2") == 0
    assert word in capsys.readouterr().out


def test_a_wrong_line_is_told_and_may_be_skipped(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    file = trace(tmp_path, days=1, tail="2025-03-01T23:00:00+09:00,a,smell,1\n")
    assert call(file, "--lang", "ko") == 2
    assert f"{file}:62: 모르는 종류입니다: smell" in capsys.readouterr().err
    assert call(file, "--lang", "en") == 2
    assert f"{file}:62: there is no such kind: smell" in capsys.readouterr().err
    assert call(file, "--lenient", "--json") == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == {"kind": 1}


def test_times_in_utc_are_said_to_be_judged_by_the_nights_of_the_home(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    file = trace(tmp_path, days=2)
    text = file.read_text(encoding="utf-8").replace("+09:00", "Z")
    file.write_text(text, encoding="utf-8")
    assert call(file, "--lang", "en") == 0
    assert "UTC+9 h" in capsys.readouterr().out
    assert call(file, "--lang", "ko", "--zone-h", "-3.5") == 0
    assert "UTC-3.5시간" in capsys.readouterr().out
    assert call(file, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["utc_zone_h"] == 9.0
    assert said["from"] == "2025-03-01T16:00:00+09:00"
    assert call(trace(tmp_path, days=2), "--json") == 0
    assert json.loads(capsys.readouterr().out)["utc_zone_h"] is None


def test_a_trace_that_is_sorted_by_device_gives_a_sentence_and_no_verdict(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    file = trace(tmp_path, days=2)
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    rows = rows + [row.replace("living", "kitchen") for row in rows]
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    assert call(file, "--lenient") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "docs/traces.md" in said.err


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path, call: Call) -> None:
    assert call(tmp_path / "none.csv") == call(tmp_path / "none") == 2


@pytest.mark.parametrize(
    "words",
    [
        ["--stop-at", "noon"],
        ["--learn-days", "-1"],
        ["--learn-days", "x"],
        ["--plot", "x"],
        ["--zone-h", "99"],
        ["--zone-h", "Seoul"],
    ],
)
def test_wrong_words_are_refused(tmp_path: Path, call: Call, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call(trace(tmp_path), *words)
    assert ended.value.code == 2


def test_a_transcript_takes_no_words_of_a_trace(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"rules":{},"state":{}}\n', encoding="utf-8")
    assert call(file) == 0
    assert call(file, "--lenient") == 2
    assert "--lenient" in capsys.readouterr().err


def test_a_fall_under_a_warning_says_that_it_stood() -> None:
    stop = Stop("2025-03-03T10:00:00+09:00", None, None, None, None, ("warning quiet",))
    lines = list(_stop(stop, messages("hub", Language.ENGLISH, "replay")))
    assert lines == [
        "sensors silent from 2025-03-03 10:00",
        "that stood already: warning (quiet)",
        "there was no warning",
        "there was no alarm in 72 hours",
    ]


def test_evidence_is_put_into_words() -> None:
    change = Change(BEGIN.isoformat(), "warning", "quiet", "living", learning=True)
    change = replace(change, evidence=GROUND.evidence)
    line = _change(change, messages("hub", Language.ENGLISH, "replay"))
    assert line == (
        "2025-03-03 08:00  warning  quiet  [living]  since 2025-03-03 08:00 for 4 h 0 min, "
        "limit 3 h 0 min, usual at this hour 2 h 0 min, last living  (learning)"
    )


def test_a_state_is_never_changed_in_place() -> None:
    replay, _ = living(row(0))
    before: HomeState = replay.state
    kept = repr(before)
    replay.feed(row(30, value=0))
    assert repr(before) == kept
