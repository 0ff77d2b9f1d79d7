"""socket.io with better-sqlite3: see peers/socketio."""

import json
import os
import shutil
from pathlib import Path

from benchmarks.installing import installed, program, step
from benchmarks.servers import ROOT, Peer, Size, answers, write_seats

HERE = ROOT / "benchmarks" / "peers" / "socketio"
PATH = "/socket.io/?EIO=4&transport=websocket"


class SocketIO(Peer):
    """As its tutorial has it, with rooms; SQLite with `synchronous=NORMAL`."""

    kind = "socketio"
    directory = HERE

    def install(self) -> None:
        lock = (HERE / "package-lock.json").read_text()
        self.modules = installed("socketio", lock, install) / "node_modules"
        self.versions = {
            name: json.loads((self.modules / name / "package.json").read_text())["version"]
            for name in ("socket.io", "better-sqlite3", "bufferutil")
        }
        self.versions["node"] = step([program("node", "nodejs"), "--version"], HERE).strip()

    def prepare(self, size: Size) -> None:
        self.template.mkdir()
        write_seats(self.template, size, lambda room: PATH)

    def command(self, port: int, data: Path) -> list[str]:
        return [program("node", "nodejs"), "server.js", str(port), str(data / "chat.sqlite3")]

    def environment_for(self, data: Path) -> dict[str, str]:
        return {**os.environ, "NODE_ENV": "production", "NODE_PATH": str(self.modules)}

    def is_ready(self, port: int) -> bool:
        return answers(port)


def install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    node = Path(program("node", "nodejs")).resolve()
    headers = node.parent.parent / "include" / "node"
    # What has to be compiled where nothing compiled is to be had takes node's own headers.
    environment = {"npm_config_nodedir": str(headers.parent.parent)} if headers.is_dir() else {}
    step([program("npm", "npm"), "ci", "--no-audit", "--no-fund"], folder, **environment)
    loads = "require('socket.io'); new (require('better-sqlite3'))(':memory:')"
    step([str(node), "-e", loads], folder)
