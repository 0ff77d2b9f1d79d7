"""Nothing is lost when things break: real processes under load, and what befalls them.

`python -m tests.faults --help`; docs/faults.md says what is checked.
"""

ROBOT = "echo"
ROBOT_KEY = "TEST_ROBOT_KEY"
