"""The modules that need no browser are tried by Node's own runner."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

ROOT = Path(settings.BASE_DIR)
SCRIPTS = ROOT / "static" / "js"
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_the_modules_do_what_their_tests_say() -> None:
    ran = subprocess.run(
        [NODE, "--test", "--test-reporter=tap", str(ROOT / "tests" / "pages" / "js")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert int(re.search(r"^# pass (\d+)", ran.stdout, re.MULTILINE).group(1)) > 20


def test_every_module_that_is_imported_is_in_the_import_map() -> None:
    page = Template("{% load pages %}{% import_map 'n0nce' %}").render(Context())
    known = json.loads(re.search(r">(.*)</script>", page).group(1))["imports"]
    for path in SCRIPTS.rglob("*.js"):
        for name in re.findall(r'(?:from|import|import\()\s*"(chat/[^"]+)"', path.read_text()):
            assert name in known, f"{path.name} imports {name}"


def test_every_stylesheet_is_imported_and_every_icon_drawn() -> None:
    folder = ROOT / "static" / "css"
    main = (folder / "main.css").read_text()
    imported = re.findall(r'^@import url\("([a-z]+)\.css"\);$', main, re.MULTILINE)
    there = {path.stem for path in folder.glob("*.css")}
    assert {*imported, "main"} == there - {"admin"}  # whose own pages link it
    sprite = (ROOT / "templates" / "_sprite.html").read_text()
    drawn = set(re.findall(r'id="icon-([a-z-]+)"', sprite))
    sources = [*(ROOT / "templates").rglob("*.html"), *SCRIPTS.rglob("*.js")]
    used = {
        name
        for path in sources
        for name in re.findall(r'(?:\{% icon |\bicon\()"([a-z-]+)"', path.read_text())
    }
    assert used <= drawn


def test_no_page_carries_a_script_or_style_that_the_policy_forbids() -> None:
    for path in (ROOT / "templates").rglob("*.html"):
        source = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", source), path
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", source), path
