/** A served lake while something else goes on: the machine's clock is set back, other commands work on the lake, many clients post at once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { addToken } from '#lake/credentials';
import { registerDevice } from '#lake/devices';
import { addInput } from '#lake/inputs';
import type { DirectoryLake } from '#lake/lake';
import { listChain } from '#lake/live/chain';
import { messagesOf } from '#lake/live/chain-object';
import { listStreams } from '#lake/live/chain-origins';
import { openLake } from '#lake/open-lake';
import { askServe } from '#lake/serve/control';
import { type Serving, serve } from '#lake/serve/serve';
import type { ObjectStore } from '#lake/store/object-store';
import { fakeWorld, runLine } from '#test/cli/fake-surroundings';

const HOUR_MS = 3_600_000;
const PROFILE = {
    name: 'room',
    device: { from: 'certificate' },
    time: ['arrival'],
    identity: [{ path: 'n' }],
    metrics: [{ name: 'temperature', path: 't', unit: 'Cel', digits: 1 }],
    dueEvery: '5m',
    alerts: [
        { rule: 'hot', metric: 'temperature', above: { raise: 30, clear: 28 }, severity: 'warning', message: 'too warm' },
        { rule: 'gone', silentFor: '30m', severity: 'critical', message: 'it says nothing' },
    ],
};

let folder: string;
let directory: string;
let lake: DirectoryLake;
let store: ObjectStore;
let serving: Serving;
let said: string[];
let aheadMs: number;

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowlake-beside-'));
    directory = join(folder, 'lake');
    const place = { kind: 'directory', name: directory, directory } as const;
    lake = (await openLake(place, { environment: {}, signal: new AbortController().signal, mayBeNew: true })) as DirectoryLake;
    store = await lake.store();
    await addInput(store, 'profiles/', PROFILE.name, PROFILE);
    [said, aheadMs] = [[], 0];
    serving = await serve(lake, {
        ...{ host: '127.0.0.1', mqttPort: 0, httpPort: 0, names: [], isHttps: false, sealEveryMs: 1e9, hooks: [] },
        ...{ forwardTo: undefined, isNewToken: false, environment: {}, say: (line) => said.push(line) },
        now: () => new Date(Date.now() + aheadMs),
    });
});

afterEach(async () => {
    await serving.stop(new AbortController().signal);
    await lake.close();
    await rm(folder, { recursive: true });
});

async function register(device: string): Promise<string> {
    await registerDevice(store, { device, profile: PROFILE.name, site: 'berlin' }, { today: '1970-01-01' });
    const { token } = await addToken(store, device, { now: new Date() });
    await askServe(directory, 'refresh');
    return token;
}

/** Posts until the messages are taken: a client that is told to wait comes again. */
async function post(token: string, messages: readonly object[]): Promise<void> {
    for (;;) {
        const answer = await fetch(`${serving.httpUrl}/v1/telemetry`, {
            method: 'POST',
            headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
            body: JSON.stringify(messages),
        });
        if (answer.status !== 429) {
            expect([answer.status, await answer.json()]).toEqual([200, { accepted: messages.length, rejected: [] }]);
            return;
        }
        await answer.body?.cancel();
        await wait(50);
    }
}

async function latest(device: string): Promise<any> {
    while (serving.status().latest.behindMs > 0) {
        await wait(10);
    }
    const answer = await fetch(`${serving.httpUrl}/v1/devices/${device}`, { headers: { authorization: `Bearer ${serving.readerToken}` } });
    return answer.json();
}

async function rows(sql: string): Promise<unknown[][]> {
    const { batches } = await (await lake.engine()).query(sql);
    const found: unknown[][] = [];
    for await (const batch of batches) {
        found.push(...batch);
    }
    return found;
}

async function run(...line: string[]): Promise<{ exitCode: number; out: string; err: string }> {
    const { exitCode, stdout, stderr } = await runLine(['--lake', directory, ...line], { world: fakeWorld({ now: () => new Date() }) });
    return { exitCode, out: stdout, err: stderr };
}

