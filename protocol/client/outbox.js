// SPDX-License-Identifier: Apache-2.0
/**
 * Messages that the server has not answered yet.
 *
 * A message stays until its answer, through reconnects and, with a storage, through reloads; its cid
 * makes sending it again harmless. One message of a room is on its way at a time, so that the order
 * of one sender is the order of the calls.
 */

/**
 * @typedef {{cid: string, room: string, text: string, at: string}} Unsent
 * @typedef {Unsent & {done: Promise<any>}} Entry  `done`: the server's `ok`, or a ChatError.
 * @typedef {Entry & {resolve: (ok: any) => void, reject: (error: unknown) => void}} Item
 */

/** A random UUID. crypto.randomUUID is missing on pages that plain http serves to another host. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

export class Outbox {
  /** By cid, in the order of sending. @type {Map<string, Item>} */ #items = new Map();
  /** Rooms with a message on its way. @type {Set<string>} */ #busy = new Set();
  /** Whose words these are. @type {string | undefined} */ #user;
  #open = false;
  #ask;
  #emit;
  #storage;
  #key;

  /**
   * @param {object} owner
   * @param {(fields: object) => Promise<any>} owner.ask  Sends one message; settles when the server has
   *   answered for good, however long that takes.
   * @param {(type: string, detail: object) => void} owner.emit
   * @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} [owner.storage]
   * @param {string} owner.key
   */
  constructor({ ask, emit, storage, key }) {
    this.#ask = ask;
    this.#emit = emit;
    this.#storage = storage;
    this.#key = key;
    this.#load();
  }

  /** Oldest first. @returns {Entry[]} */
  get entries() {
    return [...this.#items.values()];
  }

  get size() {
    return this.#items.size;
  }

  /** @returns {Entry | undefined} */
  get(/** @type {string} */ cid) {
    return this.#items.get(cid);
  }

  /** @returns {Entry} */
  add(/** @type {Unsent} */ unsent) {
    const item = this.#enqueue(unsent);
    this.#save();
    this.#pump();
    return item;
  }

  /** Lets messages go out, this user's only: one person's words are never sent in another's name. */
  openFor(/** @type {string} */ user) {
    if (this.#user !== undefined && this.#user !== user) this.#items.clear();
    this.#user = user;
    this.#open = true;
    this.#save();
    this.#pump();
  }

  #enqueue(/** @type {Unsent} */ { cid, room, text, at }) {
    const item = /** @type {Item} */ ({ cid, room, text, at });
    item.done = new Promise((resolve, reject) => Object.assign(item, { resolve, reject }));
    item.done.catch(() => {}); // `failed` tells it too; nobody has to await `done`
    this.#items.set(cid, item);
    return item;
  }

  #pump() {
    if (!this.#open) return;
    for (const item of this.#items.values()) {
      if (this.#busy.has(item.room)) continue;
      this.#busy.add(item.room);
      this.#deliver(item);
    }
  }

  async #deliver(/** @type {Item} */ item) {
    const { cid, room, text } = item;
    try {
      const ok = await this.#ask({ room, cid, text });
      this.#settle(item, 'sent', { ...ok, room, text });
      item.resolve(ok);
    } catch (error) {
      this.#settle(item, 'failed', { cid, room, text, error });
      item.reject(error);
    }
  }

  #settle(/** @type {Item} */ item, /** @type {string} */ type, /** @type {object} */ detail) {
    this.#items.delete(item.cid);
    this.#busy.delete(item.room);
    this.#save();
    this.#emit(type, detail);
    this.#pump();
  }

  #load() {
    try {
      const saved = JSON.parse(this.#storage?.getItem(this.#key) ?? 'null');
      this.#user = saved?.user;
      for (const unsent of saved?.entries ?? []) this.#enqueue(unsent);
    } catch {
      // What can't be read is as good as none.
    }
  }

  #save() {
    try {
      const entries = this.entries.map(({ cid, room, text, at }) => ({ cid, room, text, at }));
      if (entries.length === 0) this.#storage?.removeItem(this.#key);
      else this.#storage?.setItem(this.#key, JSON.stringify({ user: this.#user, entries }));
    } catch {
      // A full or forbidden storage costs the outbox its life after a reload, nothing else.
    }
  }
}
