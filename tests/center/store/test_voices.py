"""Whether a home has a voice: stored as its hub reports it, and shown to operators."""

import re
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from center.console import hubs
from center.domain import times
from center.service.texts import texts
from center.store.rows import hubs as hub_rows
from hub.contract.messages import Availability, FaultKind, VoiceCan, VoiceReport
from hub.shared.language import Language
from tests.center.e2e.office import Office
from tests.center.making import HUB, hear, state, stored

TALKING = VoiceReport(VoiceCan.TALKING, ("kokoro", "whisper"), spoken_sos=True)
HOMES = {can: f"js-000{number}" for number, can in enumerate(VoiceCan, start=1)}


def section(page: str) -> str:
    found: list[str] = re.findall(r'aria-labelledby="voice-title">.*?</section>', page, re.DOTALL)
    return found[0]


def test_what_the_hub_says_of_its_voice_is_kept_until_it_says_otherwise(tmp_path: Path) -> None:
    with stored(tmp_path) as store:

        def known() -> VoiceReport | None:
            return store.read(hub_rows.known)[0].voice

        hear(store, state())
        assert known() is None
        hear(store, replace(state(), voice=TALKING))
        assert known() == TALKING
        hear(store, state(Availability.LOST))  # the broker's word, which knows of no voice
        assert known() == TALKING
        hear(store, state())  # an older hub is there again
        assert known() is None


@pytest.mark.parametrize("lang", Language)
def test_each_state_has_its_words_in_both_languages(lang: Language) -> None:
    t = texts(lang)
    shown = [hubs.voice_able(VoiceReport(can), t) for can in VoiceCan]
    assert len({one.badge.text for one in shown}) == len({one.lead for one in shown}) == 6
    assert not any(one.settings for one in shown)


def test_how_it_is_set_is_shown_where_it_has_said_so() -> None:
    t = texts(Language.KOREAN)
    report = VoiceReport(VoiceCan.SPEAKING, ("espeak",), muted=True, tells_words=True)
    assert [badge.text for badge in hubs.voice_able(report, t).settings] == [
        "마이크를 꺼 두심", "말로 하는 도움 요청 꺼짐", "말씀을 글로 전하는 데 동의",
    ]  # fmt: skip
    assert hubs.voice_able(TALKING, t).settings == ()


@pytest.mark.parametrize("can", VoiceCan)
def test_a_home_shows_what_its_voice_can_do(
    office: Office, operator: httpx.Client, can: VoiceCan
) -> None:
    office.greet(HUB, voice=VoiceReport(can, ("espeak", "whisper"), spoken_sos=True))
    shown, t = section(operator.get(f"/homes/{HUB}").text), texts(Language.KOREAN)
    assert t(f"voice_can.{can}") in shown
    assert t(f"voice_lead.{can}") in shown
    assert "espeak, whisper" in shown
    assert "마지막으로 들은 상태" not in shown
    office.greet(HUB, Availability.LOST)
    assert "마지막으로 들은 상태" in section(operator.get(f"/homes/{HUB}").text)


def test_a_voice_that_talks_and_does_not_understand_is_in_trouble(
    office: Office, operator: httpx.Client
) -> None:
    office.greet(HUB, voice=TALKING)
    office.fault(HUB, FaultKind.NO_SPEECH, "voice")
    assert "음성 장치 이상" in section(operator.get(f"/homes/{HUB}").text)


def test_who_will_not_hear_an_announcement_is_shown_before_it_is_sent(
    office: Office, operator: httpx.Client
) -> None:
    for can, hub in HOMES.items():
        office.greet(hub, voice=VoiceReport(can))
    office.greet("js-0099")  # it does not say
    page = operator.get("/announcements/new").text
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    until = times.for_field(office.now() + 7200)
    form |= {"text": "물을 자주 드세요.", "whom": "all", "until": until}
    check = operator.post("/announcements/check", data=form).text
    lines = dict(re.findall(r'<a href="/homes/(js-\d+)">(.*?)</li>', check, re.DOTALL))
    for can, hub in HOMES.items():
        assert texts(Language.KOREAN)(f"voice_can.{can}") in lines[hub]
    assert "음성 장치 소식 없음" in lines["js-0099"]
    assert "음성 장치가 없거나 응답하지 않는 가정이 2곳" in check


def test_programs_read_it_too(office: Office, operator: httpx.Client) -> None:
    office.greet(HUB, voice=TALKING)
    office.greet("js-0002")
    found = {one["hub"]: one["voice"] for one in operator.get("/api/hubs").json()["hubs"]}
    assert found["js-0002"] is None
    assert (found[HUB]["can"], found[HUB]["spoken_sos"]) == ("talking", True)
