// SPDX-License-Identifier: Apache-2.0
/**
 * The chat page in a real Chromium against running gateway nodes. See README.md for how to run it.
 * Each person has a browser context, the teacher on the first node, the student on the last one.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';

import { Person, gatewayStatus, launch } from './support.mjs';

const { nodes, users } = gatewayStatus();
const [firstNode] = nodes;
const lastNode = nodes.at(-1);
const teacherUser = users.find(({ role }) => role === 'teacher');
const studentUser = users.find(({ role }) => role === 'student');
const moderatorUser = users.find(({ role }) => role === 'moderator');
const PHONE = { width: 390, height: 844 };
const BROKEN_LINK = /WebSocket connection to .* failed|ERR_INTERNET_DISCONNECTED/;

/** @type {Awaited<ReturnType<typeof launch>>} */ let chromium;
/** @type {Person[]} */ let people = [];

/** A text that no other test and no earlier run has written. */
const unique = (text) => `${text} ${randomUUID().slice(0, 8).replace(/\d/g, 'x')}`;

async function arrive(node, options) {
  const person = await Person.arrive(chromium.browser, node, options);
  people.push(person);
  return person;
}

/** Signs in and opens the room with `other`, which is made if it is not there. */
async function chatting(node, user, other, options) {
  const person = await arrive(node, options);
  await person.signIn(user);
  const room = await person.post('/api/chats/get-or-create', { other_user_id: other.id });
  await person.openRoom(room.id);
  return person;
}

const teacherChatting = (options) => chatting(firstNode, teacherUser, studentUser, options);
const studentChatting = (options) => chatting(lastNode, studentUser, teacherUser, options);

before(async () => {
  chromium = await launch();
});
after(() => chromium.close());
afterEach(async () => {
  const faults = people.flatMap((person) => person.faults);
  await Promise.all(people.map((person) => person.leave()));
  people = [];
  assert.deepEqual(faults, [], 'console errors or policy violations');
});

describe('signing in', () => {
  test('a wrong password is said in words, the right one leads to the rooms', async () => {
    const person = await arrive(firstNode, { expectedFailures: /status of 401/ });
    await person.picture('signin');
    assert.deepEqual(await person.accessibilityFaults(), []);
    await person.page.fill('#email', teacherUser.email);
    await person.page.fill('#password', 'not the password');
    await person.page.press('#password', 'Enter');
    await person.page.getByText('This e-mail and password do not match.').waitFor();
    await person.signIn(teacherUser);
    await person.page.locator('.room').first().waitFor();
    await person.picture('rooms');
    assert.deepEqual(await person.accessibilityFaults(), []);
  });

  test('a moderator, who has no chats, is told where the queue is', async () => {
    const person = await arrive(firstNode);
    await person.signIn(moderatorUser);
    await person.page.getByText('queue.watch').waitFor();
  });

  test('signing out forgets the token and the conversation', async () => {
    const teacher = await teacherChatting();
    await teacher.page.click('#signout');
    await teacher.page.waitForSelector('#signin:not([hidden])');
    assert.equal(
      await teacher.page.evaluate(() => sessionStorage.getItem('chatgate.account')),
      null,
    );
    await teacher.page.goBack();
    await teacher.page.waitForSelector('#signin:not([hidden])');
    await teacher.page.reload();
    await teacher.page.waitForSelector('#signin:not([hidden])');
  });

  test('speaks the language of the browser, and the other one on demand', async () => {
    const person = await arrive(firstNode, { locale: 'ru-RU' });
    await person.page.getByRole('button', { name: 'Войти' }).waitFor();
    assert.equal(await person.page.getAttribute('html', 'lang'), 'ru');
    await person.page.getByRole('button', { name: 'English' }).click();
    await person.page.getByRole('button', { name: 'Sign in' }).waitFor();
    await person.page.reload();
    await person.page.getByRole('button', { name: 'Sign in' }).waitFor();
  });
});

