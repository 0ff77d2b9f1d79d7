"""`python -m chatmanager`, where bin/run ends."""

import sys

from chatmanager.server import main

if __name__ == "__main__":
    sys.exit(main())