test.each([
    ['two hours', -2 * HOUR_MS],
    ['400 days', -400 * 24 * HOUR_MS],
    ['1970, as without a battery', -Date.now() + HOUR_MS],
])('with its clock set back by %s it takes messages, shows the last one that came, and raises nothing by the clock', async (_, backMs) => {
    const token = await register('room-1');
    await post(token, [{ n: 1, t: 20 }]);
    await latest('room-1');
    aheadMs = backMs;
    await post(token, [{ n: 2, t: 21 }]);
    expect(await latest('room-1')).toMatchObject({
        state: 'online',
        metrics: { temperature: { message: '2', value: 21 } },
        open_alerts: 0,
    });
    await askServe(directory, 'seal');
    aheadMs = 0;
    await post(token, [{ n: 3, t: 22 }]);
    expect(await latest('room-1')).toMatchObject({
        state: 'online',
        metrics: { temperature: { message: '3', value: 22 } },
        open_alerts: 0,
    });
    await askServe(directory, 'seal');
    expect(await rows('select message from readings order by message')).toEqual([['1'], ['2'], ['3']]);
    expect((await run('verify')).exitCode).toBe(0);
    expect(said).toEqual([expect.stringMatching(/clock went back by \d+ s/), expect.stringMatching(/clock went ahead by \d+ s/)]);
});

test('prune, uploads, rebuild and verify --repair beside it: nothing that it has acknowledged is missing, nothing is there twice', async () => {
    const token = await register('room-1');
    const history = join(folder, 'history.ndjson');
    await writeFile(
        history,
        Array.from({ length: 50 }, (_, n) => `{"n":"h${n}","t":20,"at":"2026-01-05T10:00:${String(n).padStart(2, '0')}Z"}`).join('\n'),
    );
    await addInput(store, 'profiles/', 'history', {
        ...PROFILE,
        name: 'history',
        device: { text: 'room-1' },
        time: { path: 'at', unit: 'ISO' },
        alerts: [],
    });
    let count = 0;
    let isOver = false;
    const posting = (async () => {
        while (!isOver) {
            count += 1;
            await post(token, [{ n: count, t: 20 }]);
            if (count % 10 === 0) {
                await askServe(directory, 'seal');
            }
        }
    })();
    const day = new Date().toISOString().slice(0, 10);
    for (const line of [
        ['upload', '--kind', 'telemetry', '--profile', 'history', history],
        ['prune', '--raw-before', '2026-02-01'],
        ['rebuild', '--from', '2026-01-01', '--to', day],
        ['verify', '--repair'],
        ['prune', '--raw-before', '2026-02-01'],
    ]) {
        const { exitCode, err } = await run(...line);
        // What serve adds meanwhile looks like a difference, which verify says.
        const isChanged = line[0] === 'verify' && err.includes('run it again before believing a difference');
        expect(isChanged ? 'changed meanwhile' : `${exitCode} ${err}`).toMatch(/^changed meanwhile$|^0 /);
    }
    isOver = true;
    await posting;
    await askServe(directory, 'seal');
    expect(await rows("select count(*), count(distinct message), max(copies) from readings where message not like 'h%'")).toEqual([
        [BigInt(count), BigInt(count), 1n],
    ]);
    expect(await rows("select count(*) from readings where message like 'h%'")).toEqual([[50n]]);
    // Nothing differs, and what was pruned cannot be read again.
    expect((await run('verify')).exitCode).toBe(3);
    expect(said).toEqual([]);
});

test('of 200 clients that post at once every message is there, each device’s in its order', async () => {
    const [clients, rounds] = [200, 5];
    const tokens: string[] = [];
    for (let device = 0; device < 20; device += 1) {
        tokens.push(await register(`room-${device}`));
    }
    await Promise.all(
        Array.from({ length: clients }, async (_, client) => {
            for (let round = 0; round < rounds; round += 1) {
                const messages = Array.from({ length: 3 }, (_, n) => ({ n: `${client}-${round * 3 + n}`, t: 20 }));
                await post(tokens[client % tokens.length] ?? '', messages);
            }
        }),
    );
    await askServe(directory, 'seal');
    expect(await rows('select count(*), count(distinct message), max(copies), count(distinct device) from readings')).toEqual([
        [BigInt(clients * rounds * 3), BigInt(clients * rounds * 3), 1n, 20n],
    ]);
    const came = new Map<string, string[]>();
    for (const stream of await listStreams(store)) {
        for (const key of await listChain(store, { stream, shard: '0', behind: '0' })) {
            for await (const { device, payload } of messagesOf(store, key)) {
                const [client = '', n = ''] = JSON.parse(payload.toString()).n.split('-');
                const way = `${device} ${client}`;
                came.set(way, [...(came.get(way) ?? []), n]);
            }
        }
    }
    const inOrder = Array.from({ length: rounds * 3 }, (_, n) => `${n}`);
    expect([came.size, ...came.values()]).toEqual([clients, ...Array.from({ length: clients }, () => inOrder)]);
    expect(said).toEqual([]);
});
