"""`securitySchemes` into `authType` with its parts: the one scheme that most operations take."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from services.integrations.definitions.addresses import check_url
from services.integrations.definitions.faults import Fault
from services.integrations.importing.documents import Source, Unresolved, listed, members
from services.integrations.importing.reports import Notes

_LONGEST_SCOPE = 2_000


class Security(NamedTuple):
    """The members of a definition, and the name of the scheme that they come from."""

    members: dict[str, Any]
    scheme: str | None

    def tell(self, requirements: Any, notes: Notes) -> None:
        """Note where an operation asks for what the definition does not send."""
        given = listed(requirements)
        if self.scheme is None or not given or any(not each or self.scheme in members(each) for each in given):
            return
        wanted = " or ".join("+".join(members(each)) for each in given[:3])
        notes.note("security", f"asks for {wanted}, and the definition sends {self.scheme}")


def security_of(source: Source, wanted: str | None, requirements: Iterable[Any], notes: Notes) -> Security:
    """The scheme that was asked for, or the one that is required most often and can be said."""
    schemes = members(members(source.root.get("components")).get("securitySchemes"))
    counted: Counter[str] = Counter()
    for given in requirements:
        counted.update({name for each in listed(given) for name in members(each) if len(members(each)) == 1})
    order = [wanted] if wanted is not None else [*(name for name, _ in counted.most_common()), *schemes]
    for name in dict.fromkeys(order):
        try:
            return Security(_said(source.resolved(schemes.get(name))), name)
        except (Unresolved, Fault) as error:
            notes.note(f"components.securitySchemes.{name}", f"cannot be used: {error}")
    for name in dict.fromkeys(order):
        if members(schemes.get(name)).get("type") in ("oauth2", "openIdConnect"):
            # However it was got, a token of OAuth 2.0 is a bearer's (RFC 6750).
            notes.note(f"components.securitySchemes.{name}", "is sent as a bearer token, which is got elsewhere")
            return Security({"authType": "bearer"}, name)
    notes.note("components.securitySchemes", "has none that can be used: nothing is sent to authenticate")
    return Security({"authType": "none"}, None)


def _said(scheme: dict[str, Any]) -> dict[str, Any]:
    """Raises Fault for what a definition cannot say."""
    kind = scheme.get("type")
    if kind == "apiKey":
        return _api_key(scheme)
    if kind == "http":
        name = str(scheme.get("scheme", "")).lower()
        if name not in ("basic", "bearer"):
            raise Fault(f"the HTTP scheme {name[:40]} is not spoken")
        return {"authType": name}
    if kind == "oauth2":
        return _oauth2(members(scheme.get("flows")))
    if kind == "openIdConnect":
        raise Fault("openIdConnect says where the endpoints are to be read, and nothing is fetched here")
    raise Fault(f"the type {str(kind)[:40]} is not spoken")


def _api_key(scheme: dict[str, Any]) -> dict[str, Any]:
    place, name = scheme.get("in"), scheme.get("name")
    if place not in ("header", "query") or not isinstance(name, str) or not 0 < len(name) <= 100:
        raise Fault("the key must go into a header or the query, under a name")
    if place == "header" and name.lower() == "authorization":
        # Whatever stands before the token there, it is a bearer's by far most often.
        return {"authType": "bearer"}
    return {"authType": "api_key", "authConfig": {"in": place, "name": name}}


def _oauth2(flows: dict[str, Any]) -> dict[str, Any]:
    for flow, kind in (("authorizationCode", "oauth2"), ("clientCredentials", "client_credentials")):
        given = members(flows.get(flow))
        if not given:
            continue
        made = {name: given[name] for name in ("authorizationUrl", "tokenUrl") if isinstance(given.get(name), str)}
        for name, address in made.items():
            check_url(address, query=name == "authorizationUrl")
        scope = " ".join(members(given.get("scopes")))
        config = made | ({"scope": scope} if 0 < len(scope) <= _LONGEST_SCOPE else {})
        return {"authType": kind, "oauth2Config": config}
    raise Fault(
        f"of its flows {', '.join(map(str, flows)) or 'none'}, authorizationCode and clientCredentials are spoken"
    )
