// The page: what she sees and presses. The line (`line.js`) does the telephony, the server says who she is.
// What others wrote (names, phrases, texts) reaches the page as text, never as markup.

import { Line } from './line.js';
import { chosen, has, language, say, speak, translate } from './words.js';

const $ = (id) => document.getElementById(id);
const DIGITS = '123456789*0#';
const LOOK_EVERY = 2000;
const SHOWN_AFTER = 2500;
let line = null;
let account = null;
let ringing = null;
let looking = null;

// --- who she is --------------------------------------------------------------------------------

async function ask(path, body = null) {
  const options = body === null ? {} : {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  };
  return fetch(path, { credentials: 'same-origin', ...options });
}

async function enter(proof) {
  trouble('');
  let answer;
  try {
    answer = await ask('/phone/login', proof);
  } catch {
    return trouble(say('no-server'));
  }
  if (answer.status === 429) return trouble(say('too-many', answer.headers.get('Retry-After')));
  if (!answer.ok) return trouble(say(answer.status === 401 ? 'no-login' : 'insecure'));
  return start();
}

async function start() {
  const answer = await ask('/phone/account').catch(() => null);
  if (answer === null) trouble(say('no-server'));
  if (answer === null || answer.status !== 200) return showLogin();
  account = await answer.json();
  if (!chosen()) speak(account.language);
  $('bureau').textContent = account.bureau;
  $('owner').textContent = `${account.name} · ${account.extension}`;
  $('login').hidden = true;
  $('phone').hidden = false;
  $('logout').hidden = false;
  open();
}

function showLogin() {
  if (line) { line.close(); line = null; }
  $('login').hidden = false;
  $('phone').hidden = true;
  $('logout').hidden = true;
  $('registered').textContent = '';
  $('state').textContent = '';
  $('enter').elements.id.focus();
}

// --- the line ----------------------------------------------------------------------------------

function open() {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  line = new Line(account, `${scheme}://${location.host}/ws`);
  line.addEventListener('registration', showRegistration);
  line.addEventListener('refused', (event) => trouble(say('refused', event.detail)));
  line.addEventListener('lost', stillWelcome);
  line.addEventListener('call', (event) => began(event.detail));
  line.addEventListener('text', (event) => showText(event.detail));
  showRegistration();
  clearTimeout(looking);
  look();
}

function showRegistration() {
  if (!line) return;
  $('registered').dataset.state = line.registered === 'on' ? 'on' : 'off';
  $('registered').textContent = say(`registered-${line.registered}`);
  if (line.registered === 'on') trouble('');
}

// a socket may have been refused because the session is over, or the password another one
async function stillWelcome() {
  const answer = await ask('/phone/account').catch(() => null);
  if (answer && answer.status === 204) showLogin();
}

async function look() {
  if (!line) return;
  if (!document.hidden) {
    const answer = await ask('/phone/state').catch(() => null);
    if (answer && answer.ok) showState(await answer.json());
  }
  clearTimeout(looking); // she may have left and come back meanwhile
  looking = setTimeout(look, LOOK_EVERY);
}

function showState({ state, reason }) {
  const why = reason ? ` (${has(reason) ? say(reason) : reason})` : '';
  $('state').dataset.state = state;
  if ($('state').textContent !== say(`state-${state}`) + why) $('state').textContent = say(`state-${state}`) + why;
}

function dial(what, beginning = null) {
  trouble('');
  try {
    line.dial(what, beginning);
  } catch {
    trouble(say('not-called', what));
  }
}

// --- calls -------------------------------------------------------------------------------------

function began(call) {
  call.addEventListener('change', () => ended(call));
  if (call.quiet) return;
  const box = $('call').content.firstElementChild.cloneNode(true);
  translate(box);
  fill(box, call);
  wire(box, call);
  $('calls').append(box);
  if (!call.incoming) alone(call);
  const show = () => paint(box, call);
  call.addEventListener('change', show);
  show();
  box.clock = setInterval(() => clock(box, call), 1000);
  if (call.incoming) ring();
  if (call.incoming && !['INPUT', 'TEXTAREA'].includes(document.activeElement.tagName)) box.querySelector('.answer').focus();
}

function ended(call) {
  if (call.stage !== 'ended') return;
  if (call.noMicrophone) trouble(say('no-microphone'));
  else if (call.why && !call.incoming) trouble(say('not-called', call.why));
}

