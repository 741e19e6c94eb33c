"""The watchdog: systemd hears READY when the button is armed, and WATCHDOG while all works."""

import os
import select
import signal
import socket
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from hub.process import watchdog
from tests.broker import Broker, wait_until
from tests.hub.rig import HubProcess, NotifySocket, StubCenter, environment, figure, names

pytestmark = pytest.mark.broker
BAR_S = 15.0
BEAT_S = 5.0
DEATHS = ("paho", "gpio", "disk", "engine")


def test_without_systemd_all_of_it_is_silent() -> None:
    with patch.dict(os.environ), patch("systemd.daemon.notify", side_effect=OSError):
        os.environ.pop("NOTIFY_SOCKET", None)
        watchdog.ready()
        watchdog.pet()


def test_a_systemd_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    """The socket holds a dozen messages; the engine once blocked on the next one."""
    path = tmp_path / "deaf"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf,
        environment(NOTIFY_SOCKET=str(path)),
    ):
        deaf.bind(str(path))

        def talk() -> None:
            for _ in range(1000):
                watchdog.pet()

        talker = threading.Thread(target=talk)
        talker.start()
        talker.join(10)
        assert not talker.is_alive()


def talk_on() -> None:
    for _ in range(1000):
        watchdog.pet()


@pytest.mark.parametrize(
    ("usec", "expected_s"), [("30000000", 5.0), ("6000000", 1.0), ("0", 5.0), ("x", 5.0)]
)
def test_the_hub_looks_after_itself_six_times_in_systemds_patience(
    usec: str, expected_s: float
) -> None:
    with environment(WATCHDOG_USEC=usec):
        assert watchdog.interval_s() == expected_s


def test_the_watchdog_is_fed_while_all_lives_and_no_longer_when_anything_is_dead(
    tmp_path: Path,
) -> None:
    """A callback of paho's, the GPIO thread, the disk, the engine: each in a hub of its own."""
    with ExitStack() as stack:
        broker = stack.enter_context(Broker())
        center = stack.enter_context(StubCenter(broker))
        hubs: dict[str, HubProcess] = {}
        sockets: dict[str, NotifySocket] = {}
        for what, name in zip((*DEATHS, "none"), names(5), strict=True):
            folder = tmp_path / what
            hubs[what] = HubProcess(folder, broker.port, hub=name)
            sockets[what] = stack.enter_context(NotifySocket(folder))
            hubs[what].notify = sockets[what].path
            hubs[what].start(*(("-m", "tests.hub.saboteur", what) if what in DEATHS else ()))
            stack.enter_context(hubs[what])
        for what, notify in sockets.items():
            wait_until(partial(_fed_twice, notify), f"{what} is fed", 30)
            assert notify.heard[0][1] != "WATCHDOG=1"
            assert notify.times("READY=1")[0] <= notify.times("WATCHDOG=1")[0]
        for what in DEATHS:
            hubs[what].process.send_signal(signal.SIGUSR1)
        struck_at = time.monotonic()
        for nudge in range(1, 5):  # acks that mean nothing, but call paho's callback once struck
            for hub in hubs.values():
                center.client.publish(f"anbu/1/{hub.hub}/ack", b"{}", qos=1)
            wait_until(partial(_passed, struck_at + nudge / 2), "the next nudge")
        end = struck_at + BAR_S + BEAT_S + 0.5
        wait_until(lambda: time.monotonic() > end, "the bar has passed", 60)
        for what in DEATHS:
            last_s = max(sockets[what].times("WATCHDOG=1")) - struck_at
            lives = hubs[what].process.poll() is None
            figure(f"{what}: last WATCHDOG=1 {last_s:+.1f} s after its death; process {lives=}")
            assert last_s <= BAR_S
        fed = [at for at in sockets["none"].times("WATCHDOG=1") if at > struck_at]
        assert len(fed) >= 3, "a healthy hub is fed on"
        assert hubs["paho"].process.poll(), "what cannot be mended ends, for systemd to restart"


def _passed(moment: float) -> bool:
    return time.monotonic() > moment


def _fed_twice(notify: NotifySocket) -> bool:
    return len(notify.times("WATCHDOG=1")) >= 2


def test_a_ready_that_found_no_room_is_said_with_the_next_pet(tmp_path: Path) -> None:
    path = tmp_path / "full"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
        environment(NOTIFY_SOCKET=str(path)),
    ):
        notify.bind(str(path))
        notify.settimeout(5)
        for _ in range(1000):
            watchdog.status("chatter")
        watchdog.ready()
        while notify.recv(100) and select.select((notify,), (), (), 0)[0]:
            pass
        watchdog.pet()
        assert [notify.recv(100), notify.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
