"""NumPy, pandas, scikit-learn, matplotlib in the manner of their user guides."""

CELLS: dict[str, str | tuple[str, ...]] = {
    "arrays": (
        "import numpy as np\na = np.arange(12).reshape(3, 4)\na[1:, ::2] *= 10\na",
        "a.mean(axis=0), a.T @ a, np.linalg.norm(a)",
        "a[a > 5] = -1\nv = a[0]\nv[:] = 7\na",
    ),
    "legacy random": (
        "import numpy as np\nnp.random.rand(3), np.random.normal(size=2), np.random.normal()",
        "np.random.shuffle(x := np.arange(6))\nx",
        "np.random.seed(0)\nnp.random.choice(10, 4)",
    ),
    "generators": (
        "import numpy as np\nrng = np.random.default_rng(7)\nrng.normal(size=3)",
        "rng.integers(0, 10, 5), rng.permutation(4)",
        "children = rng.spawn(2) if hasattr(rng, 'spawn') else []\nrng.random()",
    ),
    "float errors": (
        "import numpy as np\nnp.array([1.0, 0.0]) / np.array([0.0, 0.0])",
        "with np.errstate(all='raise'):\n    np.log(np.zeros(1))",
        "np.geterr()",
    ),
    "shapes that clash": "import numpy as np\nnp.ones((2, 3)) @ np.ones((2, 3))",
    "print options": (
        "import numpy as np\nnp.set_printoptions(precision=2, suppress=True)\nnp.array([1.23456, 1e-9])",
        "np.set_printoptions(precision=8, suppress=False)\nnp.array([1.23456])",
    ),
    "numpy metrics": "import numpy as np\nw = np.zeros(3)\nfor epoch in range(4):\n    loss = np.float32(1 / (epoch + 1))\n    acc = np.array(0.5 + epoch)\n    score = np.array([epoch, 1.0])\n    grad_norm = np.linalg.norm(w - 1)\n    w += 0.1\nloss, acc, score, grad_norm",
    "in place after watching": "import numpy as np\nloss = np.zeros(())\nseen = []\nfor i in range(3):\n    loss = loss\n    loss += 1\n    seen.append(loss)\n[float(s) for s in seen], loss.flags.writeable, loss.base is None",
    "save and load": (
        "import numpy as np\nnp.save('a.npy', np.arange(3))\nnp.savez('b.npz', x=np.ones(2))\nnp.savetxt('c.txt', np.eye(2))\nnp.load('a.npy'), np.load('b.npz')['x'], np.loadtxt('c.txt')",
        "m = np.memmap('d.dat', dtype='float32', mode='w+', shape=(4,))\nm[:] = 2\nm.flush()\nnp.memmap('d.dat', dtype='float32', mode='r').sum(), np.genfromtxt('c.txt').shape",
    ),
    "structured and masked": "import numpy as np\nr = np.array([(1, 2.5), (3, 4.5)], dtype=[('k', 'i4'), ('v', 'f8')])\nr['v'], np.ma.masked_less([1, 5], 3), np.datetime64('2024-01-31') + np.arange(2)",
    "array subclass": (
        "import numpy as np\nclass Info(np.ndarray):\n    made = 0\n    def __array_finalize__(self, obj):\n        Info.made += 1\nx = np.arange(3).view(Info)\nn = Info.made",
        "for loss in x:\n    pass\nlr = x\nInfo.made - n",
        "y = x + 1\nInfo.made",
    ),
    "numpy exceptions": "import numpy as np\nnp.array([1, 2, 3]).reshape(2, 2)",
    "frames": (
        "import pandas as pd\nimport numpy as np\ndf = pd.DataFrame({'g': list('abab'), 'x': [1, 2, 3, 4], 't': pd.date_range('2024-01-01', periods=4)})\ndf",
        "df.groupby('g').x.agg(['mean', 'sum'])",
        "df['y'] = df.x ** 2\ndf.loc[df.x > 2, 'y'] = 0\ndf.describe()",
        "df.info()",
        "df.merge(df[['g']].drop_duplicates().assign(k=[10, 20]), on='g').pivot_table(index='g', values='k')",
    ),
    "series and plots of pandas": "import pandas as pd\ns = pd.Series([1.5, None, 3], index=list('abc'), name='s')\ns.fillna(s.mean()).rolling(2).sum()",
    "pandas files": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2], 'b': ['x', 'ü']})\ndf.to_csv('f.csv', index=False)\ndf.to_json('f.json')\ndf.to_pickle('f.pkl')\npd.read_csv('f.csv')",
        "df.to_parquet('f.parquet')\npd.read_parquet('f.parquet').equals(df), pd.read_json('f.json').shape, pd.read_pickle('f.pkl').b[1]",
        "pd.read_csv('missing.csv')",
    ),
    "pandas errors": (
        "import pandas as pd\npd.DataFrame({'a': [1]})['b']",
        "pd.DataFrame({'a': [1, 2], 'b': [1]})",
        "pd.to_datetime('not a date')",
    ),
    "copy on write": (
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2, 3]})\npart = df[df.a > 1]\npart['a'] = 9\npart",
        "df",
    ),
    "pandas options": (
        "import pandas as pd\npd.set_option('display.max_rows', 4)\npd.DataFrame({'n': range(20)})",
        "pd.reset_option('display.max_rows')\npd.options.display.max_rows",
    ),
    "frame attributes": (
        "import pandas as pd\ndf = pd.DataFrame({'loss': [3, 2, 1]})\ndf.attrs['source'] = 'made'\nfor loss in df.loss:\n    pass\nfor i, row in df.iterrows():\n    acc = row.loss\nloss, acc, df.attrs"
    ),
    "classifier": (
        "from sklearn.datasets import make_classification\nfrom sklearn.linear_model import LogisticRegression, SGDClassifier\nfrom sklearn.model_selection import train_test_split, cross_val_score\n"
        "X, y = make_classification(n_samples=120, random_state=0)\nX_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25)\nclf = LogisticRegression(C=0.5, max_iter=200)\nclf.fit(X_train, y_train)",
        "score = clf.score(X_test, y_test)\ncross_val_score(clf, X, y, cv=3)",
        "model = SGDClassifier()\nfor epoch in range(3):\n    model.partial_fit(X_train, y_train, classes=[0, 1])\n    acc = model.score(X_test, y_test)\nacc",
    ),
    "pipeline and search": (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.svm import SVC\nfrom sklearn.model_selection import GridSearchCV\nfrom sklearn.datasets import load_iris\n"
        "X, y = load_iris(return_X_y=True)\nsearch = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {'svc__C': [0.1, 1]}, cv=3)\nbest = search.fit(X, y).best_params_\nscore = round(search.best_score_, 6)\ndel search\nbest, score",
    ),
    "forest": (
        "from sklearn.ensemble import RandomForestRegressor\nimport numpy as np\nX = np.random.rand(60, 3)\ny = X.sum(axis=1)\nmodel = RandomForestRegressor(n_estimators=5).fit(X, y)\nmse = ((model.predict(X) - y) ** 2).mean()\nmse",
        "model.feature_importances_",
    ),
    "not fitted": "from sklearn.linear_model import Ridge\nRidge().predict([[1]])",
    "convergence warning": "from sklearn.neural_network import MLPClassifier\nimport numpy as np\nX = np.random.rand(30, 2)\nnet = MLPClassifier((4,), max_iter=3, random_state=1).fit(X, X[:, 0] > 0.5)\nfor loss in net.loss_curve_:\n    pass\nround(loss, 6)",
    "estimator html": "from sklearn.linear_model import Lasso\nLasso(alpha=0.3)",
    "figure": (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(2, 1))\nax.plot([1, 2, 3], label='loss')\nax.set_title('t')\nplt.show()",
        "plt.plot([3, 1]);",
        "fig",
        "plt.get_fignums()",
    ),
    "figure in a loop": "%matplotlib inline\nimport matplotlib.pyplot as plt\nfrom IPython.display import clear_output\nfor epoch in range(2):\n    loss = 1 / (epoch + 1)\n    clear_output(wait=True)\n    plt.figure(figsize=(1, 1))\n    plt.plot([loss])\n    plt.show()\nprint('done')",
    "savefig": "import matplotlib\nimport matplotlib.pyplot as plt\nfig = plt.figure(figsize=(1, 1))\nfig.savefig('f.svg', metadata={'Date': None})\nplt.close(fig)\nmatplotlib.rcParams['figure.dpi'], len(plt.get_fignums())",
    "figure left and error": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.plot([1])\nraise ValueError('with an open figure')",
    "altair": "import altair as alt\nimport pandas as pd\nchart = alt.Chart(pd.DataFrame({'a': [1, 2]})).mark_bar().encode(x='a:Q')\ntype(chart).__name__, chart.to_dict()['mark']",
    "widgets": "import ipywidgets\nslider = ipywidgets.IntSlider(value=3)\nslider.value = 5\nslider.value",
    "scipy": "from scipy import optimize\nres = optimize.minimize(lambda p: (p[0] - 3) ** 2 + p[1] ** 2, [0.0, 1.0])\nloss = res.fun\nround(float(res.x[0]), 4), res.success",
    "callback of a library": "from scipy import optimize\nseen = []\ndef callback(xk):\n    loss = float(((xk - 2) ** 2).sum())\n    seen.append(round(loss, 6))\noptimize.minimize(lambda p: ((p - 2) ** 2).sum(), [0.0], callback=callback)\nseen",
    "joblib": "from joblib import Parallel, delayed\nParallel(n_jobs=2, prefer='threads')(delayed(pow)(i, 2) for i in range(4))",
    "cloudpickle to a process": (
        "from sklearn.base import BaseEstimator\nimport pickle\nclass Mean(BaseEstimator):\n    def __init__(self, k=1): self.k = k\n    def fit(self, X, y=None):\n        for loss in range(3):\n            self.loss_ = loss\n        return self\nm = pickle.loads(pickle.dumps(Mean(2).fit([1])))\nm.k, m.loss_, m.get_params()",
    ),
}
