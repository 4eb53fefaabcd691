"""Follow the code of a cell, statement by statement and branch by branch."""

from __future__ import annotations

import ast

from celltrail.capture.analyze import Function, bound_names, root
from celltrail.capture.analyze.effects import LOOPED, MAYBE, POURING, SURE, Effects, Flow, Scope, Share
from celltrail.capture.analyze.origins import callee, has_elements, pattern_names, scope, stored, taken_from
from celltrail.parsing import parse

_SILENCERS = ("suppress", "raises", "catch", "assertRaises")
# magics that run Python given as text in the notebook's own namespace
_RUNNERS = frozenset("time capture prun memit mprun lprun debug".split())  # noqa: SIM905
_SCRIPTS = frozenset("run load loadpy pylab rerun recall macro edit store reset reset_selective".split())  # noqa: SIM905


def effects(tree: ast.AST) -> Effects:
    """The effects of a parsed cell.

    >>> found = effects(ast.parse("x = 1\\nif y:\\n    z = x\\nout.append(z)"))
    >>> sorted(found.reads), sorted(found.maybe), sorted(found.pours), sorted(found.binds), sorted(found.weak)
    (['y'], ['z'], ['out'], ['x'], ['z'])
    """
    walk = _Walk()
    walk.visit(tree)
    return walk.done()


