// SPDX-License-Identifier: Apache-2.0
/** The client library under faults and time: node --test tests/client */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';

import { ChatError, Client, reconnects, uuid } from '../../protocol/client/chatgate.js';
import { FakeSocket, latest, sockets } from './fake_socket.mjs';

const ROOM = 'room-1';
const OTHER = 'room-2';
const EVENTS = ['state', 'message', 'removed', 'reset', 'synced', 'sent', 'failed', 'own', 'error'];

/** Lets promises settle; timers are mocked, this is not. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function advance(ms) {
  mock.timers.tick(ms);
  await settle();
}

/** A client whose events are kept in `log`, and the reasons of its token requests in `asked`. */
function makeClient(options = {}) {
  const log = [];
  const asked = [];
  const client = new Client({
    url: 'ws://host/ws',
    getToken: (why) => {
      asked.push(why.refresh);
      return `token-${asked.length}`;
    },
    WebSocket: FakeSocket,
    random: () => 1,
    ...options,
  });
  for (const type of EVENTS)
    client.addEventListener(type, ({ detail }) => log.push([type, detail]));
  const of = (type) => log.filter(([name]) => name === type).map(([, detail]) => detail);
  return { client, asked, of };
}

function welcome(socket, extra = {}) {
  socket.say({
    t: 'welcome',
    re: socket.last('hello').id,
    user: { id: 'me' },
    epoch: 'e1',
    heartbeat_s: 25,
    limits: { rooms_per_sync: 200 },
    retry: { base_ms: 500, cap_ms: 20_000 },
    ...extra,
  });
}

/** Plays the server's side of a connection that goes well. */
async function serve(extra) {
  await settle();
  latest().accept();
  welcome(latest(), extra);
  await settle();
  return latest();
}

async function connected(options, extra) {
  const made = makeClient(options);
  made.client.connect();
  return { ...made, socket: await serve(extra) };
}

const message = (seq, room = ROOM) => ({
  t: 'message',
  room,
  seq,
  mid: `m${seq}`,
  text: `t${seq}`,
});

beforeEach(() => {
  sockets.length = 0;
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_700_000_000_000 });
});
afterEach(() => mock.timers.reset());

describe('opening', () => {
  test('offers the token as a subprotocol and says hello without it', async () => {
    const { client, socket } = await connected({
      device: 'd1',
      resume: { epoch: 'e1', rooms: { [ROOM]: 4 } },
    });
    assert.deepEqual(socket.protocols, ['chatgate.v1', 'chatgate.bearer.token-1']);
    assert.deepEqual(socket.sent[0], {
      t: 'hello',
      id: 1,
      device: 'd1',
      caps: ['batch'],
      epoch: 'e1',
      rooms: { [ROOM]: 4 },
    });
    assert.equal(client.state, 'connected');
    assert.equal(client.user.id, 'me');
  });

  test('after a failed opening the token goes into hello, where a refusal can be seen', async () => {
    const { client, of } = makeClient();
    client.connect();
    await settle();
    latest().end(1006);
    assert.equal(of('state').at(-1).retryInMs, 1000);
    await advance(1000);
    assert.deepEqual(latest().protocols, ['chatgate.v1']);
    latest().accept();
    assert.equal(latest().last('hello').token, 'token-1');
    latest().end(4500, 'auth_failed'); // token-1 came from an earlier attempt: one try with a new one
    await advance(2000);
    assert.equal(latest().last('hello'), undefined);
    latest().accept();
    latest().end(4500, 'auth_failed');
    assert.equal(client.state, 'disconnected');
    assert.equal(of('state').at(-1).code, 4500);
  });

  test('no token signs out; a failing getToken is tried again', async () => {
    const { client } = makeClient({ getToken: async () => null });
    client.connect();
    await settle();
    assert.equal(client.state, 'disconnected');

    let calls = 0;
    const failing = makeClient({
      getToken: async () => {
        if (++calls === 1) throw new Error('network');
        return 'token';
      },
    });
    failing.client.connect();
    await settle();
    assert.equal(failing.client.state, 'connecting');
    await advance(1000);
    assert.equal(calls, 2);
    assert.equal(sockets.length, 1);
  });

  test('a server that says nothing is given up, also when hello was refused without a close', async () => {
    const { client, of } = makeClient();
    client.connect();
    await settle();
    latest().accept();
    await advance(15_000);
    assert.equal(of('state').at(-1).reason, 'no answer');
    await advance(1000);
    latest().accept();
    latest().say({ t: 'error', re: 1, code: 'unavailable', retry_after_ms: 4000 });
    await advance(1000);
    assert.equal(of('state').at(-1).retryInMs, 4000 + 2000);
  });

  test('connects once, however often it is asked to, and never after disconnect()', async () => {
    const { client } = makeClient();
    client.connect();
    client.connect();
    client.disconnect();
    client.connect();
    await settle();
    assert.equal(sockets.length, 1);
    client.disconnect();
    await advance(60_000);
    assert.equal(sockets.length, 1);
  });
});