function fill(box, call) {
  const { headers } = call;
  const part = (name) => box.querySelector(name);
  part('.who').textContent = call.display || say('withheld');
  part('.phrase').textContent = headers.phrase || '';
  part('.phrase').hidden = !headers.phrase;
  const notes = [
    headers.callback && say('callback'),
    headers.forwarded && say('forwarded', has(headers.forwarded) ? say(headers.forwarded) : headers.forwarded),
    headers.absence && say('absence', headers.absence),
    headers.candidates && say('candidates', headers.candidates),
  ].filter(Boolean);
  part('.notes').textContent = notes.join(' · ');
  part('.notes').hidden = notes.length === 0;
  if (headers.card) {
    part('.card').href = headers.card;
    part('.card').hidden = false;
  }
  for (const digit of DIGITS) {
    const key = document.createElement('button');
    key.type = 'button';
    key.textContent = digit;
    key.addEventListener('click', () => call.key(digit));
    part('.pad').append(key);
  }
}

function wire(box, call) {
  const press = (name, act) => box.querySelector(name).addEventListener('click', act);
  const fold = (button, part) => press(button, () => {
    const folded = box.querySelector(part);
    folded.hidden = !folded.hidden;
    box.querySelector(button).setAttribute('aria-expanded', String(!folded.hidden));
    if (!folded.hidden) folded.querySelector('input, button').focus();
  });
  press('.answer', () => { if (call.stage === 'ringing') { alone(call); call.answer(); } });
  press('.hangup', () => call.hangup());
  press('.mute', () => call.mute(!call.muted));
  press('.hold', () => {
    if (call.stage === 'held') alone(call);
    call.hold(call.stage !== 'held');
  });
  press('.join', () => join(call));
  fold('.pad-button', '.pad');
  fold('.transfer-button', '.transfer');
  box.querySelector('.transfer').addEventListener('submit', (event) => {
    event.preventDefault();
    move(call, event.target.elements.target.value, event.submitter && event.submitter.value);
  });
}

// Wherever the focus is: of the call that has it, else of the newest one that has such a button.
function shortcut(event) {
  const name = event.altKey && { a: '.answer', r: '.hangup', m: '.mute', g: '.hold' }[event.key.toLowerCase()];
  if (!name) return;
  const buttons = [...$('calls').querySelectorAll(name)].filter((button) => !button.hidden);
  const button = buttons.find((each) => each.closest('.call').contains(document.activeElement)) || buttons.at(-1);
  if (!button) return;
  event.preventDefault();
  button.click();
}

// She talks to one at a time: whoever else is on the line waits.
function alone(call) {
  for (const other of line.calls) if (other !== call && other.stage === 'talking') other.hold(true);
}

async function move(call, target, how) {
  try {
    if (how !== 'consult') return call.transfer(line.uri(target));
    dial(target, call);
  } catch {
    trouble(say('not-called', target));
  }
}

function join(consulted) {
  const waiting = consulted.consults;
  if (waiting && waiting.stage !== 'ended') waiting.transfer(consulted.session.remote_identity.uri.toString(), consulted);
}

function paint(box, call) {
  const up = ['talking', 'held', 'refused'].includes(call.stage);
  const part = (name) => box.querySelector(name);
  if (box.dataset.stage !== call.stage) $('news').textContent = `${say(`stage-${call.stage}`)} : ${call.display || say('withheld')}`;
  box.dataset.stage = call.stage;
  part('.stage').textContent = say(`stage-${call.stage}`) + (call.stage === 'ended' && call.why ? ` (${call.why})` : '');
  part('.answer').hidden = call.stage !== 'ringing';
  part('.hangup').hidden = call.stage === 'ended';
  for (const name of ['.mute', '.hold', '.pad-button', '.transfer-button']) part(name).hidden = !up;
  part('.join').hidden = !(up && call.consults && call.consults.stage !== 'ended');
  part('.mute').setAttribute('aria-pressed', String(call.muted));
  part('.hold').setAttribute('aria-pressed', String(call.stage === 'held'));
  if (!up) { part('.pad').hidden = true; part('.transfer').hidden = true; }
  if (call.stage === 'ended') {
    clearInterval(box.clock);
    setTimeout(() => { box.remove(); showQuiet(); }, SHOWN_AFTER);
  }
  showQuiet();
  ring();
}

