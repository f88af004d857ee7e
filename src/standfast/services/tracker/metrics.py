"""The tracker's figures in Prometheus text."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from standfast.services.tracker.hits import Hits


class TrackerCollector(Collector):
    """Reads plain counters when somebody asks, so that a request pays for one addition."""

    def __init__(self, *, hits: Hits, outcomes: Counter[str]) -> None:
        self._hits = hits
        self._outcomes = outcomes

    def collect(self) -> Iterator[Metric]:
        """The families, made now."""
        answers = CounterMetricFamily("standfast_tracker_answers", "Requests answered", labels=["outcome"])
        for outcome, count in list(self._outcomes.items()):
            answers.add_metric([outcome], count)
        yield answers
        verdicts = CounterMetricFamily("standfast_tracker_verdicts", "Opens and clicks", labels=["verdict", "reason"])
        for verdict, count in list(self._hits.verdicts.items()):
            verdicts.add_metric([verdict.kind.value, verdict.reason.value], count)
        yield verdicts
        yield from self._spool()

    def _spool(self) -> Iterator[Metric]:
        spool = self._hits.spool
        yield CounterMetricFamily("standfast_spool_appended", "Events on disk", value=spool.appended_count)
        yield CounterMetricFamily("standfast_spool_refused", "Events refused, not on disk", value=spool.refused_count)
        yield CounterMetricFamily("standfast_spool_flushes", "Group commits", value=spool.flush_count)
        yield GaugeMetricFamily(
            "standfast_spool_position_bytes", "Position behind the last event", value=spool.position
        )
        yield GaugeMetricFamily(
            "standfast_spool_failing", "1 when the last write failed", value=int(bool(spool.last_error))
        )


def metrics_text(collector: TrackerCollector) -> bytes:
    """The figures as Prometheus reads them (text format 0.0.4)."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry)
