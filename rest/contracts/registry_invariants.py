"""What must hold of a registry whatever it names; each fault is one sentence."""

import re
from collections.abc import Mapping

from rest.contracts.versions import Api

_NAME = re.compile(r"v[1-9]\d*")


def faults_of(apis: Mapping[str, Api]) -> list[str]:
    """Names, order, freezing, and one package, surface and snapshot for each version; empty where all holds."""
    found = []
    for name, api in apis.items():
        found += _schema_faults(name, api) if api.schema is not None else _version_faults(name, api)
    return found + _shared(apis)


def _schema_faults(name: str, api: Api) -> list[str]:
    return [f"{name} has a schema, and versions too: one of the two."] if api.names or api.versions else []


def _version_faults(name: str, api: Api) -> list[str]:
    found = [
        f"{name}: {each} is no version; versions are v1, v2, v3 …" for each in api.names if not _NAME.fullmatch(each)
    ]
    if found:
        return found
    if api.active in api.frozen:
        found.append(f"{name} {api.active} is active and frozen: one of the two.")
    numbers = sorted({int(each[1:]) for each in api.names})
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"{name}: versions leave a gap or begin late: {', '.join(f'v{each}' for each in numbers)}.")
    if not found and api.active and api.active != f"v{len(numbers)}":
        found.append(f"{name}: {api.active} is active, and v{len(numbers)} is later.")
    if set(api.versions) != set(api.names):
        odd = ", ".join(sorted(set(api.versions) ^ set(api.names)))
        found.append(f"{name}: {odd}: each frozen or active version is described, and no other.")
    return found


def _shared(apis: Mapping[str, Api]) -> list[str]:
    found = []
    versions = [(name, each, said) for name, api in apis.items() for each, said in api.versions.items()]
    for member in ("package", "surface", "snapshot"):
        seen: dict[str, str] = {}
        for name, each, said in versions:
            value = getattr(said, member)
            if value in seen:
                found.append(f"{name} {each} and {seen[value]} have the same {member} {value}.")
            seen[value] = f"{name} {each}"
    return found
