"""What a machine was too slow for is counted in seconds of sound, and told with each Pong."""

import asyncio

from hub.contract.voice import Pong
from voice.hearing.capture import BYTES_S, Ear
from voice.hearing.hearing import Utterance
from voice.hearing.overhear import Overhearing
from voice.status import Losses


def test_what_was_let_go_is_told_and_what_was_judged_is_not() -> None:
    amid = Overhearing(lambda _: None, lambda _: None)
    ear = Ear(lambda _: None, lambda _: None, amid)
    losses = Losses(ear, amid)
    assert losses.pong(1) == Pong(1)
    long, short = Utterance(bytes(3 * BYTES_S)), Utterance(bytes(BYTES_S))

    async def judged(utterance: Utterance) -> None:
        losses.judged(utterance)

    async def let_go() -> None:
        pass

    async def evening() -> None:
        await losses.watch(long, judged(long))
        await losses.watch(short, let_go())
        await losses.watch(long, let_go())

    asyncio.run(evening())
    ear.lost_s, amid.lost_s = 1.26, 2.0
    assert losses.pong(2) == Pong(2, ear_lost_s=1.3, amid_lost_s=2.0, unjudged_s=4.0)
