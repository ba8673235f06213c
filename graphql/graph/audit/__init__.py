"""The audit history: listed, explained, verified and listened to."""

from graph.audit.queries import AuditQuery
from graph.audit.subscriptions import AuditSubscription
from graph.parts import Part

PART = Part(query=AuditQuery, subscription=AuditSubscription)
