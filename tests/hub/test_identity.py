"""The whole way with real processes: hub, `anbu provision run`, Mosquitto, and an EST server."""

import asyncio
import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from msgspec.structs import replace

from center.config import Authority
from center.domain.enrolment import Reason
from center.service import enrolment, revocation
from center.service.enrolment import Who, Wish
from center.store.rows import enrolments
from drivers.virtual.cli import ask
from hub.contract.messages import FaultKind
from hub.contract.provision import Fact
from hub.core.model.activity import FRESH
from hub.outbox.habits_file import ENCODE
from hub.shared.county import load as load_county
from hub.shared.identity import CURRENT, NAME, NEXT, in_use, read, this_board
from provisioning.certs import dev
from provisioning.certs.authority import issue
from provisioning.enrol.enrolment import Enrolment
from tests.broker import HUBS, Broker, certs, free_port, wait_until
from tests.center.e2e.office import Office
from tests.hub.rig import CONFIG, HUB, HubProcess, StubCenter
from tests.identities import enrol
from tests.provisioning.enrol.est import DIGITS, Est

pytestmark = pytest.mark.broker
OTHER = "js-0555"
PLAIN = CONFIG.replace('hub = "{hub}"\n', "").replace(
    CONFIG[CONFIG.index("[mqtt]") : CONFIG.index("[rules.care]")], ""
)
DEVICE = '\n[[device]]\nkind = "provision"\nsocket = "{folder}/provision.sock"\n'


class Home:
    """A folder with a hub that was never registered, and its provisioning process."""

    def __init__(self, folder: Path, broker: Broker, est: str = "") -> None:
        self.hub = HubProcess(folder, broker.port)
        text = (PLAIN + DEVICE).format(folder=folder, telemetry_s=300)
        self.hub.config.write_text(text, encoding="utf-8")
        county = f'center = "{est}"\nca = "{certs()}/ca.crt"\n'
        county += f'brokers = ["tls://127.0.0.1:{broker.port}"]\n'
        (folder / "county.toml").write_text(county, encoding="utf-8")
        self.settings = folder / "provision.toml"
        self.settings.write_text(
            f'socket = "{folder}/provision.sock"\nstate_dir = "{folder}/state"\n'
            f'run_dir = "{folder}"\ncounty = "{folder}/county.toml"\n'
            f'voice_dir = "{folder}/voice"\nspread_s = 0\n'
        )
        self.root = folder / "state" / "identity"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.hub.kill()

    def end(self) -> None:
        """End the provisioning process."""
        if self._process:
            self._process.terminate()
            assert self._process.wait(20) == 0
        self._process = None

    def provision(self) -> None:
        """Start the provisioning process."""
        with (self._folder / "provision.log").open("ab") as log:
            self._process = subprocess.Popen([*self._words(), "run"], stdout=log, stderr=log)

    def status(self, *more: str) -> str:
        """What a terminal shows."""
        words = [*self._words(), "status", *more] if more else self._words()
        ran = subprocess.run(
            words, capture_output=True, text=True, check=True, env=os.environ | {"ANBU_LANG": "ko"}
        )
        return ran.stdout

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.status("--json"))
        return found

    def lamps(self) -> dict[str, Any]:
        return dict(ask(self.hub.socket, {"do": "lamps"}))

    def _words(self) -> list[str]:
        return [sys.executable, "-m", "hub", "provision", "--config", str(self.settings)]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def test_from_a_hub_that_nobody_knows_to_a_call_at_the_centre(
    broker: Broker, tmp_path: Path
) -> None:
    with Est(certs()) as est, StubCenter(broker) as center, Home(tmp_path, broker, est.url) as home:
        hub = home.hub
        hub.start()
        wait_until(lambda: hub.signal() == "unclaimed", f"it says so; {hub.log()}")
        assert "등록되지 않았습니다" in home.status()
        hub.press()
        home.provision()
        digits = f"{DIGITS[:4]} {DIGITS[4:]}"
        wait_until(lambda: digits in home.status(), "a terminal shows the digits", 30)
        assert home.shown()["shown"]["digits"] == DIGITS
        wait_until(lambda: DIGITS in said(home), f"the digits are spoken: {said(home)}")
        assert "119" in said(home), "and the press was answered"
        est.typed = HUB
        assert hub.process.wait(30) == 0, "it ends in good order"
        assert center.raised() == []
        hub.start()
        wait_until(lambda: "ready" in center.said(HUB), f"it is there; {hub.log()}", 30)
        hub.press()
        wait_until(center.raised, "the call is at the centre")
        assert HUB in home.status()
        wait_until(lambda: hub.signal() == "received", "it is told so")


