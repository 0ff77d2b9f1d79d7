"""Files on the disk: stored whole, or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from django.core.files.storage import FileSystemStorage


class WholeFiles(FileSystemStorage):
    """Django's, which leaves what it had written when the disk was full.

    Names are drawn by us, and long: what is removed is nobody else's.
    """

    def _save(self, name: str, content: Any) -> str:
        try:
            return super()._save(name, content)  # type: ignore[misc, no-any-return]
        except OSError:
            with suppress(OSError):
                os.remove(self.path(name))
            raise
