"""What the names of metrics and params say: a direction, a split, a seed, or that a series tells of the machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celltrail.contract import Goal

_LESS_IS_BETTER = re.compile(
    r"loss|nll|perplexity|ppl|error|err|mae|mse|rmse|mape|wer|cer|latency|cost|energy|regret|brier|ece"
)
_MORE_IS_BETTER = re.compile(
    r"acc|accuracy|auc|auroc|ap|map|f1|r2|bleu|chrf|rouge[0-9l]*|em|match|reward|return|score|precision|recall|iou|dice|"
    r"throughput|ndcg|mrr|elbo|correct"
)
_SPLIT = r"(?:train(?:ing)?|val(?:id(?:ation)?)?|test|eval|dev)\d*"
_BEFORE = re.compile(rf"({_SPLIT})[/_.](?P<plot>.+)", re.IGNORECASE)
_AFTER = re.compile(rf"(?P<plot>.+)/({_SPLIT})", re.IGNORECASE)
_SPELLED = {"training": "train", "valid": "val", "validation": "val"}

MACHINE = "sys/"  # series so named tell of the machine, not of what is trained


def goal_of(metric: str) -> Goal:
    """The direction a metric is better in, by the field's own names; "none" when the name does not say.

    The words of the last segment count, from the right, so a prefix such as ``val_`` does not matter.

    >>> goal_of("train/loss"), goal_of("val_acc"), goal_of("lr"), goal_of("val/top5_accuracy")
    ('min', 'max', 'none', 'max')
    """
    words = re.split(r"[^a-z0-9]+", metric.rsplit("/", 1)[-1].lower())
    for word in reversed(words):
        if _LESS_IS_BETTER.fullmatch(word):
            return "min"
        if _MORE_IS_BETTER.fullmatch(word):
            return "max"
    return "none"


_SEED = re.compile(r"(.*[._/ ])?(seeds?|random_states?|random_seed|rng_seed)|(seed|rng)_.*", re.IGNORECASE)


def is_seed(param: str) -> bool:
    """Whether a parameter is the seed of something, by its name.

    >>> is_seed("model.random_state"), is_seed("seed_torch"), is_seed("seedling")
    (True, True, False)
    """
    return _SEED.fullmatch(param) is not None


def is_of_machine(metric: str) -> bool:
    """Whether a series tells of the machine: no table, comparison or history is about it unless asked for.

    >>> is_of_machine("sys/rss"), is_of_machine("train/loss")
    (True, False)
    """
    return metric.startswith(MACHINE)


def parts_of(metric: str) -> tuple[str, str]:
    """The plot a metric is drawn in, which its splits share, and its split; as in ``js/src/ui/names.ts``.

    >>> parts_of("val/loss"), parts_of("val_loss"), parts_of("loss"), parts_of("sys/gpu0")
    (('loss', 'val'), ('loss', 'val'), ('loss', ''), ('sys/gpu0', ''))
    """
    if found := _BEFORE.fullmatch(metric):
        return found["plot"], found[1]
    if found := _AFTER.fullmatch(metric):
        return found["plot"], found[2]
    return metric, ""


def split_of(metric: str) -> str:
    """What a metric was measured on, in one spelling; "" where its name does not say.

    >>> split_of("val/acc"), split_of("valid_loss"), split_of("training/loss"), split_of("critic/loss")
    ('val', 'val', 'train', '')
    """
    split = parts_of(metric)[1].lower()
    return _SPELLED.get(split, split)
