"""Plain Python: the tutorial's own ground."""

CELLS: dict[str, str | tuple[str, ...]] = {
    "expression": "(1 + 2j) ** 2",
    "several results": "a = 1\na\nb = 2\na, b",
    "semicolon hides": "x = 5\nx;",
    "none shows nothing": "print('only printed')\nNone",
    "last results": ("3 * 7", "_ + 1", "_, __, Out[max(Out)]", "In[-2], len(In) > 1"),
    "strings and unicode": "s = 'naïve café — ☃ 你好 🎉'\nprint(s, s.encode().hex())\ns[::-1]",
    "nested functions": (
        "def outer(n):\n    total = 0\n    def inner(k):\n        nonlocal total\n        total += k\n        return total\n"
        "    return [inner(i) for i in range(n)]\nouter(5)"
    ),
    "global state": (
        "counter = 0\ndef tick():\n    global counter\n    counter += 1\n    return counter",
        "[tick() for _ in range(3)], counter",
        "tick(); counter",
    ),
    "walrus": "data = iter([3, 1, 4, 1, 5, 0])\nwhile (loss := next(data)):\n    print(loss, end=' ')\nloss",
    "walrus in a comprehension": "[acc for x in range(6) if (acc := x * x) % 2 == 0], acc",
    "match": (
        "def kind(value):\n    match value:\n        case {'type': 'point', 'x': x, 'y': y}:\n            return f'point {x},{y}'\n"
        "        case [first, *rest] if rest:\n            return f'list of {first} and {len(rest)}'\n        case str() | bytes():\n"
        "            return 'text'\n        case _:\n            return 'else'\n"
        "[kind(v) for v in ({'type': 'point', 'x': 1, 'y': 2}, [1, 2, 3], b'x', 4)]"
    ),
    "loops of a training": (
        "history = []\nw = 0.0\nfor epoch in range(3):\n    for step in range(4):\n        grad = 2 * (w - 3)\n"
        "        w -= 0.1 * grad\n        loss = (w - 3) ** 2\n    acc = 1 / (1 + loss)\n    history.append((epoch, round(loss, 6)))\n"
        "    print(f'epoch {epoch}: loss={loss:.4f} acc={acc:.3f}')\nhistory"
    ),
    "while with else": "n = 5\nwhile n:\n    n -= 1\n    if n == 9:\n        break\nelse:\n    loss = n\nfor loss in (1, 2):\n    pass\nelse:\n    print('else', loss)",
    "metric that is a string": "for name in 'ab':\n    loss = name * 2\n    acc = None\n    score = object\nloss",
    "tuple targets": "for i, (loss, acc) in enumerate([(1.0, 2.0), (0.5, 3.0)]):\n    (a, *score), b = [loss, acc, 9], i\nprint(a, score, b)",
    "starred and dotted": (
        "class Model:\n    pass\nm = Model()\nfor m.loss in range(3):\n    m.acc = m.loss / 2\nd = {}\nfor d['loss'] in 'xy':\n    pass\nvars(m), d"
    ),
    "augmented": "loss = 0\nfor x in [1.5, 2.5]:\n    loss += x\n    score = loss\n    score **= 2\nloss, score",
    "big integers": "loss = 1\nfor i in range(1, 40):\n    loss *= i\nloss",
    "nan and infinity": "import math\nfor loss in (math.nan, math.inf, -math.inf, -0.0):\n    print(loss)",
    "bool and Decimal metrics": (
        "from decimal import Decimal\nfrom fractions import Fraction\nfor loss in (True, Decimal('0.1'), Fraction(1, 3), 1e-320):\n    acc = loss\n    print(repr(acc))"
    ),
    "generators": (
        "def numbers():\n    try:\n        for loss in range(3):\n            got = yield loss\n            print('got', got)\n"
        "    finally:\n        print('closed')\ng = numbers()\nnext(g), g.send('a')",
        "g.close()\nlist(numbers())",
    ),
    "yield from": "def a():\n    r = yield from b()\n    yield r * 2\ndef b():\n    yield 1\n    return 21\nlist(a())",
    "generator left open": "gen = (loss for loss in range(3))\nnext(gen)\ngen",
    "dataclasses": (
        "from dataclasses import dataclass, field, asdict, replace\n@dataclass(order=True)\nclass Config:\n    lr: float = 0.1\n"
        "    layers: list[int] = field(default_factory=lambda: [64, 10])\ncfg = Config(lr=0.01)\ncfg2 = replace(cfg, lr=1.0)\nprint(asdict(cfg))\ncfg < cfg2, cfg",
        "cfg.layers.append(3)\ncfg.lr *= 2\ncfg",
    ),
    "enum and namedtuple": (
        "from enum import Enum, auto\nfrom typing import NamedTuple\nclass Mode(Enum):\n    TRAIN = auto()\n    TEST = auto()\n"
        "class P(NamedTuple):\n    x: int\n    y: int = 0\nP(3), Mode.TRAIN, Mode['TEST'].value"
    ),
    "contextlib": (
        "from contextlib import contextmanager, ExitStack, redirect_stdout, suppress\nimport io\n@contextmanager\ndef tag(name):\n    print(f'<{name}>')\n"
        "    try:\n        yield name\n    finally:\n        print(f'</{name}>')\nbuffer = io.StringIO()\nwith ExitStack() as stack:\n"
        "    stack.enter_context(tag('a'))\n    with tag('b'), redirect_stdout(buffer):\n        print('hidden')\n"
        "with suppress(KeyError):\n    {}['x']\nbuffer.getvalue()"
    ),
    "decorators and closures": (
        "import functools\ndef memo(f):\n    seen = {}\n    @functools.wraps(f)\n    def inner(n):\n        if n not in seen:\n            seen[n] = f(n)\n        return seen[n]\n"
        "    inner.seen = seen\n    return inner\n@memo\ndef fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib(80)",
        "len(fib.seen), fib.__name__",
    ),
    "class with descriptors": (
        "class Celsius:\n    __slots__ = ('_t',)\n    def __init__(self, t): self._t = t\n    @property\n    def loss(self): return self._t * 2\n"
        "    @loss.setter\n    def loss(self, v): self._t = v / 2\n    def __repr__(self): return f'Celsius({self._t})'\nc = Celsius(3)\nfor i in range(2):\n    c.loss = i\nc"
    ),
    "metaclass": (
        "class Meta(type):\n    registry = []\n    def __new__(mcls, name, bases, space):\n        made = super().__new__(mcls, name, bases, space)\n        mcls.registry.append(name)\n        return made\n"
        "class A(metaclass=Meta): pass\nclass B(A): pass\nMeta.registry"
    ),
    "a name that watches itself": (
        "class Loud(dict):\n    def __getitem__(self, key):\n        print('asked for', key)\n        return super().__getitem__(key)\n"
        "loud = Loud(loss=1)\nclass Eq:\n    def __eq__(self, other): raise RuntimeError('no comparing')\n    def __bool__(self): raise RuntimeError('no truth')\n"
        "    def __len__(self): raise RuntimeError('no length')\n    def __getattr__(self, name): raise RuntimeError('no ' + name)\n    __hash__ = None\n"
        "for loss in [Eq()]:\n    pass\nlr = loss\nloud['loss']",
        "x = (loud, loss, lr)\nlen(x)",
    ),
    "repr that counts": (
        "class Counted:\n    calls = 0\n    def __repr__(self):\n        Counted.calls += 1\n        return f'Counted #{Counted.calls}'\n    __str__ = __repr__\nk = Counted()\nlr = k\nk",
        "k, Counted.calls",
        "print(k)\nCounted.calls",
    ),
    "lazy attributes": (
        "class Lazy:\n    def __init__(self): self.asked = []\n    def __getattr__(self, name):\n        self.__dict__['asked'].append(name)\n        return Lazy()\nbox = Lazy()",
        "box.first.second\nbox.asked",
        "cfg = box\ncfg.asked",
    ),
    "objects are let go": (
        "import gc, weakref\nclass Big:\n    def __init__(self): self.data = bytearray(1000)\nbig = Big()\nref = weakref.ref(big)\nfor loss in [big]:\n    pass",
        "alias = big\nalias.data[0] = 1",
        "del big, alias, loss\ngc.collect()\nref() is None",
    ),
    "id and refcount": (
        "import sys\nthing = object()\nholder = [thing]\nsys.getrefcount(thing)",
        "def count(): return sys.getrefcount(thing)\nfor score in [thing]: pass\ncount()",
    ),
    "finalizers": (
        "class Noisy:\n    def __del__(self): print('deleted')\nn = Noisy()\nn = 1\nprint('after')",
        "for loss in [Noisy(), Noisy()]:\n    print('turn')\ndel loss\nprint('end')",
    ),
    "del and rebinding": (
        "lr = 0.1\nlr2 = lr\ndel lr\nlr2",
        "'lr' in dir()",
        "for i in range(2):\n    loss = i\n    del loss\n'loss' in globals()",
    ),
    "shadowed builtins": (
        "list = [1, 2]\nprint = print\nlen = lambda x: 42\nlen(list)",
        "del list, len, print\nlen([1])",
    ),
    "globals and locals": "globals()['made'] = 3\nlocals()['lr'] = 0.5\nvars()['loss'] = 1\nmade, lr, loss, sorted(k for k in globals() if not k.startswith('_'))",
    "exec and eval": "exec('acc = 1\\nfor loss in range(3): pass')\neval('loss + acc'), compile('1+1', 'x', 'eval').co_filename",
    "future annotations": "from __future__ import annotations\ndef f(x: Nope) -> Nada: ...\nf.__annotations__",
    "type hints": "from typing import TypedDict\nclass Row(TypedDict):\n    loss: float\nlr: float = 0.5\nsteps: int\nrow: Row = {'loss': 1.0}\n__annotations__",
    "source of a function": (
        "def step(n):\n    # a comment\n    for i in range(n):\n        loss = i * 2\n    return loss\nstep(3)",
        "import inspect\nprint(inspect.getsource(step))\nstep(4)",
        "step.__code__.co_filename.endswith('.py'), step.__code__.co_firstlineno, inspect.signature(step)",
    ),
    "frames": "import sys, inspect\ndef where():\n    frame = sys._getframe(1)\n    return frame.f_lineno, frame.f_code.co_name\n\nwhere(), len(inspect.stack()) > 3, __name__",
    "doctest": 'def add(a, b):\n    """\n    >>> add(1, 2)\n    3\n    """\n    return a + b\nimport doctest\ndoctest.run_docstring_examples(add, globals(), verbose=True)',
    "pickle round trip": (
        "import pickle, copy\nclass Point:\n    def __init__(self, x): self.x = x\n    def score(self):\n        for loss in range(self.x):\n            pass\n        return loss\n"
        "p = pickle.loads(pickle.dumps(Point(3)))\nq = copy.deepcopy(p)\np.score(), q.x",
    ),
    "lambda and sorting": "rows = [('b', 2), ('a', 2), ('c', 1)]\nsorted(rows, key=lambda r: (-r[1], r[0]))",
    "comprehensions": "{k: [v for v in range(k)] for k in range(4)}, {x % 3 for x in range(9)}, sum(x for x in range(5))",
    "name mangling": "class A:\n    __loss = 1\n    def f(self):\n        for self.__loss in range(3): pass\n        return vars(self)\nA().f()",
    "recursion": "def depth(n):\n    return 0 if n == 0 else 1 + depth(n - 1)\ndepth(500)",
    "assert": "x = 3\nassert x == 4, f'x is {x}'",
    "ValueError": "def parse(text):\n    return int(text)\n\nparse('seven')",
    "chained errors": "try:\n    {}['k']\nexcept KeyError as e:\n    raise RuntimeError('while looking') from e",
    "error while handling": "try:\n    1 / 0\nexcept ZeroDivisionError:\n    undefined_name",
    "error in a loop": "seen = []\nfor epoch in range(5):\n    loss = 1 / (3 - epoch)\n    seen.append(loss)",
    "error in a comprehension": "[1 / (2 - loss) for loss in range(4)]",
    "error in a generator": "def g():\n    for loss in range(3):\n        yield 1 / (1 - loss)\nlist(g())",
    "exception group": "raise ExceptionGroup('two', [ValueError('a'), TypeError('b')])",
    "error with notes": "e = ValueError('noted')\ne.add_note('look here')\nraise e",
    "own exception": "class MyError(Exception):\n    def __init__(self, code):\n        super().__init__(code)\n        self.code = code\nraise MyError(42)",
    "error whose text fails": "class Mute(Exception):\n    def __str__(self): raise RuntimeError('no text')\nraise Mute()",
    "BaseException": "class Stop(BaseException): pass\nraise Stop('here')",
    "StopIteration": "next(iter([]))",
    "GeneratorExit": "raise GeneratorExit",
    "RecursionError": "import sys\nlimit = sys.getrecursionlimit()\nsys.setrecursionlimit(150)\ndef f(): return f()\ntry:\n    f()\nexcept RecursionError as e:\n    print(type(e).__name__)\nfinally:\n    sys.setrecursionlimit(limit)",
    "SyntaxError": "x = 1\nif x\n    y = 2",
    "IndentationError": "def f():\nreturn 1",
    "tab error": "if True:\n        x = 1\n\ty = 2",
    "SyntaxError at compile": "x = 1\nreturn x",
    "nonlocal at top": "nonlocal x",
    "null byte": "x = 'a'\ny = \x00",
    "SyntaxWarning": "x = 5\nx is 5",
    "traceback of three frames": "def a(n):\n    return b(n)\n\ndef b(n):\n    # here\n    return c(n) + 1\n\n\ndef c(n): return n['missing']\na({})",
    "error across cells": (
        "def broken(n):\n    for loss in range(n):\n        acc = 1 / (loss - 1)\n    return acc",
        "broken(1)",
        "broken(3)",
    ),
    "print and raise": "import sys\nprint('out')\nprint('err', file=sys.stderr)\nraise LookupError('after text')",
    "KeyboardInterrupt": "x = 1\nraise KeyboardInterrupt('by hand')",
    "sys.exit": "import sys\nprint('leaving')\nsys.exit(3)",
    "exit with text": "raise SystemExit('a reason')",
    "warnings": "import warnings\nwarnings.warn('careful', stacklevel=1)\nwarnings.warn('old', DeprecationWarning)\nfor i in range(2):\n    warnings.warn('twice')\nprint('on')",
    "warning filters": "import warnings\nwarnings.filterwarnings('error', category=UserWarning)\nwarnings.simplefilter('ignore', ResourceWarning)\nwarnings.warn('now an error')",
    "caught warnings": "import warnings\nwith warnings.catch_warnings(record=True) as caught:\n    warnings.simplefilter('always')\n    warnings.warn('kept')\nlen(caught), str(caught[0].message), caught[0].lineno",
    "random numbers": (
        "import random\nrandom.random(), random.gauss(0, 1)",
        "[random.randint(0, 9) for _ in range(10)], random.sample(range(50), 3)",
        "random.seed(4)\nrandom.shuffle(x := list(range(8)))\nx",
    ),
    "own generator": "import random\nrng = random.Random(3)\nlosses = [rng.random() for _ in range(3)]\nlosses",
    "uuid and time types": "import time, uuid, datetime as dt\nstart = type(time.perf_counter())\nu = uuid.UUID(int=5)\nstart, u, dt.date(2024, 2, 29) + dt.timedelta(days=366)",
    "only comments": "# nothing here\n# at all",
    "docstring cell": "'''A cell that begins with a text.'''\nx = 1",
    "ends with a comment": "x = 41\nx + 1  # the answer, nearly\n\n\n",
    "blank lines above": "\n\n\nx = 1\nraise ValueError('line 4 + 1')",
    "unicode names": "größe = 3\nπ = 3.14\nfor verlust_ü in range(2): pass\ngröße * π",
    "long line": "x = [" + ", ".join(str(n) for n in range(400)) + "]\nlen(x)",
    "crlf": "x = 1\r\ny = 2\r\nprint(x + y)\r\n",
    "form feed and tabs": "if True:\n\tx = 1\n\tfor loss in range(2):\n\t\tacc = loss\n\nx, acc",
    "backslashes": "x = 1 + \\\n    2\nr'\\d', '\\n', x",
    "f-strings": "lr = 0.123456\nprint(f'{lr=:.2f} {\"x\"!r:>5} {{braces}}')\nf'{lr!r}'",
    "secret looking": "password = 'hunter2hunter2'\napi_key = 'sk-' + 'a' * 30\nprint(password, api_key)\napi_key",
}
