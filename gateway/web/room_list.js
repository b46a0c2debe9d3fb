// SPDX-License-Identifier: Apache-2.0
/** The rooms of the user as the server lists them, kept up to date by events. No DOM here. */

/** @typedef {Record<string, any>} Room */

export class RoomList {
  /** @type {Map<string, Room>} */ #rooms = new Map();
  #me;

  /** @param {string} me */
  constructor(me) {
    this.#me = me;
  }

  get(/** @type {string | null} */ id) {
    return this.#rooms.get(id ?? '');
  }

  /** Last moved first. @returns {Room[]} */
  get all() {
    const moved = (/** @type {Room} */ room) => room.last_message_at ?? room.created_at;
    return [...this.#rooms.values()].sort((a, b) => moved(b).localeCompare(moved(a)));
  }

  get unread() {
    return this.all.reduce((sum, room) => sum + room.unread, 0);
  }

  /** Takes the server's view of a room, unless events brought us further already. */
  put(/** @type {Room} */ { t, re, ...room }) {
    const known = this.#rooms.get(room.room);
    if (known && known.head > room.head) Object.assign(known, { online: room.online });
    else this.#rooms.set(room.room, room);
  }

  /** Keeps only these; for what was closed while nobody told us. */
  keepOnly(/** @type {Set<string>} */ ids) {
    for (const id of this.#rooms.keys()) if (!ids.has(id)) this.#rooms.delete(id);
  }

  delete(/** @type {string} */ id) {
    this.#rooms.delete(id);
  }

  /** @returns {boolean} whether the room is known */
  addMessage(/** @type {Record<string, any>} */ message) {
    const room = this.#rooms.get(message.room);
    if (!room) return false;
    if (message.seq <= room.head) return true;
    room.head = message.seq;
    if (message.removed) return true;
    room.last_message = message;
    room.last_message_at = message.delayed ? new Date().toISOString() : message.at;
    if (message.from !== this.#me) room.unread++;
    return true;
  }

  /** The preview loses its text at once; what else changed only the server knows. */
  removeMessage(/** @type {{room: string, mid: string, seq: number}} */ { room: id, mid, seq }) {
    const room = this.#rooms.get(id);
    if (!room) return;
    room.head = Math.max(room.head, seq);
    if (room.last_message?.mid === mid) room.last_message = { ...room.last_message, removed: true };
  }

  /** A read mark moved. @returns {boolean} whether the count of unread ones must be asked for */
  markRead(/** @type {{room: string, user: string, seq: number}} */ { room: id, user, seq }) {
    const room = this.#rooms.get(id);
    if (!room) return false;
    if (user !== this.#me) {
      room.peer_read = Math.max(room.peer_read, seq);
      return false;
    }
    room.read = Math.max(room.read, seq);
    if (seq >= room.head) room.unread = 0;
    return seq < room.head;
  }

  setOnline(/** @type {string} */ user, /** @type {boolean} */ online) {
    for (const room of this.#rooms.values()) if (room.peer.id === user) room.online = online;
  }
}
