import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { StorageError, UsageError } from '#lake/errors';
import { newItem } from '#lake/live/latest';
import type { LiveEpisode, LiveEvent } from '#lake/live/state-store';
import { openHookOutbox } from '#lake/serve/hook-outbox';
import { type Hook, parseHooks } from '#lake/serve/hook-settings';
import { HookSender, namesOf } from '#lake/serve/hooks';
import { openStateDatabase, type StateDatabase } from '#lake/serve/state-database';
import { START_MS, TestClock } from '#test/support/live-world';
import { makeFolder } from '#test/support/temporary';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const DAY_MS = 86_400_000;

interface Request {
    id: string;
    headers: IncomingMessage['headers'];
    body: string;
}

let folder: string;
let state: StateDatabase;
let clock: TestClock;
let faults: string[];
let server: Server;
let url: string;
let requests: Request[];
let answer: (request: Request, response: ServerResponse) => void;

beforeEach(async () => {
    folder = await makeFolder();
    clock = new TestClock();
    faults = [];
    requests = [];
    answer = (_, response) => response.writeHead(204).end();
    server = createServer((request, response) => {
        let body = '';
        request.on('data', (bytes) => {
            body += bytes;
        });
        request.on('end', () => {
            const one = { id: String(request.headers['webhook-id']), headers: request.headers, body };
            requests.push(one);
            answer(one, response);
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=hidden`;
    open();
});

afterEach(async () => {
    state.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
});

function open(hooks: readonly Hook[] = webhook()): void {
    state?.close();
    state = openStateDatabase(join(folder, 'state.sqlite'), { hooks: namesOf(hooks) });
}

const webhook = (): Hook[] => parseHooks([{ name: 'desk', url: url ?? 'http://127.0.0.1/', secret: SECRET }]);

const sender = (hooks: readonly Hook[] = webhook(), environment: Record<string, string> = {}, limits = {}) =>
    new HookSender({ state, hooks, now: clock.now, environment, onFault: (what) => faults.push(what), ...limits });

const alertOf = (device: string): LiveEpisode => ({
    ...{ id: `${device}~hot~1`, site: 'main', device, profile: 'p', rule: 'hot', kind: 'alert', severity: 'warning', began_ms: 1 },
    ...{ ended_ms: null, worst: '31.5', readings: 1, why: 'too warm', raised_ms: START_MS },
});

let versions: Record<string, number> = {};
beforeEach(() => {
    versions = {};
});

async function raise(device: string, kind: 'raised' | 'cleared' = 'raised'): Promise<void> {
    versions[device] = (versions[device] ?? 0) + 1;
    const alert = { ...alertOf(device), ended_ms: kind === 'cleared' ? 9 : null };
    const events: LiveEvent[] = [
        { kind: 'latest', device, site: 'main', profile: 'p', received_ms: 1, metrics: {} },
        { kind, alert },
    ];
    await state.write({
        changes: [{ item: { ...newItem(device, 's'), version: versions[device] }, alerts: [alert], events }],
        nowMs: clock.nowMs,
    });
}

const waiting = () => openHookOutbox(state.database).report();

/** Tells, and lets the next attempt's time come, until nothing waits. */
async function tellUntilDone(hooks: HookSender): Promise<void> {
    for (let attempt = 0; attempt < 100 && waiting().some((report) => report.waiting > 0); attempt += 1) {
        await hooks.tellAll();
        clock.pass(3_600_000);
    }
}

describe('a webhook', () => {
    test('is sent each alert once, signed as Standard Webhooks says', async () => {
        await raise('a');
        const hooks = sender();
        await hooks.tellAll();
        await hooks.tellAll();
        expect(requests).toHaveLength(1);
        const { headers, body } = requests[0]!;
        expect(JSON.parse(body)).toEqual({ type: 'alert.raised', timestamp: new Date(START_MS).toISOString(), data: alertOf('a') });
        const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
        const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
        expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
        expect(headers['webhook-timestamp']).toBe(String(START_MS / 1000));
        expect(headers['content-type']).toBe('application/json');
        expect(waiting()).toEqual([]);
        expect(faults).toEqual([]);
    });

    test('is told nothing of a batch that was not written', async () => {
        await raise('a');
        versions.a = 0;
        await raise('a', 'cleared');
        expect(waiting()).toMatchObject([{ waiting: 1 }]);
    });

    test('that fails is tried again with the same id and bytes, later each time, and said once', async () => {
        let isBroken = true;
        answer = (_, response) => response.writeHead(isBroken ? 500 : 200).end();
        await raise('a');
        const hooks = sender();
        await hooks.tellAll();
        await hooks.tellAll();
        expect(requests).toHaveLength(1);
        clock.pass(1_000);
        await hooks.tellAll();
        clock.pass(1_999);
        await hooks.tellAll();
        expect(requests).toHaveLength(2);
        isBroken = false;
        clock.pass(1);
        await hooks.tellAll();
        expect(requests).toHaveLength(3);
        expect(new Set(requests.map(({ id, body }) => id + body)).size).toBe(1);
        expect(faults).toEqual(['hook desk does not take event 2, and is told again: it answers 500', 'hook desk answers again']);
    });

    test('is told of one alert in its order, while other alerts do not wait', async () => {
        answer = ({ body }, response) => response.writeHead(body.includes('"device":"a"') && requests.length < 4 ? 503 : 200).end();
        await raise('a');
        await raise('a', 'cleared');
        await raise('b');
        await tellUntilDone(sender());
        const told = requests.map(({ body }) => JSON.parse(body)).map(({ type, data }) => `${data.device} ${type}`);
        expect(told.filter((one) => one.startsWith('b'))).toEqual(['b alert.raised']);
        expect(told.slice(0, 2).sort()).toEqual(['a alert.raised', 'b alert.raised']);
        expect(told.at(-1)).toBe('a alert.cleared');
        expect(told.filter((one) => one === 'a alert.cleared')).toHaveLength(1);
    });

    test('loses nothing over a restart, and gets the id of before', async () => {
        answer = (_, response) => response.destroy();
        await raise('a');
        const before = sender();
        await before.tellAll();
        await before.stop();
        open();
        answer = (_, response) => response.writeHead(200).end();
        clock.pass(10_000);
        await sender().tellAll();
        expect(requests).toHaveLength(2);
        expect(requests[0]?.id).toBe(requests[1]?.id);
        expect(waiting()).toEqual([]);
    });

    test('is given up after a day of attempts, which is kept and said; never because a clock was set', async () => {
        answer = (_, response) => response.writeHead(404).end();
        await raise('a');
        const hooks = sender();
        await hooks.tellAll();
        clock.pass(40 * DAY_MS);
        await hooks.tellAll();
        expect(waiting()).toMatchObject([{ waiting: 1, givenUp: 0 }]);
        await tellUntilDone(hooks);
        expect(waiting()).toEqual([{ hook: 'desk', waiting: 0, oldestMs: null, givenUp: 1, error: 'it answers 404' }]);
        expect(requests).toHaveLength(20);
        expect(faults.at(-1)).toBe('hook desk was not told of event 2 in a day, and is told no more of it: it answers 404');
    });

    test('is sent four events at once, and no more', async () => {
        let most = 0;
        let now = 0;
        answer = (_, response) => {
            now += 1;
            most = Math.max(most, now);
            setTimeout(() => {
                now -= 1;
                response.writeHead(200).end();
            }, 20);
        };
        for (let at = 0; at < 10; at += 1) {
            await raise(`d${at}`);
        }
        await sender().tellAll();
        expect([requests.length, most, new Set(requests.map(({ id }) => id)).size]).toEqual([10, 4, 10]);
    });

    test('that does not answer in time has not taken it', async () => {
        answer = () => undefined;
        await raise('a');
        await sender(webhook(), {}, { answerMs: 50 }).tellAll();
        expect(waiting()).toMatchObject([{ waiting: 1, error: 'The operation was aborted due to timeout' }]);
    });

    test('is not told again where its answer cannot be noted: the note waits', async () => {
        await raise('a');
        const { run } = state.database;
        let isBroken = true;
        Object.assign(state.database, {
            run: (sql: string, ...values: []) => {
                if (isBroken && sql.startsWith('delete from outbox')) {
                    throw new StorageError('disk is full');
                }
                return run(sql, ...values);
            },
        });
        const hooks = sender();
        await hooks.tellAll();
        await hooks.tellAll();
        isBroken = false;
        await hooks.tellAll();
        expect(requests).toHaveLength(1);
        expect(waiting()).toEqual([]);
        expect(faults[0]).toBe('hook desk has answered, which cannot be noted now: disk is full');
    });

    test('is told once more, with the same id, where this program died between its answer and the note', async () => {
        await raise('a');
        answer = (_, response) => {
            response.writeHead(200).end();
            state.close();
        };
        await sender().tellAll();
        open();
        answer = (_, response) => response.writeHead(200).end();
        await sender().tellAll();
        await sender().tellAll();
        expect(requests.map(({ id }) => id)).toEqual([`${state.name}-2`, `${state.name}-2`]);
    });

    test('is not followed to another address', async () => {
        answer = (_, response) => response.writeHead(302, { location: '/elsewhere' }).end();
        await raise('a');
        await sender().tellAll();
        expect(requests).toHaveLength(1);
        expect(waiting()).toMatchObject([{ waiting: 1, error: 'it answers 302' }]);
    });

    test('that cannot be reached is told of without its address and secret', async () => {
        await new Promise((resolve) => server.close(resolve));
        await raise('a');
        await sender().tellAll();
        expect(faults).toEqual(['hook desk does not take event 2, and is told again: ECONNREFUSED']);
    });

    test('is told at once when something is raised, and of nothing that is only a reading', async () => {
        const hooks = sender();
        hooks.start();
        await raise('a');
        while (waiting().length > 0) {
            await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await hooks.stop();
        expect(requests).toHaveLength(1);
    });

    test('is told that latest state is late', async () => {
        expect(state.notePipeline({ kind: 'pipeline_late', since_ms: 5, why: 'disk is full' }, clock.nowMs)).toBe(true);
        expect(state.notePipeline({ kind: 'pipeline_late', since_ms: 5, why: 'disk is full' }, clock.nowMs)).toBe(false);
        await sender().tellAll();
        expect(requests.map(({ body }) => JSON.parse(body))).toEqual([
            { type: 'pipeline.late', timestamp: new Date(START_MS).toISOString(), data: { since_ms: 5, why: 'disk is full' } },
        ]);
    });

    test('that is no longer there has what waits for it given up, and said', async () => {
        await raise('a');
        const hooks = sender([]);
        hooks.start();
        await hooks.stop();
        expect(waiting()).toMatchObject([{ hook: 'desk', waiting: 0, givenUp: 1 }]);
        expect(faults).toEqual(['hook desk is not there any more: 1 events are given up']);
    });
});

describe('a command', () => {
    const program = (script: string): Hook[] => parseHooks([{ name: 'page', command: [process.execPath, '-e', script, '$HOME; echo'] }]);

    test('gets the event on its standard input, its arguments as they are, and variables with id and type', async () => {
        const file = join(folder, 'told.json');
        const script = `let text = ''; process.stdin.on('data', (part) => { text += part; }).on('end', () => require('fs').writeFileSync(${JSON.stringify(file)},
            JSON.stringify({ told: JSON.parse(text), argument: process.argv[1], type: process.env.FLOWLAKE_EVENT_TYPE, id: process.env.FLOWLAKE_EVENT_ID, all: Object.keys(process.env).length })));`;
        open(program(script));
        await raise('a');
        await sender(program(script), { PATH: '/bin' }).tellAll();
        expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
            told: { type: 'alert.raised', timestamp: new Date(START_MS).toISOString(), data: alertOf('a') },
            argument: '$HOME; echo',
            type: 'alert.raised',
            id: `${state.name}-2`,
            all: 3,
        });
        expect(waiting()).toEqual([]);
    });

    test('that ends with a fault is run again, with what it said', async () => {
        const file = join(folder, 'runs');
        writeFileSync(file, '');
        const script = `require('fs').appendFileSync(${JSON.stringify(file)}, 'x'); console.error('no line'); process.exit(3)`;
        open(program(script));
        await raise('a');
        const hooks = sender(program(script));
        await hooks.tellAll();
        clock.pass(1_000);
        await hooks.tellAll();
        expect(readFileSync(file, 'utf8')).toBe('xx');
        expect(waiting()).toMatchObject([{ hook: 'page', waiting: 1, error: 'it ends with 3: no line' }]);
    });

    test('that is not there is said', async () => {
        const hooks = parseHooks([{ name: 'page', command: ['/no/such/program'] }]);
        open(hooks);
        await raise('a');
        await sender(hooks).tellAll();
        expect(waiting()).toMatchObject([{ error: 'ENOENT' }]);
    });
});

describe('a command that hangs', () => {
    test('is ended, and run again', async () => {
        const hooks = parseHooks([{ name: 'page', command: [process.execPath, '-e', 'setTimeout(() => 0, 60_000)'] }]);
        open(hooks);
        await raise('a');
        await sender(hooks, {}, { commandMs: 100 }).tellAll();
        expect(waiting()).toMatchObject([{ waiting: 1, error: expect.stringMatching(/^it was ended by SIGKILL/) }]);
    });
});

describe('docs/latest.md', () => {
    const page = readFileSync(new URL('../../../docs/latest.md', import.meta.url), 'utf8');
    const blockOf = (language: string) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';

    test('has settings that are taken', () => {
        expect(parseHooks(JSON.parse(blockOf('json')))).toMatchObject([{ name: 'desk' }, { name: 'page' }]);
    });

    test('has a check of signatures that takes what is sent, and nothing else', async () => {
        const file = join(folder, 'check.mjs');
        writeFileSync(file, blockOf('js'));
        const { isGenuine } = await import(file);
        await raise('a');
        await sender().tellAll();
        const { headers, body } = requests[0]!;
        const good = { headers, body, secret: SECRET, nowMs: START_MS + 60_000 };
        expect(isGenuine(good)).toBe(true);
        expect(isGenuine({ ...good, body: body.replace('31.5', '11.5') })).toBe(false);
        expect(isGenuine({ ...good, secret: `whsec_${Buffer.alloc(24, 8).toString('base64')}` })).toBe(false);
        expect(isGenuine({ ...good, nowMs: START_MS + 600_000 })).toBe(false);
        expect(isGenuine({ ...good, headers: { ...headers, 'webhook-id': 'other' } })).toBe(false);
        expect(isGenuine({ ...good, headers: {} })).toBe(false);
        expect(isGenuine({ ...good, headers: { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` } })).toBe(true);
    });
});

