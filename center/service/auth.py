"""Who may do what: operators with passwords and sessions, programs with tokens.

The database holds argon2id hashes of passwords and SHA-256 of session and token secrets, so that
a copy of it signs nobody in.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from ipaddress import IPv6Address, ip_address

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct
from starlette.requests import HTTPConnection
from starlette.responses import Response

from center.service.refusals import RefusalError
from center.store.rows import accounts
from center.store.store import Store
from hub.contract.border import Open
from hub.shared.backoff import exponential_s

COOKIE = "anbu_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"  # the hidden field of a form
DEVICE_S = 180 * 86_400.0  # since the last sign-in there
UNTIL_DIGITS = 12
STRANGERS_MAX = 40  # that wait for their turn: 4 s of argon2
BUSY_S = 5.0
NO_COOKIES: Mapping[str, str] = {}
FREE = 3  # failures that cost nothing: fingers slip
FREE_OF_ADDRESS = 30  # an office behind one address
FIRST_S, LONGEST_S = 2.0, 300.0
FORGOTTEN_S = 3600.0  # a quiet hour forgives
NAMES_MAX = 10_000  # names and addresses remembered; the oldest go first


class Role(Open):
    """A supervisor may also read the audit; a role that is not listed may what an operator may."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"


class Person(Struct, frozen=True):
    """Who asks. `csrf` is empty for a program with a token, which no browser can be made to be."""

    name: str
    role: Role
    csrf: str = ""


class Denied(StrEnum):
    """Why somebody was turned away; a key of the message files."""

    NOT_SIGNED_IN = "not_signed_in"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    TOO_MANY_TRIES = "too_many_tries"
    NO_CSRF = "no_csrf"
    NOT_ALLOWED = "not_allowed"


