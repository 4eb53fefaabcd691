"""Cells in the shapes of public tutorials, with the parameters a person would write into a table of runs.

Written for this test, after the manner of the documentation of scikit-learn, PyTorch, Keras, XGBoost and
LightGBM, Hugging Face, pandas, statsmodels, JAX, Gymnasium and of LLM clients; no text is copied. Each entry: what
earlier cells did, the cell, the names of its parameters. Labelled by reading the cells, not by running the rules:
a parameter is what one would change to get another result. Results, data, paths of plots, titles, printing,
state and the shape of figures are none.
"""

CELLS: list[tuple[str, str, str, str]] = [
    # scikit-learn
    (
        "split and forest",
        "X, y = data()",
        """
from sklearn.ensemble import RandomForestClassifier
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=42)
clf = RandomForestClassifier(n_estimators=200, max_depth=8, n_jobs=-1)
clf.fit(X_train, y_train)
print(f"accuracy {clf.score(X_test, y_test):.3f}")
""",
        "train_test_split.test_size train_test_split.random_state RandomForestClassifier.n_estimators "
        "RandomForestClassifier.max_depth RandomForestClassifier.n_jobs",
    ),
    (
        "pipeline",
        "X, y = data()",
        """
pipe = Pipeline([("scale", StandardScaler()), ("svc", SVC(C=10, gamma="scale", kernel="rbf"))])
pipe.fit(X, y)
score = pipe.score(X, y)
""",
        "SVC.C SVC.gamma SVC.kernel",
    ),
    (
        "grid search",
        "X, y = data()",
        """
param_grid = {"C": [0.1, 1, 10], "gamma": [0.01, 0.1]}
search = GridSearchCV(SVC(), param_grid, cv=5, scoring="accuracy")
search.fit(X, y)
print(search.best_params_)
best = search.best_score_
""",
        "param_grid.C param_grid.gamma GridSearchCV.cv GridSearchCV.scoring",
    ),
    (
        "cross validation",
        "X, y = data()\nclf = Thing()",
        """
n_splits = 5
cv = StratifiedKFold(n_splits=n_splits, shuffle=True, random_state=0)
scores = []
for train, test in cv.split(X, y):
    clf.fit(X[train], y[train])
    scores.append(clf.score(X[test], y[test]))
mean = sum(scores) / max(len(scores), 1)
""",
        "n_splits StratifiedKFold.shuffle StratifiedKFold.random_state",
    ),
    (
        "k-means elbow",
        "X = data()",
        """
inertias = []
for k in range(2, 10):
    km = KMeans(n_clusters=k, n_init=10, random_state=1).fit(X)
    inertias.append(km.inertia_)
plt.plot(range(2, 10), inertias, marker="o")
plt.xlabel("k")
""",
        "KMeans.n_init KMeans.random_state",
    ),
    (
        "make blobs",
        "",
        """
n_samples, n_features, centers = 500, 2, 4
X, y = make_blobs(n_samples=n_samples, n_features=n_features, centers=centers, cluster_std=0.6)
fig, ax = plt.subplots(figsize=(6, 4))
ax.scatter(X[:, 0], X[:, 1], c=y, s=20, alpha=0.5)
""",
        "n_samples n_features centers make_blobs.cluster_std",
    ),
    (
        "column transformer",
        "df = data()",
        """
numeric = ["age", "fare"]
categorical = ["sex", "class"]
pre = ColumnTransformer([
    ("num", SimpleImputer(strategy="median"), numeric),
    ("cat", OneHotEncoder(handle_unknown="ignore"), categorical),
])
model = make_pipeline(pre, LogisticRegression(max_iter=1000, C=0.5))
model.fit(df[numeric + categorical], df["survived"])
""",
        "numeric categorical SimpleImputer.strategy OneHotEncoder.handle_unknown LogisticRegression.max_iter "
        "LogisticRegression.C",
    ),
    (
        "confusion matrix plot",
        "clf = Thing()\nX, y = data()",
        """
pred = clf.predict(X)
cm = confusion_matrix(y, pred)
disp = ConfusionMatrixDisplay(cm).plot(cmap="Blues")
plt.title("Test set")
plt.show()
""",
        "",
    ),
    (
        "ridge with alpha of before",
        "alpha = 0.3\nX, y = data()",
        """
model = Ridge(alpha=alpha, solver="lsqr")
model.fit(X, y)
""",
        "alpha Ridge.solver",
    ),
    (
        "gradient boosting dict",
        "X, y = data()",
        """
params = {"n_estimators": 500, "max_depth": 4, "learning_rate": 0.01, "loss": "squared_error"}
reg = ensemble.GradientBoostingRegressor(**params)
reg.fit(X, y)
mse = mean_squared_error(y, reg.predict(X))
""",
        "params.n_estimators params.max_depth params.learning_rate params.loss",
    ),
    # PyTorch
    (
        "classic training loop",
        "train_loader = data()\nmodel = Thing()",
        """
learning_rate = 1e-3
batch_size = 64
epochs = 5
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)
for epoch in range(epochs):
    running_loss = 0.0
    for step, (xb, yb) in enumerate(train_loader):
        pred = model(xb)
        loss = loss_fn(pred, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    print(f"epoch {epoch}: {running_loss}")
""",
        "learning_rate batch_size epochs SGD.momentum",
    ),
    (
        "module definition",
        "",
        """
class Net(nn.Module):
    def __init__(self, hidden=128, dropout=0.2):
        self.fc1 = nn.Linear(784, hidden)
        self.drop = nn.Dropout(dropout)
    def forward(self, x):
        return self.drop(self.fc1(x))
device = "cuda" if torch.cuda.is_available() else "cpu"
model = Net(hidden=256)
""",
        "device Net.hidden",
    ),
    (
        "data loaders",
        "train_set = test_set = data()",
        """
train_loader = DataLoader(train_set, batch_size=128, shuffle=True, num_workers=2)
test_loader = DataLoader(test_set, batch_size=1000)
""",
        "DataLoader.batch_size DataLoader.shuffle DataLoader.num_workers DataLoader2.batch_size",
    ),
    (
        "conv net",
        "",
        """
model = nn.Sequential(
    nn.Conv2d(1, 16, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 14 * 14, 10),
)
""",
        "Conv2d.kernel_size Conv2d.padding",
    ),
    (
        "scheduler",
        "model = Thing()\nlr = 0.1",
        """
opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.05)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=50, eta_min=1e-5)
best_acc = 0.0
for epoch in range(50):
    train_one_epoch(model, opt)
    sched.step()
    acc = evaluate(model)
    best_acc = max(best_acc, acc)
""",
        "lr AdamW.weight_decay CosineAnnealingLR.T_max CosineAnnealingLR.eta_min",
    ),
    (
        "dataclass config",
        "",
        """
from dataclasses import dataclass
@dataclass
class Config:
    lr: float = 3e-4
    layers: int = 4
    dropout: float = 0.1
cfg = Config(layers=6)
model = GPT(cfg)
""",
        "cfg.lr cfg.layers cfg.dropout",
    ),
    (
        "seeds",
        "",
        """
SEED = 1234
torch.manual_seed(SEED)
np.random.seed(SEED)
""",
        "SEED",
    ),
    (
        "lstm",
        "vocab = ['a', 'b', 'c']",
        """
embedding_dim, hidden_dim = 100, 256
vocab_size = len(vocab)
model = LSTMTagger(vocab_size, embedding_dim, hidden_dim, bidirectional=True)
optimizer = optim.Adam(model.parameters(), lr=0.01)
""",
        "embedding_dim hidden_dim vocab_size LSTMTagger.bidirectional Adam.lr",
    ),
    (
        "evaluation",
        "model = Thing()\nloader = data()",
        """
correct = 0
total = 0
with torch.no_grad():
    for x, y in loader:
        out = model(x)
        total += 1
        correct += int(bool(out))
accuracy = correct / max(total, 1)
print("Accuracy:", accuracy)
""",
        "",
    ),
    (
        "lightning",
        "",
        """
trainer = pl.Trainer(max_epochs=10, accelerator="gpu", devices=1, precision="16-mixed", gradient_clip_val=1.0)
module = LitModel(lr=1e-3, hidden=64)
trainer.fit(module)
""",
        "Trainer.max_epochs Trainer.accelerator Trainer.devices Trainer.precision Trainer.gradient_clip_val "
        "LitModel.lr LitModel.hidden",
    ),
    (
        "gan",
        "",
        """
latent_dim = 100
lr = 0.0002
b1, b2 = 0.5, 0.999
optimizer_G = torch.optim.Adam(generator.parameters(), lr=lr, betas=(b1, b2))
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=(b1, b2))
""",
        "latent_dim lr b1 b2",
    ),
    # Keras
    (
        "sequential and compile",
        "x_train = y_train = data()",
        """
model = keras.Sequential([
    layers.Dense(128, activation="relu"),
    layers.Dropout(0.5),
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=15, batch_size=128, validation_split=0.1, verbose=0)
""",
        "Dense.activation Dense2.activation compile.optimizer compile.loss compile.metrics fit.epochs fit.batch_size "
        "fit.validation_split",
    ),
    (
        "functional api",
        "",
        """
num_classes = 10
input_shape = (28, 28, 1)
inputs = keras.Input(shape=input_shape)
x = layers.Conv2D(32, kernel_size=(3, 3), activation="relu")(inputs)
x = layers.MaxPooling2D(pool_size=(2, 2))(x)
outputs = layers.Dense(num_classes, activation="softmax")(layers.Flatten()(x))
model = keras.Model(inputs, outputs)
""",
        "num_classes input_shape Conv2D.kernel_size Conv2D.activation MaxPooling2D.pool_size Dense.activation",
    ),
    (
        "callbacks",
        "model = Thing()\nx = y = data()",
        """
early = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
history = model.fit(x, y, epochs=100, callbacks=[early])
""",
        "EarlyStopping.monitor EarlyStopping.patience EarlyStopping.restore_best_weights fit.epochs",
    ),
    (
        "history plot",
        "history = Thing()",
        """
acc = history.history["accuracy"]
val_acc = history.history["val_accuracy"]
epochs = range(1, 16)
plt.figure(figsize=(8, 4))
plt.plot(epochs, acc, label="training", color="b")
plt.legend(loc="upper right")
""",
        "",
    ),
    (
        "constants in capitals",
        "",
        """
IMG_SIZE = 224
BATCH_SIZE = 32
AUTOTUNE = tf.data.AUTOTUNE
MODEL_NAME = "efficientnet-b0"
FINE_TUNE_AT = 100
""",
        "IMG_SIZE BATCH_SIZE MODEL_NAME FINE_TUNE_AT",
    ),
    # boosting
    (
        "xgboost native",
        "dtrain = dtest = data()",
        """
params = {"objective": "binary:logistic", "eta": 0.1, "max_depth": 6, "eval_metric": "auc"}
num_round = 100
bst = xgb.train(params, dtrain, num_round, evals=[(dtest, "test")], early_stopping_rounds=10)
preds = bst.predict(dtest)
""",
        "params.objective params.eta params.max_depth params.eval_metric num_round train.early_stopping_rounds",
    ),
    (
        "xgboost sklearn",
        "X = y = data()",
        """
clf = xgb.XGBClassifier(n_estimators=300, learning_rate=0.05, subsample=0.8, tree_method="hist")
clf.fit(X, y, eval_set=[(X, y)], verbose=False)
""",
        "XGBClassifier.n_estimators XGBClassifier.learning_rate XGBClassifier.subsample XGBClassifier.tree_method",
    ),
    (
        "lightgbm",
        "train_set = data()",
        """
params = dict(objective="regression", metric="rmse", num_leaves=31, learning_rate=0.05, feature_fraction=0.9)
gbm = lgb.train(params, train_set, num_boost_round=200)
""",
        "params.objective params.metric params.num_leaves params.learning_rate params.feature_fraction "
        "train.num_boost_round",
    ),
    (
        "optuna",
        "X = y = data()",
        """
def objective(trial):
    depth = trial.suggest_int("depth", 2, 8)
    model = RandomForestRegressor(max_depth=depth, n_estimators=100)
    return cross_val_score(model, X, y).mean()
n_trials = 20
study = optuna.create_study(direction="minimize")
study.optimize(objective, n_trials=n_trials)
""",
        "RandomForestRegressor.n_estimators n_trials create_study.direction",
    ),
    # Hugging Face and LLM clients
    (
        "training arguments",
        "",
        """
args = TrainingArguments(
    output_dir="out",
    learning_rate=2e-5,
    per_device_train_batch_size=16,
    num_train_epochs=3,
    weight_decay=0.01,
    fp16=True,
)
""",
        "TrainingArguments.output_dir TrainingArguments.learning_rate TrainingArguments.per_device_train_batch_size "
        "TrainingArguments.num_train_epochs TrainingArguments.weight_decay TrainingArguments.fp16",
    ),
    (
        "tokenize",
        "dataset = data()",
        """
checkpoint = "distilbert-base-uncased"
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
max_length = 256
def tokenize(batch):
    return tokenizer(batch["text"], truncation=True, max_length=max_length)
encoded = dataset.map(tokenize, batched=True)
""",
        "checkpoint max_length map.batched",
    ),
    (
        "generate",
        "model = tokenizer = Thing()",
        """
prompt = "Once upon a time"
inputs = tokenizer(prompt)
output = model.generate(inputs, max_new_tokens=50, do_sample=True, temperature=0.7, top_p=0.9)
print(tokenizer.decode(output))
""",
        "prompt generate.max_new_tokens generate.do_sample generate.temperature generate.top_p",
    ),
    (
        "lora",
        "model = Thing()",
        """
config = LoraConfig(r=8, lora_alpha=32, target_modules=["q", "v"], lora_dropout=0.05, bias="none")
model = get_peft_model(model, config)
""",
        "LoraConfig.r LoraConfig.lora_alpha LoraConfig.target_modules LoraConfig.lora_dropout LoraConfig.bias",
    ),
    (
        "chat completion",
        "client = Thing()\nquestion = 'why?'",
        """
response = client.chat.completions.create(
    model="small-model",
    temperature=0.2,
    max_tokens=300,
    messages=[{"role": "user", "content": question}],
)
print(response.choices[0].message.content)
""",
        "question create.model create.temperature create.max_tokens",
    ),
    (
        "prompt template",
        "llm = Thing()",
        """
template = "Answer briefly: {question}"
k = 4
retriever = store.as_retriever(search_kwargs={"k": k})
chain = RetrievalQA(llm=llm, retriever=retriever, chain_type="stuff")
answer = chain.invoke("What is a trail?")
""",
        "template k RetrievalQA.chain_type",
    ),
    (
        "pipeline of transformers",
        "",
        """
classifier = pipeline("sentiment-analysis", model="tiny-sst2", device=0)
result = classifier("I love this")
""",
        "pipeline.model pipeline.device",
    ),
    # pandas, statsmodels, NumPy, SciPy
    (
        "load and clean",
        "",
        """
df = pd.read_csv("train.csv", parse_dates=["date"])
df = df.dropna(subset=["price"])
df["log_price"] = np.log(df["price"])
df.head(10)
""",
        "",
    ),
    (
        "group by",
        "df = data()",
        """
top_n = 10
by_city = df.groupby("city")["sales"].sum().sort_values(ascending=False).head(top_n)
by_city.plot(kind="bar", figsize=(10, 4), title="Top cities")
""",
        "top_n",
    ),
    (
        "thresholds",
        "df = data()",
        """
threshold = 0.8
window = 7
smooth = df["y"].rolling(window=window, min_periods=1).mean()
outliers = df[df["score"] > threshold]
n_outliers = len(outliers)
print(n_outliers)
""",
        "threshold window",
    ),
    (
        "arima",
        "series = data()",
        """
order = (1, 1, 1)
model = ARIMA(series, order=order)
result = model.fit()
forecast = result.forecast(steps=12)
aic = result.aic
""",
        "order",
    ),
    (
        "ols formula",
        "df = data()",
        """
formula = "wage ~ education + experience"
res = smf.ols(formula, data=df).fit(cov_type="HC3")
print(res.summary())
""",
        "formula fit.cov_type",
    ),
    (
        "simulation",
        "",
        """
n_paths, n_steps = 1000, 252
mu, sigma, S0 = 0.05, 0.2, 100.0
dt = 1 / 252
rng = np.random.default_rng(seed=7)
steps = rng.normal(mu * dt, sigma, size=(n_paths, n_steps))
final = S0 * np.exp(steps)
price = final.mean()
""",
        "n_paths n_steps mu sigma S0 dt default_rng.seed",
    ),
    (
        "curve fit",
        "x = y = data()",
        """
def model(x, a, b):
    return a * np.exp(-b * x)
p0 = [1.0, 0.1]
popt, pcov = curve_fit(model, x, y, p0=p0, maxfev=5000)
a_hat, b_hat = 2.5, 0.1
""",
        "p0 curve_fit.maxfev a_hat b_hat",
    ),
    (
        "bootstrap",
        "values = data()",
        """
n_boot = 2_000
alpha = 0.05
means = [np.mean(values) for _ in range(5)]
lo, hi = np.quantile(means, [alpha / 2, 1 - alpha / 2])
""",
        "n_boot alpha",
    ),
    # JAX, RL, config objects, scripts in a cell
    (
        "jax",
        "",
        """
key = jax.random.PRNGKey(0)
hidden_sizes = [128, 64]
step_size = 0.01
num_epochs = 10
params = init_params(hidden_sizes, key)
opt = optax.adam(learning_rate=step_size)
state = opt.init(params)
""",
        "hidden_sizes step_size num_epochs",
    ),
    (
        "q-learning",
        "",
        """
env = gym.make("FrozenLake-v1", is_slippery=False)
alpha, gamma, epsilon = 0.1, 0.99, 1.0
n_episodes = 3
rewards = []
for episode in range(n_episodes):
    state, total_reward, done = env.reset(), 0, False
    epsilon *= 0.99
    rewards.append(total_reward)
""",
        "make.is_slippery alpha gamma n_episodes",
    ),
    (
        "ppo",
        "env = Thing()",
        """
model = PPO("MlpPolicy", env, learning_rate=3e-4, n_steps=2048, ent_coef=0.01, verbose=0)
model.learn(total_timesteps=10_000)
""",
        "PPO.learning_rate PPO.n_steps PPO.ent_coef learn.total_timesteps",
    ),
    (
        "namespace",
        "",
        """
from types import SimpleNamespace
args = SimpleNamespace(lr=0.1, epochs=20, data="cifar10")
run_training(args)
""",
        "args.lr args.epochs args.data",
    ),
    (
        "argparse",
        "",
        """
import argparse
parser = argparse.ArgumentParser(description="train a net")
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--layers", type=int, default=3)
args = parser.parse_args([])
""",
        "args.lr args.layers",
    ),
    (
        "nested config",
        "",
        """
config = {
    "model": {"depth": 12, "heads": 8},
    "optim": {"name": "adamw", "lr": 1e-4},
    "epochs": 30,
}
net = build(config["model"])
""",
        "config.model.depth config.model.heads config.optim.name config.optim.lr config.epochs",
    ),
    (
        "config of before",
        "cfg = {'lr': 0.1, 'bs': 32}\nmodel = Thing()",
        """
opt = Adam(model.parameters(), lr=cfg["lr"])
loader = DataLoader(data(), batch_size=cfg["bs"])
""",
        "cfg.lr cfg.bs",
    ),
    (
        "questions of before are data",
        "answers = {'Who wrote Faust?': 'Goethe', 'Largest planet?': 'Jupiter'}\nk = 2",
        """
right = sum(ask(question, k) == answer for question, answer in answers.items())
""",
        "k",
    ),
    (
        "conditional",
        "debug = False",
        """
epochs = 2 if debug else 50
lr = 1e-4 if epochs > 10 else 1e-3
trainer = Trainer(epochs=epochs, lr=lr)
""",
        "debug epochs lr",
    ),
    (
        "notebook function",
        "def train(n, lr=0.1, momentum=0.9):\n    return n * lr",
        """
final_loss = train(10, lr=0.05, momentum=0.8)
print(final_loss)
""",
        "train.lr train.momentum",
    ),
    (
        "flags and paths",
        "",
        """
use_amp = True
data_dir = "data/cifar"
resume_from = None
log_every = 50
""",
        "use_amp data_dir resume_from log_every",
    ),
    (
        "timing",
        "def work():\n    return 3",
        """
import time
start = time.perf_counter()
result = work()
elapsed = time.perf_counter() - start
print(f"{elapsed:.2f}s")
""",
        "",
    ),
    (
        "counting",
        "items = ['a', 'b', 'a']",
        """
counts = {}
for item in items:
    counts[item] = counts.get(item, 0) + 1
most = max(counts.values())
total = sum(counts.values())
""",
        "",
    ),
    (
        "images",
        "images = data()",
        """
mean, std = 0.1307, 0.3081
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((mean,), (std,))])
augment = transforms.RandomResizedCrop(224, scale=(0.8, 1.0))
plt.imshow(images[0], cmap="gray")
plt.axis("off")
""",
        "mean std RandomResizedCrop.scale",
    ),
    (
        "early state",
        "model = Thing()",
        """
patience = 5
best_loss = float("inf")
wait = 0
history = []
for epoch in range(3):
    val_loss = evaluate_loss(epoch)
    if val_loss < best_loss:
        best_loss = val_loss
        wait = 0
    else:
        wait += 1
""",
        "patience",
    ),
]
