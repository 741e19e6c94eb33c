"""The state folders, encrypted by the kernel, and how a hub that comes back is wiped.

fscrypt (the kernel) and keyfile <- folders (at each start, before the hub) <- wiping <- command

Only `command` may import more than the standard library: `start` runs before the button is armed.
"""

__all__ = ["command", "folders", "fscrypt", "keyfile", "start", "wiping"]
