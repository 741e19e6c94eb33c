"""HTTP, by requests: https only, certificates verified, an answer that trickles is no answer.

Proxies and a county's own authority are taken from the environment, as requests does. Plain http is
for a mirror on this very machine, and never follows a redirect elsewhere.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import urljoin, urlsplit

import requests
from msgspec import Struct
from urllib3.exceptions import HTTPError

from provisioning.findings import Finding, bad

OK, PARTIAL, GONE_BEYOND, TOO_MANY, SERVER = 200, 206, 416, 429, 500
HOPS = 5  # two are usual: a hub of models sends to its store
BLOCK = 1 << 16


class Patience(Struct, frozen=True):
    """How long to wait for a server, and how often to try again."""

    connect_s: float = 10.0
    silence_s: float = 30.0
    window_s: float = 30.0
    least_bytes_s: float = 4096.0  # on average over the window
    pauses_s: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0)


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
