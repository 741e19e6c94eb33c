"""A trace is read as it is, or refused with the line and the reason."""

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.core.model.rules import Room
from hub.replay.trace import Reason, Row, Sort, Trace, TraceError, opened, room_of
from hub.shared.language import Language
from hub.shared.messages import messages

NOW = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
AT = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
HEAD = "time,device,kind,value\n"
GOOD = "2026-02-01T09:00:00+09:00,거실,motion,1\n"
LATER = "2026-02-01T09:00:05+09:00,거실,motion,0\n"
Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str | bytes) -> Path:
        file = tmp_path / "trace.csv"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    return written


def read(file: Path, *, lenient: bool = False) -> tuple[list[Row], dict[Reason, int]]:
    with opened(file) as lines:
        trace = Trace(lines, now_utc=NOW, lenient=lenient)
        rows = list(trace)
    assert trace.rows == len(rows)
    return rows, dict(trace.skipped)


def refused(file: Path) -> tuple[int, Reason]:
    with pytest.raises(TraceError) as error:
        read(file)
    return error.value.line, error.value.reason


def test_rows_come_with_their_time_and_zone(write: Write) -> None:
    rows, skipped = read(write(HEAD + GOOD + LATER))
    assert rows == [
        Row(AT, 32_400.0, "거실", Sort.MOTION, 1.0),
        Row(AT + 5, 32_400.0, "거실", Sort.MOTION, 0.0),
    ]
    assert not skipped


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + (HEAD + GOOD).encode(),
        (HEAD + GOOD).replace("\n", "\r\n").encode(),
        (HEAD + "\n" + GOOD.rstrip()).encode(),
        (HEAD + GOOD.replace("거실", '"거실"')).encode(),
        (HEAD + GOOD.replace("T09:00:00+09:00", "T00:00:00Z")).encode(),
        (HEAD + GOOD.replace("T09:00:00", "T09:00:00.000")).encode(),
    ],
)
def test_what_programs_write_otherwise_is_read_as_well(write: Write, text: bytes) -> None:
    ((row,), _) = read(write(text))
    assert (row.utc, row.device, row.value) == (AT, "거실", 1.0)


