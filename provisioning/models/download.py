"""HTTP, by requests: https only, certificates verified, an answer that trickles is no answer.

Proxies and a county's own authority are taken from the environment, as requests does. Plain http is
for a mirror on this very machine, and never follows a redirect elsewhere.
"""

import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from msgspec import Struct
from urllib3.exceptions import HTTPError

from hub.shared.backoff import exponential_s
from provisioning.findings import Finding, bad

OK, PARTIAL, GONE_BEYOND, TOO_MANY, SERVER = 200, 206, 416, 429, 500
HOPS = 5  # two are usual: a hub of models sends to its store
BLOCK = 1 << 16
LONGEST_PAUSE_S = 16.0


class Patience(Struct, frozen=True):
    """How long to wait for a server, and how often to try again."""

    connect_s: float = 10.0
    silence_s: float = 30.0
    window_s: float = 30.0
    least_bytes_s: float = 4096.0  # on average over the window
    retries: int = 5  # after 1, 2, 4, 8 and 16 s
    pause_s: float = 1.0


class Why(StrEnum):
    """Why a file could not be fetched: the codes of the sentences."""

    INSECURE = "insecure"
    REFUSED = "refused"
    TLS = "tls"
    SLOW = "slow"
    UNREACHABLE = "unreachable"
    BROKEN = "broken"
    CUT_OFF = "cut_off"
    TOO_LONG = "too_long"
    WRONG_HASH = "wrong_hash"
    FULL = "full"
    UNWRITABLE = "unwritable"
    UNSAFE = "unsafe"
    BAD_ARCHIVE = "bad_archive"
    NOT_INSIDE = "not_inside"


class FetchError(Exception):
    """What could not be fetched, and why; `again` if a retry may help."""

    def __init__(self, why: Why, *, again: bool = False, **values: object) -> None:
        super().__init__(why, values)
        self.why, self.again, self.values = why, again, values

    def told(self, name: str, file: str) -> Finding:
        """Give it as a finding on a file of the model `name`."""
        return bad("model", self.why, **({"name": name, "file": file} | self.values))


