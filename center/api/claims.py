"""The API of installers' programs: claim a hub by its digits, and see whether it has fetched."""

from msgspec import Struct
from starlette.requests import Request
from starlette.routing import Route

from center.api.est import address_of
from center.api.json import Bad, BadRequestError, body, route
from center.api.shapes import timestamp_or_none
from center.domain.enrolment import Certificate, Enrolment, State
from center.service import enrolment
from center.service.auth import Person, Role
from center.service.desk import Desk
from center.service.enrolment import Who, Wish
from center.store.rows import enrolments

PATH = "/api/claims"


class Claiming(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a claim. `known_home`: it must be a home of the centre.

    `replaces`: the home's hub, if it has one, is replaced by this one.
    """

    digits: str
    hub: str
    known_home: bool = True
    replaces: bool = False


class ClaimOut(Struct, frozen=True):
    """A claimed hub; `state` is `authorised` until it has fetched its certificate: `issued`."""

    key: str
    hub: str
    state: State
    by: str
    claimed: str | None
    replaces: bool
    certificate_ends: str | None


def routes(desk: Desk) -> list[Route]:
    """Return the routes; installers may use them."""
    role = Role.INSTALLER
    return [
        route(desk, "POST", PATH, lambda r, p: _claim(desk, r, p), role),
        route(desk, "GET", f"{PATH}/{{key}}", lambda r, _: _read(desk, r), role),
    ]


async def _claim(desk: Desk, request: Request, person: Person) -> ClaimOut:
    said = await body(request, Claiming)
    digits = enrolment.digits_of(said.digits)
    wish = Wish(digits, said.hub, known_home=said.known_home, replaces=said.replaces)
    done = await enrolment.claim(desk, Who(person.name, address_of(request)), wish)
    return claim(done, None)


async def _read(desk: Desk, request: Request) -> ClaimOut:
    key = str(request.path_params["key"])
    one = await desk.store.ask(enrolments.find, key)
    if one is None or not one.hub:
        raise BadRequestError(Bad.NO_CLAIM)
    return claim(one, await desk.store.ask(enrolments.by_key, key))


def claim(one: Enrolment, held: Certificate | None) -> ClaimOut:
    """Return a claim as the API shows it."""
    return ClaimOut(
        key=one.key,
        hub=one.hub,
        state=one.state,
        by=one.by,
        claimed=timestamp_or_none(one.claimed_utc),
        replaces=one.replaces,
        certificate_ends=timestamp_or_none(held.ends_utc if held else None),
    )
