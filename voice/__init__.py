"""The voice: a process of its own that hears and speaks; the hub decides."""

import os

# Before numpy is loaded: what it solves here is small, and many threads take ten times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Before CTranslate2 is: oneDNN keeps what it prepared for each of the last 1024 lengths of sound,
# 1.3 MB a length; no two utterances are equally long, so it would grow by 2 MB a minute.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")
