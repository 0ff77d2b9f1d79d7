"""The people of a run and the robot that they ask, made through the verbs that pages and API call.

`python -m tests.faults.world PEOPLE API_BASE`, with the settings of the servers in the environment,
migrates an empty database and prints `[[ID, NAME, TOKEN], …]` and the robot's id, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

import django


def main(people: str, api_base: str) -> None:
    from django.core.management import call_command

    from accounts import tokens
    from accounts.models import Login, User
    from robots.models import Robot
    from tests.faults import ROBOT, ROBOT_KEY

    call_command("migrate", verbosity=0)
    told = []
    for n in range(int(people)):
        user = User.objects.create_person(f"p{n}", f"Person {n}", None)
        login = Login.objects.start(user, kind=Login.Kind.TOKEN)
        told.append([user.pk, user.name, tokens.issue(login)["access"]])
    robot = Robot.objects.add(
        ROBOT,
        ROBOT.title(),
        by=User.objects.system(),
        model="openai/faults",
        api_base=api_base,
        key_env=ROBOT_KEY,
    )
    print(json.dumps({"people": told, "robot": robot.pk}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatmanager.settings")
    django.setup()
    main(*sys.argv[1:])
