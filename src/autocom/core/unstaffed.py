"""Since when nobody has been at work for those who wait: of each team, and of each team's languages and countries.

A part of `floor`, which asks on every fact; `ranking` says what a queue's word is, and how long a caller waits there.
"""

from __future__ import annotations

from autocom.core import ranking
from autocom.core.board import Board
from autocom.core.draft import Draft
from autocom.core.posts import Waiter


def joined(draft: Draft, waiter: Waiter) -> None:
    """He has come into his queue: where nobody is at work for it, that began at the latest with him."""
    board = draft.refresh()
    need = board.filed[waiter.call].need
    if not (need.active if waiter.nobody_paused else need.present):
        # it was empty before he came (his joining is older than this decision by some ms)
        entered = waiter.joined if waiter.entered is None else waiter.entered
        if ranking.lack(waiter) not in board.empty:
            board.empty[ranking.lack(waiter)] = entered
            # not he alone: those who waited before are told of nothing while Asterisk's events are away
            board.touched_waiters.update(need.members)


def note(draft: Draft, board: Board) -> None:
    """Keep since when nobody has been at work for those who wait."""
    while board.touched_needs:
        need = board.touched_needs.pop()
        word = ranking.need(need.kind.teams[0], need.kind.languages, need.kind.countries)
        changed = _note_empty(draft, board, word, empty=bool(need.members) and not need.present)
        awake = _note_empty(draft, board, word + ranking.AWAKE, empty=bool(need.wary) and not need.active)
        if changed or awake:
            board.touched_waiters.update(need.members)
            board.refresh(draft.now)


def _note_empty(draft: Draft, board: Board, word: str, *, empty: bool) -> bool:
    """Whether that is news."""
    if not empty:
        return board.empty.pop(word, None) is not None
    news = word not in board.empty
    board.empty.setdefault(word, draft.now)
    return news
