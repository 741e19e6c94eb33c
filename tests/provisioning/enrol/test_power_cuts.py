"""A power cut at every file operation of enrolment and renewal: the old identity or the new one.

Each story runs once for each of its operations and is cut before it. Then the disk is as one of
three kinds of cut leaves it, the checks are made, and a new process takes the work up again.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from hub.contract.provision import Fact
from hub.shared import tls
from hub.shared.county import County
from hub.shared.identity import AUTHORITY, CERTIFICATE, KEY, NEXT, Identity, in_use, prove, read
from provisioning.enrol import keys, store
from provisioning.enrol.enrolment import Enrolment
from tests.broker import certs
from tests.identities import enrol
from tests.provisioning.enrol.est import Est

HUB, BOARD = "js-0001", "b"
P = ParamSpec("P")
T = TypeVar("T")


class PowerCutError(BaseException):
    """The power is gone: nothing of ours may catch it."""


class Lost(Enum):
    """What a cut takes with it."""

    NOTHING = auto()
    CONTENT = auto()  # of files that were not synced: they are there, and empty
    NAMES = auto()  # also what was created or renamed in folders that were not synced


class Disk:
    """Counts operations, and knows what has not reached the disk."""

    def __init__(self, cut_at: int) -> None:
        self.count, self._cut_at = 0, cut_at
        self._files: dict[Path, bool] = {}  # written here: whether they are synced
        self._undo: list[tuple[Path, Callable[[], object]]] = []  # by folder, the newest last

    @contextmanager
    def under(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Put the counting in front of the operations."""
        with patch.context() as put:
            for name in ("open", "mkdir", "fsync", "replace", "symlink", "unlink"):
                put.setattr(os, name, self._counting(name, getattr(os, name)))
            yield

    def lose(self, lost: Lost) -> None:
        """Leave the disk as the cut does."""
        if lost is Lost.NAMES:
            for _, undo in reversed(self._undo):
                undo()
        if lost is not Lost.NOTHING:
            for file, synced in self._files.items():
                if not synced and file.exists():
                    file.write_bytes(b"")

    def _counting(self, name: str, real: Callable[P, T]) -> Callable[P, T]:
        note = getattr(self, f"_{name}")

        def operation(*args: P.args, **kwargs: P.kwargs) -> T:
            flags = args[1] if name == "open" else os.O_CREAT
            if not (isinstance(flags, int) and flags & os.O_CREAT):
                return real(*args, **kwargs)
            self.count += 1
            if self.count > self._cut_at:
                raise PowerCutError
            note(*args)
            return real(*args, **kwargs)

        return operation

    def _open(self, path: Path, *_: object) -> None:
        self._files[Path(path)] = False
        self._undo.append((Path(path).parent, lambda: Path(path).unlink(missing_ok=True)))

    def _mkdir(self, path: Path, *_: object) -> None:
        def undo() -> None:
            with suppress(OSError):
                Path(path).rmdir()

        self._undo.append((Path(path).parent, undo))

    def _symlink(self, _: str, path: Path, *__: object) -> None:
        self._undo.append((Path(path).parent, lambda: Path(path).unlink(missing_ok=True)))

    def _unlink(self, path: Path, *_: object) -> None:
        """Nothing: only left-overs of an earlier cut are removed."""

    def _replace(self, source: Path, target: Path) -> None:
        source, target = Path(source), Path(target)
        link = str(target.readlink()) if target.is_symlink() else ""
        content = None if link or not target.exists() else target.read_bytes()
        if source in self._files:
            self._files[target] = self._files.pop(source)

        def undo() -> None:
            target.rename(source)
            if link:
                target.symlink_to(link)
            elif content is not None:
                target.write_bytes(content)
            if target in self._files:
                self._files[source] = self._files.pop(target)

        self._undo.append((target.parent, undo))

    def _fsync(self, opened: int) -> None:
        path = Path(f"/proc/self/fd/{opened}").readlink()
        if path.is_dir():
            self._undo = [one for one in self._undo if one[0] != path]
        else:
            self._files[path] = True


