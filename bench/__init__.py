"""What is promised, measured: `python -m bench.NAME`."""

import os

# Before numpy is loaded: what `voice/sound/echo.py` solves is small, and more threads take longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
