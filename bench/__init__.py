"""What is promised, measured: `python -m bench.NAME`."""

import os

# Before numpy is loaded: what is solved in `voice/echo.py` is small, and more threads take longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
