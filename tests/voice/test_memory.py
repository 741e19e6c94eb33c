"""How the voice sets up its memory; in a process of its own, as it cannot be undone."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice.loading import Loaded, load
from voice.settings import VoiceSettings

HEAPS = """
import ctypes, sys, threading
from hub.shared.system import one_heap
if "one" in sys.argv:
    one_heap()
wait = threading.Barrier(5)
def work():
    held = [bytearray(1000) for _ in range(1000)]
    wait.wait()
some = [threading.Thread(target=work) for _ in range(4)]
for one in some:
    one.start()
wait.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = libc.fdopen(1, b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fflush(ctypes.c_void_p(out))
"""


@pytest.mark.parametrize(("argument", "heaps"), [("one", {1}), ("many", {2, 3, 4, 5})])
def test_all_threads_share_a_heap(argument: str, heaps: set[int]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAPS, argument], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("<heap nr=") in heaps


@pytest.fixture
def _nothing_frozen() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_nothing_frozen")
def test_what_has_been_loaded_is_not_walked_by_collections(tmp_path: Path) -> None:
    settings = VoiceSettings(
        socket=str(tmp_path / "s"), models=str(tmp_path), cache_dir=str(tmp_path)
    )
    found: list[Loaded] = []
    load(settings, found.append)
    assert gc.get_freeze_count() > 10_000