def stepped(root: Path, est: Est, told: list[Fact]) -> None:
    """One step of a process that has just begun."""
    county = County(center=est.url, ca=str(certs() / "ca.crt"))
    enrolment = Enrolment(root, county, BOARD, told.append, synced=lambda: True)
    enrolment._step()  # in this thread: a cut in another would not reach us


def works(held: Identity) -> bool:
    """Whether TLS can use it: key, certificate and authority are whole and fit together."""
    tls.context(held.file(AUTHORITY), held.file(CERTIFICATE), held.file(KEY))
    issued = keys.load(Path(held.file(CERTIFICATE)).read_bytes())
    return issued.hub == held.hub == HUB


@pytest.fixture(scope="module")
def est() -> Iterator[Est]:
    with Est(certs()) as server:
        server.typed = HUB
        yield server


def cuts(patch: pytest.MonkeyPatch, run: Callable[[], None], lost: Lost, cut_at: int) -> bool:
    """Run until the cut; return whether there was one."""
    disk = Disk(cut_at)
    try:
        with disk.under(patch):
            run()
    except PowerCutError:
        disk.lose(lost)
        return True
    return False


Story = Callable[[Path], None]


def each_cut(
    folder: Path, patch: pytest.MonkeyPatch, lost: Lost, before: Story, run: Story
) -> Iterator[Path]:
    """Yield the identity's folder after each cut of `run`; `before` makes what was there."""
    cut_at, more = 0, True
    while more:
        root = folder / str(cut_at) / "state" / "identity"
        root.parent.mkdir(parents=True)
        before(root)
        more = cuts(patch, lambda root=root: run(root), lost, cut_at)  # type: ignore[misc]
        yield root
        cut_at += 1
    assert cut_at > 1


def nothing(_: Path) -> None:
    """The hub was never registered."""


@pytest.mark.parametrize("lost", Lost)
def test_a_first_enrolment_is_whole_or_is_begun_again(
    tmp_path: Path, est: Est, monkeypatch: pytest.MonkeyPatch, lost: Lost
) -> None:
    count = 0
    for root in each_cut(tmp_path, monkeypatch, lost, nothing, lambda root: stepped(root, est, [])):
        held = in_use(root)
        assert held is None or works(held)
        told: list[Fact] = []
        stepped(root, est, told)  # the power is back
        held = in_use(root)
        assert held is not None
        assert works(held)
        assert read(root) == held, "it has its name"
        count += 1
    assert count > 20, "each file, folder and name"


def registered(root: Path) -> None:
    """The hub has an identity."""
    enrol(root, HUB, BOARD)


@pytest.mark.parametrize("lost", Lost)
def test_a_renewal_leaves_the_old_identity_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: Lost
) -> None:
    def renewed(root: Path) -> None:
        enrol(root, HUB, BOARD)
        fresh = read(root, NEXT)
        assert fresh
        assert prove(root, fresh)  # as the hub does when a session stands

    count = 0
    for root in each_cut(tmp_path, monkeypatch, lost, registered, renewed):
        current, fresh = read(root), read(root, NEXT)
        assert current is not None, "old or new, never neither"
        assert works(current)
        assert fresh is None or works(fresh)
        assert in_use(root) == current
        store.adopt(root, BOARD)  # a new process
        renewed(root)
        now = read(root)
        assert now is not None
        assert now.number > 1
        assert works(now)
        count += 1
    assert count > 20


def test_a_cut_after_the_centre_has_answered_loses_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole generation without a name gets it at the next start: the centre has issued it."""
    registered(tmp_path / "identity")
    root = tmp_path / "identity"
    monkeypatch.setattr(store, "_point", lambda *_: None)
    enrol(root, HUB, BOARD)
    assert read(root, NEXT) is None
    monkeypatch.undo()
    assert store.adopt(root, BOARD) == NEXT
    fresh = read(root, NEXT)
    assert fresh is not None
    assert works(fresh)
