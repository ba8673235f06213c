"""`python -m app.cli` is `dovetail`."""

from app.cli import main

main()
