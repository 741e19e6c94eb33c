"""Connecting deafens an adapter that listens, so it is rationed."""

import asyncio

import pytest

from drivers.bluetooth.bluez.quota import CONNECT_S, SAVED_S, SHARE, ConnectBudget


def spend(budget: ConnectBudget, clock: list[float], s: float) -> None:
    async def story() -> None:
        async with budget.turn():
            clock[0] += s

    asyncio.run(story())


def test_a_band_that_comes_home_is_connected_to_at_once() -> None:
    assert ConnectBudget(lambda: 0.0).wait_s == 0


def test_a_band_that_flaps_deafens_the_pendant_for_a_small_share_of_the_time() -> None:
    clock = [0.0]
    budget = ConnectBudget(lambda: clock[0])
    connects = 0
    while clock[0] < 3600:
        clock[0] += budget.wait_s
        spend(budget, clock, CONNECT_S)
        connects += 1
    assert connects * CONNECT_S == pytest.approx(SAVED_S + 3600 * SHARE, rel=0.05)


def test_a_connect_that_took_long_is_paid_for_in_full() -> None:
    clock = [0.0]
    budget = ConnectBudget(lambda: clock[0])
    spend(budget, clock, 30.0)
    assert budget.wait_s == pytest.approx((30.0 + CONNECT_S - SAVED_S) / SHARE, rel=0.1)


@pytest.mark.parametrize("answers", [False, True])
def test_waiting_for_an_answer_costs_nothing(*, answers: bool) -> None:
    clock = [0.0]
    budget = ConnectBudget(lambda: clock[0])

    async def story() -> None:
        async with budget.turn() as turn:
            clock[0] += 60.0
            turn.deaf_from = clock[0] if answers else None
            clock[0] += 2.0

    asyncio.run(story())
    assert budget.wait_s == 0


def test_a_dongle_of_its_own_connects_as_it_likes() -> None:
    clock = [0.0]
    budget = ConnectBudget(lambda: clock[0], shared=False)
    spend(budget, clock, 60.0)
    assert budget.wait_s == 0


def test_two_devices_are_never_connected_to_at_the_same_time() -> None:
    order = list[str]()

    async def one(budget: ConnectBudget, name: str, done: asyncio.Event) -> None:
        async with budget.turn():
            order.append(f"{name} begins")
            await done.wait()
            order.append(f"{name} ends")

    async def story() -> None:
        budget, done = ConnectBudget(lambda: 0.0), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for name in ("band", "cuff"):
                group.create_task(one(budget, name, done))
            await asyncio.sleep(0)
            done.set()

    asyncio.run(story())
    assert order == ["band begins", "band ends", "cuff begins", "cuff ends"]
