"""A hub on a machine whose clock a time service has set, which a test's machine may not have.

python -m tests.hub.punctual hub --config FILE --virtual
"""

import sys

from hub import __main__, clocks


def main(*words: str) -> int:
    setattr(clocks, "clock_synced", lambda: True)  # noqa: B010 - mypy would not have it otherwise
    return __main__.main(words)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
