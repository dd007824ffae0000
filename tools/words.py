"""The French of what `autocom check` says: `make words`.

Brings the English templates of the source (`told("…")`) into the catalogue, drops those that are gone, and
compiles it for gettext. Names every template that has no French yet; those are written into the .po by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parents[1] / "src" / "autocom" / "config"
CATALOGUE = SOURCE / "locale" / "fr" / "LC_MESSAGES" / "autocom.po"
HEADER = "# The French of `autocom check`. The English templates stand in the source; `make words` brings them here."


def templates() -> set[str]:
    """Every template of the source."""
    found = extract_from_dir(SOURCE, keywords={"told": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


def known() -> dict[str, str]:
    """English to French, as the catalogue has it."""
    with CATALOGUE.open("rb") as source:
        return {m.id: m.string for m in read_po(source) if m.id and isinstance(m.id, str) and m.string}


def main() -> int:
    """Write both files again; 1 where French is missing."""
    french = known()
    catalogue = Catalog("fr", domain="autocom", header_comment=HEADER, fuzzy=False)
    for template in sorted(templates()):
        catalogue.add(
            template, french.get(template, ""), flags={"python-brace-format"} if "{" in template else ()
        )
    with CATALOGUE.open("wb") as out:
        write_po(out, catalogue, width=110, omit_header=False, include_lineno=False)
    text = CATALOGUE.read_text(encoding="utf-8")
    # dates and addresses of the tool would change the file at every run
    kept = [line for line in text.splitlines() if not line.startswith(DROPPED)]
    CATALOGUE.write_text("\n".join(kept) + "\n", encoding="utf-8")
    with CATALOGUE.open("rb") as source, CATALOGUE.with_suffix(".mo").open("wb") as out:
        write_mo(out, read_po(source))
    missing = [m.id for m in catalogue if m.id and not m.string]
    for template in missing:
        print(f"no French yet: {template}", file=sys.stderr)
    return 1 if missing else 0


DROPPED = (
    '"Project-Id-Version', '"Report-Msgid-Bugs-To', '"POT-Creation-Date', '"PO-Revision-Date',
    '"Last-Translator', '"Language-Team', '"Generated-By',
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main())
