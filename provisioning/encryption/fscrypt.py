"""Encrypted folders by the kernel itself: fscrypt, policies of version 2, on ext4.

Contents by AES-256-XTS, names by AES-256-CTS, padded to 32 bytes. The key is given to the mounted
file system, and every process that may read the folder can; without it there are names of noise.
Structs and numbers: https://docs.kernel.org/filesystems/fscrypt.html, the same on x86 and Arm.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path

SET_POLICY, GET_POLICY = 0x800C6613, 0xC0096616
ADD_KEY, REMOVE_KEY, TRIM = 0xC0506617, 0xC0406619, 0xC0185879  # the second: of all users
VERSION, XTS, CTS, PAD_32 = 2, 1, 4, 0x03
BY_IDENTIFIER = 2
IDENTIFIER_BYTES, KEY_BYTES = 16, 64
POLICY = struct.Struct("<BBBBB3x16s")
SPECIFIER = struct.Struct("<I4x16s16x")
ADDED = struct.Struct("<40sI4x32x")  # specifier, size of the key, which follows
REMOVED = struct.Struct("<40sI20x")
UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS, errno.EINVAL}
SWITCH = Path("/usr/sbin/tune2fs"), Path("/sbin/tune2fs")
TUNE_S = 5.0


class UnsupportedError(Exception):
    """This file system, or this kernel, encrypts no folders."""


def policy(folder: Path) -> bytes | None:
    """Return the identifier of a folder's key; None: it is not encrypted.

    Raises UnsupportedError, OSError.
    """
    asked = bytearray(struct.pack("<Q", POLICY.size) + bytes(POLICY.size))
    try:
        _ioctl(folder, GET_POLICY, asked)
    except OSError as error:
        if error.errno == errno.ENODATA:
            return None
        raise
    version, *_, identifier = POLICY.unpack_from(asked, 8)
    return bytes(identifier) if version == VERSION else b""


def add_key(folder: Path, key: bytes) -> bytes:
    """Give the key to the folder's file system; return its identifier.

    Raises UnsupportedError, OSError. To add it twice changes nothing.
    """
    wanted = SPECIFIER.pack(BY_IDENTIFIER, bytes(IDENTIFIER_BYTES))
    asked = bytearray(ADDED.pack(wanted, len(key)) + key)
    _ioctl(folder, ADD_KEY, asked)
    return bytes(SPECIFIER.unpack_from(asked)[1])


def encrypt(folder: Path, identifier: bytes) -> None:
    """Encrypt all that will be in an empty folder. Raises UnsupportedError, OSError."""
    _ioctl(folder, SET_POLICY, bytearray(POLICY.pack(VERSION, XTS, CTS, PAD_32, 0, identifier)))


def remove_key(folder: Path, identifier: bytes) -> None:
    """Take the key from the file system; what was read with it leaves the memory once it is closed.

    Raises UnsupportedError, OSError.
    """
    wanted = SPECIFIER.pack(BY_IDENTIFIER, identifier)
    _ioctl(folder, REMOVE_KEY, bytearray(REMOVED.pack(wanted, 0)))


def switch_on(folder: Path) -> None:
    """Let a mounted ext4 have encrypted folders: one bit of its superblock.

    Raises UnsupportedError, OSError.
    """
    import subprocess  # noqa: PLC0415 - once in a card's life

    device = _device(folder)
    tool = next((one for one in SWITCH if one.exists()), None)
    if tool is None or device is None:
        raise UnsupportedError(device or "tune2fs")
    try:
        words = [str(tool), "-O", "encrypt", str(device)]
        subprocess.run(words, check=True, capture_output=True, timeout=TUNE_S)  # noqa: S603 - a full path
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise UnsupportedError(str(error)) from error


def trim(folder: Path) -> bool:
    """Tell the card which blocks of the file system are free; whether it takes that."""
    try:
        _ioctl(folder, TRIM, bytearray(struct.pack("<QQQ", 0, 2**64 - 1, 0)))
    except (UnsupportedError, OSError):
        return False
    return True


def _device(folder: Path) -> Path | None:
    """Return the block device of the file system that a folder is on."""
    number = folder.stat().st_dev
    found = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    device = Path("/dev") / found.resolve().name
    return device if found.exists() and device.exists() else None


def _ioctl(folder: Path, number: int, argument: bytearray) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(opened, number, argument)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            raise UnsupportedError(error.strerror) from error
        raise
    finally:
        os.close(opened)
