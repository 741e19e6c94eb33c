"""A snapshot is read as far as possible, by older and newer programs than its writer."""

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Cleared, Evidence, FaultKind, FaultReport, PresenceKind, Topic
from hub.contract.scaip import Kind
from hub.core.alarm.signals import signal_of
from hub.core.decide import recover
from hub.core.model.activity import FRESH, NEVER, House, Lone, Presence, Sensed
from hub.core.model.checkin import Anchor, CareState, CheckIn, Due, Missed, Screening
from hub.core.model.effects import Effect, Publish
from hub.core.model.events import Event, LinkUp, Ticked
from hub.core.model.state import Announcement, Caution, HomeState, Raised, Sent
from hub.core.model.supervision import Flap
from hub.core.supervision import snapshot
from hub.core.supervision.snapshot import BYTES, FAULT, FIELDS, Kept
from tests.hub.core.histories import examples
from tests.hub.core.scenes import (
    CORD,
    FIRST,
    RULES,
    UTC,
    accepted,
    called,
    press,
    quiet,
    received,
    started,
    story,
    tell,
)

PACK = msgspec.msgpack.Encoder().encode
GROUND = Evidence(UTC, 1.0, 1.0, 1.0)


def lived() -> HomeState:
    """A home with alarms, a check-in, a warning and an announcement in progress."""
    state = tell(called(), received(), accepted(), *press(30.0, CORD), *press(40.0, CORD))
    visit = CheckIn("2026-03-01-0900", Topic.SLEEP, 50.0, UTC + 50.0, Due(50.0))
    care = CareState(visit=visit, life_at=39.0, anchor=Anchor(40.0, UTC + 40.0))
    return replace(
        state,
        alarms=(*state.alarms, replace(state.alarms[0], id="b1-9", life=Sent())),
        habits=FRESH,
        care=care,
        warning=Caution(Kind.QUIET, "motion", GROUND, 99.0, 40.0),
        notices=(Announcement("c-2", "물을 드세요.", urgent=False, until_utc=0.0, due_at=60.0),),
    )


LIVED = lived()
RAW = PACK(LIVED)
PRESENT = Presence(PresenceKind.AWAY, 30.0, 40.0)


def parsed() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.msgpack.decode(RAW)
    return found


def ids(state: HomeState) -> tuple[list[str], list[str]]:
    return [a.id for a in state.alarms], [o.id for o in state.owed]


def goes_on(state: HomeState) -> HomeState:
    """Continue from a snapshot, as a process that starts with it does."""
    event = started(5.0, "b2")
    state = recover(snapshot.with_fault(state, ()), event, ())
    events = (event, LinkUp(6.0, "broker"), *press(70.0), Ticked(1e5), Ticked(2e5))
    state, effects = story(state, *events)
    assert effects
    assert PACK(state)
    return state


def test_what_was_written_is_read_whole() -> None:
    assert snapshot.decode(RAW) == Kept(LIVED)
    assert snapshot.decode(None) == Kept(HomeState())
    assert goes_on(LIVED).alarms


def test_the_names_on_the_disk_are_these() -> None:
    """A class may be renamed; what older snapshots and transcripts call it may not."""

    def tags(kind: inspect.Type) -> Iterator[str]:
        match kind:
            case inspect.UnionType(types=types):
                for one in types:
                    yield from tags(one)
            case inspect.StructType(tag=tag, fields=fields):
                yield from [str(tag)] if tag else []
                for field in fields:
                    yield from tags(field.type)
            case inspect.VarTupleType(item_type=item) | inspect.DictType(value_type=item):
                yield from tags(item)
            case _:
                pass

    assert set(tags(inspect.type_info(HomeState))) >= {
        "Raised", "Sent", "Received", "Accepted", "Present", "Cancelled", "Up", "Settling", "Down",
        "Lifting", "Recalled", "Due", "Asked", "Paused", "VoiceTold",
    }  # fmt: skip
    for shape in get_args(Event) + get_args(Effect):
        assert shape.__struct_config__.tag == shape.__name__


def walk(node: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)  # type: ignore[arg-type]
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from walk(value, (*path, key))


def at(node: Any, path: tuple[object, ...]) -> Any:  # noqa: ANN401 - a part of a document
    for key in path:
        node = node[key]
    return node


PATHS = [*walk(parsed())]


