"""Settings: a right text gives structs, a wrong one gives every mistake at once with its line."""

import unicodedata
from enum import StrEnum
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Meta, Struct, field

from hub.contract import forms
from hub.contract.addresses import Flaw, FlawError
from hub.contract.forms import FilePath, Form, TimeOfDay, of
from hub.shared.settings import (
    Kinds,
    Mistake,
    Problem,
    SettingsError,
    noted_by,
    read,
    refuse,
    text_of,
    unnoted,
)


class Role(StrEnum):
    HELP = "help_button"
    CANCEL = "cancel_button"


class Contact(Struct, frozen=True):
    name: str
    role: Role
    pin: Annotated[int, Meta(ge=0, le=27)]


class Lamp(Struct, frozen=True):
    name: str
    red: int = 5
    kind: str = ""


class Broker(Struct, frozen=True, rename={"user": "user_name"}):
    hosts: Annotated[tuple[str, ...], Meta(min_length=1, max_length=3)]
    user: str | None = None
    port: Annotated[int, Meta(gt=0, lt=65536)] = 8883
    keepalive_s: float = 10.0
    tls: bool = True
    mode: Literal["5", "3.1.1"] = "5"


class Span(Struct, frozen=True):
    low: float
    high: float

    def __post_init__(self) -> None:
        if self.high < self.low:
            message = "high is below low"
            raise ValueError(message)


class Home(Struct, frozen=True):
    hub: Annotated[str, Meta(pattern="^[a-z]+$", max_length=8)]
    broker: Broker | None = None
    spans: list[Span] = field(default_factory=list)
    rooms: dict[str, Span] = field(default_factory=dict)
    limits: Annotated[dict[str, float], Meta(max_length=2)] = field(default_factory=dict)
    pair: tuple[float, float] = (0.0, 1.0)
    either: int | str = 0
    devices: tuple[Struct, ...] = ()


def find(kind: str) -> type[Struct] | None:
    shapes: dict[str, type[Struct]] = {"contact": Contact, "lamp": Lamp}
    return shapes.get(kind)


KINDS = {"devices": Kinds(find, ("contact", "lamp"))}

RIGHT = """\
hub = "aaa"
pair = [1, 2]
either = "x"

[broker]
hosts = ["one", "two"]
keepalive_s = 5
user_name = "u"

[[spans]]
low = 1
high = 2.5

[rooms]
kitchen = { low = 0, high = 1 }

[limits]
"heart rate" = 3

[[devices]]
kind = "contact"
name = "help"
role = "help_button"
pin = 17

[[devices]]
kind = "lamp"
name = "lamp"
"""


def home(text: str) -> Home:
    return read(text, "home.toml", Home, kinds=KINDS)


def mistakes(text: str) -> list[Mistake]:
    with pytest.raises(SettingsError) as caught:
        home(text)
    return list(caught.value.mistakes)


def only(text: str) -> Mistake:
    (mistake,) = mistakes(text)
    return mistake


def test_a_right_text_becomes_structs() -> None:
    assert home(RIGHT) == Home(
        hub="aaa",
        broker=Broker(hosts=("one", "two"), user="u", keepalive_s=5.0),
        spans=[Span(1.0, 2.5)],
        rooms={"kitchen": Span(0.0, 1.0)},
        limits={"heart rate": 3.0},
        pair=(1.0, 2.0),
        either="x",
        devices=(Contact("help", Role.HELP, 17), Lamp("lamp", kind="lamp")),
    )


def test_a_kind_may_also_fill_a_list() -> None:
    class Listed(Struct, frozen=True):
        devices: list[Struct]

    text = '[[devices]]\nkind = "lamp"\nname = "a"\n'
    assert read(text, "f", Listed, kinds=KINDS) == Listed([Lamp("a", kind="lamp")])


def test_all_mistakes_come_at_once_in_the_order_of_their_lines() -> None:
    text = RIGHT.replace("keepalive_s", "keep_alive_s").replace("17", '"17"').replace('"aaa"', "7")
    assert [(m.line, m.key, m.problem) for m in mistakes(text)] == [
        (1, "hub", Problem.WRONG_TYPE),
        (7, "broker.keep_alive_s", Problem.UNKNOWN_KEY),
        (24, "devices[1].pin", Problem.WRONG_TYPE),
    ]


def test_an_error_prints_each_mistake_with_file_line_and_key() -> None:
    with pytest.raises(SettingsError, match=r"^home\.toml:1: hub: wrong_type text$"):
        home("hub = 1")


