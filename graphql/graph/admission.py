"""From a request to an operation that may run: who asks, which document, and whether the budget holds its cost."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from app.auth.principal import Principal
from app.auth.scopes import Scope
from app.errors import CostLimited, DocumentNotTrusted, QueryRefused, QueryTooComplex
from graph.documents import Document, Documents, Operation, document_id
from graph.manifest import Manifest
from graph.once import asked_once
from graph.request import GraphContext
from graph.wire import GraphqlRequest, check_variables
from services.access.callers import Credential, identify
from services.context import Context
from services.idempotency import Asked
from services.limits import Verdict

if TYPE_CHECKING:
    from services.runtime import Runtime

_TIER_FACTORS = {"standard": 1, "premium": 5}


class Admitted(msgspec.Struct):
    """An operation that may run now; its cost is paid, and what it does not use is given back by `settle`."""

    graph: GraphContext
    operation: Operation
    variables: Mapping[str, Any]
    extensions: Mapping[str, Any]
    cost: int
    verdict: Verdict
    give_back: Callable[[Verdict, int], Awaitable[Verdict]]
    used: int
    once: Asked | None = None

    async def settle(self, content: dict[str, Any]) -> None:
        """Give back what the answer did not use, and report it; what failed may have cost all it was charged for."""
        if not content.get("errors"):
            self.used = max(1, min(self.cost, self.operation.measure.used(content["data"])))
        if self.used < self.cost:
            self.verdict = await self.give_back(self.verdict, self.cost - self.used)
        content["extensions"] = {"cost": self.cost_report()}

    def cost_report(self) -> dict[str, int]:
        return {
            "requested": self.cost,
            "used": self.used,
            "limit": self.verdict.quota,
            "remaining": self.verdict.remaining,
            "resetAfterMs": round(self.verdict.reset_after * 1000),
        }


class BudgetSpent(CostLimited):
    """`verdict` is the bucket's state, for the headers of the answer."""

    def __init__(self, verdict: Verdict, cost: int) -> None:
        super().__init__(
            verdict.retry_seconds,
            f"The operation costs {cost}, more than the {verdict.remaining} that this token has left for now.",
        )
        self.verdict = verdict


class Admission:
    """The gate in front of the executor, the same for HTTP, server-sent events and WebSockets."""

    def __init__(self, runtime: "Runtime", documents: Documents, manifest: Manifest) -> None:
        self._runtime, self._documents, self._manifest = runtime, documents, manifest

    async def authenticate(self, given: Credential, request_id: str) -> GraphContext:
        """Raises InvalidToken, CertificateRefused, or Unavailable where the issuer's keys cannot be read."""
        principal = await identify(self._runtime, given, "graphql", request_id)
        return GraphContext(Context(self._runtime, principal, "graphql", request_id), given)

    async def admit(self, graph: GraphContext, request: GraphqlRequest, key: str | None = None) -> Admitted:
        """`key` is the request's Idempotency-Key.

        Raises DocumentRefused, QueryRefused, QueryTooComplex, DocumentNotTrusted or BudgetSpent.
        """
        operation = self._document(request, graph.viewer).operation(request.operation_name)
        self._check_trust(request, operation, graph.viewer)
        variables = request.variables or {}
        check_variables(variables)
        once = asked_once(request, operation, key)
        cost = operation.cost(variables)
        if cost > self._documents.limits.cost:
            raise QueryTooComplex(f"The operation costs {cost}; {self._documents.limits.cost} is the most.")
        verdict = await self._charge(graph.viewer, cost)
        graph.row_plans = operation.row_plans
        used = operation.coordinates
        usage = self._runtime.usage
        usage.note_client(graph.viewer, "control-plane", "", used.elements(variables, usage.elements.intern))
        give_back = partial(self._runtime.limiter.refund, _bucket(graph.viewer))
        return Admitted(graph, operation, variables, request.extensions or {}, cost, verdict, give_back, cost, once)

    def _document(self, request: GraphqlRequest, viewer: Principal) -> Document:
        if request.document_id is not None:
            found = self._manifest.find(request.document_id)
            if found is None:
                raise DocumentNotTrusted("No saved operation has this documentId.")
            return found
        if not request.query:
            raise QueryRefused("The request has neither a query nor a documentId.")
        saved = self._manifest.find(document_id(request.query))
        if saved is not None:
            return saved
        if self._trusted_only and not viewer.holds(Scope.TENANTS_ADMIN):
            raise DocumentNotTrusted
        return self._documents.prepare(request.query)

    @property
    def _trusted_only(self) -> bool:
        return self._runtime.settings.graphql_documents == "trusted"

    def _check_trust(self, request: GraphqlRequest, operation: Operation, viewer: Principal) -> None:
        """Beside the saved operations, an administrator may read the schema."""
        if not self._trusted_only or operation.introspects_only or request.document_id is not None:
            return
        if request.query is None or self._manifest.find(document_id(request.query)) is None:
            raise DocumentNotTrusted

    async def _charge(self, viewer: Principal, cost: int) -> Verdict:
        per_minute = self._runtime.settings.graphql_cost_per_minute * _TIER_FACTORS[viewer.tier]
        verdict = await self._runtime.limiter.hit(_bucket(viewer), per_minute, max(1, per_minute // 2), cost)
        if not verdict.admitted:
            raise BudgetSpent(verdict, cost)
        return verdict


def _bucket(viewer: Principal) -> str:
    return f"cost:{viewer.tenant}:{viewer.subject}"
