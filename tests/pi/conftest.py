"""The lab: one broker, one centre and one virtual Pi for all tests of this folder."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.pi.centre import Centre
from tests.pi.home import Home
from tests.pi.radio_home import RadioHome


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


@pytest.fixture(scope="module")
def radio(lab: Path, request: pytest.FixtureRequest) -> Iterator[tuple[RadioHome, Centre]]:
    """Run a home with a radio, and its centre: for each module its own, without bonds."""
    folder = lab / request.module.__name__.rpartition(".")[2]
    folder.mkdir(exist_ok=True)
    with Broker() as broker, Centre(folder, broker) as centre, RadioHome(folder, broker) as home:
        yield home, centre
