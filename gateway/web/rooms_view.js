// SPDX-License-Identifier: Apache-2.0
/** The list of rooms. A room is a link to #room=<id>, so that history, reload and keys just work. */
import { arrange, byId, fromTemplate, setText, within } from './dom.js';
import { say, sayWhen } from './say.js';
import { colourOf, displayLine, fullName, initials } from './text.js';

/** @typedef {import('./room_list.js').Room} Room */

export class RoomsView {
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();
  #list = byId('rooms');

  /** @param {{id: string, role: string}} me */
  constructor(me) {
    this.me = me;
    this.#list.replaceChildren();
    this.#list.onkeydown = handleArrows;
  }

  /**
   * @param {Room[]} rooms
   * @param {{selected: string | null, typing: Set<string>, loading: boolean, more: boolean}} view
   */
  render(rooms, { selected, typing, loading, more }) {
    const rows = rooms.map((room) =>
      this.#row(room, room.room === selected, typing.has(room.room)),
    );
    arrange(this.#list, rows);
    setText(byId('rooms-state'), rooms.length === 0 ? this.#nothingHere(loading) : '');
    byId('rooms-more').hidden = !more;
  }

  #nothingHere(/** @type {boolean} */ loading) {
    if (loading) return say('rooms.loading');
    const writes = ['teacher', 'student'].includes(this.me.role);
    return say(writes ? 'rooms.empty' : 'rooms.emptyModerator');
  }

  #row(/** @type {Room} */ room, /** @type {boolean} */ selected, /** @type {boolean} */ typing) {
    const row = this.#rows.get(room.room) ?? fromTemplate('room-template');
    this.#rows.set(room.room, row);
    const link = within(row, 'a');
    link.href = `#room=${room.room}`;
    if (selected) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
    link.classList.toggle('unread', room.unread > 0);

    paintAvatar(within(row, '.avatar'), room.peer, room.online);
    setText(within(row, '.name'), fullName(room.peer));
    const preview = within(row, '.preview');
    preview.classList.toggle('typing', typing);
    setText(preview, typing ? say('presence.typing') : this.#preview(room));
    const time = within(row, 'time');
    time.dateTime = room.last_message_at ?? room.created_at;
    setText(time, room.last_message_at ? sayWhen(new Date(room.last_message_at)) : '');
    const badge = within(row, '.badge');
    badge.hidden = room.unread === 0;
    badge.setAttribute('aria-hidden', 'true'); // the details say it in words
    setText(badge, room.unread > 99 ? '99+' : String(room.unread));
    setText(within(row, '.details'), this.#details(room));
    return row;
  }

  #preview(/** @type {Room} */ { last_message: last }) {
    if (!last) return say('rooms.none');
    if (last.removed) return say('rooms.removed');
    const text = displayLine(last.text);
    return last.from === this.me.id ? say('rooms.you', { text }) : text;
  }

  #details(/** @type {Room} */ room) {
    const presence = say(room.online ? 'presence.online' : 'presence.offline');
    return room.unread > 0 ? `${presence}, ${say('rooms.unread', { n: room.unread })}` : presence;
  }
}

/** @param {HTMLElement} avatar @param {Record<string, any>} person @param {boolean} online */
export function paintAvatar(avatar, person, online) {
  setText(avatar, initials(person));
  avatar.dataset.colour = String(colourOf(person.id));
  avatar.classList.toggle('online', online);
}

/** Arrow keys go from room to room. */
function handleArrows(/** @type {KeyboardEvent} */ event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...byId('rooms').querySelectorAll('a')];
  const next = links[links.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