describe('closing and coming back', () => {
  test('the table of close codes decides', async () => {
    for (const code of [1001, 1006, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4499]) {
      assert.equal(reconnects(code), true, String(code));
    }
    for (const code of [1002, 1003, 1007, 1008, 1009, 4500, 4501, 4502, 4503, 4504, 4999]) {
      assert.equal(reconnects(code), false, String(code));
    }
    const { client, socket } = await connected();
    socket.end(4502, 'revoked');
    assert.equal(client.state, 'disconnected');
    await advance(60_000);
    assert.equal(sockets.length, 1);
  });

  test('backs off exponentially up to the cap, with full jitter', async () => {
    let random = 1;
    const { client, of } = makeClient({ random: () => random });
    client.connect();
    const delays = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      await settle();
      latest().end(1006);
      delays.push(of('state').at(-1).retryInMs);
      await advance(delays.at(-1));
    }
    assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]);
    random = 0.25;
    latest().end(1006);
    assert.equal(of('state').at(-1).retryInMs, 5000);
  });

  test('only a connection that lasted starts the backoff afresh', async () => {
    const { socket, of } = await connected();
    socket.end(4001);
    assert.equal(of('state').at(-1).retryInMs, 1000);
    await advance(1000);
    (await serve()).end(4001);
    assert.equal(of('state').at(-1).retryInMs, 2000);
    await advance(2000);
    const lasting = await serve();
    await advance(5000);
    lasting.end(4000);
    assert.equal(of('state').at(-1).retryInMs, 500);
  });

  test('a drained node says how long to wait', async () => {
    const { socket, of } = await connected();
    socket.end(4000, 'drain retry_after_ms=7000');
    const { reason, retryInMs } = of('state').at(-1);
    assert.deepEqual([reason, retryInMs], ['drain', 7000 + 1000]);
  });

  test('4004 and a token known to have run out ask for a new token', async () => {
    const { socket, asked } = await connected();
    socket.end(4004, 'token_expired');
    await advance(1000);
    assert.deepEqual(asked, [false, true]);
    const second = await serve({ expires_at: new Date(Date.now() + 3000).toISOString() });
    await advance(4000);
    second.end(1006);
    await advance(2000);
    assert.deepEqual(asked, [false, true, true]);
    assert.deepEqual(latest().protocols[1], 'chatgate.bearer.token-3');
  });

  test('an expiring token is refreshed on the living connection', async () => {
    const { socket, asked } = await connected();
    socket.say({ t: 'expiring', in_s: 60 });
    await settle();
    assert.deepEqual(asked, [false, true]);
    assert.equal(socket.last('refresh').token, 'token-2');
    socket.say({
      t: 'refreshed',
      re: socket.last('refresh').id,
      expires_at: '2030-01-01T00:00:00.000Z',
    });
    await settle();
    socket.end(1006);
    await advance(1000);
    assert.deepEqual(latest().protocols[1], 'chatgate.bearer.token-2');
  });

  test('a silent link is asked, and dropped if it stays silent', async () => {
    const { client, socket } = await connected({ resume: { rooms: { [ROOM]: 4 } } });
    await advance(50_000);
    assert.equal(socket.last('sync'), undefined);
    await advance(5000);
    assert.deepEqual(socket.last('sync').rooms, { [ROOM]: 4 });
    socket.say({ t: 'synced', re: socket.last('sync').id });
    await advance(55_000);
    assert.equal(socket.all('sync').length, 2);
    await advance(15_000);
    assert.equal(client.state, 'connecting');
    assert.equal(socket.readyState, 2);
  });

  test('the network going away drops the link at once, its return retries at once', async () => {
    const network = new EventTarget();
    globalThis.addEventListener = network.addEventListener.bind(network);
    globalThis.removeEventListener = network.removeEventListener.bind(network);
    try {
      const { client } = await connected();
      network.dispatchEvent(new Event('offline'));
      assert.equal(client.state, 'connecting');
      network.dispatchEvent(new Event('online'));
      await serve();
      assert.equal(client.state, 'connected');
      client.disconnect();
      network.dispatchEvent(new Event('online'));
      assert.equal(sockets.length, 2);
    } finally {
      delete globalThis.addEventListener;
      delete globalThis.removeEventListener;
    }
  });

  test('another user behind the same client is refused', async () => {
    const { client, socket } = await connected();
    socket.end(1006);
    await advance(1000);
    await serve({ user: { id: 'you' } });
    assert.equal(client.state, 'disconnected');
  });
});

