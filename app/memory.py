"""Memory of a server process: what was made at start stays, and the collector need not look at it again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: Allocations before a young collection, and how many of one generation go before the next older one. The schema
#: and the code are a large heap: a full collection over it takes tens of milliseconds, in which nobody is answered.
_THRESHOLDS = (10_000, 10, 50)


@contextmanager
def settling() -> Iterator[None]:
    """To be used once, by a server, around the making of everything that lives as long as it.

    The collector rests meanwhile: nearly all of it stays, and looking through it again and again is a fifth of the
    start. What few cycles were left behind, less than a megabyte, stay too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        gc.enable()
