"""What the service costs beside the least that could answer: ratios from one run, on one machine."""
