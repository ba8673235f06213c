"""The definitions that come with the server: data files, and their rows, which every tenant sees."""
