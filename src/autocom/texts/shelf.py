"""Attachments in the state folder: looked at, named by their content, erased with the last text that has them.

What a provider calls a file, or says that it is, is never looked at: the bytes decide, and only a short list
of kinds is kept. How a file is written is `autocom.shelf`. Must not know where an attachment came from. Invariant: names are SHA-256 sums in hexadecimal, never anything of a stranger's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

import puremagic

from autocom.core.texts import Attachment
from autocom.shelf import made, write_whole

LARGEST = 5_000_000
"""Bytes of one attachment; networks carry less in an MMS."""

MOST = 10
"""Attachments of one text."""

# what a phone sends in an MMS; nothing that a browser would run
TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".heif": "image/heif",
    ".heic": "image/heif",
    ".mp4": "video/mp4",
    ".3gp": "video/3gpp",
    ".3ga": "video/3gpp",
    ".amr": "audio/amr",
    ".mp3": "audio/mpeg",
    ".vcf": "text/vcard",
    ".pdf": "application/pdf",
}
_SURE = 0.3  # puremagic's figure for two bytes that fit, as those of a JPEG
_NAME = re.compile(r"[0-9a-f]{64}\Z")


class Unwanted(ValueError):  # noqa: N818 - says what is the case
    """Not kept; the message says why."""


def kind_of(content: bytes) -> str:
    """What it is, by its bytes. Raises Unwanted for what is not kept."""
    if not content:
        raise Unwanted("empty")
    if len(content) > LARGEST:
        raise Unwanted(f"larger than {LARGEST} bytes")
    try:
        found = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError) as error:
        raise Unwanted("of no known kind") from error
    likely = sorted((match for match in found if match.confidence >= _SURE), key=lambda m: -m.confidence)
    kinds = [TYPES[match.extension] for match in likely if match.extension in TYPES]
    if not kinds:
        raise Unwanted("of a kind that is not kept")
    return kinds[0]


class AttachmentShelf:
    """The folder. Blocking: call it in a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where it is, or would be. ValueError for what is no name of ours."""
        if not _NAME.match(digest):
            raise ValueError("no attachment is called so")
        return self.folder / digest

    def put(self, content: bytes) -> Attachment:
        """Keep it; it survives a power cut when this returns. Raises Unwanted or OSError."""
        kind = kind_of(content)
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        if not path.exists():
            made(self.folder)
            write_whole(path, (content,))
        else:
            path.touch()  # young again: the sweep spares what is being taken in
        return Attachment(digest, kind, len(content))

    def sweep(self, wanted: Collection[str], older_than: float) -> int:
        """Erase what no text has, unless it came after that instant (its text may not be saved yet)."""
        gone = 0
        for path in self.folder.glob("*"):
            left = path.suffix == ".new" or (_NAME.match(path.name) and path.name not in wanted)
            if left and path.stat().st_mtime < older_than:
                path.unlink(missing_ok=True)
                gone += 1
        return gone
