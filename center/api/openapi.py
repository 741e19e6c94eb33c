"""The OpenAPI document, generated from the structs that the API reads and shapes."""

import re
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from center.api import announcements, claims, health, homes, incidents, leases, shapes
from center.api.fhir.search import Parameter
from center.api.homes import WhichNeeds
from center.domain.rates import Rates
from center.store.rows.incidents import Which
from hub.contract import border

Document = dict[str, Any]


class Operation(Struct, frozen=True):
    """One method of one path."""

    method: str
    path: str
    about: str
    answer: type[Struct]
    asks: type[Struct] | None = None
    query: tuple[str, ...] = ()
    open_to_all: bool = False


_ACT = "/api/alarms/{id}/"
OPERATIONS = (
    Operation(
        "get",
        "/api/alarms",
        "List alarms, newest first; with order=urgent what is open, each home's first call first.",
        shapes.Alarms,
        query=("state", "order", "limit", "before"),
    ),
    Operation(
        "get",
        "/api/alarms/{id}",
        "One alarm with the newest lines of its timeline; `before` pages on to older ones.",
        shapes.Alarm,
        query=("limit", "before"),
    ),
    Operation(
        "post", _ACT + "take", "Own it by name, or renew it.", shapes.Alarm, incidents.Looked
    ),
    Operation("post", _ACT + "send", "Somebody is on the way.", shapes.Alarm, incidents.Looked),
    Operation("post", _ACT + "present", "Someone is there.", shapes.Alarm, incidents.Looked),
    Operation("post", _ACT + "close", "End it with its outcome.", shapes.Alarm, incidents.Closing),
    Operation("post", _ACT + "reopen", "Open it again.", shapes.Alarm, incidents.Looked),
    Operation("post", _ACT + "note", "Write into its timeline.", shapes.Alarm, incidents.Note),
    Operation("get", "/api/hubs", "All hubs and their faults.", shapes.Hubs),
    Operation("get", "/api/outcomes", "The ways in which an alarm can end.", shapes.Outcomes),
    Operation(
        "get",
        "/api/audit",
        "The audit, newest first; for supervisors.",
        shapes.Audit,
        query=("limit", "before"),
    ),
    Operation("get", "/api/homes/{hub}", "A home's record; reading is audited.", homes.HomeOut),
    Operation(
        "get",
        "/api/homes/{hub}/activity",
        "A home's hours of the last days.",
        homes.ActivityOut,
        query=("days",),
    ),
    Operation("get", "/api/checkins", "All check-ins of a day.", homes.CheckIns, query=("day",)),
    Operation("get", "/api/needs", "Whom to call, what fails.", homes.Needs, query=("needs",)),
    Operation(
        "get",
        "/api/needs/{id}",
        "One task, with a page of the homes that it is about.",
        homes.NeedWhole,
        query=("limit", "skip"),
    ),
    Operation(
        "post",
        "/api/homes/{hub}/test",
        "Tell of a test press: for some minutes a press rings nobody, and is the caller's at once.",
        homes.NeedOut,
    ),
    Operation(
        "post",
        "/api/needs/{id}/handle",
        "Note what came of a call, or take it; the version decides.",
        homes.NeedOut,
        homes.Calling,
    ),
    Operation(
        "get",
        "/api/false-alarms",
        "False-alarm rates by home, sensor and rule; the same as CSV at `/api/false-alarms.csv`.",
        Rates,
        query=("days",),
    ),
    Operation(
        "get",
        "/api/announcements",
        "What was announced to homes, newest first.",
        announcements.Announcements,
        query=("limit",),
    ),
    Operation(
        "post",
        "/api/announcements",
        "Announce something in homes, once for each `key`.",
        announcements.AnnouncementOut,
        announcements.Announcing,
    ),
    Operation(
        "get",
        "/api/announcements/{id}",
        "One announcement, and what became of it in each home.",
        announcements.AnnouncementOut,
    ),
    Operation(
        "post",
        "/api/announcements/{id}/withdraw",
        "Take it back from the hubs that do not have it yet.",
        announcements.AnnouncementOut,
    ),
    Operation(
        "post",
        claims.PATH,
        "Claim the hub that says these digits for a home; for installers, too.",
        claims.ClaimOut,
        claims.Claiming,
    ),
    Operation(
        "get",
        claims.PATH + "/{key}",
        "A claimed hub, and whether it has fetched its certificate.",
        claims.ClaimOut,
    ),
    Operation("get", leases.PATH, "Whether a home is in test mode.", leases.LeaseOut),
    Operation(
        "post",
        leases.PATH,
        "Begin test mode: a press waits 60 s for somebody to say that it was a test.",
        leases.LeaseOut,
        leases.Leasing,
    ),
    Operation(
        "post",
        leases.PATH + "/end",
        "End it; what waits as a test is a call at once.",
        leases.LeaseOut,
    ),
    Operation("get", "/healthz", "Store, link and age.", health.Health, open_to_all=True),
)


