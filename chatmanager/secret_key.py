"""The key that signs sessions and tokens, where the operator gave none."""

import os
import secrets
from pathlib import Path


def read_or_make(path: Path) -> str:
    """The key kept in `path`, made on first use. Two processes that start at once get the same one.

    Raises OSError where the file cannot be read or made.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(64))
                file.flush()
                os.fsync(file.fileno())
            # A link appears whole or not at all, and refuses to replace the winner's.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
