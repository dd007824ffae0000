"""The rules' own sentences (why this client, why not that rule, why open) in French.

The core says them in English, so that a journal reads the same for ever; people of a French bureau read
them here. A sentence that this table does not know is shown as it is. Invariant: what stands between the
words (numbers, ids, names) is copied, never changed. A test holds the table against the core.
"""

from __future__ import annotations

import re

_DAYS = dict(
    zip(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        strict=True,
    )
)
_DAY = re.compile("|".join(_DAYS))

_PATTERNS: tuple[tuple[str, str], ...] = (
    # who is called, and by whom
    (
        r"Neither (.+) nor Request-URI nor To holds a telephone number\.",
        r"Ni {0}, ni Request-URI, ni To ne porte un numéro.",
    ),
    (r"The number called, (\S+), stands in (.+)\.", "Le numéro appelé, {0}, est dans {1}."),
    (r"(.+) holds no telephone number\.", "{0} ne porte pas de numéro."),
    (r"Nothing says that the call was forwarded\.", "Rien ne dit que l'appel a été renvoyé."),
    (
        r"It was forwarded from (\S+) \((.+)\), a line of (\S+) on this number\.",
        "Il a été renvoyé par {0} ({1}), une ligne de {2} sur ce numéro.",
    ),
    (
        r"It was forwarded \((.+)\) from a line that is withheld or is no telephone number\.",
        "Il a été renvoyé ({0}) par une ligne masquée ou qui n'est pas un numéro.",
    ),
    (
        r"It was forwarded from (\S+) \((.+)\), which is no client's line on this number\.",
        "Il a été renvoyé par {0} ({1}), qui n'est la ligne d'aucun client sur ce numéro.",
    ),
    (r"It is served as (\S+)\.", "Il est servi comme {0}."),
    (
        r"(.+) holds (\S+), a number of (.+): does the trunk's did_in name the right place\?",
        "{0} porte {1}, un numéro de {2} : le did_in de la ligne opérateur nomme-t-il le bon endroit ?",
    ),
    (r"(\S+) is no client's number\.", "{0} n'est le numéro d'aucun client."),
    (r"So it is a call for (\S+)\.", "C'est donc un appel pour {0}."),
    (r"(\S+) has (\S+) whatever line was forwarded\.", "{0} a {1}, quelle que soit la ligne renvoyée."),
    (r"(\S+) alone has (\S+)\.", "{0} est seul à avoir {1}."),
    (
        r"(\S+) is shared by (.+), and no forwarded line decides\.",
        "{0} est partagé par {1}, et aucune ligne renvoyée ne départage.",
    ),
    (r"The caller withholds his number \((.+)\)\.", "L'appelant masque son numéro ({0})."),
    (r"The caller gives no telephone number\.", "L'appelant ne donne pas de numéro."),
    (
        r"The caller's number is the one that the network asserts\.",
        "Le numéro de l'appelant est celui que le réseau garantit.",
    ),
    (r"The caller's number is the one of (.+)\.", "Le numéro de l'appelant est celui de {0}."),
    (
        r"It is of a block kept for automated platforms\.",
        "Il est d'une tranche réservée aux plateformes automatisées.",
    ),
    # why open or closed
    (r"closed: absence(.*) until (\S+ \S+)", "fermé : absence{0} jusqu'au {1}"),
    (r"open: exceptional opening(.*) until (\S+ \S+)", "ouvert : ouverture exceptionnelle{0} jusqu'au {1}"),
    (r"closed: closure(.*) until (\S+ \S+)", "fermé : fermeture{0} jusqu'au {1}"),
    (r"open: override by (.+) until (\S+ \S+)", "ouvert : consigne de {0} jusqu'au {1}"),
    (r"closed: override by (.+) until (\S+ \S+)", "fermé : consigne de {0} jusqu'au {1}"),
    (r"closed: holiday ?(.*)", "fermé : jour férié {0}"),
    (r"closed: outside the hours of (\w+)", "fermé : hors des heures du {0}"),
    (r"open: (\w+) (\S+)", "ouvert : {0} {1}"),
    # why the client's own system did not decide
    (r"no answer within (\d+) ms", "pas de réponse en {0} ms"),
    (r"it answered (\d+)", "il a répondu {0}"),
    (r"it cannot be reached: (\w+)", "injoignable : {0}"),
    (r"its answer is no JSON", "sa réponse n'est pas du JSON"),
    (r"its answer is not (.+)", "sa réponse n'est pas {0}"),
    (r"no time left", "plus le temps"),
    (r"it names a rule that the client does not have", "il nomme une règle que le client n'a pas"),
    # which condition failed
    (r"caller: stood in list (\S+) until (.+)", "caller : était dans la liste {0} jusqu'au {1}"),
    (r"the caller is in list (\S+)", "l'appelant est dans la liste {0}"),
    (r"the caller is in list (\S+): (.+)", "l'appelant est dans la liste {0} : {1}"),
    (r"caller: is anonymous", "caller : numéro masqué"),
    (r"caller: is not among them", "caller : n'en est pas"),
    (r"caller: has no number", "caller : sans numéro"),
    (r"hours: (.+)", "hours : {0}"),
    (r"absence: one is in force", "absence : il y en a une"),
    (r"absence: none is in force", "absence : il n'y en a pas"),
    (r"forward_reason: is (\S+)", "forward_reason : {0}"),
    (r"forward_reason: was not forwarded", "forward_reason : pas renvoyé"),
    (r"did: is not known", "did : inconnu"),
    (r"did: is (\S+)", "did : {0}"),
    (r"time: is (\S+)", "time : il est {0}"),
    (r"days: is (\w+)", "days : c'est {0}"),
    (r"dates: is (\S+)", "dates : c'est le {0}"),
    (r"waiting_over: (\d+) wait", "waiting_over : {0} en attente"),
    (r"nobody: nobody is logged in", "nobody : personne au travail"),
    (r"nobody: somebody is logged in", "nobody : quelqu'un est au travail"),
)
_FRENCH = tuple((re.compile(english), french) for english, french in _PATTERNS)


def said(sentence: str, language: str) -> str:
    """The sentence in `language` (fr or en), as it is where no translation is known."""
    if language == "en":
        return sentence
    for english, french in _FRENCH:
        found = english.fullmatch(sentence)
        if found is not None:
            groups = [said(group, language) for group in found.groups()]
            return _DAY.sub(lambda day: _DAYS[day[0]], french.format(*groups)).rstrip()
    return sentence
