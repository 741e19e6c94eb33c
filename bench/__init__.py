"""What is promised, measured: `python -m bench.NAME`."""

import voice  # noqa: F401 - before numpy: it says with how many threads numpy is to solve
