"""`servers` into the base URL and the hosts that may be called."""

import itertools
import re
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from services.integrations.definitions.addresses import check_host, check_url
from services.integrations.definitions.faults import Fault
from services.integrations.importing.documents import listed, members
from services.integrations.importing.reports import Notes

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_MOST_HOSTS = 100
_ANY = "\0"


class Base(NamedTuple):
    """`prefix` goes before each path: the path of a server that has no host."""

    url: str | None
    hosts: list[str]
    prefix: str
    variable: bool


def base_of(servers: Any, notes: Notes) -> Base:
    """The first server that can be used; without one the instance says where it is."""
    for number, server in enumerate(listed(servers)):
        text = members(server).get("url")
        if not isinstance(text, str):
            notes.note(f"servers.{number}", "has no url")
            continue
        found = _read(text, members(members(server).get("variables")), f"servers.{number}", notes)
        if found is not None:
            return found
    notes.note("servers", "names no server: the instance's baseUrl says where it is")
    return Base(None, [], "", True)


def _read(text: str, variables: dict[str, Any], where: str, notes: Notes) -> Base | None:
    choices = {name: _values(members(variables.get(name))) for name in _VARIABLE.findall(text)}
    plain = _filled(text, {name: values[0] for name, values in choices.items()})
    if _ANY in plain:
        notes.note(where, "has a variable without a default")
        return None
    plain = plain.rstrip("/")
    if plain.startswith("//"):
        plain = f"https:{plain}"
    if "://" not in plain:
        notes.note(where, "has no host: the instance's baseUrl says where it is, without this path")
        return Base(None, [], f"/{plain.strip('/')}" if plain.strip("/") else "", True)
    try:
        host = check_url(plain)
        check_host(host)
    except Fault as fault:
        notes.note(where, str(fault))
        return None
    hosts = _hosts(text, choices, host, where, notes)
    return Base(plain, hosts, "", bool(choices))


def _values(variable: dict[str, Any]) -> list[str]:
    """The default first; a variable without an enumeration can be anything else too."""
    given = variable.get("default")
    values = [str(each) for each in listed(variable.get("enum"))]
    first = [str(given)] if given is not None else values[:1] or [_ANY]
    return list(dict.fromkeys([*first, *(values or [_ANY])]))


def _filled(text: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values[match[1]], text)


def _hosts(text: str, choices: dict[str, list[str]], host: str, where: str, notes: Notes) -> list[str]:
    """The hosts of every choice; where a variable is free, all below what follows it."""
    found: dict[str, None] = {host: None}
    for values in itertools.islice(itertools.product(*choices.values()), _MOST_HOSTS * 4):
        pattern = _pattern(_filled(text, dict(zip(choices, values, strict=True))))
        try:
            if pattern is None:
                raise Fault("has a variable in the host, and nothing fixed behind it")
            check_host(pattern)
        except Fault as fault:
            notes.note(where, f"{fault}: name more hosts in allowedHosts")
            continue
        found[pattern] = None
    return list(found)[:_MOST_HOSTS]


def _pattern(url: str) -> str | None:
    try:
        authority = urlsplit(url if "://" in url else f"https:{url}").netloc.rpartition("@")[2].lower()
    except ValueError:
        return None
    host = authority.partition(":")[0]
    if _ANY not in host:
        return host.rstrip(".")
    fixed = host.rpartition(_ANY)[2].partition(".")[2]
    return f"*.{fixed}" if "." in fixed else None
