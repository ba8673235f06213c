"""Filters of lists: an expression as a caller writes it, checked into a typed tree, rendered as one SQL condition.

What an expression may say and what it means is in docs/surfaces/filters.md; it is the same on both engines.
"""
