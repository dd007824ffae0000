"""What `check` says, in English or in French.

Every message is an English template with named fields, written where it is needed (`told`); the
French sentences stand in `locale/`, a gettext catalogue. Must not know what the messages are about.
Invariant: a message is a plain English text to whoever does not ask for another language, so it
can be sorted, compared and printed; the fields of a message are translated with it.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Final, Self

LANGUAGES: Final = ("fr", "en")
DOMAIN: Final = "autocom"
CATALOGUES: Final = Path(__file__).parent / "locale"


class Told(str):
    """An English sentence that knows what it was made of."""

    __slots__ = ("fields", "template")
    template: str
    fields: dict[str, object]

    def __new__(cls, template: str, fields: dict[str, object]) -> Self:
        """The sentence; a brace that is meant is written twice in the template."""
        made = super().__new__(cls, template.format_map(fields))
        made.template, made.fields = template, fields
        return made


def told(template: str, /, **fields: object) -> Told:
    """A message of this English template. Its French stands in the catalogue under the same words."""
    return Told(template, fields)


def words_of(error: Exception) -> str:
    """The message that an exception was made with, still translatable."""
    return error.args[0] if error.args and isinstance(error.args[0], str) else str(error)


def translated(message: str, language: str) -> str:
    """The message in `fr` or `en`; as it is where nobody wrote a template for it."""
    if language == "en" or not isinstance(message, Told):
        return message
    fields = {
        name: translated(value, language) if isinstance(value, str) else value
        for name, value in message.fields.items()
    }
    return _catalogue(language).gettext(message.template).format_map(fields)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, CATALOGUES, [language], fallback=True)
