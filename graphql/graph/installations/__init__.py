"""Installations: one plugin on one customer's site, with all that belongs to it."""

from graph.installations.mutations import InstallationMutation
from graph.installations.queries import InstallationQuery
from graph.parts import Part

PART = Part(query=InstallationQuery, mutation=InstallationMutation)
