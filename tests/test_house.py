"""The rules that keep the project a house."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

ROOT = Path(settings.BASE_DIR)
# From the ground up: what stands on a floor imports from the floors below it.
FLOORS = [
    *("accounts", "rooms", "messages", "live"),
    *("notifications", "threads", "robots", "chatmanager"),
]
# The doors, which may import any app.
EDGES = {"api", "views", "urls", "admin", "api_urls", "forms"}


def modules(app: str) -> list[Path]:
    return [path for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]


def is_edge(path: Path) -> bool:
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return bool(EDGES.intersection(parts))


def imported_apps(source: str, package: str) -> Iterator[str]:
    """The first name of every import, wherever it stands; not those for type checkers alone."""
    tree = ast.parse(source)
    only_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for branch in node.body
        for inner in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if node in only_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield package if node.level else (node.module or "").split(".")[0]


def upward(source: str, app: str) -> set[str]:
    return set(imported_apps(source, app)).intersection(FLOORS[FLOORS.index(app) + 1 :])


@pytest.mark.parametrize("app", FLOORS)
def test_apps_import_downward_only(app: str) -> None:
    guilty = {
        str(path.relative_to(ROOT)): found
        for path in modules(app)
        if not is_edge(path) and (found := upward(path.read_text(), app))
    }
    assert guilty == {}


def test_an_upward_import_would_be_found() -> None:
    assert upward("def f():\n    from live.hub import hub", "rooms") == {"live"}
    assert upward("if TYPE_CHECKING:\n    from messages.models import Message", "rooms") == set()
    assert upward("import accounts.models", "rooms") == set()


def test_nothing_imports_the_composition() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for app in FLOORS[:-1]
        for path in modules(app)
        if "chatmanager" in imported_apps(path.read_text(), app)
    ]
    assert guilty == []


@pytest.mark.parametrize(
    "name", ["services", "utils", "helpers", "managers", "mixins", "common", "base"]
)
def test_no_file_has_a_name_that_says_nothing(name: str) -> None:
    found = [path for app in FLOORS for path in modules(app) if path.stem == name]
    # Django asks for a database's engine by that name.
    assert [path for path in found if path != ROOT / "accounts/postgresql/base.py"] == []


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_litellm_is_not_loaded_by_setting_up() -> None:
    # In a process of its own: here, a test may have loaded anything.
    program = (
        "import django; django.setup();"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "from chatmanager.celery import app; app.loader.import_default_modules();"
        "import chatmanager.asgi;"
        "import sys; print([name in sys.modules for name in ('robots.runner', 'litellm')])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[True, False]"


def test_one_module_knows_litellm() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for app in FLOORS
        for path in modules(app)
        if "litellm" in imported_apps(path.read_text(), app)
    }
    assert knowing == {"robots/llm.py"}


def test_every_setting_of_ours_that_is_used_is_one() -> None:
    used = {
        name
        for app in FLOORS
        for path in modules(app)
        for name in re.findall(r"settings\.(CHAT_[A-Z_]+)", path.read_text())
    }
    assert {name for name in used if not hasattr(settings, name)} == set()


def test_every_setting_of_ours_is_told_to_the_operator() -> None:
    told = (ROOT / "docs" / "operations.md").read_text()
    read = re.findall(r'"(CHAT_[A-Z_]+)"', (ROOT / "chatmanager" / "settings.py").read_text())
    assert {name for name in read if f"`{name}`" not in told} == set()


def test_signals_of_django_are_not_used_for_news() -> None:
    guilty = [
        str(path.relative_to(ROOT))
        for app in FLOORS
        for path in modules(app)
        if re.search(r"\b(post|pre)_(save|delete)\b", path.read_text())
    ]
    assert guilty == []
