"""What a room's mode means for the people in it: one table, asked by every verb and page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from django.db import models

from accounts.roles import SiteRole


class Mode(models.TextChoices):
    TEAM = "team"
    SUPPORT = "support"


class Role(models.TextChoices):
    OWNER = "owner"
    MEMBER = "member"
    VIEWER = "viewer"
    CUSTOMER = "customer"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ROBOT = "robot"


STAFF = frozenset({Role.AGENT, Role.SUPERVISOR})


@dataclass(frozen=True)
class Rules:
    """One row of the table: what holds in rooms of a mode."""

    roles: tuple[Role, ...]
    managers: frozenset[Role]
    writers: frozenset[Role]
    linkable: tuple[Role, ...]
    """Roles an invitation by link may give; the first is given where none is named."""
    reserved: Mapping[Role, SiteRole] = field(default_factory=dict)
    """Roles that only holders of a site role (or above) may be given."""
    hidden: Mapping[Role, frozenset[Role]] = field(default_factory=dict)
    """Whom a role is never shown as people: in lists, counts, presence and notes alike."""


RULES: Mapping[Mode, Rules] = {
    Mode.TEAM: Rules(
        roles=(Role.OWNER, Role.MEMBER, Role.VIEWER, Role.ROBOT),
        managers=frozenset({Role.OWNER}),
        writers=frozenset({Role.OWNER, Role.MEMBER, Role.ROBOT}),
        linkable=(Role.MEMBER, Role.VIEWER),
    ),
    Mode.SUPPORT: Rules(
        roles=(Role.CUSTOMER, Role.AGENT, Role.SUPERVISOR, Role.ROBOT),
        managers=STAFF,
        writers=frozenset({Role.CUSTOMER, Role.AGENT, Role.SUPERVISOR, Role.ROBOT}),
        linkable=(Role.CUSTOMER,),
        reserved={Role.AGENT: SiteRole.AGENT, Role.SUPERVISOR: SiteRole.SUPERVISOR},
        hidden={Role.CUSTOMER: frozenset({Role.SUPERVISOR, Role.ROBOT})},
    ),
}


def rules(mode: str) -> Rules:
    return RULES[Mode(mode)]


@cache
def hidden_from(mode: str, role: str) -> frozenset[Role]:
    """The roles that someone with `role` is not shown as people."""
    return rules(mode).hidden.get(Role(role), frozenset())
