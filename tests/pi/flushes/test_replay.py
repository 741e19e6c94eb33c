"""The replay's own tests: a record is read, cuts are made, and a broken promise is found.

They need no virtual Pi: the product writes its files here, and the record is written by hand.
"""

import random
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from drivers.bluetooth.pairing import roster
from hub.core.model.activity import Habits
from hub.core.model.effects import Lane
from hub.core.model.state import HomeState
from hub.core.model.wireless import Pendant
from hub.outbox.store import Outbox, Row
from hub.shared.identity import KEY
from tests.identities import enrol
from tests.pi.flushes.images import HEAD, Image, boundaries
from tests.pi.flushes.judge import HUB, Claim, Promised, claim_of, wrongs
from tests.pi.flushes.record import HEAD as RECORD_HEAD
from tests.pi.flushes.record import MAGIC, OPERATION, Flag, Operation, RecordError, operations
from tests.pi.flushes.replay import DISK, RECORD, replay
from tests.pi.flushes.story import BEHIND, BLOCK
from tests.pi.stages import run

SECTOR = 512
CALL = "b0-1"
PENDANT = Pendant("pendant", "38:39:8F:70:B2:E1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")
CLAIMS = (Claim("call", CALL), Claim("identity", "1"), Claim("devices", PENDANT.name))
PLAIN = Flag(0)
FLUSH = Operation(0, 0, Flag.FLUSH)


def write(at: int, data: bytes, flags: Flag = PLAIN) -> Operation:
    return Operation(at, len(data), flags, data)


def recorded(path: Path, done: Iterable[Operation], sector: int = SECTOR) -> Path:
    """Write a record as QEMU does."""
    with path.open("wb") as file:
        file.write(RECORD_HEAD.pack(MAGIC, 1, 0, sector).ljust(sector, b"\0"))
        for one in done:
            fields = (one.at // sector, one.size // sector, one.flags, 0)
            file.write(OPERATION.pack(*fields).ljust(sector, b"\0") + one.data)
    return path


@pytest.mark.parametrize("sector", [512, 4096])
def test_a_record_is_read_as_it_was_written(tmp_path: Path, sector: int) -> None:
    done = [write(8 * sector, b"a" * sector), FLUSH, write(sector, b"b" * 2 * sector, Flag.FUA),
            Operation(4 * sector, 4 * sector, Flag.DISCARD), FLUSH]  # fmt: skip
    assert list(operations(recorded(tmp_path / "record", done, sector))) == done


def test_a_record_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    record = recorded(tmp_path / "record", [FLUSH, write(0, b"a" * 2 * SECTOR)])
    record.write_bytes(record.read_bytes()[:-1])
    assert list(operations(record)) == [FLUSH]
    record.write_bytes(record.read_bytes()[: 2 * SECTOR] + bytes(4 * SECTOR))
    assert list(operations(record)) == [FLUSH]


@pytest.mark.parametrize("content", [b"", b"\1" * SECTOR, RECORD_HEAD.pack(MAGIC, 2, 0, SECTOR)])
def test_what_is_no_record_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "record").write_bytes(content)
    with pytest.raises(RecordError):
        list(operations(tmp_path / "record"))


@pytest.fixture
def disk(tmp_path: Path) -> Image:
    (tmp_path / "disk.img").write_bytes(b"-" * 4)
    return Image(tmp_path / "disk.img")


def test_at_a_flush_there_is_all_before_it_and_nothing_after(disk: Image) -> None:
    done = [write(0, b"a"), FLUSH, write(1, b"b"), write(2, b"c"), FLUSH, write(3, b"d")]
    seen = [
        (at.number, disk.path.read_bytes(), b"".join(one.data for one in at.after))
        for at in boundaries(disk, iter(done))
    ]
    disk.close()
    assert seen == [(0, b"----", b"a"), (1, b"a---", b"bc"), (2, b"abc-", b"d")]


def test_a_disk_that_lies_is_behind_by_its_last_flushes(disk: Image) -> None:
    done = [write(0, b"a"), FLUSH, write(1, b"b"), FLUSH, write(2, b"c"), FLUSH]
    seen = [disk.path.read_bytes() for _ in boundaries(disk, iter(done), lies=1)]
    disk.close()
    assert seen == [b"----", b"----", b"a---", b"ab--"]


def test_a_torn_cut_has_parts_of_what_followed_by_sectors(tmp_path: Path) -> None:
    places, seen = 8, set()
    for seed in range(50):
        path = tmp_path / str(seed)
        path.write_bytes(bytes(HEAD) + b"-" * places * SECTOR)
        disk = Image(path)
        dice = random.Random(seed)  # noqa: S311 - no secret
        disk.tear([write(HEAD, b"+" * places * SECTOR)], dice)
        disk.close()
        content = path.read_bytes()[HEAD:]
        sectors = {content[n : n + SECTOR] for n in range(0, len(content), SECTOR)}
        assert sectors <= {b"-" * SECTOR, b"+" * SECTOR}
        seen.add(content)
    assert {b"-" * places * SECTOR, b"+" * places * SECTOR} < seen


