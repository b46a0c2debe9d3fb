// SPDX-License-Identifier: Apache-2.0
/**
 * chatgate.v1 client: one connection that heals itself, for browsers and Node >= 20.
 *
 * What it keeps, and why nothing is lost or doubled:
 *   cursors   the number of the last event seen in each room. Rooms count 1, 2, 3, ..., so an event
 *             at or below its cursor was seen before, and one that skips a number proves a loss: the
 *             client asks for what follows its cursor instead of showing it.
 *   outbox    messages without an answer (outbox.js), each under a cid made once.
 *   requests  reads without an answer (requests.js); a lost connection only delays them.
 *
 * States are centrifuge-js's: disconnected -> connecting <-> connected. A browser shows a page
 * neither the server's pings nor the status of a refused upgrade. Therefore
 *   - a link silent for two heartbeats is asked a question, and is dead if it stays silent;
 *   - after an opening that failed, the next attempt carries the token in `hello`, where a refusal
 *     has a close code and can't be mistaken for a dead network.
 */
import { CLOSE_CODES } from './codes.js';
import { Outbox, uuid } from './outbox.js';
import { ChatError, Requests } from './requests.js';

export { ChatError, uuid };

/**
 * @typedef {'disconnected' | 'connecting' | 'connected'} State
 * @typedef {import('./requests.js').Frame} Frame  An object of the protocol (protocol/README.md).
 * @typedef {{epoch?: string, own_since?: string, rooms?: Record<string, number>}} Position
 *
 * @typedef {object} Options
 * @property {string} url  ws: or wss: address of the gateway.
 * @property {(why: {refresh: boolean}) => Promise<string | null> | string | null} getToken  Gives a
 *   token; `refresh` says that the last one was refused or is about to run out. Null signs out.
 *   A rejection counts as a network fault and is tried again.
 * @property {typeof WebSocket} [WebSocket]  For Node before 22: the class of the `ws` package.
 * @property {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} [storage]  Keeps the outbox over a
 *   reload. Take sessionStorage: each tab has its own, and a copied outbox is harmless.
 * @property {string} [storageKey]
 * @property {string} [device]  A name of this device; default: a random one.
 * @property {Position} [resume]  Where an earlier client stood (`client.position`).
 * @property {number} [outboxLimit]  Messages that may wait; default 500.
 * @property {() => number} [random]
 */

const PROTOCOL = 'chatgate.v1';
const TICK_MS = 5000;
const SILENCE_MS = 10_000; // an unanswered question this old means a dead link
const OPEN_TIMEOUT_MS = 15_000;
const STABLE_MS = 5000; // a connection that lived this long starts the backoff afresh
const TYPING_EVERY_MS = 3000;
const READ_DELAY_MS = 250;
const HELLO_ROOMS = 200;
/** @type {Record<number, {reconnect: boolean} | undefined>} */ const CLOSES = CLOSE_CODES;

/** Whether a connection that ended with this close code may be made again without a person. */
export function reconnects(/** @type {number} */ code) {
  return CLOSES[code]?.reconnect ?? !(code >= 4500 && code <= 4999);
}

/**
 * Its events are CustomEvents; `detail` is what is named here. Every other push of the server is an
 * event by its own `t`: own, status, room, room_closed, read, typing, presence, queue.added, ...
 *   state      {state, previous, attempt, retryInMs?, code?, reason?}
 *   message    in order, each number once; `removed: true` stands for one that is gone
 *   removed    in the same order
 *   reset      {room, head?}: too far behind; forget the room's messages, take a history page
 *   synced     everything missed has been given
 *   sent       the server's `ok` with {room, text}
 *   failed     {cid, room, text, error}: refused for good, and out of the outbox
 *   error      a server's error that answers no request
 */
export class Client extends EventTarget {
  /** @type {State} */ state = 'disconnected';
  /** The user as `welcome` gave it. @type {Frame | null} */ user = null;
  /** @type {Frame} */ limits = {};

  /** @type {Options & Required<Pick<Options, 'storageKey' | 'outboxLimit' | 'random'>>} */ #options;
  /** @type {WebSocket | null} */ #socket = null;
  #requests;
  #outbox;

