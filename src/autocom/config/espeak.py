"""A small program: speaks texts into WAV files with the espeak-ng library of a wheel.

Run as `python -m autocom.config.espeak`: reads one JSON object a line (`text`, `language`,
`out`) and answers each with one (`error`: null or words). In a process of its own, since the
library keeps global state and a crash in it must not be ours. Must not know what the texts are
for. The story goes on in `say`.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import sys
import wave
from typing import Any, Final, cast

_RETRIEVAL: Final = 1  # AUDIO_OUTPUT_RETRIEVAL: samples come to the callback, no sound card is opened
_DO_NOT_EXIT: Final = 0x8000  # espeakINITIALIZE_DONT_EXIT: say an error instead of exit(1)
_UTF8: Final = 1
_BY_CHARACTER: Final = 1
_RATE: Final = 1  # espeakRATE
_WORDS_PER_MINUTE: Final = 155  # the library's 175 is fast on a telephone

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voice:
    """The library, initialised once."""

    def __init__(self) -> None:
        loader: Any = importlib.import_module("espeakng_loader")
        self._library: Any = ctypes.CDLL(loader.get_library_path())
        path = str(loader.get_data_path()).encode()
        self.rate: int = self._library.espeak_Initialize(_RETRIEVAL, 0, path, _DO_NOT_EXIT)
        if self.rate <= 0:
            raise OSError("espeak-ng finds no voices")
        self._samples = bytearray()
        # kept as an attribute: the library calls it for as long as it lives
        self._callback = _Callback(self._take)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, language: str) -> bytes:
        """Signed 16-bit samples at `rate`."""
        self._samples.clear()
        if self._library.espeak_SetVoiceByName(language.encode()) != 0:
            raise OSError(f"espeak-ng has no voice for {language}")
        self._library.espeak_SetParameter(_RATE, _WORDS_PER_MINUTE, 0)
        raw = text.encode() + b"\0"
        if self._library.espeak_Synth(raw, len(raw), 0, _BY_CHARACTER, 0, _UTF8, None, None) != 0:
            raise OSError("espeak-ng could not speak the text")
        self._library.espeak_Synchronize()
        return bytes(self._samples)

    def _take(self, samples: object, count: int, _events: object) -> int:
        if samples and count > 0:
            self._samples += ctypes.string_at(cast("Any", samples), count * 2)
        return 0


def main() -> None:
    """Answer every line."""
    voice = Voice()
    for line in sys.stdin:
        wanted = json.loads(line)
        error: str | None = None
        try:
            samples = voice.speak(wanted["text"], wanted["language"])
            with wave.open(wanted["out"], "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(voice.rate)
                out.writeframes(samples)
        except OSError as failure:
            error = str(failure)
        sys.stdout.write(json.dumps({"error": error}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
