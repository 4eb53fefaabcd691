"""``python -m celltrail.server``: what ``celltrail view`` becomes."""

import sys

from celltrail.server.view import launch

launch(sys.argv[1:])