@pytest.mark.parametrize("odd", ["from-the-future", 10**18, None, [], {"type": "Newer"}, [[1]]])
def test_whatever_one_value_is_the_rest_is_kept_and_life_goes_on(odd: object) -> None:
    whole = ids(LIVED)
    for path in PATHS:
        raw = parsed()
        at(raw, path[:-1])[path[-1]] = odd
        kept = snapshot.decode(PACK(raw))
        alarms, owed = ids(kept.state)
        lost_alarm = path[0] == "alarms" and (len(path) == 1 or path[-1] == "id" or len(path) == 2)
        lost_owed = path[0] == "owed" and (len(path) == 1 or path[-1] == "id" or len(path) == 2)
        if path[0] == "alarms" and lost_alarm:
            assert owed == whole[1], path
            assert len(path) == 1 or len(alarms) >= len(whole[0]) - 1, path
        elif lost_owed:
            assert alarms == whole[0], path
        else:
            assert (alarms, owed) == whole, path
        goes_on(kept.state)


ODD: list[tuple[str, object]] = [
    *((f"house.{name}", odd) for odd in (1e15, -1e15) for name in (
        "active_at", "visitor_until", "slot_at", "quiet.since", "stay.since", "presence.since",
        "presence.until", "presence.door_at", "presence.blip_at", "lone.since", "lone.pulses.0",
        "noisy.hall", "sensed.hall.seen_at", "hour_at",
    )),
    *((f"care.{name}", odd) for odd in (1e15, -1e15, float("nan"), float("inf")) for name in (
        "dark_at", "noted_at", "life_at", "began_at", "begun_at", "look_at", "adrift_from",
        "anchor.at", "anchor.utc", "visit.due_at", "visit.stage.from_at", "missed.at",
        "screening.at", "told_at.food", "looked_local", "next_local", "screened_utc",
    )),
    ("house.sensed.hall.before_s", float("nan")),
    ("house.quiet.steps", 2**40),
    *((name, odd) for odd in (-(2**63), 2**64 - 1) for name in (
        "order", "counter", "care.visit.attempts", "care.turn", "alarms.0.version", "owed.0.tries",
        "house.quiet.steps", "watch.flaps.x:chatter.told",
    )),
]  # fmt: skip


def rich() -> dict[str, Any]:
    """A snapshot that holds every part."""
    visit = LIVED.care.visit
    assert visit is not None
    care = replace(
        LIVED.care,
        missed=Missed(visit, 30.0),
        screening=Screening(35.0),
        begun_at=30.0,
        told_at={"food": 30.0, "sleep": 30.0},
        dark_at=20.0,
        noted_at=40.0,
    )
    house = House(
        sensed={"hall": Sensed(20.0), "bed": Sensed(30.0, before_s=-NEVER)},
        presence=PRESENT,
        active_at=30.0,
        lone=Lone("hall", 10.0, 20.0, (20.0,)),
        noisy={"hall": 3.0, "bed": 4.0},
    )
    watch = replace(LIVED.watch, flaps={"x:chatter": Flap(2, 20.0)})
    state = replace(LIVED, care=care, house=house, watch=watch, counter=7)
    found: dict[str, Any] = msgspec.msgpack.decode(PACK(state))
    return found


@pytest.mark.parametrize(("place", "odd"), ODD, ids=lambda value: f"{value}")
def test_a_moment_or_a_count_that_cannot_be_is_dropped_and_the_rest_is_kept(
    place: str, odd: object
) -> None:
    whole = snapshot.decode(PACK(rich()))
    assert not whole.lost
    raw = rich()
    path = [int(part) if part.isdigit() else part for part in place.split(".")]
    at(raw, tuple(path[:-1]))[path[-1]] = odd
    kept = snapshot.decode(PACK(raw))
    (lost,) = kept.lost
    assert place.startswith(lost.replace("[", ".").replace("]", ""))
    assert ids(kept.state) == ids(LIVED)
    assert str(odd) not in str(msgspec.to_builtins(kept.state))
    changed = [f for f in FIELDS if getattr(kept.state, f) != getattr(whole.state, f)]
    assert set(changed) <= {path[0]}
    goes_on(kept.state)


def test_one_odd_sensor_or_need_takes_no_other_along() -> None:
    raw = rich()
    raw["house"]["noisy"]["hall"] = raw["house"]["sensed"]["hall"]["seen_at"] = 1e15
    raw["care"]["told_at"]["food"] = 1e15
    kept = snapshot.decode(PACK(raw))
    assert kept.lost == ("house.sensed[hall]", "house.noisy[hall]", "care.told_at[food]")
    assert set(kept.state.house.sensed) == set(kept.state.house.noisy) == {"bed"}
    assert set(kept.state.care.told_at) == {"sleep"}
    assert kept.state.house.presence == PRESENT


def test_of_many_alarms_only_the_damaged_one_is_lost() -> None:
    raw = parsed()
    raw["alarms"][0] = "?"
    kept = snapshot.decode(PACK(raw))
    assert [alarm.id for alarm in kept.state.alarms] == ids(LIVED)[0][1:]
    assert kept.lost == ("alarms[0]",)
    assert kept.state.care == LIVED.care


