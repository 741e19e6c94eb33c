"""A call for help that the voice heard: urgent as a press, told apart from it, maybe misheard."""

import re

import httpx
import pytest
from msgspec.structs import replace

from center.console.incident import reason, timeline
from center.console.view import Viewer, badges, title, urgent_first
from center.domain.incident import Incident, Outcome
from center.service.texts import texts
from center.store.rows import rates
from hub.contract.messages import WORDLESS, FaultKind
from hub.contract.scaip import Kind, What
from hub.shared.language import Language
from tests.center.e2e.office import Office
from tests.center.making import HUB, NOW, moved, raised
from voice.understanding import phrases
from voice.understanding.phrases import Intent

VIEWER = Viewer("김하늘", NOW, texts(Language.KOREAN))
SPOKEN: Incident = replace(raised(), kind=Kind.SPOKEN, device="voice", place="")


def test_it_waits_in_line_with_presses_and_before_what_can_wait() -> None:
    press = raised(NOW + 1)
    can_wait = moved(raised(NOW - 60), kind=Kind.MISSED_CHECKIN)
    assert sorted([press, can_wait, SPOKEN], key=urgent_first) == [SPOKEN, press, can_wait]


def test_it_is_told_apart_from_a_press_in_words() -> None:
    assert title(SPOKEN, VIEWER.t) == "말로 도움 요청"
    assert title(replace(SPOKEN, place="거실"), VIEWER.t) == "거실 · 말로 도움 요청"
    (badge,) = badges(replace(SPOKEN, presses=1, raised_utc=NOW), VIEWER.t)
    assert (badge.icon, badge.text) == ("voice", "버튼이 아닌 말로")
    twice = [badge.text for badge in badges(replace(SPOKEN, presses=2), VIEWER.t)]
    assert "2번 알림" in twice
    assert not any("눌" in text for text in twice)
    assert "눌" not in timeline.meanwhile(replace(SPOKEN, last_by=""), VIEWER.t)


def test_only_a_spoken_call_can_have_been_misheard() -> None:
    for kind in Kind:
        _, (_, false) = timeline.outcomes(kind, VIEWER.t)
        offered = [choice.value for choice in false]
        assert (Outcome.MISHEARD in offered) is (kind is Kind.SPOKEN)
    _, (_, false) = timeline.outcomes(Kind.SPOKEN, VIEWER.t)
    assert (false[0].value, false[0].needs_note) == (Outcome.MISHEARD, False)
    assert Outcome.MISHEARD.is_false_alarm


def test_board_and_incident_say_that_the_voice_heard_it(
    office: Office, operator: httpx.Client
) -> None:
    call = office.press(kind=Kind.SPOKEN, device="voice", place="")
    press = office.press("js-0002")
    board = operator.get("/").text
    assert "말로 도움 요청" in board
    assert board.count("버튼이 아닌 말로") == 1
    page = operator.get(f"/incidents/{call}").text
    assert "음성 장치가 도와 달라는 말을 들었고" in page
    assert "잘못 들음 · 텔레비전 소리" in page
    page = operator.get(f"/incidents/{press}").text
    assert "음성 장치가" not in page
    english = operator.get(f"/incidents/{call}?lang=en").text
    assert "The voice heard a call for help" in english
    assert "Misheard by the voice" in english


def test_board_and_incident_say_what_it_was_about(office: Office, operator: httpx.Client) -> None:
    call = office.press(kind=Kind.SPOKEN, device="voice", place="", about="gas")
    assert "음성 장치가 들음: 가스" in operator.get("/").text
    page = operator.get(f"/incidents/{call}").text
    assert "도와 달라는 말을 들었고(가스), 괜찮다는" in page
    english = operator.get(f"/incidents/{call}?lang=en").text
    assert "The voice heard a call for help (about: gas)" in english
    office.hear("js-0001", office.event("js-0001", call, what=What.REPEATED, kind=Kind.SPOKEN))
    assert "들었고(가스)" in operator.get(f"/incidents/{call}?lang=ko").text
    strange = office.press("js-0002", kind=Kind.SPOKEN, device="voice", about="moon")
    assert "들었고, 괜찮다는" in operator.get(f"/incidents/{strange}").text


