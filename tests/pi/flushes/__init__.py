"""Power cuts at every flush: a disk's record is made once, and replayed up to each of its flushes.

record (what QEMU wrote down) -> images (the disk at a flush) -> judge (the product reads it)

`story` runs in the guest and writes between the product's steps what was durable by then.
"""

__all__ = ["images", "judge", "record", "replay", "story"]
