"""The API's sentences exist in both languages and have the same fields."""

import re
from enum import StrEnum

import pytest

from center.api import json
from center.api.json import Bad
from center.domain.announcement import Why as Unsent
from center.domain.by_people import Why
from center.domain.incident import Deed
from center.domain.installation import WhyNot as Uninstalled
from center.domain.lease import WhyNot as Unleased
from center.domain.need import WhyNot
from center.domain.record import WhyNotKept
from center.service.auth import Denied, DeniedError
from center.service.refusals import RefusalError
from hub.shared.language import Language
from hub.shared.messages import messages
from tests.center.making import moved, raised

IN_TIMELINES = [deed for deed in Deed if deed not in list(Deed)[list(Deed).index(Deed.SIGNED_IN) :]]


@pytest.mark.parametrize("lang", Language)
def test_every_reason_has_its_sentence(lang: Language) -> None:
    held = messages("center", lang, "api")
    assert set(Why) <= set(held["why"])
    assert set(Denied) <= set(held["denied"])
    assert set(Bad) <= set(held["bad"])
    assert set(Unsent) <= set(held["why_not_sent"])
    assert {*IN_TIMELINES, "other"} == set(held["deed"])


def test_both_languages_have_the_same_keys_and_values() -> None:
    korean, english = (messages("center", lang, "api") for lang in Language)
    for table, held in english.items():
        assert set(held) == set(korean[table])
        for key, sentence in held.items():
            names = [
                sorted(re.findall(r"\{(\w+)\}", said)) for said in (sentence, korean[table][key])
            ]
            assert names[0] == names[1], (table, key)


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize("deed", IN_TIMELINES)
def test_who_came_too_late_reads_who_did_what(lang: Language, deed: Deed) -> None:
    by = "" if deed in {Deed.RAISED, Deed.EXPIRED} else "김하늘"
    said = json.refusal(lang, Why.STALE, moved(raised(), last_deed=deed, last_by=by))
    assert json.say(lang, "deed", deed) in said
    assert by in said
    assert "{" not in said


def test_a_wait_is_told_in_whole_seconds() -> None:
    said = json.denial(Language.ENGLISH, DeniedError(Denied.TOO_MANY_TRIES, 1.2))
    assert "2 seconds" in said


@pytest.mark.parametrize(
    ("reasons", "statuses"),
    [
        (
            Why,
            dict.fromkeys(("stale", "is_closed", "not_closed", "no_test"), 409)
            | {"not_found": 404},
        ),
        (WhyNot, {"not_found": 404, "stale": 409, "is_done": 409}),
        (WhyNotKept, {"stale": 409, "no_home": 404}),
        (Unsent, {"not_found": 404, "changed": 409, "twice": 409}),
        (Bad, {"no_home": 404, "no_claim": 404}),
        (Unleased, {"no_link": 409, "has_one": 409, "not_yours": 403}),
        (
            Uninstalled,
            dict.fromkeys(("no_link", "hub_shows_it", "not_proven", "finished"), 409)
            | {"not_yours": 403, "not_begun": 404, "no_such_item": 404},
        ),
        (
            Denied,
            {
                "not_signed_in": 401,
                "wrong_password": 401,
                "too_many_tries": 429,
                "no_csrf": 403,
                "not_allowed": 403,
            },
        ),
    ],
)
def test_each_reason_has_the_status_that_programs_know(
    reasons: type[StrEnum], statuses: dict[str, int]
) -> None:
    found = {why.value: RefusalError(why).status for why in reasons}
    assert found == {why.value: statuses.get(why.value, 400) for why in reasons}
