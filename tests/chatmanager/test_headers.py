"""What every page says to the browser about what it may do."""

import re

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def policy(client: Client, path: str) -> dict[str, list[str]]:
    header = client.get(path)["Content-Security-Policy"]
    return {part.split()[0]: part.split()[1:] for part in header.split(";")}


@pytest.mark.parametrize("path", ["/login/", "/api/v1/docs/", "/no/such/page/"])
def test_scripts_come_from_here_or_carry_the_nonce(client: Client, path: str) -> None:
    found = policy(client, path)
    assert found["default-src"] == ["'self'"]
    assert found["object-src"] == found["base-uri"] == found["frame-ancestors"] == ["'none'"]
    scripts = [source for source in found["script-src"] if not source.startswith("'nonce-")]
    assert scripts == ["'self'"]


def test_styles_come_from_here_but_for_pages_of_libraries(client: Client) -> None:
    assert policy(client, "/login/")["style-src"] == ["'self'"]
    assert policy(client, "/no/such/page/")["style-src"] == ["'self'"]
    assert "'unsafe-inline'" in policy(client, "/admin/login/")["style-src"]
    assert "'unsafe-inline'" not in policy(client, "/admin/login/")["script-src"]


def test_a_nonce_is_used_once(client: Client) -> None:
    seen = set()
    for _ in range(2):
        page = client.get("/login/")
        nonces = re.findall(rb'<script[^>]* nonce="([^"]+)"', page.content)
        assert all(nonce.decode() in page["Content-Security-Policy"] for nonce in nonces)
        seen.update(nonces)
    assert len(seen) in (0, 2)


def test_no_inline_script_is_without_a_nonce(client: Client) -> None:
    page = client.get("/login/").content
    assert not re.search(rb"<script(?![^>]*\b(src|nonce)=)", page)


def test_the_other_headers(client: Client) -> None:
    page = client.get("/login/")
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert page["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_schema_and_its_docs(client: Client) -> None:
    assert client.get("/api/v1/schema/").status_code == 200
    docs = client.get("/api/v1/docs/")
    assert docs.status_code == 200
    assert not re.search(rb'(src|href)="(https?:)?//', docs.content)
