"""What becomes of static files where they are collected, and who serves them."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.templatetags.static import static

from chatmanager.static_files import served_before


@pytest.fixture
def collected(settings: LazySettings, tmp_path: Path) -> Path:
    """A folder of ours alone, as they are where people are served."""
    settings.STATIC_ROOT = tmp_path
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    storages = {"staticfiles": {"BACKEND": "chatmanager.static_files.StaticFiles"}}
    settings.STORAGES = {**settings.STORAGES, **storages}
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_all_stylesheets_come_as_one(settings: LazySettings, collected: Path) -> None:
    address = static("css/main.css")
    assert re.fullmatch(r"/static/css/main\.[0-9a-f]{12}\.css", address)
    joined = (collected / address.removeprefix("/static/")).read_text()
    assert "@import" not in joined
    source = Path(settings.BASE_DIR) / "static" / "css"
    imported = re.findall(r'@import url\("(.*)"\)', (source / "main.css").read_text())
    at = [joined.index((source / name).read_text()) for name in imported]
    assert at == sorted(at)


async def beyond(scope: Any, _receive: Any, send: Any) -> None:
    """Django, as far as this is concerned."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def test_they_are_served_without_django(collected: Path) -> None:
    transport = httpx.ASGITransport(served_before(beyond))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as client:
        style = await client.get(static("css/main.css"), headers={"Accept-Encoding": "br"})
        assert style.headers["content-encoding"] == "br"
        assert "immutable" in style.headers["cache-control"]
        assert style.headers["x-content-type-options"] == "nosniff"
        known = {"If-None-Match": style.headers["etag"]}
        assert (await client.get(static("css/main.css"), headers=known)).status_code == 304
        for path in ["/", "/static/css/none.css", "/static/css/%2e%2e/%2e%2e/manage.py"]:
            assert (await client.get(path)).status_code == 418


async def test_developers_have_them_from_their_source(settings: LazySettings) -> None:
    settings.DEBUG = True
    transport = httpx.ASGITransport(served_before(beyond))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as client:
        assert "@layer" in (await client.get("/static/css/tokens.css")).text
        assert (await client.get("/login/")).status_code == 418