def test_an_alarm_in_a_life_that_only_a_newer_program_knows_is_raised_again() -> None:
    raw = parsed()
    raw["alarms"][0]["life"] = {"type": "Escorted", "who": "Kim"}
    raw["alarms"][0]["kind"] = "gas"
    kept = snapshot.decode(PACK(raw))
    first = kept.state.alarms[0]
    assert (first.id, first.life, first.kind) == (FIRST, Raised(), "gas")
    assert kept.lost == ("alarms[0].life",)
    assert msgspec.msgpack.decode(PACK(kept.state))["alarms"][0]["kind"] == "gas"


def test_what_a_newer_program_adds_is_passed_over() -> None:
    raw = parsed() | {"weather": {"wind": 3}}
    raw["alarms"][0]["colour"] = "red"
    assert snapshot.decode(PACK(raw)) == Kept(LIVED)


def test_a_newer_format_is_read_as_far_as_it_is_known_and_told() -> None:
    kept = snapshot.decode(PACK(replace(LIVED, format=2)))
    assert kept == Kept(LIVED, ("format 2",))


def test_where_the_bytes_are_torn_what_stands_before_and_after_is_read() -> None:
    cut = RAW[: RAW.index(b"\xa5house") + 9]
    kept = snapshot.decode(cut)
    assert ids(kept.state) == ids(LIVED)
    assert kept.lost == (BYTES,)
    at = RAW.index(b"\xa8contacts") + 9
    torn = RAW[:at] + b"\xc1" + RAW[at + 1 :]
    assert msgspec.msgpack.decode(PACK(ids(snapshot.decode(torn).state))) == [*ids(LIVED)]
    assert snapshot.decode(torn).state.care == LIVED.care


def test_of_a_torn_list_the_items_before_the_damage_are_read() -> None:
    second = RAW.index(ids(LIVED)[0][1].encode())
    kept = snapshot.decode(RAW[: second + 20])
    assert [alarm.id for alarm in kept.state.alarms] == [FIRST]
    many = replace(LIVED, alarms=tuple(replace(LIVED.alarms[0], id=f"a-{n}") for n in range(40)))
    raw = PACK(many)
    kept = snapshot.decode(raw[: raw.index(b"a-30")])
    assert [alarm.id for alarm in kept.state.alarms] == [f"a-{n}" for n in range(30)]


@examples(200)
@given(st.integers(0, len(RAW) - 1), st.binary(max_size=3), st.integers(0, 40))
def test_no_damage_ends_the_reading(at: int, put: bytes, cut: int) -> None:
    for torn in (RAW[:at] + put + RAW[at + cut :], RAW[:at], put + RAW[at:], put):
        kept = snapshot.decode(torn)
        assert isinstance(kept.state, HomeState)
        assert PACK(kept.state)


VALUES: list[object] = [
    1, -1, 200, 70_000, 2**40, -200, -70_000, -(2**33), 1.5, None, True, "short",
    "x" * 100, "x" * 300, "x" * 70_000, b"y", b"y" * 300, b"y" * 70_000,
    [0] * 20, [0] * 70_000, dict.fromkeys("abcdefghijklmnopqrst"),
    dict.fromkeys(map(str, range(70_000))),
    *(msgspec.msgpack.Ext(5, b"1" * n) for n in (2, 3, 300)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{value!r:.9}")
def test_the_end_of_every_kind_of_value_is_known(value: object) -> None:
    raw = PACK(value)
    assert snapshot._end(raw + b"\xc1\xc1", 0) == len(raw)
    if len(raw) > 1:
        with pytest.raises(IndexError):
            snapshot._end(raw[:-1], 0)


def told(effects: list[Effect]) -> list[object]:
    found = [e for e in effects if isinstance(e, Publish) and FAULT in e.topic]
    return [wire.decode_from_hub(e.topic, e.payload)[1] for e in found]


def test_it_is_a_fault_that_names_what_is_lost_until_the_next_start() -> None:
    state = snapshot.with_fault(quiet(), ("alarms[0]", "care"))
    state, effects = story(recover(state, started(5.0, "b2"), ()), started(5.0, "b2"))
    (report,) = told(effects)
    assert isinstance(report, FaultReport)
    assert (report.kind, report.detail) == (FaultKind.SNAPSHOT, "alarms[0], care")
    assert (report.since_utc, report.synced) == (UTC + 5.0, True)
    again = snapshot.with_fault(snapshot.decode(PACK(state)).state, ())
    after, effects = story(recover(again, started(9.0, "b3"), ()), started(9.0, "b3"))
    assert told(effects) == [Cleared(FAULT)]
    assert FAULT not in after.faults


def test_the_resident_is_not_shown_what_only_a_person_at_a_desk_can_mend() -> None:
    state = snapshot.with_fault(quiet(), ("care",))
    assert signal_of(state, 2.0, RULES) == signal_of(quiet(), 2.0, RULES)
