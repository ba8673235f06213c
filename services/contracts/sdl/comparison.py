"""What every part of the law works on: both schemas, the day, and the findings so far."""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from typing import Any

from graphql import GraphQLSchema

from services.contracts.findings import Finding, Verdict, Witness
from services.contracts.sdl.rules import RULES
from services.contracts.sdl.schemas import Sdl
from services.contracts.sdl.sunsets import is_past, kept_types, reason_of, sunset_of
from services.contracts.sdl.witnesses import Witnesses

Proof = Callable[[], Witness | None]


class Comparison:
    """Collects findings; `where` is a schema coordinate, and `operation` the part of it that a use ledger counts."""

    def __init__(self, base: Sdl, revision: Sdl, today: date) -> None:
        self.base, self.revision, self.today = base, revision, today
        self.witnesses = Witnesses(base.schema, revision.schema)
        self.findings: list[Finding] = []

    @property
    def schemas(self) -> tuple[GraphQLSchema, GraphQLSchema]:
        return self.base.schema, self.revision.schema

    @cached_property
    def _reached(self) -> tuple[set[str], set[str]]:
        return kept_types(self.base, self.today)

    def only_sunset_reaches(self, type_name: str) -> bool:
        """Whether a type of the base was reached, and only by what is past its sunset."""
        reached, kept = self._reached
        return type_name in reached and type_name not in kept

    def add(
        self,
        rule: str,
        where: str,
        message: str,
        *,
        before: Any = None,
        after: Any = None,
        proof: Proof | None = None,
        sanction: str | None = None,
        tolerant: Verdict | None = None,
    ) -> None:
        """Notes one finding; with a sanction it is said and does not block."""
        law = RULES[rule]
        verdict = Verdict.NOTICE if sanction else law.verdict
        self.findings.append(
            Finding(
                rule=rule,
                verdict=verdict,
                category=law.category,
                direction=law.direction,
                effect=law.effect,
                operation=where.split("(", 1)[0],
                where=where,
                message=f"{message} {sanction}" if sanction else message,
                before=before,
                after=after,
                tolerant=tolerant,
                witness=proof() if proof is not None and sanction is None else None,
            )
        )

    def sanction(self, element: Any, coordinate: str) -> str | None:
        """Why an element of the base may go: it is deprecated, and its sunset is past."""
        sunset = sunset_of(element, coordinate, self.base)
        return f"It was deprecated with the sunset {sunset}, which is past." if is_past(sunset, self.today) else None

    def compare_deprecation(self, where: str, old: Any, new: Any) -> None:
        """Added, removed, worded anew; and a sunset that comes sooner than was said."""
        was, now = reason_of(old), reason_of(new)
        if was is None and now is not None:
            self.add("deprecation-added", where, f"{where} is deprecated: {now}", after=now)
        elif was is not None and now is None:
            self.add("deprecation-removed", where, f"{where} is not deprecated any more.", before=was)
        elif was != now:
            self.add("deprecation-reason-changed", where, f"{where} is deprecated: {now}", before=was, after=now)
        self._compare_sunset(where, old, new)

    def _compare_sunset(self, where: str, old: Any, new: Any) -> None:
        was, now = sunset_of(old, where, self.base), sunset_of(new, where, self.revision)
        if was is not None and now is not None and now < was:
            said = f"The sunset of {where} moved from {was} to the earlier {now}."
            self.add("sunset-brought-forward", where, said, before=was.isoformat(), after=now.isoformat())
        elif was is None and is_past(now, self.today):
            said = f"{where} is given the sunset {now}, which is past: nobody was told in time."
            self.add("sunset-brought-forward", where, said, after=str(now))

    def compare_description(self, where: str, old: Any, new: Any) -> None:
        if old.description != new.description:
            said = f"The description of {where} is another."
            self.add("description-changed", where, said, before=old.description, after=new.description)