  #attempt = 0;
  #opening = {}; // names the newest #open()
  #retry = { base_ms: 500, cap_ms: 20_000 };
  #retryTimer = /** @type {any} */ (undefined);
  #openTimer = /** @type {any} */ (undefined);
  #watchdog = /** @type {any} */ (undefined);
  #welcomedAt = 0;
  #heardAt = 0;
  #silentMs = 50_000;

  #token = /** @type {string | null} */ (null);
  #tokenFresh = false; // getToken gave it for this very attempt
  #tokenStale = false;
  #tokenInHello = false;
  #expiresAt = Infinity;

  #epoch = /** @type {string | undefined} */ (undefined);
  #ownSince = /** @type {string | undefined} */ (undefined);
  /** In order of last movement, so that hello names the busiest. @type {Map<string, number>} */
  #cursors = new Map();
  /** Rooms with a sync on its way. @type {Set<string>} */ #healing = new Set();

  #typedAt = /** @type {Map<string, number>} */ (new Map()); // by room, as those below
  #readTo = /** @type {Map<string, number>} */ (new Map());
  #readUnsent = /** @type {Set<string>} */ (new Set());
  #readTimer = /** @type {any} */ (undefined);

  /** @param {Options} options */
  constructor(options) {
    super();
    const { random } = Math;
    const defaults = { storageKey: 'chatgate.outbox', device: uuid(), outboxLimit: 500, random };
    this.#options = { ...defaults, ...options };
    const { epoch, own_since: ownSince, rooms = {} } = options.resume ?? {};
    this.#epoch = epoch;
    this.#ownSince = ownSince;
    this.#cursors = new Map(Object.entries(rooms));
    this.#requests = new Requests(this.#write, () => this.#jitter(1));
    this.#outbox = new Outbox({
      ask: (fields) => this.#requests.ask('send', fields, { timeoutMs: Infinity, keep: true }),
      emit: this.#emit,
      storage: options.storage,
      key: this.#options.storageKey,
    });
  }

  // ---- life of a connection ---------------------------------------------------------------------

  connect() {
    if (this.state !== 'disconnected') return;
    this.#watchNetwork('addEventListener');
    this.#attempt = 0;
    this.#tokenInHello = false;
    this.#setState('connecting');
    this.#open();
  }

  /** Ends the connection. The outbox stays, and goes out after the next connect(). */
  disconnect() {
    this.#stop(1000, 'disconnect');
  }

  /** Tries again at once instead of waiting for the next attempt. */
  retryNow() {
    if (this.state === 'connecting' && !this.#socket) this.#open();
  }

  #setState(/** @type {State} */ state, /** @type {Frame} */ detail = {}) {
    const previous = this.state;
    this.state = state;
    this.#emit('state', { state, previous, attempt: this.#attempt, ...detail });
  }

  async #open() {
    clearTimeout(this.#retryTimer);
    const opening = (this.#opening = {});
    const current = () => opening === this.#opening && this.state === 'connecting';
    this.#attempt++;
    try {
      const token = await this.#takeToken();
      if (!current()) return;
      if (!token) return this.#stop(4500, 'no token');
      this.#token = token;
      this.#tokenStale = false;
      this.#dial(token);
    } catch (error) {
      if (current()) this.#reconnect({ reason: String(error) });
    }
  }

  async #takeToken() {
    if (Date.now() > this.#expiresAt) this.#tokenStale = true;
    this.#tokenFresh = !this.#token || this.#tokenStale;
    if (!this.#tokenFresh) return this.#token;
    return this.#options.getToken({ refresh: this.#tokenStale });
  }

  #dial(/** @type {string} */ token) {
    const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
    const protocols = this.#tokenInHello ? [PROTOCOL] : [PROTOCOL, `chatgate.bearer.${token}`];
    const socket = new Socket(this.#options.url, protocols);
    const mine = () => socket === this.#socket;
    let opened = false;
    this.#socket = socket;
    this.#openTimer = setTimeout(() => this.#drop('no answer'), OPEN_TIMEOUT_MS);
    socket.onopen = () => {
      opened = true;
      if (mine()) this.#hello(this.#tokenInHello ? token : undefined);
    };
    socket.onmessage = ({ data }) => mine() && this.#handleData(data);
    socket.onerror = () => {}; // close follows, and says more
    socket.onclose = ({ code, reason }) => {
      if (!mine()) return;
      this.#tokenInHello = !opened;
      this.#handleClose(code, reason);
    };
  }

  #hello(/** @type {string | undefined} */ token) {
    const rooms = [...this.#cursors].slice(-HELLO_ROOMS);
    const frame = {
      t: 'hello',
      token,
      device: this.#options.device,
      caps: ['batch'],
      epoch: this.#epoch,
      rooms: Object.fromEntries(rooms),
      own_since: this.#ownSince,
    };
    const named = new Set(rooms.map(([room]) => room));
    this.#requests.hello(
      frame,
      (welcome) => this.#handleWelcome(welcome, named),
      (error) => this.#handleRefusedHello(error),
    );
  }

  #handleWelcome(/** @type {Frame} */ welcome, /** @type {Set<string>} */ named) {
    if (this.user && this.user.id !== welcome.user.id) return this.#stop(4500, 'another user');
    clearTimeout(this.#openTimer);
    this.user = welcome.user;
    this.limits = welcome.limits ?? {};
    this.#retry = { ...this.#retry, ...welcome.retry };
    this.#expiresAt = welcome.expires_at ? Date.parse(welcome.expires_at) : Infinity;
    this.#silentMs = 2000 * (welcome.heartbeat_s ?? 25);
    this.#welcomedAt = Date.now();
    this.#watchdog = setInterval(() => this.#watch(), TICK_MS);
    this.#requests.go();
    this.#outbox.openFor(welcome.user.id);
    this.#resumeUnnamed(welcome.epoch, named);
    this.#setState('connected');
  }

  /** Rooms that found no place in hello. */
  #resumeUnnamed(/** @type {string} */ epoch, /** @type {Set<string>} */ named) {
    const rest = [...this.#cursors].filter(([room]) => !named.has(room));
    const rewound = this.#epoch !== undefined && this.#epoch !== epoch;
    this.#epoch = epoch;
    if (rewound) return rest.forEach(([room]) => this.#handleReset({ t: 'reset', room }));
    const limit = this.limits.rooms_per_sync ?? HELLO_ROOMS;
    for (let i = 0; i < rest.length; i += limit) this.#sync(rest.slice(i, i + limit));
  }

  /** The close that follows says whether to come back. If none follows, we close. */
  #handleRefusedHello(/** @type {ChatError} */ error) {
    if (error.code === 'token_expired') this.#tokenStale = true;
    clearTimeout(this.#openTimer);
    this.#openTimer = setTimeout(() => this.#drop(error.code, error.retryAfterMs), 1000);
  }

  #handleClose(/** @type {number} */ code, /** @type {string} */ reason) {
    const worthNewToken = code === 4500 && !this.#tokenFresh; // it may just have run out
    if (worthNewToken || code === 4004) this.#tokenStale = true;
    if (!worthNewToken && !reconnects(code)) return this.#stop(code, reason);
    const [name, hint] = reason.split(' retry_after_ms=');
    this.#reconnect({ code, reason: name }, Number(hint ?? 0));
  }

  /** Gives a connection up without waiting for the close that a dead link never brings. */
  #drop(/** @type {string} */ reason, atLeastMs = 0) {
    this.#reconnect({ code: 1006, reason }, atLeastMs);
  }

  #reconnect(/** @type {Frame} */ detail, atLeastMs = 0) {
    this.#detach();
    if (this.#welcomedAt && Date.now() - this.#welcomedAt >= STABLE_MS) this.#attempt = 0;
    this.#welcomedAt = 0;
    const retryInMs = atLeastMs + this.#jitter(2 ** this.#attempt);
    this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
    this.#setState('connecting', { ...detail, retryInMs });
  }

  #stop(/** @type {number} */ code, /** @type {string} */ reason) {
    if (this.state === 'disconnected') return;
    this.#detach();
    this.#watchNetwork('removeEventListener');
    this.#token = null;
    this.#tokenStale = false;
    this.#requests.stop();
    this.#setState('disconnected', { code, reason });
  }

  #detach() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#openTimer);
    clearInterval(this.#watchdog);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    this.#requests.lost();
    this.#healing.clear();
  }

  /** Full jitter: anything up to so many times the base, so that a crowd comes back spread out. */
  #jitter(/** @type {number} */ factor) {
    const { base_ms: base, cap_ms: cap } = this.#retry;
    return Math.round(this.#options.random() * Math.min(cap, base * factor));
  }

  // ---- is the link alive? -----------------------------------------------------------------------

  #watchNetwork(/** @type {'addEventListener' | 'removeEventListener'} */ how) {
    globalThis[how]?.('online', this.#handleOnline);
    globalThis[how]?.('offline', this.#handleOffline);
    globalThis.document?.[how]('visibilitychange', this.#handleVisible);
  }

  #handleOnline = () => (this.state === 'connected' ? this.#probe() : this.retryNow());
  #handleOffline = () => this.#socket && this.#drop('offline');
  #handleVisible = () => {
    if (document.visibilityState !== 'visible') return;
    if (this.state !== 'connected') this.retryNow();
    else if (Date.now() - this.#heardAt > TICK_MS) this.#probe();
  };

  #watch() {
    const now = Date.now();
    const silence = now - this.#heardAt;
    const oldest = this.#requests.oldestSentAt;
    if (silence > SILENCE_MS && now - oldest > SILENCE_MS) this.#drop('silent');
    else if (silence > this.#silentMs && oldest === Infinity) this.#probe();
  }

  /** The cheapest question there is: any answer proves the link. */
  #probe() {
    const newest = [...this.#cursors].at(-1);
    if (newest) this.#sync([newest]);
    else this.#requests.ask('rooms', { limit: 1 }, { once: true }).catch(() => {});
  }

  // ---- frames -----------------------------------------------------------------------------------

  #emit = (/** @type {string} */ type, /** @type {any} */ detail) =>
    this.dispatchEvent(new CustomEvent(type, { detail }));

  #write = (/** @type {Frame} */ frame) => this.#socket?.send(JSON.stringify(frame));

  #handleData(/** @type {string} */ data) {
    this.#heardAt = Date.now();
    for (const line of data.split('\n')) if (line) this.#handleFrame(JSON.parse(line));
  }

  #handleFrame(/** @type {Frame} */ frame) {
    if (frame.t === 'message' || frame.t === 'removed') return this.#handleNumbered(frame);
    if (frame.t === 'reset') return this.#handleReset(frame);
    if (frame.t === 'expiring') this.#refresh();
    if (frame.t === 'room') this.#follow(frame.room, frame.head);
    if (frame.t === 'room_closed') this.#cursors.delete(frame.room);
    if (frame.t === 'synced') this.#ownSince = frame.own_since ?? this.#ownSince;
    if (!this.#requests.answer(frame)) this.#emit(frame.t, frame);
  }

  #handleNumbered(/** @type {Frame} */ frame) {
    const { room, seq } = frame;
    const cursor = this.#cursors.get(room) ?? seq - 1;
    if (seq <= cursor) return;
    if (seq > cursor + 1) return this.#heal(room, cursor);
    this.#moveCursor(room, seq);
    this.#emit(frame.t, frame);
  }

  #handleReset(/** @type {Frame} */ frame) {
    if (frame.head === undefined) this.#cursors.delete(frame.room);
    else this.#moveCursor(frame.room, frame.head);
    this.#emit('reset', frame);
  }

  #moveCursor(/** @type {string} */ room, /** @type {number} */ seq) {
    this.#cursors.delete(room);
    this.#cursors.set(room, seq);
  }

  /** What is known of a room up to `head` came from elsewhere; events count from there. */
  #follow(/** @type {string} */ room, /** @type {number} */ head) {
    if (!this.#cursors.has(room)) this.#cursors.set(room, head);
  }

  #heal(/** @type {string} */ room, /** @type {number} */ cursor) {
    if (this.#healing.has(room)) return;
    this.#healing.add(room);
    this.#sync([[room, cursor]]).finally(() => this.#healing.delete(room));
  }

  /** Asks for what follows these cursors. If that can't be had, a new connection asks again. */
  async #sync(/** @type {[string, number][]} */ rooms) {
    const socket = this.#socket;
    try {
      await this.#requests.ask('sync', { rooms: Object.fromEntries(rooms) }, {});
    } catch {
      if (socket && socket === this.#socket) this.#drop('sync failed');
    }
  }

  async #refresh() {
    try {
      const token = await this.#options.getToken({ refresh: true });
      if (!token) return;
      const refreshed = await this.#requests.ask('refresh', { token }, {});
      this.#token = token;
      this.#expiresAt = Date.parse(refreshed.expires_at);
    } catch {
      // The connection then ends with 4004, and the next one asks for a new token.
    }
  }

  // ---- what a program asks ----------------------------------------------------------------------

  /**
   * Sends a frame and gives its answer, or rejects with a ChatError. Waits for a connection,
   * survives a lost one, and comes back as told when the server is busy.
   * @param {string} t
   * @param {Frame} [fields]
   * @param {import('./requests.js').How} [how]
   */
  async request(t, fields = {}, how = {}) {
    if (this.state === 'disconnected') throw new ChatError('disconnected');
    return this.#requests.ask(t, fields, how);
  }

  /** The room with this user; made if it is not there. */
  open(/** @type {string} */ userId) {
    return this.request('open', { with: userId });
  }

  /**
   * A page of the room list, busiest first; go on with the `cursor` it gives.
   * @param {string | null} [cursor]
   */
  async rooms(cursor = null) {
    const page = await this.request('rooms', { cursor });
    for (const { room, head } of page.rooms) this.#follow(room, head);
    return page;
  }

  /**
   * A page of history, ascending. Without `before` and `after`: the newest.
   * @param {string} room
   * @param {{before?: number, after?: number, limit?: number}} [page]
   */
  async history(room, { before, after, limit = 50 } = {}) {
    const page = await this.request('history', { room, before, after, limit });
    const newest = before === undefined && after === undefined;
    if (newest) this.#follow(room, page.messages.at(-1)?.seq ?? 0);
    return page;
  }

  /**
   * Puts a message into the outbox. It goes out when it can, in the order of the calls.
   * @param {string} room
   * @param {string} text
   * @param {{cid?: string}} [how]  A cid used before repeats that message instead of making another.
   * @returns {import('./outbox.js').Entry}
   */
  send(room, text, { cid = uuid() } = {}) {
    const known = this.#outbox.get(cid);
    if (known) return known;
    if (this.#outbox.size >= this.#options.outboxLimit) throw new ChatError('outbox_full');
    return this.#outbox.add({ cid, room, text, at: new Date().toISOString() });
  }

  /** Messages not yet answered, oldest first. */
  get outbox() {
    return this.#outbox.entries;
  }

  /** Tells the server, soon and once for each number, that everything up to `seq` was read. */
  read(/** @type {string} */ room, /** @type {number} */ seq) {
    if (seq <= (this.#readTo.get(room) ?? 0)) return;
    this.#readTo.set(room, seq);
    this.#readUnsent.add(room);
    this.#readTimer ??= setTimeout(() => this.#flushReads(), READ_DELAY_MS);
  }

  #flushReads() {
    this.#readTimer = undefined;
    for (const room of this.#readUnsent) {
      const fields = { room, seq: this.#readTo.get(room) };
      this.#requests.ask('read', fields, { timeoutMs: Infinity }).catch(() => {});
    }
    this.#readUnsent.clear();
  }

  /** Call it at every keystroke; the peer hears of it every few seconds. */
  typing(/** @type {string} */ room) {
    if (this.state !== 'connected') return;
    if (Date.now() - (this.#typedAt.get(room) ?? -Infinity) < TYPING_EVERY_MS) return;
    this.#typedAt.set(room, Date.now());
    this.#write({ t: 'typing', room });
  }

  /** Where this client stands, for the `resume` of a later one. @returns {Position} */
  get position() {
    return {
      epoch: this.#epoch,
      own_since: this.#ownSince,
      rooms: Object.fromEntries(this.#cursors),
    };
  }
}
