"""How static files are joined, named by content, compressed in seconds, and served."""

import re
from collections.abc import Iterator
from typing import Any, cast
from wsgiref.headers import Headers

import brotli
from asgiref.typing import ASGI3Application
from django.conf import settings
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.files.base import ContentFile
from servestatic import ServeStaticASGI
from servestatic.compress import Compressor
from servestatic.storage import CompressedManifestStaticFilesStorage

# Nothing but imports of those beside it.
STYLESHEET = "css/main.css"
IMPORT = re.compile(r'@import url\("([a-z-]+\.css)"\);')


def served_before(application: ASGI3Application) -> ASGI3Application:
    """The application without requests for static files. A page has a hundred: through Django's
    middleware, each takes four times as long.
    """
    serving: Any = (
        ASGIStaticFilesHandler(cast("Any", application))
        if settings.DEBUG
        else ServeStaticASGI(
            application,
            root=settings.STATIC_ROOT,
            prefix=settings.STATIC_URL,
            add_headers_function=_add_headers,
        )
    )
    return cast("ASGI3Application", serving)


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    """What Django's middleware says with everything else."""
    headers["X-Content-Type-Options"] = "nosniff"


class QuickCompressor(Compressor):
    """Brotli's best level takes fifteen times as long as this one, to save a tenth."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        compressed: bytes = brotli.compress(data, quality=7)
        return compressed


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Each file's name changes with its content, so that browsers may keep it for ever."""

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str, bool]]:
        if STYLESHEET in paths and not dry_run:
            self._join()
            paths[STYLESHEET] = (self, STYLESHEET)
        yield from super().post_process(paths, dry_run=dry_run, **options)

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return QuickCompressor(**kwargs)

    def _join(self) -> None:
        """No page is painted before its last stylesheet is there: so there is but one to fetch.

        What is read here must be what the source folders have. It is, as collectstatic copies each
        file anew whose copy is gone: SERVESTATIC_KEEP_ONLY_HASHED_FILES removes them all, and with
        them what was joined here before. Without it, files would be joined as an earlier run left
        them, and `main.css`, whose imports are gone by then, never again.
        """
        joined = IMPORT.sub(lambda found: self._read(f"css/{found[1]}"), self._read(STYLESHEET))
        self.delete(STYLESHEET)
        self._save(STYLESHEET, ContentFile(joined.encode()))

    def _read(self, name: str) -> str:
        with self.open(name) as file:
            content: bytes = file.read()
        return content.decode()
