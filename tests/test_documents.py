"""Documents name only files that exist; SECURITY.md answers each provision once."""

import re
from pathlib import Path

import pytest

from tests.layout import REPO

TEXT = (REPO / "SECURITY.md").read_text("utf-8")
PLACES = (
    "bench/",
    "center/",
    "docs/",
    "drivers/",
    "hub/",
    "provisioning/",
    "systemd/",
    "tests/",
    "voice/",
)
DOCUMENTS = [
    REPO / "README.md",
    REPO / "README.ko.md",
    REPO / "SECURITY.md",
    *REPO.glob("docs/*.md"),
]
HOW_MANY = {  # provisions of each section of EN 303 645 V2.1.1
    "4": 1, "5.1": 5, "5.2": 3, "5.3": 16, "5.4": 4, "5.5": 8, "5.6": 9, "5.7": 2, "5.8": 3,
    "5.9": 3, "5.10": 1, "5.11": 4, "5.12": 3, "5.13": 1, "6": 5,
}  # fmt: skip
ROW = re.compile(r"^\| (\d+(?:\.\d+)?-\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)


def named(file: Path) -> set[Path]:
    """Return the paths of this repository that a document names."""
    text = file.read_text("utf-8")
    quoted = [path for path in re.findall(r"`([^`\s]+)`", text) if path.startswith(PLACES)]
    linked = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    ours = [path for path in linked if path and "://" not in path]
    plain = [path for path in quoted if not set(path) & set("*<>{}")]
    return {*(REPO / path for path in plain), *(file.parent / path for path in ours)}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(REPO)))
def test_each_file_that_a_document_names_exists(file: Path) -> None:
    missing = sorted(str(path) for path in named(file) if not path.exists())
    assert not missing


def test_the_answers_name_many_files() -> None:
    assert len(named(REPO / "SECURITY.md")) > 40


def test_each_provision_is_answered_once() -> None:
    answered = [row[0] for row in ROW.findall(TEXT)]
    asked = [f"{of}-{n}" for of, last in HOW_MANY.items() for n in range(1, last + 1)]
    assert answered == asked


@pytest.mark.parametrize("row", ROW.findall(TEXT), ids=lambda row: str(row[0]))
def test_what_is_done_says_by_what_and_what_is_not_says_why(row: tuple[str, str, str]) -> None:
    _, state, why = row
    assert state.strip() in {"done", "partly", "**not**", "n. a.", "aimed at"}
    assert why