def test_a_call_without_words_says_that_there_were_none(
    office: Office, operator: httpx.Client
) -> None:
    call = office.press(kind=Kind.SPOKEN, device="voice", place="", about=WORDLESS)
    assert "말이 아닌 소리로만 대답 · 괜찮다는 대답 없음" in operator.get("/").text
    page = operator.get(f"/incidents/{call}?lang=ko").text
    assert "신음이나 기침처럼 말이 아닌 소리로만 대답하셨고" in page
    assert "도와 달라는 말을 들었고" not in page
    assert "Answered without words" in operator.get(f"/incidents/{call}?lang=en").text


def test_that_there_was_no_word_takes_nothing_from_what_was_told_of(
    office: Office, operator: httpx.Client
) -> None:
    call = office.press(kind=Kind.SPOKEN, device="voice", place="", about="gas")
    again = office.event("js-0001", call, what=What.REPEATED, kind=Kind.SPOKEN, about=WORDLESS)
    office.hear("js-0001", again)
    assert "들었고(가스)" in operator.get(f"/incidents/{call}?lang=ko").text


def test_all_that_a_call_may_be_about_has_its_words() -> None:
    known = phrases.load()
    about = (Intent.HELP, Intent.UNWELL)  # what ails answers "do you need help?"
    calls = {one.entry.what for one in known.all if one.entry.intent in about}
    calls |= {what for intent in about for _, what in known.signs.all[intent]}
    for lang in Language:
        viewer = Viewer("김하늘", NOW, texts(lang))
        missing = {
            what for what in calls - {""} if not reason.told_of(replace(SPOKEN, about=what), viewer)
        }
        assert missing == set()


def test_a_misheard_call_is_a_false_alarm_of_the_voice(
    office: Office, operator: httpx.Client
) -> None:
    for outcome in (Outcome.MISHEARD, Outcome.HELP_GIVEN):
        call = office.press(kind=Kind.SPOKEN, device="voice", place="")
        office.take(call, "김하늘")
        office.close(call, "김하늘", outcome)
    found = office.store.read(rates.read, office.now(), 30)
    (sensor,) = found.sensors
    assert (sensor.hub, sensor.device, sensor.closed, sensor.false) == (HUB, "voice", 2, 1)
    assert sensor.causes == {Outcome.MISHEARD: 1}
    assert [(rule.kind, rule.share) for rule in found.rules] == [(Kind.SPOKEN, 0.5)]
    assert "잘못 들음" in operator.get("/false-alarms").text
    header, *lines = operator.get("/api/false-alarms.csv").text.splitlines()
    column = header.split(",").index("misheard")
    assert {line.split(",")[column] for line in lines} == {"1"}


def test_a_spoken_call_is_cancelled_and_called_again_like_any_other(
    office: Office, operator: httpx.Client
) -> None:
    call = office.press(kind=Kind.SPOKEN, device="voice", place="")
    office.hear(HUB, office.event(HUB, call, "", what=What.CANCELLED, kind=Kind.SPOKEN))
    assert "거주자가 취소함" in operator.get("/").text
    office.hear(HUB, office.event(HUB, call, "", what=What.REPEATED, kind=Kind.SPOKEN))
    board = operator.get("/").text
    assert "거주자가 취소함" not in board
    assert "2번 알림" in board


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (FaultKind.NO_MICROPHONE, "마이크 이상"),
        (FaultKind.NO_LOUDSPEAKER, "스피커 이상"),
        (FaultKind.NO_SPEECH, "말을 알아듣지 못함"),
        (FaultKind.MUTED, "마이크를 꺼 두심"),
        (FaultKind.DRIVER_FAILED, "장치 멈춤"),
    ],
)
def test_the_voices_faults_stand_on_the_pages_of_hubs_and_home(
    office: Office, operator: httpx.Client, kind: FaultKind, words: str
) -> None:
    office.greet(HUB)
    office.fault(HUB, kind, "voice")
    for path in ("/hubs", f"/homes/{HUB}"):
        assert words in operator.get(path).text
    voice = operator.get(f"/homes/{HUB}").text
    section = re.findall(r'aria-labelledby="voice-title">.*?</section>', voice, re.DOTALL)[0]
    assert words in section
    assert ("음성 장치 이상" in section) is (kind is not FaultKind.MUTED)
