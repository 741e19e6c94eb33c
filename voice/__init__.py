"""The voice: a process of its own that hears and speaks; the hub decides."""

import os

# Before numpy is loaded: what it solves here is small, and many threads take ten times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
