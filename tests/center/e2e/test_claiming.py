"""An installer's telephone: digits are typed in groups, the page turns when the hub has fetched."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Page, expect

from center.domain.incident import Deed, Entry
from center.domain.record import Record
from center.service import enrolment
from center.service.auth import Role
from center.store.rows import records
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office
from tests.center.est import request, settings

pytestmark = pytest.mark.browser
HUB = "js-0417"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}", authority=settings(tmp_path)) as office:
        office.hire("이설치", Role.INSTALLER)
        office.hire("김하늘")
        change = Entry(office.now(), Deed.RECORD_CHANGED, version=0)
        record = Record(name="한가온")
        office.store.submit(lambda conn: records.put(conn, HUB, record, change)).result(10)
        office.greet(HUB)
        yield office


def fits(page: Page) -> bool:
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


@pytest.mark.parametrize("width", [360, 390])
@pytest.mark.parametrize("name", ["이설치", "김하늘"])
def test_a_hub_is_replaced_from_a_telephone(
    office: Office, seat: Seat, name: str, width: int
) -> None:
    body = request(ec.generate_private_key(ec.SECP256R1()))
    digits = office.act(enrolment.ask(office.desk, body, "203.0.113.9")).digits
    page = seat.page(name, "/install/claim")
    page.set_viewport_size({"width": width, "height": 844})
    typed = page.locator("#digits")
    assert typed.get_attribute("inputmode") == "numeric"
    typed.press_sequentially(digits)
    page.get_by_label("센터에 있는 집").check()
    page.get_by_label("집 번호").fill(HUB)
    assert fits(page)
    page.get_by_role("button", name="다음").click()
    expect(page.get_by_role("heading", name="이 집의 허브를 바꿀까요?")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="예, 허브를 교체합니다").click()
    expect(page.locator("#waits")).to_be_visible()
    office.act(enrolment.ask(office.desk, body, "203.0.113.9"))
    expect(page.locator("#fetched")).to_be_visible()  # by itself: nobody loads it again
    assert fits(page)


def test_digits_stand_in_two_groups_as_they_are_typed(office: Office, seat: Seat) -> None:
    assert office.url
    page = seat.page("이설치", "/install/claim")
    page.locator("#digits").press_sequentially("40718235")
    assert page.locator("#digits").input_value() == "4071 8235"