class _Walk(Scope, ast.NodeVisitor):
    """Local names of a function are names here too; `_summary` drops them."""

    # names

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        else:
            self.found.deletes.add(node.id)
            if node.id not in self.flow:
                self.found.reads.add(node.id)
                self.used[node.id] = self.used.get(node.id, 0) + 1
            self.flow[node.id] = SURE

    # statements

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            self._pour(node.value.func)
        self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._target(target, node.value)
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node.value, ast.Lambda):
            self.found.functions.update(dict.fromkeys(names, _summary(node.value)))
        elif call := callee(node.value):
            self.found.made.update(dict.fromkeys(names, call))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.annotation)
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            name = node.target.id
            self._read(name)
            self._change(node.target, "store")
            origins = self.origins.get(name, set())
            shares = [each for each in self.found.shares if name in (each.child, each.parent)]
            self._bind(name)
            self.origins[name] = origins
            self.found.shares += shares
        else:
            self._target(node.target, node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        hidden, self.hidden = self.hidden, []  # binds outside of the comprehension
        self._target(node.target, node.value)
        self.hidden = hidden
        if hidden:
            self.flow[node.target.id] = LOOPED

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.visit(target)
            if isinstance(target, ast.Attribute | ast.Subscript):
                self._change(target, "store")

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.found.holes.add("star import")
                continue
            self._bind(alias.asname or alias.name.split(".")[0])
            name = alias.asname or alias.name.split(".")[0]
            if isinstance(node, ast.ImportFrom):
                self.found.imports[name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
            else:
                self.found.imports[name] = alias.name if alias.asname else name

    visit_ImportFrom = visit_Import  # noqa: N815

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        """Nothing runs here."""

    visit_Nonlocal = visit_Global  # noqa: N815

    # flow

    def visit_Raise(self, node: ast.Raise | ast.Return) -> None:
        self.generic_visit(node)
        self.is_dead = True

    visit_Return = visit_Raise  # noqa: N815

    def visit_Continue(self, node: ast.Continue | ast.Break) -> None:
        self.is_dead = True

    visit_Break = visit_Continue  # noqa: N815

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        start = self.flow
        self._join([self._branch(node.body, start), self._branch(node.orelse, start)], start)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        start = self.flow
        self._join([self._branch([node.body], start), self._branch([node.orelse], start)], start)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        start = self.flow
        self._join([start, self._branch(node.values[1:], start)], start)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        start = dict(self.flow)
        self._target(node.target, node.iter)
        self._loop(node, start, runs=has_elements(node.iter))

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        self._loop(node, dict(self.flow), runs=always)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: Flow, runs: bool) -> None:
        known, inside = set(self.found.maybe), self.flow
        after = self._branch(node.body, inside)
        ended = after if after is not None else inside
        # the next turn reads what this one may have bound
        self.found.reads |= {name for name in self.found.maybe - known if name in ended}
        jumps = any(isinstance(part, ast.Continue | ast.Break) for part in ast.walk(node))
        body = {name: MAYBE for statement in node.body for name in stored(statement)}
        if runs:  # and jumps: at least its first turn began
            self.flow = {**body, **({**ended, **inside} if jumps else ended)}
        else:
            seen = {name: min(state, LOOPED) for name, state in ended.items()}
            self.flow = {**body, **{name: max(state, start.get(name, MAYBE)) for name, state in seen.items()}}
        orelse = self._branch(node.orelse, self.flow)
        self._join([self.flow, orelse] if node.orelse else [self.flow], self.flow)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        start = dict(self.flow)
        whole = self._branch([*node.body, *node.orelse], start)
        torn = {**{name: MAYBE for part in node.body for name in stored(part)}, **start}
        ends = [whole, *(self._branch([handler], torn) for handler in node.handlers)]
        self._join(ends, torn)
        dead = self.is_dead
        self.is_dead = False
        for statement in node.finalbody:
            self.visit(statement)
        self.is_dead = self.is_dead or dead

    visit_TryStar = visit_Try  # noqa: N815

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self._bind(node.name)
        for statement in node.body:
            self.visit(statement)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._target(item.optional_vars, item.context_expr)
        silent = any((callee(item.context_expr) or "").rsplit(".", 1)[-1].startswith(_SILENCERS) for item in node.items)
        start = dict(self.flow)
        ends = [self._branch(node.body, start)]
        self._join([*ends, start] if silent else ends, start)
        if silent:
            self.flow = {**{name: MAYBE for part in node.body for name in stored(part)}, **self.flow}

    visit_AsyncWith = visit_With  # noqa: N815

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        start = self.flow
        ends: list[Flow | None] = []
        for case in node.cases:
            names = {each for part in ast.walk(case.pattern) for each in pattern_names(part)}
            parts = [*([case.guard] if case.guard else []), *case.body]
            ends.append(self._branch([*map(_store, names), *parts], start))
        last = node.cases[-1]
        catches_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        self._join(ends if catches_all else [*ends, start], start)

    # calls

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if self._is_magic(node):
            return
        call = callee(node) or ""
        if call in ("exec", "eval", "globals", "setattr", "delattr") and call not in self.flow:
            self._builtin(call, node)
        if isinstance(node.func, ast.Attribute):
            self._change(node.func.value, "method", call)
            holder = root(node.func.value)
            if holder is not None and node.func.attr in POURING and not self._is_hidden(holder):
                names = {name for part in node.args for name in taken_from(part)} - {holder}
                self.found.shares += [Share(holder, name) for name in sorted(names)]
        for index, argument in enumerate(node.args):
            self._change(argument, "argument", call, index)
        for keyword in node.keywords:
            self._change(keyword.value, "argument", call, keyword.arg)
            if keyword.arg == "inplace" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
                self._change(node.func, "store")

    def _builtin(self, call: str, node: ast.Call) -> None:
        if call in ("exec", "eval"):
            self.found.holes.add(call)
        elif call == "globals":
            self.found.holes.add("globals()")
        elif node.args:
            self._change(node.args[0], "store")

    def _is_magic(self, node: ast.Call) -> bool:
        """``%run``, ``!command`` and the like, as IPython writes them in Python."""
        of = node.func.value if isinstance(node.func, ast.Attribute) else None
        if not (isinstance(of, ast.Call) and callee(of) == "get_ipython" and isinstance(node.func, ast.Attribute)):
            return False
        texts = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        self.found.reads.discard("get_ipython")
        if node.func.attr in ("system", "getoutput"):
            self.found.holes.add("!command")
        elif node.func.attr in ("run_line_magic", "run_cell_magic") and texts:
            self._magic(node.func.attr, texts)
        return True

    def _magic(self, kind: str, texts: list[str]) -> None:
        word, line, body = (*texts, "", "")[:3]
        if word in _SCRIPTS or (kind == "run_cell_magic" and word in ("script", "bash", "sh")):
            self.found.holes.add(f"%{word}")
        elif word in _RUNNERS:
            if word == "capture" and line.strip().split(" ")[0].isidentifier():
                self._bind(line.strip().split(" ")[0])
            try:
                self.visit(parse(body if kind == "run_cell_magic" else line))
            except SyntaxError:
                self.found.holes.add(f"%{word}")

    # scopes

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._defaults(node)
        self._bind(node.name)
        self.found.functions[node.name] = _summary(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def _defaults(self, node: Function) -> None:
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                self.visit(default)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._defaults(node)
        self._at_once(_summary(node))

    def _at_once(self, summary: Effects) -> None:
        """A function without a name is called about where it stands."""
        for name in sorted(summary.reads | summary.maybe | summary.pours):
            self._read(name)
        for change in summary.changes:
            if change.name not in summary.parameters and not self._is_hidden(change.name):
                self._change_name(change.name, change.how, change.call, change.position, set())
        for name in summary.weak | summary.binds:
            self.flow.setdefault(name, MAYBE)
        self.found.holes |= summary.holes

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for outside in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(outside)
        body = _Walk()
        for statement in node.body:
            body.visit(statement)
        inside = body.done()
        for name in sorted(inside.reads | inside.maybe | inside.pours):
            self._read(name)
        whole = Effects()
        for name, method in inside.functions.items():
            whole.merge(method)
            whole.functions[f"{node.name}.{name}"] = method
        whole.parameters = ()
        self._bind(node.name)
        self.found.functions[node.name] = whole
        self.found.shares += [Share(node.name, name, "class") for base in node.bases if (name := root(base))]

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        self.hidden.append({name for inner in node.generators for name in bound_names(inner.target)})
        for index, inner in enumerate(node.generators):
            if index:
                self.visit(inner.iter)
            for condition in inner.ifs:
                self.visit(condition)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.hidden.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815


def _summary(node: Function) -> Effects:
    """What calling a function does to names that are not its own."""
    given = node.args
    names = [item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [item.arg for item in (given.vararg, given.kwarg) if item]
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    outer = {name for part in scope(body) if isinstance(part, ast.Global) for name in part.names}
    nonlocals = {name for part in scope(body) if isinstance(part, ast.Nonlocal) for name in part.names}
    local = ({name for part in body for name in stored(part)} | set(names)) - outer - nonlocals
    walk = _Walk()
    walk.found.parameters = tuple(names)
    walk.flow = dict.fromkeys(local, SURE)  # never read from the notebook
    for statement in body:
        walk.visit(statement)
    inside = walk.done()
    for name, inner in list(inside.functions.items()):
        if name in local:  # may be called here or handed out
            inside.merge(inner)
            inside.functions.pop(name, None)
    inside.parameters = tuple(names)
    own = set(names)
    for kind in ("reads", "maybe", "pours", "binds", "weak", "deletes"):
        setattr(inside, kind, getattr(inside, kind) - local)
    inside.weak |= inside.binds  # it may never be called
    inside.binds = set()
    inside.changes = [each for each in inside.changes if each.name not in local or each.name in own]
    inside.shares = [each for each in inside.shares if not {each.child, each.parent} & local]
    inside.loads = {name: frozenset() for name in inside.loads if name not in local}
    inside.imports = {}
    return inside


def _store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())
