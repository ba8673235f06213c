"""Work on large or hostile documents, in a process of its own."""