def real_center(folder: Path) -> Office:
    """The real centre, with the authority that the broker knows."""
    parent = dev.read(certs(), "ca")
    assert parent
    begins = datetime.now(UTC) - timedelta(days=60)
    dev.write(folder, "est", issue(parent, "center", hosts=("127.0.0.1",), begins=begins))
    own = Authority(
        f"{folder}/est.crt",
        f"{folder}/est.key",
        f"{certs()}/ca.crt",
        f"{certs()}/ca.key",
        f"127.0.0.1:{free_port()}",
    )
    return Office(f"sqlite:///{folder / 'center.db'}", authority=own)


def test_the_real_centre_gives_a_hub_its_name_and_renews_it(broker: Broker, tmp_path: Path) -> None:
    name = "js-0417"
    with real_center(tmp_path) as office, StubCenter(broker) as center:
        own = office.settings.authority
        assert own
        office.ahead_s = -40 * 86_400.0  # the first certificate is 40 days old when it is renewed
        with Home(tmp_path / "home", broker, f"https://{own.listen}") as home:
            home.hub.start()
            home.provision()
            wait_until(lambda: home.shown()["shown"]["digits"], "the hub shows digits", 30)
            digits = str(home.shown()["shown"]["digits"])
            wait_until(lambda: digits in said(home), "and says them")
            office.act(enrolment.claim(office.desk, Who("이설치", "127.0.0.1"), Wish(digits, name)))
            assert home.hub.process.wait(30) == 0
            home.hub.start()
            wait_until(lambda: "ready" in center.said(name), f"it is there; {home.hub.log()}", 30)
            home.hub.press()
            wait_until(lambda: center.raised(name), "the call is at the centre")
            office.ahead_s = 0.0
            told: list[Fact] = []
            county = load_county(tmp_path / "home" / "county.toml")
            later = Enrolment(home.root, county, this_board(), told.append)
            asyncio.run(later.step())
            fresh = read(home.root, NEXT)
            assert fresh, told
            assert (fresh.hub, fresh.number) == (name, 2)
            broker.kill()
            broker.start()
            wait_until(lambda: number(home.root) == 2, f"it is taken up; {home.hub.log()}", 20)


def test_after_100_days_without_a_centre_a_hub_is_back_without_a_visit_and_its_call_arrives(
    broker: Broker, tmp_path: Path
) -> None:
    """Its certificate has ended ten days ago: the broker refuses it, the centre renews it."""
    name = "js-0418"
    with real_center(tmp_path) as office, StubCenter(broker) as center:
        own = office.settings.authority
        assert own
        office.ahead_s = -100 * 86_400.0
        with Home(tmp_path / "home", broker, f"https://{own.listen}") as home:
            claim(office, home, name)
            office.ahead_s = 0.0
            hub = home.hub
            wait_until(lambda: "만료" in hub.log(), f"the broker refuses it; {hub.log()}", 30)
            home.end()
            hub.press()
            home.provision()
            wait_until(lambda: center.raised(name), f"the call is there; {hub.log()}", 90)
            wait_until(lambda: hub.signal() == "received", "and it is told so")
            assert number(home.root) == 2
            assert home.shown()["shown"]["digits"] == "", "nobody was asked for digits"


def said(home: Home) -> str:
    """All that the virtual house has heard."""
    return " ".join(str(one) for one in home.lamps().get("said", []))


def test_a_renewal_with_an_sos_pending_delays_no_call(broker: Broker, tmp_path: Path) -> None:
    with StubCenter(broker) as center, Home(tmp_path, broker) as home:
        enrol(home.root, HUB, this_board())
        hub = home.hub
        hub.start()
        wait_until(lambda: "ready" in center.said(HUB), f"it is there; {hub.log()}", 30)
        center.mute = True
        center.stored.clear()
        center.heard.clear()
        hub.press()
        wait_until(lambda: center.raised(HUB), "the call is sent, and not confirmed")
        (first,) = center.raised(HUB)
        assert enrol(home.root, HUB, this_board()) == NEXT
        again, dials = center.heard[first.id], dialled(broker)
        wait_until(lambda: center.heard[first.id] > again, "the call is sent again meanwhile", 20)
        assert dialled(broker) == dials, "without a new dial"
        held = read(home.root)
        assert held
        assert held.number == 1
        broker.kill()
        center.mute = False
        at = time.monotonic()
        broker.start()
        wait_until(lambda: hub.signal() == "received", f"it is confirmed; {hub.log()}", 20)
        took_s = time.monotonic() - at
        wait_until(lambda: number(home.root) == 2, "by the renewed certificate")
        assert read(home.root, NEXT) is None
        assert took_s < 10.0


