"""Stands in for kubectl and a cluster: the real kubectl reads the words; what it asks of the cluster is carried out.

Nothing here knows what the options of `kubectl exec` mean. The real program gets the words as they are, and a server on
127.0.0.1 for a cluster, which has the pods of POD_HOMES and nothing else. It refuses to stream, and notes what was to
be executed: in which pod and container, with standard input or without, by which words. That is then executed in the
pod's directory. What the real one refuses, and what such a cluster would refuse, is refused with the real one's words.

POD_HOMES: a directory with one for each pod, `NAMESPACE/POD/CONTAINER`; REAL_KUBECTL: the path of the real program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

LISTS: dict[str, Any] = {
    "/version": {"major": "1", "minor": "20", "gitVersion": "v1.20.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}],
    },
}


class Cluster(BaseHTTPRequestHandler):
    """Answers what kubectl asks before it streams."""

    protocol_version = "HTTP/1.1"
    homes: ClassVar[Path]
    asked: ClassVar[list[tuple[Path, dict[str, list[str]]]]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        words = parts.path.strip("/").split("/")
        if parts.path in LISTS:
            self.answer(200, LISTS[parts.path])
        elif words[:3] == ["api", "v1", "namespaces"] and words[4:5] == ["pods"] and len(words) in (6, 7):
            self.pod(words[3], words[5], words[6:], parse_qs(parts.query, keep_blank_values=True))
        elif words[:3] == ["api", "v1", "namespaces"] and len(words) == 4 and not (self.homes / words[3]).is_dir():
            self.refuse(404, "NotFound", f'namespaces "{words[3]}" not found')
        else:
            self.refuse(404, "NotFound", f"there is no {parts.path}")

    do_POST = do_GET

    def pod(self, namespace: str, name: str, below: list[str], query: dict[str, list[str]]) -> None:
        home = self.homes / namespace / name
        if not home.is_dir():
            self.refuse(404, "NotFound", f'pods "{name}" not found')
            return
        containers = sorted(each.name for each in home.iterdir())
        if not below:
            spec = {"containers": [{"name": each} for each in containers]}
            metadata = {"name": name, "namespace": namespace}
            pod = {
                "kind": "Pod",
                "apiVersion": "v1",
                "metadata": metadata,
                "spec": spec,
                "status": {"phase": "Running"},
            }
            self.answer(200, pod)
        elif below == ["exec"]:
            container = query.get("container", containers)[0]
            if container in containers:
                self.asked.append((home / container, query))
            self.refuse(403, "Forbidden", "this cluster streams nothing: see whoever stands in for it")
        else:
            self.refuse(404, "NotFound", f"there is no {below}")

    def refuse(self, code: int, reason: str, message: str) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
        self.answer(code, {**status, "reason": reason, "message": message, "code": code})

    def answer(self, code: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def main() -> int:
    Cluster.homes = Path(os.environ["POD_HOMES"])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = Path(os.environ["POD_HOMES"]).parent
    real = subprocess.run(
        [os.environ["REAL_KUBECTL"], f"--server=http://127.0.0.1:{server.server_port}", *sys.argv[1:]],
        env={**os.environ, "HOME": str(place), "KUBECONFIG": str(place / "no-kubeconfig")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    server.shutdown()
    if not Cluster.asked:
        sys.stdout.write(real.stdout)
        sys.stderr.write(real.stderr)
        return real.returncode or 1
    home, query = Cluster.asked[0]
    if query.get("tty") == ["true"]:
        sys.stderr.write("Unable to use a TTY - input is not a terminal or the right kind of file\n")
        return 1
    if query.get("stdin") != ["true"]:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(home)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    try:
        os.execvpe(query["command"][0], query["command"], {**kept, "HOME": str(home)})
    except OSError as error:
        sys.stderr.write(f"OCI runtime exec failed: {query['command'][0]}: {error.strerror}\n")
        return 126


if __name__ == "__main__":
    sys.exit(main())
