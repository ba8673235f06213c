"""What all versions of the consumer contract do alike and no document says: the way in, headers, CORS."""
