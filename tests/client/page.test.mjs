// SPDX-License-Identifier: Apache-2.0
/** The chat page's models, which know no document: node --test tests/client */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RoomList } from '../../gateway/web/room_list.js';
import {
  codePoints,
  displayLine,
  displayText,
  fullName,
  initials,
} from '../../gateway/web/text.js';
import { Timeline } from '../../gateway/web/timeline.js';
import { WORDS } from '../../gateway/web/words.js';

const at = (minute) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
const message = (seq, extra = {}) => ({
  seq,
  mid: `m${seq}`,
  from: 'peer',
  text: `t${seq}`,
  at: at(seq),
  ...extra,
});
const shown = (timeline) => timeline.items.map(({ text, status }) => `${text} ${status}`);

describe('timeline', () => {
  test('history and live events merge by number, whatever comes first', () => {
    const timeline = new Timeline('me');
    timeline.addMessage(message(5));
    timeline.addHistory({ messages: [message(3), message(4), message(5)], more: true }, true);
    timeline.addHistory({ messages: [message(1), message(2)], more: false });
    timeline.addMessage(message(6));
    assert.deepEqual(
      timeline.items.map(({ seq }) => seq),
      [1, 2, 3, 4, 5, 6],
    );
    assert.deepEqual(
      [timeline.more, timeline.fresh, timeline.head, timeline.oldestSeq],
      [false, false, 6, 1],
    );
  });

  test('an own message goes from sending to delivered by `ok` and `message`, in both orders', () => {
    const ok = { mid: 'x', cid: 'c', status: 'delivered', seq: 2, text: 'mine' };
    const live = message(2, { mid: 'x', cid: 'c', from: 'me', text: 'mine' });
    for (const events of [
      ['ok', 'live'],
      ['live', 'ok'],
    ]) {
      const timeline = new Timeline('me');
      timeline.addMessage(message(1));
      timeline.addSending({ cid: 'c', text: 'mine', at: at(9) });
      assert.deepEqual(shown(timeline), ['t1 delivered', 'mine sending']);
      for (const event of events) event === 'ok' ? timeline.addOwn(ok) : timeline.addMessage(live);
      assert.deepEqual(shown(timeline), ['t1 delivered', 'mine delivered']);
      assert.equal(timeline.items[1].seq, 2);
    }
  });

  test('one under review keeps its place until a person decides, then takes its number', () => {
    const timeline = new Timeline('me');
    timeline.addMessage(message(1));
    timeline.addSending({ cid: 'c', text: 'held', at: at(1) });
    timeline.addOwn({ mid: 'x', cid: 'c', status: 'pending_moderation' });
    timeline.addMessage(message(2));
    assert.deepEqual(shown(timeline), ['t1 delivered', 'held pending_moderation', 't2 delivered']);
    timeline.addOwn({ mid: 'x', cid: 'c', status: 'delivered' });
    timeline.addMessage(
      message(3, { mid: 'x', cid: 'c', from: 'me', text: 'held', delayed: true }),
    );
    assert.deepEqual(shown(timeline), ['t1 delivered', 't2 delivered', 'held delivered']);
  });

  test('after a reload own ones without a number stand by their time, once that is loaded', () => {
    const timeline = new Timeline('me');
    const own = { mid: 'x', cid: 'c', text: 'held', at: at(3), status: 'pending_moderation' };
    timeline.addOwn(own);
    assert.deepEqual(shown(timeline), ['held pending_moderation']);
    timeline.addHistory({ messages: [message(4), message(5)], more: true }, true);
    assert.deepEqual(shown(timeline), ['t4 delivered', 't5 delivered']);
    timeline.addHistory({ messages: [message(1), message(2)], more: false });
    assert.deepEqual(shown(timeline), [
      't1 delivered',
      't2 delivered',
      'held pending_moderation',
      't4 delivered',
      't5 delivered',
    ]);
  });

  test('a removed message loses its text for good', () => {
    const timeline = new Timeline('me');
    timeline.addMessage(message(1));
    timeline.remove({ mid: 'm1', seq: 2 });
    timeline.addMessage(message(1));
    timeline.addHistory({ messages: [{ seq: 3, mid: 'm3', removed: true }], more: false }, true);
    assert.deepEqual(shown(timeline), [' removed', ' removed']);
    assert.equal(timeline.head, 3);
  });

  test('own ones decided while nobody looked do not tear holes into the history', () => {
    const timeline = new Timeline('me');
    timeline.addOwn({ mid: 'm10', cid: 'c', text: 'old', at: at(1), status: 'delivered', seq: 10 });
    timeline.addHistory({ messages: [message(60), message(61)], more: true }, true);
    assert.equal(timeline.oldestSeq, 60);
    timeline.addOwn({ mid: 'x', cid: 'd', text: 'held', at: at(70), status: 'pending_moderation' });
    timeline.addOwn({
      mid: 'x',
      cid: 'd',
      removed: true,
      at: at(70),
      status: 'delivered',
      seq: 62,
    });
    assert.deepEqual(shown(timeline), ['t60 delivered', 't61 delivered', ' removed']);
  });

  test('a failed one can be sent again or forgotten', () => {
    const timeline = new Timeline('me');
    timeline.addSending({ cid: 'c', text: 'mine', at: at(1) });
    timeline.fail({ cid: 'c', error: { code: 'not_found', reason: 'room' } });
    const { status, code, reason } = timeline.items[0];
    assert.deepEqual([status, code, reason], ['failed', 'not_found', 'room']);
    timeline.addSending({ cid: 'c', text: 'mine', at: at(2) });
    assert.equal(timeline.items[0].status, 'sending');
    timeline.fail({ cid: 'c', error: { code: 'internal' } });
    timeline.forget('c');
    assert.deepEqual(timeline.items, []);
  });

  test('a reset drops what has a number and keeps the rest', () => {
    const timeline = new Timeline('me');
    timeline.addHistory({ messages: [message(1)], more: false }, true);
    timeline.addSending({ cid: 'c', text: 'mine', at: at(30) });
    timeline.reset();
    timeline.addHistory({ messages: [message(8), message(9)], more: true }, true);
    assert.deepEqual(shown(timeline), ['t8 delivered', 't9 delivered', 'mine sending']);
  });
});

