"""A resident's record: its bounds, its form, who changed which field, and who looked."""

import argparse
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from center import cli
from center.console.homes.record import record_of, typed_of
from center.domain.incident import Deed, Entry
from center.domain.record import (
    Consent,
    ConsentItem,
    Contact,
    Kept,
    NotKept,
    Record,
    WhyNotKept,
    age,
    changed,
)
from center.store.rows import audit, records
from center.store.store import Store
from hub.shared.language import Language
from hub.shared.messages import tell
from hub.shared.settings import SettingsError, read
from tests.center.lives import RECORD
from tests.center.making import HUB, NOW, hear, state, stored

WORDS = st.text("가나다 abc-1", max_size=20).map(str.strip)
PHONES = st.sampled_from(["", "010-0000-0101", "+82-10-0000-0101", "1234567"])
RECORDS = st.builds(
    Record,
    name=WORDS,
    birth_year=st.none() | st.integers(1890, 2100),
    phone=PHONES,
    address=WORDS,
    door_code=WORDS,
    illnesses=WORDS,
    contacts=st.lists(
        st.builds(Contact, name=WORDS, relation=WORDS, phone=PHONES).filter(
            lambda one: one != Contact()
        ),
        max_size=8,
    ).map(tuple),
    consents=st.lists(st.sampled_from(list(ConsentItem)), unique=True).map(
        lambda items: tuple(
            Consent(item, given=len(item) % 2 == 0, date="2026-03-02", version="2")
            for item in ConsentItem
            if item in items
        )
    ),
    registered_119=st.booleans(),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def put(store: Store, record: Record, version: int | None = None) -> Kept | NotKept:
    change = Entry(NOW, Deed.RECORD_CHANGED, version=0, by="김하늘")
    return store.submit(lambda conn: records.put(conn, HUB, record, change, version)).result(10)


@given(RECORDS)
def test_a_form_gives_back_the_record_that_it_was_made_of(record: Record) -> None:
    assert record_of(typed_of(record)) == (record, {})
    assert msgspec.convert(msgspec.to_builtins(record), Record) == record


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("birth_year", "41", "bad_birth_year"),
        ("birth_year", "1700", "bad_birth_year"),
        ("birth_year", "٢٠٢٦", "bad_birth_year"),
        ("phone", "call me", "bad_phone_sign"),
        ("phone", "1012345678", "bad_phone_zero"),
        ("phone", "12", "bad_phone_length"),
        ("contact-0-phone", "<script>", "bad_phone_sign"),
        ("consent-health-date", "2026-13-40", "bad_date"),
        ("name", "가" * 121, "bad_line"),
        ("illnesses", "가" * 2001, "bad_text"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(field: str, text: str, problem: str) -> None:
    _, problems = record_of({**typed_of(RECORD), field: text})
    assert problems == {field: problem}


def test_the_audit_names_what_was_changed_and_never_what_it_holds(store: Store) -> None:
    put(store, RECORD)
    after = replace(
        RECORD, door_code="9999*", consents=(Consent(ConsentItem.SHARE_119), *RECORD.consents[:3])
    )
    put(store, after)
    newest, first = store.read(audit.search)
    assert newest.entry.text == "door_code consent.share_119"
    assert (newest.entry.by, newest.entry.hub) == ("김하늘", HUB)
    for line in (newest, first):
        said = msgspec.json.encode(line).decode()
        for secret in ("9999*", "0000#", RECORD.name, RECORD.phone, RECORD.illnesses):
            assert secret not in said


def test_to_refuse_is_not_the_same_as_never_to_have_been_asked() -> None:
    refused = Record(consents=(Consent(ConsentItem.VOICE),))
    assert changed(Record(), refused) == ("consent.voice",)
    assert not refused.allows(ConsentItem.VOICE)
    assert not Record().allows(ConsentItem.VOICE)


def test_two_who_write_at_once_do_not_overwrite_each_other(store: Store) -> None:
    kept = put(store, RECORD, 0)
    assert isinstance(kept, Kept)
    late = put(store, replace(RECORD, phone="010-0000-0999"), 0)
    assert isinstance(late, NotKept)
    assert (late.why, late.kept.version, late.kept.changed_by) == (WhyNotKept.STALE, 1, "김하늘")
    assert store.read(records.find, HUB) == kept


def test_to_save_what_is_there_already_writes_nothing(store: Store) -> None:
    put(store, RECORD)
    put(store, RECORD)
    kept = store.read(records.find, HUB)
    assert kept
    assert (kept.version, len(store.read(audit.search))) == (1, 1)


def test_a_home_is_known_by_its_hub_or_by_its_record(store: Store) -> None:
    assert store.read(records.find, HUB) is None
    hear(store, state())
    assert store.read(records.find, HUB) == Kept(HUB)
    assert store.read(records.names) == {}
    put(store, RECORD)
    assert store.read(records.names) == {HUB: RECORD.name}


def test_years_are_counted_only_where_the_birth_is_known() -> None:
    assert age(RECORD, 2026) == 85
    assert age(Record(), 2026) is None
    assert age(Record(birth_year=2030), 2026) is None


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.run(parser.parse_args(words))


def test_a_form_keeps_phone_numbers_and_names_in_one_form() -> None:
    apart = unicodedata.normalize("NFD", "한가온")
    typed = {"name": apart, "phone": "(033) 560-1234", "contact-0-phone": "010 0000 0102"}
    record, problems = record_of(typed)
    assert (record.name, record.phone, problems) == ("한가온", "033-560-1234", {})
    assert record.contacts == (Contact(phone="010-0000-0102"),)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_record_that_korean_windows_has_saved_is_read(tmp_path: Path, encoding: str) -> None:
    config, file = tmp_path / "center.toml", tmp_path / "record.toml"
    config.write_text('[center]\ndatabase = "center.db"\n', encoding)
    file.write_text('name = "한가온"\nphone = "(033) 560-1234"\n', encoding)
    assert run("home", "set", HUB, "--config", str(config), "--file", str(file)) == 0
    with stored(tmp_path) as store:
        kept = store.read(records.find, HUB)
        assert kept
        assert (kept.record.name, kept.record.phone) == ("한가온", "033-560-1234")


def test_a_number_that_lost_its_zero_is_refused_with_a_sentence(tmp_path: Path) -> None:
    config, file = tmp_path / "center.toml", tmp_path / "record.toml"
    config.write_text('[center]\ndatabase = "center.db"\n', "utf-8")
    file.write_text('[[contacts]]\nname = "한나래"\nphone = "1012345678"\n', "utf-8")
    with pytest.raises(SettingsError) as wrong:
        run("home", "set", HUB, "--config", str(config), "--file", str(file))
    (mistake,) = wrong.value.mistakes
    assert (mistake.line, mistake.key) == (3, "contacts[1].phone")
    for language, zero in ((Language.KOREAN, "0이 빠지지"), (Language.ENGLISH, "lost the zero")):
        said = tell(mistake, language)
        assert zero in said
        assert "[0-9]" not in said


def test_the_example_is_a_record() -> None:
    file = Path(__file__).parents[3] / "docs" / "examples" / "record.toml"
    example = read(file.read_text("utf-8"), file.name, Record)
    assert replace(example, consents=RECORD.consents) == RECORD
    # it is the demo's resident, too, who wears a band and has a phone: their pages show something
    shown = {ConsentItem.VITALS, ConsentItem.PHONE}
    assert {*RECORD.consents} | {example.consent(item) for item in shown} == {*example.consents}
    assert all(example.allows(item) for item in shown)


def test_a_record_comes_from_a_file(tmp_path: Path) -> None:
    config, file = tmp_path / "center.toml", tmp_path / "record.toml"
    config.write_text('[center]\ndatabase = "center.db"\n', "utf-8")
    file.write_text('name = "한가온"\n[[contacts]]\nname = "한나래"\nphone = "010-0000-0102"\n')
    assert run("home", "set", HUB, "--config", str(config), "--file", str(file)) == 0
    with stored(tmp_path) as store:
        kept = store.read(records.find, HUB)
        assert kept
        assert kept.record.contacts == (Contact("한나래", "", "010-0000-0102"),)
    file.write_text('nmae = "한가온"\nbirth_year = 3\n')
    with pytest.raises(SettingsError) as wrong:
        run("home", "set", HUB, "--config", str(config), "--file", str(file))
    assert len(wrong.value.mistakes) == 2
    assert run("home", "set", HUB, "--config", str(config), "--file", "no such file") == 2
