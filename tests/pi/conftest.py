"""The lab: one broker, one centre and one virtual Pi for all tests of this folder."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.home import Home


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder for disks, sockets and logs; `$ANBU_PI_LAB` names one to look at later."""
    logging.getLogger("anbu-pi").setLevel(logging.INFO)
    named = os.environ.get("ANBU_PI_LAB")
    folder = Path(named) if named else tmp_path_factory.mktemp("pi")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if not named:
        for disk in (*folder.glob("*.qcow2"), *folder.glob("*.img")):
            disk.unlink()


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    with Broker() as broker:
        yield broker


@pytest.fixture(scope="session")
def centre(lab: Path, broker: Broker) -> Iterator[Centre]:
    with Centre(lab, broker) as centre:
        yield centre


@pytest.fixture(scope="session")
def home(lab: Path, broker: Broker, centre: Centre) -> Iterator[Home]:  # noqa: ARG001
    with Home(lab, broker) as home:
        yield home
