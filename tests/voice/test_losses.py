"""What a machine was too slow for is told with each Pong, in seconds of sound."""

import asyncio

from hub.contract.voice import Pong
from voice.hearing.capture import Capture
from voice.hearing.overhear import Overhearing
from voice.hearing.queue import JudgementQueue
from voice.status import Losses


def test_what_was_lost_in_each_place_is_told() -> None:
    async def evening() -> None:
        overhearing = Overhearing(lambda _: None, lambda _: None)
        capture = Capture(lambda _: None, lambda _: None, overhearing)
        judgements = JudgementQueue()
        losses = Losses(capture, overhearing, judgements)
        assert losses.pong(1) == Pong(1)
        capture.lost_s, overhearing.lost_s, judgements.unjudged_s = 1.26, 2.0, 4.0
        assert losses.pong(2) == Pong(2, ear_lost_s=1.3, amid_lost_s=2.0, unjudged_s=4.0)

    asyncio.run(evening())
