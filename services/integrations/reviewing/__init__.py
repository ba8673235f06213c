"""What can be told of a definition without its upstream: faults, gaps, examples that do not hold, and differences."""
