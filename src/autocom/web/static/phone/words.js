// What the page says, French first, English second. A key of the HTML (`data-word`) or of the code, both languages.

const WORDS = {
  skip: ['Aller aux appels', 'Go to the calls'],
  leave: ['Quitter', 'Leave'],
  login: ['Votre poste', 'Your phone'],
  id: ['Identifiant', 'Id'],
  password: ['Mot de passe du poste', 'Password of the phone'],
  enter: ['Entrer', 'Enter'],
  calls: ['Appels', 'Calls'],
  quiet: ['Aucun appel.', 'No call.'],
  number: ['Numéro, poste ou code', 'Number, extension or code'],
  call: ['Appeler', 'Call'],
  me: ['Moi', 'Me'],
  'log-in': ['Connexion', 'Log in'],
  'log-out': ['Déconnexion', 'Log out'],
  back: ['Disponible', 'Available'],
  pause: ['Pause', 'Pause'],
  break: ['café', 'break'],
  lunch: ['déjeuner', 'lunch'],
  training: ['formation', 'training'],
  other: ['autre', 'other'],
  'pause-now': ['Faire une pause', 'Pause'],
  texts: ['Textes', 'Texts'],
  to: ['À', 'To'],
  text: ['Texte', 'Text'],
  send: ['Envoyer', 'Send'],
  reply: ['Répondre', 'Reply'],
  card: ['Fiche', 'Card'],
  answer: ['Décrocher', 'Answer'],
  hangup: ['Raccrocher', 'Hang up'],
  mute: ['Couper le micro', 'Mute'],
  hold: ['Garde', 'Hold'],
  keys: ['Touches', 'Keypad'],
  transfer: ['Transférer', 'Transfer'],
  join: ['Mettre en relation', 'Join them'],
  target: ['Vers (poste, numéro)', 'To (extension, number)'],
  blind: ['Transférer tout de suite', 'Transfer at once'],
  consult: ["Parler d'abord", 'Talk first'],
  // of the registration
  'registered-on': ['poste en ligne', 'phone on line'],
  'registered-off': ['poste hors ligne', 'phone off line'],
  'registered-again': ['connexion perdue, nouvel essai…', 'connection lost, trying again…'],
  // of a call
  'stage-ringing': ['appel entrant', 'incoming call'],
  'stage-calling': ['appel en cours…', 'calling…'],
  'stage-talking': ['en ligne', 'on the line'],
  'stage-held': ['en garde', 'on hold'],
  'stage-moving': ['transfert demandé…', 'transfer asked for…'],
  'stage-moved': ['transféré', 'transferred'],
  'stage-refused': ['transfert refusé', 'transfer refused'],
  'stage-ended': ['terminé', 'ended'],
  withheld: ['Masqué', 'Withheld'],
  forwarded: ['Renvoi : {what}', 'Forwarded: {what}'],
  'no-answer': ['sans réponse', 'no answer'],
  busy: ['occupé', 'busy'],
  unconditional: ['permanent', 'unconditional'],
  unavailable: ['indisponible', 'unavailable'],
  absence: ['Absence : {what}', 'Absence: {what}'],
  candidates: ['Peut-être : {what}', 'Perhaps: {what}'],
  callback: ["À rappeler : il n'est pas en ligne", 'A callback: he is not on the line'],
  // of her state
  'state-offline': ['sans poste', 'offline'],
  'state-logged_out': ['déconnectée', 'logged out'],
  'state-free': ['libre', 'free'],
  'state-ringing': ['sonne', 'ringing'],
  'state-talking': ['en ligne', 'talking'],
  'state-wrap_up': ['post-appel', 'wrap-up'],
  'state-paused': ['en pause', 'paused'],
  // what goes wrong
  'no-login': ['Identifiant ou mot de passe inconnu, ou lien déjà utilisé.', 'Unknown id or password, or a link that was used.'],
  'too-many': ["Trop d'essais : attendez {what} s.", 'Too many tries: wait {what} s.'],
  'no-server': ['Le serveur ne répond pas.', 'The server does not answer.'],
  insecure: [
    'Le navigateur refuse le micro sur une page sans https. Ouvrez cette page en https.',
    'Browsers refuse the microphone to a page without https. Open this page by https.',
  ],
  'no-microphone': ["Pas de micro : autorisez-le pour cette page.", 'No microphone: allow it for this page.'],
  refused: ['Le poste est refusé : {what}', 'The phone is refused: {what}'],
  'not-called': ['Appel impossible : {what}', 'The call failed: {what}'],
  'not-sent': ['Texte non envoyé : {what}', 'The text was not sent: {what}'],
};

let english = localStorage.getItem('language') === 'en';

export const language = () => (english ? 'en' : 'fr');

export function say(key, what = '') {
  const both = WORDS[key];
  return both ? both[Number(english)].replace('{what}', what) : key;
}

export const has = (key) => key in WORDS;

// French is what the HTML holds; who never chose gets the bureau's language.
export function speak(chosen, { remember = false } = {}) {
  if (remember) localStorage.setItem('language', chosen);
  english = chosen === 'en';
  document.documentElement.lang = chosen;
  translate(document);
}

export const chosen = () => localStorage.getItem('language');

export function translate(root) {
  for (const element of root.querySelectorAll('[data-word]')) element.textContent = say(element.dataset.word);
}
