"""``python -m celltrail``: the command line."""

from celltrail.cli import main

raise SystemExit(main())
