// Her telephone line: JsSIP's agent and its calls, as plain objects that tell what happened. Knows SIP and sound,
// nothing of the page. The voice goes straight to Asterisk: a call outlives the web socket, and when there is a new
// one, each call tells Asterisk where its phone is now (a re-INVITE), or nobody could hang it up from there.

const JsSIP = window.JsSIP;
const MEDIA = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };
const RING_FOR = 180; // seconds; Asterisk decides earlier
const KEY = { transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833, duration: 100, interToneGap: 70 }; // ms; JsSIP's own gap, 500, makes a number ten seconds long

export class Call extends EventTarget {
  constructor(session, request) {
    super();
    const remote = session.remote_identity;
    this.session = session;
    this.incoming = session.direction === 'incoming';
    this.stage = this.incoming ? 'ringing' : 'calling';
    this.since = Date.now();
    this.user = remote.uri.user || '';
    this.display = remote.display_name || this.user;
    this.headers = this.incoming ? headersOf(request) : {};
    this.muted = false;
    this.consults = null; // the call that waits while she talks to this one
    this.ear = new Audio();
    this.ear.autoplay = true;
    this.#listen();
  }

  #listen() {
    const { session } = this;
    session.on('confirmed', () => this.#become('talking'));
    session.on('hold', (event) => event.originator === 'local' && this.#become('held'));
    session.on('unhold', (event) => event.originator === 'local' && this.#become('talking'));
    for (const end of ['ended', 'failed']) session.on(end, (event) => this.#over(end, event));
    const hear = (connection) =>
      connection.addEventListener('track', (event) => {
        this.ear.srcObject = event.streams[0] || new MediaStream([event.track]);
        this.ear.play().catch(() => {}); // a page that nobody has touched yet may not sound
      });
    if (session.connection) hear(session.connection);
    session.on('peerconnection', (event) => hear(event.peerconnection));
  }

  #become(stage) {
    if (this.stage === 'ended') return;
    if (stage === 'talking' && !['held', 'talking'].includes(this.stage)) this.since = Date.now();
    this.stage = stage;
    this.dispatchEvent(new Event('change'));
  }

  #over(end, event) {
    this.stage = 'ended';
    this.why = event.originator === 'local' || end === 'ended' ? '' : `${event.cause}`;
    this.noMicrophone = event.cause === JsSIP.C.causes.USER_DENIED_MEDIA_ACCESS;
    this.ear.srcObject = null;
    this.dispatchEvent(new Event('change'));
  }

  // A button may be pressed in the moment in which the other side goes: then there is nothing left to do.
  answer() { if (this.session.isInProgress()) this.session.answer(MEDIA); }
  hangup() { if (!this.session.isEnded()) this.session.terminate(); }
  key(digit) { if (this.session.isEstablished()) this.session.sendDTMF(digit, KEY); }

  mute(on) {
    this.muted = on;
    if (on) this.session.mute({ audio: true });
    else this.session.unmute({ audio: true });
    this.dispatchEvent(new Event('change'));
  }

  hold(on) { return on ? this.session.hold() : this.session.unhold(); }

  // REFER; with `other`, whoever she talked to there is joined to the one here (Replaces).
  transfer(target, other = null) {
    if (!this.session.isEstablished()) return;
    const before = this.stage;
    const back = () => { if (this.stage === 'moving') this.#become('refused'); setTimeout(() => this.#become(before), 3000); };
    this.#become('moving');
    this.session.refer(target, {
      ...(other ? { replaces: other.session } : {}),
      eventHandlers: {
        requestSucceeded: () => {},
        accepted: () => this.#become('moved'),
        requestFailed: back,
        failed: back,
      },
    });
  }

  // The web socket is another one: Asterisk learns our new address from a request within the call.
  comeBack() {
    if (this.session.isEstablished()) this.session.renegotiate({ rtcOfferConstraints: {} });
  }
}

export class Line extends EventTarget {
  constructor(account, socketUrl) {
    super();
    this.account = account;
    this.calls = new Set();
    this.registered = 'off';
    this.wasConnected = false;
    this.agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(socketUrl)],
      uri: `sip:${account.user}@${account.domain}`,
      display_name: account.name,
      authorization_user: account.user,
      ha1: account.ha1,
      realm: account.realm,
      register_expires: 300,
      session_timers: false, // Asterisk's own ask enough
      no_answer_timeout: RING_FOR,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 10,
      user_agent: 'autocom phone',
    });
    this.#listen();
    this.agent.start();
  }

  #listen() {
    const { agent } = this;
    agent.on('registered', () => this.#is('on'));
    agent.on('unregistered', () => this.#is(agent.isConnected() ? 'off' : 'again'));
    agent.on('registrationFailed', (event) => { this.#is('off'); this.#tell('refused', event.cause); });
    agent.on('disconnected', () => { this.#is('again'); this.#tell('lost', ''); });
    agent.on('connected', () => {
      if (this.wasConnected) for (const call of this.calls) call.comeBack();
      this.wasConnected = true;
    });
    agent.on('newRTCSession', ({ session, request }) => this.#began(new Call(session, request)));
    agent.on('newMessage', ({ originator, message, request }) => {
      if (originator === 'remote') this.#told(message, request);
    });
  }

  #is(registered) {
    this.registered = registered;
    this.dispatchEvent(new Event('registration'));
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  #began(call) {
    call.quiet = this.beginning === 'quiet';
    call.consults = this.beginning instanceof Call ? this.beginning : null;
    this.calls.add(call);
    call.addEventListener('change', () => {
      if (call.stage === 'ended') this.calls.delete(call);
    });
    this.#tell('call', call);
  }

  #told(message, request) {
    const from = message.remote_identity;
    this.#tell('text', { from: from.display_name || from.uri.user, to: from.uri.toString(), body: request.body || '' });
  }

  // `quiet`: a code, of which nothing is shown; a call: it waits meanwhile.
  dial(what, beginning = null) {
    const target = this.uri(what);
    this.beginning = beginning;
    try {
      this.agent.call(target, MEDIA);
    } finally {
      this.beginning = null;
    }
  }

  text(to, body, done) {
    const target = to.startsWith('sip:') ? to : this.uri(to);
    this.agent.sendMessage(target, body, {
      eventHandlers: { succeeded: () => done(null), failed: (event) => done(event.cause) },
    });
  }

  uri(target) { return uriOf(target, this.account.domain); }

  close() {
    for (const call of this.calls) call.hangup();
    this.agent.stop();
  }
}

// A number may be written with spaces and dots; `#` has a meaning of its own in an address.
function uriOf(written, domain) {
  const user = /^[+0-9\s.\-()*#]+$/.test(written) ? written.replace(/[\s.\-()]/g, '') : written.trim();
  if (!/^[0-9A-Za-z*#+_.-]{1,80}$/.test(user)) throw new Error(user);
  return `sip:${user.replaceAll('#', '%23')}@${domain}`;
}

function headersOf(request) {
  const header = (name) => request.getHeader(name) || '';
  return {
    phrase: unquoted(header('X-Autocom-Phrase')),
    card: addressOf(header('Call-Info')),
    forwarded: header('X-Autocom-Forwarded'),
    absence: unquoted(header('X-Autocom-Absence').split(';')[0]),
    candidates: header('X-Autocom-Candidates'),
    callback: header('X-Autocom-Callback') === '1',
    client: header('X-Autocom-Client'),
  };
}

// RFC 3261 quoted-string
function unquoted(text) {
  const inner = /^"(.*)"$/s.exec(text.trim());
  return inner ? inner[1].replace(/\\(.)/gs, '$1') : text;
}

// of a Call-Info: only what a browser may open without harm
function addressOf(text) {
  const found = /<(https?:[^>]*)>/.exec(text);
  try {
    return found ? new URL(found[1]).href : '';
  } catch {
    return '';
  }
}
