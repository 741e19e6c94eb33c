"""A call that was pressed ten thousand times is a short page, and nothing of it is lost."""

import re
import secrets
import time
from pathlib import Path

from center.domain.by_people import Act, close
from center.domain.incident import Change, Deed, Entry, Outcome
from center.service import auth
from center.store.rows import accounts, incidents
from center.store.rows.audit import write_line
from center.store.rows.incidents import incident, save
from tests.center.counter import Counter, at_counter
from tests.center.making import NOW, event, hear

PRESSES = 10_000


def presses(counter: Counter, count: int = PRESSES) -> None:
    """Store `count` messages of an alarm whose cord has a loose contact."""
    hear(counter.store, event(), utc=NOW)

    def job(conn: object) -> None:
        for number in range(count):
            entry = Entry(NOW + number, Deed.REPEATED, number + 2, event=f"b1-1-{number}")
            write_line(conn, entry, "b1-1")  # type: ignore[arg-type]

    counter.store.submit(job).result(60)


async def signed_in(counter: Counter) -> None:
    secret = secrets.token_urlsafe()
    hashed, until = auth.digest(secret), counter.now + 3600
    await counter.store.change(accounts.open_session, counter.now, hashed, "김하늘", until, "test")
    counter.client.cookies.set(auth.COOKIE, secret)


def test_its_page_is_small_and_leads_to_all_that_is_older(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        presses(counter)
        await signed_in(counter)
        began = time.perf_counter()
        page = await counter.client.get("/incidents/b1-1")
        took = time.perf_counter() - began
        assert len(page.content) < 100_000  # 2.8 MB with the whole timeline
        assert took < 1.0
        assert page.text.count('<time class="mono"') == incidents.LINES
        older = re.search(r'href="(/incidents/b1-1\?before=\d+)#timeline"', page.text)
        assert older
        before = await counter.client.get(older[1])
        assert before.text.count('<time class="mono"') == incidents.LINES
        assert 'href="/incidents/b1-1#timeline"' in before.text
        assert (await counter.client.get("/incidents/b1-1?before=x")).status_code == 200

    at_counter(tmp_path, story)


def test_a_program_reads_it_page_by_page_without_a_gap(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        presses(counter, 1234)
        found: list[str] = []
        query = ""
        while True:
            alarm = (await counter.get(f"/api/alarms/b1-1?limit=500{query}")).json()
            found = [one["event"] for one in alarm["timeline"]] + found
            if alarm["timeline_next"] is None:
                break
            query = f"&before={alarm['timeline_next']}"
        assert found == ["b1-1", *(f"b1-1-{number}" for number in range(1234))]
        short = (await counter.get("/api/alarms/b1-1")).json()
        assert len(short["timeline"]) == 100

    at_counter(tmp_path, story)


def test_who_closed_it_is_known_however_much_came_after(tmp_path: Path) -> None:
    async def story(counter: Counter) -> None:
        hear(counter.store, event(), utc=NOW)
        held = counter.store.read(incident, "b1-1")
        assert held
        done = close(held, Act("김하늘", NOW + 1), Outcome.TEST)
        assert isinstance(done, Change)
        counter.store.submit(lambda conn: save(conn, done)).result(10)
        presses(counter, 60)
        case = counter.store.read(incidents.case, "b1-1")
        assert case
        assert case.closed_by == "김하늘"
        assert Deed.CLOSED not in {entry.deed for entry in case.timeline}

    at_counter(tmp_path, story)