def test_only_what_was_promised_last_or_begun_since_may_stand() -> None:
    promised = Promised()
    assert promised.allowed("identity") == {""}
    promised.take(Claim("identity", "1", done=False))
    assert promised.allowed("identity") == {"", "1"}
    promised.take(Claim("identity", "1"))
    assert promised.allowed("identity") == {"1"}
    promised.take(Claim("identity", "2", done=False))
    assert promised.allowed("identity") == {"1", "2"}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a state folder that the product has written: a call, an identity, a pendant."""
    folder = tmp_path / "state"
    folder.mkdir()
    outbox = Outbox(folder / "outbox.db")
    row = Row(1, CALL, Lane.SOS, f"anbu/1/{HUB}/event", b"{}", retain=False)
    outbox.commit(msgspec.msgpack.encode(HomeState(boot="b0")), [row], ())
    outbox.close()
    enrol(folder / "identity", HUB)
    roster.write(folder / "devices.toml", (PENDANT,))
    return folder


def promise() -> Promised:
    promised = Promised()
    for claim in CLAIMS:
        promised.take(claim)
    return promised


def test_a_folder_that_keeps_its_promises_is_found_whole(state: Path) -> None:
    assert not list(wrongs(state, promise()))


def test_a_call_that_the_hub_does_not_send_is_found(state: Path) -> None:
    outbox = Outbox(state / "outbox.db")
    outbox.commit(None, (), [CALL])
    outbox.close()
    assert list(wrongs(state, promise())) == [f"call {CALL} is not sent"]


def test_a_call_that_the_centre_has_stored_may_be_forgotten(state: Path) -> None:
    outbox = Outbox(state / "outbox.db")
    outbox.commit(None, (), [CALL])
    outbox.close()
    promised = Promised([CALL])
    for claim in CLAIMS:
        promised.take(claim)
    assert not list(wrongs(state, promised))


def test_an_outbox_that_is_gone_is_a_call_that_is_lost(state: Path) -> None:
    (state / "outbox.db").unlink()
    assert f"call {CALL} is not sent" in list(wrongs(state, promise()))


def test_an_outbox_that_had_to_be_repaired_is_found(state: Path) -> None:
    content = bytearray((state / "outbox.db").read_bytes())
    content[100:108] = b"\xff" * 8  # the root page of its tables
    (state / "outbox.db").write_bytes(content)
    assert "the outbox: corrupt" in list(wrongs(state, promise()))


@pytest.mark.parametrize("name", [f"identity/1/{KEY}", "identity/current"])
def test_an_identity_that_tls_cannot_use_is_found(state: Path, name: str) -> None:
    (state / name).unlink()
    (found,) = wrongs(state, promise())
    assert found.startswith("identity: none")


def test_a_key_of_another_generation_is_found(state: Path) -> None:
    enrol(state / "identity", HUB)
    shutil.copy(state / "identity/2" / KEY, state / "identity/1" / KEY)
    (found,) = wrongs(state, promise())
    assert found.startswith("identity: generation 1")


@pytest.mark.parametrize("content", [b"", b"[[device"])
def test_a_list_of_devices_that_is_torn_is_found(state: Path, content: bytes) -> None:
    (state / "devices.toml").write_bytes(content)
    (found,) = wrongs(state, promise())
    assert found.startswith("devices: ")


@pytest.mark.parametrize("content", [None, b"", b'{"word":'])
def test_a_press_that_a_radio_owes_and_has_not_is_found(state: Path, content: bytes | None) -> None:
    if content is not None:
        (state / "owed.jsonl").write_bytes(content)
    promised = promise()
    promised.take(Claim("owed", "pendant"))
    assert list(wrongs(state, promised)) == ["owed: none, not one of ['pendant']"]


def test_habits_that_are_torn_are_found(state: Path) -> None:
    (state / "habits.bin").write_bytes(b"\x8d\xa7vers")
    assert list(wrongs(state, promise())) == ["lost: habits"]


def test_habits_that_nobody_wrote_are_found(state: Path) -> None:
    (state / "habits.bin").write_bytes(msgspec.msgpack.encode(Habits(days=3)))
    assert list(wrongs(state, promise())) == ["habits: 3, not one of ['']"]


def test_a_whole_record_is_replayed_and_a_lying_disk_is_caught(tmp_path: Path, state: Path) -> None:
    (tmp_path / "blank").mkdir()
    made = tmp_path / "made.img"
    for image, root in ((tmp_path / DISK, tmp_path / "blank"), (made, state)):
        run("mke2fs", "-q", "-t", "ext4", "-d", root, image, f"{BEHIND // 1024}k")
    claims = [write(BEHIND, msgspec.json.encode(one).ljust(BLOCK, b"\0")) for one in CLAIMS]
    assert tuple(map(claim_of, claims)) == CLAIMS
    recorded(tmp_path / RECORD, [write(0, made.read_bytes()), FLUSH, *claims, FLUSH])
    honest = replay(tmp_path)
    # what is half a file system can only be found to be that
    assert [one for one in honest.wrong if not one.startswith("flush 0, torn")] == []
    assert (honest.flushes, honest.calls) == (2, 3)
    lying = replay(tmp_path, lies=1)
    assert f"flush 1: call {CALL} is not sent" in lying.wrong
    assert "flush 1: identity: none, not one of ['1']" in lying.wrong
