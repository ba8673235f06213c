"""Origins of installations: how one is written, and how its owner proves it."""
