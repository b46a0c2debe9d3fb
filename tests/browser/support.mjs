// SPDX-License-Identifier: Apache-2.0
/** What the browser tests share: the gateway that runs, Chromium, and people with a page each. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Between two messages of one sender: the rules hold the 13th within 5 s. */
const FLOOD_PAUSE_MS = 450;
const ARTIFACTS = process.env.CHATGATE_ARTIFACTS;
const CHROMIUM = process.env.CHATGATE_CHROMIUM ?? '/usr/bin/chromium';

/**
 * What runs, as `deploy/dev status --json` says it. CHATGATE_STATUS may name a file with that JSON
 * or a command that prints it.
 */
export function gatewayStatus() {
  const source = process.env.CHATGATE_STATUS;
  if (source?.endsWith('.json')) return JSON.parse(readFileSync(source, 'utf8'));
  const deploy = fileURLToPath(new URL('../../deploy/dev', import.meta.url));
  const [program, ...args] = source?.split(' ') ?? [deploy, 'status', '--json'];
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));
}

/** A Chromium of its own, that talks to nobody but the gateway, also as root. */
export async function launch() {
  const profile = mkdtempSync(join(tmpdir(), 'chatgate-chromium-'));
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--disk-cache-dir=${profile}`,
    ],
  });
  const close = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { browser, close };
}

/** POSTs JSON, waiting whenever the server says so. */
async function post(node, token, path, body, headers = {}) {
  for (;;) {
    const response = await fetch(`${node.http_url}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    const { code, retry_after_ms: pauseMs } = answer.error;
    if (code !== 'rate_limited') throw new Error(`${path}: ${JSON.stringify(answer)}`);
    await setTimeout(pauseMs);
  }
}

/** A person at a page of one node, in a browser context of their own. */
export class Person {
  /** Console errors, page errors and violations of the page's security policy. @type {string[]} */
  complaints = [];

  static async arrive(browser, node, options = {}) {
    const person = new Person();
    const { expectedFailures = /$^/, ...rest } = options;
    person.expectedFailures = expectedFailures;
    person.node = node;
    person.context = await browser.newContext({
      locale: 'en-GB',
      reducedMotion: 'reduce',
      ...rest,
    });
    await person.context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
      });
    });
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(10_000);
    person.page.on('pageerror', (error) => person.complaints.push(`error: ${error.message}`));
    person.page.on('console', (message) => {
      if (message.type() === 'error') person.complaints.push(message.text());
    });
    await person.page.goto(node.http_url);
    return person;
  }

  async signIn({ email, password }) {
    await this.page.fill('#email', email);
    await this.page.fill('#password', password);
    await this.page.click('#signin-submit');
    await this.page.waitForSelector('#chat:not([hidden])');
  }

  /** A REST call with the token of this page, on the page's node. */
  async post(path, body) {
    const token = await this.page.evaluate(
      () => JSON.parse(sessionStorage.getItem('chatgate.account') ?? '{}').token,
    );
    return post(this.node, token, path, body);
  }

  /** Opens a room as a link does, and waits for its history. */
  async openRoom(id) {
    await this.page.locator(`.room[href="#room=${id}"]`).click();
    await this.page.waitForSelector('#conversation:not([hidden])');
    await this.page.locator('#scroller[aria-busy="false"]').waitFor();
    this.room = id;
  }

  /** Puts `count` messages into the open room by REST, not so fast that they are held as a flood. */
  async fill(mark, count, senders, nodes) {
    for (let i = 0; i < count; i++) {
      const sender = i % senders.length;
      const headers = { 'Idempotency-Key': randomUUID() };
      const path = `/api/chats/${this.room}/messages`;
      const body = { text: `${mark} ${i}` };
      await post(nodes[sender], senders[sender].token, path, body, headers);
      await setTimeout(FLOOD_PAUSE_MS / senders.length);
    }
  }

  async write(text) {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  message(text) {
    return this.page.locator('.message', { hasText: text });
  }

  /** Waits for a message in this state: delivered, pending_moderation, blocked, sending, ... */
  async sees(text, state = 'delivered') {
    await this.page.locator(`.message.${state}`, { hasText: text }).first().waitFor();
  }

  /** Everything the page shows of messages, as text. */
  async texts() {
    return this.page.locator('.message .text').allTextContents();
  }

  /** Saves a picture where CHATGATE_ARTIFACTS says. */
  async picture(name) {
    if (!ARTIFACTS) return;
    mkdirSync(ARTIFACTS, { recursive: true });
    await this.page.screenshot({ path: join(ARTIFACTS, `${name}.png`) });
  }

  /** Breaks of the accessibility rules (WCAG 2.2 A and AA), each as one line. */
  async accessibilityFaults() {
    // Not by a script tag: the page's policy has to hold for us too.
    await this.page.evaluate(readFileSync(AXE, 'utf8'));
    const { violations } = await this.page.evaluate(() =>
      globalThis.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
    );
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }

  /** Complaints that no test provoked. */
  get faults() {
    return this.complaints.filter((text) => !this.expectedFailures.test(text));
  }

  async leave() {
    await this.context.close();
  }
}
