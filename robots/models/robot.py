from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import Conflict, Forbidden, Invalid
from accounts.models import AuditEntry, User
from accounts.roles import SiteRole
from robots import keys, providers
from robots.choices import Explained
from robots.outcome import SENTENCES
from rooms.models import Participant, Room

if TYPE_CHECKING:
    from robots.models.autopilots import AutopilotManager
    from robots.models.replies import ReplyManager

PERSONA_MAX = 8_000
"""Characters."""
FALLBACKS_MAX = 5
ADMINS_ONLY = frozenset({"api_base", "key_env"})
"""Where a robot's words go, and with whose key: for site admins alone."""


class Style(models.TextChoices):
    """How a robot puts things."""

    DEFAULT = "default", "As it comes"
    CONVERSATIONAL = "conversational", "Conversational"
    DETAILED = "detailed", "In detail"
    BULLETS = "bullets", "In bullet points"


class RobotQuerySet(models.QuerySet["Robot"]):
    def present(self) -> RobotQuerySet:
        """Those that have not been retired."""
        return self.filter(retired_at__isnull=True)

    def known_to(self, user: User) -> RobotQuerySet:
        """Those that `user` may find: all, for members of the site, and none for others."""
        present = self.present().select_related("user")
        return present if user.site_role is not None else present.none()

    def in_room(self, room: Room) -> RobotQuerySet:
        """The robots that sit in a room, and those that may come by where it is a side-bar."""
        here = Participant.objects.of(room).values("user")
        return self.present().filter(user__in=here).select_related("user")

    def spent_today(self) -> Mapping[int, tuple[int, Decimal]]:
        """What budgets count, of each: tokens and US dollars that its answers begun since midnight,
        UTC, have taken, and whatever it moderated that was not over or paused by then.
        """
        spent: dict[int, tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
        today = midnight()
        for robot, tokens, cost in [*self._answered(today), *self._moderated(today)]:
            before = spent[robot]
            spent[robot] = before[0] + tokens, before[1] + cost
        return spent

    def _answered(self, moment: datetime) -> models.QuerySet[Robot, tuple[int, int, Decimal]]:
        answered = self.filter(replies__started_at__gte=moment)
        return answered.values_list(
            "pk",
            _sum("replies__tokens_in")
            + _sum("replies__tokens_out")
            - _sum("replies__tokens_before"),
            _sum("replies__cost") - _sum("replies__cost_before"),
        )

    def _moderated(self, moment: datetime) -> models.QuerySet[Robot, tuple[int, int, Decimal]]:
        """What was set aside and never given back counts as taken: who asked for it is gone."""
        going_on = Q(moderated__ended_at=None) | Q(moderated__ended_at__gte=moment)
        going_on &= Q(moderated__paused_at=None) | Q(moderated__paused_at__gte=moment)
        gone = Q(moderated__reserved_until__lte=timezone.now())
        return self.filter(going_on, moderated__isnull=False).values_list(
            "pk",
            _sum("moderated__moderator_tokens") + _sum("moderated__tokens_reserved", gone),
            _sum("moderated__moderator_cost") + _sum("moderated__cost_reserved", gone),
        )


class RobotManager(models.Manager.from_queryset(RobotQuerySet)):  # type: ignore[misc]
    def must_stay(self, users: Iterable[int]) -> None:
        """Lock the robots that these users are: none of them retires before this transaction ends.

        Raises Robot.Retired.
        """
        held = self.filter(user__in=users).select_for_update(no_key=True).order_by("pk")
        if any(robot.retired_at for robot in held):
            raise self.model.Retired

    @transaction.atomic
    def add(self, handle: str, name: str, *, by: User, **config: Any) -> Robot:
        """Make a robot and the user it speaks as. `config` are fields by name.

        Raises Forbidden (staff only; API base and key, and models of some providers, by site
        admins alone), Invalid (by field).
        """
        _must_configure(by, config)
        robot = Robot(user=User.objects.create_robot(handle, name), created_by=by)
        robot._assign(config)
        robot._must_be_chosen(by=by, before={})
        robot.save()
        AuditEntry.objects.record("robot.created", on=robot, by=by, after=robot._told(robot.FIELDS))
        return robot


class Robot(models.Model):
    """What stands behind a robot's user: a model, how it is asked, and what it may cost."""

    class Trigger(Explained):
        MENTION = (
            "mention",
            "Or calls @robots, or whispers to it",
            "When somebody mentions it",
        )
        ALWAYS = (
            "always",
            "It keeps quiet where it has nothing to add",
            "Whenever a person writes",
        )
        MANUAL = (
            "manual",
            "From a message’s menu, or in a whisper to it",
            "Only when it is chosen by hand",
        )

    class Spent(Conflict):
        """A budget of its day is used up."""

        code = "budget_spent"
        message = SENTENCES["budget_spent"]

    class Off(Conflict):
        code = "robot_off"
        message = SENTENCES["disabled"]

    class Retired(Conflict):
        code = "robot_retired"
        message = "This robot has been retired."

    FIELDS: ClassVar = (
        *("model", "persona", "style", "temperature", "max_tokens", "context_window"),
        *("api_base", "key_env", "trigger", "fallbacks", "daily_tokens", "daily_cost", "enabled"),
    )
    """What is configured, and audited."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="robot")
    model = models.CharField(max_length=200, validators=[providers.MODEL_ID])
    persona = models.TextField(
        blank=True, max_length=PERSONA_MAX, help_text="Who it is, as it is told before each answer."
    )
    style = models.CharField(max_length=16, choices=Style.choices, default=Style.DEFAULT)
    temperature = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text="0 to 2; empty leaves it to the model.",
    )
    max_tokens = models.PositiveIntegerField(
        default=1024, validators=[MinValueValidator(1)], help_text="Of one answer."
    )
    context_window = models.PositiveIntegerField(
        default=16_384,
        validators=[MinValueValidator(512)],
        help_text="Tokens the model can take in, its answer among them.",
    )
    api_base = models.URLField(
        blank=True, help_text="Where the model is served, if not at its provider’s usual address."
    )
    key_env = models.CharField(
        max_length=100, blank=True, help_text="The environment variable that holds its key."
    )
    trigger = models.CharField(max_length=16, choices=Trigger.choices, default=Trigger.MENTION)
    fallbacks = models.JSONField(
        default=list, blank=True, help_text="Models to ask, in this order, where it cannot answer."
    )
    daily_tokens = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="Most a day (UTC), in and out; empty for no limit."
    )
    daily_cost = models.DecimalField(
        max_digits=12,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Most a day (UTC), in US dollars; empty for no limit.",
    )
    enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RobotManager()
    moderated: AutopilotManager
    replies: ReplyManager

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.user.handle

    # Verbs

    @transaction.atomic
    def update(self, *, by: User, **config: Any) -> None:
        """Change its settings, and its `name` or `handle`. What is the same is left alone.

        Raises Forbidden, Invalid (by field), Robot.Retired.
        """
        # Else a key set at this moment could go with the model chosen at this moment.
        self.refresh_from_db(from_queryset=Robot.objects.select_for_update(no_key=True))
        if self.retired_at:
            raise self.Retired
        _must_configure(by, config)
        self._rename(config, by=by)
        before = self._told(self.FIELDS)
        self._assign(config)
        self._must_be_chosen(by=by, before=before)
        changed = [name for name, value in self._told(config).items() if value != before[name]]
        if changed:
            self.save(update_fields=changed)
            AuditEntry.objects.record(
                "robot.changed",
                on=self,
                by=by,
                before={name: before[name] for name in changed},
                after=self._told(changed),
            )

    @transaction.atomic
    def set_avatar(self, upload: UploadedFile[Any] | None, *, by: User) -> None:
        """Show this picture, or none. Raises Forbidden, Invalid (`details["avatar"]`)."""
        _must_configure(by, {})
        self.user.set_avatar(upload, by=User.objects.system())
        shown = {"avatar": self.user.avatar.name or None}
        AuditEntry.objects.record("robot.avatar_changed", on=self, by=by, after=shown)

    def retire(self, *, by: User) -> None:
        """Take it out of every room, for good. What it said stays. Raises Forbidden.

        Not within a transaction: it would keep the locks of one round while the next takes its own.
        """
        _must_configure(by, {})
        while not self._retired(by=by):
            pass  # somebody brought it into one more at that moment

    # Questions

    def spent_today(self) -> tuple[int, Decimal]:
        """As the queryset has it, of this one."""
        spent: tuple[int, Decimal] = Robot.objects.filter(pk=self.pk).spent_today()[self.pk]
        return spent

    def reserved_since(self, moment: datetime) -> tuple[int, Decimal]:
        """What is set aside since then: for its answers under way, and where it moderates."""
        amounts = {
            "tokens": models.Sum("tokens_reserved", default=0),
            "cost": models.Sum("cost_reserved", default=Decimal(0)),
        }
        replies = self.replies.running().filter(started_at__gte=moment).aggregate(**amounts)
        asked = self.moderated.filter(reserved_until__gt=timezone.now()).aggregate(**amounts)
        return replies["tokens"] + asked["tokens"], replies["cost"] + asked["cost"]

    @property
    def is_spent(self) -> bool:
        """Whether a budget of this day is used up. Where no price is known, tokens alone count."""
        return self.has_budget and self._is_used_up(*self.spent_today())

    def must_be_ready(self) -> None:
        """To be asked. Raises Robot.Retired, Robot.Off, Robot.Spent."""
        if self.retired_at:
            raise self.Retired
        if not self.enabled:
            raise self.Off
        if self.is_spent:
            raise self.Spent

    @property
    def has_budget(self) -> bool:
        return self.daily_tokens is not None or self.daily_cost is not None

    def has_free(self) -> bool:
        """Whether it may be asked once more, while it is `locked`, besides what is under way.

        Raises Robot.Spent where that has not even to do with what is under way.
        """
        # Read first: what ends meanwhile is then counted twice, and never missed.
        more, dearer = self.reserved_since(midnight())
        tokens, cost = self.spent_today()
        if self._is_used_up(tokens, cost):
            raise self.Spent
        return not self._is_used_up(tokens + more, cost + dearer)

    # What the verbs are made of

    @transaction.atomic(durable=True)
    def _retired(self, *, by: User) -> bool:
        """False where it sits in a room that was not locked, or where a side-bar of one was opened
        meanwhile: rooms are locked before robots.
        """
        left = Room.objects.top().filter(participants__user=self.user_id, direct_key=None)
        held = Room.objects.lock_with_sidebars(list(left.values_list("pk", flat=True)))
        self._lock_work_in(held)
        self.refresh_from_db(from_queryset=Robot.objects.select_for_update(no_key=True))
        if self.retired_at:
            return True
        rooms = list(left.order_by("pk"))  # it comes into no further one
        theirs = Room.objects.filter(Q(pk__in=left.values("pk")) | Q(parent__in=left.values("pk")))
        if not held.keys() >= set(theirs.values_list("pk", flat=True)):
            return False
        for room in rooms:
            room.remove(self.user, by=User.objects.system())
        self.retired_at, self.enabled = timezone.now(), False
        self.save(update_fields=["retired_at", "enabled"])
        self.user.is_active = False
        self.user.save(update_fields=["is_active"])
        AuditEntry.objects.record("robot.retired", on=self, by=by)
        return True

    def _lock_work_in(self, rooms: Iterable[int]) -> None:
        """What it moderates and writes in these locked rooms: who sets aside of its budget for one
        of them holds that, and waits for the robot.
        """
        for work in (self.moderated.unfinished(), self.replies.unfinished()):
            held = work.filter(room__in=rooms).select_for_update(no_key=True).order_by("pk")
            list(held.values_list("pk", flat=True))

    def locked(self) -> Robot:
        """As it now is, by itself until this transaction ends.

        Robots are locked last, after rooms, sessions and replies.
        """
        found: Robot = Robot.objects.select_for_update(no_key=True).get(pk=self.pk)
        return found

    def _is_used_up(self, tokens: int, cost: Decimal) -> bool:
        """Whether a budget is, by so much."""
        return (self.daily_tokens is not None and tokens >= self.daily_tokens) or (
            self.daily_cost is not None and cost >= self.daily_cost
        )

    def _must_be_chosen(self, *, by: User, before: Mapping[str, Any]) -> None:
        """Who is no site admin leaves its key and address with the provider they were set for, and
        chooses among the models that are for agents. What was there `before` may stay.

        Raises Forbidden, with details by field.
        """
        if _may_choose_all(by):
            return
        moves = providers.provider_of(self.model) != providers.provider_of(before.get("model"))
        if moves and (self.key_env or self.api_base):
            raise _for_admins("model", "have its key or address used with another provider")
        known = {before.get("model"), *before.get("fallbacks", ())}
        for field, named in (("model", [self.model]), ("fallbacks", self.fallbacks)):
            for model in named:
                if model not in known and not providers.is_for_agents(model):
                    raise _for_admins(field, f"choose {model}")

    def _rename(self, config: dict[str, Any], *, by: User) -> None:
        names: dict[str, Any] = {n: config.pop(n) for n in ("handle", "name") if n in config}
        before = {name: getattr(self.user, name) for name in names}
        if names == before:
            return
        for name, value in names.items():
            setattr(self.user, name, value)
        self.user.save_checked(update_fields=list(names))
        AuditEntry.objects.record("robot.renamed", on=self, by=by, before=before, after=names)

    def _assign(self, config: dict[str, Any]) -> None:
        """Set these fields. Raises Invalid, with details by field."""
        unknown = {name: ["This cannot be changed."] for name in config if name not in self.FIELDS}
        if unknown:
            raise Invalid(details=unknown)
        for name, value in config.items():
            setattr(self, name, value)
        try:
            self.full_clean(exclude=["user"], validate_unique=False, validate_constraints=False)
        except ValidationError as error:
            raise Invalid(details=error.message_dict) from error

    def clean(self) -> None:
        """What no single field can tell."""
        super().clean()
        if self.key_env:
            keys.must_be_nameable(self.key_env)
        if self.api_base and not _is_plain_address(self.api_base):
            raise ValidationError(
                {"api_base": "Give an http or https address, without a name, password or query."}
            )
        if self.max_tokens >= self.context_window:
            raise ValidationError({"max_tokens": "An answer must be shorter than the window."})
        if not isinstance(self.fallbacks, list) or len(self.fallbacks) > FALLBACKS_MAX:
            raise ValidationError({"fallbacks": f"Name at most {FALLBACKS_MAX} models in a list."})
        for field, named in (("model", [self.model]), ("fallbacks", self.fallbacks)):
            for model in named:
                try:
                    providers.must_name_a_model(model)
                except ValidationError as error:
                    raise ValidationError({field: error}) from error

    def _told(self, names: Any) -> dict[str, Any]:
        """Fields as an audit entry holds them. No key is among them, only the name of one."""
        told = {name: getattr(self, name) for name in names}
        return {n: str(v) if isinstance(v, Decimal) else v for n, v in told.items()}


def _sum(field: str, where: Q | None = None) -> models.Sum:
    return models.Sum(field, filter=where, default=0)


def midnight() -> datetime:
    """When this day began, UTC."""
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def _is_plain_address(url: str) -> bool:
    """What is in it is shown to staff and kept in the audit: it must hold no secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and not parts.query


def _may_choose_all(user: User) -> bool:
    return user.kind == User.Kind.SYSTEM or user.is_at_least(SiteRole.ADMIN)


def _for_admins(field: str, deed: str) -> Forbidden:
    sentence = f"Only site admins may {deed}."
    return Forbidden(sentence, details={field: [sentence]})


def _must_configure(by: User, config: dict[str, Any]) -> None:
    if _may_choose_all(by):
        return
    if not by.is_at_least(SiteRole.AGENT):
        raise Forbidden("Robots are configured by agents and above.")
    if reserved := sorted(ADMINS_ONLY & config.keys()):
        raise Forbidden(f"Only site admins may set {' and '.join(reserved)}.")
