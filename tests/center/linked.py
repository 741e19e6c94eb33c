"""A store that is linked to a broker, without the web, for tests."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from center.config import Mqtt
from center.link.reconnect import Link
from center.service import inbox
from center.service.feed import Feed, Update
from center.service.inbox import Inbox
from center.service.metrics import Tally
from center.service.rate_limit import RateLimit
from center.store.store import Store
from tests.broker import Broker, wait_until

T = TypeVar("T")


class Told(Feed):
    """A feed that only keeps what it is told."""

    def __init__(self) -> None:
        self.updates: list[Update] = []

    def tell(self, update: Update) -> None:
        self.updates.append(update)


class Flaky(Store):
    """A store whose disk is full for the next `full` jobs."""

    full = 0
    error: Exception = OperationalError("INSERT", {}, sqlite3.OperationalError("full"))

    def submit(
        self, job: Callable[[Connection], T], after: Callable[[Future[T]], None] | None = None
    ) -> Future[T]:
        if not self.full:
            return super().submit(job, after)
        self.full -= 1
        failed: Future[T] = Future()
        failed.set_exception(self.error)
        if after:
            failed.add_done_callback(after)
        return failed


class Office:
    """A linked store, without the web."""

    def __init__(self, store: Flaky, settings: Mqtt) -> None:
        self.store = store
        self.tally = Tally({})
        self.rate_limit = RateLimit()
        self.inbox = Inbox(store, Told(), self.tally, time.time, lambda: self.link, self.rate_limit)
        receive = partial(inbox.receive, self.inbox)
        turned = partial(inbox.turned, self.inbox)
        self.link = Link(settings, time.time, receive, turned, store.id)

    def wait_up(self) -> None:
        wait_until(lambda: self.link.listening_utc is not None, "the link stands")

    def wait_new(self, since_utc: float | None) -> None:
        """Wait for a session after the one that began at `since_utc`."""

        def is_new() -> bool:
            return self.link.listening_utc not in {None, since_utc}

        wait_until(is_new, "a new session stands", 15)


def mqtt(
    broker: Broker, *ports: int, name: str = "center", protocol: Literal["5", "3.1.1"] = "5"
) -> Mqtt:
    """Return settings for the broker's TLS port, or for other ports."""
    return Mqtt(
        brokers=tuple(f"tls://127.0.0.1:{port}" for port in ports or (broker.port,)),
        ca=str(broker.certs / "ca.crt"),
        cert=str(broker.certs / f"{name}.crt"),
        key=str(broker.certs / f"{name}.key"),
        protocol=protocol,
    )


@contextmanager
def office(folder: Path, settings: Mqtt) -> Iterator[Office]:
    """Open a database in `folder` and link it."""
    folder.mkdir(exist_ok=True)
    store = Flaky(f"sqlite:///{folder / 'center.db'}")
    opened = Office(store, settings)
    opened.link.start()
    try:
        yield opened
    finally:
        opened.link.stop()
        opened.rate_limit.close()
        store.close()
