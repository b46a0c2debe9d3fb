// SPDX-License-Identifier: Apache-2.0
/**
 * One room's messages as a person sees them: numbered ones from history and live events, and own
 * ones that have no number because they are on their way, under review, blocked or failed.
 *
 * The same message comes by several ways (history, `message`, `own`, `ok`, `status`), in any order;
 * its mid, and for own ones its cid, say that it is the same. No DOM here.
 */

/**
 * @typedef {'sending' | 'pending_moderation' | 'blocked' | 'failed' | 'delivered' | 'removed'} Status
 *
 * @typedef {object} Item
 * @property {number} key  Constant for this page's life.
 * @property {string} [mid]
 * @property {string} [cid]
 * @property {number} [seq]
 * @property {number} [after]  For one without a number: the room's newest number when it was sent.
 * @property {string} from
 * @property {string} text
 * @property {string} at
 * @property {Status} status
 * @property {boolean} [delayed]
 * @property {string} [reason]  Of a blocked or failed one.
 * @property {string} [code]  Error code of a failed one.
 */

export class Timeline {
  /** Nothing was loaded yet. */ fresh = true;
  /** There is older history to load. */ more = false;
  /** Highest number seen. */ head = 0;

  /** @type {Set<Item>} */ #items = new Set();
  /** @type {Map<string, Item>} */ #byMid = new Map();
  /** @type {Map<string, Item>} */ #byCid = new Map();
  #lastKey = 0;
  #me;

  /** @param {string} me  Id of the user who looks. */
  constructor(me) {
    this.#me = me;
  }

  /** In the order in which they are shown. @returns {Item[]} */
  get items() {
    const numbered = [...this.#items].filter((item) => item.seq);
    numbered.sort((a, b) => Number(a.seq) - Number(b.seq));
    const places = new Map(numbered.map((item) => [item, Number(item.seq)]));
    for (const item of this.#items) {
      const place = item.seq ?? this.#placeOf(item, numbered);
      if (place !== undefined) places.set(item, place);
    }
    const bare = (/** @type {Item} */ item) => (item.seq ? 0 : 1);
    return [...places.keys()].sort(
      (a, b) => Number(places.get(a)) - Number(places.get(b)) || bare(a) - bare(b) || a.key - b.key,
    );
  }

  get oldestSeq() {
    let oldest = Infinity;
    for (const item of this.#items) oldest = Math.min(oldest, item.seq ?? Infinity);
    return oldest === Infinity ? undefined : oldest;
  }

  /** The number that a message without one is shown after; undefined while that is not loaded. */
  #placeOf(/** @type {Item} */ item, /** @type {Item[]} */ numbered) {
    if (item.after !== undefined) return item.after;
    const before = numbered.findLast((other) => !other.delayed && other.at && other.at <= item.at);
    if (before) return before.seq;
    return this.more ? undefined : 0;
  }

  /** A page of history; `newest` if it was asked for without `before`. */
  addHistory(/** @type {Record<string, any>} */ page, newest = false) {
    for (const message of page.messages) this.addMessage(message);
    if (this.fresh || !newest) this.more = page.more;
    this.fresh = false;
  }

  /** A delivered message: from history, or live. */
  addMessage(
    /** @type {Record<string, any>} */ { seq, mid, cid, from, text, at, delayed, removed },
  ) {
    this.head = Math.max(this.head, seq);
    const known = this.#find(mid, cid);
    const gone = removed || known?.status === 'removed';
    const status = gone ? 'removed' : 'delivered';
    this.#put(known, { seq, mid, cid, from, text: gone ? '' : text, at, delayed, status });
  }

  /** @returns {boolean} whether it was loaded */
  remove(/** @type {Record<string, any>} */ { mid, seq }) {
    this.head = Math.max(this.head, seq);
    const known = this.#find(mid);
    if (known) this.#put(known, { text: '', status: 'removed' });
    return known !== undefined;
  }

  /**
   * One's own message without a number, and what becomes of it: `own`, `status`, `ok`. One that is
   * new here and has a number comes by `message` or history, which know where it belongs.
   */
  addOwn(/** @type {Record<string, any>} */ own) {
    const { mid, cid, text, at, status, reason, seq, removed } = own;
    const known = this.#find(mid, cid);
    if (known?.status === 'removed' || (!known && (seq || text === undefined))) return;
    if (removed) this.#put(known, { mid, seq, text: '', status: 'removed' });
    else if (known?.seq) this.#put(known, { mid, cid });
    else this.#put(known, { mid, cid, from: this.#me, text, at, status, reason, seq });
  }

  /** One that was just put into the outbox. */
  addSending(/** @type {{cid: string, text: string, at: string}} */ { cid, text, at }) {
    const known = this.#byCid.get(cid);
    if (known && known.status !== 'failed') return;
    const after = this.fresh ? undefined : this.head;
    this.#put(known, { cid, from: this.#me, text, at, status: 'sending', after });
  }

  /** The server refused it for good. */
  fail(/** @type {{cid: string, error: {code?: string, reason?: string}}} */ { cid, error }) {
    const known = this.#byCid.get(cid);
    if (known?.status !== 'sending') return;
    this.#put(known, { status: 'failed', code: error.code, reason: error.reason });
  }

  forget(/** @type {string} */ cid) {
    const known = this.#byCid.get(cid);
    if (!known) return;
    this.#items.delete(known);
    this.#byCid.delete(cid);
  }

  /** Numbered messages are to be loaded anew; own ones without a number stay. */
  reset() {
    this.fresh = true;
    this.more = false;
    this.head = 0;
    for (const item of this.#items) {
      if (item.seq) this.#drop(item);
      else item.after = undefined;
    }
  }

  #drop(/** @type {Item} */ item) {
    this.#items.delete(item);
    if (item.mid) this.#byMid.delete(item.mid);
    if (item.cid) this.#byCid.delete(item.cid);
  }

  #find(/** @type {string | undefined} */ mid, /** @type {string | undefined} */ cid = undefined) {
    return this.#byMid.get(mid ?? '') ?? this.#byCid.get(cid ?? '');
  }

  #put(/** @type {Item | undefined} */ known, /** @type {Partial<Item>} */ fields) {
    const item = known ?? /** @type {Item} */ ({ key: ++this.#lastKey });
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined) Object.assign(item, { [name]: value });
    }
    this.#items.add(item);
    if (item.mid) this.#byMid.set(item.mid, item);
    if (item.cid) this.#byCid.set(item.cid, item);
  }
}