describe('talking', () => {
  test('two people on two nodes see each other, in order, with states', async () => {
    const [teacher, student] = await Promise.all([teacherChatting(), studentChatting()]);
    const [hello, answer] = [unique('Good evening'), unique('Hello')];
    await teacher.write(hello);
    await teacher.sees(hello, 'delivered');
    await student.sees(hello);
    await student.write(answer);
    await teacher.sees(answer);
    await teacher.page.getByText('online').first().waitFor();
    await teacher.message(hello).locator('[title="Read"]').waitFor();

    const numbers = Array.from({ length: 5 }, (_, i) => unique(`Number ${i}`));
    for (const text of numbers) await student.write(text);
    await teacher.sees(numbers[4]);
    assert.deepEqual((await teacher.texts()).slice(-7), [hello, answer, ...numbers]);
    assert.deepEqual((await student.texts()).slice(-7), [hello, answer, ...numbers]);
    await teacher.picture('conversation');
    assert.deepEqual(await teacher.accessibilityFaults(), []);
  });

  test('who types is seen, and who is away finds what is unread', async () => {
    const [teacher, student] = await Promise.all([teacherChatting(), studentChatting()]);
    await student.page.type('#text', 'Let me th');
    await teacher.page.locator('#peer-state', { hasText: 'is typing' }).waitFor();
    await teacher.page.goto(`${firstNode.http_url}/#`);
    const text = unique('While you were away');
    await student.write(text);
    const row = teacher.page.locator('.room', { hasText: text });
    await row.locator('.badge').waitFor();
    assert.match(await teacher.page.title(), /^\(\d+\)/);
    await row.click();
    await teacher.sees(text);
    await teacher.page.locator('.mark.unread').waitFor();
    await row.locator('.badge').waitFor({ state: 'hidden' });
    await student.message(text).locator('[title="Read"]').waitFor();
  });

  test('with the keyboard alone', async () => {
    const person = await arrive(firstNode);
    await person.page.keyboard.type(teacherUser.email); // the field has the focus
    await person.page.keyboard.press('Tab');
    await person.page.keyboard.type(teacherUser.password);
    await person.page.keyboard.press('Enter');
    await person.page.locator('.room').first().waitFor();
    const onRoom = () => document.activeElement?.classList.contains('room');
    for (let i = 0; i < 8 && !(await person.page.evaluate(onRoom)); i++) {
      await person.page.keyboard.press('Tab');
    }
    assert.ok(await person.page.evaluate(onRoom));
    await person.page.keyboard.press('Enter');
    await person.page.locator('#text:focus').waitFor();
    const text = unique('No mouse');
    await person.page.keyboard.type(text);
    await person.page.keyboard.press('Shift+Enter');
    await person.page.keyboard.type('second line');
    await person.page.keyboard.press('Enter');
    await person.sees(text, 'delivered');
  });

  test('hostile text stays text', async () => {
    const [teacher, student] = await Promise.all([teacherChatting(), studentChatting()]);
    const mark = unique('hostile');
    await student.write(`${mark} <img src=x onerror=alert(1)><b>bold</b> \u202Egnp.exe\u202C`);
    await teacher.sees(mark);
    const text = await teacher.message(mark).locator('.text').textContent();
    assert.equal(text, `${mark} <img src=x onerror=alert(1)><b>bold</b> gnp.exe`);
    assert.equal(await teacher.page.locator('.text *').count(), 0);
    assert.equal(await teacher.page.locator('.preview *').count(), 0);
  });
});

describe('moderation', () => {
  test('a phone number is held back from the peer and explained to the sender', async () => {
    const [teacher, student] = await Promise.all([teacherChatting(), studentChatting()]);
    const mark = unique('Call me');
    await teacher.write(`${mark} 8 912 345-67-89`);
    const stopped = teacher.page.locator('.message.blocked, .message.pending_moderation');
    const row = stopped.filter({ hasText: mark });
    await row.waitFor();
    assert.notEqual(await row.locator('.note').textContent(), '');
    await teacher.picture('blocked');
    assert.deepEqual(await teacher.accessibilityFaults(), []);

    const after = unique('And one that passes');
    await teacher.write(after);
    await student.sees(after);
    assert.equal(await student.message(mark).count(), 0);
    await student.page.reload();
    await student.sees(after);
    assert.equal(await student.message(mark).count(), 0);
    assert.equal(await student.page.locator('.room', { hasText: mark }).count(), 0);

    await teacher.page.reload();
    await row.waitFor(); // its sender still sees it, also after signing in again
    const again = await teacherChatting();
    await again.page.locator('.message', { hasText: mark }).waitFor();
  });
});

