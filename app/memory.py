"""Memory of a server process: what was made at start stays, and the collector need not look at it again."""

import gc

#: Allocations before a young collection, and how many of one generation go before the next older one. The schema
#: and the code are a large heap: a full collection over it takes tens of milliseconds, in which nobody is answered.
_THRESHOLDS = (10_000, 10, 50)


def settle() -> None:
    """To be called once, by a server, when everything that lives as long as it has been made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
