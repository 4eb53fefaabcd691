"""The `%%track` line, the transformer, and redaction: pure functions of text."""

from __future__ import annotations

import pytest

from celltrail.capture import transform
from celltrail.capture.arguments import expand, parse, usage
from celltrail.capture.redact import MARK, Redactor, is_secret_name
from celltrail.errors import BadValue


def test_every_option_is_understood() -> None:
    """All options of one line arrive where they belong."""
    found = parse(
        "'my run' -p proj -t a b --tag c --note 'why not' --group g --watch loss,acc self.loss --param n cfg.lr "
        "--no-param x --params off --seed 7 --if-same skip --no-chart --no-output --max-output 500kB"
    )
    assert (found.name, found.project, found.tags, found.note, found.group) == (
        "my run", "proj", ("a", "b", "c"), "why not", "g",
    )  # fmt: skip
    assert (found.watch, found.param, found.no_param) == (("loss", "acc", "self.loss"), ("n", "cfg.lr"), ("x",))
    assert (found.params, found.seed, found.chart, found.output, found.max_output) == (False, 7, False, False, 500_000)
    assert (found.if_same, parse("").if_same) == ("skip", "notice")
    assert parse("") == parse("  ")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--wacth loss", "no option '--wacth'; did you mean '--watch'?"),
        ("-x", "no option '-x'"),
        ("--every never", "'never' is not how often; write 10 for each 10th value, 0.5s for two a second"),
        ("--every 0", "'0' is not how often"),
        ("--budget 5", "'5' is not a budget; write 1% of the cell's time, or 20ms in all"),
        ("--budget 0%", "'0%' is not a budget"),
        ("--budget 300%", "'300%' is more than the cell's time; write at most 100%"),
        ("--budget -1ms", "expected one argument"),
        ("--parse-output", "--parse-output is planned and does nothing yet"),
        ("--if-same skp", "'skp' is none of notice, skip, stop and off; did you mean 'skip'?"),
        ("a b", "takes one name, but got 'b' too; put a name with spaces in quotes"),
        ("--seed -3", "'-3' is not a seed; a seed is a whole number from 0 to 2**32 - 1"),
        ("--seed x", "'x' is not a seed"),
        ("--watch train/loss", "'train/loss' is not a variable; write names such as loss or self.loss"),
        ("--watch", "expected at least one argument"),
        ("--watch loss --no-watch", "--watch and --no-watch exclude each other"),
        ("--max-output much", "'much' is not a size; write it as 500kB or 2MB"),
        ("--max-output -1MB", "expected one argument"),
        ("--max-output 0", "'0' is too little; write 1kB or more, or --no-output to keep nothing"),
        ("--max-output 2 MB", "'2' is too little; write 1kB or more"),
        ("'open", "no closing quotation"),
        ("name \\", "no escaped character"),
    ],
)
def test_wrong_words_get_a_sentence(line: str, sentence: str) -> None:
    """A refusal says what was wrong with the value and what is allowed."""
    with pytest.raises(BadValue) as caught:
        parse(line)
    assert str(caught.value).startswith("%%track: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2MB", 2_000_000),
        ("500kB", 500_000),
        ("1.5GiB", 1_610_612_736),
        ("4096", 4096),
        ("'1 mb'", 10**6),
        ("1K", 1000),
    ],
)
def test_sizes_are_written_as_everywhere(text: str, size: int) -> None:
    """``--max-output`` reads what ``celltrail gc --budget`` reads."""
    assert parse(f"--max-output {text}").max_output == size


def test_the_help_names_every_option_that_works_and_no_other() -> None:
    """What the help lists is what the parser takes."""
    for option in ("--watch", "--resume", "--fork", "--seed", "--no-chart", "--max-output", "--sweep", "--off"):
        assert option in usage()
    assert "--parse-output" not in usage()


def test_texts_are_filled_from_variables() -> None:
    """$name and {expression} come from the namespace, format included; what fails stays as typed."""
    line = parse("lr-$lr -t '{n + 1}' '{lr:.0e}' '$nothing' '{1/0}' --note '{names[0]}'")
    found = expand(line, {"lr": 0.1, "n": 2, "names": ["x"]})
    assert (found.name, found.tags, found.note) == ("lr-0.1", ("3", "1e-01", "$nothing", "{1/0}"), "x")


CELLS = {
    "%%track a\nx = 1": "# %%track a\nx = 1",
    "\n  %%track\n  x = 1": "\n  # %%track\n  x = 1",
    "%%scratch\nx": "# %%scratch\nx",
    "%%track\n%%time\nx": "%%time\nx",
    "%%track\n\n%%time\nx": "\n%%time\nx",
    "%%time\n%%track\nx": "%%time\n# %%track\nx",
    "%%time\n%%capture\n%%track\nx": "%%time\n%%capture\n# %%track\nx",
    "%%track\n%%bash\nls": "%%bash\nls",
    "%%sql\n%%track\nselect 1": "%%sql\nselect 1",
    "%%time\n%%sql\n%%track\nselect 1": "%%time\n%%sql\nselect 1",
    "%%track\n%%sql\nselect 1": "%%sql\nselect 1",
    "%%writefile a\n%%track\n": "%%writefile a\n%%track\n",
    "x = 1\n%%track": "x = 1\n%%track",
    "%%tracks\nx": "%%tracks\nx",
    "%%track?": "%%track?",
    "": "",
}