def test_summer_time_changes_the_zone_and_not_the_order(write: Write) -> None:
    winter = "2025-03-30T01:59:00+01:00,a,motion,1\n"
    summer = "2025-03-30T03:01:00+02:00,a,motion,1\n"
    first, second = read(write(HEAD + winter + summer))[0]
    assert second.utc - first.utc == 120
    assert (first.zone_s, second.zone_s) == (3600, 7200)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("yesterday,a,motion,1", Reason.TIME),
        ("2026-02-30T09:00:00+09:00,a,motion,1", Reason.TIME),
        ("0001-01-01T00:00:00+09:00,a,motion,1", Reason.TIME),
        ("1969-12-31T23:00:00+00:00,a,motion,1", Reason.TIME),
        (",a,motion,1", Reason.TIME),
        ("2026-02-01T09:00:01,a,motion,1", Reason.NO_OFFSET),
        ("2026-02-01,a,motion,1", Reason.NO_OFFSET),
        ("2026-02-01+09:00,a,motion,1", Reason.NO_OFFSET),  # a separator and nine o'clock
        ("2026-02-01T09:00:01+09:00+09:00,a,motion,1", Reason.TIME),
        ("2026-02-01T09:00:61+09:00,a,motion,1", Reason.TIME),
        ("2026-02-01T09:00:01+09:00,a,smell,1", Reason.KIND),
        ("2026-02-01T09:00:01+09:00,a,,1", Reason.KIND),
        ("2026-02-01T09:00:01+09:00,거실,contact,1", Reason.OTHER_KIND),
        ("2026-02-01T09:00:01+09:00,a,motion,yes", Reason.VALUE),
        ("2026-02-01T09:00:01+09:00,a,motion,", Reason.VALUE),
        ("2026-02-01T09:00:01+09:00,a,motion,nan", Reason.VALUE),
        ("2026-02-01T09:00:01+09:00,a,motion,inf", Reason.VALUE),
        ("2026-02-01T09:00:01+09:00,a,motion,-1", Reason.VALUE),
        ("2026-02-01T09:00:01+09:00,a,heart_rate,900", Reason.VALUE),
        ("2026-02-01T09:00:01+09:00,a,motion", Reason.COLUMNS),
        ("2026-02-01T09:00:01+09:00,a,motion,1,1", Reason.COLUMNS),
        ("2026-02-01T09:00:01+09:00, ,motion,1", Reason.DEVICE),
        ("2026-02-01T09:00:01+09:00," + "a" * 81 + ",motion,1", Reason.DEVICE),
        ("2026-02-01T09:00:01+09:00,a\x07,motion,1", Reason.DEVICE),
        ("2026-02-01T08:59:59+09:00,거실,motion,0", Reason.UNORDERED),
        ("2026-02-01T09:00:00+09:00,거실,motion,1", Reason.DUPLICATE),
        ("2026-02-01T09:00:00.000+09:00,거실,motion,1.0", Reason.DUPLICATE),
        ("2026-03-02T09:00:00+09:00,a,motion,1", Reason.FUTURE),
        ("1970-01-01T09:00:07+09:00,a,motion,1", Reason.PAST),
        ("1999-12-31T23:59:59+00:00,a,motion,1", Reason.PAST),
        ("2026-02-01T09:00:01+09:00," + "a" * 200_000 + ",motion,1", Reason.CSV),
    ],
)
def test_a_wrong_row_is_told_with_its_line_or_skipped(
    write: Write, line: str, reason: Reason
) -> None:
    file = write(HEAD + GOOD + line + "\n" + LATER)
    assert refused(file) == (3, reason)
    rows, skipped = read(file, lenient=True)
    assert [row.value for row in rows] == [1.0, 0.0]
    assert skipped == {reason: 1}


def test_a_korean_file_that_is_not_utf8_is_told_so(write: Write) -> None:
    file = write((HEAD + GOOD.replace("거실", "a")).encode() + GOOD.encode("cp949"))
    assert refused(file) == (3, Reason.ENCODING)
    rows, skipped = read(file, lenient=True)
    assert (len(rows), skipped) == (1, {Reason.ENCODING: 1})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", Reason.HEADER),
        (b"hello\n", Reason.HEADER),
        (GOOD.encode(), Reason.HEADER),
        (HEAD.encode("utf-16"), Reason.ENCODING),
        (HEAD.encode(), Reason.EMPTY),
    ],
)
def test_what_is_no_trace_at_all_is_refused_even_leniently(
    write: Write, text: bytes, reason: Reason
) -> None:
    file = write(text)
    assert refused(file) == (1, reason)
    with pytest.raises(TraceError):
        read(file, lenient=True)


def test_a_device_whose_clock_was_not_set_does_not_make_half_a_century_of_a_week(
    write: Write,
) -> None:
    """It ran for five minutes without output, and then reported 20513 days without an alarm."""
    file = write(HEAD + "1970-01-01T09:00:00+09:00,a,motion,1\n" + GOOD + LATER)
    assert refused(file) == (2, Reason.PAST)
    rows, skipped = read(file, lenient=True)
    assert (len(rows), skipped) == (2, {Reason.PAST: 1})


def test_a_row_with_the_year_wrong_is_told_and_not_waited_for(write: Write) -> None:
    old = GOOD.replace("2026-02-01", "2024-01-01").replace("거실", "a")
    file = write(HEAD + old + GOOD + LATER)
    assert refused(file) == (3, Reason.GAP)
    year = GOOD.replace("2026-02-01", "2025-02-01")
    assert len(read(write(HEAD + year + GOOD))[0]) == 2, "a home may stand empty for a year"


