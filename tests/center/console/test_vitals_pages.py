"""The pages of a home's readings: what they draw, what they say, what they never claim."""

from collections.abc import Iterable
from html.parser import HTMLParser

import httpx
import pytest
from msgspec.structs import replace

from center.console.view import Viewer
from center.console.vitals import chart
from center.console.vitals.limits import limits_of, told, typed_of
from center.console.vitals.page import rows
from center.console.vitals.pictures import Drawn, draw
from center.domain.limits import Fate
from center.domain.record import Consent, ConsentItem
from center.domain.vitals import SPANS, Point, by_kind, window
from center.service.texts import texts
from center.store.rows import audit, limits
from center.store.rows.vitals import Whys
from hub.contract.messages import Reply, VitalKind, VitalLimits, VitalWhy
from hub.contract.wire import Reason
from hub.shared.language import Language
from tests.center.bodies import WILLING, pressure, quarter, reading, usual_quarters, write
from tests.center.e2e.office import Office
from tests.center.lives import RECORD
from tests.center.making import HUB, NOW

KO, EN = texts(Language.KOREAN), texts(Language.ENGLISH)
HOME = f"/homes/{HUB}"
PAGE, FORM = f"{HOME}/vitals", f"{HOME}/limits"
DAY = window(SPANS["1"], NOW)
PULSE, STRESS = VitalKind.PULSE, VitalKind.STRESS
JUDGEMENTS = (
    "정상",
    "비정상",
    "위험",
    "진단 결과",
    "질환",
    "normal",
    "abnormal",
    "disease",
    "arrhythmia",
)


def point(kind: VitalKind, slot: int, value: float, spread: float = 0.0) -> Point:
    return Point(kind, slot, value, value - spread, value + spread, 1)


def drawn(points: Iterable[Point], **more: object) -> dict[str, chart.Chart]:
    made = replace(Drawn(DAY, by_kind(points)), **more)
    return {one.name: one for one in draw(made, Viewer("김하늘", DAY.end_utc, KO))}


@pytest.fixture
def home(office: Office) -> Office:
    """A home whose resident consents, with readings of the last two days."""
    write(office.store, utc=office.now())
    office.greet(HUB)
    for said in usual_quarters(office.now(), 192):
        office.hear(HUB, said)
    return office


def text_of(page: str) -> str:
    """Return what a page says, without its tags."""
    parts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = parts.append  # type: ignore[method-assign, assignment]
    parser.feed(page)
    return " ".join(" ".join(parts).split())


def test_a_gap_is_hatched_and_nothing_is_drawn_through_it() -> None:
    made = drawn([point(PULSE, slot, 70.0, 9.0) for slot in (*range(10), *range(20, DAY.slots))])[
        "pulse"
    ]
    plot = chart.Plot(DAY, chart.Scale(40, 120, 20))
    assert made.gaps == ((plot.x(10), round(plot.x(20) - plot.x(10), 1)),)
    assert (len(made.lines), len(made.bands)) == (2, 2)
    for path in (*made.lines, *made.bands):
        xs = [float(step.split()[0]) for step in path.strip("MZ").split("L")]
        assert all(x <= plot.x(10) for x in xs) or all(x >= plot.x(20) for x in xs)


def test_a_lone_reading_is_seen() -> None:
    (line,) = drawn([point(PULSE, 5, 70.0)])["pulse"].lines
    left, right = line.strip("M").split("L")
    assert left != right


def test_what_is_to_come_is_no_gap() -> None:
    made = Drawn(DAY, by_kind([point(PULSE, slot, 70.0) for slot in range(60)]))
    (pulse, *_) = draw(made, Viewer("김하늘", DAY.at(60), KO))
    assert pulse.gaps == ()


def test_a_value_beyond_the_scale_widens_it() -> None:
    made = drawn([point(PULSE, 1, 150.0, 30.0), point(PULSE, 2, 33.0)])["pulse"]
    assert float(made.ys[-1].text) >= 180
    assert float(made.ys[0].text) <= 33
    assert len(made.ys) <= 8


