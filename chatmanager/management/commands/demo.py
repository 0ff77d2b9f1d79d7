from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chatmanager import demo


class Command(BaseCommand):
    help = "Fill an empty database with people and rooms to try things with."

    def handle(self, *args: Any, **options: Any) -> None:
        if not demo.is_wanted():
            raise CommandError(
                "There are people in this database: a demo is made on an empty one alone."
            )
        demo.make()
