"""The virtual Pi's time service: says to the kernel that the clock is right, as chrony would.

The clock is that of the host, by the board's clock chip; no time server is to be reached from here.
"""

import ctypes
import struct

MODES, BYTES = 0x0010 | 0x0004 | 0x0008, 512  # ADJ_STATUS, ADJ_MAXERROR, ADJ_ESTERROR
TIME_ERROR = 5  # the clock is not synchronised
timex = ctypes.create_string_buffer(BYTES)
struct.pack_into("I4xqqqqi", timex, 0, MODES, 0, 0, 1000, 1000, 0)  # 1 ms; synchronised
answer = ctypes.CDLL(None).adjtimex(timex)
raise SystemExit(0 if 0 <= answer < TIME_ERROR else 1)
