"""`python -m app.database.drifting`: exits 1, naming the statements, where the tables are ahead of the migrations."""

import asyncio
import sys

from app.database.migrating import drift


def main() -> int:
    statements = asyncio.run(drift())
    for statement in statements:
        sys.stdout.write(f"{statement}\n")
    return 1 if statements else 0


if __name__ == "__main__":
    sys.exit(main())