def test_a_limit_is_a_line_with_its_words_and_can_be_without_a_call() -> None:
    set_here = VitalLimits(high_rest_bpm=110.0, low_bpm=45.0, watch_pulse=False)
    made = drawn([point(PULSE, 1, 70.0)], limits=set_here)["pulse"]
    assert [one.text for one in made.limits] == ["높음 기준 110", "낮음 기준 45"]
    assert made.notes == (KO("vitals.watch_off"),)
    assert made.legend[-1] == ("limit", KO("vitals.legend_limit"))


def test_a_blood_pressure_is_two_shapes_and_a_stem_where_both_are_known() -> None:
    high, low = VitalKind.SYSTOLIC, VitalKind.DIASTOLIC
    made = drawn([point(high, 3, 131.0), point(low, 3, 78.0), point(high, 9, 140.0)])["pressure"]
    assert [one.shape for one in made.marks] == ["down", "down", "up"]
    assert len(made.stems) == 1
    both = KO("vitals.between", least=131, most=140)
    assert made.says == f"수축기 {both}, 이완기 78mmHg."


@pytest.mark.parametrize("why", VitalWhy)
def test_without_stress_the_reason_is_told(why: VitalWhy) -> None:
    made = drawn([point(PULSE, 1, 70.0)], whys=(Whys(why, 7),))["stress"]
    assert KO(f"vital_why.{why}") in made.empty


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (VitalLimits(), "none"),
        (VitalLimits(stress=False), "off"),
        (VitalLimits(pacemaker=True), "pacemaker"),
        (VitalLimits(irregular=True), "irregular"),
    ],
)
def test_a_wish_and_a_pacemaker_are_reasons_of_their_own(held: VitalLimits, why: str) -> None:
    assert KO(f"vital_why.{why}") in drawn([point(PULSE, 1, 70.0)], limits=held)["stress"].empty


def test_a_wish_goes_before_what_was_the_reason_earlier() -> None:
    held = VitalLimits(stress=False)
    made = drawn([point(PULSE, 1, 70.0)], limits=held, whys=(Whys(VitalWhy.NO_REST, 9),))
    assert KO("vital_why.off") in made["stress"].empty


def test_a_reason_of_a_newer_hub_is_told_as_it_came() -> None:
    whys = (Whys(VitalWhy.of("too_cold"), 3),)
    assert "too_cold" in drawn([point(PULSE, 1, 70.0)], whys=whys)["stress"].empty


def test_stress_names_the_share_that_was_left_out() -> None:
    some = [point(STRESS, slot, 1.2) for slot in range(30)]
    made = drawn(some, whys=(Whys(VitalWhy.NOISY, 10),))["stress"]
    assert "40개 구간 가운데 10개" in made.notes[-1]
    assert [one.kind for one in made.limits] == ["usual"]


def test_time_worn_is_told_by_the_day() -> None:
    made = drawn([point(VitalKind.WORN, slot, 1.0) for slot in range(36)])["worn"]
    assert made.says.startswith("자료가 있는 날에는 하루 평균 12시간 착용.")
    assert len(made.bars) == 36


def test_the_table_has_every_slot_with_a_reading_the_newest_first() -> None:
    points = by_kind([point(PULSE, 1, 70.0, 5.0), point(VitalKind.SYSTOLIC, 3, 131.0)])
    made = rows(points, DAY, Viewer("김하늘", NOW, KO))
    spread = KO("vitals.range", mean=70, least=65, most=75)
    assert [one.cells[0] for one in made] == ["", spread]
    assert made[0].cells[3] == "131/-"


@pytest.mark.parametrize("days", SPANS)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_page_shows_its_span_in_words_and_pictures(
    home: Office, operator: httpx.Client, days: str, lang: str
) -> None:
    shown = operator.get(f"{PAGE}?days={days}&lang={lang}")
    assert shown.status_code == 200
    said = text_of(shown.text)
    t = KO if lang == "ko" else EN
    for name in ("pulse", "oxygen", "pressure", "stress", "worn"):
        assert t(f"vital.{name}") in said
    assert shown.text.count('<svg class="chart') > 5
    assert t("vitals.advice") in said
    assert not [word for word in JUDGEMENTS if word in said.lower().replace("no diagnosis", "")]
    assert home.store.read(audit.search)[0].entry.hub == HUB


