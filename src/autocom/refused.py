"""Why an order for a secretary cannot be now, in French.

Programs get the English sentence; a person at the terminal of a French bureau reads the one here. As with the faults
of the configuration, the English sentence is the key. Invariant: whatever `core.conversation`, `ordering`, `posts`
and `calling` refuse has its sentence (a test holds them to it). Must not know how it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping

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
}


def in_french(words: str) -> str:
    """The same refusal; what has no French sentence (a name, a fault of the machine) stays as it is."""
    return FRENCH.get(words, words)