def dialled(broker: Broker) -> int:
    """How often the hub has connected."""
    return broker.log().count(f" as {HUB} ")


def number(root: Path) -> int:
    held = read(root, CURRENT)
    return held.number if held else 0


def test_a_renewed_certificate_that_is_refused_delays_no_call(
    broker: Broker, tmp_path: Path
) -> None:
    with StubCenter(broker) as center, Home(tmp_path, broker) as home:
        enrol(home.root, HUB, this_board())
        enrol(home.root, HUB, this_board(), foreign=True)
        center.stored.clear()
        home.hub.start()
        at = home.hub.press()
        wait_until(lambda: center.raised(HUB), f"the call is sent; {home.hub.log()}", 20)
        assert time.monotonic() - at < 10.0
        assert number(home.root) == 1


def spoil(root: Path) -> None:
    """Nothing of any generation can be read any more, as on a card that wears out."""
    for file in [*root.glob("*/hub.*"), *root.glob("*/*.json")]:
        file.write_bytes(b"")


def test_a_call_of_a_hub_whose_identity_is_lost_arrives_once_it_is_registered_again(
    broker: Broker, tmp_path: Path
) -> None:
    with Est(certs()) as est, StubCenter(broker) as center, Home(tmp_path, broker, est.url) as home:
        enrol(home.root, HUB, this_board())
        hub = home.hub
        hub.start()
        wait_until(lambda: "ready" in center.said(HUB), f"it is there; {hub.log()}", 30)
        kept = home.root.parent / NAME
        wait_until(kept.exists, "its name is kept")
        hub.kill()
        spoil(home.root)
        center.stored.clear()
        hub.start()
        hub.press()
        wait_until(lambda: hub.signal() == "raised", f"it calls; {hub.log()}")
        home.provision()
        spoken = "아직 센터에 등록되지 않았습니다"
        wait_until(lambda: spoken in said(home), f"it says so: {said(home)}", 30)
        assert HUB in home.status()
        assert "읽을 수 없습니다" in home.status()
        assert center.raised() == []
        wait_until(lambda: home.shown()["shown"]["digits"] == DIGITS, "digits are shown", 30)
        est.typed = HUB
        wait_until(lambda: center.raised(HUB), f"the call is there; {hub.log()}", 30)
        wait_until(lambda: hub.signal() == "received", "and it is told so")


def test_a_call_that_was_made_under_another_name_arrives_under_the_new_one(
    broker: Broker, tmp_path: Path
) -> None:
    with StubCenter(broker) as center, Home(tmp_path, broker) as home:
        enrol(home.root, HUB, this_board())
        broker.kill()
        hub = home.hub
        hub.start()
        hub.press()
        wait_until(lambda: hub.signal() == "raised", f"it calls; {hub.log()}")
        hub.kill()
        enrol(home.root, OTHER, this_board())
        broker.start()
        center.stored.clear()
        hub.start()
        wait_until(lambda: center.raised(OTHER), f"the call is there; {hub.log()}", 30)
        wait_until(lambda: hub.signal() == "received", "and it is told so")
        assert center.raised(HUB) == []


def test_a_copied_card_in_another_board_calls_nobody_and_says_why(
    broker: Broker, tmp_path: Path
) -> None:
    with StubCenter(broker) as center, Home(tmp_path, broker) as home:
        enrol(home.root, HUBS[1], "another board")
        home.hub.start()
        wait_until(lambda: "SD 카드" in home.hub.log(), f"its log says so; {home.hub.log()}", 20)
        assert center.said(HUBS[1]) == []
        shown = home.shown()
        assert (shown["hub"], shown["fits"]) == (HUBS[1], False)
        assert "교체" in home.status()
        held = in_use(home.root)
        assert held
        assert held.hub == HUBS[1]


LISTED = """
[[device]]
kind = "pendant"
name = "pendant"
address = "C0:FF:EE:12:34:56"
key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
place = "목걸이"

[[device]]
kind = "sensor"
name = "front"
sense = "exit_door"
address = "C0:FF:EE:12:34:59"
place = "현관"
"""


