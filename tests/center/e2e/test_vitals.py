"""The pages of a home's readings in a real Chromium: pictures, table, form, both languages."""

import re

import pytest
from playwright.sync_api import expect

from center.service import vitals
from center.store.rows import vitals as rows
from hub.contract.messages import Reply, VitalKind, VitalLimits
from hub.contract.wire import Reason
from tests.center.bodies import pressure, reading, usual_quarters, write
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office

pytestmark = pytest.mark.browser
HUB = "js-0001"
HOME = f"/homes/{HUB}"
PAGES = (
    HOME, f"{HOME}/vitals?days=1", f"{HOME}/vitals?days=7", f"{HOME}/vitals?days=30",
    f"{HOME}/vitals?days=365", f"{HOME}/limits",
)  # fmt: skip


@pytest.fixture
def home(office: Office) -> Office:
    """A home with a month of readings."""
    write(office.store, utc=office.now())
    office.greet(HUB)
    now = office.now()
    months = list(usual_quarters(now, 96 * 30))
    office.store.submit(lambda conn: [rows.keep(conn, HUB, one, now) for one in months]).result()
    return office


def test_pictures_have_words_and_a_table_that_stays_open(home: Office, seat: Seat) -> None:
    page = seat.page("김하늘", f"{HOME}/vitals?days=1")
    pulse = page.get_by_role("img", name=re.compile(r"^맥박\. 평균 \d+, 가장 낮음 \d+"))
    expect(pulse).to_be_visible()
    page.get_by_text("표로 보기").click()
    table = page.get_by_role("region", name="표로 보기")
    expect(table.get_by_role("columnheader", name="혈압 (mmHg)")).to_be_visible()
    home.hear(HUB, pressure(home.now(), 147.0, 93.0))
    expect(page.locator("#live")).to_contain_text("147/93")  # an open page, live
    expect(table).to_be_visible()
    expect(table).to_contain_text("147/93")


def test_a_span_is_chosen_by_keyboard_and_a_year_stays_drawn(home: Office, seat: Seat) -> None:
    page = seat.page("김하늘", f"{HOME}/vitals")
    page.get_by_role("link", name="1년").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("days=365"))
    expect(page.locator("svg.chart.dense")).not_to_have_count(0)
    home.hear(HUB, reading(VitalKind.BATTERY, 9.0, home.now(), device="clip"))
    expect(page.locator("#side")).to_contain_text("배터리 부족")  # the live parts were fetched
    expect(page.locator("svg.chart.dense")).not_to_have_count(0)


def test_limits_are_set_by_keyboard_and_the_page_says_when_the_hub_has_them(
    home: Office, seat: Seat
) -> None:
    page = seat.page("김하늘", f"{HOME}/limits?lang=en")
    high = page.get_by_label("Pulse at rest above")
    high.fill("19")
    high.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("To put right: 1")
    expect(high).to_have_attribute("aria-invalid", "true")
    high.fill("115")
    page.get_by_label("Has a pacemaker").check()
    high.press("Enter")
    side = page.locator("#side")
    expect(side).to_contain_text("Not yet at the hub")
    expect(side).to_contain_text("115 /min")
    ((_, order),) = home.orders[-1:]
    assert order.limits == VitalLimits(high_rest_bpm=115.0, pacemaker=True)
    home.hear(HUB, Reply(order.id, done=True))
    expect(side).to_contain_text("In force at the hub")


def test_an_old_hub_is_told_of_on_the_page(home: Office, seat: Seat) -> None:
    home.act(vitals.set_limits(home.desk, HUB, VitalLimits(low_bpm=45.0), "박서준", None))
    page = seat.page("김하늘", f"{HOME}/vitals")
    expect(page.locator("#side")).to_contain_text("아직 허브에 전해지지 않음")
    home.hear(HUB, Reply(home.orders[-1][1].id, done=False, reason=Reason.UNKNOWN))
    expect(page.locator("#side")).to_contain_text("허브를 업데이트해 주세요")


@pytest.mark.usefixtures("home")
def test_the_page_is_read_without_scripts(seat: Seat) -> None:
    page = seat.page("김하늘", f"{HOME}/vitals?days=7", scripts=False)
    expect(page.locator("svg.chart").first).to_be_visible()
    expect(page.get_by_text("이 화면은 진단이 아니라")).to_be_visible()


@pytest.mark.parametrize("width", [820, 1280, 1920])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_no_page_is_wider_than_its_window(home: Office, seat: Seat, width: int, lang: str) -> None:
    home.hear(HUB, reading(VitalKind.TEMPERATURE, 36.6, home.now(), fresh=False))
    page = seat.page("김하늘", f"/?lang={lang}")
    page.set_viewport_size({"width": width, "height": 900})
    for path in PAGES:
        page.goto(home.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.usefixtures("home")
def test_on_a_phone_only_the_pictures_scroll(seat: Seat) -> None:
    page = seat.page("김하늘", f"{HOME}/vitals")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate(
        "[...document.querySelectorAll('main section')]"
        ".every((one) => one.getBoundingClientRect().right <= innerWidth)"
    )