describe('order', () => {
  test('doubles are dropped, batches are split', async () => {
    const { socket, of } = await connected();
    socket.say(message(7), message(7), message(6), message(8));
    assert.deepEqual(
      of('message').map(({ seq }) => seq),
      [7, 8],
    );
  });

  test('a hole is healed by one sync before anything after it is shown', async () => {
    const { socket, of } = await connected();
    socket.say(message(1), message(3), message(4));
    assert.deepEqual(
      of('message').map(({ seq }) => seq),
      [1],
    );
    assert.deepEqual(
      socket.all('sync').map(({ rooms }) => rooms),
      [{ [ROOM]: 1 }],
    );
    socket.say(message(2), { t: 'removed', room: ROOM, seq: 3, mid: 'm1' }, message(4));
    socket.say({ t: 'synced', re: socket.last('sync').id });
    assert.deepEqual(
      of('message').map(({ seq }) => seq),
      [1, 2, 4],
    );
    assert.deepEqual(
      of('removed').map(({ seq }) => seq),
      [3],
    );
    await settle();
    socket.say(message(9));
    assert.deepEqual(socket.last('sync').rooms, { [ROOM]: 4 });
  });

  test('a hole that cannot be healed costs the connection', async () => {
    const { client, socket } = await connected();
    socket.say(message(1), message(3));
    socket.say({ t: 'error', re: socket.last('sync').id, code: 'forbidden' });
    await settle();
    assert.equal(client.state, 'connecting');
    await advance(1000);
    latest().accept();
    assert.deepEqual(latest().last('hello').rooms, { [ROOM]: 1 });
  });

  test('what a page of rooms or history told is not told again', async () => {
    const { client, socket, of } = await connected();
    const rooms = client.rooms();
    socket.say({
      t: 'rooms',
      re: socket.last('rooms').id,
      rooms: [{ room: ROOM, head: 5 }],
      cursor: null,
    });
    await rooms;
    const history = client.history(OTHER);
    const page = [message(2, OTHER), message(3, OTHER)];
    socket.say({
      t: 'history',
      re: socket.last('history').id,
      room: OTHER,
      messages: page,
      more: false,
    });
    await history;
    socket.say(message(5), message(6), message(3, OTHER), message(4, OTHER));
    assert.deepEqual(
      of('message').map(({ mid }) => mid),
      ['m6', 'm4'],
    );
    assert.deepEqual(client.position.rooms, { [ROOM]: 6, [OTHER]: 4 });
  });

  test('reconnecting names the cursors; reset moves them', async () => {
    const { client, socket, of } = await connected();
    socket.say(message(41), { t: 'synced', own_since: '2026-01-01T00:00:00.000Z' });
    socket.end(1006);
    await advance(1000);
    latest().accept();
    const hello = latest().last('hello');
    assert.deepEqual(
      [hello.epoch, hello.rooms, hello.own_since],
      ['e1', { [ROOM]: 41 }, '2026-01-01T00:00:00.000Z'],
    );
    welcome(latest());
    latest().say({ t: 'reset', room: ROOM, head: 9000 }, message(9001));
    assert.deepEqual(of('reset'), [{ t: 'reset', room: ROOM, head: 9000 }]);
    assert.equal(client.position.rooms[ROOM], 9001);
  });

  test('rooms beyond the first 200 follow in syncs, or are reset in another epoch', async () => {
    const rooms = Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`r${i}`, i + 1]));
    const { socket } = await connected({ resume: { epoch: 'e1', rooms } });
    assert.equal(Object.keys(socket.last('hello').rooms).length, 200);
    assert.ok('r449' in socket.last('hello').rooms);
    assert.deepEqual(
      socket.all('sync').map((frame) => Object.keys(frame.rooms).length),
      [200, 50],
    );

    const other = await connected({ resume: { epoch: 'e0', rooms } });
    assert.equal(other.of('reset').length, 250);
    assert.equal(other.socket.last('sync'), undefined);
  });
});