OPEN = ("Kind", "Stage", "Outcome", "VitalKind", "State")  # a newer program's value is `other` here


def document() -> Document:
    """Return the document."""
    structs: set[type[Struct]] = {shapes.Error}
    for operation in OPERATIONS:
        structs |= {operation.answer, operation.asks or operation.answer}
    ordered = sorted(structs, key=str)
    refs, components = msgspec.json.schema_components(
        ordered, ref_template="#/components/schemas/{name}"
    )
    for name in OPEN:
        components[name]["enum"].append(border.OTHER)
    ref = dict(zip(ordered, refs, strict=True))
    paths: Document = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, ref)
    paths["/api/feed"] = {"get": _FEED}
    paths |= {path: {"get": get} for path, get in _FHIR.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Anbu control centre", "version": "1"},
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def routes() -> list[Route]:
    """Return the route of the document."""
    page = msgspec.json.encode(document())

    async def serve(_: Request) -> Response:
        return Response(page, media_type="application/json")

    return [Route("/openapi.json", serve, methods=["GET"])]


def _operation(operation: Operation, ref: dict[type[Struct], Document]) -> Document:
    wrong = _json("Said in one sentence.", ref[shapes.Error])
    made: Document = {
        "summary": operation.about,
        "parameters": [_query(name) for name in operation.query],
        "responses": {"200": _json("Done.", ref[operation.answer]), "4XX": wrong, "5XX": wrong},
    }
    made["parameters"] += [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.asks:
        made["requestBody"] = {"content": {"application/json": {"schema": ref[operation.asks]}}}
    if operation.open_to_all:
        made["security"] = []
    return made


def _json(about: str, schema: Document) -> Document:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _query(name: str) -> Document:
    schemas: Document = {
        "state": {"type": "string", "enum": list(Which), "default": Which.OPEN},
        "limit": {
            "type": "integer",
            "minimum": 1,
            "maximum": incidents.PAGE_MAX,
            "default": incidents.PAGE,
        },
        "skip": {"type": "integer", "minimum": 0, "default": 0},
        "days": {"type": "integer", "minimum": 1, "maximum": homes.DAYS_MAX},
        "day": {"type": "string", "format": "date"},
        "needs": {"type": "string", "enum": list(WhichNeeds), "default": WhichNeeds.OPEN},
    }
    name, schema = ("state" if name == "needs" else name), schemas.get(name, {"type": "string"})
    return {"name": name, "in": "query", "schema": schema}


_SCHEMES: Document = {
    "token": {"type": "http", "scheme": "bearer"},
    "session": {"type": "apiKey", "in": "cookie", "name": "anbu_session"},
    "partner": {"type": "http", "scheme": "bearer"},  # a medical partner's: of `/fhir` alone
}
_FEED: Document = {
    "summary": "Server-sent events: alarm, hub, home, need, vitals, announcement, link, resync, and"
    " beats.",
    "responses": {"200": {"description": "A stream.", "content": {"text/event-stream": {}}}},
}


def _fhir(about: str, resource: str, parameters: list[Document]) -> Document:
    """Describe an answer in FHIR R4: its shape is FHIR's own."""
    answer = {"application/fhir+json": {"schema": {"type": "object"}}}
    wrong = {"description": "An OperationOutcome.", "content": answer}
    return {
        "summary": about,
        "parameters": parameters,
        "security": [{"partner": []}],
        "responses": {
            "200": {"description": f"A {resource}.", "content": answer},
            "4XX": wrong,
        },
    }


_FHIR: Document = {
    "/fhir/metadata": {
        **_fhir("What the FHIR server can do.", "CapabilityStatement", []),
        "security": [],
    },
    "/fhir/Observation": _fhir(
        "Readings of one resident who consents, oldest first, by a medical partner's key; audited.",
        "Bundle of type searchset",
        [{"name": name.value, "in": "query", "schema": {"type": "string"}} for name in Parameter],
    ),
    "/fhir/Observation/{id}": _fhir(
        "One reading.",
        "Observation",
        [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
    ),
}
