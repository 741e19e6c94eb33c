"""Messages between different releases are read as far as they can be, and no further."""

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct, field

from hub.contract import border
from hub.contract.border import Open, UnreadableError


class Colour(Open):
    RED = "red"
    BLUE = "blue"


class Near(Struct, frozen=True, tag="Near"):
    pass


class Far(Struct, frozen=True, tag="Far"):
    by: str
    m: float = 0.0


class Inner(Struct, frozen=True):
    text: str
    colour: Colour


class Thing(Struct, frozen=True):
    id: str
    colour: Colour
    count: Annotated[int, Meta(ge=0)]
    size: float
    good: bool
    inner: Inner
    where: Near | Far
    many: tuple[Inner, ...]
    named: dict[str, Inner]
    perhaps: Inner | None = None
    hue: Colour | None = None
    note: str = "-"
    kept: list[int] = field(default_factory=list)


INNER: dict[str, object] = {"text": "a", "colour": "red"}
WHOLE: dict[str, object] = {
    "id": "t1", "colour": "blue", "count": 1, "size": 2.5, "good": True, "inner": INNER,
    "where": {"type": "Far", "by": "b"}, "many": [INNER], "named": {"n": INNER},
    "perhaps": INNER, "hue": "red", "note": "n", "kept": [1],
}  # fmt: skip


def test_what_is_whole_is_read_whole() -> None:
    assert border.read(WHOLE, Thing) == (msgspec.convert(WHOLE, Thing), ())


def test_a_value_that_is_not_listed_is_kept_and_written_back() -> None:
    newer = WHOLE | {"colour": "ultraviolet", "hue": "infrared"}
    thing, lost = border.read(newer, Thing)
    assert lost == ()
    assert not thing.colour.is_known
    assert thing.colour not in set(Colour)
    assert thing.colour.plain == "other"
    assert (thing.colour.name, thing.hue) == ("OTHER", "infrared")
    written = msgspec.json.decode(msgspec.json.encode(thing))
    assert (written["colour"], written["hue"]) == ("ultraviolet", "infrared")
    assert border.read(written, Thing) == (thing, ())


def test_a_value_that_is_listed_is_the_member_itself() -> None:
    assert Colour.of("red") is Colour.RED
    assert Colour.RED.is_known
    assert Colour.RED.plain is Colour.RED


@pytest.mark.parametrize("value", ["", "x" * 65, "a\x00b"])
def test_what_no_release_would_ever_say_is_only_other(value: str) -> None:
    assert Colour.of(value) == "other"


def test_settings_and_requests_still_take_only_what_is_listed() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert("ultraviolet", Colour)
    with pytest.raises(ValueError, match="ultraviolet"):
        Colour("ultraviolet")


@pytest.mark.parametrize(
    ("name", "nothing"),
    [
        ("colour", "other"), ("count", 0), ("size", 0.0), ("good", False), ("many", ()),
        ("named", {}), ("perhaps", None), ("hue", None), ("note", "-"), ("kept", []),
        ("where", Near()), ("inner", Inner("", Colour.of("other"))),
    ],
)  # fmt: skip
def test_a_field_of_a_wrong_type_is_named_and_hides_no_other(name: str, nothing: object) -> None:
    for wrong in (object(), -1.5 if name != "size" else "x"):
        thing, lost = border.read(WHOLE | {name: wrong}, Thing)
        assert lost == (name,)
        assert getattr(thing, name) == nothing
        assert thing.id == "t1"


def test_a_field_that_is_missing_is_named_unless_it_has_a_default() -> None:
    for name in WHOLE:
        thing, lost = border.read({k: v for k, v in WHOLE.items() if k != name}, Thing)
        defaults = {"perhaps", "hue", "note", "kept"}
        assert lost == (() if name in defaults else (name,))
        assert isinstance(thing, Thing)


def test_of_many_only_the_damaged_one_is_lost() -> None:
    bad = {"many": [INNER, 5, INNER], "named": {"a": INNER, "b": None}}
    thing, lost = border.read(WHOLE | bad, Thing)
    assert (len(thing.many), set(thing.named)) == (2, {"a"})
    assert lost == ("many[1]", "named[b]")


def test_a_key_that_is_no_name_is_no_entry() -> None:
    thing, lost = border.read(WHOLE | {"named": {7: INNER, "b": 5}}, Thing)
    assert (thing.named, lost) == ({}, ("named[b]",))


def test_within_a_struct_the_rest_is_kept() -> None:
    thing, lost = border.read(WHOLE | {"inner": {"text": 5, "colour": "red"}}, Thing)
    assert (thing.inner, lost) == (Inner("", Colour.RED), ("inner.text",))
    thing, lost = border.read(WHOLE | {"perhaps": {"text": "b"}}, Thing)
    assert (thing.perhaps, lost) == (Inner("b", Colour.of("other")), ("perhaps.colour",))


def test_of_a_tag_that_nobody_knows_the_first_of_the_union_stands_for_it() -> None:
    thing, lost = border.read(WHOLE | {"where": {"type": "Nowhere"}}, Thing)
    assert (thing.where, lost) == (Near(), ("where",))
    thing, lost = border.read(WHOLE | {"where": {"type": "Far", "by": "b", "m": "x"}}, Thing)
    assert (thing.where, lost) == (Far("b"), ("where.m",))


class Choice(Struct, frozen=True):
    where: Near | Far | None = None
    either: str | int = ""


def test_where_a_field_may_be_empty_it_is() -> None:
    assert border.read({"where": {"type": "Nowhere"}}, Choice) == (Choice(), ("where",))
    assert border.read({"either": 1.5}, Choice) == (Choice(), ("either",))


def test_an_essential_field_cannot_be_made_up() -> None:
    for raw in ({**WHOLE, "id": 5}, {k: v for k, v in WHOLE.items() if k != "id"}):
        with pytest.raises(UnreadableError, match="id"):
            border.read(raw, Thing, {"id"})


def test_what_is_no_struct_is_unreadable() -> None:
    nothing: tuple[object, ...] = (None, [], "x", 5)
    for raw in nothing:
        with pytest.raises(UnreadableError):
            border.read(raw, Thing)


class Strange(Struct, frozen=True):
    when: bytes


class Must(Struct, frozen=True):
    inner: Inner | None


class Mixed(Struct, frozen=True):
    either: str | int


def test_what_nothing_can_stand_for_is_unreadable() -> None:
    with pytest.raises(UnreadableError, match="when"):
        border.read({}, Strange)
    with pytest.raises(UnreadableError, match="either"):
        border.read({}, Mixed)
    assert border.read({}, Must) == (Must(None), ("inner",))


def deep(levels: int) -> object:
    nest: object = 0
    for _ in range(levels):
        nest = [nest]
    return nest


def test_what_is_nested_too_deeply_is_lost_and_nothing_else() -> None:
    thing, lost = border.read(WHOLE | {"kept": deep(100_000)}, Thing)
    assert (thing.kept, lost) == ([], ("kept",))


class Point(Struct, frozen=True, array_like=True):
    x: int
    y: str


class Line(Struct, frozen=True):
    points: tuple[Point, ...]
    colour: Colour


def test_a_struct_that_is_written_as_a_list_is_read_as_one() -> None:
    raw = {"points": [[1, "a"], [2, 3], "odd"], "colour": 5}
    line, lost = border.read(raw, Line)
    assert line.points == (Point(1, "a"), Point(2, ""))
    assert lost == ("points[1].y", "points[2]", "colour")
