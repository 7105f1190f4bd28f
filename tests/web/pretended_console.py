"""A console as the server sees it: packets in, packets out. `deaf`: one that does not end when it is asked to."""

import json
import os
import signal
import sys


def packet(kind: bytes, payload: bytes) -> None:
    os.write(1, kind + len(payload).to_bytes(4, "big") + payload)


os.write(1, b"__GANGLION__\n")
packet(b"D", json.dumps([os.getpid(), os.environ["COLUMNS"], os.environ["ROWS"]]).encode())
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()
while header := sys.stdin.buffer.read(5):
    payload = sys.stdin.buffer.read(int.from_bytes(header[1:], "big"))
    if header[:1] == b"D":
        packet(b"D", b"typed " + payload)
    elif (said := json.loads(payload))["type"] == "quit":
        break
    else:
        packet(b"D", json.dumps(said).encode())
packet(b"M", b'{"type": "exit"}')
