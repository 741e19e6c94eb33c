"""From a row of the database to its struct, whichever program wrote the row.

A row of a newer program, or a damaged one, is read as far as possible: it must neither hide the
other rows nor end the process.
"""

import logging
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Row

from hub.contract import border

COUNT_MAX = 1_000_000  # no real count is higher; a database's INTEGER holds it

S = TypeVar("S", bound=Struct)

log = logging.getLogger(__name__)


def shape(row: "Row[*tuple[Any, ...]]", wanted: type[S]) -> S:
    """Return the struct of a row; a field that cannot be read has its default."""
    mapping = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    values = {str(name): value for name, value in mapping.items()}
    try:
        return msgspec.convert(values, wanted)
    except msgspec.ValidationError:
        found, lost = border.read(values, wanted)
    if lost:
        log.warning("a row (%s) was not read whole: %s", wanted.__name__, ", ".join(lost))
    return found


def bounded(count: int) -> int:
    """Return a hub's count within what a row holds, 0 to `COUNT_MAX`."""
    return max(0, min(count, COUNT_MAX))
