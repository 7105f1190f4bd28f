"""What Prometheus is to scrape: the services of a run that have a port named metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from octogram_tui.engine.services import Service


def own_group(port: int) -> dict[str, Any]:
    """Give the group of the orchestrator's own metrics, for a Prometheus on the orchestrator's machine."""
    labels = {"agent": "orchestrator", "node": "octogram-tui", "kind": "orchestrator"}
    return {"targets": [f"127.0.0.1:{port}"], "labels": labels}


def target_groups(services: Iterable[tuple[str, Service]], addresses: Mapping[str, str]) -> list[dict[str, Any]]:
    """Give the document of file-based service discovery: one group a service, in a stable order.

    services: (agent, service) pairs; those that are down are left out.
    """
    groups = [
        {
            "targets": [f"{addresses[agent]}:{service.ports['metrics']}"],
            "labels": {"agent": agent, "node": service.name, "kind": service.kind},
        }
        for agent, service in services
        if service.is_up and "metrics" in service.ports and agent in addresses
    ]
    return sorted(groups, key=lambda group: (group["labels"]["agent"], group["labels"]["node"]))
