"""Simulated lives: reproducible, well-formed and plausible."""

import csv
import hashlib
import io
import itertools
from datetime import date, datetime
from functools import cache
from pathlib import Path

import pytest

from drivers.lives.diary import State, Zone
from drivers.lives.dice import Dice
from drivers.lives.generate import Interval, Row, chapters, simulate, truth
from drivers.lives.home import PROFILES, Hardware, meet, route
from drivers.lives.year import FEASTS, Feast, Year
from drivers.virtual import cli
from hub.shared.command_line import Parser
from hub.shared.language import Language

DAYS = 21
KINDS = {"motion", "contact", "exit_door", "press", "heart_rate", "answer"}
each_profile = pytest.mark.parametrize("profile", PROFILES)


@cache
def trace(profile: str, seed: int = 1) -> list[Row]:
    return list(simulate(profile, seed, DAYS))


@cache
def true_of(profile: str, seed: int = 1, days: int = DAYS) -> list[Interval]:
    return list(truth(profile, seed, days))


def hours(interval: Interval) -> float:
    return (at(interval.end) - at(interval.start)) / 3600


def at(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def simulated(*line: str) -> int:
    parser = Parser(prog="anbu house")
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(["simulate", *line]))


@each_profile
def test_a_life_is_the_same_every_time(profile: str) -> None:
    assert trace(profile) == list(simulate(profile, 1, DAYS))


def test_a_life_is_the_same_on_every_machine() -> None:
    """A deliberate change of the simulated lives must change this figure too."""
    rows = "\n".join(",".join(map(str, row)) for row in simulate("pet", 7, 5))
    assert hashlib.sha256(rows.encode()).hexdigest()[:16] == "f80e74647e69831d"


@each_profile
def test_each_seed_is_another_person(profile: str) -> None:
    assert meet(profile, 1).habits != meet(profile, 2).habits
    assert trace(profile) != trace(profile, 2)


def test_homes_differ_in_their_sensors() -> None:
    homes = {tuple(pir.device for pir in meet("pet", seed).home.pirs) for seed in range(30)}
    assert len(homes) > 8


def test_a_longer_trace_begins_like_a_shorter_one() -> None:
    longer = list(simulate("weekly", 2, 9))
    shorter = list(simulate("weekly", 2, 4))
    assert longer[: len(shorter)] == shorter


@each_profile
def test_rows_are_strictly_in_the_order_of_time(profile: str) -> None:
    times = [row.time for row in trace(profile)]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
    assert times[0] >= "2026-01-05T00:00:00.000+09:00"
    assert times[-1] < "2026-01-26T00:00:00.000+09:00"


@each_profile
def test_truth_covers_the_whole_trace_without_a_gap(profile: str) -> None:
    intervals = true_of(profile)
    assert intervals[0].start == "2026-01-05T00:00:00.000+09:00"
    assert intervals[-1].end == "2026-01-26T00:00:00.000+09:00"
    for earlier, later in itertools.pairwise(intervals):
        assert earlier.end == later.start
        assert earlier.start < earlier.end
        assert earlier.state != later.state


@each_profile
def test_rows_are_well_formed(profile: str) -> None:
    rows = trace(profile)
    assert {row.kind for row in rows} <= KINDS
    assert {row.value for row in rows if row.kind != "heart_rate"} == {0, 1}
    assert all(35 < row.value < 140 for row in rows if row.kind == "heart_rate")
    assert 300 <= len(rows) / DAYS <= 4000 or profile in {"traveller", "weak-sensor"}
    assert {row.device for row in rows if row.kind == "exit_door"} == {"front"}


@each_profile
def test_every_life_has_sleep_and_outings_and_a_bathroom(profile: str) -> None:
    days = 60
    spent = dict.fromkeys(State, 0.0)
    for interval in true_of(profile, 1, days):
        spent[interval.state] += hours(interval) / days
    assert 4.5 <= spent[State.ASLEEP] <= 10.5
    assert 0.05 <= spent[State.AWAY] <= 12
    assert 0.3 <= spent[State.BATHROOM] <= 3
    assert spent[State.VISITOR] > 0


