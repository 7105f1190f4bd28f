"""Metrics in Prometheus' text format, and the small server that offers them."""

from __future__ import annotations

from . import addresses, http_server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List

    Sampler = Callable[[], List["Metric"]]

DEFAULT_PORT = 9932


class Metric:
    """One sample: name, what it says, labels, value."""

    __slots__ = ("help", "kind", "labels", "name", "value")

    def __init__(
        self, name: str, text: str, value: float, labels: Dict[str, str] | None = None, kind: str = "gauge"
    ) -> None:
        self.name = name
        self.help = text
        self.value = value
        self.labels = labels or {}
        self.kind = kind


def render(metrics: List[Metric]) -> str:
    """Write the exposition text; metrics of one name must stand together."""
    lines: List[str] = []
    previous = ""
    for metric in metrics:
        if metric.name != previous:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
            previous = metric.name
        labels = ",".join(f'{key}="{_escaped(value)}"' for key, value in metric.labels.items())
        lines.append(f"{metric.name}{{{labels}}} {metric.value:g}" if labels else f"{metric.name} {metric.value:g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def serve(address: str, sampler: Sampler) -> None:
    """Offer `/metrics` on that address. Raises addresses.CannotListen."""
    host, port = addresses.parse(address, DEFAULT_PORT)

    def answer(request: http_server.Request) -> http_server.Response:
        if request.path != "/metrics":
            return http_server.NOT_FOUND
        text = render(sampler())
        return http_server.Response(200, text.encode(), "text/plain; version=0.0.4; charset=utf-8")

    http_server.Server(host, port, answer).start()
