"""Who uses what: counted in memory, written in batches by one writer, and how far the counting reaches."""