def flawless(profile: str, seed: int) -> tuple[list[Row], list[Interval]]:
    """Live a life under sensors that neither lose nor invent anything."""
    person = meet(profile, seed)
    home = person.home._replace(hardware=Hardware(0, 0, 0, 0))
    rows: list[Row] = []
    intervals: list[Interval] = []
    for seen, true in chapters(person._replace(home=home), DAYS):
        rows += seen
        intervals += true
    return rows, intervals


@each_profile
def test_nothing_moves_in_an_empty_home_but_a_cat(profile: str) -> None:
    rows, intervals = flawless(profile, 3)
    moved = [row.time for row in rows if row.kind == "motion" and row.value]
    away = [i for i in intervals if i.state is State.AWAY]
    seen = sum(i.start < time < i.end for i in away for time in moved)
    assert (seen > 0) == (profile == "pet")


@each_profile
def test_one_leaves_and_returns_through_the_front_door(profile: str) -> None:
    rows, intervals = flawless(profile, 4)
    doors = [at(row.time) for row in rows if row.kind == "exit_door"]
    for interval in intervals[1:-1]:
        if interval.state is State.AWAY:
            assert any(-30 < time - at(interval.start) < 1 for time in doors)
            assert any(-1 < time - at(interval.end) < 30 for time in doors)


@each_profile
def test_flawless_sensors_alternate(profile: str) -> None:
    rows, _ = flawless(profile, 5)
    by_device: dict[str, list[int]] = {}
    for row in rows:
        if row.kind in {"motion", "contact", "exit_door", "press"}:
            by_device.setdefault(row.device, []).append(row.value)
    for values in by_device.values():
        assert all(one != other for one, other in itertools.pairwise(values))


def asleep_at(profile: str, hour: int) -> float:
    """Return on what share of days one sleeps at this hour."""
    asleep = [i for i in true_of(profile) if i.state is State.ASLEEP]
    moments = [f"2026-01-{day:02}T{hour:02}:00:00.000+09:00" for day in range(5, 26)]
    return sum(i.start <= moment < i.end for i in asleep for moment in moments) / DAYS


def test_lives_differ_as_their_names_say() -> None:
    assert asleep_at("night-shift", 11) > 0.5 > asleep_at("night-shift", 22)
    assert asleep_at("early-riser", 2) > 0.7 > asleep_at("early-riser", 6)
    away = {p: [i for i in true_of(p, 1, 60) if i.state is State.AWAY] for p in PROFILES}
    assert len(away["outings"]) > 2 * 60 > 4 * len(away["homebody"]) / 2
    assert sum(hours(i) > 20 for i in away["traveller"]) >= 2
    assert sum(i.state is State.VISITOR for i in true_of("visitors", 1, 60)) > 25
    sunday = [i for i in away["weekly"] if date.fromisoformat(i.start[:10]).weekday() == 6]
    assert sum(hours(i) > 1.5 for i in sunday) >= 6
    assert len(trace("weak-sensor")) < len(trace("pet"))


def test_the_year_moves_the_habits_of_the_seasonal() -> None:
    year = Year(meet("seasonal", 1), date(2026, 1, 1))
    winter = sum(year.wake(day) - day * 86400 for day in range(40)) / 40
    summer = sum(year.wake(day) - day * 86400 for day in range(180, 220)) / 40
    assert winter - summer > 3600


