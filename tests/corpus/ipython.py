"""What IPython adds: magics, help, shell commands, rich display, history."""

CELLS: dict[str, str | tuple[str, ...]] = {
    "time": "%%time\ntotal = 0\nfor i in range(100):\n    loss = i\n    total += loss\nprint(total)\ntotal",
    "time of an error": "%%time\nx = 1\n1 / 0",
    "time of await": "%%time\nimport asyncio\nawait asyncio.sleep(0.001)\nx = 3\nx",
    "capture": (
        "%%capture out\nimport sys\nprint('inside')\nprint('err', file=sys.stderr)\n5",
        "out.stdout, out.stderr, len(out.outputs)",
    ),
    "capture above an error": (
        "%%capture --no-stderr cap\nprint('kept')\nraise ValueError('inside capture')",
        "cap.stdout",
    ),
    "timeit": "%%timeit -n 2 -r 1 -q\nx = 1",
    "line magics": ("x = %time 3 + 4\ny = %sx echo one\nx, y", "%pwd\nwhere = %pwd\ntype(where)"),
    "who": ("alpha, beta = 1, 'two'\ndef gamma(): pass", "%who", "%whos", "%who_ls int"),
    "reset selected": ("alpha, beta = 1, 2", "%reset_selective -f ^alpha\n'alpha' in dir(), beta"),
    "xdel": ("big = [1]\nalso = big", "%xdel big\n'big' in globals()"),
    "shell command": (
        "!echo hello; echo there >&2",
        "listing = !printf 'a\\nb\\n'\nlisting, listing.n",
        "name = 'world'\n!echo {name} $name",
        "!exit 3\n_exit_code",
    ),
    "bash": "%%bash\nfor i in 1 2; do echo $i; done",
    "bash that fails": "%%bash\necho before\nexit 4",
    "script with python": "%%script python\nprint('from another process')",
    "writefile and run": (
        "%%writefile made.py\nimport sys\nlr = 0.5\nfor loss in range(3):\n    pass\nprint('made', loss, __name__)",
        "%run made.py",
        "lr, loss",
        "%run -i made.py",
        "%load made.py",
        "import made as made_module\nmade_module.lr",
        "%pycat made.py",
    ),
    "run that fails": ("%%writefile bad.py\ndef f():\n    return 1 / 0\nf()", "%run bad.py", "%run missing_file.py"),
    "run that exits": ("%%writefile leave.py\nimport sys\nprint('leaving')\nsys.exit(2)", "%run leave.py"),
    "help": (
        "len?",
        "def f(x):\n    '''Documented.'''\n    return x",
        "f?",
        "f??",
        "?str.join",
        "%pinfo f",
        "nothing_here?",
        "*.lo*?",
    ),
    "unknown magic": ("%nosuchmagic 1", "%%nosuchcellmagic\nx = 1"),
    "automagic": ("%automagic on\npwd", "%automagic off"),
    "html and friends": (
        "from IPython.display import HTML, Markdown, Latex, JSON, SVG, Javascript, display\ndisplay(HTML('<b>bold</b>'), Markdown('*it*'))\n"
        "display(Latex('$x^2$'), JSON({'a': [1, 2]}))\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>')"
    ),
    "display handles": (
        "from IPython.display import display, clear_output, update_display\nh = display('first', display_id='fixed')\nfor i in range(3):\n    h.update(i)\n"
        "update_display('done', display_id='fixed')\nh.display_id",
        "print('gone')\nclear_output(wait=True)\nprint('stays')",
    ),
    "rich classes": (
        "class Rich:\n    def _repr_html_(self): return '<i>rich</i>'\n    def _repr_latex_(self): return None\n    def _repr_png_(self): return b'\\x89PNG\\r\\n\\x1a\\n'\n"
        "    def __repr__(self): return 'Rich()'\nRich()",
        "class Bundle:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n        return {'text/plain': 'b', 'application/x-own+json': {'k': 1}}, {'application/x-own+json': {'m': 2}}\nBundle()",
        "class Own:\n    shown = 0\n    def _ipython_display_(self):\n        Own.shown += 1\n        print('shown', Own.shown)\nOwn()",
        "class Broken:\n    def _repr_html_(self): raise ValueError('in html')\n    def __repr__(self): return 'Broken'\nBroken()",
        "class Mute:\n    def __repr__(self): raise ValueError('in repr')\nMute()",
        "class Nosy:\n    asked = []\n    def __getattr__(self, name):\n        Nosy.asked.append(name)\n        raise AttributeError(name)\nn = Nosy()\nn.loss if False else None\nsorted(set(Nosy.asked))",
    ),
    "display with metadata": "from IPython.display import display, Image\ndisplay({'text/plain': 'raw', 'text/html': '<p>raw</p>'}, raw=True, metadata={'text/html': {'isolated': True}})\nImage(data=b'GIF89a', format='gif', width=3)",
    "formatters": (
        "from fractions import Fraction\nformatter = get_ipython().display_formatter.formatters['text/html']\nformatter.for_type(Fraction, lambda f: f'<sup>{f.numerator}</sup>')\nFraction(3, 4)",
        "formatter.pop(Fraction)\nFraction(3, 4)",
    ),
    "precision": ("%precision 3\n3.14159265", "%precision\n2.718281828"),
    "pprint": "%pprint\nlist(range(40))",
    "pretty long": ("%pprint\n[list(range(12)) for _ in range(12)]", "{'key%d' % i: 'value' * 5 for i in range(20)}"),
    "nested run_cell": (
        "ip = get_ipython()\nr = ip.run_cell('inner = 5\\nfor loss in range(3): print(loss)\\ninner')\nr.success, r.result",
        "inner, _",
    ),
    "nested run_cell that fails": (
        "r = get_ipython().run_cell('a = 1\\n1 / 0')\nprint(r.success, type(r.error_in_exec).__name__)\na"
    ),
    "nested without history": "r = get_ipython().run_cell('silent_one = 2', store_history=False)\nr2 = get_ipython().run_cell('x9 = 1', silent=True)\nsilent_one + x9",
    "run_line_magic": "ip = get_ipython()\nip.run_line_magic('env', 'CORPUS_X=4')\nip.run_cell_magic('capture', 'c', 'print(1)')\nc.stdout",
    "user events": (
        "heard = []\ndef before(info): heard.append(('pre', info.store_history))\ndef after(result): heard.append(('post', result.success))\n"
        "get_ipython().events.register('pre_run_cell', before)\nget_ipython().events.register('post_run_cell', after)",
        "1 / 0",
        "print('quiet')",
        "get_ipython().events.unregister('pre_run_cell', before)\nget_ipython().events.unregister('post_run_cell', after)\nheard",
    ),
    "result seen by a hook": (
        "texts = []\ndef after(result): texts.append((result.info.raw_cell.split('\\n')[-1], result.execution_count, repr(result.result)))\nget_ipython().events.register('post_run_cell', after)",
        "6 * 7",
        "get_ipython().events.unregister('post_run_cell', after)\ntexts",
    ),
    "user transformer": (
        "def shout(lines): return [line.replace('HELLO', 'print(\"hello\")') for line in lines]\nget_ipython().input_transformers_post.append(shout)",
        "HELLO",
        "get_ipython().input_transformers_post.remove(shout)",
    ),
    "user AST transformer": (
        "import ast\nclass Double(ast.NodeTransformer):\n    def visit_Constant(self, node):\n        return ast.copy_location(ast.Constant(node.value * 2), node) if type(node.value) is int else node\n"
        "double = Double()\nget_ipython().ast_transformers.append(double)",
        "21",
        "for loss in range(2):\n    acc = 5\nacc",
        "get_ipython().ast_transformers.remove(double)",
        "21",
    ),
    "custom exception handler": (
        "def handler(self, etype, value, tb, tb_offset=None):\n    print('handled', etype.__name__)\nget_ipython().set_custom_exc((ZeroDivisionError,), handler)",
        "1 / 0",
        "get_ipython().set_custom_exc((), None)",
        "1 / 0",
    ),
    "traceback modes": (
        "%xmode Plain\n",
        "1 / 0",
        "%xmode Context\n",
        "%tb",
        "%xmode Verbose\n",
        "def f(a):\n    loss = a\n    return loss / 0\nf(3)",
        "%xmode Context\n",
    ),
    "set_next_input": "get_ipython().set_next_input('x = 1')\nprint('more below')",
    "own magics": (
        "from IPython.core.magic import register_line_magic, register_cell_magic\n@register_line_magic\ndef twice(line):\n    return line * 2\n"
        "@register_cell_magic\ndef upper(line, cell):\n    print(line, cell.upper())\n    return len(cell)",
        "%twice ab",
        "%%upper first\nsome text\nmore",
        "v = %twice x\nv",
    ),
    "async cell": (
        "import asyncio\nasync def work(n):\n    await asyncio.sleep(0.001 * n)\n    return n * n\nawait asyncio.gather(*(work(n) for n in range(4)))",
        "async with asyncio.timeout(5):\n    loss = await work(3)\nloss",
    ),
    "async for": (
        "import asyncio\nasync def batches(n):\n    for i in range(n):\n        await asyncio.sleep(0)\n        yield i\nasync for loss in batches(3):\n    acc = loss * 2\n    print(loss, acc)\n[x async for x in batches(3)]",
    ),
    "await that fails": "import asyncio\nasync def bad():\n    await asyncio.sleep(0)\n    raise KeyError('in a coroutine')\nawait bad()",
    "task left running": (
        "import asyncio\ndone = []\nevent = asyncio.Event()\nasync def later():\n    await event.wait()\n    done.append(1)\ntask = asyncio.create_task(later())",
        "event.set()\nawait task\ndone",
    ),
    "cancelled": "import asyncio\ntask = asyncio.create_task(asyncio.sleep(5))\nawait asyncio.sleep(0)\ntask.cancel()\nawait task",
    "queue and taskgroup": (
        "import asyncio\nq = asyncio.Queue()\nasync def put():\n    for i in range(3):\n        await q.put(i)\nasync def take():\n    return [await q.get() for _ in range(3)]\n"
        "async with asyncio.TaskGroup() as group:\n    group.create_task(put())\n    got = group.create_task(take())\ngot.result()",
    ),
    "contextvars": (
        "import contextvars, asyncio\nvar = contextvars.ContextVar('var', default=0)\nvar.set(5)\nvar.get()",
        "async def read(): return var.get()\nawait read(), var.get(), len([v for v in contextvars.copy_context() if v is var])",
    ),
    "stdin refused": "input('name? ')",
    "history magics": ("x = 1", "y = 2", "%history -l 1", "%rerun 0-0\n"),
    "store and env": (
        "%env CORPUS_A=5\nimport os\nos.environ['CORPUS_B'] = 'six'\nos.environ['CORPUS_A']",
        "%env CORPUS_A",
    ),
    "cd": (
        "import os\nos.makedirs('sub', exist_ok=True)\n%cd -q sub\nopen('here.txt', 'w').write('x')\nos.path.basename(os.getcwd())",
        "os.path.exists('here.txt')",
        "%cd -q ..\nsorted(os.listdir('sub'))",
    ),
    "prun": "%%capture\n%prun -q sum(range(10))",
    "html magic": "%%html\n<b>hi</b>",
    "logging": "import logging\nlogging.basicConfig(level=logging.INFO, format='%(levelname)s:%(message)s', force=True)\nlogging.info('told %s', 'you')\nlogging.getLogger('x').warning('w')",
    "load_ext": ("%load_ext autoreload\n%autoreload 2\nx = 1", "x + 1", "%autoreload 0"),
    "empty magics": ("%%time\n", "%%capture\n"),
    "two cell magics": "%%capture inner\n%%time\nprint('deep')\ndepth = 2",
    "double percent inside": "text = '''\n%%time\n%%track\n'''\nlen(text)",
    "question in a string": "print('what? !ls %time')\nx = 7 % 4\nx",
}
