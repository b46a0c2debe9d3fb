// SPDX-License-Identifier: Apache-2.0
// The schemas say what the code does: its events match them, and its parser agrees with them.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';

import { ERROR_CODES } from '../../protocol/client/codes.js';
import { BAD, GOOD, STRICTER } from './frames.mjs';
import { probe, protocolUrl, readJson, readText, schemaPaths, validator } from './protocol.mjs';

const checkClient = validator('client.json');
const checkServer = validator('server.json');

test('every schema compiles', () => {
  for (const path of schemaPaths) assert.equal(typeof validator(path), 'function', path);
});

test('the indexes have every frame', () => {
  for (const side of ['client', 'server']) {
    const files = readdirSync(new URL(`schema/${side}/`, protocolUrl)).map((name) => `${side}/${name}`);
    const indexed = readJson(`schema/${side}.json`).oneOf.map(({ $ref }) => $ref);
    assert.deepEqual(indexed.sort(), files.sort());
  }
});

test('client.json has every request that the parser knows', () => {
  const described = readJson('schema/client.json').oneOf.map(({ $ref }) => $ref.slice(7, -5));
  assert.deepEqual(described.sort(), probe('names').sort());
});

test('the error codes are those of the table', () => {
  const { error_code } = readJson('schema/common.json').$defs;
  assert.deepEqual(error_code.enum, Object.keys(ERROR_CODES));
});

const events = probe('events').map((line) => {
  const space = line.indexOf(' ');
  return { schema: line.slice(0, space), value: JSON.parse(line.slice(space + 1)) };
});

test('what the server writes matches its schema', () => {
  for (const { schema, value } of events) {
    assert.equal(validator(schema)(value), null, `${schema}: ${JSON.stringify(value)}`);
    if (schema.startsWith('server/')) assert.equal(checkServer(value), null, JSON.stringify(value));
  }
});

test('the probe shows every server frame', () => {
  const shown = new Set(events.map(({ schema }) => schema));
  for (const { $ref } of readJson('schema/server.json').oneOf) assert(shown.has($ref), $ref);
});

test('a member that is not described is noticed', () => {
  for (const { schema, value } of events)
    assert.notEqual(validator(schema)({ ...value, surprise: 1 }), null, schema);
});

test('frames that the schemas allow are taken', () => {
  const verdicts = probe('commands', GOOD.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  GOOD.forEach((frame, i) => {
    assert.equal(checkClient(frame), null, JSON.stringify(frame));
    assert.equal(verdicts[i], 'taken', JSON.stringify(frame));
  });
});

test('frames that the schemas forbid are refused', () => {
  const verdicts = probe('commands', BAD.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  BAD.forEach((frame, i) => {
    assert.notEqual(checkClient(frame), null, JSON.stringify(frame));
    assert.notEqual(verdicts[i], 'taken', JSON.stringify(frame));
  });
});

test('where the parser is stricter than a schema can say', () => {
  const verdicts = probe('commands', STRICTER.map(([, frame]) => `${JSON.stringify(frame)}\n`).join(''));
  STRICTER.forEach(([reason, frame], i) => {
    assert.equal(checkClient(frame), null, JSON.stringify(frame));
    assert.equal(verdicts[i], reason, JSON.stringify(frame));
  });
});

test('the examples of PROTOCOL.md match the schemas', () => {
  const checks = { '>': checkClient, '<': checkServer };
  const lines = readText('PROTOCOL.md').split('\n').filter((line) => /^[<>] \{/.test(line));
  assert(lines.length > 30);
  for (const line of lines)
    assert.equal(checks[line[0]](JSON.parse(line.slice(2))), null, line);
});

test('PROTOCOL.md names every kind of frame', () => {
  const text = readText('PROTOCOL.md');
  for (const { $ref } of [...readJson('schema/client.json').oneOf, ...readJson('schema/server.json').oneOf]) {
    const { t } = readJson(`schema/${$ref}`).properties ?? { t: { const: 'message' } };
    assert(text.includes(t.const), $ref);
  }
});