class Line:
    """Asks servers for files; `plain` allows http on this machine."""

    def __init__(self, patience: Patience | None = None, *, plain: bool = False) -> None:
        self.patience = patience or Patience()
        self._plain = plain
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"  # hashes are of the file itself

    def close(self) -> None:
        """Hang up."""
        self._session.close()

    @contextmanager
    def open(self, url: str, begin: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Give where the answer begins (`begin` or before) and its blocks. Raises FetchError."""
        answer = self._answer(url, begin)
        if answer.status_code == GONE_BEYOND:
            answer.close()
            answer = self._answer(url, 0)
        with answer:
            yield _start(answer, begin), self._blocks(answer)

    def _answer(self, url: str, begin: int) -> requests.Response:
        for _ in range(HOPS):
            answer = self._ask(url, begin)
            if not answer.is_redirect:
                return answer
            answer.close()
            url = urljoin(url, answer.headers["location"])
        raise FetchError(Why.REFUSED, url=url, status=answer.status_code)

    def _ask(self, url: str, begin: int) -> requests.Response:
        if not permitted(url, plain=self._plain):
            raise FetchError(Why.INSECURE, url=url)
        times = (self.patience.connect_s, self.patience.silence_s)
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        try:
            return self._session.get(
                url, headers=headers, timeout=times, stream=True, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise FetchError(Why.TLS, url=url, error=_reason(error)) from error
        except requests.Timeout as error:
            raise FetchError(Why.SLOW, again=True, url=url) from error
        except requests.RequestException as error:
            raise FetchError(Why.UNREACHABLE, again=True, url=url, error=_reason(error)) from error

    def _blocks(self, answer: requests.Response) -> Iterator[bytes]:
        begin, got = time.monotonic(), 0
        least = self.patience.least_bytes_s * self.patience.window_s
        try:
            while block := answer.raw.read1(BLOCK):
                got += len(block)
                yield block
                if time.monotonic() - begin > self.patience.window_s:
                    if got < least:
                        raise FetchError(Why.SLOW, again=True, url=answer.url)
                    begin, got = time.monotonic(), 0
        except HTTPError as error:
            raise FetchError(Why.BROKEN, again=True, url=answer.url, error=error) from error


def permitted(url: str, *, plain: bool) -> bool:
    """Whether an address may be asked: https, or http on this machine where that is meant."""
    return urlsplit(url).scheme == "https" or (plain and is_plain(url))


def is_plain(url: str) -> bool:
    """Whether an address is http on this very machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        near = ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    return parts.scheme == "http" and near


def _reason(error: requests.RequestException) -> str:
    """Give the innermost words of an error that wraps others."""
    inner = getattr(error.args[0], "reason", error) if error.args else error
    return str(inner).rpartition(": ")[2]


def _start(answer: requests.Response, begin: int) -> int:
    status = answer.status_code
    if status == OK:
        return 0
    span = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    if status == PARTIAL and span and int(span[1]) <= begin:
        return int(span[1])
    again = status == TOO_MANY or status >= SERVER
    raise FetchError(Why.REFUSED, again=again, url=answer.url, status=status)


PROGRESS_BYTES = 1 << 20  # a try that brought so much was no failure
SPARE_BYTES = 64 << 20  # the disk is not for models alone
Watch = Callable[[int], None]  # is told how many bytes there are


class Wanted(Struct, frozen=True):
    """A file that is wanted: from where, to where, and what it must be."""

    url: str
    to: Path
    size: int
    sha256: str

    @property
    def part(self) -> Path:
        """Where it lies until it is whole."""
        return self.to.with_name(f"{self.to.name}.part")

    @property
    def rest(self) -> int:
        """How many bytes are still to come."""
        return max(self.size - _size(self.part), 0)


def fetch(wanted: Wanted, line: Line, watch: Watch) -> None:
    """Bring a file, with retries. Raises FetchError, or OSError from the disk."""
    wanted.to.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = _size(wanted.part)
        try:
            _bring(wanted, line, watch)
            _accept(wanted, resumed=before > 0)
        except FetchError as error:
            if not error.again or failures >= line.patience.retries:
                raise
            first_s = line.patience.pause_s
            time.sleep(exponential_s(failures + 1, first_s=first_s, longest_s=LONGEST_PAUSE_S))
            failures = 0 if _size(wanted.part) - before >= PROGRESS_BYTES else failures + 1
        else:
            return


def make_room(folder: Path, needed: int) -> None:
    """Raise FetchError unless there is room for `needed` bytes, and some to spare."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise full(folder, needed + SPARE_BYTES, free)


def full(folder: Path, needed: int, free: int) -> FetchError:
    """Give the error of a disk with too little room, all in bytes."""
    return FetchError(
        Why.FULL, folder=folder, mb=f"{needed / 1e6:.0f}", free_mb=f"{free / 1e6:.0f}"
    )


def on_disk(error: OSError, folder: Path) -> FetchError:
    """Give what the disk said, in our words."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full(folder, SPARE_BYTES, shutil.disk_usage(folder).free)
    return FetchError(Why.UNWRITABLE, folder=error.filename or folder, error=error.strerror)


def _bring(wanted: Wanted, line: Line, watch: Watch) -> None:
    begin = _size(wanted.part)
    if begin == wanted.size:
        return
    with line.open(wanted.url, begin) as (start, blocks), wanted.part.open("ab") as file:
        file.truncate(start)
        have = start
        for block in blocks:
            have += len(block)
            if have > wanted.size:
                file.truncate(0)
                raise FetchError(Why.TOO_LONG, url=wanted.url, size=wanted.size)
            file.write(block)
            watch(have)
        file.flush()
        os.fsync(file.fileno())


def _accept(wanted: Wanted, *, resumed: bool) -> None:
    """Put a file in its place, if it is what was wanted."""
    if _size(wanted.part) < wanted.size:
        raise FetchError(Why.CUT_OFF, again=True, url=wanted.url)
    with wanted.part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted.sha256:
        wanted.part.unlink()
        raise FetchError(Why.WRONG_HASH, again=resumed, url=wanted.url, found=found)
    wanted.part.replace(wanted.to)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