class DeniedError(RefusalError):
    """Who asks was turned away. `wait_s` is the time until another try makes sense, else 0."""

    why: Denied

    def __init__(self, why: Denied, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


class Failures(Struct, frozen=True):
    """Failures in a row, and when the last one was (UTC seconds)."""

    count: int
    last_utc: float


Book = dict[str, Failures]


def counts_of(name: str, address: str, device: str = "") -> tuple[tuple[str, int], ...]:
    """Name the counts that a try belongs to, with the failures that each has free.

    `device` is a known device's own mark, empty for a stranger's.
    """
    if device:
        return ((f"device {device}", FREE),)
    place = network(address)
    return ((f"account {name[:64]} at {place}", FREE), (f"address {place}", FREE_OF_ADDRESS))


def network(address: str) -> str:
    """Give what belongs to one subscriber: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        four = found.ipv4_mapped
        return str(four) if four else str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def wait_s(failures: Failures | None, now_utc: float, free: int = FREE) -> float:
    """Return the seconds until the next try is allowed: 2, 4, 8 ... after the free ones."""
    if failures is None or failures.count < free:
        return 0.0
    pause_s = exponential_s(failures.count - free + 1, first_s=FIRST_S, longest_s=LONGEST_S)
    return max(0.0, failures.last_utc + pause_s - now_utc)


def failed(book: Book, key: str, now_utc: float) -> Book:
    """Note a failure of `key` in a copy of the book."""
    kept = {k: f for k, f in book.items() if now_utc - f.last_utc < FORGOTTEN_S}
    before = kept.pop(key, None)
    while len(kept) >= NAMES_MAX:
        kept.pop(next(iter(kept)))
    kept[key] = Failures((before.count if before else 0) + 1, now_utc)
    return kept


class Auth:
    """Sign-in, sign-out, and the answer to who asks."""

    def __init__(
        self, store: Store, clock: Callable[[], float], *, session_s: float, tls: bool
    ) -> None:
        self._store = store
        self._clock = clock
        self._session_s = session_s
        self._tls = tls
        self._failures: Book = {}
        # argon2 takes 64 MB and a core: one at a time; a crowd of strangers delays no known device
        self._turns = {False: asyncio.Semaphore(1), True: asyncio.Semaphore(1)}
        self._strangers = 0
        self._device_key = ""

    async def sign_in(
        self, name: str, password: str, address: str, cookies: Mapping[str, str] = NO_COOKIES
    ) -> str:
        """Give a new session's secret (see `set_cookie`), or raise `DeniedError`.

        `cookies` may show a device that is known (see `know_device`): guesses that others make do
        not make its owner wait.
        """
        name, password = _plain(name), _plain(password)
        held = await self._store.ask(accounts.password_hash, name)
        device = await self._known(name, held or _nobody(), cookies)
        keys = counts_of(name, address, device)
        self._check_waits(keys)
        if not device and self._strangers >= STRANGERS_MAX:
            raise DeniedError(Denied.TOO_MANY_TRIES, BUSY_S)
        self._strangers += not device
        try:
            async with self._turns[bool(device)]:
                self._check_waits(keys)
                right = await asyncio.to_thread(verify, held or _nobody(), password)
        finally:
            self._strangers -= not device
        if not right or held is None:
            now = self._clock()
            for key, _ in keys:
                self._failures = failed(self._failures, key, now)
            await self._store.change(accounts.sign_in_failed, now, name[:64], address)
            raise DeniedError(Denied.WRONG_PASSWORD)
        self._failures.pop(keys[0][0], None)
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        until = now + self._session_s
        await self._store.change(accounts.open_session, now, digest(secret), name, until, address)
        return secret

    async def know_device(self, response: Response, name: str) -> None:
        """Have the browser show from now on that `name` has signed in there."""
        name = _plain(name)
        held = await self._store.ask(accounts.password_hash, name)
        until, mark = int(self._clock() + DEVICE_S), secrets.token_urlsafe(9)
        seal = await self._seal(name, held or _nobody(), mark, until)
        response.set_cookie(
            device_cookie(name),
            f"{mark}.{until}.{seal}",
            max_age=int(DEVICE_S),
            path="/sign-in",
            httponly=True,
            samesite="strict",
            secure=self._tls,
        )

    async def sign_out(self, request: HTTPConnection) -> str:
        """End the session of the request, if it has one; give its `session_of`."""
        ended = session_of(request)
        await self._store.change(accounts.close_session, self._clock(), ended)
        return ended

    async def person(self, request: HTTPConnection) -> Person | None:
        """Tell who asks: by bearer token, else by session cookie, else nobody (None)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            found = await self._store.ask(accounts.by_token, digest(token.strip()))
            return found and Person(f"token:{found[0]}", Role.of(found[1]))
        secret = request.cookies.get(COOKIE)
        if not secret:
            return None
        found = await self._store.ask(accounts.by_session, digest(secret), self._clock())
        return found and Person(found[0], Role.of(found[1]), csrf_of(secret))

    async def require(
        self, request: HTTPConnection, role: Role = Role.OPERATOR, csrf: str | None = None
    ) -> Person:
        """Give who asks, or raise `DeniedError`.

        For a request that changes something, a person with a cookie must bring the CSRF token:
        as `csrf` (a form's field) or in the header.
        """
        person = await self.person(request)
        if person is None:
            raise DeniedError(Denied.NOT_SIGNED_IN)
        if role is Role.SUPERVISOR and person.role is not Role.SUPERVISOR:
            raise DeniedError(Denied.NOT_ALLOWED)
        if person.csrf and request.scope.get("method") not in {"GET", "HEAD"}:
            brought = csrf or request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(brought.encode(), person.csrf.encode()):
                raise DeniedError(Denied.NO_CSRF)
        return person

    def set_cookie(self, response: Response, secret: str) -> None:
        """Hand the session to the browser."""
        response.set_cookie(
            COOKIE,
            secret,
            max_age=int(self._session_s),
            httponly=True,
            samesite="strict",
            secure=self._tls,
        )

    def clear_cookie(self, response: Response) -> None:
        """Take the session from the browser."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._tls)

    async def _known(self, name: str, held: str, cookies: Mapping[str, str]) -> str:
        """Give the mark of a device that is known for this account, else an empty text."""
        mark, _, rest = cookies.get(device_cookie(name), "").partition(".")
        until, _, seal = rest.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < UNTIL_DIGITS):
            return ""
        expected = await self._seal(name, held, mark, int(until))
        right = hmac.compare_digest(seal.encode(errors="replace"), expected.encode())
        return mark if right and int(until) > self._clock() else ""

    async def _seal(self, name: str, held: str, mark: str, until: int) -> str:
        """Seal a device's cookie: with another password for the account it is void."""
        if not self._device_key:
            made = secrets.token_hex(32)
            self._device_key = await self._store.change(accounts.device_key, made)
        said = "\n".join((name, held, mark, str(until)))
        return hmac.new(self._device_key.encode(), said.encode(), hashlib.sha256).hexdigest()

    def _check_waits(self, keys: tuple[tuple[str, int], ...]) -> None:
        now = self._clock()
        longest_s = max(wait_s(self._failures.get(key), now, free) for key, free in keys)
        if longest_s > 0:
            raise DeniedError(Denied.TOO_MANY_TRIES, longest_s)


def session_of(request: HTTPConnection) -> str:
    """Name the session of a request without giving its secret away."""
    return digest(request.cookies.get(COOKIE, ""))


def device_cookie(name: str) -> str:
    """Name the cookie of a device that knows `name`: operators of all shifts share a console."""
    return f"anbu_device_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def csrf_of(secret: str) -> str:
    """Derive the CSRF token of a session; it does not give the session away."""
    return hmac.new(secret.encode(), b"anbu csrf", hashlib.sha256).hexdigest()


def _plain(text: str) -> str:
    """Replace what no encoding can hold; it is then simply wrong."""
    return text.encode(errors="replace").decode()


def digest(secret: str) -> str:
    """Hash a random secret for the database; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def hash_password(password: str) -> str:
    """Hash a password with argon2id at the library's (RFC 9106) parameters; takes about 0.1 s."""
    return PasswordHasher().hash(password)


def verify(held: str, password: str) -> bool:
    """Tell whether the password made the hash; takes as long as hashing."""
    try:
        return PasswordHasher().verify(held, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Hash what nobody knows: an unknown name then costs as much time as a wrong password."""
    return hash_password(secrets.token_urlsafe(32))
