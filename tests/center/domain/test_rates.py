"""False-alarm rates: from the outcomes that operators choose, by home, sensor and rule."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from center.domain import by_people
from center.domain.by_people import Act
from center.domain.incident import Change, Outcome
from center.domain.rates import CAUSES, Alarm, Rate, rates
from center.store.rows import incidents
from center.store.rows import rates as rate_rows
from center.store.store import Store
from hub.contract.scaip import Kind, What
from tests.center.making import HUB, NOW, event, hear, stored

DAY = 86_400.0
OLD = {HUB: NOW - 400 * DAY, "js-0002": NOW - 15 * DAY}
ALARMS = [
    Alarm(HUB, "help", Kind.HELP_BUTTON, Outcome.PRESSED_BY_MISTAKE),
    Alarm(HUB, "help", Kind.HELP_BUTTON, Outcome.HELP_GIVEN),
    Alarm(HUB, "", Kind.QUIET, Outcome.PET),
    Alarm(HUB, "", Kind.QUIET, None),
    Alarm("js-0002", "help", Kind.HELP_BUTTON, Outcome.PRESSED_BY_MISTAKE),
    Alarm("js-0002", "", Kind.TEST, Outcome.TEST),
]


def found(some: tuple[Rate, ...], **wish: object) -> Rate:
    (one,) = [r for r in some if all(getattr(r, name) == value for name, value in wish.items())]
    return one


def test_a_rate_is_of_the_false_ones_among_the_closed_ones() -> None:
    made = rates(ALARMS, OLD, NOW, 30)
    home = found(made.homes, hub=HUB)
    assert (home.alarms, home.closed, home.false, home.share) == (4, 3, 2, 0.667)
    assert home.per_30_days == 2.0
    assert home.causes == {Outcome.PRESSED_BY_MISTAKE: 1, Outcome.PET: 1}


def test_a_new_home_counts_for_the_days_that_it_was_there() -> None:
    made = rates(ALARMS, OLD, NOW, 90)
    assert found(made.homes, hub="js-0002").per_30_days == 2.0
    assert found(made.rules, kind=Kind.HELP_BUTTON).home_days == 105.0
    young = rates(ALARMS, {HUB: NOW - DAY}, NOW, 90)
    assert found(young.homes, hub=HUB).per_30_days is None


def test_every_sensor_and_every_rule_has_its_own() -> None:
    made = rates(ALARMS, OLD, NOW, 30)
    assert found(made.sensors, hub=HUB, device="help").false == 1
    assert found(made.sensors, hub="js-0002", device="help").share == 1.0
    quiet = found(made.rules, kind=Kind.QUIET)
    assert (quiet.alarms, quiet.closed, quiet.share) == (2, 1, 1.0)
    assert made.total.alarms == 5  # a planned test is no alarm


def test_nothing_at_all_is_no_crash() -> None:
    made = rates([], {}, NOW, 30)
    assert (made.total.alarms, made.total.share, made.total.per_30_days) == (0, None, None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def closed(store: Store, alarm: str, outcome: Outcome, utc: float, device: str = "help") -> None:
    said = event(alarm=alarm)
    hear(store, replace(said, data=replace(said.data, device=device)), utc=utc)
    incident = store.read(incidents.incident, alarm)
    assert incident
    change = by_people.close(incident, Act("김하늘", utc), outcome)
    assert isinstance(change, Change)
    store.submit(lambda conn: incidents.save(conn, change)).result(10)


def test_the_store_gives_what_happened_in_the_window(store: Store) -> None:
    closed(store, "old", Outcome.PET, NOW - 40 * DAY)
    closed(store, "new", Outcome.CLEANING, NOW - 9 * DAY)
    hear(store, event(What.RAISED, "open"), utc=NOW)
    month, quarter = (store.read(rate_rows.read, NOW, days) for days in (30, 90))
    assert (month.total.alarms, month.total.false, quarter.total.false) == (2, 1, 2)
    assert quarter.total.home_days == 40.0
    assert store.read(rate_rows.read, NOW, 90, "js-0009").total.alarms == 0


def test_the_table_file_has_all_and_harms_no_spreadsheet(store: Store) -> None:
    closed(store, "a", Outcome.PET, NOW - 9 * DAY, device="=HYPERLINK(1)")
    text = rate_rows.as_csv(store.read(rate_rows.read, NOW, 30))
    assert text.startswith("\ufeff")
    head, *lines = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head[:5] == ["by", "hub", "device", "kind", "alarms"]
    assert head[-len(CAUSES) :] == list(CAUSES)
    assert [line[0] for line in lines] == ["all", "home", "sensor", "rule"]
    assert lines[2][2] == "'=HYPERLINK(1)"
