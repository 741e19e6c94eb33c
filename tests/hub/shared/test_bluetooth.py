"""What the machine says about Bluetooth: kernels as distributions name them, and switches."""

from pathlib import Path

import pytest

from hub.shared.bluetooth import blocked, hears_repeats, kernel, kernel_version


@pytest.mark.parametrize(
    ("release", "version", "upstream"),
    [
        ("6.1.0-25-amd64", "#1 SMP Debian 6.1.106-3 (2024-08-26)", (6, 1, 106)),
        ("6.6.51+rpt-rpi-v8", "#1 SMP PREEMPT Debian 1:6.6.51-1+rpt3 (2024-10-08)", (6, 6, 51)),
        ("6.1.21-v8+", "#1642 SMP PREEMPT Mon Apr  3 17:24:16 BST 2023", (6, 1, 21)),
        ("6.12", "#1", (6, 12, 0)),
        ("unknown", "", (0, 0, 0)),
    ],
)
def test_the_upstream_version_is_read_where_the_release_hides_it(
    release: str, version: str, upstream: tuple[int, int, int]
) -> None:
    assert kernel_version(release, version) == upstream


def test_this_kernel_has_a_version() -> None:
    assert kernel() > (4, 0, 0)


@pytest.mark.parametrize(
    ("version", "hears"),
    [
        ((5, 10, 200), False), ((5, 15, 160), True), ((5, 17, 0), False),
        ((6, 1, 104), False), ((6, 1, 105), True), ((6, 2, 200), False),
        ((6, 6, 45), False), ((6, 6, 46), True), ((6, 8, 12), False),
        ((6, 10, 4), False), ((6, 10, 5), True), ((6, 11, 0), True), ((7, 0, 0), True),
        ((0, 0, 0), False),
    ],
)  # fmt: skip
def test_only_a_kernel_with_the_mend_hears_repeats(
    version: tuple[int, int, int], *, hears: bool
) -> None:
    assert hears_repeats(version) is hears


def switch(
    folder: Path, name: str, *, kind: str = "bluetooth", soft: str = "0", hard: str = "0"
) -> None:
    place = folder / f"rfkill{len(list(folder.iterdir()))}"
    place.mkdir()
    for file, text in (("name", name), ("type", kind), ("soft", soft), ("hard", hard)):
        (place / file).write_text(f"{text}\n")


def test_a_blocked_adapter_is_told_from_a_blocked_wifi_and_from_another_adapter(
    tmp_path: Path,
) -> None:
    switch(tmp_path, "phy0", kind="wlan", soft="1")
    switch(tmp_path, "hci0")
    switch(tmp_path, "hci1", soft="1")
    assert blocked("hci0", tmp_path) == ""
    assert blocked("hci1", tmp_path) == "soft"
    assert blocked("", tmp_path) == "soft"
    switch(tmp_path, "laptop-bluetooth", hard="1")
    assert blocked("hci0", tmp_path) == "hard"
    assert blocked("hci0", tmp_path / "none") == ""
