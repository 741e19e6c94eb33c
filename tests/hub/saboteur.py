"""A hub in which one thing dies at SIGUSR1.

python -m tests.hub.saboteur WHAT hub --config FILE --virtual
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from drivers import gpio_line
from hub import __main__
from hub.link.session import Session
from hub.outbox.store import Outbox

struck = threading.Event()


def main(what: str, *words: str) -> int:
    signal.signal(signal.SIGUSR1, lambda *_: _strike(what))
    if what in SABOTAGE:
        SABOTAGE[what]()
    return __main__.main(words)


def _strike(what: str) -> None:
    struck.set()
    while what == "engine":
        time.sleep(1)  # the loop's own thread never comes back


def _paho() -> None:
    """An exception in a callback of paho's."""
    wire_up = Session._wire_up

    def sabotaged(session: Session) -> None:
        wire_up(session)
        arrived = session._client.on_message

        def explodes(*message: Any) -> None:  # noqa: ANN401 - paho's
            if struck.is_set():
                raise ZeroDivisionError
            assert arrived
            arrived(*message)

        session._client.on_message = explodes

    setattr(Session, "_wire_up", sabotaged)  # noqa: B010 - mypy would not have it otherwise


def _gpio() -> None:
    setattr(gpio_line, "gpio_thread_alive", lambda _: not struck.is_set())  # noqa: B010 - likewise


def _disk() -> None:
    for name in ("commit", "probe"):
        setattr(Outbox, name, _hanging(getattr(Outbox, name)))


def _hanging(real: Any) -> Any:  # noqa: ANN401 - any method
    def method(*args: object) -> object:
        while struck.is_set():
            time.sleep(1)
        return real(*args)

    return method


SABOTAGE: dict[str, Callable[[], None]] = {"paho": _paho, "gpio": _gpio, "disk": _disk}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
