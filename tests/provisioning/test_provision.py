"""`anbu provision`: the state of a hub in sentences, and the process that tells it."""

import asyncio
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.contract.provision import (
    VOCABULARY,
    Claimed,
    Claiming,
    Clock,
    Fact,
    Hello,
    Network,
    OpenHotspot,
    Order,
    Part,
    Ping,
    Pong,
    Trouble,
    Way,
)
from hub.shared.county import County
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import SettingsError
from hub.shared.unix_socket import read_word
from provisioning import app
from provisioning.app import App, county_of
from provisioning.cli import spaced, told, trouble
from provisioning.enrol.troubles import EnrolTrouble
from provisioning.settings import ProvisionSettings, load
from provisioning.status import FILE, Board, Shown, State, state_of
from tests.hub.rig import tell, until
from tests.identities import enrol

BOARD = "b"


@pytest.fixture(autouse=True)
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANBU_LANG", "ko")


def settings(folder: Path) -> ProvisionSettings:
    return ProvisionSettings(
        f"{folder}/provision.sock", f"{folder}/state", str(folder), f"{folder}/county.toml"
    )


@pytest.mark.parametrize("language", Language)
def test_each_trouble_has_words_that_say_what_to_do(language: Language) -> None:
    words = messages("provisioning", language, "provision")
    assert set(words["enrol"]) == {str(one) for one in EnrolTrouble}
    assert {f"way_{way}" for way in Way} <= set(words["status"])


def test_each_state_is_told_and_what_to_do() -> None:
    ready = State(hub="js-0001", ends="2027-03-01", runs=True)
    shown = Shown(1)
    cases: list[tuple[State, str]] = [
        (ready, "js-0001"),
        (replace(ready, renewed=True), "새 인증서"),
        (replace(ready, expired=True), "만료"),
        (replace(ready, fits=False), "교체"),
        (State(runs=True), "등록되지 않았습니다"),
        (State(), "systemctl start anbu-provision"),
        (State(runs=True, shown=replace(shown, digits="40718235")), "4071 8235"),
        (State(runs=True, shown=replace(shown, trouble="portal")), "로그인"),
        (replace(ready, shown=replace(shown, way=Way.WIFI, network="집")), "와이파이 집에"),
        (replace(ready, shown=replace(shown, way=Way.NONE, network_trouble="no_dns")), "(DNS)"),
        (replace(ready, shown=replace(shown, way=Way.NONE, network_trouble="new")), "new"),
        (replace(ready, shown=replace(shown, clock_ahead_s=-7200.0)), "-7200초"),
    ]
    for state, words in cases:
        assert words in " ".join(told(state)), state
    assert list(told(replace(ready, shown=replace(shown, clock_ahead_s=3.0)))) == list(told(ready))
    assert trouble("of a newer release") == "of a newer release"
    assert spaced("40718235") == "4071 8235"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State(hub="js-0001", ends="2027-01-01", stored="2026-11-30"), "센터에 보관했습니다"),
        (State(hub="js-0001", ends="2027-01-01", backup_trouble="busy"), "보관하지 못했습니다"),
        (State(hub="js-0001", ends="2027-01-01", kept_nowhere=True), "보관하지 않습니다"),
        (State(hub="js-0001", ends="2027-01-01", restored=True), "넘겨받았습니다"),
        (
            State(hub="js-0001", ends="2027-01-01", anew=["pendant"]),
            "다시 짝지어야 할 기기: pendant",
        ),
        (State(was="js-0001"), "읽을 수 없습니다"),
    ],
)
def test_what_a_replacement_needs_is_told(state: State, said: str) -> None:
    assert said in " ".join(told(state))


