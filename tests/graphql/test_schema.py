"""What the schema says about itself."""

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from graph.requires import FIELD_OPERATIONS, field_operations
from graph.schema import build_schema as build
from graph.schema import core, sdl
from services.operations import OPERATIONS
from tests.graphql import toys


def undescribed(schema):
    for name, kind in schema.type_map.items():
        if is_introspection_type(kind) or is_specified_scalar_type(kind):
            continue
        if not kind.description:
            yield name
        if isinstance(kind, GraphQLEnumType):
            yield from (f"{name}.{value}" for value, given in kind.values.items() if not given.description)
        if not isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)):
            continue
        for field_name, field in kind.fields.items():
            if not field.description:
                yield f"{name}.{field_name}"
            for argument, given in getattr(field, "args", {}).items():
                if not given.description:
                    yield f"{name}.{field_name}({argument})"
    for directive in schema.directives:
        if not is_specified_directive(directive) and not directive.description:
            yield f"@{directive.name}"


def test_everything_is_described():
    """Every type, field, argument, enum value and directive of the real schema, and of the toy one."""
    assert list(undescribed(core(build()))) == []
    assert list(undescribed(core(toys.toy_schema()))) == []


def test_the_text_of_the_schema_is_the_same_every_time_and_is_valid():
    """It is committed and compared."""
    assert sdl() == sdl()
    build_schema(sdl())


def test_scopes_are_derived_from_operations():
    """`@requires` stands in the SDL, and the table says which operation a field serves."""
    schema = toys.toy_schema()
    text = schema.as_str()
    assert "toys(" in text
    assert '@requires(scopes: ["people.read"])' in text
    assert '@requires(scopes: ["people.write"])' in text
    assert '@requires(scopes: ["audit.read"])' in text
    assert field_operations(core(schema)) == {
        ("Query", "toys"): "list_toys",
        ("Query", "toy"): "get_toy",
        ("Mutation", "makeToy"): "make_toy",
        ("Subscription", "toyMade"): "hear_toys",
    }


def test_every_field_that_serves_an_operation_names_a_real_one():
    """A field cannot serve what `services` does not declare."""
    build()
    assert set(FIELD_OPERATIONS.values()) <= set(OPERATIONS)
