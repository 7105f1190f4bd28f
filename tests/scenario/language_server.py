"""Drives the language server of YAML that editors use, as an editor does: over its standard streams."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest
from fixtures_program import NODE_MODULES

SERVER = NODE_MODULES / "yaml-language-server" / "bin" / "yaml-language-server"
PATIENCE_S = 60.0


def need_node(*programs: Path) -> None:
    """Skip, and say how to have it, where a program of npm is not installed."""
    if shutil.which("node") is None or not all(program.exists() for program in programs):
        pytest.skip("node, and its packages in build/node, are needed: see CONTRIBUTING.md")


class LanguageServer:
    """The server, and what an editor knows of it: diagnostics come by themselves, the rest is asked for."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        need_node(SERVER)
        self.folder = folder
        self.settings = {"yaml": {"schemaStore": {"enable": False}, "validate": True, "hover": True, **settings}}
        self._process = subprocess.Popen(
            ["node", str(SERVER), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder
        )
        self._heard: Queue[dict[str, Any]] = Queue()
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        text = {
            "synchronization": {"didSave": True},
            "publishDiagnostics": {"relatedInformation": True},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        }
        self.ask(
            "initialize",
            processId=None,
            rootUri=folder.as_uri(),
            workspaceFolders=[{"uri": folder.as_uri(), "name": "folder"}],
            capabilities={"textDocument": text, "workspace": {"configuration": True}},
        )
        self._tell("initialized")
        self._tell("workspace/didChangeConfiguration", settings=self.settings)

    def close(self) -> None:
        """End it as an editor does, and see that it ends."""
        self.ask("shutdown")
        self._tell("exit")
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def ask(self, method: str, **params: Any) -> Any:
        """Ask something, and give the answer."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == self._number and "method" not in message:
                assert "error" not in message, message
                return message.get("result")
            self._take(message)

    def open(self, name: str, text: str) -> list[dict[str, Any]]:
        """Open a document of a name that none had before; give what is wrong with it."""
        return self.open_all({name: text})[0]

    def open_all(self, texts: dict[str, str]) -> list[list[dict[str, Any]]]:
        """Open several at once: the server waits a while before it says something of each."""
        uris = [(self.folder / name).as_uri() for name in texts]
        for uri, text in zip(uris, texts.values(), strict=True):
            assert uri not in self._diagnostics, "late news of the former one could not be told from its own"
            document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
            self._tell("textDocument/didOpen", textDocument=document)
        while not self._diagnostics.keys() >= set(uris):
            self._take(self._next())
        return [self._diagnostics[uri] for uri in uris]

    def errors(self, *texts: str) -> list[list[str]]:
        """Open documents and close them again; give what is said to be wrong with each, with its line."""
        names = {f"opened-{len(self._diagnostics) + number}.yml": text for number, text in enumerate(texts)}
        found = [
            [f"{each['range']['start']['line'] + 1}: {each['message']}" for each in of_one if each["severity"] == 1]
            for of_one in self.open_all(names)
        ]
        for name in names:
            self._tell("textDocument/didClose", textDocument={"uri": (self.folder / name).as_uri()})
        return found

    def hover(self, name: str, line: int, column: int) -> str:
        """Give what is shown where the pointer is, in Markdown. line and column: from 0."""
        found = self.ask("textDocument/hover", **self._at(name, line, column))
        return str(found["contents"]["value"]) if found else ""

    def complete(self, name: str, line: int, column: int) -> list[dict[str, Any]]:
        """Give what can be written there."""
        found = self.ask("textDocument/completion", **self._at(name, line, column))
        items: list[dict[str, Any]] = found["items"] if isinstance(found, dict) else found
        return items

    def _at(self, name: str, line: int, column: int) -> dict[str, Any]:
        uri = (self.folder / name).as_uri()
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}

    def _tell(self, method: str, **params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _next(self) -> dict[str, Any]:
        try:
            return self._heard.get(timeout=PATIENCE_S)
        except Empty:
            raise AssertionError("the language server says nothing") from None

    def _take(self, message: dict[str, Any]) -> None:
        """Answer what the server asks, and keep what it tells."""
        if message.get("method") == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            result: Any = None
            if message["method"] == "workspace/configuration":
                result = [self.settings.get(item.get("section", "")) for item in message["params"]["items"]]
            self._send({"id": message["id"], "result": result})

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.split(b":")[1])
            while stream.readline().strip():
                pass
            self._heard.put(json.loads(stream.read(length)))
