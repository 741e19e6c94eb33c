"""At the shell: `list` shows what there is, `remove` removes it, and the audit has a line of it."""

import argparse
import io
import sys
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from center import cli
from center.domain.announcement import Announcement, Draft, Fate
from center.domain.incident import Deed
from center.service.auth import Denied
from center.service.intake import Received, Told, store_message
from center.service.texts import of_file
from center.store import tables
from center.store.rows import announcements, audit, deliveries, incidents, needs, records
from center.store.rows import hubs as hub_rows
from center.store.rows.incidents import Which
from center.store.store import Store
from hub.contract.messages import Availability, CheckInResult, FaultKind, FaultReport, Stage
from hub.shared.command_line import Parser, spoken
from hub.shared.language import Language
from tests.center.counter import PASSWORD, TOKEN, Counter, at_counter
from tests.center.lives import check_in
from tests.center.making import HUB, NAMES, NOW, event, hear, received, state, stored
from tests.center.service.test_auth import refused, sign_in
from tests.center.test_borders import Desk, closed

FAULT = FaultReport("help:stuck", FaultKind.STUCK, "help", NOW, synced=True)


class Shell:
    """Run `anbu center` on the database in a folder; return its output."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._config = folder / "center.toml"
        self._config.write_text('[center]\ndatabase = "center.db"\n', "utf-8")

    def __call__(self, *words: str, lang: Language = Language.KOREAN) -> tuple[int, str, str]:
        with spoken(["--lang", lang]):
            parser = Parser()
            cli.add_arguments(parser)
            code = cli.run(parser.parse_args([*words, "--config", str(self._config)]))
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, capsys)


def deeds(store: Store) -> list[tuple[str, str, str]]:
    lines = [line.entry for line in store.read(audit.search)]
    return [(one.deed.value, one.hub, one.text) for one in lines]


def on_board(store: Store) -> list[str]:
    return [hub.hub for hub in store.read(hub_rows.known)]


def _taken(one: Received, conn: Connection) -> Told:
    return store_message(conn, one)


def lived_in(store: Store) -> None:
    hear(store, state(Availability.READY, faults=(FAULT.fault,)), utc=NOW)
    hear(store, FAULT, utc=NOW)
    hear(store, check_in(CheckInResult.MISSED, ident="c1"), utc=NOW)
    hear(store, event(), utc=NOW)


def test_a_hub_that_is_gone_for_good_leaves_the_board_and_its_history_stays(
    tmp_path: Path, shell: Shell
) -> None:
    with stored(tmp_path) as store:
        desk = Desk(store)
        lived_in(store)
        draft = Draft("물을 자주 드세요.", until_utc=NOW + 3600, key="k")
        sent = store.submit(lambda conn: announcements.put(conn, draft, "김하늘", NOW)).result(10)
        assert isinstance(sent, Announcement)
        code, _, err = shell("hub", "remove", HUB)
        assert (code, on_board(store)) == (1, [HUB])
        assert "먼저 종료" in err, "a call of it is open"
        closed(desk, desk.open_ones()[0])
        assert shell("hub", "remove", HUB)[0] == 0
        assert on_board(store) == []
        assert [one.stage for one in store.read(incidents.incidents, Which.ALL)] == [Stage.CLOSED]
        assert store.read(needs.still_open) == [], "nobody is to call there any more"
        (delivery,) = store.read(deliveries.of_announcement, sent.id)
        assert delivery.fate is Fate.WITHDRAWN
        assert deeds(store)[0] == ("hub_removed", HUB, "")
        again = Draft("불을 끄세요.", until_utc=NOW + 3600, key="k2")
        assert store.read(announcements.homes, again) == ()
        assert shell("hub", "remove", HUB)[0] == 1, "it is gone already"
        assert "지움" in shell("hub", "list")[1]


def test_a_removed_hub_that_speaks_again_is_on_the_board_with_a_notice(
    tmp_path: Path, shell: Shell
) -> None:
    with stored(tmp_path) as store:
        hear(store, state(), utc=NOW)
        assert shell("hub", "remove", HUB)[0] == 0
        for silent in (
            received(state(Availability.LOST), utc=NOW + 5),  # the broker's word
            received(state(), utc=NOW + 6, retained=True),  # and what it still holds of it
        ):
            store.submit(partial(_taken, silent)).result(10)
        assert on_board(store) == []
        told = hear(store, event(alarm="b9-1"), utc=NOW + 10)
        assert told.acks[0].event == "b9-1"
        (hub,) = store.read(hub_rows.known)
        assert (hub.hub, hub.back_utc, hub.removed_utc) == (HUB, NOW + 10, None)
        assert ("hub_back", HUB, "") in deeds(store)
        assert {update.topic.value for update in told.updates} >= {"alarm", "hub"}
        assert len([one for one in deeds(store) if one[0] == "hub_back"]) == 1
        hear(store, state(), utc=NOW + 20)
        assert len([one for one in deeds(store) if one[0] == "hub_back"]) == 1


def test_the_console_says_that_a_removed_hub_is_back(tmp_path: Path, shell: Shell) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, state(), utc=NOW)
        assert shell("hub", "remove", HUB)[0] == 0
        browser = await sign_in(counter)
        assert HUB not in (await browser.get("/hubs")).text
        hear(counter.store, state(), utc=NOW + 10)
        counter.now = NOW + 60
        assert "지웠던 허브가" in (await browser.get("/hubs")).text
        counter.now = NOW + 30 * 86_400
        assert "지웠던 허브가" not in (await browser.get("/hubs")).text

    at_counter(tmp_path, story)


def test_an_operator_who_is_removed_is_signed_out_at_once(tmp_path: Path, shell: Shell) -> None:
    name = NAMES[0]

    async def story(counter: Counter) -> None:
        browser = await sign_in(counter, name)
        assert (await browser.get("/api/alarms")).status_code == 200
        assert name in shell("user", "list")[1]
        assert shell("user", "remove", name) == (0, f"지웠습니다: {name}\n", "")
        assert (await browser.get("/api/alarms")).status_code == 401
        assert (await refused(counter, name, PASSWORD)).why is Denied.WRONG_PASSWORD
        assert deeds(counter.store)[1] == ("user_removed", "", name)
        assert name not in shell("user", "list")[1]
        assert shell("user", "remove", name)[0] == 1

    at_counter(tmp_path, story)


def test_a_token_that_is_removed_opens_nothing_any_more(tmp_path: Path, shell: Shell) -> None:
    async def story(counter: Counter) -> None:
        assert (await counter.get("/api/alarms")).status_code == 200
        listed = shell("token", "list", lang=Language.ENGLISH)[1]
        assert listed.startswith("bench\toperator\t")
        assert TOKEN not in listed
        assert shell("token", "remove", "bench")[0] == 0
        assert (await counter.get("/api/alarms")).status_code == 401
        assert deeds(counter.store)[0] == ("token_removed", "", "bench")
        assert shell("token", "list", lang=Language.ENGLISH)[1] == "None.\n"
        assert shell("token", "remove", "bench", lang=Language.ENGLISH)[0] == 1

    at_counter(tmp_path, story)


def test_a_home_never_heard_of_is_warned_of_and_an_id_that_cannot_be_is_refused(
    tmp_path: Path, shell: Shell
) -> None:
    file = tmp_path / "record.toml"
    file.write_text('name = "한가온"\n', "utf-8")

    def put(hub: str, lang: Language = Language.KOREAN) -> tuple[int, str, str]:
        return shell("home", "set", hub, "--file", str(file), lang=lang)

    with stored(tmp_path) as store:
        for wrong in ("JS-0001", "js 0001", "center", "", "js/1", "한가온", "x" * 64):
            code, _, err = put(wrong)
            assert (code, bool(err)) == (2, True), wrong
        assert "js-0001" in put("JS-0001")[2], "the one that was meant"
        assert store.read(records.kept) == []
        code, _, err = put("js-0009")
        assert code == 0
        assert "js-0009 허브는 한 번도 연결된 적이 없습니다" in err
        hear(store, state(), utc=NOW)
        assert put(HUB) == (0, "", "")
        assert [line.split("\t")[:2] for line in shell("home", "list")[1].splitlines()] == [
            [HUB, "한가온"],
            ["js-0009", "한가온"],
        ]
        assert shell("home", "remove", "js-0009")[0] == 0
        assert deeds(store)[0] == ("record_removed", "js-0009", "")
        assert [one[0] for one in store.read(records.kept)] == [HUB]
        assert shell("home", "remove", "js-0009", lang=Language.ENGLISH)[2].startswith(
            "There is no record"
        )
        shell("hub", "remove", HUB)
        file.write_text('name = "윤바람"\n', "utf-8")
        assert "was removed" in put(HUB, Language.ENGLISH)[2]


@pytest.mark.parametrize(
    ("locale", "lang"), [("en_GB.UTF-8", Language.ENGLISH), ("ko_KR", Language.KOREAN)]
)
def test_the_shell_is_spoken_to_in_its_language(
    locale: str, lang: Language, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "ANBU_LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    assert cli.run(parser.parse_args(["user", "add", "x", "--password-stdin"])) == 2
    assert ("비밀번호" in capsys.readouterr().err) is (lang is Language.KOREAN)


def test_both_languages_say_the_same() -> None:
    korean, english = (of_file("cli", lang).sentences for lang in Language)
    assert korean.keys() == english.keys()


def test_every_removal_has_its_word_in_the_audit() -> None:
    assert {Deed.HUB_REMOVED, Deed.HUB_BACK, Deed.RECORD_REMOVED} <= set(Deed)
    assert tables.hubs.c.removed_utc.nullable
