"""Smoke, gas and water, and a pendant's call: told apart from others, and never taken for less."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from center.console.incident import timeline
from center.console.incident.reason import brief, reason
from center.console.view import Viewer, badges, title, urgent_first
from center.domain.equipment import Grace, Known, Look, failing, named
from center.domain.hub import Fault, Hub
from center.domain.incident import Deed, Incident, Outcome
from center.domain.need import NeedKind
from center.service.texts import texts
from center.store.rows import incidents, needs
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract.messages import COUNTER_RESTARTED, Availability, CheckInResult, FaultKind, Trigger
from hub.contract.scaip import DETECTED, HAZARDS, Kind, What
from hub.shared.language import Language
from tests.center.console.test_home_pages import SHEET, write
from tests.center.e2e.office import Office
from tests.center.lives import RECORD, check_in
from tests.center.making import HUB, NOW, event, hear, moved, raised, stored

VIEWERS = [Viewer("김하늘", NOW, texts(language)) for language in Language]
VIEWER = VIEWERS[0]
SMOKE: Incident = replace(raised(), kind=Kind.SMOKE, device="smoke", place="부엌")


def test_fire_comes_first_and_water_can_wait() -> None:
    press, older = raised(NOW + 1), raised(NOW - 500)
    water = moved(raised(NOW - 900), kind=Kind.WATER)
    line = sorted([older, water, press, SMOKE], key=urgent_first)
    assert line == [SMOKE, older, press, water]


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("kind", sorted(DETECTED))
def test_what_was_detected_is_said_with_its_place_and_what_to_do(
    kind: Kind, viewer: Viewer
) -> None:
    one = replace(SMOKE, kind=kind)
    why = reason(one, {}, viewer)
    assert why
    assert why.seen
    assert brief(one, viewer)
    assert {one.is_automatic, one.is_pressed, one.is_quiet} == {False}
    assert title(one, viewer.t).startswith("부엌 · ")
    assert "{" not in "".join((why.seen, brief(one, viewer), title(one, viewer.t)))
    over = reason(replace(one, cleared_utc=NOW), {}, viewer)
    assert over
    assert over.cleared
    assert "움직임" not in over.cleared


def test_a_detector_that_rests_shows_no_movement() -> None:
    rests = replace(SMOKE, cleared_utc=NOW)
    shown = [(badge.tone, badge.text) for badge in badges(rests, VIEWER.t)]
    assert ("plain", "더는 감지되지 않음") in shown
    assert ("bad", "화재·가스 위험 · 119") in shown
    assert not any("움직임" in text for _, text in shown)
    water = [badge.icon for badge in badges(replace(SMOKE, kind=Kind.WATER), VIEWER.t)]
    assert "flame" not in water


def test_only_what_was_detected_is_made_safe_or_was_cooking() -> None:
    for kind in Kind:
        (_, real), (_, false) = timeline.outcomes(kind, VIEWER.t)
        assert (Outcome.MADE_SAFE in [c.value for c in real]) is (kind in DETECTED)
        assert (Outcome.COOKING in [c.value for c in false]) is (kind in HAZARDS)
        assert [c.value for c in real].count(Outcome.EMERGENCY_119) == 1
    assert Outcome.COOKING.is_false_alarm
    assert not Outcome.MADE_SAFE.is_false_alarm


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as made:
        yield made


def detected(store: Store, what: What, utc: float, kind: Kind = Kind.SMOKE) -> None:
    said = event(what, "s-1")
    hear(store, replace(said, data=replace(said.data, kind=kind, device="smoke")), utc=utc)


def test_the_end_of_smoke_is_no_sign_of_life(store: Store) -> None:
    hear(store, check_in(CheckInResult.MISSED), utc=NOW)
    detected(store, What.RAISED, NOW + 1)
    detected(store, What.CLEARED, NOW + 60)
    (task,) = store.read(needs.still_open)
    assert task.need.eased_utc is None
    (one,) = store.read(incidents.incidents, Which.OPEN)
    assert (one.cleared_utc, one.last_deed) == (NOW + 60, Deed.ALL_CLEAR)
    lines = store.read(_lines, one.id)
    assert Deed.ALL_CLEAR.value in lines


def _lines(conn: Connection, ident: str) -> list[str]:
    case = incidents.case(conn, ident, 50, None)
    assert case
    return [line.deed.value for line in case.timeline]


def test_the_board_and_the_sheet_for_119_begin_with_the_fire(
    office: Office, operator: httpx.Client
) -> None:
    write(office)
    office.press(HUB, kind=Kind.QUIET, device="hall", place="복도")
    call = office.press(HUB, kind=Kind.SMOKE, device="smoke", place="부엌")
    board = operator.get("/").text
    assert board.index("부엌 · 연기 감지") < board.index("오래 움직임 없음")
    assert "119 신고 대상" in operator.get(f"/incidents/{call}").text + board
    sheet = operator.get(SHEET).text
    fire = "화재: 연기 감지기가 울렸습니다. 소방차를 요청하세요. 감지된 곳: 부엌"
    assert sheet.count(fire) == 1
    assert sheet.index(fire) < sheet.index(RECORD.address)
    assert "Fire: a smoke detector has gone off." in operator.get(f"{SHEET}?lang=en").text


def test_a_sheet_without_a_fire_speaks_of_none(office: Office, operator: httpx.Client) -> None:
    write(office)
    office.press(HUB, kind=Kind.WATER, device="sink", place="싱크대")
    assert "소방차" not in operator.get(SHEET).text


def hub(*triggers: Trigger, faults: tuple[Fault, ...] = ()) -> Hub:
    return Hub(
        HUB, Availability.READY, NOW + 100_000, "b", "1", 30.0, synced=True, triggers=triggers,
        faults=faults,
    )  # fmt: skip


PENDANT, HELP = Trigger("pendant", "pendant", "목걸이"), Trigger("help", "help_button")


@pytest.mark.parametrize(
    ("kind", "device", "triggers", "urgent"),
    [
        (FaultKind.NO_RADIO, "radio", (HELP, PENDANT), True),
        (FaultKind.NO_ADAPTER, "radio", (PENDANT,), True),
        (FaultKind.SCAN_FAILED, "radio", (HELP,), False),  # only sensors and a band suffer
        (FaultKind.NO_RADIO, "hub", (PENDANT,), True),
        (FaultKind.ACTIVE_SCAN, "radio", (PENDANT,), False),
        (FaultKind.REPLAYED, "pendant", (PENDANT,), True),
        (FaultKind.DEVICE_LIST, "hub", (HELP,), True),  # perhaps a pendant stands in it
    ],
)
def test_a_radio_that_hears_no_pendant_cannot_wait(
    kind: FaultKind,
    device: str,
    triggers: tuple[Trigger, ...],
    urgent: bool,  # noqa: FBT001 - a table
) -> None:
    fault = Fault(f"{device}:{kind}", kind, device, 0.0, synced=True, detail="", stored_utc=NOW)
    look = Look(NOW + 86_400.0, NOW, Grace(300.0, 60.0, 86_400.0, 1e9))
    (part,) = failing(hub(*triggers, faults=(fault,)), Known(), look)
    assert part.kind is (NeedKind.TRIGGER_FAULT if urgent else NeedKind.DEVICE_FAULT)


def test_a_pendant_is_to_be_tried_once_a_month_as_the_button_is() -> None:
    assert named(hub(HELP, PENDANT)) == ("help", "pendant")


def test_a_counter_that_began_anew_is_shown_and_explained(
    office: Office, operator: httpx.Client
) -> None:
    call = office.press(kind=Kind.PENDANT, device="pendant", about=COUNTER_RESTARTED)
    usual = office.press("js-0002", kind=Kind.PENDANT, device="pendant")
    board = operator.get("/").text
    assert board.count("신호 번호가 처음부터 다시 시작됨") == 1
    assert "거실 · 호출기" in board
    page = operator.get(f"/incidents/{call}").text
    assert "보통은 건전지를 갈았을 때" in page
    assert "녹음해 둔 예전 신호" in page, "or a trick, and whom to tell"
    assert "건전지를 갈았을 때" not in operator.get(f"/incidents/{usual}").text
    assert "after a new battery" in operator.get(f"/incidents/{call}?lang=en").text


@pytest.mark.parametrize("language", Language)
def test_every_kind_and_every_fault_has_its_words(language: Language) -> None:
    t = texts(language)
    for table, some in (("kind", Kind), ("fault", FaultKind), ("outcome", Outcome), ("deed", Deed)):
        for one in some:
            assert f"{table}.{one}" in t.sentences, f"{table}.{one}"