describe('outbox', () => {
  const ok = (frame, extra = {}) => ({
    t: 'ok',
    re: frame.id,
    mid: 'm',
    cid: frame.cid,
    status: 'delivered',
    seq: 1,
    ...extra,
  });

  test('one message of a room is on its way at a time, rooms go side by side', async () => {
    const { client, socket, of } = await connected();
    const first = client.send(ROOM, 'a');
    client.send(ROOM, 'b');
    client.send(OTHER, 'c');
    assert.deepEqual(
      socket.all('send').map(({ text }) => text),
      ['a', 'c'],
    );
    socket.say(ok(socket.all('send')[0]));
    assert.equal((await first.done).seq, 1);
    assert.deepEqual(
      socket.all('send').map(({ text }) => text),
      ['a', 'c', 'b'],
    );
    assert.deepEqual(
      of('sent').map(({ text }) => text),
      ['a'],
    );
    assert.deepEqual(
      client.outbox.map(({ text }) => text),
      ['b', 'c'],
    );
  });

  test('what was unanswered is sent again under the same cid, in the same order', async () => {
    const { client, socket } = await connected();
    client.send(ROOM, 'a');
    client.send(ROOM, 'b');
    const { cid } = socket.last('send');
    socket.end(1006);
    await advance(1000);
    const next = await serve();
    assert.deepEqual(
      next.all('send').map((frame) => [frame.cid, frame.text]),
      [[cid, 'a']],
    );
    next.say(ok(next.last('send'), { dup: true }));
    await settle();
    assert.equal(next.last('send').text, 'b');
  });

  test('unavailable and rate_limited wait as told, then the same cid goes again', async () => {
    for (const code of ['unavailable', 'rate_limited']) {
      const { client, socket } = await connected();
      client.send(ROOM, 'a');
      const { cid, id } = socket.last('send');
      socket.say({ t: 'error', re: id, code, retry_after_ms: 3000 });
      await advance(3000);
      assert.equal(socket.all('send').length, 1);
      await advance(500);
      assert.equal(socket.all('send').length, 2);
      assert.equal(socket.last('send').cid, cid);
      assert.ok(socket.last('send').id > id);
      client.disconnect();
    }
  });

  test('a pause outlives the connection', async () => {
    const { client, socket } = await connected();
    client.send(ROOM, 'a');
    socket.say({
      t: 'error',
      re: socket.last('send').id,
      code: 'unavailable',
      retry_after_ms: 9000,
    });
    socket.end(4000);
    await advance(1000);
    const next = await serve();
    assert.equal(next.last('send'), undefined);
    await advance(9000);
    assert.equal(next.last('send').text, 'a');
  });

  test('a final error fails that message alone', async () => {
    const { client, socket, of } = await connected();
    const entry = client.send(ROOM, 'a');
    client.send(ROOM, 'b');
    socket.say({ t: 'error', re: socket.last('send').id, code: 'forbidden', reason: 'no_lesson' });
    await assert.rejects(
      entry.done,
      (error) => error instanceof ChatError && error.reason === 'no_lesson',
    );
    assert.deepEqual(
      of('failed').map(({ text, error }) => [text, error.code]),
      [['a', 'forbidden']],
    );
    assert.equal(socket.last('send').text, 'b');
  });

  test('a server that fails three times on a message is not asked a fourth', async () => {
    const { client, socket, of } = await connected();
    client.send(ROOM, 'a');
    for (let i = 0; i < 3; i++) {
      socket.say({ t: 'error', re: socket.last('send').id, code: 'internal' });
      await advance(1000);
    }
    assert.equal(socket.all('send').length, 3);
    assert.equal(of('failed').length, 1);
  });

  test('survives a reload, for its user only', async () => {
    const kept = new Map();
    const storage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => kept.set(key, value),
      removeItem: (key) => kept.delete(key),
    };
    const { client, socket } = await connected({ storage });
    client.send(ROOM, 'a');
    client.send(ROOM, 'b');
    socket.say(ok(socket.last('send')));
    await settle();
    const { cid } = socket.last('send');
    client.disconnect();

    const stranger = await connected(
      { storage: { ...storage, setItem() {}, removeItem() {} } },
      { user: { id: 'you' } },
    );
    assert.equal(stranger.socket.last('send'), undefined);
    assert.deepEqual(stranger.client.outbox, []);

    const { socket: next } = await connected({ storage });
    assert.deepEqual([next.last('send').cid, next.last('send').text], [cid, 'b']);
    next.say(ok(next.last('send')));
    await settle();
    assert.equal(kept.size, 0);
  });

  test('waits for a connection, keeps its place over disconnect(), and is bounded', async () => {
    const { client } = makeClient({ outboxLimit: 2 });
    client.send(ROOM, 'a', { cid: 'c1' });
    assert.equal(client.send(ROOM, 'a', { cid: 'c1' }), client.outbox[0]);
    client.send(ROOM, 'b');
    assert.throws(() => client.send(ROOM, 'c'), { code: 'outbox_full' });
    client.connect();
    const first = await serve();
    assert.equal(first.last('send').cid, 'c1');
    client.disconnect();
    client.connect();
    const second = await serve();
    assert.equal(second.all('send').length, 1);
    assert.equal(second.last('send').cid, 'c1');
  });
});

