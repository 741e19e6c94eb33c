"""The installer's guide, the steps and the pages speak of the same things in the same words."""

import re
from pathlib import Path

import pytest

from center.domain.installation import Answer, Part, State, Step, Why, WhyNot
from center.domain.record import ConsentItem
from center.service.texts import texts
from hub.core.model.rules import Role, Sense
from hub.shared.language import Language
from hub.shared.messages import messages

REPO = Path(__file__).resolve().parent.parent
GUIDE = (REPO / "docs" / "installing.ko.md").read_text("utf-8")
KOREAN = texts(Language.KOREAN)


def known_words() -> set[str]:
    form = messages("provisioning", Language.KOREAN, "network")["form"]
    assert isinstance(form, dict)
    return {*KOREAN.sentences.values(), *map(str, form.values())} | {"English"}


def test_the_guide_has_the_steps_in_their_order() -> None:
    assert re.findall(r'<a id="step-(\w+)"></a>', GUIDE) == [step.value for step in Step]
    headings = re.findall(r'<a id="step-\w+"></a>\n### (\d+)\. (.+)', GUIDE)
    assert headings == [
        (str(n), KOREAN.word("install_step", step)) for n, step in enumerate(Step, 1)
    ]


def test_each_button_that_the_guide_names_is_on_a_page() -> None:
    named = re.findall("「([^」]+)」", GUIDE)
    assert len(named) > 20
    assert sorted(set(named) - known_words() - {""}) == []


def test_each_link_and_picture_of_the_guide_is_there() -> None:
    anchors = set(re.findall(r'<a id="([\w-]+)"></a>', GUIDE))
    assert set(re.findall(r"\]\(#([\w-]+)\)", GUIDE)) <= anchors
    for file in re.findall(r"\]\((images/[^)]+)\)", GUIDE):
        picture = REPO / "docs" / file
        assert picture.is_file(), file
        assert picture.stat().st_size < 100_000, file


@pytest.mark.parametrize("lang", Language)
@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("install_step", list(Step)),
        ("install_do", list(Step)),
        ("install_why", list(Why)),
        ("install_refused", list(WhyNot)),
        ("install", list(State)),
        ("install_part", [part for part in Part if part]),
        ("install_part_do", [part for part in Part if part]),
        ("install_item", [one for one in (*Sense, *Role) if one not in {"mains", "battery"}]),
        ("install_kind", [one for one in (*Sense, *Role) if one not in {"mains", "battery"}]),
        ("install_consent", list(ConsentItem)),
        ("install_before", [Answer.GIVEN, Answer.REFUSED]),
        ("install_answer", [Answer.GIVEN, Answer.REFUSED]),
        ("install_ansim", [Answer.REGISTERED, Answer.REFUSED, Answer.NOT_AVAILABLE]),
    ],
)
def test_everything_that_an_installer_may_see_has_a_word(
    lang: Language, group: str, values: list[str]
) -> None:
    known = texts(lang).sentences
    assert [value for value in values if f"{group}.{value}" not in known] == []
