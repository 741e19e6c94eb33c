"""Why a call came, in words, and the picture of the days: what is not known is never 'nothing'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from center.console.homes import picture
from center.console.homes.picture import Moment, Picture
from center.console.incident.reason import brief, reason
from center.console.lengths import clock, length
from center.console.view import Viewer, title
from center.domain import day_grid
from center.domain.by_hubs import fold
from center.domain.day_grid import Hour, day_starts, days
from center.domain.incident import Incident
from center.domain.times import day_start
from center.service.texts import texts
from hub.contract.messages import Evidence, PresenceKind
from hub.contract.scaip import Kind, What
from hub.shared.language import Language
from tests.center.lives import PLACES, QUIET
from tests.center.making import heard

MIDNIGHT = day_start("2026-03-02") or 0.0
NOON = MIDNIGHT + 12 * 3600.0
KO, EN = (Viewer("김하늘", NOON + 1800, texts(lang)) for lang in Language)


def alarm(kind: Kind = Kind.QUIET, evidence: Evidence | None = QUIET) -> Incident:
    one = heard(What.RAISED, NOON + 1800)
    data = replace(one.event.data, kind=kind, evidence=evidence)
    return fold(None, replace(one, event=replace(one.event, data=data))).incident


def hour(at: int, day: int = 0, **seen: int) -> Hour:
    begin = MIDNIGHT + 86_400 * day + 3600 * at
    return Hour(begin, True, seen, PLACES, PresenceKind.HOME, 0.0, 0.0)  # noqa: FBT003 - its clock


def drawn(*hours: Hour, marks: tuple[Moment, ...] = ()) -> Picture:
    return picture.draw(days(hours, day_starts(KO.now, 2)), marks, KO)


def shades(made: Picture, room: str) -> dict[int, str]:
    today = made.blocks[-1]
    (y,) = [row.y for row in today.rows if row.room == room]
    at = {(cell.x - picture.LEFT) // picture.CELL: cell for cell in today.cells if cell.y == y}
    return {number: cell.level for number, cell in at.items()}


def test_the_reason_is_said_in_plain_words() -> None:
    said = replace(QUIET, since_utc=MIDNIGHT + 7 * 3600 + 600)
    why = reason(alarm(evidence=said), PLACES, KO)
    assert why
    assert why.seen == "거실, 부엌, 욕실에서 07:10부터 5시간 20분 동안 움직임이 없습니다."
    assert why.usual == "이 시간대에는 보통 길어야 1시간 30분입니다."
    assert why.more[0] == "마지막 움직임: 부엌."
    english = reason(alarm(evidence=said), PLACES, EN)
    assert english
    assert english.seen == "No movement in 거실, 부엌, 욕실 since 07:10, for 5 h 20 min."


def test_answers_without_words_are_part_of_the_reason() -> None:
    said = replace(QUIET, wordless=2)
    missed = alarm(Kind.MISSED_CHECKIN, said)
    for viewer, words in (
        (KO, "말이 아닌 소리로만 2번 대답하셨습니다."),
        (EN, "Answered without words, 2 times."),
    ):
        why = reason(missed, PLACES, viewer)
        assert why
        assert words in why.more


@pytest.mark.parametrize("kind", [kind for kind in Kind if alarm(kind).is_automatic])
@pytest.mark.parametrize("viewer", [KO, EN])
@pytest.mark.parametrize("said", [QUIET, replace(QUIET, sensors=()), Evidence(0, 0, 0, 0), None])
def test_every_automatic_alarm_has_its_reason(
    kind: Kind, viewer: Viewer, said: Evidence | None
) -> None:
    why = reason(alarm(kind, said), {}, viewer)
    assert why
    assert why.seen
    assert "{" not in "".join((why.seen, why.usual, *why.more, brief(alarm(kind, said), viewer)))


def test_who_pressed_needs_no_reason() -> None:
    assert reason(alarm(Kind.HELP_BUTTON, None), {}, KO) is None


def test_a_clock_that_is_not_right_gives_no_time_of_day() -> None:
    why = reason(replace(alarm(), synced=False), PLACES, KO)
    assert why
    assert "(시각 모름)부터 5시간 20분" in why.seen


def test_a_limit_that_is_the_same_for_all_is_not_called_learned() -> None:
    why = reason(alarm(Kind.NO_LIFE, replace(QUIET, usual_s=0.0)), PLACES, KO)
    assert why
    assert (why.usual, why.more[-1]) == ("", "모든 가정에 같은 기준입니다.")


def test_lengths_and_times_are_written_as_people_say_them() -> None:
    said = [length(s, KO.t) for s in (-5, 59, 60, 3600, 19_200, 90_000, 172_800, 180_000, 1e300)]
    assert said == [
        "0초", "59초", "1분", "1시간", "5시간 20분", "25시간", "2일", "2일 2시간", "3650일",
    ]  # fmt: skip
    assert clock(NOON, KO.now) == "12:00"
    assert clock(NOON - 86_400, KO.now) == "03-01 12:00"
    assert clock(1e300, KO.now) == "--:--"


def test_an_hour_that_nobody_told_of_is_not_an_hour_without_movement() -> None:
    made = drawn(hour(7, pir1=3, pir2=0), hour(9, pir1=0))
    today = shades(made, "거실")
    assert (today[7], today[8], today[9]) == ("1", "unknown", "0")
    assert 12 not in today  # it is not over yet
    assert max(today) == 11


def test_an_hour_by_a_wrong_clock_is_not_drawn_as_if_it_were_known() -> None:
    made = drawn(replace(hour(7, pir1=3), synced=False), hour(8, pir1=1))
    assert shades(made, "거실")[7] == "unknown"


def test_where_somebody_was_seen_last_is_not_where_the_call_is_from() -> None:
    quiet, door = (replace(alarm(kind), place="부엌") for kind in (Kind.QUIET, Kind.DOOR_OPEN))
    assert title(quiet, KO.t) == "오래 움직임 없음"
    assert title(door, KO.t) == "부엌 · 문이 열려 있음"


def test_a_limit_is_told_where_it_says_more_than_the_length() -> None:
    same = replace(QUIET, limit_s=QUIET.lasted_s)
    for kind, said, told in (
        (Kind.QUIET, QUIET, True),
        (Kind.QUIET, same, False),
        (Kind.NO_LIFE, same, True),
        (Kind.MISSED_CHECKIN, QUIET, False),
    ):
        why = reason(alarm(kind, said), PLACES, KO)
        assert why
        assert any("알림 기준" in one for one in why.more) is told, (kind, said)


def test_a_number_stands_in_every_shade_and_in_the_table() -> None:
    made = drawn(hour(7, pir1=0), hour(8, pir1=4), hour(9, pir1=5), hour(10, pir1=40))
    cells = [cell for cell in made.blocks[-1].cells if cell.text]
    assert [(cell.level, cell.text) for cell in cells if cell.text != "·"] == [
        ("1", "4"), ("2", "5"), ("4", "40"),
    ]  # fmt: skip
    row = next(row for row in made.blocks[-1].rows if row.room == "거실")
    assert row.texts[6:12] == ("자료 없음", "0", "4", "5", "40", "자료 없음")
    assert row.texts[13] == ""


def test_two_devices_of_a_room_are_one_row_and_a_stray_one_has_its_own() -> None:
    one = replace(hour(7, pir1=2, new=1), places={"pir1": "거실", "door9": "거실"})
    assert day_grid.by_room(one) == {"거실": 2, "new": 1}


def test_asleep_and_away_are_bands_with_their_word() -> None:
    some = [replace(hour(n), asleep_s=3600.0 if n < 6 else 1000.0) for n in range(8)]
    away = [replace(hour(n), away_s=2000.0) for n in (9, 10)]
    bands = drawn(*some, *away).blocks[-1].bands
    assert [(band.kind, band.text, band.width // picture.CELL) for band in bands] == [
        ("asleep", "잠", 6), ("away", "외출", 2),
    ]  # fmt: skip


def test_hours_with_a_visitor_are_a_band_with_their_word() -> None:
    some = [replace(hour(n), presence=PresenceKind.VISITOR) for n in (14, 15)]
    (band,) = drawn(*some).blocks[-1].bands
    assert (band.kind, band.text, band.width // picture.CELL) == ("visitor", "손님", 2)


def test_an_alarm_is_marked_with_what_was_missing_before_it() -> None:
    mark = Moment(NOON, "호출 12:00", since_utc=MIDNIGHT - 3600)
    made = drawn(hour(1, pir1=1), marks=(mark,))
    before, today = made.blocks
    assert [one.text for one in today.marks] == ["호출 12:00"]
    assert before.marks == ()
    assert [band.kind for band in (*before.bands, *today.bands)] == ["nothing", "nothing"]
    assert today.bands[0].width == 12 * picture.CELL
    assert "13시간" in today.bands[0].text


HOURS = st.lists(
    st.builds(
        Hour,
        from_utc=st.floats(MIDNIGHT - 2e5, MIDNIGHT + 2e5) | st.floats(allow_nan=False),
        synced=st.booleans(),
        seen=st.dictionaries(st.text(max_size=3), st.integers(0, 1_000_000), max_size=30),
        places=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=30),
        presence=st.sampled_from(PresenceKind),
        asleep_s=st.floats(allow_nan=False),
        away_s=st.floats(allow_nan=False),
    ),
    max_size=20,
)


@given(HOURS, st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_whatever_a_home_says_the_picture_keeps_its_frame(
    hours: list[Hour], utc: float, since: float
) -> None:
    made = drawn(*hours, marks=(Moment(utc, "호출", since),))
    assert len(made.blocks) == 2
    for block in made.blocks:
        assert len(block.rows) <= day_grid.ROOMS_MAX
        for band in block.bands:
            assert picture.LEFT <= band.x <= band.x + band.width <= picture.WIDTH + 1
        for mark in block.marks:
            assert picture.LEFT <= mark.label_x <= picture.WIDTH - picture.LABEL