def test_a_replacement_goes_on_with_what_the_hub_of_before_had_learned(
    broker: Broker, tmp_path: Path
) -> None:
    name = "js-0433"
    with real_center(tmp_path) as office, StubCenter(broker) as center:
        own = office.settings.authority
        assert own
        url = f"https://{own.listen}"
        with Home(tmp_path / "a", broker, url) as home:
            state = tmp_path / "a" / "state"
            state.mkdir()
            learned = replace(FRESH, days=40, day=20_000, longest={"sleep": 30_000.0})
            (state / "habits.bin").write_bytes(ENCODE(learned))
            (state / "devices.toml").write_text(LISTED, encoding="utf-8")
            (tmp_path / "a" / "voice").mkdir()
            (tmp_path / "a" / "voice" / "voice.json").write_text('{"speed": 0.8}')
            claim(office, home, name)
            wait_until(lambda: "ready" in center.said(name), f"it is there; {home.hub.log()}", 30)
            wait_until(lambda: home.shown()["stored"], f"it is stored; {home.shown()}", 30)
        body = office.store.read(enrolments.backup, name)
        assert body
        assert len(body.body) < 10_000
        assert b"0f1e2d3c" not in zlib.decompress(body.body), "no key leaves the home"
        office.act(revocation.strike_off(office.desk, name, "김관리", Reason.STOLEN))
        center.states.clear()
        with Home(tmp_path / "b", broker, url) as home:
            state = tmp_path / "b" / "state"
            (tmp_path / "b" / "voice").mkdir()
            claim(office, home, name, replaces=True)
            wait_until(lambda: "ready" in center.said(name), f"it is there; {home.hub.log()}", 30)
            assert "40 days" in home.hub.log()
            assert msgspec.msgpack.decode((state / "habits.bin").read_bytes())["days"] == 40
            listed = (state / "devices.toml").read_text(encoding="utf-8")
            assert "front" in listed
            assert "pendant" not in listed
            assert (tmp_path / "b" / "voice" / "voice.json").read_text() == '{"speed": 0.8}'
            assert "다시 짝지어야 할 기기: pendant" in home.status()
            unbonded = FaultKind.UNBONDED
            wait_until(lambda: told(center, name, unbonded), "the centre is told which")
            (state / "devices.toml").write_text(LISTED, encoding="utf-8")
            wait_until(lambda: not told(center, name, unbonded), "until they are paired", 20)
            assert home.shown()["anew"] == []


def test_a_hub_claimed_for_the_wrong_home_is_struck_off_and_claimed_for_the_right_one(
    broker: Broker, tmp_path: Path
) -> None:
    wrong, right = "js-0441", "js-0442"
    with real_center(tmp_path) as office, StubCenter(broker) as center:
        own = office.settings.authority
        assert own
        with Home(tmp_path / "home", broker, f"https://{own.listen}") as home:
            claim(office, home, wrong)
            wait_until(lambda: "ready" in center.said(wrong), f"there; {home.hub.log()}", 30)
            struck = revocation.strike_off(office.desk, wrong, "김관리", Reason.MISTAKEN)
            assert office.act(struck)
            home.end()  # its plug is pulled, and put in again
            home.hub.kill()
            home.hub.start()
            home.provision()
            wait_until(lambda: home.shown()["shown"]["digits"], f"digits; {home.status()}", 30)
            assert home.shown()["shown"]["parts"]["identity"] == "revoked"
            digits = str(home.shown()["shown"]["digits"])
            office.act(
                enrolment.claim(office.desk, Who("이설치", "127.0.0.1"), Wish(digits, right))
            )
            broker.kill()  # no session of the old name stands in the way: it was ended
            assert home.hub.process.wait(60) == 0, "it begins anew"
            broker.start()
            home.hub.start()
            home.hub.press()
            wait_until(lambda: center.raised(right), f"the call is there; {home.hub.log()}", 30)
            assert center.raised(wrong) == []


def told(center: StubCenter, hub: str, fault: str) -> bool:
    """Whether a fault of a hub stands at the centre."""
    topic = f"anbu/1/{hub}/fault/hub:{fault}"
    return bool(dict(center.faults).get(topic))


def claim(office: Office, home: Home, name: str, *, replaces: bool = False) -> None:
    """An installer brings up a hub as `name`."""
    home.hub.start()
    home.provision()
    wait_until(lambda: home.shown()["shown"]["digits"], "the hub shows digits", 30)
    wish = Wish(str(home.shown()["shown"]["digits"]), name, replaces=replaces)
    office.act(enrolment.claim(office.desk, Who("이설치", "127.0.0.1"), wish))
    assert home.hub.process.wait(30) == 0
    home.hub.start()
