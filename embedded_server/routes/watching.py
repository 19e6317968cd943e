"""/healthz, which anybody may ask, and /metrics in the text format of Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Any

from fastapi import APIRouter, Response

from embedded_server.contract import HEALTH_ROUTE, METRICS_ROUTE, VERSION
from embedded_server.domain.measures import Histogram
from embedded_server.routes import described as d
from embedded_server.routes.answers import error_answer, json_answer
from embedded_server.routes.worker_calls import in_worker
from embedded_server.services.health import Health

_GOOD_FOR_S = 1.0  # anybody may ask, so asking often must cost nothing
_LONGEST_WAIT_S = 5.0
_PREFIX = "lakedrop"


class _HealthWatch:
    """One look at the disk at a time, however many ask; one that hangs is not waited for."""

    def __init__(self, health: Health, workers: Executor) -> None:
        self._health = health
        self._workers = workers
        self._look: asyncio.Task[bool] | None = None
        self._seen_at_s = -_GOOD_FOR_S
        self._was_well = False

    async def is_well(self) -> bool:
        if time.monotonic() - self._seen_at_s < _GOOD_FOR_S:
            return self._was_well
        if self._look is None:
            self._look = asyncio.ensure_future(in_worker(self._workers, self._health.check))
        look = self._look
        await asyncio.wait({look}, timeout=_LONGEST_WAIT_S)
        if not look.done():
            return False
        if self._look is look:
            self._look = None
            self._seen_at_s = time.monotonic()
            self._was_well = look.exception() is None and look.result()
        return self._was_well


def watching_routes(health: Health, workers: Executor) -> APIRouter:
    router = APIRouter()
    watch = _HealthWatch(health, workers)

    health_told: dict[str, Any] = {
        "summary": "Whether the lake can be written and the catalog answers",
        "responses": d.open_answers(d.record({"status": d.one_of(["ok"])}), without=(400, 507)),
    }

    @router.head(HEALTH_ROUTE, operation_id="checkHealthHead", **health_told)
    @router.get(HEALTH_ROUTE, operation_id="checkHealth", **health_told)
    async def healthz() -> Response:
        if await watch.is_well():
            return json_answer({"status": "ok"})
        return error_answer(503, "the lake cannot be used at the moment")

    @router.get(
        METRICS_ROUTE,
        operation_id="readMetrics",
        summary="Counters in the text format of Prometheus",
        responses=d.answers(d.TEXT, media_type="text/plain", without=(400,)),
    )
    async def metrics() -> Response:
        text, content_type = await in_worker(workers, _prometheus_text, health)
        return Response(text, media_type=content_type)

    return router


def _prometheus_text(health: Health) -> tuple[bytes, str]:
    # Only here: a server that nobody scrapes starts without it.
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        InfoMetricFamily,
        Metric,
    )
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    measures = health.measures

    class Collector:
        def collect(self) -> Iterator[Metric]:
            requests = CounterMetricFamily(
                f"{_PREFIX}_requests", "Requests answered.", labels=["method", "route", "status"]
            )
            for (method, route, status), count in list(measures.requests.items()):
                requests.add_metric([method, route, str(status)], count)
            yield requests
            uploads = CounterMetricFamily(
                f"{_PREFIX}_uploads", "Upload attempts that are over.", labels=["outcome"]
            )
            for outcome, count in measures.uploads_by_outcome().items():
                uploads.add_metric([outcome], count)
            yield uploads
            yield CounterMetricFamily(
                f"{_PREFIX}_received_bytes", "Bytes received.", value=measures.bytes_in
            )
            yield GaugeMetricFamily(
                f"{_PREFIX}_running_syncs", "Syncs not yet ended.", value=health.running_syncs()
            )
            yield GaugeMetricFamily(
                f"{_PREFIX}_disk_free_bytes", "Room on the lake's disk.", value=health.free_bytes()
            )
            for name, words, histogram in (
                ("request_seconds", "Time to answer a request.", measures.request_s),
                ("fsync_seconds", "Time of one fsync.", measures.fsync_s),
                ("commit_seconds", "Time of one commit of the catalog.", measures.commit_s),
            ):
                yield _family(HistogramMetricFamily, name, words, histogram)
            yield InfoMetricFamily(_PREFIX, "This server.", value={"version": VERSION})

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _family(make: type, name: str, words: str, histogram: Histogram):  # type: ignore[no-untyped-def]
    buckets, total = histogram.told()
    return make(f"{_PREFIX}_{name}", words, buckets=buckets, sum_value=total)
