"""The nouns of accounts."""

from accounts.models.audit import AuditEntry
from accounts.models.login import Claim, Login
from accounts.models.ticket import Ticket
from accounts.models.user import User

__all__ = ["AuditEntry", "Claim", "Login", "Ticket", "User"]