def test_what_the_process_tells_is_there_for_a_terminal(tmp_path: Path) -> None:
    board, chosen = Board(tmp_path), settings(tmp_path)
    facts: list[Fact] = [
        Claiming("40718235"),
        Network(Way.WIFI, "home", trouble="slow"),
        Clock(-2.0),
        Trouble(Part.DISK, present=True, detail="full"),
        Trouble(Part.CLOCK, present=True, detail="far"),
        Trouble(Part.CLOCK, present=False),
        Hello(),
    ]
    for fact in facts:
        board.show(fact)
    shown = state_of(chosen).shown
    expected = Shown(os.getpid(), "40718235", "", Way.WIFI, "home", "slow", -2.0, {"disk": "full"})
    assert shown == expected
    told_again = (tmp_path / FILE).stat().st_mtime_ns
    board.show(facts[0])
    assert (tmp_path / FILE).stat().st_mtime_ns == told_again
    Board(tmp_path / "nowhere").show(facts[0])  # nothing to be seen, and nothing broken
    (tmp_path / FILE).write_text(json.dumps({"pid": 2**22 + 1}))
    assert not state_of(chosen).runs, "it has ended since"


def test_what_the_disk_holds_is_told(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    enrol(chosen.identities, "js-0001")
    state = state_of(chosen)
    assert (state.hub, state.expired, state.renewed) == ("js-0001", False, False)
    enrol(chosen.identities, "js-0001")
    assert state_of(chosen).renewed
    (chosen.identities / "1" / "hub.crt").write_bytes(b"?")
    assert state_of(chosen).shown.trouble == EnrolTrouble.OTHER_KEY
    ended = tmp_path / "ended"
    enrol(settings(ended).identities, "js-0002", ends=datetime.now(UTC) - timedelta(hours=1))
    assert state_of(settings(ended)).expired


class Wires:
    """A network part that works when it is told to."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    async def run(self, tell: app.Tell) -> None:
        tell(Network(Way.ETHERNET))
        await asyncio.Event().wait()

    def take_order(self, order: Order) -> None:
        self.orders.append(order)


def test_the_process_greets_answers_pings_and_passes_orders_on(tmp_path: Path) -> None:
    chosen, wires = settings(tmp_path), Wires()
    enrol(chosen.identities, "js-0001", BOARD)

    async def story() -> list[Fact]:
        heard: list[Fact] = []
        gone = asyncio.Event()

        async def hub(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(VOCABULARY.encode(Ping(7)) + VOCABULARY.encode(OpenHotspot(5.0)))
            while isinstance(fact := await read_word(reader, VOCABULARY), Fact):
                heard.append(fact)
            writer.close()
            await writer.wait_closed()
            gone.set()

        server = await asyncio.start_unix_server(hub, chosen.socket)
        process = App(chosen, County(), wires, BOARD)
        running = asyncio.create_task(process.run())
        await until(lambda: Pong(7) in heard and wires.orders, "it answers")
        await until(lambda: Network(Way.ETHERNET) in heard, "the network is told")
        process._ended.set()  # as a signal does
        assert await running == 0
        await gone.wait()
        server.close()
        return heard

    heard = tell(story())
    assert heard[0] == Hello()
    assert Claimed("js-0001") in heard
    assert wires.orders == [OpenHotspot(5.0)]


def test_another_boards_identity_is_not_the_hubs_name(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    enrol(chosen.identities, "js-0001", "another")

    async def story() -> list[Fact]:
        return list(App(chosen, County(), board=BOARD)._greeting())

    assert tell(story()) == [Hello()]


def test_without_a_countys_file_the_process_goes_on(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert county_of(chosen) == County()
    (tmp_path / "county.toml").write_text("centre = 1\n")
    assert county_of(chosen) == County()
    (tmp_path / "county.toml").write_text('center = "https://c.example:8444"\nca = "ca.crt"\n')
    assert county_of(chosen) == County("", "https://c.example:8444", f"{tmp_path}/ca.crt")


def test_the_settings_are_read_from_their_own_folder(tmp_path: Path) -> None:
    file = tmp_path / "provision.toml"
    file.write_text('socket = "a.sock"\n')
    found = load(file)
    assert (found.socket, found.county) == (f"{tmp_path}/a.sock", "/etc/anbu/county.toml")
    file.write_text("sockets = 1\n")
    with pytest.raises(SettingsError):
        load(file)
