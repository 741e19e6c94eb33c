"""Every page on a telephone: an installer stands in a home, and nothing is cut off at the side."""

from collections.abc import Iterator
from functools import partial

import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, ViewportSize
from starlette.routing import Route

from center.console.routes import routes
from center.domain.announcement import Draft
from center.domain.installation import Report
from center.service import announcements, installation, rounds
from center.service.auth import Person, Role
from center.store.rows import enrolments, installations
from center.store.rows import vitals as rows
from center.store.rows.enrolments import Claim, Room
from hub.contract.messages import Availability, FaultKind, PairingReport, Trigger
from hub.contract.scaip import Care, Kind
from tests.center.bodies import WILLING, pressure, usual_quarters, write
from tests.center.e2e.conftest import Seat
from tests.center.e2e.office import Office
from tests.center.e2e.setting_up import SettingUp
from tests.center.lives import QUIET, care, usual_hours

pytestmark = pytest.mark.browser
HUB = "js-0001"
WIDTHS_PX = (360, 390, 412)  # of telephones; the narrowest is that of a small Galaxy
LANGUAGES = ("ko", "en")
SPANS = {"/homes/{hub}": ("", "?days=7"), "/homes/{hub}/vitals": ("?days=1", "?days=365")}
NO_PAGES = {"/icon/{count:int}.svg"}  # a picture
OVERFLOW = """() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const cut = [...document.querySelectorAll('body *')].filter(
    one => one.getBoundingClientRect().right > wide + 1 && !one.closest('.scroll, .unseen'));
  return [document.documentElement.scrollWidth, ...cut.slice(0, 9).map(
    one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 30)}`)];
}"""


@pytest.fixture
def office(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A home of which each page has much to show, a device to be paired, and a hub that is lost."""
    monkeypatch.setattr(rounds, "HUBS_S", 0.1)
    for how in (Availability.READY, Availability.LOST):
        office.greet("js-0002", how, triggers=(Trigger("help", Kind.HELP_BUTTON, "거실"),))
    office.ahead_s += 360
    office.hire("이정민", Role.SUPERVISOR)
    write(office.store, replace(WILLING, notes="개가 있음"), utc=office.now())
    now = office.now()
    report = PairingReport(now + 600, "compare", "470192", "Galaxy Watch 6 Classic LTE", 7)
    office.greet(HUB, pairing=report)
    for hour in usual_hours(now, 24 * 8):
        office.hear(HUB, hour)
    body = list(usual_quarters(now, 96 * 2))
    office.store.submit(lambda conn: [rows.keep(conn, HUB, one, now) for one in body]).result()
    office.hear(HUB, pressure(now, 147.0, 93.0))
    office.fault(HUB, FaultKind.STUCK, "help")
    said = office.event(HUB, "q-1", "", kind=Kind.QUIET, device="")
    evidence = replace(QUIET, since_utc=now - QUIET.lasted_s)
    office.hear(HUB, replace(said, data=replace(said.data, evidence=evidence)))
    office.press(HUB)
    office.hear(HUB, care(Care.COUNSELLING))
    home = SettingUp(office, HUB)
    office.act(installation.begin(office.desk, HUB, Person("이정민", Role.SUPERVISOR)))
    home.show(living=0.0, cord=0.0)
    one = office.store.read(installations.find, HUB)
    assert one
    done = Report(HUB, now, "이정민", now, "이정민", one.standings)
    office.store.submit(lambda conn: installations.keep_report(conn, done)).result()
    room, wish = Room(9, 9, 900.0), Claim("40718235", HUB, "이정민", known_home=True, replaces=True)
    asking = partial(enrolments.ask, room=room, digits=lambda: wish.digits)
    office.store.submit(lambda conn: asking(conn, "key", "203.0.113.9", now)).result()
    office.store.submit(lambda conn: enrolments.claim(conn, wish, now)).result()
    office.act(
        announcements.send(
            office.desk, Draft("물을 자주 드세요.", until_utc=now + 900, key="k"), "이정민"
        )
    )
    return office


def pages(office: Office, page: Page) -> Iterator[str]:
    """Yield an address for each page of the console; a new route is walked as well."""
    page.goto(f"{office.url}/tasks")
    task = page.locator("a[href^='/tasks/']").first.get_attribute("href")
    page.goto(f"{office.url}/announcements")
    said = page.locator("a[href^='/announcements/']:not([href*=new])").first.get_attribute("href")
    values = {
        "/incidents/{id}": "/incidents/q-1", "/tasks/{id}": task, "/announcements/{id}": said,
        "/install/claim/{key}": "/install/claim/key",
    }  # fmt: skip
    for route in routes(office.desk):
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        path = values.get(route.path) or route.path.replace("{hub}", HUB)
        if route.path in NO_PAGES:
            continue
        assert "{" not in path, f"give {path} an example here"
        yield from (f"{path}{query}" for query in SPANS.get(route.path, ("",)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_wider_than_a_telephone(office: Office, seat: Seat, language: str) -> None:
    page = seat.page("이정민")
    cut = {}
    for path in pages(office, page):
        page.goto(f"{office.url}{path}{'&' if '?' in path else '?'}lang={language}")
        for width in WIDTHS_PX:
            page.set_viewport_size(ViewportSize(width=width, height=800))
            if found := page.evaluate(OVERFLOW):
                cut[f"{path} at {width} px"] = found
    assert not cut, "\n".join(f"{where}: {what}" for where, what in cut.items())
