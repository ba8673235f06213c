"""`dovetail` that waits for Redis and for other workers: what is exact is a Redis that answers in time.

A process that a busy machine does not run for half a second would take them for away, and limit for itself. A program
of its own, whose workers import it too.
"""

from app import shared_bus
from app.cli.root import dovetail
from services import limits
from services.chain import decisions

for bound in ("SOCKET_TIMEOUT", "SOCKET_CONNECT_TIMEOUT"):
    limits._OPTIONS[bound] = 30.0
decisions.SECONDS = shared_bus.ANSWER_SECONDS = 30.0

if __name__ == "__main__":
    dovetail()
