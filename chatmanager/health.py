"""Three addresses for those who run it: alive, ready, and the figures."""

import ipaddress
import os
import secrets

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from accounts.errors import NotFound
from chatmanager.celery import app as celery_app
from chatmanager.errors import answer


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when messages can be taken and read: the database answers and is migrated.

    The channel layer and the broker only wake; without them the answer is `degraded`, and still
    200.
    """
    database = _database()
    parts = {"database": database, "channel_layer": _channel_layer(), "broker": _broker()}
    if database != "ok":
        return JsonResponse({"status": "unavailable", **parts}, status=503)
    degraded = any(state != "ok" for state in parts.values())
    return JsonResponse({"status": "degraded" if degraded else "ready", **parts})


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for this machine or who has the token; else 404."""
    if not _may_read_metrics(request):
        return answer(request, NotFound())
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """The figures of this process, or, where several share the port, of all of them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


_migrated = False


def _database() -> str:
    global _migrated
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "migrations are missing"
            # A process serves one version of the code: once migrated, it stays so.
            _migrated = True
    except DatabaseError:
        return "away"
    return "ok"


def _channel_layer() -> str:
    if not settings.REDIS_URLS:
        return "ok"
    try:
        async_to_sync(_ask_redis)()
    except Exception:
        return "away"
    return "ok"


async def _ask_redis() -> None:
    from redis.asyncio import Redis

    for url in settings.REDIS_URLS:
        async with Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1) as redis:
            await redis.ping()


def _broker() -> str:
    if settings.CHAT_EMBEDDED_WORKER:
        return "ok"
    try:
        # Of Redis: one may take connections, and then say nothing.
        with celery_app.connection_for_write(
            connect_timeout=1, transport_options={"socket_timeout": 1}
        ) as broker:
            broker.ensure_connection(max_retries=0, timeout=1)
    except Exception:
        return "away"
    return "ok"


def _may_read_metrics(request: HttpRequest) -> bool:
    token = settings.CHAT_METRICS_TOKEN
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), token.encode())
    # Behind a proxy everybody seems to come from this machine: there only the token opens.
    return settings.CHAT_TRUSTED_PROXIES == 0 and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