describe('room list', () => {
  const room = (id, extra = {}) => ({
    room: id,
    peer: { id: `peer-${id}` },
    head: 3,
    unread: 0,
    read: 3,
    peer_read: 0,
    online: false,
    created_at: at(0),
    last_message_at: at(3),
    last_message: message(3),
    ...extra,
  });

  test('messages move a room up and count as unread unless they are mine', () => {
    const rooms = new RoomList('me');
    rooms.put(room('a'));
    rooms.put(room('b', { last_message_at: at(5) }));
    assert.deepEqual(
      rooms.all.map((each) => each.room),
      ['b', 'a'],
    );
    assert.equal(rooms.addMessage({ ...message(4, { at: at(9) }), room: 'a' }), true);
    rooms.addMessage({ ...message(4, { at: at(9) }), room: 'a' });
    rooms.addMessage({ ...message(5, { at: at(9), from: 'me' }), room: 'a' });
    assert.deepEqual(
      rooms.all.map((each) => each.room),
      ['a', 'b'],
    );
    assert.equal(rooms.unread, 1);
    assert.equal(rooms.addMessage({ ...message(1), room: 'unknown' }), false);
  });

  test('an older view of the server does not undo what events told', () => {
    const rooms = new RoomList('me');
    rooms.put(room('a'));
    rooms.addMessage({ ...message(4), room: 'a' });
    rooms.put(room('a', { head: 3, online: true }));
    assert.deepEqual(
      [rooms.get('a').head, rooms.get('a').unread, rooms.get('a').online],
      [4, 1, true],
    );
  });

  test('read marks, presence, removal', () => {
    const rooms = new RoomList('me');
    rooms.put(room('a', { unread: 2, read: 1 }));
    assert.equal(rooms.markRead({ room: 'a', user: 'me', seq: 2 }), true);
    assert.equal(rooms.markRead({ room: 'a', user: 'me', seq: 3 }), false);
    rooms.markRead({ room: 'a', user: 'peer-a', seq: 2 });
    rooms.setOnline('peer-a', true);
    rooms.removeMessage({ room: 'a', mid: 'm3', seq: 4 });
    const { unread, read, peer_read: peerRead, online, head, last_message: last } = rooms.get('a');
    assert.deepEqual(
      [unread, read, peerRead, online, head, last.removed],
      [0, 3, 2, true, 4, true],
    );
  });
});

describe('text', () => {
  test('direction overrides are dropped, marks of right-to-left scripts stay', () => {
    assert.equal(displayText('a\u202Egnp.exe\u202C'), 'agnp.exe');
    assert.equal(displayText('\u2066x\u2069 \u200Fשלום'), 'x \u200Fשלום');
  });

  test('control characters are seen', () => {
    assert.equal(displayText('a\u0000b\u001Bc\u007F\u0085'), 'a\u2400b\u241Bc\u2421\uFFFD');
    assert.equal(displayText('a\r\nb\tc\u2028d'), 'a\nb\tc\nd');
  });

  test('tag characters are dropped, except in flags', () => {
    const england = '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}';
    assert.equal(displayText(`x\u{E0041}\u{E0042} ${england}`), `x ${england}`);
  });

  test('piles of marks and gaps are cut, ordinary accents and Hangul stay', () => {
    assert.equal(displayText(`z${'\u0301'.repeat(50)}`), `z${'\u0301'.repeat(4)}`);
    assert.equal(displayText('й ё ệ 한국'), 'й ё ệ 한국');
    assert.equal(displayText(`a${'\n'.repeat(400)}b`), 'a\n\n\nb');
    assert.equal(displayLine(' a\n\n b '), 'a b');
  });

  test('names', () => {
    assert.equal(fullName({ first_name: 'Анна', last_name: null }), 'Анна');
    assert.equal(fullName({ first_name: '', last_name: '' }), '?');
    assert.equal(initials({ first_name: 'анна мария', last_name: 'Соколова' }), 'АС');
    assert.equal(initials({ first_name: '😀x', last_name: '' }), '😀');
    assert.equal(codePoints('a😀'), 2);
  });
});

test('both languages say the same things', () => {
  assert.deepEqual(Object.keys(WORDS.ru), Object.keys(WORDS.en));
  for (const [key, phrase] of Object.entries(WORDS.en)) {
    const holes = (text) =>
      [...String(Object(text).other ?? text).matchAll(/\{\w+\}/g)].map(String).sort();
    assert.deepEqual(holes(WORDS.ru[key]), holes(phrase), key);
  }
});
