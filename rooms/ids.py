"""Ids in addresses: what no database could hold leads nowhere, rather than to an error."""

from django.urls import register_converter

MAX_ID = 2**63 - 1


def read_id(value: str) -> int | None:
    """The id that a form's field holds, or None: "²" is a digit, too, but no number."""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


class IdConverter:
    """`<id:room>`: a number that can be somebody's id."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """The number. Raises ValueError, by which the address does not match."""
        number = int(value)
        if number > MAX_ID:
            raise ValueError(value)
        return number

    def to_url(self, value: int) -> str:
        """As it is written."""
        return str(value)


register_converter(IdConverter, "id")
