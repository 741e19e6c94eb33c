"""Downloads by requests: https only, certificates verified, resumed, and checked by their hash.

Proxies and a county's own authority are taken from the environment, as requests does. Plain http is
only for a mirror on this machine, and never follows a redirect to another. A server that sends too
slowly counts as not answering.
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
from hub.shared.findings import Finding, bad

OK, PARTIAL, GONE_BEYOND, TOO_MANY, SERVER = 200, 206, 416, 429, 500
HOPS = 5  # redirects; two are usual for a site of models
BLOCK = 1 << 16
LONGEST_PAUSE_S = 16.0
PROGRESS_BYTES = 1 << 20  # a try that brought this much does not count as a failure
SPARE_BYTES = 64 << 20  # that must stay free on the disk
Watch = Callable[[int], None]  # called with the number of bytes so far


class Timeouts(Struct, frozen=True):
    """How long to wait for a server, and how often to try again."""

    connect_s: float = 10.0
    silence_s: float = 30.0
    window_s: float = 30.0
    least_bytes_s: float = 4096.0  # on average over the window
    retries: int = 5  # after 1, 2, 4, 8 and 16 s
    pause_s: float = 1.0


class Why(StrEnum):
    """Why a file could not be fetched; each is the code of a sentence."""

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
    """A file could not be fetched, and why; `again` if a retry may help."""

    def __init__(self, why: Why, *, again: bool = False, **values: object) -> None:
        super().__init__(why, values)
        self.why, self.again, self.values = why, again, values

    def told(self, name: str, file: str) -> Finding:
        """Return the error as a finding on a file of the model `name`."""
        return bad("model", self.why, **({"name": name, "file": file} | self.values))


class HttpClient:
    """Requests files from servers; `plain` allows http on this machine."""

    def __init__(self, timeouts: Timeouts | None = None, *, plain: bool = False) -> None:
        self.timeouts = timeouts or Timeouts()
        self._plain = plain
        self._session = requests.Session()
        self._session.headers["Accept-Encoding"] = "identity"  # hashes are of the file itself

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @contextmanager
    def open(self, url: str, begin: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield where the answer begins (`begin` or before) and its blocks. Raises FetchError."""
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
        times = (self.timeouts.connect_s, self.timeouts.silence_s)
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
        least = self.timeouts.least_bytes_s * self.timeouts.window_s
        try:
            while block := answer.raw.read1(BLOCK):
                got += len(block)
                yield block
                if time.monotonic() - begin > self.timeouts.window_s:
                    if got < least:
                        raise FetchError(Why.SLOW, again=True, url=answer.url)
                    begin, got = time.monotonic(), 0
        except HTTPError as error:
            raise FetchError(Why.BROKEN, again=True, url=answer.url, error=error) from error


def permitted(url: str, *, plain: bool) -> bool:
    """Whether an address may be requested: https, or with `plain` http on this machine."""
    return urlsplit(url).scheme == "https" or (plain and is_plain(url))


def is_plain(url: str) -> bool:
    """Whether an address is http on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        near = ip_address(host).is_loopback
    except ValueError:
        near = host == "localhost"
    return parts.scheme == "http" and near


def _reason(error: requests.RequestException) -> str:
    """Return the text of the innermost error."""
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


class Download(Struct, frozen=True):
    """A file to be fetched: from where, to where, and what it must be."""

    url: str
    to: Path
    size: int
    sha256: str

    @property
    def part(self) -> Path:
        """The file's path until it is whole."""
        return self.to.with_name(f"{self.to.name}.part")

    @property
    def rest(self) -> int:
        """How many bytes are still missing."""
        return max(self.size - _size(self.part), 0)


def fetch(download: Download, client: HttpClient, watch: Watch) -> None:
    """Fetch a file, with retries. Raises FetchError, or OSError from the disk."""
    download.to.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = _size(download.part)
        try:
            _download(download, client, watch)
            _accept(download, resumed=before > 0)
        except FetchError as error:
            if not error.again or failures >= client.timeouts.retries:
                raise
            first_s = client.timeouts.pause_s
            time.sleep(exponential_s(failures + 1, first_s=first_s, longest_s=LONGEST_PAUSE_S))
            failures = 0 if _size(download.part) - before >= PROGRESS_BYTES else failures + 1
        else:
            return


def make_room(folder: Path, needed: int) -> None:
    """Raise FetchError unless the disk has room for `needed` bytes and `SPARE_BYTES` more."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise full(folder, needed + SPARE_BYTES, free)


def full(folder: Path, needed: int, free: int) -> FetchError:
    """Return the error of a disk with too little room; all numbers in bytes."""
    return FetchError(
        Why.FULL, folder=folder, mb=f"{needed / 1e6:.0f}", free_mb=f"{free / 1e6:.0f}"
    )


def on_disk(error: OSError, folder: Path) -> FetchError:
    """Return an error of the disk as a FetchError."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full(folder, SPARE_BYTES, shutil.disk_usage(folder).free)
    return FetchError(Why.UNWRITABLE, folder=error.filename or folder, error=error.strerror)


def _download(download: Download, client: HttpClient, watch: Watch) -> None:
    begin = _size(download.part)
    if begin == download.size:
        return
    with client.open(download.url, begin) as (start, blocks), download.part.open("ab") as file:
        file.truncate(start)
        have = start
        for block in blocks:
            have += len(block)
            if have > download.size:
                file.truncate(0)
                raise FetchError(Why.TOO_LONG, url=download.url, size=download.size)
            file.write(block)
            watch(have)
        file.flush()
        os.fsync(file.fileno())


def _accept(download: Download, *, resumed: bool) -> None:
    """Put a file in its place if its size and hash are right."""
    if _size(download.part) < download.size:
        raise FetchError(Why.CUT_OFF, again=True, url=download.url)
    with download.part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != download.sha256:
        download.part.unlink()
        raise FetchError(Why.WRONG_HASH, again=resumed, url=download.url, found=found)
    download.part.replace(download.to)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
