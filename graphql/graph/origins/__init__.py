"""Origins: where an installation runs, and the proof that it does."""

from graph.origins.mutations import OriginMutation
from graph.parts import Part

PART = Part(mutation=OriginMutation)
