// SPDX-License-Identifier: Apache-2.0
/** One signed-in person's chat: the client's events into the models, the models into the views. */
import { Client } from '/client/chatgate.js';

import { currentToken } from './account.js';
import { Banner } from './banner.js';
import { Conversation } from './conversation.js';
import { byId, setText } from './dom.js';
import { RoomList } from './room_list.js';
import { RoomsView } from './rooms_view.js';
import { say } from './say.js';
import { fullName } from './text.js';

const TYPING_SHOWN_MS = 5000;
const REFRESH_DELAY_MS = 500;
const OWN_SHOWN_MS = 7 * 86_400_000; // how long one sees what of one's own was blocked
const TITLE = 'chatgate';

export class Session {
  #me;
  #rooms;
  #client;
  #banner;
  #conversation;
  #roomsView;
  #ended;
  /** Room that the address names. @type {string | null} */ #selected = null;
  /** Timers of the peers who type, by room. @type {Map<string, number>} */ #typing = new Map();
  /** Where the next page of rooms starts; undefined: no page came yet. */
  #cursor = /** @type {string | null | undefined} */ (undefined);
  #refreshTimer = 0;
  #renderQueued = false;
  #life = new AbortController();

  /**
   * @param {import('./account.js').Account} account
   * @param {(phrase: string) => void} ended  The server ended it; `phrase` says why.
   */
  constructor(account, ended) {
    this.#me = account.user;
    this.#ended = ended;
    this.#rooms = new RoomList(this.#me.id);
    this.#client = new Client({
      url: `${location.origin.replace(/^http/, 'ws')}/ws`,
      getToken: currentToken,
      storage: sessionStorage,
      storageKey: `chatgate.outbox.${this.#me.id}`,
      resume: { own_since: new Date(Date.now() - OWN_SHOWN_MS).toISOString() },
    });
    this.#banner = new Banner(() => this.#retry());
    this.#roomsView = new RoomsView(this.#me);
    this.#conversation = new Conversation(this.#client, this.#me.id, () => this.render());
    this.#listen();
    this.#client.connect();
    this.#select();
  }

  /** Ends it from this side. */
  close() {
    this.#life.abort();
    this.#client.disconnect();
    this.#banner.close();
    clearTimeout(this.#refreshTimer);
    for (const timer of this.#typing.values()) clearTimeout(timer);
    document.title = TITLE;
  }

  /** Shows everything anew, once for all changes of this turn. */
  render() {
    if (this.#renderQueued) return;
    this.#renderQueued = true;
    queueMicrotask(() => {
      this.#renderQueued = false;
      if (!this.#life.signal.aborted) this.#render();
    });
  }

  #render() {
    const unread = this.#rooms.unread;
    document.title = unread > 0 ? `(${unread}) ${TITLE}` : TITLE;
    setText(byId('my-name'), fullName(this.#me));
    setText(byId('my-role'), say(`role.${this.#me.role}`));
    this.#roomsView.render(this.#rooms.all, {
      selected: this.#selected,
      typing: new Set(this.#typing.keys()),
      loading: this.#cursor === undefined,
      more: Boolean(this.#cursor),
    });
    const room = this.#rooms.get(this.#selected);
    if (room) this.#conversation.render(room, this.#typing.has(room.room));
  }

  #listen() {
    const { signal } = this.#life;
    for (const [type, handle] of Object.entries(this.#handlers)) {
      const listener = (/** @type {any} */ event) => {
        handle(event.detail);
        this.render();
      };
      this.#client.addEventListener(type, listener, { signal });
    }
    window.addEventListener('hashchange', () => this.#select(), { signal });
    window.addEventListener('focus', () => this.#conversation.markRead(), { signal });
    document.addEventListener('visibilitychange', () => this.#conversation.markRead(), { signal });
    byId('rooms-more').onclick = () => this.#loadRooms(this.#cursor ?? null);
  }

  /** @type {Record<string, (detail: any) => void>} */
  #handlers = {
    state: (change) => this.#handleState(change),
    message: (message) => {
      if (!this.#rooms.addMessage(message)) this.#refreshRooms();
      if (message.from !== this.#me.id) this.#stopTyping(message.room);
      this.#conversation.handleMessage(message);
    },
    removed: (removal) => {
      this.#rooms.removeMessage(removal);
      this.#conversation.timeline(removal.room).remove(removal);
      this.#refreshRooms();
    },
    own: (own) => this.#conversation.timeline(own.room).addOwn(own),
    status: (status) => this.#conversation.timeline(status.room).addOwn(status),
    sent: (ok) => this.#conversation.timeline(ok.room).addOwn(ok),
    failed: (failure) => this.#conversation.timeline(failure.room).fail(failure),
    reset: ({ room }) => {
      this.#conversation.handleReset(room);
      this.#refreshRooms();
    },
    room: (room) => this.#rooms.put(room),
    room_closed: ({ room }) => this.#handleClosed(room),
    read: (mark) => {
      if (this.#rooms.markRead(mark)) this.#refreshRooms();
    },
    typing: ({ room }) => this.#startTyping(room),
    presence: ({ user, online }) => this.#rooms.setOnline(user, online),
  };

  // ---- connection -------------------------------------------------------------------------------

  #handleState(/** @type {Record<string, any>} */ change) {
    this.#banner.show(change);
    if (change.state === 'connected') {
      this.#conversation.limits = this.#client.limits;
      this.#conversation.handleConnected();
      this.#loadRooms(null);
    }
    if (change.state === 'disconnected' && change.code === 4500) this.#ended('signin.ended');
    if (change.state === 'disconnected' && change.code === 4502) this.#ended('signin.revoked');
  }

  #retry() {
    if (this.#client.state === 'disconnected') this.#client.connect();
    else this.#client.retryNow();
  }

  // ---- rooms ------------------------------------------------------------------------------------

  /** Loads a page of rooms, and more of them until the selected one is there. */
  async #loadRooms(/** @type {string | null} */ from) {
    try {
      let cursor = from;
      /** @type {Set<string>} */
      const seen = new Set();
      do {
        const page = await this.#client.rooms(cursor);
        for (const room of page.rooms) {
          this.#rooms.put(room);
          seen.add(room.room);
        }
        cursor = page.cursor;
      } while (cursor && this.#selected && !this.#rooms.get(this.#selected));
      if (from === null && cursor === null) this.#rooms.keepOnly(seen);
      this.#cursor = cursor;
    } catch {
      return; // the next connection loads them
    }
    this.#select();
  }

  #refreshRooms() {
    clearTimeout(this.#refreshTimer);
    this.#refreshTimer = window.setTimeout(() => this.#loadRooms(null), REFRESH_DELAY_MS);
  }

  #handleClosed(/** @type {string} */ id) {
    const room = this.#rooms.get(id);
    if (id === this.#selected && room) room.closed = true;
    else this.#rooms.delete(id);
  }

  /** Goes to the room that the address names, once it is known. */
  #select() {
    this.#selected = new URLSearchParams(location.hash.slice(1)).get('room');
    const room = this.#rooms.get(this.#selected);
    byId('chat').classList.toggle('in-room', room !== undefined);
    if (room?.room !== this.#conversation.roomId) {
      if (room) this.#conversation.open(room);
      else this.#conversation.close();
    }
    this.render();
  }

  // ---- typing -----------------------------------------------------------------------------------

  #startTyping(/** @type {string} */ room) {
    clearTimeout(this.#typing.get(room));
    const done = () => {
      this.#stopTyping(room);
      this.render();
    };
    this.#typing.set(room, window.setTimeout(done, TYPING_SHOWN_MS));
  }

  #stopTyping(/** @type {string} */ room) {
    clearTimeout(this.#typing.get(room));
    this.#typing.delete(room);
  }
}
