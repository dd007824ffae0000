"""The parking of the bureau: nine slots, the lowest free one first, found again under `*51` to `*59`.

Who is parked is nothing but the calls that stand at `Parked`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from autocom.core.model import Configuration
from autocom.core.posts import Post
from autocom.core.stages import Parked, Waiting
from autocom.core.story import Story

SLOTS = tuple("123456789")
BUTTON = "*5"
"""What her phone's transfer button is given to park the caller."""


def free_slot(stories: Iterable[Story]) -> str | None:
    """The next one, None where all are taken."""
    taken = {story.stage.slot for story in stories if isinstance(story.stage, Parked)}
    return next((slot for slot in SLOTS if slot not in taken), None)


def told_of(place: Waiting, by: str, configuration: Configuration, posts: Iterable[Post]) -> tuple[str, ...]:
    """Who is told that he is parked: she who did it, and whoever of his team is at work."""
    team = place.reaches
    members = {s.id for s in configuration.secretaries.values() if team in s.teams}
    return (by, *(post.secretary for post in posts if post.present and post.secretary in members - {by}))
