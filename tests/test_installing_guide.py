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


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("mains", ["20초", "배터리로 켜져 있습니다"]),
        (
            "resident",
            ["빨간 단추와 초록 단추를 이어서 누르시고", "답한 뒤에", "진짜 호출이 됩니다"],
        ),
    ],
)
def test_the_guide_and_the_page_ask_for_the_same(step: str, words: list[str]) -> None:
    told = re.split(r'<a id="step-\w+"></a>', GUIDE)[list(Step).index(Step.of(step)) + 1]
    plain = " ".join(told.replace("**", "").split())
    for word in words:
        assert word in plain
        assert word in KOREAN.sentences[f"install_do.{step}"]


@pytest.mark.parametrize(
    ("lang", "words"), [(Language.KOREAN, "상담원이 답한 뒤에"), (Language.ENGLISH, "has answered")]
)
def test_nobody_is_asked_to_call_while_a_test_waits_for_its_answer(
    lang: Language, words: str
) -> None:
    for key in ("install_do.resident", "install_part_do.spoken"):
        assert words in texts(lang).sentences[key]
