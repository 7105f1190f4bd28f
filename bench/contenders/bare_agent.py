"""An agent that only starts processes, as lean as Python can be: the lower bound of what ours can cost.

One JSON object a line: {"id", "argv"} is answered by {"id", "exit", "out", "err"}, and an empty argv starts nothing. It
keeps no record, watches nobody, and leaves its processes behind when it is killed.
"""

import json
import os


def run(argv):
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, out_end, 1),
        (os.POSIX_SPAWN_DUP2, err_end, 2),
    ]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=actions)
    os.close(out_end)
    os.close(err_end)
    texts = []
    for pipe in (out, err):
        parts = []
        while part := os.read(pipe, 65536):
            parts.append(part)
        os.close(pipe)
        texts.append(b"".join(parts).decode())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), texts


def main():
    write = json.JSONEncoder(separators=(",", ":")).encode
    os.write(1, b'{"ready":true}\n')
    rest = b""
    while data := os.read(0, 65536):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            asked = json.loads(line)
            status, (out, err) = run(asked["argv"]) if asked["argv"] else (0, ("", ""))
            os.write(1, (write({"id": asked["id"], "exit": status, "out": out, "err": err}) + "\n").encode())


main()
