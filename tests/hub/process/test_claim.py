"""One state folder, one hub: with two processes a call that a lamp has shown could be lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.process.claim import ClaimedError, claimed
from tests.broker import wait_until
from tests.hub.rig import HubProcess


def test_a_folder_is_claimed_once_and_free_after_it(tmp_path: Path) -> None:
    with claimed(tmp_path / "state"):
        with pytest.raises(ClaimedError), claimed(tmp_path / "state"):
            pass
        with claimed(tmp_path / "other"):
            pass
    with claimed(tmp_path / "state"):
        pass


def test_where_no_folder_can_be_made_the_hub_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with claimed(tmp_path / "file" / "state"), claimed(tmp_path / "file" / "state"):
        pass


def test_a_second_hub_on_one_state_folder_says_so_and_leaves_the_first_alone(
    tmp_path: Path,
) -> None:
    with HubProcess(tmp_path, 1) as hub:
        wait_until(hub.armed, f"the house opens; {hub.log()}", 20)
        command = [sys.executable, "-m", "hub", "hub", "--config", str(hub.config), "--virtual"]
        for language, said in (("ko", "다른 허브"), ("en", "Another hub")):
            second = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
                env=os.environ | {"ANBU_LANG": language},
            )
            assert second.returncode == 1
            assert str(tmp_path / "state") in second.stderr
            assert said in second.stderr
            assert "Traceback" not in second.stderr
        hub.press()
        wait_until(lambda: hub.signal() not in {"", "resting"}, "the first still takes calls")
        hub.kill()
        hub.start()
        wait_until(hub.armed, "the folder is free again after a kill", 20)
