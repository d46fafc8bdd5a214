"""`python -m reports` is `elbo-verify`, without installing."""

import sys

from reports.cli import main

if __name__ == "__main__":
    sys.exit(main())
