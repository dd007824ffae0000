"""What an alert says, French and English: a title of a few words and one sentence on what to do.

Filled with the alert's subject (a client's or secretary's name, a trunk, a disk), its detail (numbers, names, or what a
fact says in English) and its limit, never with a caller's number. Must not know who reads it. Invariant: every name of `alerts.RULES` has its two
sentences in both languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FR: Final[Mapping[str, tuple[str, str]]] = {
    "no_secretary": (
        "Personne pour {subject}",
        "Ces cabinets sont ouverts et aucune secrétaire qui peut prendre leurs appels n'est connectée : {detail}.",
    ),
    "long_wait": (
        "Attente trop longue {subject}",
        "Des appelants attendent depuis plus de {limit} (combien, depuis quand) : {detail}.",
    ),
    "telephone_lost": (
        "Asterisk n'est plus joignable",
        "autocom a perdu Asterisk. Les conversations continuent ; les nouveaux appels sont pris par le secours du plan de numérotation.",
    ),
    "asterisk_died": (
        "Asterisk s'est arrêté",
        "Asterisk est mort et a été relancé ; les appels en cours ont été coupés. {detail}",
    ),
    "asterisk_hung": (
        "Asterisk ne répond plus",
        "Asterisk tourne, mais ne répond à aucune demande. {detail}",
    ),
    "loop_blocked": (
        "autocom a été bloqué",
        "Le programme n'a rien fait pendant un moment : {detail}. Les appels de ce moment ont pu être pris par le secours.",
    ),
    "fallback_used": (
        "Appels pris par le secours : {count}",
        "Des appels ont été servis sans autocom, par le plan de numérotation. La liste : autocom calls.",
    ),
    "calls_refused": (
        "Appels refusés, plus de place : {count}",
        "Asterisk n'a plus pris d'appel : tous ceux qu'il peut tenir à la fois étaient en cours. La liste : autocom calls.",
    ),
    "rescued": (
        "Le sauveteur est intervenu",
        "Personne ne servait les appels, ou des appelants étaient bloqués : {detail}.",
    ),
    "call_crashed": (
        "Erreur de programme dans un appel",
        "Un appel a rencontré une erreur d'autocom et a été donné au secours. Combien : {count}. Le journal du service dit laquelle.",
    ),
    "trunk_down": (
        "Ligne opérateur {subject} en panne",
        "L'opérateur ne répond pas ou ne prend aucun appel : {detail}. Les appels sortants échouent ; vérifiez aussi qu'il en arrive.",
    ),
    "one_way_audio": (
        "Son dans un seul sens",
        "Dans une conversation, un côté n'envoie aucun son : {detail}. Combien : {count}.",
    ),
    "sound_missing": (
        "Message ou musique introuvable",
        "Un son n'a pas pu être joué ; l'appelant a entendu la suite, une autre musique ou une sonnerie : {detail}.",
    ),
    "difference_repaired": (
        "Différence avec Asterisk réparée",
        "Ce qu'autocom savait différait de ce qu'Asterisk tenait : {detail}. Combien : {count}.",
    ),
    "database_down": (
        "Base de données absente",
        "PostgreSQL n'est pas joignable. Les appels continuent ; {detail} faits attendent sur le disque.",
    ),
    "journal_lag": (
        "Journal en retard",
        "Les faits arrivent trop tard dans PostgreSQL (combien, depuis quand) : {detail}.",
    ),
    "disk_low": (
        "Disque presque plein {subject}",
        "Faites de la place : {detail}. Sans place, plus rien ne s'écrit.",
    ),
    "part_failed": (
        "Une partie d'autocom a échoué : {subject}",
        "Les appels continuent ; cette partie a été relancée ({detail}). Les détails sont dans le journal du service.",
    ),
    "descriptors_low": (
        "Fichiers ouverts : presque à la limite",
        "autocom ne peut presque plus ouvrir de fichier ni de connexion : {detail}. Augmentez LimitNOFILE.",
    ),
    "outbox_stuck": (
        "Rien ne part : {subject}",
        "Des envois ({subject}) attendent depuis {detail}. La raison se trouve dans le journal du service.",
    ),
    "certificate_expiring": (
        "Certificat bientôt périmé",
        "Le certificat TLS se termine dans {detail} jours. Mettez-en un nouveau à sa place.",
    ),
    "banned": (
        "Adresses bannies : {count}",
        "Trop d'inscriptions refusées ; adresse exclue : {detail}.",
    ),
    "outgoing_limit": (
        "Beaucoup d'appels sortants : {subject}",
        "Au nom de {subject} : {detail}. Au-delà de la limite, ses appels sortants sont refusés.",
    ),
    "no_answer_pause": (
        "{subject} mise en pause",
        "{subject} n'a pas répondu à {detail} appels de suite ; son poste est en pause.",
    ),
}

EN: Final[Mapping[str, tuple[str, str]]] = {
    "no_secretary": (
        "Nobody for {subject}",
        "These clients are open, and no secretary who may take their calls is logged in: {detail}.",
    ),
    "long_wait": (
        "Callers wait too long {subject}",
        "Callers have been waiting for more than {limit} (how many, for how long): {detail}.",
    ),
    "telephone_lost": (
        "Asterisk cannot be reached",
        "autocom has lost Asterisk. Conversations go on; new calls are taken by the dialplan's fallback.",
    ),
    "asterisk_died": (
        "Asterisk has died",
        "Asterisk died and was started again; the calls in it are cut. {detail}",
    ),
    "asterisk_hung": (
        "Asterisk does not answer",
        "Asterisk runs, but answers no request. {detail}",
    ),
    "loop_blocked": (
        "autocom was blocked",
        "The program did nothing for a while: {detail}. Calls of that moment may have gone to the fallback.",
    ),
    "fallback_used": (
        "Calls taken by the fallback: {count}",
        "Calls were served without autocom, by the dialplan. To list them: autocom calls.",
    ),
    "calls_refused": (
        "Calls refused, no room: {count}",
        "Asterisk took no more calls: as many as it can hold at a time were there. To list them: autocom calls.",
    ),
    "rescued": (
        "The rescuer acted",
        "Nobody served the calls, or callers were stuck: {detail}.",
    ),
    "call_crashed": (
        "A program error in a call",
        "A call met an error of autocom and was given to the fallback. How many: {count}. The service's log says which.",
    ),
    "trunk_down": (
        "Trunk {subject} is down",
        "The operator does not answer, or takes no call: {detail}. Outgoing calls fail; check that calls come in, too.",
    ),
    "one_way_audio": (
        "One-way audio",
        "In a conversation one side sends no sound: {detail}. How many: {count}.",
    ),
    "sound_missing": (
        "A message or music is missing",
        "A sound could not be played; the caller heard what follows, another music or ringing: {detail}.",
    ),
    "difference_repaired": (
        "A difference with Asterisk was repaired",
        "What autocom knew differed from what Asterisk held: {detail}. How many: {count}.",
    ),
    "database_down": (
        "The database is away",
        "PostgreSQL cannot be reached. Calls go on; {detail} facts wait on the disk.",
    ),
    "journal_lag": (
        "The journal lags",
        "Facts reach PostgreSQL too late (how many, for how long): {detail}.",
    ),
    "disk_low": (
        "A disk is nearly full {subject}",
        "Make room: {detail}. Without room nothing can be written.",
    ),
    "part_failed": (
        "A part of autocom failed: {subject}",
        "Calls go on; that part was begun again ({detail}). The service's log has the details.",
    ),
    "descriptors_low": (
        "File descriptors are running out",
        "autocom can hardly open a file or a connection more: {detail}. Raise LimitNOFILE.",
    ),
    "outbox_stuck": (
        "Nothing goes out: {subject}",
        "What is to be sent ({subject}) has been waiting for {detail}. The service's log says why.",
    ),
    "certificate_expiring": (
        "The certificate ends soon",
        "The TLS certificate ends in {detail} days. Put a new one in its place.",
    ),
    "banned": (
        "Addresses banned: {count}",
        "Too many refused registrations; shut out: {detail}.",
    ),
    "outgoing_limit": (
        "Many outgoing calls: {subject}",
        "In the name of {subject}: {detail}. Beyond the limit further outgoing calls are refused.",
    ),
    "no_answer_pause": (
        "{subject} was paused",
        "{subject} did not answer {detail} calls in a row; her phone is paused.",
    ),
}

EXPIRED: Final[Mapping[str, tuple[str, str]]] = {
    "fr": ("Certificat périmé", "Le certificat TLS n'est plus valable. Mettez-en un nouveau à sa place."),
    "en": ("The certificate has ended", "The TLS certificate is out of date. Put a new one in its place."),
}
"""`certificate_expiring`, once the days that are left are less than none."""

WHAT: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {"raised": "", "again": "Toujours : ", "over": "Terminé : "},
    "en": {"raised": "", "again": "Still: ", "over": "Over: "},
}

OVER: Final[Mapping[str, str]] = {"fr": "C'est terminé.", "en": "It is over."}
"""Instead of the sentence, which says what is wrong and what to do, once nothing is."""


def said(
    language: str, name: str, *, subject: str, detail: str, count: int, limit: str, what: str = "raised"
) -> tuple[str, str]:
    """Title and sentence. `subject`: as people call it; `limit`: of what is measured, in words; `what`: whether it
    begins, goes on or is over."""
    language = language if language in WHAT else "fr"
    title, sentence = (FR if language == "fr" else EN)[name]
    if name == "certificate_expiring" and detail.startswith("-"):
        title, sentence = EXPIRED[language]
    if what == "over":
        sentence = OVER[language]
    filled = {"subject": subject, "detail": detail, "count": count, "limit": limit}
    words = " ".join(title.format_map(filled).split())
    return WHAT[language][what] + words, " ".join(sentence.format_map(filled).split())