@pytest.mark.parametrize(
    ("text", "line", "key", "problem", "allowed"),
    [
        ("", 1, "hub", Problem.MISSING_KEY, ()),
        ('hub = "A"', 1, "hub", Problem.PATTERN, ("^[a-z]+$",)),
        ('hub = "aaaaaaaaa"', 1, "hub", Problem.LENGTH, ("≤ 8",)),
        ('hub = "a"\n[broker]', 2, "broker.hosts", Problem.MISSING_KEY, ()),
        ('hub = "a"\n[broker]\nhosts = []', 3, "broker.hosts", Problem.LENGTH, ("≥ 1", "≤ 3")),
        ('hub = "a"\nlimits = {a=1,b=2,c=3}', 2, "limits", Problem.LENGTH, ("≤ 2",)),
        ('hub = "a"\nlimits.a = nan', 2, "limits.a", Problem.WRONG_TYPE, ("number",)),
        ('hub = "a"\nlimits.a = true', 2, "limits.a", Problem.WRONG_TYPE, ("number",)),
        ('hub = "a"\nspans = [\n 1]', 3, "spans[1]", Problem.WRONG_TYPE, ("table",)),
        ('hub = "a"\nspans = 1', 2, "spans", Problem.WRONG_TYPE, ("list",)),
        ('hub = "a"\nrooms = 1', 2, "rooms", Problem.WRONG_TYPE, ("table",)),
        ('hub = "a"\neither = 1.5', 2, "either", Problem.WRONG_TYPE, ("value",)),
        ('hub = "a"\npair = [1]', 2, "pair", Problem.LENGTH, ()),
        ('hub = "a"\nbroker = {hosts = ["a"], tls = 1}', 2, "broker.tls", Problem.WRONG_TYPE,
         ("switch",)),
        ('hub = "a"\nbroker = {hosts = ["a"], port = 0}', 2, "broker.port", Problem.BOUNDS,
         ("> 0", "< 65536")),
        ('hub = "a"\nbroker = {hosts = ["a"], mode = "4"}', 2, "broker.mode", Problem.CHOICE,
         ("5", "3.1.1")),
        (f'hub = "a"\nlimits.a = 1{"0" * 400}', 2, "limits.a", Problem.BOUNDS,
         ("≤ 9223372036854775807",)),
        ('hub = "a"\ndevices = [1]', 2, "devices[1]", Problem.WRONG_TYPE, ("table",)),
        ('hub = "a"\n[[devices]]', 2, "devices[1].kind", Problem.MISSING_KEY, ("contact", "lamp")),
        ('hub = "a"\n[[devices]]\nkind=1', 3, "devices[1].kind", Problem.UNKNOWN_KIND,
         ("contact", "lamp")),
        ('hub = "a"\n[[devices]]\nkind="contact"\nname="n"\npin=1', 2, "devices[1].role",
         Problem.MISSING_KEY, ("help_button", "cancel_button")),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place_and_what_is_allowed(
    text: str, line: int, key: str, problem: Problem, allowed: tuple[str, ...]
) -> None:
    assert only(text) == Mistake("home.toml", line, key, problem, allowed)


def test_a_word_close_to_an_allowed_one_is_guessed() -> None:
    assert only(RIGHT.replace('"lamp"\nname', '"lmap"\nname')).did_you_mean == "lamp"
    assert only(RIGHT.replace("help_button", "help_buton")).did_you_mean == "help_button"
    assert only(RIGHT.replace("either", "ether")).did_you_mean == "either"


def test_an_unknown_key_lists_the_keys_of_its_table() -> None:
    unknown = only(RIGHT.replace("high = 2.5", "high = 2.5\nwide = 1"))
    assert (unknown.line, unknown.key, unknown.allowed) == (13, "spans[1].wide", ("low", "high"))


def test_a_struct_may_refuse_what_its_types_allow() -> None:
    backwards = only(RIGHT.replace("high = 2.5", "high = 0.5"))
    assert (backwards.line, backwards.key) == (10, "spans[1]")
    assert (backwards.problem, backwards.detail) == (Problem.INVALID, "high is below low")


def test_two_devices_of_one_name_are_refused() -> None:
    twin = only(RIGHT.replace('name = "lamp"', 'name = "help"'))
    assert (twin.line, twin.key, twin.problem, twin.detail) == (
        28, "devices[2].name", Problem.DUPLICATE, "22",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nb = ", 2),
        ("a = 1\na = 2", 2),
        ("a = 1\nb = [1,\n2", 3),
        ("a = 1\nb = '\udcff'", 2),
        ("a = " + "[" * 5000, 1),
        ("a = 9" + "9" * 5000, 1),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, line: int) -> None:
    broken = only(text)
    assert (broken.problem, broken.line, broken.key) == (Problem.SYNTAX, line, "")


@given(st.text())
@example("a = 1979-05-27")
@example("[[devices]]\nkind = 1979-05-27")
def test_no_text_raises_anything_else(text: str) -> None:
    with pytest.raises(SettingsError):
        home(text)


VALUES = st.sampled_from(
    ["1", "-1.5", "nan", "true", '"a"', "'''b\nc'''", "[]", "[1, [2]]", "{}", "{a = 1}",
     "1979-05-27", "[{kind = 'lamp', name = 'x'}, {kind = 'contact'}]", "9" * 30]
)  # fmt: skip
KEYS = st.sampled_from(
    ["hub", "broker", "broker.hosts", "spans", "rooms", "rooms.a", "limits", "devices", '"x y"']
)
HEADS = st.sampled_from(["[broker]", "[[spans]]", "[rooms.b]", "[[devices]]", "[[devices.x]]"])
LINES = st.one_of(st.tuples(KEYS, VALUES).map(" = ".join), HEADS)


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_no_mixture_of_right_and_wrong_raises_anything_else(text: str) -> None:
    try:
        home(text)
    except SettingsError as error:
        found = error.mistakes
    else:
        return
    assert found


class Link(Struct, frozen=True):
    brokers: tuple[forms.Broker, ...] = ()
    at: TimeOfDay | None = None
    hub: Annotated[str, of(Form.NAME, "^[a-z]+$")] = "a"
    folder: FilePath = ""
    place: str = ""
    places: dict[str, str] = field(default_factory=dict)


def test_a_text_that_has_a_form_is_refused_with_its_flaw_and_never_with_a_pattern() -> None:
    text = """\
brokers = ["tls://127.0.0.1:8883", "tls://[backup.example]:8883"]
at = "9:00"
hub = "JS 0001"
folder = "state\\u0000"
"""
    with pytest.raises(SettingsError) as caught:
        read(text, "a.toml", Link)
    assert [(m.line, m.key, m.problem, m.allowed) for m in caught.value.mistakes] == [
        (1, "brokers[2]", Problem.FORM, (Flaw.BRACKETS,)),
        (2, "at", Problem.FORM, (Flaw.TIME,)),
        (3, "hub", Problem.FORM, (Flaw.NAME,)),
        (4, "folder", Problem.FORM, (Flaw.PATH,)),
    ]


class Supply(Struct, frozen=True):
    pin: int | None = None

    def __post_init__(self) -> None:
        if self.pin is None:
            raise FlawError(Flaw.NOTHING_KNOWN)


def test_what_is_wrong_with_a_whole_table_has_a_sentence_too() -> None:
    assert read("pin = 3", "a.toml", Supply).pin == 3
    with pytest.raises(SettingsError) as caught:
        read("", "a.toml", Supply)
    (mistake,) = caught.value.mistakes
    assert (mistake.problem, mistake.allowed) == (Problem.FORM, (Flaw.NOTHING_KNOWN,))


def test_a_file_of_korean_windows_is_read_and_somebody_is_told() -> None:
    text, told = 'place = "욕실"\n', list[Mistake]()
    for encoding in ("utf-8-sig", "utf-16", "utf-8"):
        assert read(text.encode(encoding), "a.toml", Link, noted=told.append).place == "욕실"
    assert not told
    assert read(text.encode("cp949"), "a.toml", Link, noted=told.append).place == "욕실"
    assert told == [Mistake("a.toml", 1, "", Problem.CODEPAGE, detail="CP949")]
    assert read(text.encode("cp949"), "a.toml", Link).place == "욕실"


def test_bytes_that_are_no_text_are_a_mistake_with_its_line() -> None:
    with pytest.raises(SettingsError) as caught:
        text_of(b"a = 1\n\xff", "a.toml", unnoted)
    assert caught.value.mistakes == (Mistake("a.toml", 2, "", Problem.ENCODING),)


def test_names_from_macos_are_composed_and_paths_are_left_as_they_are() -> None:
    apart = unicodedata.normalize("NFD", "욕실")
    link = read(f"place = '{apart}'\nfolder = '{apart}'\nplaces.'{apart}' = 'a'", "a.toml", Link)
    assert (link.place, link.folder, link.places) == ("욕실", apart, {"욕실": "a"})


def test_what_turns_out_wrong_later_is_named_by_its_line() -> None:
    text = "place = 'a'\n\n[center]\ndatabase = 'x'\n"
    (one,) = refuse(text, "a.toml", ("center", "database"), FlawError(Flaw.PATH)).mistakes
    assert one == Mistake("a.toml", 4, "center.database", Problem.FORM, (Flaw.PATH,))
    (other,) = refuse(text, "a.toml", ("place",), "no such thing").mistakes
    assert other == Mistake("a.toml", 1, "place", Problem.INVALID, detail="no such thing")


def test_a_command_tells_its_notes_to_whom_the_command_line_names() -> None:
    told = list[Mistake]()
    note = Mistake("a.toml", 1, "", Problem.CODEPAGE)
    noted_by(SimpleNamespace(noted=told.append))(note)
    noted_by(SimpleNamespace())(note)
    assert told == [note]