describe('connections', () => {
  test('a reload comes back to the same conversation', async () => {
    const teacher = await teacherChatting();
    const text = unique('Before the reload');
    await teacher.write(text);
    await teacher.sees(text, 'delivered');
    const seen = await teacher.texts();
    await teacher.page.reload();
    await teacher.sees(text, 'delivered');
    const again = await teacher.texts();
    assert.deepEqual(again.slice(-5), seen.slice(-5));
  });

  test('a lost network is said, and heals without loss or doubles', async () => {
    const options = { expectedFailures: BROKEN_LINK };
    const [teacher, student] = await Promise.all([teacherChatting(options), studentChatting()]);
    await teacher.context.setOffline(true);
    await teacher.page.locator('#banner', { hasText: 'You are offline.' }).waitFor();
    const [meanwhile, waiting] = [unique('Sent meanwhile'), unique('Written offline')];
    await teacher.write(waiting);
    await teacher.sees(waiting, 'sending');
    await student.write(meanwhile);
    await student.sees(meanwhile, 'delivered');
    await teacher.picture('offline');
    assert.deepEqual(await teacher.accessibilityFaults(), []);

    await teacher.context.setOffline(false);
    await teacher.sees(waiting, 'delivered');
    await teacher.sees(meanwhile);
    await student.sees(waiting);
    await teacher.page.locator('#banner').waitFor({ state: 'hidden' });
    for (const person of [teacher, student]) {
      assert.equal(await person.message(waiting).count(), 1);
      assert.equal(await person.message(meanwhile).count(), 1);
    }
  });

  test('what waits in the outbox survives a reload', async () => {
    const teacher = await teacherChatting({ expectedFailures: BROKEN_LINK });
    const text = unique('Written in a tunnel');
    await teacher.context.setOffline(true);
    await teacher.page.locator('#banner').waitFor();
    await teacher.write(text);
    await teacher.sees(text, 'sending');
    await teacher.context.setOffline(false);
    await teacher.page.reload();
    await teacher.sees(text, 'delivered');
    assert.equal(await teacher.message(text).count(), 1);
  });
});

describe('history', () => {
  test('older messages are paged in from above and the place is kept', async () => {
    const teacher = await teacherChatting();
    const mark = unique('page');
    await teacher.fill(mark, 60, [teacherUser, studentUser], [firstNode, lastNode]);
    await teacher.sees(`${mark} 59`);
    await teacher.page.reload();
    await teacher.sees(`${mark} 59`);
    const rows = teacher.page.locator('.message');
    const before = await rows.count();
    await teacher.page.locator('#scroller').evaluate((element) => element.scrollTo(0, 300));
    await teacher.page.waitForFunction(
      (n) => document.querySelectorAll('.message').length > n,
      before,
    );
    const seqs = await rows.evaluateAll((all) => all.map((row) => Number(row.dataset.seq)));
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
    );
    const top = await teacher.page.locator('#scroller').evaluate((element) => element.scrollTop);
    assert.ok(top > 300, `the view jumped to ${top}`);
    await teacher.page.click('#latest');
    await teacher.message(`${mark} 59`).waitFor();
  });
});

describe('looks', () => {
  /** A room is two lines, nothing sticks out, and only lists scroll. */
  async function looksOrderly({ page }) {
    const {
      rows,
      document: whole,
      window: seen,
    } = await page.evaluate(() => {
      const { scrollWidth, scrollHeight } = document.documentElement;
      const rows = [...document.querySelectorAll('.room')].map((room) => room.clientHeight);
      return { rows, document: [scrollWidth, scrollHeight], window: [innerWidth, innerHeight] };
    });
    assert.ok(Math.max(...rows) < 96, `rooms are ${rows} pixels high`);
    assert.deepEqual(whole, seen);
  }

  for (const colorScheme of ['light', 'dark']) {
    test(`on a phone, ${colorScheme}`, async () => {
      const options = { viewport: PHONE, hasTouch: true, isMobile: true, colorScheme };
      const teacher = await teacherChatting(options);
      const text = unique('From a phone');
      await teacher.page.fill('#text', text);
      await teacher.page.tap('#send');
      await teacher.sees(text, 'delivered');
      await teacher.picture(`phone-${colorScheme}`);
      assert.deepEqual(await teacher.accessibilityFaults(), []);
      await looksOrderly(teacher);
      await teacher.page.tap('#back');
      await teacher.page.locator('.room').first().waitFor();
      await looksOrderly(teacher);
      await teacher.picture(`phone-rooms-${colorScheme}`);
      assert.deepEqual(await teacher.accessibilityFaults(), []);
    });
  }

  test('on a desk, dark', async () => {
    const teacher = await teacherChatting({ colorScheme: 'dark', locale: 'ru-RU' });
    await looksOrderly(teacher);
    await teacher.picture('conversation-dark');
    assert.deepEqual(await teacher.accessibilityFaults(), []);
  });
});
