"""Made-up secrets of all common shapes, none of them real, and text that only looks like some."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

WORD, HEX = string.ascii_letters + string.digits, "0123456789abcdef"


def planted(count: int = 200, seed: int = 7) -> Iterator[tuple[str, str]]:
    """Pairs of a secret and a line of Python that holds it, the shapes taken in turn."""
    rng = random.Random(seed)

    def some(size: int, alphabet: str = WORD) -> str:
        return "".join(rng.choices(alphabet, k=size - 1)) + rng.choice(string.digits)

    upper = string.ascii_uppercase + string.digits
    for number in range(count):
        line = _LINES[number % len(_LINES)]
        kind = line[0]
        secret = {
            "aws": lambda: "AKIA" + some(16, upper),
            "aws_secret": lambda: some(40, WORD + "/+"),
            "github": lambda: "ghp_" + some(36),
            "github_fine": lambda: "github_pat_" + some(22) + "_" + some(59),
            "gitlab": lambda: "glpat-" + some(20),
            "openai": lambda: "sk-proj-" + some(48),
            "anthropic": lambda: "sk-ant-api03-" + some(40),
            "hf": lambda: "hf_" + some(34),
            "slack": lambda: "xoxb-" + some(12, string.digits) + "-" + some(24),
            "google": lambda: "AIza" + some(35),
            "jwt": lambda: f"eyJ{some(30)}.eyJ{some(60)}.{some(43)}",
            "stripe": lambda: "sk_live_" + some(24),
            "npm": lambda: "npm_" + some(36),
            "pypi": lambda: "pypi-" + some(60),
            "hex": lambda: some(40, HEX),
            "word": lambda: "Tr0ub4dor" + some(6),
            "uuid": lambda: "-".join(some(size, HEX) for size in (8, 4, 4, 4, 12)),
        }[kind]()
        yield secret, line[1].format(secret=secret, n=number)


_LINES = [
    ("aws", "aws_{n} = '{secret}'"),
    ("aws_secret", "aws_secret_access_key = '{secret}'"),
    ("github", "print('{secret}')"),
    ("github_fine", "headers_{n} = {{'Authorization': 'token {secret}'}}"),
    ("gitlab", "print('cloning with {secret}')"),
    ("openai", "client_{n} = dict(api_key='{secret}')"),
    ("anthropic", "print('key is', '{secret}')"),
    ("hf", "note_{n} = 'login with {secret} first'"),
    ("slack", "slack_{n} = '{secret}'"),
    ("google", "url_{n} = 'https://maps.example/?key={secret}'"),
    ("jwt", "print('Bearer {secret}')"),
    ("stripe", "stripe_{n} = '{secret}'"),
    ("npm", "npmrc_{n} = '//registry.example/:_authToken={secret}'"),
    ("pypi", "upload_{n} = '{secret}'"),
    ("hex", "wandb_api_key_{n} = '{secret}'"),
    ("hex", "import os; os.environ['SERVICE_TOKEN_{n}'] = '{secret}'"),
    ("word", "db_password = '{secret}'"),
    ("word", "dsn_{n} = 'postgresql://ada:{secret}@db.example/main'"),
    ("word", "config_{n} = {{'password': '{secret}', 'lr': 0.1}}"),
    ("uuid", "client_secret = '{secret}'"),
]

# what runs and notebooks hold that is no secret: code, output, tracebacks, configurations
CLEAN = [
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    "epoch 3/10: 100%|##########| 938/938 [00:12<00:00, 76.2it/s, loss=0.312]",
    "max_tokens=512, temperature=0.7, top_p=0.95",
    "{'pad_token': '<pad>', 'eos_token': '</s>', 'vocab_size': 30522}",
    "File <ipython-input-3-0d1f2c3b4a59>, line 2, in train(model, loader)",
    "commit 9f2c1e7a4b8d3f6e5c0a1b2d3e4f5a6b7c8d9e0f",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "model = sk.linear_model.Ridge(alpha=0.5)",
    "key = jax.random.PRNGKey(42)",
    "for key, value in sorted(config.items()): print(key, value)",
    "df = pd.read_csv('https://data.example.org/iris.csv?raw=true')",
    "AssertionError: expected 10 tokens, got 12",
    "token_embeddings = model.embed_tokens(input_ids)",
    "secret_sauce = 0.3",
    "password = getpass.getpass('Password: ')",
    "api_key = os.environ['OPENAI_API_KEY']",
    "run id 01HQ3V6Z9K2M4N5P6Q7R8S9T0V, step 1200",
    "uuid.uuid4() -> 3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "optimizer = AdamW(params, lr=3e-4, betas=(0.9, 0.999), weight_decay=0.01)",
    "ssh://git@github.example/ada/repo.git",
    "http://localhost:8888/lab?reset",
    "tokens per second: 1532.4",
    "The secret of good training is patience.",
    "primary_key: id, foreign_key: user_id",
    "num_attention_heads=12, hidden_act='gelu'",
    "credentials = load_credentials()",
    "monkey = 'banana12345678'",
    "loss: 0.6931 - accuracy: 0.5012 - val_loss: 0.6928",
    "/home/user/.cache/huggingface/hub/models--gpt2/snapshots/607a30d783dfa663caf39e06633721c8d4cfcd7e",
]
