"""Faults on the board in a real browser: one row, one soft tone, taken and dealt with."""

import re
from functools import partial

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from center.domain.incident import Deed, Entry
from center.domain.record import Record
from center.service import rounds
from center.service.intake import Received, store_message
from center.store.rows import records
from hub.contract import wire
from hub.contract.messages import Availability, FaultKind, FaultReport, HubState, Trigger
from hub.contract.scaip import Kind
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office

pytestmark = pytest.mark.browser

TOWN = "강원특별자치도 정선군 정선읍"
HUBS = [f"js-{number:04}" for number in range(1, 61)]
TRIGGERS = (Trigger("help", Kind.HELP_BUTTON, "거실"),)
TONES = """
window.tones = [];
const real = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) {
  window.tones.push(this.frequency.value);
  return real.apply(this, at);
};
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "HUBS_S", 0.1)


@pytest.fixture
def valley(office: Office) -> Office:
    """Sixty homes of one town, and one whose record nobody wrote."""
    change = Entry(office.now(), Deed.RECORD_CHANGED, version=0, by="이정민")
    for number, hub in enumerate(HUBS):
        address = f"{TOWN} 봉양길 {number}"
        record = Record(name=f"한가온 {number}", phone="010-0000-0101", address=address)
        office.store.submit(partial(records.put, hub=hub, record=record, change=change))
        ready(office, hub)
    ready(office, "js-0999")
    return office


def ready(office: Office, hub: str, how: Availability = Availability.READY) -> None:
    office.hear(hub, said(how, office.now()))


def said(how: Availability, utc: float) -> HubState:
    state = HubState(how, utc, synced=True, boot="b", software="1", interval_s=30.0)
    return replace(state, triggers=TRIGGERS)


def cut(office: Office, *hubs: str) -> None:
    """Make the hubs of some homes lose contact for six minutes; the others go on reporting."""
    for hub in hubs:
        ready(office, hub, Availability.LOST)
    later = office.now() + 360
    for hub in {*HUBS, "js-0999"} - {*hubs}:  # heard before the clock is moved: a round may look
        state = said(Availability.READY, later)
        received = Received(hub, state, wire.encode(state).decode(), retained=False, utc=later)
        office.store.submit(partial(store_message, received=received)).result()
    office.ahead_s += 360


def test_a_valley_without_power_is_one_row_and_is_dealt_with_by_one_person(
    valley: Office, seat: Seat
) -> None:
    page = seat.page("김하늘")
    page.add_init_script(TONES)
    page.reload()
    page.mouse.click(5, 5)  # browsers give sound only after a click
    expect(page.locator("#sound")).to_have_attribute("data-sound", "ready")
    cut(valley, *HUBS[:50])
    row = page.locator("li.equipment")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("허브 연결 끊김")
    expect(row).to_contain_text("50가구")
    expect(row).to_contain_text(TOWN)
    expect(page.locator("#to-tasks")).to_contain_text("장비 할 일 1건")
    expect(page.locator("#say")).to_contain_text("장비 할 일 1건, 50가구")
    page.wait_for_function("window.tones.length > 0")
    assert page.evaluate("window.tones") == [523]  # soft, once, and not the tone of a call
    assert page.locator("#sound").get_attribute("data-sound") == "ready"

    row.get_by_role("button", name="맡기").click()
    expect(row).to_contain_text("김하늘 상담원이 맡음")
    row.get_by_role("link", name=TOWN).click()
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_label("메모").fill("한전에 물어봄: 8시 복구 예정")
    page.get_by_role("button", name="메모 남기기").click()
    expect(page.get_by_role("region", name="처리 내역")).to_contain_text("8시 복구 예정")
    for hub in HUBS:
        ready(valley, hub)
    expect(page.locator("ul.card.lines")).to_contain_text("저절로 해결되었습니다")
    page.goto(valley.url)
    expect(page.get_by_role("heading", name="상황판")).to_be_attached()
    expect(page.locator("li.equipment")).to_have_count(0)
    page.goto(valley.url + "/tasks")
    expect(page.get_by_role("region", name="지난 30일에 끝난 일")).to_contain_text("50가구")


def test_a_call_stands_above_and_its_key_takes_no_task(valley: Office, seat: Seat) -> None:
    cut(valley, *HUBS[:3])
    page = seat.page("김하늘")
    expect(page.locator("li.equipment")).to_have_count(1)
    call = valley.press("js-0999")
    expect(page.locator("article.call")).to_be_visible()
    calls, tasks = page.locator("article.call"), page.locator("li.equipment")
    above, below = calls.bounding_box(), tasks.bounding_box()
    assert above
    assert below
    assert above["y"] < below["y"]
    page.keyboard.press("t")
    expect(page).to_have_url(re.compile(f"/incidents/{call}$"))


def test_a_stuck_button_is_told_in_both_languages(valley: Office, seat: Seat) -> None:
    report = FaultReport(
        "help:stuck", FaultKind.STUCK, "help", valley.now(), synced=True, detail="held_or_cut"
    )
    valley.hear("js-0999", report)
    valley.ahead_s += 90
    page = seat.page("김하늘")
    row = page.locator("li.equipment")
    expect(row).to_contain_text("호출 장치 이상")
    row.get_by_role("link", name="js-0999").click()
    expect(page.locator("tbody")).to_contain_text("선이 끊어짐")
    page.get_by_role("link", name="English").click()
    expect(page.locator("tbody")).to_contain_text("Button held down, or its wire is cut")
    page.goto(valley.url + "/homes/js-0999?lang=ko")
    expect(page.locator("li.equipment")).to_contain_text("호출 장치 이상")
    call = valley.press("js-0999", device="help")
    page.goto(f"{valley.url}/incidents/{call}")
    expect(page.locator("#stuck")).to_contain_text("선이 끊어져")


def test_a_test_press_is_told_of_and_comes_in_without_ringing(valley: Office, seat: Seat) -> None:
    page = seat.page("김하늘", f"/homes/{HUBS[0]}")
    page.get_by_role("button", name="시험 누름 예고").first.click()
    expect(page.get_by_text("김하늘 상담원이 예고함")).to_be_visible()
    valley.press(HUBS[0])
    expect(page.get_by_text("지금 할 일이 없습니다.")).to_be_visible()
    page.goto(valley.url)
    mine = page.get_by_role("region", name="내가 맡음")
    expect(mine).to_contain_text("도움 버튼")
    expect(page.locator("article.call")).to_have_count(0)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [683, 820, 1280, 1920])
def test_no_page_of_equipment_is_wider_than_its_window(
    valley: Office, seat: Seat, width: int, lang: str
) -> None:
    cut(valley, *HUBS[:50])
    page = seat.page("김하늘", f"/?lang={lang}")
    page.set_viewport_size({"width": width, "height": 900})
    expect(page.locator("li.equipment")).to_have_count(1)
    for path in ("", page.locator("li.equipment a").first.get_attribute("href") or "", "/tasks"):
        page.goto(valley.url + path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