def by_device(days: int) -> str:
    """Rows of four sensors, sorted by device as a database gives them."""
    lines = [
        f"2026-01-{day:02}T{hour:02}:00:00+09:00,{device},motion,1"
        for device in ("bath", "bed", "kitchen", "living")
        for day in range(1, days + 1)
        for hour in range(24)
    ]
    return HEAD + "\n".join(lines) + "\n"


@pytest.mark.parametrize("days", [1, 28])
def test_a_trace_that_is_sorted_by_device_has_no_verdict_even_leniently(
    write: Write, days: int
) -> None:
    file = write(by_device(days))
    assert refused(file)[1] is Reason.UNORDERED
    with pytest.raises(TraceError) as error:
        read(file, lenient=True)
    assert error.value.reason is Reason.UNSORTED
    assert error.value.line <= 24 * days + 1002, "it is told soon"


@pytest.mark.parametrize(
    ("zone_s", "z_s", "zero_s"), [(None, 32_400.0, 0.0), (3600.0, 3600.0, 3600.0)]
)
def test_a_time_in_utc_is_no_local_time_and_its_zone_is_told(
    write: Write, zone_s: float | None, z_s: float, zero_s: float
) -> None:
    """Without a time zone, nights were silently taken in UTC."""
    plain = GOOD.replace("T09:00:00+09:00", "T00:00:00Z")
    zero = LATER.replace("T09:00:05+09:00", "T00:00:05+00:00")
    for text, expected in ((plain, z_s), (zero, zero_s)):
        with opened(write(HEAD + text)) as lines:
            trace = Trace(lines, now_utc=NOW, zone_s=zone_s)
            (row,) = trace
        assert (row.zone_s, trace.utc_zone_s) == (expected, expected)
    with opened(write(HEAD + GOOD)) as lines:
        trace = Trace(lines, now_utc=NOW, zone_s=zone_s)
        assert [row.zone_s for row in trace] == [32_400.0]
        assert trace.utc_zone_s is None


def test_two_sensors_may_speak_at_once(write: Write) -> None:
    rows, _ = read(write(HEAD + GOOD + GOOD.replace("거실", "부엌")))
    assert [row.device for row in rows] == ["거실", "부엌"]


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_has_its_sentence(language: Language) -> None:
    sentences = messages("hub", language, "replay")["reason"]
    assert {str(reason) for reason in Reason} <= sentences.keys()
    fatal = {Reason.HEADER, Reason.EMPTY}  # never skipped
    assert messages("hub", language, "replay")["skipped"].keys() == {*Reason} - fatal
    for reason in Reason:
        assert sentences[reason].format(detail="x")


def test_both_languages_say_the_same_things() -> None:
    korean, english = (messages("hub", language, "replay") for language in Language)
    assert {k: v.keys() for k, v in korean.items()} == {k: v.keys() for k, v in english.items()}


def test_a_name_typed_on_macos_is_the_same_device_and_the_same_room(write: Write) -> None:
    bath = GOOD.replace("거실", "욕실")
    apart = unicodedata.normalize("NFD", LATER.replace("거실", "욕실"))
    rows, _ = read(write(HEAD + bath + apart))
    assert [row.device for row in rows] == ["욕실", "욕실"]
    assert room_of(unicodedata.normalize("NFD", "욕실")) is Room.BATHROOM
    assert room_of(unicodedata.normalize("NFD", "안방")) is Room.BEDROOM


@pytest.mark.parametrize("encoding", ["cp949", "utf-16"])
def test_a_trace_in_another_encoding_is_refused_with_a_sentence(
    write: Write, encoding: str
) -> None:
    _, reason = refused(write((HEAD + GOOD).encode(encoding)))
    assert reason is Reason.ENCODING
    assert "UTF-8" in messages("hub", Language.KOREAN, "replay")["reason"][reason]