describe('requests', () => {
  test('wait for a connection and survive a lost one', async () => {
    const { client } = makeClient();
    client.connect();
    const room = client.open('peer');
    const first = await serve();
    assert.equal(first.last('open').with, 'peer');
    first.end(1006);
    await advance(1000);
    const second = await serve();
    second.say({ t: 'room', re: second.last('open').id, room: ROOM, head: 3 });
    assert.equal((await room).room, ROOM);
  });

  test('end at their deadline and at disconnect()', async () => {
    const { client, socket } = await connected();
    const late = assert.rejects(client.history(ROOM), { code: 'timeout' });
    for (let i = 0; i < 6; i++) {
      socket.say(message(i)); // the link itself is well
      await advance(5000);
    }
    await late;
    assert.equal(client.state, 'connected');
    const cut = client.rooms();
    client.disconnect();
    await assert.rejects(cut, { code: 'disconnected' });
    await assert.rejects(client.rooms(), { code: 'disconnected' });
  });

  test('with `once` any error is final', async () => {
    const { client, socket } = await connected();
    const decided = client.request('queue.decide', { mid: 'm' }, { once: true });
    socket.say({
      t: 'error',
      re: socket.last('queue.decide').id,
      code: 'unavailable',
      retry_after_ms: 10,
    });
    await assert.rejects(decided, { code: 'unavailable', retryAfterMs: 10 });
  });

  test('errors without an id and unknown pushes are events', async () => {
    const { client, socket, of } = await connected();
    const seen = [];
    client.addEventListener('queue.added', ({ detail }) => seen.push(detail.case));
    socket.say({ t: 'error', code: 'bad_request' }, { t: 'queue.added', case: 1 });
    assert.equal(of('error')[0].code, 'bad_request');
    assert.deepEqual(seen, [1]);
  });

  test('typing is throttled, read marks are gathered and never fall', async () => {
    const { client, socket } = await connected();
    client.typing(ROOM);
    client.typing(ROOM);
    await advance(3000);
    client.typing(ROOM);
    assert.equal(socket.all('typing').length, 2);
    client.read(ROOM, 4);
    client.read(ROOM, 6);
    client.read(ROOM, 5);
    await advance(250);
    assert.deepEqual(
      socket.all('read').map(({ seq }) => seq),
      [6],
    );
    socket.end(1006);
    await advance(1000);
    const next = await serve();
    assert.equal(next.last('read').seq, 6); // unanswered: said again
    next.say({ t: 'read', re: next.last('read').id, room: ROOM, user: 'me', seq: 6 });
    client.read(ROOM, 6);
    await advance(250);
    assert.equal(next.all('read').length, 1);
  });
});

test('uuid() works without crypto.randomUUID too', () => {
  const { randomUUID } = crypto;
  const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(uuid(), shape);
  Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
  try {
    assert.match(uuid(), shape);
    assert.notEqual(uuid(), uuid());
  } finally {
    Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
  }
});