def test_at_the_feasts_the_children_come_or_one_goes_to_them() -> None:
    seollal = date(2026, 2, 17)
    assert seollal in FEASTS
    ways = {Year(meet("visitors", seed), seollal).feast(0) for seed in range(40)}
    assert ways == set(Feast)
    assert Year(meet("visitors", 1), seollal).feast(2) is None
    guests = next(
        seed for seed in range(40) if Year(meet("visitors", seed), seollal).feast(0) is Feast.GUESTS
    )
    company = [
        i for i in truth("visitors", guests, 3, date(2026, 2, 16)) if i.state is State.VISITOR
    ]
    assert sum(map(hours, company)) > 5


def test_one_walks_through_the_rooms_between() -> None:
    homes = [meet("pet", seed).home for seed in range(30)]
    flat = next(home for home in homes if not home.studio)
    studio = next(home for home in homes if home.studio)
    assert route(flat, Zone.BEDROOM, Zone.KITCHEN) == [Zone.PASSAGE, Zone.LIVING, Zone.KITCHEN]
    assert route(flat, Zone.BEDROOM, Zone.BATHROOM) == [Zone.PASSAGE, Zone.BATHROOM]
    assert route(studio, Zone.BEDROOM, Zone.BATHROOM) == [Zone.LIVING, Zone.BATHROOM]
    assert route(flat, Zone.ENTRY, Zone.ENTRY) == []


def test_chance_keeps_to_its_means() -> None:
    dice = Dice("means")
    draws = 4000
    assert 1.9 < sum(dice.count(2.0) for _ in range(draws)) / draws < 2.1
    assert 2.8 < sum(dice.wait(3.0) for _ in range(draws)) / draws < 3.2
    assert 4.9 < sum(dice.normal(5, 1) for _ in range(draws)) / draws < 5.1
    picks = [dice.pick({"a": 3.0, "b": 1.0}) for _ in range(draws)]
    assert 0.72 < picks.count("a") / draws < 0.78
    assert sorted(dice.long(10, 0.5) for _ in range(draws))[draws // 2] == pytest.approx(
        10, rel=0.1
    )


def test_the_shell_writes_trace_and_truth(tmp_path: Path) -> None:
    out, true = tmp_path / "trace.csv", tmp_path / "truth.csv"
    line = ("--days", "2", "--seed", "5", "--profile", "pet", "--start", "2026-09-24")
    assert simulated(*line, "--out", str(out), "--truth", str(true)) == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8"))))
    assert list(rows[0]) == ["time", "device", "kind", "value"]
    assert rows[0]["time"].startswith("2026-09-24T0")
    assert len(rows) == len(list(simulate("pet", 5, 2, date(2026, 9, 24))))
    assert true.read_text("utf-8").startswith("start,end,state\n2026-09-24T00:00:00.000+09:00,")
    assert b"\r" not in out.read_bytes()


def test_without_a_file_the_trace_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulated("--days", "1", "--seed", "5", "--profile", "pet") == 0
    assert capsys.readouterr().out.startswith("time,device,kind,value\n")


@pytest.mark.parametrize("language", Language)
def test_an_unknown_profile_is_told_with_those_that_there_are(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulated("--days", "1", "--seed", "1", "--profile", "cat", "--lang", language) == 2
    told = capsys.readouterr().err
    assert ("유형" in told) == (language == "ko")
    assert all(name in told for name in PROFILES)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--days", "0"),
        ("--days", "1.5"),
        ("--days", "99999"),
        ("--start", "2026-02-30"),
        ("--start", "0001-01-01"),
        ("--seed", "x"),
    ],
)
def test_a_wrong_number_exits_with_2(wrong: tuple[str, str]) -> None:
    usual = ("--days", "1", "--seed", "1", "--profile", "pet")
    with pytest.raises(SystemExit) as ended:
        simulated(*usual, *wrong)
    assert ended.value.code == 2


def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = tmp_path / "nowhere" / "trace.csv"
    line = ("--days", "1", "--seed", "1", "--profile", "pet", "--lang", "en")
    assert simulated(*line, "--out", str(lost)) == 1
    assert str(lost) in capsys.readouterr().err
