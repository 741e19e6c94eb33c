"""The live feed: only for people who are signed in, and only while they are."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from center.service.auth import COOKIE, csrf_of
from center.service.feed import Topic, Update
from tests.broker import wait_until
from tests.center.e2e.office import SESSION_S, Office
from tests.hub.rig import figure


@contextmanager
def busy(office: Office) -> Iterator[None]:
    """Send news all the time, so that a feed has no pause; at the end, close all feeds."""
    stop = threading.Event()

    def tell() -> None:
        while not stop.wait(0.02):
            office.desk.feed.tell(Update(Topic.HUB, "js-0001"))

    telling = threading.Thread(target=tell)
    telling.start()
    try:
        yield
    finally:
        stop.set()
        telling.join()
        office.desk.feed.close()
        wait_until(lambda: not office.desk.feed._listeners, "nobody listens any more")


class Listening:
    """A program that reads the feed of a session to its end."""

    def __init__(self, office: Office, secret: str) -> None:
        self.lines: list[str] = []
        self._ready, self.ended = threading.Event(), threading.Event()
        self._address = f"{office.url}/api/feed"
        self._cookies = {COOKIE: secret}
        threading.Thread(target=self._read, daemon=True).start()
        assert self._ready.wait(10)

    def _read(self) -> None:
        with (
            httpx.Client(cookies=self._cookies, timeout=30.0) as client,
            client.stream("GET", self._address) as answer,
        ):
            for line in answer.iter_lines():
                self.lines.append(line)
                self._ready.set()
        self.ended.set()


def test_a_busy_feed_ends_when_its_person_signs_out(office: Office) -> None:
    secret, colleague = office.admit("김하늘"), office.admit("김하늘")
    with busy(office):
        mine, theirs = Listening(office, secret), Listening(office, colleague)
        wait_until(lambda: len(mine.lines) > 50, "there is news")
        began = time.monotonic()
        with office.visit(cookies={COOKIE: secret}) as browser:
            form = {"csrf": csrf_of(secret)}
            assert browser.post("/sign-out", data=form).status_code == 303
        assert mine.ended.wait(5), "the feed outlives the session"
        figure(f"ended {time.monotonic() - began:.2f} s after")
        assert not theirs.ended.is_set()


def test_a_busy_feed_ends_when_the_session_has_run_out(office: Office) -> None:
    with busy(office):
        listening = Listening(office, office.admit("김하늘"))
        wait_until(lambda: len(listening.lines) > 50, "there is news")
        office.ahead_s = SESSION_S + 1.0
        assert listening.ended.wait(office.settings.center.beat_s + 5)


@pytest.mark.parametrize("name", ["hire", "admit"])
def test_a_new_password_ends_the_feeds_of_the_old_one(office: Office, name: str) -> None:
    with busy(office):
        listening = Listening(office, office.admit("김하늘"))
        wait_until(lambda: len(listening.lines) > 50, "there is news")
        getattr(office, name)("김하늘")
        assert listening.ended.wait(office.settings.center.beat_s + 3) is (name == "hire")
