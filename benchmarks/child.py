"""One function of a row, run in the environment of a contestant: started by `place.Place`, never by hand."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    asked = json.loads(sys.argv[1])
    function = getattr(import_module(asked["module"]), asked["function"])
    tracker = import_module(f"contestants.{asked['contestant']}")
    answer = function(tracker, Path(asked["folder"]), **asked["arguments"])
    Path(asked["answer"]).write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
