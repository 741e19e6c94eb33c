"""Random months of a hub and its centre: whatever comes, no hub sits in silence."""

import random
from pathlib import Path

import pytest

from center.store.rows import enrolments
from hub.shared.identity import CURRENT, NEXT, prove, read
from tests.provisioning.enrol.test_with_a_centre import Home, center, lose_the_answer, restored

EVENTS, HISTORIES = 15, 8
LAST_DAY = 360.0  # then the test centre's own certificate ends


class Months:
    """One history; `log` says what happened, for whoever looks for a fault in it."""

    def __init__(self, folder: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.office, self.patch = center(folder), patch
        self.dice, self.log, self.day = random.Random(seed), [f"seed {seed}"], 0.0  # noqa: S311 - dice
        self.office.open()
        self.home = Home(folder, self.office)
        self.home.step()
        self.home.claim()
        self.home.step()

    def happen(self) -> None:
        """Let something happen; then the plug is pulled, and put in again."""
        often = [self.wait, self.wait, self.wait, self.dial, self.dial, self.install, self.install]
        event = self.dice.choice(
            [*often, self.lose, self.strike_off, self.restore, self.clock_ahead]
        )
        event()
        self.home.days(self.day)
        pause_s = self.home.step()
        self.log.append(f"day {self.day}: {event.__name__}, {self.home.trouble()} {pause_s}")

    def wait(self) -> None:
        self.day = min(self.day + self.dice.choice([0.1, 5.0, 20.0, 35.0, 100.0, 200.0]), LAST_DAY)

    def dial(self) -> None:
        """The hub's session stands with `next`, if the broker takes it."""
        if self.accepted(NEXT):
            prove(self.home.root, self.home.have(NEXT))

    def install(self) -> None:
        """Somebody visits the home, if it shows digits."""
        if self.home.shown().digits:
            self.home.claim()
            self.home.step()

    def lose(self) -> None:
        lose_the_answer(self.home, self.patch)

    def strike_off(self) -> None:
        self.home.strike_off()

    def restore(self) -> None:
        """The centre's book is of a backup that does not know the newest certificate."""
        newest = next(name for name in (NEXT, CURRENT) if read(self.home.root, name))
        if self.known(newest):
            restored(self.office, self.home.certificate(newest))

    def clock_ahead(self) -> None:
        """The centre's clock is ahead for an hour, in which the hub looks and dials."""
        self.home.apart, self.office.ahead_s = True, (self.day + 95.0) * 86_400.0
        self.home.step()
        self.dial()
        self.home.apart = False

    def known(self, name: str) -> bool:
        serial = f"{self.home.certificate(name).leaf.serial_number:x}"
        return self.office.store.read(enrolments.shown, serial)[0] is not None

    def accepted(self, name: str) -> bool:
        """Whether the broker takes a certificate now."""
        if read(self.home.root, name) is None or not self.home.works(name):
            return False
        serial = f"{self.home.certificate(name).leaf.serial_number:x}"
        one, _ = self.office.store.read(enrolments.shown, serial)
        return one is None or one.revoked_utc is None

    def check(self) -> None:
        """Either the hub reaches the broker, or it is said and digits are shown."""
        shown, trouble = self.home.shown(), self.home.trouble()
        reached = [name for name in (CURRENT, NEXT) if self.accepted(name)]
        story = "\n".join([*self.log, f"{reached} {shown} {trouble}"])
        assert reached or (shown.digits and trouble), story
        if any(self.known(name) for name in reached):
            assert not shown.digits, story
            assert not trouble, story


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_whatever_comes_a_hub_works_or_says_that_a_person_has_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    months = Months(tmp_path, seed, monkeypatch)
    try:
        for _ in range(EVENTS):
            months.happen()
            months.check()
    finally:
        months.office.shut()
        months.office.store.close()
