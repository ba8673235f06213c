"""The public contracts: which versions there are, their documents, and their committed snapshots."""
