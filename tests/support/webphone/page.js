// A secretary's softphone in a browser, as small as a test needs it: JsSIP as it comes, a voice that is one
// sine, an ear that names the loudest frequency. What the test may ask stands in `phone`; it polls.
// Parameters of the address: user, password, url (the web socket), tone (hertz of her voice).
'use strict';

const asked = new URLSearchParams(location.search);
const url = asked.get('url');
// calls *from* a browser are known as such by this domain of From
const uri = `sip:${asked.get('user')}@${asked.get('domain') || 'web'}`;
const sounds = new AudioContext();
const phone = (window.phone = { state: 'starting', why: null, calls: [], hears: 0, level: null, figures: null });

const agent = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(url)],
  uri,
  password: asked.get('password'),
  register_expires: 300,
  session_timers: false,
});
agent.on('registered', () => { phone.state = 'registered'; });
agent.on('unregistered', () => { phone.state = 'unregistered'; });
agent.on('registrationFailed', (e) => { phone.state = 'refused'; phone.why = e.cause; });

let microphone = null;

// The real permission is asked for, as a softphone does: it also decides which ICE candidates there are.
async function voice() {
  if (!microphone) {
    await navigator.mediaDevices.getUserMedia({ audio: true });
    await sounds.resume();
    const sine = sounds.createOscillator();
    const volume = sounds.createGain();
    microphone = sounds.createMediaStreamDestination();
    sine.frequency.value = Number(asked.get('tone'));
    volume.gain.value = 0.3;
    sine.connect(volume).connect(microphone);
    sine.start();
  }
  return microphone.stream;
}

function listen(stream) {
  document.getElementById('ear').srcObject = stream;
  const analyser = sounds.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  sounds.createMediaStreamSource(stream).connect(analyser);
  const bins = new Float32Array(analyser.frequencyBinCount);
  clearInterval(phone.listening);
  phone.listening = setInterval(() => {
    analyser.getFloatFrequencyData(bins);
    const loudest = bins.indexOf(bins.reduce((a, b) => Math.max(a, b)));
    phone.level = Math.round(bins[loudest]);
    phone.hears = bins[loudest] > -60 ? Math.round((loudest * sounds.sampleRate) / analyser.fftSize) : 0;
  }, 100);
}

async function figures(connection) {
  const report = await connection.getStats();
  const out = {};
  for (const each of report.values()) {
    if (each.type === 'inbound-rtp') {
      Object.assign(out, { received: each.packetsReceived, lost: each.packetsLost, jitter_ms: each.jitter * 1000 });
      out.codec = (report.get(each.codecId) || {}).mimeType;
    }
    if (each.type === 'outbound-rtp') {
      out.sent = each.packetsSent;
      out.sent_codec = (report.get(each.codecId) || {}).mimeType;
    }
    if (each.type === 'transport') Object.assign(out, { dtls: each.dtlsState, srtp: each.srtpCipher });
    if (each.type === 'candidate-pair' && each.nominated) out.round_trip_ms = each.currentRoundTripTime * 1000;
  }
  return out;
}

agent.on('newRTCSession', ({ session, originator, request }) => {
  const call = {
    originator,
    state: 'ringing',
    why: null,
    status: null,
    display: session.remote_identity.display_name,
    user: session.remote_identity.uri.user,
    headers: {},
    offered: [],
    session,
  };
  phone.calls.push(call);
  if (originator === 'remote') {
    for (const name of ['Alert-Info', 'Call-Info', 'X-Autocom-Call', 'X-Autocom-Client', 'X-Autocom-Phrase']) {
      call.headers[name] = request.getHeader(name) || null;
    }
    call.offered = [...(request.body || '').matchAll(/^a=rtpmap:\d+ (.+?)\r?$/gm)].map((found) => found[1]);
  }
  session.on('confirmed', () => { call.state = 'talking'; });
  for (const end of ['ended', 'failed']) {
    session.on(end, (e) => {
      Object.assign(call, { state: end, why: e.cause, status: (e.message && e.message.status_code) || null });
      call.reason = (e.message && e.message.getHeader && e.message.getHeader('Reason')) || null;
      clearInterval(phone.listening);
      phone.hears = 0;
    });
  }
  const hear = (connection) =>
    connection.addEventListener('track', (e) => listen(new MediaStream([e.track])));
  if (session.connection) hear(session.connection);
  session.on('peerconnection', (e) => hear(e.peerconnection));
});

const media = async () => ({ mediaStream: await voice(), pcConfig: { iceServers: [] } });
const newest = () => phone.calls[phone.calls.length - 1];

phone.answer = async () => newest().session.answer(await media());
phone.dial = async (what) => { agent.call(`${uri.replace(/:.*@/, `:${what}@`)}`, await media()); };
phone.hangup = () => newest().session.terminate();
phone.offline = () => agent.unregister();
phone.online = () => agent.register();
// what a test can carry over: everything but the objects of JsSIP
phone.look = async () => {
  const last = newest();
  const connection = last && last.state === 'talking' && last.session.connection;
  if (connection) phone.figures = await figures(connection);
  return JSON.parse(JSON.stringify(phone, (key, value) => (key === 'session' ? undefined : value)));
};

agent.start();
