// SPDX-License-Identifier: Apache-2.0
/** The open room: its header, its messages with history paged in from above, and the composer. */
import { Composer } from './composer.js';
import { announce, byId, setText } from './dom.js';
import { MessagesView } from './messages_view.js';
import { paintAvatar } from './rooms_view.js';
import { say } from './say.js';
import { displayLine, fullName } from './text.js';
import { Timeline } from './timeline.js';

/** @typedef {import('./room_list.js').Room} Room */

const NEAR_END_PX = 60;
const LOAD_AHEAD_PX = 600;
const PAGE = 50;

export class Conversation {
  /** @type {Map<string, Timeline>} */ #timelines = new Map();
  /** @type {Room | undefined} */ #room;
  /** Rooms with a page on its way. @type {Set<string>} */ #loading = new Set();
  /** The mark when the room was opened, so that the line stays where it was. */
  #unreadAfter = /** @type {number | null} */ (null);
  #peerTypes = false;
  #atEnd = true;
  #newBelow = 0;
  #scroller = byId('scroller');
  #composer;
  #messages;
  #client;
  #me;
  #changed;

  /**
   * @param {import('/client/chatgate.js').Client} client
   * @param {string} me
   * @param {() => void} changed  Something changed that is shown outside of the conversation.
   */
  constructor(client, me, changed) {
    this.#client = client;
    this.#me = me;
    this.#changed = changed;
    this.#messages = new MessagesView(me, (action, item) => this.#act(action, item));
    this.#composer = new Composer(
      (text) => this.#send(text),
      () => client.typing(this.roomId ?? ''),
    );
    this.#scroller.onscroll = () => this.#handleScroll();
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#scroller);
    byId('latest').onclick = () => this.#toEnd();
    byId('history-again').onclick = () => this.#load();
    for (const entry of client.outbox) this.timeline(entry.room).addSending(entry);
    this.close();
  }

  /** @returns {Timeline} */
  timeline(/** @type {string} */ room) {
    const known = this.#timelines.get(room);
    if (known) return known;
    const timeline = new Timeline(this.#me);
    this.#timelines.set(room, timeline);
    return timeline;
  }

  get roomId() {
    return this.#room?.room;
  }

  set limits(/** @type {Record<string, any>} */ limits) {
    this.#composer.limit = limits.text_code_points;
  }

  open(/** @type {Room} */ room) {
    this.#room = room;
    this.#unreadAfter = room.unread > 0 ? room.read : null;
    this.#newBelow = 0;
    this.#atEnd = true;
    byId('nothing').hidden = true;
    byId('conversation').hidden = false;
    byId('history-again').hidden = true;
    if (this.timeline(room.room).fresh) this.#load();
    this.render(room, false);
    this.#toUnread();
    if (matchMedia('(pointer: fine)').matches) this.#composer.focus();
  }

  close() {
    this.#room = undefined;
    byId('conversation').hidden = true;
    byId('nothing').hidden = false;
  }

  /** @param {Room} room  The open room as it is now. @param {boolean} typing  Is the peer? */
  render(room, typing) {
    this.#room = room;
    this.#peerTypes = typing;
    this.#paint(room);
  }

  #paint(/** @type {Room} */ room) {
    const name = fullName(room.peer);
    const timeline = this.timeline(room.room);
    setText(byId('peer-name'), name);
    paintAvatar(byId('peer-avatar'), room.peer, room.online);
    byId('peer-state').classList.toggle('typing', this.#peerTypes);
    setText(byId('peer-state'), peerState(room, this.#peerTypes));
    this.#scroller.setAttribute('aria-label', say('chat.messages', { name }));
    this.#composer.show(room.room, name);
    byId('composer').hidden = Boolean(room.closed);
    this.#paintHistoryState(timeline);
    this.#messages.render(room, timeline.items, this.#unreadAfter);
    this.#paintLatest();
    if (this.#atEnd) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.markRead();
  }

  /** Takes an event into its room's timeline, and says it if that room is open. */
  handleMessage(/** @type {Record<string, any>} */ message) {
    this.#timelines.get(message.room)?.addMessage(message);
    const room = this.#room;
    if (!room || message.room !== room.room) return;
    if (message.removed || message.from === this.#me) return;
    const values = { name: fullName(room.peer), text: displayLine(message.text) };
    announce(say('announce.message', values));
    if (!this.#atEnd) this.#newBelow++;
  }

  handleReset(/** @type {string} */ room) {
    this.#timelines.get(room)?.reset();
    if (room === this.#room?.room) this.#load();
  }

  /** A history page may have been lost with the connection. */
  handleConnected() {
    if (this.#room && this.timeline(this.#room.room).fresh) this.#load();
  }

  /** The end of the room is in view of a person: everything up to it was read. */
  markRead() {
    const room = this.#room;
    if (!room || !this.#atEnd || !document.hasFocus() || document.visibilityState !== 'visible')
      return;
    const timeline = this.timeline(room.room);
    if (timeline.fresh || timeline.head === 0) return;
    this.#client.read(room.room, Math.max(timeline.head, room.head));
    if (room.unread === 0) return;
    room.unread = 0;
    this.#changed();
  }

  #paintHistoryState(/** @type {Timeline} */ timeline) {
    const room = /** @type {Room} */ (this.#room);
    const loading = this.#loading.has(room.room);
    const start = timeline.more || timeline.fresh ? '' : say('chat.start');
    const failed = byId('history-again').hidden ? start : say('chat.failed');
    setText(byId('history'), loading ? say('chat.loading') : failed);
    this.#scroller.setAttribute('aria-busy', String(loading));
  }

  #paintLatest() {
    byId('latest').hidden = this.#atEnd;
    const text = this.#newBelow > 0 ? say('chat.newBelow', { n: this.#newBelow }) : '';
    setText(byId('latest-text'), text);
    byId('latest').setAttribute('aria-label', text || say('chat.latest'));
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** Shows the line above the unread ones, if there is one, else the end. */
  #toUnread() {
    const line = this.#scroller.querySelector('.mark.unread');
    if (line) this.#scroller.scrollTop = line.offsetTop - this.#scroller.clientHeight / 3;
    else this.#toEnd();
  }

  #handleScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (atEnd !== this.#atEnd) {
      this.#atEnd = atEnd;
      if (atEnd) this.#newBelow = 0;
      this.#paintLatest();
    }
    if (atEnd) this.markRead();
    const failed = !byId('history-again').hidden;
    if (scrollTop < LOAD_AHEAD_PX && this.#room && this.timeline(this.#room.room).more && !failed) {
      this.#load();
    }
  }

  /** Loads the newest page, or the one before what is shown. */
  async #load() {
    const id = /** @type {Room} */ (this.#room).room;
    if (this.#loading.has(id)) return;
    const timeline = this.timeline(id);
    const before = timeline.fresh ? undefined : timeline.oldestSeq;
    this.#loading.add(id);
    byId('history-again').hidden = true;
    let failed = false;
    try {
      const page = await this.#client.history(id, { before, limit: PAGE });
      timeline.addHistory(page, before === undefined);
    } catch {
      failed = this.#client.state === 'connected';
    }
    this.#loading.delete(id);
    const room = this.#room;
    if (!room || room.room !== id) return;
    byId('history-again').hidden = !failed;
    this.#paintKeepingPlace(room, before === undefined);
  }

  #paintKeepingPlace(/** @type {Room} */ room, /** @type {boolean} */ first) {
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#paint(room);
    if (first) this.#toUnread();
    else this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    this.#handleScroll();
  }

  #send(/** @type {string} */ text, /** @type {string | undefined} */ cid = undefined) {
    const { room } = /** @type {Room} */ (this.#room);
    try {
      this.timeline(room).addSending(this.#client.send(room, text, { cid }));
    } catch {
      this.#composer.complain(say('compose.full'));
      return false;
    }
    this.#unreadAfter = null;
    this.#atEnd = true;
    this.#changed();
    return true;
  }

  #act(
    /** @type {import('./messages_view.js').Action} */ action,
    /** @type {import('./timeline.js').Item} */ item,
  ) {
    if (action === 'retry') this.#send(item.text, item.cid);
    if (action === 'discard')
      this.timeline(/** @type {Room} */ (this.#room).room).forget(item.cid ?? '');
    if (action === 'edit') this.#composer.value = item.text;
    this.#composer.focus();
    this.#changed();
  }
}

function peerState(/** @type {Room} */ room, /** @type {boolean} */ typing) {
  if (room.closed) return say('chat.closed');
  if (typing) return say('presence.typing');
  return `${say(`role.${room.peer.role}`)} · ${say(room.online ? 'presence.online' : 'presence.offline')}`;
}
