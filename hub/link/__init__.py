"""The connection to the control centre's broker.

paho imports `urllib.request` to look for proxies, and with it http, email and tempfile: 1 MB of a
hub's 40, never used, because paho asks for a proxy only where PySocks is installed. So a stand-in
is there before paho is imported; whoever looks up a name in it gets the whole module.
"""

import sys
import urllib
from importlib import import_module
from types import ModuleType


def _load_on_first_use(name: str) -> ModuleType:
    """Put a stand-in into `sys.modules`; looking up a name in it loads the module."""
    stand_in = sys.modules[name] = ModuleType(name)

    def look_up(attribute: str) -> object:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    stand_in.__dict__["__getattr__"] = look_up
    return stand_in


if "urllib.request" not in sys.modules:
    vars(urllib)["request"] = _load_on_first_use("urllib.request")

__all__ = ["identity", "reconnect", "session"]
