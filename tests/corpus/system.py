"""Threads, processes, files, streams: what reaches beyond the cell."""

CELLS: dict[str, str | tuple[str, ...]] = {
    "threads": (
        "import threading\nfound = []\ndef work(n):\n    for loss in range(n):\n        pass\n    found.append((threading.current_thread().name, loss))\n"
        "threads = [threading.Thread(target=work, args=(n + 2,), name=f'w{n}') for n in range(3)]\n[t.start() for t in threads]\n[t.join() for t in threads]\nsorted(found)",
    ),
    "thread that raises": "import threading, time\ndef bad():\n    raise ValueError('in a thread')\nt = threading.Thread(target=bad, name='bad')\nt.start()\nt.join()\ntime.sleep(0.05)\nt.is_alive()",
    "thread subclass": "import threading\nclass T(threading.Thread):\n    def run(self):\n        self.answer = 42\nt = T()\nt.start()\nt.join()\nt.answer, repr(T.start)[:9], t.native_id is not None",
    "timer and local": "import threading\nlocal = threading.local()\nlocal.x = 1\nevent = threading.Event()\ntimer = threading.Timer(0.01, event.set)\ntimer.start()\nevent.wait(2), local.x",
    "pools": (
        "from concurrent.futures import ThreadPoolExecutor, as_completed\ndef square(n): return n * n\nwith ThreadPoolExecutor(2) as pool:\n    results = list(pool.map(square, range(5)))\n    future = pool.submit(pow, 2, 10, mod=None)\ndel pool  # how many of its threads are idle is a matter of the clock\nresults, future.result()",
        "with ThreadPoolExecutor(1) as pool:\n    f = pool.submit(lambda: 1 / 0)\ntype(f.exception()).__name__",
        "with ThreadPoolExecutor(1) as pool:\n    pool.submit()",
    ),
    "multiprocessing": "import multiprocessing as mp\ndef cube(n):\n    for loss in range(3):\n        pass\n    return n ** 3\nwith mp.get_context('fork').Pool(2) as pool:\n    result = pool.map(cube, range(5))\nresult",
    "fork": "import os, sys\nsys.stdout.flush()\nr, w = os.pipe()\npid = os.fork()\nif pid == 0:\n    os.write(w, b'child')\n    os._exit(7)\nfound, status = os.waitpid(pid, 0)\nprint(os.waitstatus_to_exitcode(status), os.read(r, 5))\nos.close(r), os.close(w)\ndel r, w, pid, found\nNone",
    "subprocess": "import subprocess, sys\ndone = subprocess.run([sys.executable, '-c', 'print(1); import sys; sys.exit(2)'], capture_output=True, text=True)\ndone.returncode, done.stdout",
    "subprocess check": "import subprocess\nsubprocess.run(['false'], check=True)",
    "subprocess environment": "import subprocess, os\nbefore = subprocess.run(['env'], capture_output=True, text=True).stdout\nsorted(line.split('=')[0] for line in before.splitlines() if line.startswith(('CT', '__CT', 'OMP')))",
    "files": (
        "from pathlib import Path\nwith open('a.txt', 'w', encoding='utf-8') as file:\n    file.write('one\\ntwo\\n')\nPath('b.bin').write_bytes(bytes(range(10)))\nopen('a.txt').read(), file.closed, file.mode",
        "for line in open('a.txt'):\n    print(line, end='')\nwith open('a.txt', 'a') as f, open('b.bin', 'rb') as g:\n    f.write('three')\n    print(g.read(3), f.tell(), g.name)\nPath('a.txt').stat().st_size",
        "open('missing.txt')",
        "import os\nfd = os.open('a.txt', os.O_RDONLY)\nwith open(fd) as f:\n    print(f.read(3))\ndel fd\nwith open('c.txt', 'x') as f:\n    print(repr(f)[:30])\nopen('c.txt', 'x')",
    ),
    "open of all kinds": (
        "import io, os, pathlib, codecs, tempfile\nkinds = [type(open(os.devnull)).__name__, type(open(os.devnull, 'rb')).__name__, type(open(os.devnull, 'rb', 0)).__name__, type(io.open(os.devnull, 'r+b')).__name__]\n"
        "with codecs.open('u.txt', 'w', 'utf-16') as f:\n    f.write('ü')\nwith tempfile.TemporaryFile('w+') as t:\n    t.write('temp')\n    t.seek(0)\n    text = t.read()\nkinds, text, pathlib.Path('u.txt').read_bytes()",
        "open()",
        "open('u.txt', 'q')",
        "open('u.txt', mode='rt', buffering=-1, encoding='utf-16', errors=None, newline=None, closefd=True, opener=None).read()",
        "import builtins, inspect\nopen.__name__, open.__module__ in ('io', '_io'), str(inspect.signature(builtins.open))[:5], open is builtins.open",
    ),
    "csv json gzip sqlite": (
        "import csv, json, gzip, sqlite3, zipfile, shelve, configparser\nwith open('t.csv', 'w', newline='') as f:\n    csv.writer(f).writerows([['a', 'b'], [1, 2]])\n"
        "with gzip.open('t.gz', 'wt') as f:\n    f.write('zipped')\njson.dump({'lr': 0.1}, open('t.json', 'w'))\ncon = sqlite3.connect(':memory:')\ncon.execute('create table t(x)')\ncon.execute('insert into t values (3)')\n"
        "with zipfile.ZipFile('t.zip', 'w') as z:\n    z.writestr(zipfile.ZipInfo('m'), 'text')\ngzip.open('t.gz', 'rt').read(), json.load(open('t.json')), con.execute('select * from t').fetchall(), list(csv.DictReader(open('t.csv')))",
    ),
    "unclosed file": "import warnings, gc\nwith warnings.catch_warnings(record=True) as seen:\n    warnings.simplefilter('always')\n    f = open('left.txt', 'w')\n    f.write('x')\n    del f\n    gc.collect()\n[w.category.__name__ for w in seen]",
    "replaced open": (
        "import builtins\nreal = open\ncalls = []\ndef mine(*a, **k):\n    calls.append(a[0])\n    return real(*a, **k)\nbuiltins.open = mine\nopen('m.txt', 'w').close()\ncalls",
        "open('m.txt').close()\nlen(calls)",
        "builtins.open = real\nopen is real",
    ),
    "import of a local module": (
        "from pathlib import Path\nPath('mine_a.py').write_text('LR = 0.1\\ndef train(n):\\n    for loss in range(n):\\n        pass\\n    return loss\\n')\nimport sys\nsys.path.insert(0, '')\nimport importlib\nimportlib.invalidate_caches()\nimport mine_a\nmine_a.train(3)",
        "mine_a.train(4), mine_a.LR",
        "Path('mine_a.py').write_text('LR = 0.25\\n')\nimport os\nos.utime('mine_a.py', (1, 1))\nimportlib.reload(mine_a).LR",
        "del sys.modules['mine_a'], mine_a\nsys.path.remove('')",
    ),
    "import errors": ("import nosuchmodule_xyz", "from math import nosuchname"),
    "streams": "import sys\nprint('a', end='')\nsys.stdout.flush()\nprint('b', file=sys.stderr, flush=True)\nsys.stdout.write('c\\n')\nsys.stdout.writelines(['d', 'e'])",
    "progress bar": "import sys, time\nfor i in range(4):\n    print(f'\\r{i}/3 [' + '#' * i + ']', end='', flush=True)\nprint()",
    "stdout replaced": (
        "import sys, io\nold = sys.stdout\nsys.stdout = mine = io.StringIO()\nprint('hidden')\nsys.stdout = old\nmine.getvalue()",
        "sys.stdout is old, sys.stdout.encoding, sys.stdout.isatty()",
    ),
    "stdout replaced and left": (
        "import sys, io\nold = sys.stdout\nsys.stdout = mine = io.StringIO()\nprint('hidden')",
        "print('also hidden')",
        "sys.stdout = old\nprint(mine.getvalue())",
    ),
    "much text": "for i in range(3000):\n    print(i, 'x' * 30)",
    "one huge line": "print('y' * 300_000)",
    "odd text": "import sys\nprint('nul\\x00bell\\x07esc\\x1b[31mred\\x1b[0m back\\b\\b form\\f')\nprint('\\ud800'.encode('utf-8', 'replace'))",
    "descriptor one": "import os, time\nos.write(1, b'to the descriptor\\n')\ntime.sleep(0.3)",
    "signals": "import signal\nhits = []\nold = signal.signal(signal.SIGUSR1, lambda *a: hits.append(1))\nsignal.raise_signal(signal.SIGUSR1)\nsignal.signal(signal.SIGUSR1, old)\nhits",
    "alarm": "import signal, time\ndef ring(*_): raise TimeoutError('too long')\nold = signal.signal(signal.SIGALRM, ring)\nsignal.setitimer(signal.ITIMER_REAL, 0.05)\ntry:\n    while True:\n        loss = 1\n        time.sleep(0.01)\nfinally:\n    signal.signal(signal.SIGALRM, old)",
    "hooks of sys": (
        "import sys\nlines = []\nsys.settrace(lambda f, e, a: lines.append(f.f_lineno) if f.f_code.co_name == 'traced' else None)\ndef traced(): return 1\ntraced()\nsys.settrace(None)\nlen(lines)",
        "import sys\nold = sys.excepthook\nsys.excepthook = lambda *a: print('mine')\nsys.excepthook = old\nsys.flags.optimize",
    ),
    "profile": "import cProfile, pstats, io\npr = cProfile.Profile()\npr.enable()\nsum(range(100))\npr.disable()\ntype(pstats.Stats(pr, stream=io.StringIO()).total_calls).__name__",
    "tracemalloc": "import tracemalloc\ntracemalloc.start()\nblock = bytearray(200_000)\nsize = tracemalloc.get_traced_memory()[0] > 200_000\ntracemalloc.stop()\nsize",
    "memory view": "b = bytearray(b'abc')\nv = memoryview(b)\nfor loss in v:\n    acc = loss\nv.release()\nb.append(1)\nb",
    "atexit": "import atexit\nf = atexit.register(lambda: None)\natexit.unregister(f)\ncallable(f)",
    "decimal context and locale": "import decimal\ndecimal.getcontext().prec = 6\nr = decimal.Decimal(1) / 7\ndecimal.getcontext().prec = 28\nr",
    "unraisable": "import gc\nclass D:\n    def __del__(self): raise ValueError('in del')\nd = D()\ndel d\ngc.collect();",
    "environment": "import os\nos.environ['CORPUS_KEY'] = 'v'\nos.environ.pop('HOME', None)\nos.putenv('CORPUS_PUT', '1')\nsorted(k for k in os.environ if 'CORPUS_' in k)",
    "argparse": (
        "import argparse\np = argparse.ArgumentParser(prog='train')\np.add_argument('--lr', type=float, default=0.1)\nargs = p.parse_args(['--lr', '0.3'])\nargs",
        "p.parse_args(['--nope'])",
    ),
    "selectors and sockets": "import socket\na, b = socket.socketpair()\na.send(b'ping')\ngot = b.recv(4)\na.close(), b.close()\ngot",
    "cache": "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef slow(n):\n    for loss in range(n):\n        pass\n    return n\n[slow(3), slow(3), slow(4)]\nslow.cache_info()",
    "heap and bisect": "import heapq, bisect, itertools, collections\nh = [5, 1, 4]\nheapq.heapify(h)\nbisect.insort(s := [1, 3], 2)\nheapq.heappop(h), s, list(itertools.accumulate([1, 2, 3])), collections.Counter('abca').most_common(1)",
}