describe('settings of hooks', () => {
    const good = { name: 'desk', url: 'https://example.com/x', secret: SECRET };
    test.each([
        [{}, /no list/],
        [[{ ...good, name: 'Desk' }], /no usable name/],
        [[good, good], /Two hooks have the name desk/],
        [[{ name: 'desk' }], /needs "url" and "secret", or "command"/],
        [[{ ...good, command: ['x'] }], /needs "url" and "secret", or "command"/],
        [[{ ...good, colour: 'red' }], /a field "colour" that no hook has/],
        [[{ ...good, url: 'http://example.com/' }], /https:\/\/ address/],
        [[{ ...good, url: 'http://127.0.0.1.example.com/' }], /https:\/\/ address/],
        [[{ ...good, url: 'file:///etc/passwd' }], /https:\/\/ address/],
        [[{ ...good, url: 'https://me:pw@example.com/' }], /name or password/],
        [[{ ...good, secret: 'whsec_c2hvcnQ=' }], /24 to 64 bytes/],
        [[{ ...good, secret: SECRET.slice(6) }], /whsec_/],
        [[{ name: 'page', command: 'rm -rf /' }], /list of texts/],
        [[{ name: 'page', command: ['x'], secret: SECRET }], /list of texts/],
    ])('%j are refused', (value, why) => {
        expect(() => parseHooks(value)).toThrow(why);
        expect(() => parseHooks(value)).toThrow(UsageError);
    });

    test('never show a secret', () => {
        expect(() => parseHooks([{ ...good, secret: 'whsec_hidden' }])).toThrow(expect.not.stringMatching(/hidden/) as never);
    });

    test.each(['https://example.com/x', 'http://localhost:8080/', 'http://[::1]:9/', 'http://127.8.8.8/'])('%s is taken', (one) => {
        expect(parseHooks([{ ...good, url: one }])).toHaveLength(1);
    });
});
