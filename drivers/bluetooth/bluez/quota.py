"""How much of its hearing an adapter may spend on connecting.

While it connects, an adapter that also listens hears nothing: about 4 s each time (measured: 36
presses in a row lost). The simulated controller of that measurement lacked an event for which the
kernel waits 4 s; with it the kernel scanned again after 1.1 s. How long a real one is deaf is not
known (`anbu radio measure`), so the longer time is taken. The deaf time is what is rationed:
`SHARE` of all time in the long run, `SAVED_S` of it at once, so that a band that comes home is
connected to at once and one that flaps does not deafen the pendant. Waiting for a device that is
not there costs nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SHARE = 0.05
SAVED_S = 12.0  # three connects in a row
CONNECT_S = 4.0  # about what one costs


class Turn:
    """One try to connect: what is spent begins at `deaf_from`; None: nobody answered."""

    def __init__(self, now: float) -> None:
        self.deaf_from: float | None = now


class ConnectBudget:
    """The deaf seconds that may be spent; one connect at a time.

    `shared`: the adapter listens, too. With an adapter of its own nothing is rationed.

    async with budget.turn():   # waits until there is enough, then spends as long as it lasts
        await client.connect()
    """

    def __init__(self, now: Callable[[], float], *, shared: bool = True) -> None:
        self.shared = shared
        self._now, self._at = now, now()
        self._saved_s = SAVED_S
        self._one = asyncio.Lock()

    @property
    def wait_s(self) -> float:
        """How long until the next connect may begin."""
        self._save()
        return max(0.0, (CONNECT_S - self._saved_s) / SHARE) if self.shared else 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a turn, and spend the time until the block ends."""
        async with self._one:
            await asyncio.sleep(self.wait_s)
            turn = Turn(self._now())
            try:
                yield turn
            finally:
                self._save()
                if turn.deaf_from is not None:
                    self._saved_s -= self._now() - turn.deaf_from

    def _save(self) -> None:
        now = self._now()
        self._saved_s = min(SAVED_S, self._saved_s + (now - self._at) * SHARE)
        self._at = now
