"""A centre with one operator, who is signed in."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.center.e2e.office import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(f"sqlite:///{tmp_path / 'center.db'}") as office:
        office.hire("김하늘")
        yield office


@pytest.fixture
def operator(office: Office) -> Iterator[httpx.Client]:
    with office.visit("김하늘") as operator:
        yield operator
