"""What becomes of static files where they are collected."""

import re
from pathlib import Path

from django.conf import LazySettings
from django.core.management import call_command
from django.templatetags.static import static


def test_all_stylesheets_come_as_one(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    storages = {"staticfiles": {"BACKEND": "chatmanager.static_files.StaticFiles"}}
    settings.STORAGES = {**settings.STORAGES, **storages}
    call_command("collectstatic", interactive=False, verbosity=0)
    address = static("css/main.css")
    assert re.fullmatch(r"/static/css/main\.[0-9a-f]{12}\.css", address)
    joined = (tmp_path / address.removeprefix("/static/")).read_text()
    assert "@import" not in joined
    source = Path(settings.BASE_DIR) / "static" / "css"
    imported = re.findall(r'@import url\("(.*)"\)', (source / "main.css").read_text())
    at = [joined.index((source / name).read_text()) for name in imported]
    assert at == sorted(at)
