"""Who may do what: operators with passwords and sessions, programs with tokens.

The database holds argon2id hashes of passwords and SHA-256 of session and token secrets, so that
a copy of it signs nobody in.
"""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable
from enum import StrEnum
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct
from starlette.requests import HTTPConnection
from starlette.responses import Response

from center import accounts, throttle
from center.store import Store
from hub.core.border import Open

COOKIE = "anbu_session"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"  # the hidden field of a form


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


STATUS = {
    Denied.NOT_SIGNED_IN: 401,
    Denied.WRONG_PASSWORD: 401,
    Denied.TOO_MANY_TRIES: 429,
    Denied.NO_CSRF: 403,
    Denied.NOT_ALLOWED: 403,
}


class DeniedError(Exception):
    """Turned away. `wait_s` is the time until another try makes sense, else 0."""

    def __init__(self, why: Denied, wait_s: float = 0.0) -> None:
        super().__init__(why.value)
        self.why = why
        self.status = STATUS[why]
        self.wait_s = wait_s


class Auth:
    """Sign-in, sign-out, and the answer to who asks."""

    def __init__(
        self, store: Store, clock: Callable[[], float], *, session_s: float, tls: bool
    ) -> None:
        self._store = store
        self._clock = clock
        self._session_s = session_s
        self._tls = tls
        self._failures: throttle.Book = {}
        self._one_at_a_time = asyncio.Semaphore(1)  # argon2 takes 64 MB and a core

    async def sign_in(self, name: str, password: str, address: str) -> str:
        """Give a new session's secret (see `set_cookie`), or raise `DeniedError`."""
        name, password = _plain(name), _plain(password)
        keys = (f"account {name[:64]}", f"address {address}")
        self._check_waits(keys)
        async with self._one_at_a_time:
            self._check_waits(keys)
            held = await self._store.ask(accounts.password_hash, name)
            if not await asyncio.to_thread(verify, held or _nobody(), password) or held is None:
                now = self._clock()
                for key in keys:
                    self._failures = throttle.failed(self._failures, key, now)
                await self._store.change(accounts.sign_in_failed, now, name[:64], address)
                raise DeniedError(Denied.WRONG_PASSWORD)
        for key in keys:
            self._failures.pop(key, None)
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        until = now + self._session_s
        await self._store.change(accounts.open_session, now, digest(secret), name, until, address)
        return secret

    async def sign_out(self, request: HTTPConnection) -> None:
        """End the session of the request, if it has one."""
        secret = request.cookies.get(COOKIE, "")
        await self._store.change(accounts.close_session, self._clock(), digest(secret))

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

    def _check_waits(self, keys: tuple[str, ...]) -> None:
        now = self._clock()
        wait_s = max(throttle.wait_s(self._failures.get(key), now) for key in keys)
        if wait_s > 0:
            raise DeniedError(Denied.TOO_MANY_TRIES, wait_s)


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
