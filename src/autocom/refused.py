"""Why an order for a secretary cannot be now, in French.

Programs get the English sentence; a person at the terminal of a French bureau reads the one here. As with the faults
of the configuration, the English sentence is the key. Invariant: whatever `core.conversation`, `ordering`, `posts`
and `calling` refuse has its sentence (a test holds them to it). Must not know how it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from autocom.core.sending import REASONS, staying

FRENCH: Mapping[str, str] = {
    # core.conversation
    "the caller is on hold already": "l'appelant est déjà en attente",
    "the caller is not on hold": "l'appelant n'est pas en attente",
    "her own phone holds the caller: it has to let him go": (
        "son propre téléphone retient l'appelant : c'est à lui de le reprendre"
    ),
    "the caller is gone: who is there now was not told that anything is recorded": (
        "l'appelant est parti : la personne en ligne n'a pas été prévenue d'un enregistrement"
    ),
    "only an extension or a number can be consulted": "on ne peut consulter qu'un poste ou un numéro",
    "somebody is being consulted: let him go first": "une consultation est en cours : y mettre fin d'abord",
    "all three talk already": "ils se parlent déjà à trois",
    "nobody has answered whom she wants to consult": "la personne à consulter n'a pas répondu",
    "nobody is being consulted": "aucune consultation n'est en cours",
    # ordering
    "she is in no conversation": "elle n'est en conversation avec personne",
    "her colleague has somebody on hold, or somebody else with her": (
        "sa collègue a mis quelqu'un en attente, ou est avec une autre personne"
    ),
    "nothing is being recorded": "aucun enregistrement n'est en cours",
    "every parking slot is taken": "toutes les places de parking sont prises",
    # calling
    "no calls are taken at this moment": "aucun appel n'est pris en ce moment",
    "that is her own extension": "c'est son propre poste",
    "her phone is not registered": "son téléphone n'est pas connecté",
    "she is in a call, or her phone rings": "elle est en ligne, ou son téléphone sonne",
    # posts
    "a phone cannot be forwarded to itself": "un poste ne peut être renvoyé vers lui-même",
    "this bureau lets no phone be forwarded to a number outside (`forwarding: {outside: true}`)": (
        "ce bureau ne renvoie aucun poste vers l'extérieur (`forwarding: {outside: true}`)"
    ),
    "nobody has that extension": "personne n'a ce poste",
    "that is no number": "ce n'est pas un numéro",
    "that number is one of the bureau's own: the call would come back": (
        "ce numéro est de la maison : l'appel reviendrait"
    ),
    "an emergency number is never dialled from here": "un numéro d'urgence n'est jamais composé d'ici",
    "premium numbers are not dialled": "les numéros surtaxés ne sont pas composés",
    "that country is not allowed": "ce pays n'est pas autorisé",
    "satellite numbers are never dialled": "les numéros satellite ne sont jamais composés",
    "her limit of calls to the outside is reached": "sa limite d'appels sortants est atteinte",
    "no line to the outside is free": "aucune ligne extérieure n'est libre",
    "that number may not be dialled": "ce numéro ne peut être composé",
    "the call would come back to us": "l'appel reviendrait chez nous",
    "she may not serve this client from the country she sits in (`countries` of the client)": (
        "elle ne peut servir ce client depuis le pays où elle travaille (`countries` du client)"
    ),
    "the room is locked": "la conférence est fermée",
    "the room is full": "la conférence est complète",
    "nobody is in that room": "personne n'est dans cette conférence",
    # what was asked for does not say enough
    "say whom: an extension, a number, or the client's contact by its place (1, 2, …)": (
        "dire qui : un poste, un numéro, ou la place d'un contact du client (1, 2, …)"
    ),
    "say whom to call: an extension or a number": "dire qui appeler : un poste ou un numéro",
    "say whom to invite: an extension or a number": "dire qui inviter : un poste ou un numéro",
    # texts
    "the text is empty": "le texto est vide",
    "`to` is no telephone number": "`to` n'est pas un numéro de téléphone",
    "an emergency number is never written to": "on n'écrit jamais à un numéro d'urgence",
    "this is a premium number": "c'est un numéro surtaxé",
    "this number is barred": "ce numéro n'est pas autorisé",
    "texts to this country are not allowed (`outgoing: {international: …}` of the bureau or the client)": (
        "les textos vers ce pays ne sont pas permis (`outgoing: {international: …}` du bureau ou du client)"
    ),
    "this is a number of this bureau": "ce numéro est de la maison",
    "no provider sends texts: see `texts.providers` in bureau.yaml": (
        "personne n'envoie de textos : voir `texts.providers` dans bureau.yaml"
    ),
    "the client's texts of this hour are used up (`texts.limits`)": (
        "les textos du client sont épuisés pour cette heure (`texts.limits`)"
    ),
    "her texts of this hour are used up (`texts.limits`)": (
        "ses textos sont épuisés pour cette heure (`texts.limits`)"
    ),
    "this secretary's teams do not serve the client": "les équipes de cette secrétaire ne servent pas ce client",
    "there is no such client": "ce client n'existe pas",
}
_NAMED: Mapping[str, str] = {
    "there is no secretary {}; there are: {}": "il n'y a pas de secrétaire {} ; il y a : {}",
    "there is no secretary {}": "il n'y a pas de secrétaire {}",
    "there is no client {}": "il n'y a pas de client {}",
    "there is no room {}: rooms are 800 to 899": "il n'y a pas de salle {} : elles vont de 800 à 899",
    "nobody is in room {}": "personne n'est dans la salle {}",
    "{} is no number that can be called": "{} n'est pas un numéro qui puisse être appelé",
    "{} supervises already: {}": "{} écoute déjà : {}",
    "{} supervises nobody": "{} n'écoute personne",
    "{} is not banned": "{} n'est pas bannie",
    "{} is no address": "{} n'est pas une adresse",
}
"""Sentences that name somebody, or something."""


def in_french(words: str) -> str:
    """The same refusal; what has no French sentence (a name, a fault of the machine) stays as it is."""
    if words in FRENCH:
        return FRENCH[words]
    for english, french in _patterns():
        if found := english.fullmatch(words):
            return french.format(*found.groups())
    return words


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_pattern(english), french) for english, french in _sentences())


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(re.escape(part) for part in sentence.split("{}")))


def _sentences() -> Iterator[tuple[str, str]]:
    yield from _NAMED.items()
    for why in REASONS:
        yield staying("en", why, "{}"), staying("fr", why, "{}")
