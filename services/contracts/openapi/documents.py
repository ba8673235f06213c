"""A document that is read lazily: a node knows where it stands, and a `$ref` is followed when it is reached."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from services.contracts.reading import UnreadableDocument, is_known, measure

#: A chain of references longer than this is taken for one that leads nowhere.
MAX_CHAIN = 64


class Node:
    """A value and its place (a JSON pointer) in a document."""

    __slots__ = ("document", "pointer", "value")

    def __init__(self, document: "Document", pointer: str, value: Any) -> None:
        self.document = document
        self.pointer = pointer
        self.value = value

    @property
    def key(self) -> int:
        return id(self.value)

    def child(self, *names: str | int) -> "Node":
        """The node below; None as its value where there is none."""
        value, pointer = self.value, self.pointer
        for name in names:
            value = _below(value, name)
            pointer = f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
        return Node(self.document, pointer, value)

    def mapping(self, name: str) -> dict[str, Any]:
        """The object below `name`, empty where it is none."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        return value if isinstance(value, dict) else {}

    def items(self, name: str) -> Iterator[tuple[str, "Node"]]:
        """The entries of the object below `name`, in the document's order; extensions are no entries."""
        for key in self.mapping(name):
            if isinstance(key, str):
                yield key, self.child(name, key)

    def resolved(self) -> "Node":
        """What this node refers to, through at most MAX_CHAIN references; itself where it is no reference.

        A reference that leads nowhere stays as it is: `dangling` tells.
        """
        node = self
        for _ in range(MAX_CHAIN):
            target = node.target()
            if target is None:
                return node
            node = target
        return self

    def target(self) -> "Node | None":
        """The node that this node's `$ref` names, or None where it has none or leads nowhere."""
        reference = self.value.get("$ref") if isinstance(self.value, dict) else None
        return self.document.find(reference) if isinstance(reference, str) else None

    def get(self, name: str, default: Any = None) -> Any:
        return self.value.get(name, default) if isinstance(self.value, dict) else default


class Document:
    """One OpenAPI document. `modern` is 3.1 and later, where schemas are JSON Schema 2020-12."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise UnreadableDocument("an OpenAPI document is an object")
        version = value.get("openapi")
        if not is_known(version):
            raise UnreadableDocument("openapi: must be 3.0.x, 3.1.x or 3.2.x", found=version)
        measure(value)
        self.modern = not str(version).startswith("3.0")
        self.root = Node(self, "", value)
        self._found: dict[str, Node | None] = {}
        self._anchors: dict[str, Node] | None = None

    def find(self, reference: str) -> Node | None:
        """The node of a local reference (`#/…` or `#anchor`); None where it leads nowhere or outside."""
        if reference not in self._found:
            self._found[reference] = self._find(reference)
        return self._found[reference]

    def _find(self, reference: str) -> Node | None:
        if reference == "#":
            return self.root
        if reference.startswith("#/"):
            names = [unquote(part).replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/")]
            found = self.root.child(*names)
            return found if found.value is not None else None
        if reference.startswith("#"):
            return self._anchored().get(reference[1:])
        return None

    def _anchored(self) -> dict[str, Node]:
        if self._anchors is None:
            self._anchors = {}
            for node in walk(self.root):
                for keyword in ("$anchor", "$dynamicAnchor"):
                    name = node.get(keyword)
                    if isinstance(name, str):
                        self._anchors.setdefault(name, node)
        return self._anchors


def _below(value: Any, name: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and str(name).isdecimal() and len(str(name)) < 10 and int(name) < len(value):
        return value[int(name)]
    return None


def walk(start: Node) -> Iterator[Node]:
    """Every object at and below a node, without recursion."""
    stack = [start]
    while stack:
        node = stack.pop()
        if isinstance(node.value, dict):
            yield node
            stack.extend(node.child(name) for name in node.value if isinstance(name, str))
        elif isinstance(node.value, list):
            stack.extend(node.child(index) for index in range(len(node.value)))
