"""The voice: a process of its own that hears and speaks; the hub decides."""

import os

# Before numpy is loaded: its problems here are small, and many threads take ten times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Before CTranslate2 is loaded: oneDNN keeps what it prepared for the last 1024 lengths of sound,
# 1.3 MB each; no two utterances are equally long, so the process would grow by 2 MB a minute.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")
