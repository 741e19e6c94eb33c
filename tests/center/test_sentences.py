"""The API's sentences: all there in both languages, and filled in alike."""

import re

import pytest

from center.api import json
from center.api.json import Bad
from center.domain.announcement import Why as Unsent
from center.domain.by_people import Why
from center.domain.incident import Deed
from center.service.auth import Denied, DeniedError
from center.service.texts import Lang
from tests.center.making import moved, raised

IN_TIMELINES = [deed for deed in Deed if deed not in list(Deed)[list(Deed).index(Deed.SIGNED_IN) :]]


@pytest.mark.parametrize("lang", Lang)
def test_every_reason_has_its_sentence(lang: Lang) -> None:
    held = json._sentences(lang)
    assert set(Why) <= set(held["why"])
    assert set(Denied) <= set(held["denied"])
    assert set(Bad) <= set(held["bad"])
    assert set(Unsent) <= set(held["why_not_sent"])
    assert {*IN_TIMELINES, "other"} == set(held["deed"])


def test_both_languages_have_the_same_keys_and_values() -> None:
    korean, english = (json._sentences(lang) for lang in (Lang.KO, Lang.EN))
    for table, held in english.items():
        assert set(held) == set(korean[table])
        for key, sentence in held.items():
            names = [
                sorted(re.findall(r"\{(\w+)\}", said)) for said in (sentence, korean[table][key])
            ]
            assert names[0] == names[1], (table, key)


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("deed", IN_TIMELINES)
def test_who_came_too_late_reads_who_did_what(lang: Lang, deed: Deed) -> None:
    by = "" if deed in {Deed.RAISED, Deed.EXPIRED} else "김하늘"
    said = json.refusal(lang, Why.STALE, moved(raised(), last_deed=deed, last_by=by))
    assert json.say(lang, "deed", deed) in said
    assert by in said
    assert "{" not in said


def test_a_wait_is_told_in_whole_seconds() -> None:
    said = json.denial(Lang.EN, DeniedError(Denied.TOO_MANY_TRIES, 1.2))
    assert "2 seconds" in said
