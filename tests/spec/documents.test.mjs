// SPDX-License-Identifier: Apache-2.0
// The API documents are valid, by the tools of those who made the formats.
import assert from 'node:assert/strict';
import test from 'node:test';

import { Parser } from '@asyncapi/parser';
import { createConfig, lintFromString } from '@redocly/openapi-core';

import { bundled, readJson } from './protocol.mjs';

const HIGHEST_WARNING = 1; // severities of @asyncapi/parser: 0 error, 1 warning, 2 information

test('asyncapi.json is valid', async () => {
  const { document, diagnostics } = await new Parser().parse(bundled('asyncapi.json'));
  const faults = diagnostics.filter(({ severity }) => severity <= HIGHEST_WARNING);
  assert.deepEqual(faults.map(({ message, path }) => `${path.join('/')}: ${message}`), []);
  assert.equal(document.version(), '3.0.0');
});

test('openapi.json is valid', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    rules: { 'operation-4xx-response': 'off' }, // health and documents have none
  });
  const faults = await lintFromString({ source: bundled('openapi.json'), config });
  assert.deepEqual(faults.map(({ message, location }) => `${location[0].pointer}: ${message}`), []);
});

test('asyncapi.json has every frame', () => {
  const { messages } = readJson('asyncapi.json').components;
  const described = Object.values(messages).map(({ payload }) => payload.$ref);
  const indexed = ['client', 'server'].flatMap((side) =>
    readJson(`schema/${side}.json`).oneOf.map(({ $ref }) => `schema/${$ref}`),
  );
  assert.deepEqual(described.sort(), indexed.sort());
});

test('every message of asyncapi.json is used by an operation', () => {
  const { operations, channels } = readJson('asyncapi.json');
  const used = Object.values(operations).flatMap(({ messages, reply }) =>
    [...messages, ...(reply?.messages ?? [])].map(({ $ref }) => $ref.split('/').at(-1)),
  );
  assert.deepEqual([...new Set(used)].sort(), Object.keys(channels.socket.messages).sort());
});
