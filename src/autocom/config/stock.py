"""The house's own sounds: stock prompts, stock music, and the clients' names as whispers.

Prompts that no client configures and no installation lacks are demanded; every other file among
the stock sounds of the language is loaded too, by its name. Must not know rules. Invariant: what
is missing is a fault, never a silence at run time. The story goes on in `load`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from autocom.config.faults import Place
from autocom.config.phrases import phrases
from autocom.config.sounds import STOCK_MUSIC, AudioRefused
from autocom.config.wording import told, words_of
from autocom.core.model import Audio, Client, Enqueue, Forward, Music, OnCall, Step, StockSounds
from autocom.core.reach import all_steps

if TYPE_CHECKING:
    from autocom.config.faults import Fault
    from autocom.config.scene import Scene

# `Loaded.prompts` has every other stock one too
PROMPTS: Final = (
    "nobody", "closed", "please-wait", "unknown", "logged-in", "logged-out", "paused", "resumed", "refused",
)  # fmt: skip


def stock_sounds(scene: Scene, faults: list[Fault]) -> tuple[StockSounds | None, dict[str, Audio]]:
    """The house's sounds, and every stock prompt by its name; what is missing is added to `faults`."""
    place = Place(str(scene.shelf.finder.stock_sounds))
    prompts: dict[str, Audio] = {}
    for name in (*PROMPTS, *_more_prompts(scene)):
        try:
            prompts[name] = scene.shelf.sound(name, scene.language)
        except AudioRefused as error:
            faults.append(place.fault(told("stock prompt: {why}", why=words_of(error))))
    try:
        music = scene.shelf.music(STOCK_MUSIC, scene.language)
    except AudioRefused as error:
        faults.append(place.fault(told("stock music: {why}", why=words_of(error))))
        return None, prompts
    if not prompts.keys() >= set(PROMPTS):
        return None, prompts
    named = (prompts["nobody"], prompts["closed"], prompts["please-wait"], prompts["unknown"])
    stock = StockSounds(
        *named,
        music=music,
        in_progress=prompts.get("message-in-progress"),
        comfort=prompts.get("comfort"),
        no_answer=prompts.get("no-answer"),
        still_trying=prompts.get("still-trying"),
        voicemail=prompts.get("voicemail"),
        voicemail_saved=prompts.get("voicemail-saved"),
        beep=prompts.get("beep"),
        callback_promised=prompts.get("callback-promised"),
        callback_hold=prompts.get("callback-hold"),
        callback_refused=prompts.get("callback-refused"),
        refusals=_refusals(prompts),
        notices=_family(prompts, "notice-"),
        phrases=phrases(
            scene, lambda error: faults.append(place.fault(told("stock prompt: {why}", why=words_of(error))))
        ),
    )
    return stock, prompts


def _refusals(prompts: Mapping[str, Audio]) -> dict[str, Audio]:
    """By the word of why; `other` for words without a sentence of their own."""
    found = _family(prompts, "refused-")
    same = {"emergency": "emergency-refused", "other": "refused", "satellite": "refused-international"}
    for why, name in same.items():
        if name in prompts:
            found[why] = prompts[name]
    return found


def _family(prompts: Mapping[str, Audio], prefix: str) -> dict[str, Audio]:
    """The prompts whose names begin so, by the word that follows: `refused-no-line` is `no_line`."""
    return {
        name.removeprefix(prefix).replace("-", "_"): audio
        for name, audio in prompts.items()
        if name.startswith(prefix)
    }


def all_music(clients: Mapping[str, Client], stock: StockSounds) -> dict[str, Music]:
    """Every music by its class of Asterisk."""
    found = {stock.music.moh_class: stock.music}

    for client in clients.values():
        if client.hold_music is not None:
            found[client.hold_music.moh_class] = client.hold_music
        for step in all_steps(client):
            music = _music_of(step)
            if music is not None:
                found[music.moh_class] = music
    return dict(sorted(found.items()))


def _music_of(step: Step) -> Music | None:
    match step:
        case Enqueue():
            return step.music
        case Forward() | OnCall():
            return step.wait_music
        case _:
            return None


def _more_prompts(scene: Scene) -> list[str]:
    known = scene.shelf.finder.stock_names(scene.language)
    return [name for name in known if name not in PROMPTS]
