"""Credentials: the keys that installations present."""

from graph.credentials.mutations import CredentialMutation
from graph.parts import Part

PART = Part(mutation=CredentialMutation)
