"""The page of the false-alarm rates."""

from starlette.responses import Response
from starlette.routing import Route

from center.console.frame import address, show
from center.console.visit import Visit, visited
from center.domain.rates import WINDOWS
from center.service.desk import Desk
from center.store.rows import rates, records

ROWS = 100  # of a table; the CSV has all


def routes(desk: Desk) -> list[Route]:
    """Return the route of the rates."""
    return [visited("/false-alarms", desk, _read)]


async def _read(visit: Visit) -> Response:
    asked = visit.request.query_params.get("days", str(WINDOWS[0]))
    days = int(asked) if asked in map(str, WINDOWS) else WINDOWS[0]
    ask = visit.desk.store.ask
    found = await ask(rates.read, visit.viewer.now, days)
    url = address("/false-alarms", days=str(days))
    return show(
        visit.request,
        "homes/rates.html",
        page=visit.page("rates", visit.t("rates.title"), url),
        found=found,
        tables=(
            ("homes", "of_home", found.homes[:ROWS]),
            ("sensors", "of_sensor", found.sensors[:ROWS]),
            ("rules", "of_rule", found.rules[:ROWS]),
        ),
        names=await ask(records.names),
        windows=WINDOWS,
    )
