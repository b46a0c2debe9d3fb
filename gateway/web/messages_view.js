// SPDX-License-Identifier: Apache-2.0
/** The messages of one room as a list: bubbles, days, and the line above what was unread. */
import { arrange, byId, fromTemplate, setText, within } from './dom.js';
import { say, sayDay, sayError, sayMoment, sayReason, sayTime } from './say.js';
import { displayText, fullName } from './text.js';

/**
 * @typedef {import('./timeline.js').Item} Item
 * @typedef {import('./room_list.js').Room} Room
 * @typedef {'retry' | 'discard' | 'edit'} Action
 */

const GROUP_MS = 5 * 60_000; // messages of one person this close together are one group

/** @type {Record<string, Action[]>} */
const ACTIONS = { failed: ['retry', 'discard'], blocked: ['edit'] };

export class MessagesView {
  /** @type {Map<number, HTMLElement>} */ #rows = new Map();
  /** @type {Map<string, HTMLElement>} */ #marks = new Map();
  #list = byId('messages');

  /** @param {string} me @param {(action: Action, item: Item) => void} act */
  constructor(me, act) {
    this.me = me;
    this.act = act;
    this.#list.replaceChildren();
  }

  /** @param {Room} room @param {Item[]} items @param {number | null} unreadAfter */
  render(room, items, unreadAfter) {
    /** @type {Element[]} */
    const children = [];
    /** @type {Item | undefined} */
    let previous;
    let marked = unreadAfter === null;
    for (const item of items) {
      const date = new Date(item.at ?? previous?.at ?? Date.now());
      const day = item.at && sayDay(date);
      const newDay = day && (!previous?.at || sayDay(new Date(previous.at)) !== day);
      if (newDay) children.push(this.#mark(`day ${day} ${item.seq ?? ''}`, day));
      if (!marked && item.from !== this.me && item.seq && item.seq > Number(unreadAfter)) {
        children.push(this.#mark('unread', say('chat.unread')));
        marked = true;
      }
      children.push(this.#row(room, item, !newDay && isTogether(previous, item)));
      previous = item;
    }
    arrange(this.#list, children);
  }

  #mark(/** @type {string} */ key, /** @type {string} */ text) {
    const mark = this.#marks.get(key) ?? fromTemplate('mark-template');
    this.#marks.set(key, mark);
    mark.classList.toggle('unread', key === 'unread');
    setText(within(mark, 'span'), text);
    return mark;
  }

  #row(/** @type {Room} */ room, /** @type {Item} */ item, /** @type {boolean} */ together) {
    const row = this.#rows.get(item.key) ?? fromTemplate('message-template');
    this.#rows.set(item.key, row);
    const mine = item.from === this.me;
    const removed = item.status === 'removed';
    row.className = `message ${item.status}`;
    row.classList.toggle('mine', mine);
    row.classList.toggle('together', together);
    if (item.mid) row.dataset.mid = item.mid;
    if (item.seq) row.dataset.seq = String(item.seq);

    const author = mine ? say('message.you') : fullName(room.peer);
    setText(within(row, '.author'), removed && !item.from ? '' : `${author}: `);
    setText(within(row, '.text'), removed ? say('message.removed') : displayText(item.text));
    setText(within(row, '.late'), item.delayed && !removed ? say('message.delayed') : '');
    paintTime(within(row, 'time'), item);
    paintStatus(within(row, '.status'), mine && !removed ? shownStatus(room, item) : null);
    this.#paintNote(row, item);
    return row;
  }

  #paintNote(/** @type {HTMLElement} */ row, /** @type {Item} */ item) {
    const note = within(row, '.note');
    const text = noteOf(item);
    note.hidden = !text;
    setText(note, text);
    const actions = within(row, '.actions');
    const wanted = ACTIONS[item.status] ?? [];
    actions.hidden = wanted.length === 0;
    actions.replaceChildren(...wanted.map((action) => this.#button(action, item)));
  }

  #button(/** @type {Action} */ action, /** @type {Item} */ item) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'link';
    button.textContent = say(`action.${action}`);
    button.onclick = () => this.act(action, item);
    return button;
  }
}

function isTogether(/** @type {Item | undefined} */ previous, /** @type {Item} */ item) {
  if (!previous || previous.from !== item.from || noteOf(previous)) return false;
  return Math.abs(Date.parse(item.at) - Date.parse(previous.at)) < GROUP_MS;
}

function shownStatus(/** @type {Room} */ room, /** @type {Item} */ item) {
  const read = item.status === 'delivered' && Number(item.seq) <= room.peer_read;
  return read ? 'read' : item.status;
}

/** @returns {string} */
function noteOf(/** @type {Item} */ { status, code, reason }) {
  if (status === 'pending_moderation') return say('note.pending_moderation');
  if (status === 'blocked') return say('note.blocked', { why: sayReason(reason) });
  if (status === 'failed') return say('note.failed', { why: sayError(code, reason) });
  return '';
}

function paintTime(/** @type {HTMLTimeElement} */ time, /** @type {Item} */ { at, status }) {
  time.hidden = !at || status === 'removed';
  if (!at) return;
  const date = new Date(at);
  time.dateTime = at;
  time.title = sayMoment(date);
  setText(time, sayTime(date));
}

function paintStatus(/** @type {HTMLElement} */ element, /** @type {string | null} */ status) {
  element.hidden = status === null;
  if (status === null) return;
  within(element, 'use').setAttribute('href', `#icon-${status}`);
  element.title = say(`status.${status}`);
  setText(within(element, '.label'), say(`status.${status}`));
}
