"""What a secretary's softphone shows of texts, in French or English.

A text of an ordinary client is shown as it is; of a discreet one (health, legal privilege) a notice says that
something came and by which reference to ask for it. Must not know how it is sent. Invariant: nothing of a
discreet client's text, neither a word nor a number, leaves here.
"""

from __future__ import annotations

from collections.abc import Mapping

from autocom.calls.ports import ShownText
from autocom.core.model import Client
from autocom.core.numbers import FRANCE, NumberingPlan, national
from autocom.core.texting import conversation
from autocom.core.texts import Incoming, Outgoing

SERVICE = "autocom"
"""The user part of what we say ourselves."""

PIECE = 900
"""Bytes of a SIP MESSAGE: with its headers it must stay under 1300 (RFC 3428)."""

_FR: Mapping[str, str] = {
    "notice": "1 message pour {client}, réf. {reference}. Pour le lire : autocom text {reference}",
    "attachment": "[1 pièce jointe : autocom text {reference}]",
    "attachments": "[{count} pièces jointes : autocom text {reference}]",
    "lost_one": "[1 pièce jointe n'a pas été gardée]",
    "lost": "[{count} pièces jointes n'ont pas été gardées]",
    "nothing": "[sans texte]",
    "too_long": "[texte trop long pour arriver par SIP : demandez à l'expéditeur de le raccourcir]",
    "binary": "[message sans texte lisible]",
    "incomplete": "[il en manque une partie]",
    "withheld": "numéro masqué",
    "answered": "Réf. {reference} ({client}) : {name} a répondu.",
    "failed": "Votre texto à {to} n'est pas parti : {error}",
    "failed_discreet": "Votre texto, réf. {reference}, n'est pas parti : {error}",
    "refused": "Texto non envoyé : {why}.",
    "colleague_away": "Votre message à {name} n'a pas été remis : son poste est absent.",
    "empty": "il est vide",
    "too_long_out": "il est trop long",
    "no_number": "ce n'est pas un numéro",
    "emergency": "c'est un numéro d'urgence, appelez depuis votre propre téléphone",
    "premium": "ce numéro est surtaxé",
    "satellite": "ce numéro est interdit",
    "international": "les numéros étrangers ne sont pas permis",
    "loop": "c'est un de nos numéros",
    "no_provider": "aucun opérateur de textos n'est configuré",
    "client_limit": "trop de textos pour ce client en une heure",
    "secretary_limit": "vous avez envoyé trop de textos en une heure",
    "not_hers": "ce client n'est pas servi par vos équipes",
    "unknown": "ce destinataire est inconnu",
    "too_old": "ce texto n'est plus en cours, écrivez à son numéro",
    "too_long_sip": "plus de 1 000 caractères n'arrivent pas jusqu'ici, envoyez-le en plusieurs fois",
}
_EN: Mapping[str, str] = {
    "notice": "1 message for {client}, ref. {reference}. To read it: autocom text {reference}",
    "attachment": "[1 attachment: autocom text {reference}]",
    "attachments": "[{count} attachments: autocom text {reference}]",
    "lost_one": "[1 attachment was not kept]",
    "lost": "[{count} attachments were not kept]",
    "nothing": "[without text]",
    "too_long": "[a text too long to come by SIP: ask the sender to shorten it]",
    "binary": "[a message without readable text]",
    "incomplete": "[a part of it is missing]",
    "withheld": "number withheld",
    "answered": "Ref. {reference} ({client}): {name} has answered.",
    "failed": "Your text to {to} was not sent: {error}",
    "failed_discreet": "Your text, ref. {reference}, was not sent: {error}",
    "refused": "Text not sent: {why}.",
    "colleague_away": "Your message to {name} was not delivered: her phone is away.",
    "empty": "it is empty",
    "too_long_out": "it is too long",
    "no_number": "this is no number",
    "emergency": "this is an emergency number, call from a phone of your own",
    "premium": "this is a premium number",
    "satellite": "this number is barred",
    "international": "numbers of other countries are not allowed",
    "loop": "this is one of our numbers",
    "no_provider": "no provider of texts is configured",
    "client_limit": "too many texts for this client in an hour",
    "secretary_limit": "you sent too many texts in an hour",
    "not_hers": "this client is not served by your teams",
    "unknown": "this recipient is unknown",
    "too_old": "this text is no longer at hand, write to its number",
    "too_long_sip": "more than 1,000 characters do not get here, send it in pieces",
}
_LANGUAGES = {"fr": _FR, "en": _EN}


def said(language: str, key: str, **values: object) -> str:
    """One of our own sentences."""
    return _LANGUAGES.get(language, _FR)[key].format(**values)


def refusal(language: str, why: str) -> str:
    """Why her text is not sent."""
    return said(language, "refused", why=said(language, "too_long_out" if why == "too_long" else why))


def shown(text: Incoming, client: Client, language: str, plan: NumberingPlan = FRANCE) -> list[ShownText]:
    """What her phone is to show of a text: a notice, or its pieces in order."""
    user = conversation(text)
    if text.discreet:
        body = said(language, "notice", client=client.display, reference=text.reference)
        return [ShownText(user, client.display, body)]
    who = national(text.peer, plan) if text.peer else text.sender or said(language, "withheld")
    display = f"{client.display} · {who}"
    lost = [said(language, flag) for flag in ("too_long", "binary", "incomplete") if flag in text.flags]
    lines = [text.body, *lost]
    if text.pieces:
        key = "attachment" if text.pieces == 1 else "attachments"
        lines.append(said(language, key, count=text.pieces, reference=text.reference))
    if text.lost:
        lines.append(said(language, "lost_one" if text.lost == 1 else "lost", count=text.lost))
    body = "\n".join(line for line in lines if line) or said(language, "nothing")
    return [ShownText(user, display, piece) for piece in pieces(body)]


def failed(text: Outgoing, language: str, plan: NumberingPlan = FRANCE) -> ShownText:
    """Her text was not sent."""
    key = "failed_discreet" if text.discreet else "failed"
    to = national(text.to, plan)
    body = said(language, key, to=to, error=text.error or "?", reference=text.reference)
    return ShownText(SERVICE, SERVICE, body)


def pieces(body: str) -> list[str]:
    """The body in pieces that a MESSAGE can carry, numbered where there are several."""
    if len(body.encode("utf-8", "replace")) <= PIECE:
        return [body]
    room = PIECE - len("(99/99) ")
    found: list[str] = []
    piece, size = "", 0
    for character in body:
        bytes_ = len(character.encode("utf-8", "replace"))
        if size + bytes_ > room:
            found.append(piece)
            piece, size = "", 0
        piece += character
        size += bytes_
    found.append(piece)
    return [f"({n}/{len(found)}) {each}" for n, each in enumerate(found, start=1)]