def test_without_consent_nothing_is_shown_though_it_is_still_stored(
    home: Office, operator: httpx.Client
) -> None:
    back = Consent(ConsentItem.VITALS, given=False)
    write(home.store, replace(WILLING, consents=(*WILLING.consents, back)), utc=home.now())
    said = text_of(operator.get(PAGE).text)
    assert KO("vitals.no_consent") in said
    assert KO("vital.pulse") not in said
    assert KO("vitals.no_consent") in text_of(operator.get(HOME).text)


def test_a_page_says_when_its_readings_are_old(home: Office, operator: httpx.Client) -> None:
    assert "마지막 측정값은" in text_of(operator.get(PAGE).text)
    home.ahead_s = 3 * 3600.0
    said = text_of(operator.get(PAGE).text)
    assert "째 새 측정값이 없습니다" in said
    assert "째 새 측정값이 없습니다" in text_of(operator.get(HOME).text)


def test_no_reading_yet_is_said_as_such(office: Office, operator: httpx.Client) -> None:
    write(office.store)
    assert KO("vitals.none") in text_of(operator.get(PAGE).text)
    assert operator.get("/homes/nobody/vitals").status_code == 404
    assert operator.get("/homes/nobody/limits").status_code == 404


def test_an_open_page_of_a_year_is_not_drawn_anew(home: Office, operator: httpx.Client) -> None:
    live = {"anbu-live": "1"}
    assert '<svg class="chart' not in operator.get(f"{PAGE}?days=365", headers=live).text
    assert '<svg class="chart' in operator.get(f"{PAGE}?days=1", headers=live).text
    home.hear(HUB, pressure(home.now(), 144.0, 91.0))
    assert "144/91" in operator.get(f"{PAGE}?days=365", headers=live).text


def test_a_home_shows_its_newest_readings(home: Office, operator: httpx.Client) -> None:
    home.hear(HUB, pressure(home.now(), 144.0, 91.0))
    home.hear(HUB, reading(VitalKind.BATTERY, 11.0, home.now(), device="clip"))
    assert "144/91" in text_of(operator.get(HOME).text)
    said = text_of(operator.get(PAGE).text)
    assert "clip 배터리 부족 11 %" in said


def test_a_reading_of_an_unknown_time_is_told_apart(home: Office, operator: httpx.Client) -> None:
    home.hear(HUB, reading(VitalKind.TEMPERATURE, 36.6, home.now(), fresh=False, irregular=True))
    said = text_of(operator.get(PAGE).text)
    assert KO("vitals.unsure") in said
    assert "36.6" in said


def form(operator: httpx.Client, **typed: str) -> httpx.Response:
    page = operator.get(FORM).text
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    version = page.split('name="version" value="')[1].split('"')[0]
    switches = {"watch_pulse": "yes", "watch_oxygen": "yes", "watch_pressure": "yes",
                "stress": "yes"}  # fmt: skip
    data = {"csrf": csrf, "version": version, **switches, **typed}
    return operator.post(FORM, data=data, follow_redirects=True)


def test_limits_are_set_by_a_form_and_shown_until_the_hub_has_them(
    home: Office, operator: httpx.Client
) -> None:
    said = text_of(form(operator, high_rest_bpm="115", high_s="12.5", pacemaker="yes").text)
    assert KO("limits_fate.waiting") in said
    assert "115 회/분" in said
    ((hub, order),) = home.orders
    wanted = VitalLimits(high_rest_bpm=115.0, high_s=750.0, pacemaker=True)
    assert (hub, order.limits) == (HUB, wanted)
    home.hear(HUB, Reply(order.id, done=True))
    said = text_of(operator.get(PAGE).text)
    assert KO("limits_fate.at_hub") in said
    assert KO("limits_fate.waiting") not in said


