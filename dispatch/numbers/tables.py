"""Numbers as CSV (RFC 4180), for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from dispatch.numbers.summaries import Judgement, Summary

HEAD: Final = (
    *("group", "interval", "measured", "running", "unmeasured", "p50_s", "p90_s", "p95_s"),
    *("target_priorities", "target_s", "target_percent", "counted", "within_percent", "target"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV Injection)."""


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: what begins like a formula gets an apostrophe before it.

    Blanks before it do not hide it.
    """
    text = text.replace("\x00", "")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def written(groups: Iterable[tuple[str, list[Summary]]]) -> bytes:
    """Groups by title as CSV in UTF-8: a line for each target, or one without any. Times are
    seconds with three decimals; nothing stands where there is nothing.
    """
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(HEAD)
    for title, summaries in groups:
        for summary in summaries:
            judged: Sequence[Judgement | None] = summary.targets or [None]
            for target in judged:
                lines.writerow([harmless(title), *_figures(summary), *_target(target)])
    return out.getvalue().encode("utf-8", "replace")


def _figures(summary: Summary) -> list[object]:
    return [
        summary.interval,
        summary.measured,
        summary.running,
        summary.unmeasured,
        *(_seconds(each) for each in (summary.p50, summary.p90, summary.p95)),
    ]


def _target(target: Judgement | None) -> list[object]:
    if target is None:
        return [""] * 6
    share = _share(target) if target.counted else ""
    word = {None: "", True: "met", False: "missed"}[target.met]
    return [
        " ".join(str(each) for each in target.priorities),
        _seconds(target.limit),
        target.percent,
        target.counted,
        share,
        word,
    ]


def _share(target: Judgement) -> str:
    """How many of a hundred, to a tenth, as the page has it; cut off where rounding would let what
    misses the target read like it.
    """
    cut = 1000 * target.within // target.counted
    rounded = (2000 * target.within + target.counted) // (2 * target.counted)
    tenths = cut if cut < 10 * target.percent <= rounded else rounded
    return f"{tenths // 10}.{tenths % 10}"


def _seconds(milliseconds: int | None) -> str:
    return "" if milliseconds is None else f"{milliseconds / 1_000:.3f}"
