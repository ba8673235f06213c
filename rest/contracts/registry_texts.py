"""The registry as text: read without running it, as a commit of the past has it, and written anew."""

import ast
from typing import Any

from rest.contracts.versions import Api, Version
from services.contracts.reading import UnreadableDocument

_TYPES = {"Api": Api, "Version": Version}
_HEAD = '''"""Every public API with its versions, as data. `dovetail contract new-version` writes this module anew."""

from rest.contracts.versions import Api, Version

APIS = {
'''


def parse(text: str) -> dict[str, Api]:
    """The value of `APIS` in a registry's source; only literals, `Api` and `Version` are read.

    Raises `UnreadableDocument`.
    """
    try:
        tree = ast.parse(text)
        values = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_apis(node)]
        found: dict[str, Api] = _value(values[0])
    except (SyntaxError, ValueError, TypeError, IndexError, RecursionError) as error:
        raise UnreadableDocument(f"the registry cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(api, Api) for name, api in found.items()
    ):
        raise UnreadableDocument("the registry cannot be read: APIS is no table of Api")
    return found


def _is_apis(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "APIS" for target in node.targets)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        made = _TYPES.get(node.func.id)
        if made is None:
            raise ValueError(f"{node.func.id} is neither Api nor Version")
        named = {str(word.arg): _value(word.value) for word in node.keywords}
        return made(*[_value(each) for each in node.args], **named)
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise ValueError("a table is written out")
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    if isinstance(node, ast.Tuple):
        return tuple(_value(each) for each in node.elts)
    return ast.literal_eval(node)


def render(apis: dict[str, Api]) -> str:
    """The module that says `apis`, as the formatter leaves it."""
    return _HEAD + "".join(_api(name, api) for name, api in apis.items()) + "}\n"


def _api(name: str, api: Api) -> str:
    lines = [f'    "{name}": Api(', f'        prefix="{api.prefix}",']
    if api.schema is not None:
        lines.append(f'        schema="{api.schema}",')
    else:
        lines += [f"        frozen={_tuple(api.frozen)},", f"        active={_text(api.active)},", "        versions={"]
        for version, said in api.versions.items():
            lines += [f'            "{version}": Version(', *_fields(said), "            ),"]
        lines.append("        },")
    return "\n".join([*lines, "    ),", ""])


def _fields(said: Version) -> list[str]:
    defaults = Version._field_defaults
    named = [(name, value) for name, value in said._asdict().items() if name not in defaults or value != defaults[name]]
    return [f"                {name}={_text(value)}," for name, value in named]


def _tuple(names: tuple[str, ...]) -> str:
    return f"({', '.join(map(_text, names))}{',' if len(names) == 1 else ''})"


def _text(value: str | int | None) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
