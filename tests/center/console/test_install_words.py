"""The steps of an installation in words: what to do, what was shown, what is left out and why."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from center.console.install import sheet, steps
from center.console.install.steps import PartView, StepView
from center.console.view import Viewer
from center.domain import installation
from center.domain.installation import Answer, Installation, Known, Report, State, Step
from center.domain.record import ConsentItem, Record
from center.service.texts import texts
from hub.contract.messages import FaultKind, InstallDevice, InstallReport
from hub.shared.language import Language
from tests.center.lives import RECORD
from tests.center.making import HUB, NOW

KOREAN = Viewer("이설치", NOW, texts(Language.KOREAN))
DEVICES = (
    InstallDevice("living", "motion", "거실", on=False, used_s=60.0, heard_s=1.0),
    InstallDevice("front", "exit_door", "현관문", heard_s=30.0),
    InstallDevice("bath", "motion", "욕실", faults=(FaultKind.SILENT.value,)),
    InstallDevice("cord", "pull_cord", "욕실", used_s=30.0),
    InstallDevice("pendant", "help_button", wireless=True, used_s=30.0, battery_pct=97.0),
)
SHOWN = InstallReport(
    NOW, synced=True, boot="b", devices=DEVICES, has=("radio",), way="wifi", network="우리집",
    signal_dbm=-61, ahead_s=0.1,
)  # fmt: skip


def begun(record: Record | None = RECORD) -> Installation:
    one = installation.begun(HUB, "이설치", NOW - 600)
    return installation.known(one, Known(record), NOW - 600)


def shown(**more: object) -> Installation:
    """An installation whose hub has shown itself for half a minute."""
    one = begun()
    for ago_s in range(30, -1, -5):
        report = replace(SHOWN, **({"utc": NOW - ago_s} | more))
        one = installation.shown(one, report, NOW - ago_s)
    return one


def view(one: Installation, step: Step, viewer: Viewer = KOREAN) -> StepView:
    return steps.steps(one, viewer)[list(Step).index(step)]


def part(one: StepView, name: str) -> PartView:
    return next(found for found in one.parts if found.name == name)


def test_each_sensor_says_what_to_do_until_it_was_seen_and_then_when() -> None:
    sensors = view(shown(), Step.SENSORS)
    living, front = part(sensors, "living"), part(sensors, "front")
    assert (living.title, living.do, living.done) == ("거실 · 움직임 센서", "", True)
    assert living.seen.endswith("감지됨")
    assert (front.title, front.do) == ("현관문 센서", "문을 열었다 닫아 보세요")
    assert not front.done
    assert front.seen == ""
    assert sensors.line == "4개 중 2개 확인됨"


def test_a_sensor_that_names_a_fault_says_what_to_look_at() -> None:
    bath = part(view(shown(), Step.SENSORS), "bath")
    assert "고장으로 보입니다" in bath.note
    assert texts(Language.KOREAN).word("fault", FaultKind.SILENT) in bath.note


def test_a_pendant_has_its_battery_and_no_room() -> None:
    pendant = part(view(shown(), Step.RADIO), "pendant")
    assert pendant.title == "무선 호출기"
    assert "배터리 97%" in pendant.seen


def test_what_the_home_does_not_have_is_left_out_with_its_reason() -> None:
    sound = view(shown(), Step.SOUND)
    assert sound.done
    assert sound.line == "해당 없음 · 이 댁에는 말하고 듣는 장치가 없습니다"
    assert view(shown(has=("radio", "voice")), Step.SOUND).line == "3개 중 0개 확인됨"


@pytest.mark.parametrize(
    ("way", "dbm", "words"),
    [
        ("ethernet", None, "랜선으로 연결됨"),
        ("wifi", -61, "와이파이 우리집 · -61 dBm (좋음)"),
        ("wifi", -71, "와이파이 우리집 · -71 dBm (보통)"),
        ("wifi", -80, "아직"),
        ("hotspot", None, "아직"),
    ],
)
def test_the_network_is_told_with_its_worst_signal(way: str, dbm: int | None, words: str) -> None:
    network = view(shown(way=way, signal_dbm=dbm), Step.NETWORK)
    assert network.line.startswith(words)
    weak = dbm is not None and dbm < -75
    assert network.again is (words != "아직" or weak)
    assert ("신호가 약합니다" in network.note) is weak


def test_a_home_of_which_the_record_lacks_something_says_whom_to_call() -> None:
    home = view(begun(replace(RECORD, contacts=(), address="")), Step.HOME)
    assert not home.done
    assert "주소, 연락할 분" in home.note
    assert "센터에 전화해" in home.note


def test_a_clock_that_is_wrong_says_by_how_much_and_what_to_wait_for() -> None:
    clock = view(shown(ahead_s=-7.0), Step.CLOCK)
    assert "7초 다릅니다" in clock.note
    assert "센터와 0.1초 차이" in view(shown(), Step.CLOCK).line


def test_a_consent_is_read_aloud_and_both_answers_stay_to_be_chosen() -> None:
    one = shown()
    asked = part(view(one, Step.CONSENTS), ConsentItem.VOICE)
    assert asked.question.endswith("괜찮으세요? 소리는 집 밖으로 나가지 않습니다.")
    assert "기록에는 동의하지 않으신 것으로" in asked.note
    assert not any(answer.chosen for answer in asked.answers), "it is to be asked again"
    told = installation.told(one, Step.CONSENTS, ConsentItem.VOICE, Answer.GIVEN, "이설치", NOW)
    assert isinstance(told, Installation)
    answered = part(view(told, Step.CONSENTS), ConsentItem.VOICE)
    assert [(a.value, a.chosen) for a in answered.answers] == [("given", True), ("refused", False)]
    assert answered.seen == "동의하심"


def test_only_the_first_step_that_waits_is_open_and_its_fold_is_another_one_then() -> None:
    before, after = steps.steps(begun(), KOREAN), steps.steps(shown(), KOREAN)
    assert [one.name for one in before if one.now] == ["identity"]
    assert [one.name for one in after if one.now] == ["sensors"]
    assert before[1].fold != after[1].fold, "a page that is open folds it and opens the next one"
    assert steps.progress(shown(), KOREAN).text == "12단계 중 7단계 끝남"
    assert steps.progress(shown(), KOREAN).next == "다음: 센서와 단추"


def test_nothing_but_the_residents_word_has_a_button() -> None:
    told = {one.name for one in steps.steps(shown(has=("voice",)), KOREAN) if has_answers(one)}
    assert told == {Step.CONSENTS, Step.ANSIM119}


def has_answers(one: StepView) -> bool:
    return bool(one.answers) or any(found.answers for found in one.parts)


# --- what is printed --------------------------------------------------------------------------


def reported(*without: str) -> Report:
    one = shown(has=("radio", "voice"))
    items = [
        replace(item, state=State.PROVEN, proven_utc=NOW)
        for item in one.items
        if item.evidence.what not in without
    ]
    one = replace(one, items=tuple(items))
    return Report(HUB, NOW - 600, "이설치", NOW, "이설치", one.standings)


def all_of(one: sheet.SheetView) -> str:
    def texts_of() -> Iterable[str]:
        yield from (one.name, one.ways, one.cancel, one.phone, one.foot)
        yield from (*one.who, *one.knows, *one.unknown)

    return "\n".join(texts_of())


def test_the_sheet_promises_only_what_this_home_has() -> None:
    full = sheet.sheet(reported(), RECORD, "033-560-0119", KOREAN.t)
    assert full.ways == "욕실 줄을 당기셔도, 호출기를 누르셔도, “도와 주세요” 하셔도 됩니다."
    assert "딸 한나래께" in all_of(full)
    assert "033-560-0119" in all_of(full)
    assert "오래 조용하시면" in all_of(full)
    assert full.cancel == "상담원에게 잘못 눌렀다고 하세요", "there is no green button"
    bare = sheet.sheet(reported("pull_cord", "motion"), Record(), "", KOREAN.t)
    assert "줄을 당기" not in all_of(bare)
    assert "오래 조용하시면" not in all_of(bare)


def test_the_report_says_for_each_step_what_has_shown_it() -> None:
    lines = sheet.report(reported(), KOREAN).lines
    assert [line.title for line in lines] == [KOREAN.t.word("install_step", step) for step in Step]
    (sensors,) = [line for line in lines if line.title == "센서와 단추"]
    assert any(text.startswith("거실 · 움직임 센서: ") for text in sensors.lines)
