"""How the API reads what is sent to it."""

from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError


class JSONParser(parsers.JSONParser):
    """REST framework's, which takes brackets nested thousandfold for a fault of ours."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ParseError."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError:
            raise ParseError("This JSON is nested too deep.") from None
