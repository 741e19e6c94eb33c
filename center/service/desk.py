"""Everything that the API, the pages and the periodic jobs work with, in one struct."""

from collections.abc import Callable
from dataclasses import dataclass

from center.config import Settings
from center.link.reconnect import Link
from center.service.auth import Auth
from center.service.feed import Feed
from center.service.metrics import Tally
from center.service.strangers import Registry
from center.store.store import Store


@dataclass(frozen=True)
class Desk:
    """The running centre. `clock` returns UTC seconds since 1970."""

    settings: Settings
    clock: Callable[[], float]
    store: Store
    feed: Feed
    link: Link
    auth: Auth
    tally: Tally
    registry: Registry | None = None  # None: this centre signs no certificates
