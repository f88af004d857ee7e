"""The tracker's figures in Prometheus text."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from standfast.platform.spool import Spool
from standfast.protocols.verdict import Verdict
from standfast.services.tracker.connections import Connections


class TrackerCollector(Collector):
    """Reads plain counters when somebody asks, so that a request pays for one addition."""

    def __init__(self, *, spool: Spool, verdicts: Mapping[Verdict, int], outcomes: Counter[str]) -> None:
        self._spool, self._verdicts, self._outcomes = spool, verdicts, outcomes
        self.connections: Connections | None = None

    def collect(self) -> Iterator[Metric]:
        """The families, made now."""
        answers = CounterMetricFamily("standfast_tracker_answers", "Requests answered", labels=["outcome"])
        for outcome, count in list(self._outcomes.items()):
            answers.add_metric([outcome], count)
        yield answers
        verdicts = CounterMetricFamily("standfast_tracker_verdicts", "Opens and clicks", labels=["verdict", "reason"])
        for verdict, count in list(self._verdicts.items()):
            verdicts.add_metric([verdict.kind.value, verdict.reason.value], count)
        yield verdicts
        if self.connections is not None:
            yield GaugeMetricFamily("standfast_tracker_connections", "Open connections", value=len(self.connections))
            yield CounterMetricFamily(
                "standfast_tracker_evicted", "Connections ended for others", value=self.connections.evicted_count
            )
        yield from self._of_spool()

    def _of_spool(self) -> Iterator[Metric]:
        spool = self._spool
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
