"""Documents that were valid and are not, proven by graphql-core's validation; answers that a client may now receive."""

from collections.abc import Collection, Iterable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    parse,
    validate,
)

from services.contracts.findings import Witness
from services.contracts.sdl.literals import input_object, literal
from services.contracts.sdl.reaching import Reach

#: Each proof validates twice; a report of more findings says of the rest that none was looked for.
MOST = 500
_SAMPLES = {"Int": 1, "Float": 1.5, "Boolean": True, "ID": "x", "String": "x"}


class Witnesses:
    """Looks for the proof of one finding after the other; `base` was before, `revision` is after."""

    def __init__(self, base: GraphQLSchema, revision: GraphQLSchema) -> None:
        self._base, self._revision = base, revision
        self._before, self._after = Reach(base, revision), Reach(revision, base)
        self._left = MOST

    def document(self, candidates: Iterable[str | None]) -> Witness | None:
        """The first candidate that the base accepts and the revision refuses."""
        if self._left == 0:
            return None
        self._left -= 1
        for text in candidates:
            if text is None:
                continue
            try:
                document = parse(text)
                if validate(self._base, document, max_errors=1):
                    continue
                refused = validate(self._revision, document, max_errors=1)
            except (GraphQLError, RecursionError):
                # Too deep a way to a type, or a name that only an invalid schema gives.
                continue
            if refused:
                return Witness(text, f"Was valid; now: {refused[0].message}")
        return None

    @property
    def taken(self) -> Collection[str]:
        """The types whose values a document of the base can give."""
        return self._before.uses

    def selecting(self, type_name: str, *selections: str) -> Witness | None:
        return self.document(self._before.document(type_name, selection) for selection in selections)

    def calling(self, owner: str, field: str, argument: str | None = None, type_: Any = None) -> Witness | None:
        """Selects a field; with an argument, gives it null, a value of its type, and a variable of its type."""
        if argument is None:
            return self.document([self._before.calling(owner, field, {})])
        texts = [text for text in (literal(type_, self._revision), "null", "[]") if text is not None]
        candidates = [self._before.calling(owner, field, {argument: text}) for text in texts]
        candidates.append(self._before.calling(owner, field, {argument: "$value"}, f"($value: {type_})"))
        return self.document(candidates)

    def giving(self, input_type: Any, field: str | None = None, type_: Any = None) -> Witness | None:
        """Gives an input object: with a field in several ways, or as few and as many fields as it may have."""
        if field is None:
            objects = [input_object(input_type, self._revision, {})]
            values = {name: literal(found.type, self._revision) for name, found in input_type.fields.items()}
            given = {name: text for name, text in values.items() if text is not None}
            objects.append("{" + ", ".join(f"{name}: {text}" for name, text in given.items()) + "}")
        else:
            texts = [literal(type_, self._revision), "null", "[]"]
            objects = [input_object(input_type, self._revision, {field: text}) for text in texts if text is not None]
        return self.document(self._before.giving(input_type.name, text) for text in objects if text is not None)

    def given(self, type_name: str, text: str) -> Witness | None:
        """Gives a literal, or a variable, where a type is taken."""
        use = self._before.uses.get(type_name)
        candidates = [self._before.giving(type_name, text)]
        if use is not None and not use.chain:
            type_: Any = self._base.type_map[use.owner]
            variable = f"($value: {type_.fields[use.field].args[use.argument].type})"
            candidates.append(self._before.calling(use.owner, use.field, {use.argument: "$value"}, variable))
        return self.document(candidates)

    def answer(self, owner: str, field: str, value: Any, note: str) -> Witness | None:
        """An answer of the revision with a value in a field."""
        found = self._after.answer(owner, {field: value})
        return None if found is None else Witness(found, note)

    def null(self, owner: str, field: str, old: Any, new: Any) -> Witness | None:
        note = "May be answered now; null was promised not to stand there."
        return self.answer(owner, field, _loosened(old, new), note)

    def other_type(self, owner: str, field: str, old: Any, new: Any) -> Witness | None:
        """Selects below a field whose type is another; where both are leaves, the answer that it now gives."""
        named = get_named_type(old)
        if is_composite_type(named):
            inside = [f"... on {named.name} {{ __typename }}", "__typename"]
            fields = getattr(named, "fields", None) or {}
            inside += [name for name, found in fields.items() if not is_composite_type(get_named_type(found.type))][:5]
            type_: Any = self._base.type_map[owner]
            call = self._before.calling(owner, field, {})
            if call is not None and field in type_.fields:
                return self.document(call.replace("{ __typename }", f"{{ {text} }}", 1) for text in inside)
        value = _loosened(old, new) if named.name == get_named_type(new).name else self._sample(new)
        return self.answer(owner, field, value, f"May be answered now; {old} was promised.")

    def _sample(self, type_: Any) -> Any:
        if isinstance(type_, GraphQLNonNull):
            return self._sample(type_.of_type)
        if isinstance(type_, GraphQLList):
            return [self._sample(type_.of_type)]
        if isinstance(type_, GraphQLEnumType):
            return next(iter(type_.values), None)
        return _SAMPLES.get(type_.name, {"__typename": type_.name} if is_composite_type(type_) else "x")

    def received(self, type_name: str, value: Any, note: str) -> Witness | None:
        """An answer of the revision with a value in the first reachable field of a type."""
        for owner, name, listed in self._after.outputs.get(type_name, ()):
            inner = value
            for _ in range(listed):
                inner = [inner]
            if found := self.answer(owner, name, inner, note):
                return found
        return None


def _loosened(old: Any, new: Any) -> Any:
    """Null, in as many lists as stand around the place where it was not allowed."""
    if isinstance(old, GraphQLNonNull):
        return _loosened(old.of_type, new.of_type) if isinstance(new, GraphQLNonNull) else None
    new = new.of_type if isinstance(new, GraphQLNonNull) else new
    return (
        [_loosened(old.of_type, new.of_type)] if isinstance(old, GraphQLList) and isinstance(new, GraphQLList) else []
    )
