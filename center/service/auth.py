"""Who may do what: operators with passwords and sessions, programs with tokens.

The database has argon2id hashes of passwords, and SHA-256 of session and token secrets: with a copy
of it nobody can sign in. After some failures a name, an address or a device has to wait.
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
from center.store.rows import accounts, partners
from center.store.store import Store
from hub.contract.border import Open
from hub.shared.backoff import exponential_s

COOKIE = "anbu_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"  # the hidden field of a form
DEVICE_S = 180 * 86_400.0  # since the last sign-in there
UNTIL_DIGITS = 12
STRANGERS_MAX = 40  # waiting sign-ins from unknown devices: 4 s of argon2
BUSY_S = 5.0
NO_COOKIES: Mapping[str, str] = {}
FREE = 3  # failures without a wait: typing errors
FREE_OF_ADDRESS = 30  # a whole office may have one address
FIRST_S, LONGEST_S = 2.0, 300.0
FORGOTTEN_S = 3600.0  # failures are forgotten after an hour without one
NAMES_MAX = 10_000  # names and addresses remembered; the oldest go first


class Role(Open):
    """A supervisor may also read the audit; an unknown role has the rights of an operator.

    An installer sees the pages of installation, and nothing of any call.
    """

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    INSTALLER = "installer"

    def may(self, needed: "Role") -> bool:
        """Whether somebody of this role may do what is for `needed`."""
        match needed:
            case Role.SUPERVISOR:
                return self is Role.SUPERVISOR
            case Role.INSTALLER:
                return True
            case _:
                return self is not Role.INSTALLER


class Person(Struct, frozen=True):
    """Who sent a request. `csrf` is empty for a program with a token, which needs none."""

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
    """Return the counters of a try, each with its number of free failures.

    `device` is the mark of a known device, empty for an unknown one.
    """
    if device:
        return ((f"device {device}", FREE),)
    place = network(address)
    return ((f"account {name[:64]} at {place}", FREE), (f"address {place}", FREE_OF_ADDRESS))


def network(address: str) -> str:
    """Return what one subscriber has: an IPv4 address, or an IPv6 network of 64 bits."""
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
    """Return a copy of the book with one more failure of `key`."""
    kept = {k: f for k, f in book.items() if now_utc - f.last_utc < FORGOTTEN_S}
    before = kept.pop(key, None)
    while len(kept) >= NAMES_MAX:
        kept.pop(next(iter(kept)))
    kept[key] = Failures((before.count if before else 0) + 1, now_utc)
    return kept


class Auth:
    """Sign in, sign out, and find out who sent a request."""

    def __init__(
        self, store: Store, clock: Callable[[], float], *, session_s: float, tls: bool
    ) -> None:
        self._store = store
        self._clock = clock
        self._session_s = session_s
        self._tls = tls
        self._failures: Book = {}
        # argon2 takes 64 MB and a core: one at a time; known devices do not wait for unknown ones
        self._turns = {False: asyncio.Semaphore(1), True: asyncio.Semaphore(1)}
        self._strangers = 0
        self._device_key = ""

    async def sign_in(
        self, name: str, password: str, address: str, cookies: Mapping[str, str] = NO_COOKIES
    ) -> str:
        """Return a new session's secret (see `set_cookie`), or raise `DeniedError`.

        `cookies` may show a known device (see `know_device`): its owner does not have to wait after
        wrong guesses of others.
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
        """Set a cookie that shows from now on that `name` has signed in from this browser."""
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
        """End the session of the request, if it has one; return its `session_of`."""
        ended = session_of(request)
        await self._store.change(accounts.close_session, self._clock(), ended)
        return ended

    async def person(self, request: HTTPConnection) -> Person | None:
        """Return who sent the request, by bearer token or session cookie; None for nobody."""
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
        """Return who sent the request, or raise `DeniedError`.

        A request that changes something must have the CSRF token, where it comes with a session
        cookie: as `csrf` (a form's field) or in the header.
        """
        person = await self.person(request)
        if person is None:
            raise DeniedError(Denied.NOT_SIGNED_IN)
        if not person.role.may(role):
            raise DeniedError(Denied.NOT_ALLOWED)
        if person.csrf and request.scope.get("method") not in {"GET", "HEAD"}:
            brought = csrf or request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(brought.encode(), person.csrf.encode()):
                raise DeniedError(Denied.NO_CSRF)
        return person

    async def partner(self, request: HTTPConnection) -> str:
        """Return the name of the medical partner whose key the request has, or raise `DeniedError`.

        Such a key opens the readings that residents share, and nothing else.
        """
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        name = None
        if scheme.lower() == "bearer":
            name = await self._store.ask(partners.by_key, digest(key.strip()))
        if name is None:
            raise DeniedError(Denied.NOT_SIGNED_IN)
        return name

    def set_cookie(self, response: Response, secret: str) -> None:
        """Set the session cookie in the browser."""
        response.set_cookie(
            COOKIE,
            secret,
            max_age=int(self._session_s),
            httponly=True,
            samesite="strict",
            secure=self._tls,
        )

    def clear_cookie(self, response: Response) -> None:
        """Delete the session cookie from the browser."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._tls)

    async def _known(self, name: str, held: str, cookies: Mapping[str, str]) -> str:
        """Return the mark of a device that is known for this account, else ''."""
        mark, _, rest = cookies.get(device_cookie(name), "").partition(".")
        until, _, seal = rest.partition(".")
        if not (until.isascii() and until.isdigit() and len(until) < UNTIL_DIGITS):
            return ""
        expected = await self._seal(name, held, mark, int(until))
        right = hmac.compare_digest(seal.encode(errors="replace"), expected.encode())
        return mark if right and int(until) > self._clock() else ""

    async def _seal(self, name: str, held: str, mark: str, until: int) -> str:
        """Return the seal of a device's cookie; a new password of the account makes it invalid."""
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
    """Return a name of the request's session that does not reveal its secret."""
    return digest(request.cookies.get(COOKIE, ""))


def device_cookie(name: str) -> str:
    """Return the name of the device's cookie for `name`; operators share a browser."""
    return f"anbu_device_{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def csrf_of(secret: str) -> str:
    """Return the CSRF token of a session; it does not reveal the session's secret."""
    return hmac.new(secret.encode(), b"anbu csrf", hashlib.sha256).hexdigest()


def _plain(text: str) -> str:
    """Return the text without what UTF-8 cannot hold; such a name or password is just wrong."""
    return text.encode(errors="replace").decode()


def digest(secret: str) -> str:
    """Return the hash of a random secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with the parameters of RFC 9106; about 0.1 s."""
    return PasswordHasher().hash(password)


def verify(held: str, password: str) -> bool:
    """Return whether the hash is of the password; takes as long as hashing."""
    try:
        return PasswordHasher().verify(held, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """Return the hash of a random password: an unknown name takes as long as a wrong password."""
    return hash_password(secrets.token_urlsafe(32))