function clock(box, call) {
  if (!['talking', 'held'].includes(call.stage)) return;
  const seconds = Math.floor((Date.now() - call.since) / 1000);
  box.querySelector('.length').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function showQuiet() {
  $('quiet').hidden = $('calls').childElementCount > 0;
  const first = line && [...line.calls].find((call) => call.stage === 'ringing');
  document.title = first ? `☎ ${first.display}` : 'autocom';
}

// The house's own ring: two seconds of a soft tone in five; softer still while she talks.
function ring() {
  const wanted = line && [...line.calls].some((call) => call.stage === 'ringing');
  if (!wanted && ringing) { clearInterval(ringing.again); ringing.sounds.close(); ringing = null; }
  if (!wanted || ringing) return;
  const sounds = new AudioContext();
  const talking = [...line.calls].some((call) => call.stage === 'talking');
  const once = () => {
    const tone = sounds.createOscillator();
    const volume = sounds.createGain();
    tone.frequency.value = 440;
    volume.gain.value = talking ? 0.02 : 0.1;
    tone.connect(volume).connect(sounds.destination);
    tone.start();
    tone.stop(sounds.currentTime + 1.5);
  };
  once();
  ringing = { sounds, again: setInterval(once, 5000) };
}

// --- texts -------------------------------------------------------------------------------------

function showText({ from, to, body }, sent = false) {
  const item = $('text').content.firstElementChild.cloneNode(true);
  translate(item);
  item.classList.toggle('sent', sent);
  item.querySelector('.from').textContent = from;
  item.querySelector('.body').textContent = body;
  item.querySelector('time').textContent = new Date().toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' });
  item.querySelector('.reply').addEventListener('click', () => {
    $('write').elements.to.value = to;
    $('write').elements.text.focus();
  });
  item.querySelector('.reply').hidden = sent;
  $('texts').append(item);
  item.scrollIntoView({ block: 'nearest' });
}

function write(event) {
  event.preventDefault();
  const { to, text } = event.target.elements;
  const [target, body] = [to.value.trim(), text.value];
  try {
    line.text(target, body, (wrong) => {
      if (wrong) return trouble(say('not-sent', wrong));
      showText({ from: target, to: target, body }, true);
      text.value = '';
    });
  } catch {
    trouble(say('not-sent', target));
  }
}

// --- the page ----------------------------------------------------------------------------------

function trouble(text) {
  $('trouble').textContent = text;
  $('trouble').hidden = !text;
}

function showLanguage() {
  $('language').textContent = language() === 'en' ? 'Français' : 'English';
  $('language').lang = language() === 'en' ? 'fr' : 'en';
}

$('language').addEventListener('click', () => {
  speak(language() === 'en' ? 'fr' : 'en', { remember: true });
  showLanguage();
  showRegistration();
  for (const box of $('calls').children) box.querySelector('.stage').textContent = say(`stage-${box.dataset.stage}`);
});
$('enter').addEventListener('submit', (event) => {
  event.preventDefault();
  const { id, password } = event.target.elements;
  enter({ id: id.value.trim(), password: password.value }).then(() => { password.value = ''; });
});
$('logout').addEventListener('click', async () => { await ask('/phone/logout', {}); showLogin(); });
$('dial').addEventListener('submit', (event) => {
  event.preventDefault();
  dial(event.target.elements.number.value);
  event.target.reset();
});
for (const button of $('states').children) button.addEventListener('click', () => dial(button.dataset.code, 'quiet'));
$('pause').addEventListener('submit', (event) => { event.preventDefault(); dial(event.target.elements.reason.value, 'quiet'); });
$('write').addEventListener('submit', write);
document.addEventListener('keydown', shortcut);
window.addEventListener('beforeunload', (event) => { if (line && line.calls.size) event.preventDefault(); });
window.addEventListener('pagehide', () => line && line.agent.stop());

if (chosen() === 'en') speak('en');
showLanguage();
if (!window.isSecureContext) trouble(say('insecure'));
const ticket = location.hash.slice(1);
if (ticket) {
  history.replaceState(null, '', location.pathname);
  enter({ ticket });
} else {
  start();
}
