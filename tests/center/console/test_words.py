"""The console's words, times and colours, without a server."""

import re
import string
from collections.abc import Iterable
from pathlib import Path

import pytest

from center.console.announcements.form import TEMPLATES as SENTENCES
from center.console.routes import STATIC
from center.domain import times
from center.domain.announcement import GAP, PASSING, TEXT_MAX, Fate, Whom
from center.domain.announcement import Why as Unsent
from center.domain.by_people import Why
from center.domain.hub import Seen
from center.domain.incident import Deed, Outcome, Urgency
from center.service.auth import Role
from center.service.texts import chosen, texts
from center.store.rows.voices import Sign
from hub.contract.messages import FaultKind
from hub.contract.scaip import Kind
from hub.shared.language import Language

TEMPLATES = sorted((STATIC.parent / "templates").rglob("*.*"))


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    korean, english = texts(Language.KOREAN).sentences, texts(Language.ENGLISH).sentences
    assert korean.keys() == english.keys()
    for key in korean:
        assert gaps(korean[key]) == gaps(english[key]), key
        assert korean[key], key


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("kind", Kind),
        ("deed", Deed),
        ("outcome", Outcome),
        ("seen", Seen),
        ("fault", FaultKind),
        ("urgency", Urgency),
        ("why", Why),
        ("role", Role),
        ("announce_fate", Fate),
        ("announce_why", Unsent),
        ("announce_reason", PASSING),
        ("announce", [f"whom_{whom}" for whom in Whom]),
        ("announce_name", SENTENCES),
        ("announce_text", SENTENCES),
        ("voice_here", Sign),
    ],
)
def test_every_value_that_can_be_shown_has_a_word(group: str, values: Iterable[str]) -> None:
    for value in values:
        assert f"{group}.{value}" in texts(Language.KOREAN).sentences


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("name", SENTENCES)
def test_a_template_has_one_gap_and_room_to_fill_it(lang: Language, name: str) -> None:
    text = texts(lang)(f"announce_text.{name}")
    assert text.count(GAP * 3) == 1
    assert len(text) < TEXT_MAX * 2 // 3


def test_whoever_changed_an_incident_last_is_told_in_a_sentence() -> None:
    deeds = list(Deed)
    for deed in deeds[: deeds.index(Deed.SIGNED_IN)]:
        assert f"last.{deed}" in texts(Language.ENGLISH).sentences


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_templates_hold_no_words_no_inline_script_and_no_inline_style(file: Path) -> None:
    page = file.read_text("utf-8")
    assert not re.search("[가-힣]", page)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|https?://(?!www\.w3\.org)", page)
    assert "|safe" not in page.replace(" ", "")
    for key in re.findall(r'\bt\("([^"]+)"\s*[,)]', page):
        assert key in texts(Language.KOREAN).sentences


def test_the_language_is_korean_unless_somebody_chose() -> None:
    assert chosen(None, None) is Language.KOREAN
    assert chosen(None, "en") is Language.ENGLISH
    assert chosen("ko", "en") is Language.KOREAN
    assert chosen("xx", "en") is Language.ENGLISH


def test_lengths_and_ages_are_written_as_people_read_them() -> None:
    assert [times.span(s) for s in (-3, 0, 59.9, 61, 3599, 3600)] == [
        "00:00",
        "00:00",
        "00:59",
        "01:01",
        "59:59",
        "1:00:00",
    ]
    assert [times.ago(s) for s in (-1, 59, 60, 7200, 90_000)] == [
        ("s", 0),
        ("s", 59),
        ("m", 1),
        ("h", 2),
        ("d", 1),
    ]


def test_times_of_day_are_koreas_and_nonsense_is_no_crash() -> None:
    assert times.in_full(0) == "1970-01-01 09:00:00"
    assert times.short(1.0, 0.0) == "09:00:01"
    assert times.short(-86_400, 0.0) == "12-31 09:00:00"
    for nonsense in (1e300, float("nan"), float("-inf")):
        assert times.in_full(nonsense) == "----"
        assert times.of_day(nonsense) == "--:--:--"
    assert times.day_start("1970-01-01") == -9 * 3600
    assert times.day_start("yesterday") is None


def test_no_two_style_sheets_speak_of_the_same_class() -> None:
    """A page loads them all: `.facts` of the installer's pages once moved those of each home."""
    owners: dict[str, set[str]] = {}
    for sheet in STATIC.glob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)
        plain = re.sub(r"@[^{}]*{(?:[^{}]*{[^{}]*})*\s*}", "", text)
        for selectors in re.findall(r"([^{}]+){", plain):
            for one in selectors.split(","):
                owners.setdefault(one.strip(), set()).add(sheet.name)
    assert {one: names for one, names in owners.items() if len(names) > 1} == {}


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "white"),
        ("ink", "ground"),
        ("ink-soft", "ground"),
        ("ink-faint", "white"),
        ("blue-strong", "white"),
        ("blue-strong", "ground"),
        ("blue-strong", "amber-pale"),
        ("blue-dark", "blue-pale"),
        ("white", "blue-strong"),
        ("white", "red"),
        ("white", "ink"),
        ("white", "ink-soft"),
        ("red", "red-pale"),
        ("red", "white"),
        ("green", "green-pale"),
        ("green", "white"),
        ("amber-ink", "amber-pale"),
        ("ink", "amber"),
    ],
)
def test_text_stands_out_as_wcag_aa_asks(text: str, ground: str) -> None:
    css = (STATIC / "base.css").read_text("utf-8")
    tokens = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css.replace("#fff;", "#ffffff;")))
    light, dark = sorted((luminance(tokens[text]), luminance(tokens[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(("lang", "unknown"), [("ko", "안내 버튼"), ("en", "info button")])
def test_nobody_is_sent_to_a_button_that_no_hub_has(lang: Language, unknown: str) -> None:
    """The digits are said again at the green button: `hub/core/inputs/setup.py`."""
    assert [one for one in texts(Language(lang)).sentences.values() if unknown in one] == []
