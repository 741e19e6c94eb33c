"""The hub's 40 MB: what paho would load for proxies is loaded only for whoever uses it."""

import subprocess
import sys

from tests.layout import REPO

LOOK = """
import sys
import hub.app
assert "http.client" not in sys.modules
import urllib.request
assert urllib.request.Request("http://127.0.0.1/").host == "127.0.0.1"
from urllib.request import urlopen
assert urlopen is urllib.request.urlopen is sys.modules["urllib.request"].urlopen
"""


def test_a_hub_loads_no_http_and_whoever_wants_it_has_it_whole() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=REPO, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
