"""The dashboard for Grafana: it is one by Grafana's own types, and each of its queries has an answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fixtures_program import ROOT, Place, wait_for
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from ports import free_port

from octogram_tui.report.metrics import RunMetrics

DASHBOARD = ROOT / "docs" / "grafana" / "run.json"
TEXT = DASHBOARD.read_text()
PANELS: list[dict[str, Any]] = json.loads(TEXT)["panels"]
TARGETS = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
SCENARIO = """
agents:
  - {name: 'n_{1..2}', transport: local}
vars: {prometheus: 0}
stages:
  - name: serve
    jobs: [{name: files, builtins.start_http_server: {}}]
  - name: watched
    with_agents: n_1
    jobs:
      - name: program
        builtins.start_process:
          argv: 'python3 -m http.server --bind 127.0.0.1 {{ port.numbers }}'
          name: node-1
          ports: {numbers: fresh}
          metrics: numbers
          ready: {port: '{{ port.numbers }}'}
      - name: is found
        builtins.http: 'http://127.0.0.1:{{ vars.prometheus }}/api/v1/targets?state=active'
        retries: 300
        retry_delay: 0.1
        until: res.json.data.activeTargets | map(attribute='lastScrape') | select('ge', '2') | list | length == 3
  - name: measure
    jobs:
      - {name: probe, with_items: 1..12, builtins.shell: sleep 0.1}
      - {name: fails, on_failure: continue, retries: 1, builtins.shell: exit 3}
"""


def test_grafana_knows_all_that_is_in_it() -> None:
    """Read with the types that are made from Grafana's schemas, and written again, nothing is lost or other."""
    plugins.register_default_plugins()
    read = Dashboard.from_json(json.loads(TEXT))
    assert missing(json.loads(TEXT), json.loads(JSONEncoder(sort_keys=True).encode(read))) == []
    assert read.uid == "octogram-run"


def missing(given: Any, known: Any, where: str = "") -> list[str]:
    """List what is not there, or is something else; defaults may have been added. Null is the same as nothing."""
    if isinstance(given, dict) and isinstance(known, dict):
        pairs = [(value, known.get(key), f"{where}.{key}") for key, value in given.items() if value is not None]
    elif isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        pairs = [(a, b, f"{where}[{n}]") for n, (a, b) in enumerate(zip(given, known, strict=True))]
    else:
        return [] if given == known else [f"{where}: {given!r} became {known!r}"]
    return [line for one, other, place in pairs for line in missing(one, other, place)]


def test_panels_have_names_of_their_own_and_do_not_overlap() -> None:
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in PANELS)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in PANELS}) == len({panel["title"] for panel in PANELS}) == len(PANELS)


def test_every_metric_of_a_run_is_on_it() -> None:
    families = [family.name for family in RunMetrics().registry.collect()]
    assert [name for name in families if name not in TEXT] == []


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a folder, as an exporter of text files would."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    extensions_map = {".prom": "text/plain; version=0.0.4"}  # noqa: RUF012

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.prometheus
def test_each_of_its_queries_has_an_answer(place: Place, tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no prometheus on this machine")
    ours, theirs = free_port(), free_port()
    (tmp_path / "files").mkdir()
    with served(tmp_path / "files") as files:
        config = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
            "scrape_configs": [
                {
                    "job_name": "runs",
                    "honor_labels": True,
                    "metrics_path": path,
                    "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
                }
                | {"job_name": name}
                for name, port, path in (("port", ours, "/metrics"), ("file", files, "/run.prom"))
            ]
            + [{"job_name": "nodes", "file_sd_configs": [{"files": [f"{tmp_path}/files/*.json"]}]}],
        }
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))
        argv = [
            *(program, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"),
            *(f"--web.listen-address=127.0.0.1:{theirs}", "--log.level=error"),
        ]
        with open(tmp_path / "log", "wb") as log:
            prometheus = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            place.write("s.yml", SCENARIO)
            begun_s = time.time()
            file = str(tmp_path / "files" / "run.prom")
            watched = tmp_path / "files" / "nodes.json"
            metrics = ("--metrics-port", str(ours), "--metrics", file, "--metrics-targets", str(watched))
            done = place.run("s.yml", "--headless", *metrics, "-e", f"prometheus={theirs}", "--events", "events")
            assert done.returncode == 0, done.stdout
            found = found_by_the_run(place.home / "events")
            assert found["labels"] == {"agent": "n_1", "node": "node-1", "kind": "process", "scenario": "s"} | {
                name: found["labels"][name] for name in ("instance", "job", "run")
            }
            assert json.loads(watched.read_text()) == []
            run = json.loads(asked(theirs, "/api/v1/label/run/values"))["data"]
            assert len(run) == 1
            left = list(TARGETS)

            def all_have_data() -> bool:
                left[:] = [(title, one) for title, one in left if not has_data(theirs, one, begun_s, run[0])]
                return not left

            wait_for(all_have_data, describe=lambda: f"no data for {[(title, one['expr']) for title, one in left]}")
        finally:
            prometheus.terminate()
            prometheus.wait(60)


def found_by_the_run(events: Path) -> dict[str, Any]:
    """Give the target of the watched file as Prometheus named it when a job of the run asked."""
    ends = [json.loads(line) for line in events.read_text().splitlines() if '"is found"' in line]
    [end] = [end for end in ends if end.get("state") == "ok"]
    targets: list[dict[str, Any]] = end["result"]["json"]["data"]["activeTargets"]
    [found] = [target for target in targets if target["scrapePool"] == "nodes"]
    return found


def has_data(port: int, target: dict[str, Any], begun_s: float, run: str) -> bool:
    """Ask as Grafana would; whether a number comes back."""
    query = target["expr"].replace("$__rate_interval", "1m").replace("$run", run)
    assert "$" not in query
    if target["instant"]:
        answer = asked(port, "/api/v1/query", query=query)
    else:
        answer = asked(port, "/api/v1/query_range", query=query, start=begun_s, end=time.time(), step=0.5)
    series = json.loads(answer)["data"]["result"]
    values = [one for found in series for one in found.get("values", [found.get("value")])]
    return any(text not in ("NaN", "+Inf") for _, text in values)


def asked(port: int, path: str, **words: object) -> bytes:
    """Ask Prometheus; what it finds wrong with a query is an error."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}?{urllib.parse.urlencode(words)}", timeout=60) as answer:
        found: bytes = answer.read()
    return found
