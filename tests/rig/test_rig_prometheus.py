"""A Prometheus on the operator's machine reads programs of other machines, and the run itself."""

from __future__ import annotations

import shutil

import pytest
from fixtures_rig import Rig

pytestmark = [pytest.mark.machines, pytest.mark.prometheus]

SCENARIO = """
agents:
  - {name: here, transport: local}
  - {name: near, address: ALICE}
  - {name: far, address: 'BOB6'}
prometheus_agent: {name: prometheus, transport: local}
stages:
  - name: work
    with_agents: [near, far]
    jobs:
      - name: program
        builtins.write_file:
          path: program.py
          content: |
            import http.server, socket, sys
            class Answers(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.send_header("Content-Type", "text/plain; version=0.0.4")
                    self.end_headers()
                    self.wfile.write(b"of_{{ agent.name }} 1\\n")
            class Server(http.server.ThreadingHTTPServer):
                address_family = socket.AF_INET6
            Server(("::", int(sys.argv[1])), Answers).serve_forever()
      - name: start
        builtins.start_process:
          argv: 'python3 program.py {{ port.numbers }}'
          name: program
          ports: {numbers: fresh}
          metrics: numbers
          ready: {port: '{{ port.numbers }}'}
  - name: look
    with_agents: here
    jobs:
      - name: what is read
        builtins.http: 'http://127.0.0.1:9090/api/v1/targets?state=active'
        retries: 100
        retry_delay: 0.1
        until: res.json.data.activeTargets | selectattr('health', 'eq', 'up') | list | length == 3
      - name: values
        builtins.http: 'http://127.0.0.1:9090/api/v1/query?query=%7B__name__=~%22of_.*%22%7D'
"""


def test_programs_of_other_machines_and_the_run_itself_are_read(rig: Rig) -> None:
    if shutil.which("prometheus") is None:
        pytest.skip("no prometheus on this machine")
    text = SCENARIO.replace("ALICE", rig.machine("alice").address).replace("BOB6", rig.machine("bob").address6)
    done = rig.orchestrate(text, "--metrics-port", "9100")
    assert done.code == 0, done.output
    targets = done.end("look/what is read@here")["result"]["json"]["data"]["activeTargets"]
    assert sorted(target["labels"]["agent"] for target in targets) == ["far", "near", "orchestrator"]
    values = done.end("look/values@here")["result"]["json"]["data"]["result"]
    assert sorted(value["metric"]["__name__"] for value in values) == ["of_far", "of_near"]
