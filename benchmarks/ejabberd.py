"""ejabberd with its archive: see peers/ejabberd. Debian's packages, unpacked and not installed."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from urllib.parse import unquote, urlsplit

import psycopg

from benchmarks.installing import installed, program, step
from benchmarks.postgres import Scratch
from benchmarks.servers import ROOT, Peer, Server, Size, answers, write_seats

HERE = ROOT / "benchmarks" / "peers" / "ejabberd"
PACKAGES = ("ejabberd", "erlang-p1-sqlite3", "erlang-p1-pgsql")


class Ejabberd(Peer):
    """Rooms that keep what is said in SQLite, with the settings ejabberd has it with."""

    kind = "ejabberd"
    directory = HERE

    def install(self) -> None:
        self.unpacked = installed("ejabberd", " ".join(PACKAGES), unpack)
        code = min(self.unpacked.glob("usr/lib/*/ejabberd-*/ebin/ejabberd.app"))
        (told,) = re.findall(r'{vsn, *"([^"]+)"}', code.read_text())
        self.versions = {"ejabberd": told}
        self.libraries = code.parent.parent.parent

    def prepare(self, size: Size) -> None:
        self.template.mkdir()
        write_seats(self.template, size, lambda room: "-")

    def configure(self, port: int, data: Path) -> None:
        settings = Template((HERE / "ejabberd.yml").read_text())
        database = "\n".join(f"{name}: {value}" for name, value in self.archive(data).items())
        (data / "ejabberd.yml").write_text(settings.substitute(port=port, database=database))

    def archive(self, data: Path) -> dict[str, str]:
        return {"sql_type": "sqlite", "sql_database": json.dumps(str(data / "archive.sqlite3"))}

    def command(self, port: int, data: Path) -> list[str]:
        erl = self.erlang() / "bin" / "erl"
        where = f'"{data / "mnesia"}"'
        return [str(erl), "-noinput", "-mnesia", "dir", where, "-s", "ejabberd"]

    def erlang(self) -> Path:
        """Unpacked with the rest, where the system has none."""
        ours = self.unpacked / "usr" / "lib" / "erlang"
        return ours if (ours / "bin" / "erl").exists() else Path("/usr/lib/erlang")

    def environment_for(self, data: Path) -> dict[str, str]:
        own = self.unpacked / "usr" / "lib" / "erlang" / "lib"
        return {
            **os.environ,
            "ERL_ROOTDIR": str(self.erlang()),
            "ERL_LIBS": f"{self.libraries}:{own}",
            "LD_LIBRARY_PATH": f"{self.libraries}:{self.unpacked / 'lib' / self.libraries.name}",
            "ERL_CRASH_DUMP": str(data / "crash"),
            "EJABBERD_CONFIG_PATH": str(data / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(data / "ejabberd.log"),
            "HOME": str(data),
        }

    def is_ready(self, port: int) -> bool:
        return answers(port)


class EjabberdOnPostgres(Ejabberd):
    """The same with the archive in PostgreSQL."""

    database = "PostgreSQL"

    def __init__(self, name: str, template: Path, *, server: str) -> None:
        super().__init__(name, "xmpp", template)
        self.scratch = Scratch(server)

    def prepare(self, size: Size) -> None:
        super().prepare(size)
        self.scratch.create()
        tables = self.unpacked / "usr" / "share" / "ejabberd" / "sql" / "pg.sql"
        with psycopg.connect(self.scratch.url) as connection:
            connection.execute(tables.read_bytes())

    @contextmanager
    def running(self) -> Iterator[Server]:
        with self.scratch.copied() as self.url, super().running() as server:
            yield server

    def archive(self, data: Path) -> dict[str, str]:
        url = urlsplit(self.url)
        told = {
            "sql_type": "pgsql",
            "sql_server": url.hostname,
            "sql_port": url.port or 5432,
            "sql_database": url.path.strip("/"),
            "sql_username": unquote(url.username or "postgres"),
            "sql_password": unquote(url.password or ""),
        }
        return {name: json.dumps(value) for name, value in told.items()}

    def forget(self) -> None:
        self.scratch.drop()


def unpack(folder: Path) -> None:
    """The packages and what they need that the system has not. apt keeps its lists with them."""
    apt = program("apt-get", "apt")
    own = ["-qq"]
    for option, name in (("State::lists", "lists"), ("Cache", "cache")):
        (folder / name / "partial").mkdir(parents=True)
        own += ["-o", f"Dir::{option}={folder / name}"]
    own += ["-o", "APT::Sandbox::User=root"] if os.getuid() == 0 else []
    step([apt, *own, "update"], folder)
    told = step([apt, *own, "install", "-s", "--no-install-recommends", *PACKAGES], folder)
    missing = re.findall(r"^Inst (\S+) .*?\((\S+)", told, re.MULTILINE)
    step([apt, *own, "download", *(f"{name}={version}" for name, version in missing)], folder)
    for package in folder.glob("*.deb"):
        step([program("dpkg-deb", "dpkg"), "-x", str(package), str(folder)], folder)
        package.unlink()
