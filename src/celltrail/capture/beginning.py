"""How a marked cell becomes a run: what its line asks for, its code and its execution, in the trail before the body."""

from __future__ import annotations

import os
from typing import Any

from celltrail.capture import environment
from celltrail.capture.arguments import expand
from celltrail.capture.outputs import Outputs
from celltrail.capture.redact import Redactor
from celltrail.capture.session.past import Past, number
from celltrail.capture.tracked import Tracked, cell_name
from celltrail.capture.transform import Mark, first_comment, leading_blank_lines
from celltrail.model import Execution, new_id, now_us
from celltrail.run import set_current, start
from celltrail.store import Store, locate
from celltrail.store.files.disk import Unsynced


def begin(shell: Any, info: Any, mark: Mark, past: Past | None, redactor: Redactor, unsynced: Unsynced) -> Tracked:
    """Begin the run of a cell; it is the current one from now on.

    Args:
        shell: the IPython shell.
        info: what IPython says of the execution.
        mark: the cell's line of ours.
        past: the execution as the session has it.
        redactor: takes secrets out of what is written.
        unsynced: what the run writes waits there for the disk.

    Raises:
        CelltrailError: the trail cannot be written, or there is no run to go on with as the line asks.
    """
    namespace = shell.user_ns
    redactor.learn_environment(os.environ)
    arguments = expand(mark.arguments, namespace)
    cell_id = cell_name(getattr(info, "cell_id", None))
    store = Store(locate())
    code = store.blobs.put(redactor.text(info.raw_cell))
    execution = Execution(past.id if past else new_id(), number(shell, info), cell_id, "running", now_us(), code=code)
    name = arguments.name
    if not (arguments.resume or arguments.fork):
        name = name or first_comment(info.raw_cell) or (f"cell {cell_id}" if cell_id else None)
    run = start(
        redactor.text(name) if name else None,
        tags=map(redactor.text, arguments.tags),
        notes=redactor.text(arguments.note),
        group=arguments.group,
        project=arguments.project,
        resume=arguments.resume,
        fork=arguments.fork,
        seed=arguments.seed,
        store=store,
        cell_id=cell_id,
        notebook=environment.notebook(namespace, store.root.parent),
        code=code,
        executions=(execution,),
    )
    set_current(run)
    for rule in (*arguments.alert, *arguments.stop_if):
        run.alert(rule, stop=rule in arguments.stop_if)
    outputs = Outputs(arguments.max_output) if arguments.output else None
    tracked = Tracked(run, mark, info.raw_cell, execution, redactor, run.owe(), unsynced, outputs)
    tracked.offset = leading_blank_lines(info.raw_cell)
    return tracked