def test_an_old_hub_is_named_as_the_reason(home: Office, operator: httpx.Client) -> None:
    form(operator, low_bpm="45")
    home.hear(HUB, Reply(home.orders[0][1].id, done=False, reason=Reason.UNKNOWN))
    for page in (PAGE, FORM):
        said = text_of(operator.get(page).text)
        assert KO("vitals.too_old_lead") in said
        assert KO("limits_fate.refused") in said


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ({"high_rest_bpm": "19"}, {"high_rest_bpm": "bad_number"}),
        ({"high_rest_bpm": "251"}, {"high_rest_bpm": "bad_number"}),
        ({"high_s": "0.5"}, {"high_s": "bad_number"}),
        ({"low_oxygen_pct": "x"}, {"low_oxygen_pct": "bad_number"}),
        ({"low_oxygen_pct": "٩٠"}, {"low_oxygen_pct": "bad_number"}),
        ({"low_oxygen_pct": "nan"}, {"low_oxygen_pct": "bad_number"}),
        ({"low_oxygen_pct": "-90"}, {"low_oxygen_pct": "bad_number"}),
        ({"low_bpm": "80", "high_rest_bpm": "80"}, {"low_bpm": "bad_order"}),
        ({"low_bpm": "125"}, {"low_bpm": "bad_order"}),  # 120 holds where nothing is typed
        ({"high_rest_bpm": "38"}, {"high_rest_bpm": "bad_order"}),
        ({"high_systolic_mmhg": "85"}, {"high_systolic_mmhg": "bad_order"}),
        (
            {"high_diastolic_mmhg": "190", "high_systolic_mmhg": "180"},
            {"high_diastolic_mmhg": "bad_order"},
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_nothing_is_sent(
    home: Office, operator: httpx.Client, typed: dict[str, str], problem: dict[str, str]
) -> None:
    assert limits_of(typed)[1] == problem
    shown = form(operator, **typed)
    assert shown.status_code == 422
    for name, text in typed.items():
        assert f'name="{name}" type="text" inputmode="decimal" autocomplete="off" value="{text}"' \
            in shown.text  # fmt: skip
    assert home.orders == []


def test_a_form_gives_back_the_limits_that_it_was_made_of() -> None:
    held = VitalLimits(high_rest_bpm=112.5, low_s=300.0, stress=False, irregular=True)
    assert limits_of(typed_of(held)) == (held, {})
    assert limits_of(typed_of(VitalLimits())) == (VitalLimits(), {})


def test_who_comes_second_sees_what_they_typed_and_who_was_first(
    home: Office, operator: httpx.Client
) -> None:
    page = operator.get(FORM).text
    form(operator, low_bpm="45")
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    late = operator.post(FORM, data={"csrf": csrf, "version": "0", "low_bpm": "50"})
    assert late.status_code == 409
    assert "김하늘 상담원이" in text_of(late.text)
    assert 'value="50"' in late.text
    assert home.store.read(limits.find, HUB).limits.low_bpm == 45.0
    assert home.store.read(limits.find, HUB).fate is Fate.WAITING


def test_the_audit_says_in_words_which_limit_was_set(home: Office, operator: httpx.Client) -> None:
    form(operator, low_bpm="45", high_s="12", pacemaker="yes")
    form(operator, low_bpm="", high_s="12")
    lines = [
        one.entry for one in home.store.read(audit.search) if one.entry.deed == "limits_changed"
    ]
    assert [one.text for one in lines] == [
        "low_bpm= pacemaker=no", "high_s=720 low_bpm=45 pacemaker=yes",
    ]  # fmt: skip
    assert told(lines[1].text, KO) == (
        "높은 맥박이 이만큼 이어지면: 12 분, 맥박이 이보다 낮으면: 45 회/분, 심장 박동기를 씀: 예"
    )
    assert told(lines[0].text, EN) == "Pulse below: default, Has a pacemaker: no"
    assert told("skin_c=3 sleep=yes", EN) == "skin_c: 3, sleep: yes"  # of a newer program


def test_a_home_without_a_record_can_have_limits_but_shows_no_reading(
    office: Office, operator: httpx.Client
) -> None:
    office.greet(HUB)
    write(office.store, RECORD)
    office.hear(HUB, quarter(office.now()))
    assert form(operator, low_bpm="45").status_code == 200
    assert KO("vitals.no_consent") in text_of(operator.get(PAGE).text)
