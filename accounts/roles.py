"""Site roles: a ladder of groups, each with the rights of those before it."""

from __future__ import annotations

from django.db.models import TextChoices


class SiteRole(TextChoices):
    """What a person is on this site. The order is the ladder."""

    MEMBER = "member", "member"
    AGENT = "agent", "agent"
    SUPERVISOR = "supervisor", "supervisor"
    ADMIN = "admin", "admin"

    def includes(self, other: SiteRole) -> bool:
        """Whether holders of this role have every right of `other`."""
        return LADDER.index(self) >= LADDER.index(other)


LADDER = list(SiteRole)

# What each step adds to the one before, as "app.codename". Admins have every permission there is.
ADDED_PERMISSIONS: dict[SiteRole, tuple[str, ...]] = {
    SiteRole.MEMBER: ("accounts.list_users",),
    SiteRole.AGENT: ("accounts.serve_customers",),
    SiteRole.SUPERVISOR: ("accounts.supervise_agents",),
    SiteRole.ADMIN: (),
}


def permissions_of(role: SiteRole) -> set[str]:
    """The permissions named for `role` and for the steps below it."""
    return {name for step in LADDER if role.includes(step) for name in ADDED_PERMISSIONS[step]}