def test_our_line_in_a_text_is_refused_aloud() -> None:
    """HTML and the like would show it, and nothing would be recorded; what a file shall hold is its own matter."""
    for cell in ("%%html\n%%track a\n<b>x</b>", "%%time\n%%latex\n%%track\nx", "%%bash\n%%track\nls"):
        assert "put it above" in "".join(transform.cleanup(cell.splitlines(keepends=True)))
    kept = "%%writefile a.py\n%%track\nx = 1"
    assert "".join(transform.cleanup(kept.splitlines(keepends=True))) == kept


@pytest.mark.parametrize("cell", CELLS)
def test_the_line_becomes_a_comment_in_its_place(cell: str) -> None:
    """The transformer changes the first lines only, the same way each time, and keeps the count of lines."""
    lines = cell.splitlines(keepends=True)
    once = transform.cleanup(list(lines))
    assert "".join(once) == CELLS[cell]
    assert transform.cleanup(list(lines)) == once
    assert lines == cell.splitlines(keepends=True)


@pytest.mark.parametrize(
    "cell",
    [
        "%%track --nope\nx",
        "%%time\n%%track --nope\nx",
        "%%scratch a\nx",
        "%%track\n%%scratch\nx",
        "%%bash\n%%track\nls",
        "%%script sh\n\n%%scratch\nls",
    ],
)
def test_a_bad_line_becomes_one_line_that_raises(cell: str) -> None:
    """Bad arguments never raise in the transformer: a console's completeness check must get its answer."""
    (line,) = transform.cleanup(cell.splitlines(keepends=True))
    assert line.startswith("raise ")
    assert "UsageError" in line
    compile(line, "cell", "exec")
    assert transform.read(cell) is None


SECRETS = [
    'k = "AKIAIOSFODNN7EXAMPLE"',
    "ghp_" + "a1B2" * 9,
    "sk-proj-" + "aB3" * 10,
    "sk-ant-api03-" + "x9Y" * 12,
    "hf_" + "aB3" * 12,
    "xoxb-1234567890-abcdef",
    "AIza" + "b" * 35,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "postgres://user:p4ss@host/db",
    "Authorization: Bearer abcdefghijklmnop1234",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----",
    "openai.api_key = 'abcd-efgh-1234'",
    'OpenAI(api_key="qwertyuiop12")',
    'os.environ["WANDB_API_KEY"] = "0123456789abcdef0123"',
    "password: hunter2hunter",
    '{"password": "hunter22"}',
    "DB_PASSWORD=Tr0ub4dor3xyz python x.py",
    'token: str = "abc1234567"',
    "secretKey = 'abcdef123'",
    "print('the-value-of-the-variable')",
    "self.token='abcd1234'",
    'client_secret="aaaabbbb"',
]
CLEAN = [
    'tokenizer = "bert-base"',
    "max_tokens=256",
    'pad_token = "<pad>"',
    'token = tokenizer("x")',
    'api_key = os.environ["X"]',
    "password = getpass()",
    "api_key=settings.api_key",
    "secret = None",
    "num_tokens: 1024",
    'key = "val/loss"',
    'tokens = "hello world".split()',
    "for token in tokens: x",
    'eos_token="</s>"',
    "token_ids = [1, 2]",
    "f(token=token)",
    "api_key: str",
    'print(f"token: {token}")',
    "https://example.com/a:b",
    'primary_key = "id"',
    "bos_token_id=1",
    'if token == "the": pass',
    "secrets.token_hex(8)",
    "sort_keys=True",
    "loss = 0.25",
    "/home/ada/key_file_path",
    "sk-learn",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_replaced(text: str) -> None:
    """Keys of known shapes, values of secret variables, and what is assigned to a secret's name."""
    clean = Redactor({"SOME_TOKEN": "the-value-of-the-variable", "KEY_FILE": "/home/ada/key_file_path"}).text(text)
    assert MARK in clean
    assert clean.count("\n") == text.count("\n")


@pytest.mark.parametrize("text", CLEAN)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    """Ordinary code and the field's own words are kept as they are."""
    assert Redactor({"KEY_FILE": "/home/ada/key_file_path"}).text(text) == text


def test_parameters_with_a_secrets_name_keep_only_set() -> None:
    """A parameter named like a secret says that it was set, numbers apart."""
    redactor = Redactor({})
    assert redactor.value("api_key", "whatever") == "set"
    assert redactor.value("cfg", {"token": "abc", "lr": 0.1, "n": [1, "x"]}) == {
        "token": "set",
        "lr": 0.1,
        "n": [1, "x"],
    }
    assert redactor.value("max_tokens", 12) == 12
    assert not is_secret_name("pad_token_id")


def test_a_long_text_takes_one_pass() -> None:
    """A megabyte of base64 beside a secret's name is no trap for the patterns."""
    import time

    text = "token " + "Zm9v" * 250_000
    began = time.process_time()
    Redactor({}).text(text)
    assert time.process_time() - began < 2
