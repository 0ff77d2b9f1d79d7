"""How a server keeps house with its memory."""

import ctypes
import gc

YOUNG = 5_000
"""Objects more than were let go of until the youngest are collected. By Python's own 700 they are
looked through while most are still in use: a fourteenth of the time in which thousands of sockets
came went there.
"""
MIDDLE_COLLECTION = 2
"""Of the youngest until one of the middle generation as well: by Python's own ten one would look
through 50,000 objects, in which a page waits for some milliseconds.
"""
FULL_COLLECTION = 50
"""Collections of the middle generation until one of all: every 750,000 objects more than were let
go of, of which a socket has hundreds. While a thousand sockets came, Python's own ten, of 7,000
each, had it walk through them all again and again, for up to 210 ms each time, in which nobody
heard anything.
"""
HEAPS = 2
M_ARENA_MAX = -8
"""Of glibc's <malloc.h>."""


def keep_few_heaps() -> None:
    """Have threads share theirs. glibc gives up to eight for each core, and what one thread was
    given and another let go of lies about in all of them: after some megabytes had been said to
    twenty sockets, a server had 396 MiB instead of 333.
    """
    try:
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)
    except (AttributeError, OSError):
        return  # another C library, which has ways of its own


def set_aside_what_is_loaded() -> None:
    """It stays: the garbage collector need not walk it again at every full collection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE_COLLECTION, FULL_COLLECTION)
