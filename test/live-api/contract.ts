/**
 * What the HTTP API promises, wherever it runs: in memory, by `serve`, on AWS. Every answer is checked against docs/openapi.json on the way. The devices that it makes
 * have names of their own, so that it may run on a lake that has others.
 */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, test as everyTest, expect } from '@jest/globals';
import { DOCUMENT, faultsOfAnswer, faultsOfEvent } from './document-check.ts';
import { type EventClient, readEvents } from './event-client.ts';

export interface ApiSubject {
    /** `http://127.0.0.1:8080`, without a path. */
    baseUrl: string;
    /** A token that reads everything. */
    readerToken: string;
    /** Registers a device whose messages are read by profile `api-contract` (contract-profile.ts). @returns its token */
    addDevice(id: string, options: { site: string }): Promise<string>;
    /** Resolves once what was taken in is in latest state. */
    untilSeen(): Promise<void>;
    /** Resolves once what was taken in is in the lake. */
    untilSealed(): Promise<void>;
    close(): Promise<void>;
}

export interface ApiContract {
    /** Called once, before the first test. */
    open(): Promise<ApiSubject>;
    /** False where events go another way than by GET /v1/live. */
    hasEvents: boolean;
    /** Tests, by their names, of what the place where the subject runs does not carry, each with the reason: they must fail there, so that none stays here for ever. */
    notCarried?: Readonly<Record<string, string>>;
}

const JSON_TYPE = 'application/json';

/** 2026-01-05 10:00 UTC. */
const T0 = 1_767_607_200_000;

interface Asked {
    token?: string | undefined;
    headers?: Record<string, string>;
    body?: string | Buffer;
}

interface Answer {
    status: number;
    headers: Headers;
    text: string;
    /** The body as JSON. */
    json: any;
}

export function describeApi(name: string, { open, hasEvents, notCarried = {} }: ApiContract): void {
    const test = Object.assign(
        (promise: string, run: () => Promise<void>): void => {
            const reason = notCarried[promise];
            reason === undefined ? everyTest(promise, run) : everyTest.failing(`${promise} (not carried: ${reason})`, run);
        },
        { each: everyTest.each },
    );
    describe(`${name}: the API`, () => {
        let subject: ApiSubject;
        /** Beginning of the ids of this run. */
        const run = `c${randomBytes(4).toString('hex')}`;
        const site = `site-${run}`;
        let made = 0;

        beforeAll(async () => {
            subject = await open();
        });

        afterAll(() => subject.close());

        async function ask(method: string, path: string, { token, headers = {}, body }: Asked = {}): Promise<Answer> {
            const response = await fetch(subject.baseUrl + path, {
                method,
                headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
                ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
            });
            const text = await response.text();
            const type = response.headers.get('content-type') ?? undefined;
            const faults = faultsOfAnswer(
                { method, path: new URL(path, subject.baseUrl).pathname },
                { status: response.status, type, body: text },
            );
            expect(faults).toEqual([]);
            const json = type?.split(';')[0]?.endsWith('json') && text !== '' ? JSON.parse(text) : undefined;
            return { status: response.status, headers: response.headers, text, json };
        }

        const read = (path: string, headers: Record<string, string> = {}) => ask('GET', path, { token: subject.readerToken, headers });

        const send = (token: string, body: string | Buffer, headers: Record<string, string> = {}, query = '') =>
            ask('POST', `/v1/telemetry${query}`, { token, body, headers: { 'content-type': JSON_TYPE, ...headers } });

        async function newDevice(): Promise<{ id: string; token: string }> {
            made += 1;
            const id = `${run}-${String(made).padStart(3, '0')}`;
            return { id, token: await subject.addDevice(id, { site }) };
        }

        const readingsOf = async (id: string, query = '') => {
            await subject.untilSealed();
            return (await read(`/v1/devices/${id}/readings${query}`)).json.readings;
        };

        const problemOf = ({ status, json, headers }: Answer) => {
            expect(headers.get('content-type')).toBe('application/problem+json');
            expect(json.status).toBe(status);
            return `${status} ${json.type.replace('urn:flowlake:problem:', '')}`;
        };

        const parametersOf = ({ json }: Answer) =>
            json.parameters?.map((fault: { in: string; name: string }) => `${fault.in} ${fault.name}`);

        describe('POST /v1/telemetry', () => {
            test('takes a message, whose values are in latest state with all their digits', async () => {
                const { id, token } = await newDevice();
                const answer = await send(token, `{"t":${T0},"temperature":21.30,"total":123456.123456789,"mode":"auto"}`);
                expect(answer).toMatchObject({ status: 200, json: { accepted: 1, rejected: [] } });
                expect(answer.headers.get('cache-control')).toBe('no-store');
                await subject.untilSeen();
                const { text, json } = await read(`/v1/devices/${id}`);
                expect(text).toContain('"value":21.30,');
                expect(text).toContain('"value":123456.123456789,');
                expect(json).toMatchObject({ device: id, site, profile: 'api-contract', state: 'online', last_at_ms: T0 });
                expect(json.metrics.mode).toMatchObject({ value: null, text: 'auto', at_ms: T0, clock: 'device' });
            });

            test('takes an array of messages, and newer ones count', async () => {
                const { id, token } = await newDevice();
                const body = `[ {"t":${T0 + 1000},"temperature":20.5} ,\n{"t":${T0 + 3000},"temperature":20.7},{"t":${T0 + 2000},"temperature":20.6}]`;
                expect(await send(token, body)).toMatchObject({ status: 200, json: { accepted: 3, rejected: [] } });
                await subject.untilSeen();
                expect((await read(`/v1/devices/${id}`)).json.metrics.temperature).toMatchObject({ value: 20.7, at_ms: T0 + 3000 });
            });

            test('takes a message a line, by its type or by what it looks like', async () => {
                const { id, token } = await newDevice();
                const lines = [1, 2, 3].map((n) => `{"t":${T0 + n},"temperature":${n}}`).join('\r\n');
                expect((await send(token, `${lines}\n\n`, { 'content-type': 'application/x-ndjson' })).json).toEqual({
                    accepted: 3,
                    rejected: [],
                });
                expect((await send(token, lines.replaceAll('"temperature":', '"temperature":1'))).json).toEqual({
                    accepted: 3,
                    rejected: [],
                });
                expect(await readingsOf(id)).toHaveLength(6);
            });

            test('takes an object that stands on several lines as one message', async () => {
                const { id, token } = await newDevice();
                expect((await send(token, `{\n  "t": ${T0},\n  "temperature": 7.25\n}\n`)).json).toEqual({ accepted: 1, rejected: [] });
                await subject.untilSeen();
                expect((await read(`/v1/devices/${id}`)).json.metrics.temperature.value).toBe(7.25);
            });

            test('takes gzip', async () => {
                const { id, token } = await newDevice();
                const body = gzipSync(`[{"t":${T0},"temperature":1.5}]`);
                expect((await send(token, body, { 'content-encoding': 'gzip' })).json).toEqual({ accepted: 1, rejected: [] });
                await subject.untilSeen();
                expect((await read(`/v1/devices/${id}`)).json.metrics.temperature.value).toBe(1.5);
            });

            test('takes any bytes as one message', async () => {
                const { token } = await newDevice();
                const body = Buffer.from([0, 255, 91, 10, 13]);
                expect((await send(token, body, { 'content-type': 'application/octet-stream' })).json).toEqual({
                    accepted: 1,
                    rejected: [],
                });
            });

            test('makes one reading of what is sent twice', async () => {
                const { id, token } = await newDevice();
                const message = `{"t":${T0},"temperature":3.5}`;
                await send(token, message);
                await send(token, `[${message}]`);
                expect(await readingsOf(id)).toMatchObject([{ metric: 'temperature', at_ms: T0, value: 3.5, copies: 2 }]);
            });

            test('keeps the order of a request', async () => {
                const { id, token } = await newDevice();
                // Equal times: the message that is not there yet decides nothing, so the newest is told by its time alone.
                await send(token, `[${Array.from({ length: 50 }, (_, n) => `{"t":${T0 + n},"temperature":${n}}`)}]`);
                await subject.untilSeen();
                expect((await read(`/v1/devices/${id}`)).json.metrics.temperature).toMatchObject({ value: 49, at_ms: T0 + 49 });
            });

            test('tells which messages of a request are too large, and takes the others', async () => {
                const { id, token } = await newDevice();
                const large = `{"t":${T0},"mode":"${'x'.repeat(128 * 1024)}"}`;
                const { status, json } = await send(token, `[{"t":${T0},"temperature":1},${large},{"t":${T0 + 1},"temperature":2}]`);
                expect({ status, ...json }).toMatchObject({ status: 200, accepted: 2, rejected: [{ index: 1, reason: 'too_large' }] });
                expect(json.rejected[0].detail).toContain('131,072');
                await subject.untilSeen();
                expect((await read(`/v1/devices/${id}`)).json.metrics.temperature.value).toBe(2);
            });

            test('answers 413 to one message that is too large, and to a body that is', async () => {
                const { token } = await newDevice();
                expect(problemOf(await send(token, `{"mode":"${'x'.repeat(128 * 1024)}"}`))).toBe('413 too_large');
                expect(problemOf(await send(token, gzipSync(Buffer.alloc(2 ** 21)), { 'content-encoding': 'gzip' }))).toBe('413 too_large');
                expect(problemOf(await send(token, `[${'1,'.repeat(10_000)}1]`))).toBe('413 too_large');
            });

            test('takes nothing of a body that cannot be cut', async () => {
                const { id, token } = await newDevice();
                for (const body of [
                    `[{"t":${T0},"temperature":1},`,
                    `[{"t":${T0},"temperature":1}]]`,
                    '[,]',
                    '',
                    ' ',
                    `[{"temperature":1} 2`,
                ]) {
                    expect({ body, problem: problemOf(await send(token, body)) }).toEqual({ body, problem: '400 bad_request' });
                }
                expect(problemOf(await send(token, Buffer.from('no gzip'), { 'content-encoding': 'gzip' }))).toBe('400 bad_request');
                expect(await readingsOf(id)).toEqual([]);
            });

            test('answers 415 to types and encodings that are not taken, and says which are', async () => {
                const { token } = await newDevice();
                const form = await send(token, 'temperature=1', { 'content-type': 'application/x-www-form-urlencoded' });
                expect(problemOf(form)).toBe('415 wrong_type');
                expect(form.headers.get('accept-post')).toContain('application/json');
                expect(problemOf(await send(token, '{}', { 'content-type': 'application/json; charset=utf-16' }))).toBe('415 wrong_type');
                const packed = await send(token, '{}', { 'content-encoding': 'br' });
                expect(problemOf(packed)).toBe('415 wrong_type');
                expect(packed.headers.get('accept-encoding')).toBe('gzip');
            });

            test('knows a topic, and refuses one with wildcards', async () => {
                const { token } = await newDevice();
                expect((await send(token, '{"temperature":1}', {}, '?topic=plant/one')).status).toBe(200);
                const wild = await send(token, '{"temperature":1}', {}, '?topic=plant/%23');
                expect(problemOf(wild)).toBe('400 bad_parameter');
                expect(parametersOf(wild)).toEqual(['query topic']);
            });
        });

        describe('tokens', () => {
            test('are wanted, and said to be wrong where they are', async () => {
                const none = await ask('GET', '/v1/fleet');
                expect(problemOf(none)).toBe('401 no_token');
                expect(none.headers.get('www-authenticate')).toMatch(/^Bearer /);
                const wrong = await ask('GET', '/v1/fleet', { token: 'nobodys' });
                expect(problemOf(wrong)).toBe('401 wrong_token');
                expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
                expect(problemOf(await ask('POST', '/v1/telemetry', { token: '', body: '{}' }))).toBe('401 wrong_token');
            });

            test('do not go into addresses', async () => {
                expect(problemOf(await ask('GET', `/v1/fleet?token=${subject.readerToken}`))).toBe('401 no_token');
            });

            test('of a device send, and read that device alone', async () => {
                const { id, token } = await newDevice();
                const other = await newDevice();
                expect((await ask('GET', `/v1/devices/${id}`, { token })).json).toMatchObject({
                    device: id,
                    state: 'unknown',
                    metrics: {},
                });
                await subject.untilSealed();
                expect((await ask('GET', `/v1/devices/${id}/readings`, { token })).status).toBe(200);
                for (const path of [
                    `/v1/devices/${other.id}`,
                    `/v1/devices/${other.id}/readings`,
                    '/v1/devices',
                    '/v1/fleet',
                    '/v1/alerts',
                ]) {
                    expect({ path, problem: problemOf(await ask('GET', path, { token })) }).toEqual({ path, problem: '403 not_allowed' });
                }
            });

            test('of a reader do not send', async () => {
                expect(problemOf(await send(subject.readerToken, '{"temperature":1}'))).toBe('403 not_allowed');
            });
        });

        describe('GET /v1/devices', () => {
            test('gives page after page, each device once', async () => {
                const ids: string[] = [];
                for (let n = 0; n < 5; n += 1) {
                    ids.push((await newDevice()).id);
                }
                const seen: string[] = [];
                let path: string | null = `/v1/devices?prefix=${run}&limit=2`;
                while (path !== null) {
                    const { json, headers }: Answer = await read(path);
                    expect(json.devices.length).toBeLessThanOrEqual(2);
                    seen.push(...json.devices.map(({ device }: { device: string }) => device));
                    expect(headers.get('link')).toBe(json.next === null ? null : `<${json.next}>; rel="next"`);
                    path = json.next;
                }
                expect(seen).toEqual([...new Set(seen)].sort());
                expect(seen).toEqual(expect.arrayContaining(ids));
            });

            test('gives those of a state, profile or site', async () => {
                const { id, token } = await newDevice();
                const silent = await newDevice();
                await send(token, '{"temperature":1}');
                await subject.untilSeen();
                const idsOf = async (query: string) =>
                    (await read(`/v1/devices?limit=1000&prefix=${run}&${query}`)).json.devices.map(({ device }: any) => device);
                expect(await idsOf('state=online')).toContain(id);
                expect(await idsOf('state=online')).not.toContain(silent.id);
                expect(await idsOf('state=unknown')).toContain(silent.id);
                expect(await idsOf(`site=${site}&profile=api-contract`)).toEqual(expect.arrayContaining([id, silent.id]));
                expect(await idsOf('site=elsewhere')).toEqual([]);
                expect(await idsOf('profile=another')).toEqual([]);
            });

            test('answers 304 to who has it, and anew once it has changed', async () => {
                const { id, token } = await newDevice();
                for (const path of [`/v1/devices/${id}`, `/v1/devices?prefix=${id}`, '/v1/fleet']) {
                    const first = await read(path);
                    const etag = first.headers.get('etag') ?? '';
                    expect(etag).toMatch(/^"[^"]+"$/);
                    expect(first.headers.get('cache-control')).toBe('private, no-cache');
                    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
                        const again = await read(path, { 'if-none-match': known });
                        expect({ known, status: again.status, text: again.text }).toEqual({ known, status: 304, text: '' });
                        expect(again.headers.get('etag')).toBe(etag);
                    }
                }
                const before = (await read(`/v1/devices/${id}`)).headers.get('etag') ?? '';
                await send(token, `{"t":${T0},"temperature":1}`);
                await subject.untilSeen();
                expect((await read(`/v1/devices/${id}`, { 'if-none-match': before })).status).toBe(200);
            });

            test('answers HEAD without a body', async () => {
                const { headers, text, status } = await ask('HEAD', '/v1/fleet', { token: subject.readerToken });
                expect({ status, text }).toEqual({ status: 200, text: '' });
                expect(headers.get('etag')).toMatch(/^"/);
            });

            test.each([
                ['limit=0', 'limit'],
                ['limit=1001', 'limit'],
                ['limit=1e2', 'limit'],
                ['limit=', 'limit'],
                ['limit=1&limit=2', 'limit'],
                ['state=sleepy', 'state'],
                ['sate=online', 'sate'],
                ['site=', 'site'],
                ['after=WyJhbGVydHMiXQ', 'after'],
                ['after=nonsense', 'after'],
            ])('names the parameter that is wrong in ?%s', async (query, parameter) => {
                const answer = await read(`/v1/devices?${query}`);
                expect(problemOf(answer)).toBe('400 bad_parameter');
                expect(parametersOf(answer)).toEqual([`query ${parameter}`]);
                expect(answer.json.detail).toContain(parameter);
            });

            test('says that a device is not there, or cannot be', async () => {
                expect(problemOf(await read(`/v1/devices/${run}-none`))).toBe('404 not_found');
                expect(problemOf(await read(`/v1/devices/${run}-none/readings`))).toBe('404 not_found');
                for (const id of ['..%2F..%2Fetc%2Fpasswd', '%00', 'a%20b', 'x'.repeat(129), '%FF', '-']) {
                    expect({ id, problem: problemOf(await read(`/v1/devices/${id}`)) }).toEqual({ id, problem: '400 bad_parameter' });
                }
            });
        });

        test('GET /v1/fleet counts devices by state', async () => {
            const before = (await read('/v1/fleet')).json;
            const { token } = await newDevice();
            const between = (await read('/v1/fleet')).json;
            expect(between.devices.unknown).toBe(before.devices.unknown + 1);
            await send(token, '{"temperature":1}');
            await subject.untilSeen();
            const after = (await read('/v1/fleet')).json;
            expect(after.devices).toEqual({ ...before.devices, online: before.devices.online + 1 });
            expect(after.pipeline_late).toBe(false);
        });

        describe('GET /v1/devices/{id}/readings', () => {
            let id: string;

            beforeAll(async () => {
                const device = await newDevice();
                id = device.id;
                // Two metrics a message: rows of one time fall on both sides of a page's end.
                const messages = Array.from(
                    { length: 10 },
                    (_, n) => `{"t":${T0 + n * 60_000},"temperature":${n}.25,"total":0.00000000${n}}`,
                );
                await send(device.token, `[${messages}]`);
                await subject.untilSealed();
            });

            test('gives page after page, newest first, each reading once', async () => {
                const seen: string[] = [];
                let path: string | null = `/v1/devices/${id}/readings?limit=3`;
                while (path !== null) {
                    const { json }: Answer = await read(path);
                    seen.push(...json.readings.map(({ at_ms, metric }: any) => `${at_ms} ${metric}`));
                    path = json.next;
                }
                const wanted = Array.from({ length: 10 }, (_, n) => [`${T0 + n * 60_000} temperature`, `${T0 + n * 60_000} total`]);
                expect(seen).toEqual(wanted.flat().reverse());
            });

            test('gives one metric between two times, with all its digits', async () => {
                const { text, json } = await read(`/v1/devices/${id}/readings?metric=total&from=2026-01-05T10:03&to=2026-01-05T10:05Z`);
                expect(json.readings.map(({ at_ms }: any) => at_ms)).toEqual([T0 + 240_000, T0 + 180_000]);
                expect(text).toContain('"value":0.000000004,');
                expect(json).toMatchObject({ next: null });
                expect((await readingsOf(id, '?from=2026-01-05&to=2026-01-05&limit=1000')).length).toBe(20);
                expect(await readingsOf(id, '?to=2026-01-04')).toEqual([]);
                expect(await readingsOf(id, `?site=${site}&metric=temperature`)).toHaveLength(10);
                expect(await readingsOf(id, '?site=elsewhere')).toEqual([]);
            });

            test('gives CSV to who asks for it', async () => {
                const path = `/v1/devices/${id}/readings?metric=total&limit=1`;
                const { text, headers } = await read(path, { accept: 'text/csv, application/json;q=0.5' });
                expect(headers.get('content-type')).toBe('text/csv');
                expect(headers.get('link')).toContain('rel="next"');
                const [head, row, ...more] = text.split('\n');
                expect(head).toBe('site,device,metric,at_ms,value,text,clock,received_ms,message,copies');
                expect(row).toMatch(new RegExp(`^${site},${id},total,${T0 + 540_000},0\\.000000009,,device,\\d+,[^,]+,1$`));
                expect(more).toEqual(['']);
                expect((await read(path)).headers.get('etag')).not.toBe(headers.get('etag'));
            });

            test('gives steps of time, page after page', async () => {
                const seen: any[] = [];
                let path: string | null =
                    `/v1/devices/${id}/readings?metric=temperature&every=5m&from=2026-01-05T10:00&to=2026-01-05T10:10&limit=1`;
                let pages = 0;
                while (path !== null) {
                    const { json }: Answer = await read(path);
                    seen.push(...json.steps);
                    pages += 1;
                    path = json.next;
                }
                expect(pages).toBe(2);
                expect(seen).toEqual([
                    { site, device: id, metric: 'temperature', from_ms: T0 + 300_000, n: 5, min: 5.25, max: 9.25, mean: 7.25 },
                    { site, device: id, metric: 'temperature', from_ms: T0, n: 5, min: 0.25, max: 4.25, mean: 2.25 },
                ]);
                const csv = await read(`/v1/devices/${id}/readings?metric=temperature&every=1d&from=2026-01-05&to=2026-01-05`, {
                    accept: 'text/*',
                });
                expect(csv.text).toBe(
                    `site,device,metric,from_ms,n,min,max,mean\n${site},${id},temperature,${T0 - 36_000_000},10,0.25,9.25,4.75\n`,
                );
            });

            test.each([
                ['from=yesterday', 'from'],
                ['from=2026-02-30', 'from'],
                ['from=2026-01-06&to=2026-01-05T10:00', 'from'],
                ['every=7m&from=2026-01-05', 'every'],
                ['every=1h', 'from'],
                ['after=WyJzdGVwcyIsMV0', 'after'],
            ])('names the parameter that is wrong in ?%s', async (query, parameter) => {
                const answer = await read(`/v1/devices/${id}/readings?${query}`);
                expect(problemOf(answer)).toBe('400 bad_parameter');
                expect(parametersOf(answer)).toEqual([`query ${parameter}`]);
            });

            test('answers 406 where nothing that can be given is accepted', async () => {
                expect(problemOf(await read(`/v1/devices/${id}/readings`, { accept: 'text/html' }))).toBe('406 not_acceptable');
                expect(problemOf(await read('/v1/fleet', { accept: 'text/csv' }))).toBe('406 not_acceptable');
                expect((await read('/v1/fleet', { accept: 'text/html, */*;q=0.1' })).status).toBe(200);
            });
        });

        describe('alerts', () => {
            test('are raised, acknowledged, and end', async () => {
                const { id, token } = await newDevice();
                const listed = async (query = '') => (await read(`/v1/alerts?device=${id}${query}`)).json.alerts;
                const fleet = (await read('/v1/fleet')).json;
                await send(token, `{"t":${T0},"temperature":31.5}`);
                await subject.untilSeen();
                const [alert, ...others] = await listed('&state=open');
                expect(others).toEqual([]);
                expect(alert).toMatchObject({
                    device: id,
                    rule: 'hot',
                    severity: 'warning',
                    began_ms: T0,
                    ended_ms: null,
                    worst: 31.5,
                    acknowledged: null,
                });
                expect((await read('/v1/fleet')).json.open_alerts.warning).toBe(fleet.open_alerts.warning + 1);
                expect(await listed('&state=unacknowledged&severity=warning')).toHaveLength(1);
                expect(await listed('&severity=critical')).toEqual([]);
                expect((await read(`/v1/devices/${id}`)).json.open_alerts).toBe(1);

                const path = `/v1/alerts/${encodeURIComponent(alert.id)}/acknowledge`;
                const acknowledge = (note: string, words: Asked = {}) =>
                    ask('POST', path, {
                        token: subject.readerToken,
                        headers: { 'content-type': JSON_TYPE },
                        body: JSON.stringify({ note }),
                        ...words,
                    });
                const done = await acknowledge('fan replaced');
                expect(done.json).toMatchObject({ id: alert.id, acknowledged: { note: 'fan replaced' } });
                expect((await acknowledge('fan replaced')).json).toEqual(done.json);
                expect(problemOf(await acknowledge('no, it was not'))).toBe('409 taken');
                expect(problemOf(await acknowledge('x', { token }))).toBe('403 not_allowed');
                expect(await listed('&state=acknowledged')).toEqual([done.json]);
                expect(await listed('&state=unacknowledged')).toEqual([]);
                expect(await listed('&state=closed')).toEqual([]);

                await send(token, `{"t":${T0 + 60_000},"temperature":20}`);
                await subject.untilSeen();
                expect(await listed('&state=closed')).toMatchObject([{ id: alert.id, ended_ms: T0 + 60_000 }]);
                expect(await listed('&state=open')).toEqual([]);
            });

            test('are given page after page, newest beginning first', async () => {
                const { id, token } = await newDevice();
                const waves = Array.from({ length: 5 }, (_, n) =>
                    [31, 20].map((degrees, at) => `{"t":${T0 + n * 2000 + at * 1000},"temperature":${degrees}}`),
                );
                await send(token, `[${waves.flat()}]`);
                await subject.untilSeen();
                const seen: number[] = [];
                let path: string | null = `/v1/alerts?device=${id}&limit=2`;
                while (path !== null) {
                    const { json }: Answer = await read(path);
                    seen.push(...json.alerts.map(({ began_ms }: any) => began_ms));
                    path = json.next;
                }
                expect(seen).toEqual([4, 3, 2, 1, 0].map((n) => T0 + n * 2000));
            });

            test('that are not there cannot be acknowledged, nor without a note', async () => {
                const acknowledge = (body: string, headers = { 'content-type': JSON_TYPE }) =>
                    ask('POST', `/v1/alerts/${run}-none/acknowledge`, { token: subject.readerToken, headers, body });
                expect(problemOf(await acknowledge('{"note":"seen"}'))).toBe('404 not_found');
                const without = await acknowledge('{}');
                expect(problemOf(without)).toBe('400 bad_parameter');
                expect(parametersOf(without)).toEqual(['body note']);
                expect(problemOf(await acknowledge('{"note":'))).toBe('400 bad_request');
                expect(problemOf(await acknowledge('{"note":"seen"}', { 'content-type': 'text/plain' }))).toBe('415 wrong_type');
                expect(problemOf(await acknowledge(JSON.stringify({ note: 'x'.repeat(20_000) })))).toBe('413 too_large');
            });
        });

        describe('addresses', () => {
            test('that lead nowhere are said to', async () => {
                expect(problemOf(await read('/v1/nothing'))).toBe('404 not_found');
            });

            test.each([
                ['DELETE', '/v1/devices', 'GET, HEAD, OPTIONS'],
                ['GET', '/v1/telemetry', 'OPTIONS, POST'],
                ['PUT', '/v1/fleet', 'GET, HEAD, OPTIONS'],
            ])('know which methods they have: %s %s', async (method, path, allow) => {
                // No path of the document has this method, so that the answer is checked as a problem alone.
                const answer = await ask(method, path, { token: subject.readerToken });
                expect(problemOf(answer)).toBe('405 wrong_method');
                expect(answer.headers.get('allow')).toBe(allow);
            });

            test('let no page of another site ask', async () => {
                const answer = await read('/v1/fleet', { origin: 'https://example.com' });
                expect(problemOf(answer)).toBe('403 not_allowed');
                expect(answer.headers.get('access-control-allow-origin')).toBeNull();
            });
        });

        test('GET /v1/health needs no token', async () => {
            expect(await ask('GET', '/v1/health')).toMatchObject({ status: 200, json: { status: 'ok' } });
        });

        test('GET /v1/openapi.json gives docs/openapi.json', async () => {
            const { json, headers } = await ask('GET', '/v1/openapi.json');
            expect(json).toEqual(DOCUMENT);
            const again = await ask('GET', '/v1/openapi.json', { headers: { 'if-none-match': headers.get('etag') ?? '' } });
            expect(again.status).toBe(304);
        });

        if (!hasEvents) {
            test('GET /v1/live says that events go another way', async () => {
                expect(problemOf(await read('/v1/live'))).toBe('404 not_found');
            });
            return;
        }

        describe('GET /v1/live', () => {
            const follow = async (query: string, headers: Record<string, string> = {}): Promise<EventClient> => {
                const response = await fetch(`${subject.baseUrl}/v1/live${query}`, {
                    headers: { authorization: `Bearer ${subject.readerToken}`, ...headers },
                });
                expect(response.status).toBe(200);
                expect(response.headers.get('content-type')).toBe('text/event-stream');
                expect(response.headers.get('cache-control')).toBe('no-store');
                return readEvents(response);
            };

            const take = async (client: EventClient, count: number) => {
                const events = await client.take(count);
                expect(events.flatMap(({ data }) => faultsOfEvent(data))).toEqual([]);
                return events.map(({ id, type, data }) => ({ id, type, text: data, data: JSON.parse(data) }));
            };

            test('tells of messages and alerts as they come', async () => {
                const { id, token } = await newDevice();
                const client = await follow(`?device=${id}&kind=latest,raised`);
                expect(await take(client, 1)).toMatchObject([{ type: 'ready' }]);
                await send(token, `{"t":${T0},"temperature":30.50}`);
                const events = await take(client, 2);
                const latest = events.find(({ type }) => type === 'latest');
                expect(latest?.data).toMatchObject({
                    kind: 'latest',
                    device: id,
                    site,
                    metrics: { temperature: { value: 30.5, at_ms: T0 } },
                });
                expect(latest?.text).toContain('"value":30.50,');
                expect(events.find(({ type }) => type === 'raised')?.data).toMatchObject({
                    kind: 'raised',
                    alert: { device: id, rule: 'hot', ended_ms: null },
                });
                await client.close();
            });

            test('goes on behind the last event that a client saw', async () => {
                const { id, token } = await newDevice();
                const first = await follow(`?device=${id}&kind=latest`);
                await take(first, 1);
                await send(token, `{"t":${T0},"temperature":1}`);
                const [seen] = await take(first, 1);
                await first.close();
                for (const n of [2, 3, 4]) {
                    await send(token, `{"t":${T0 + n},"temperature":${n}}`);
                }
                for (const [query, headers] of [
                    [`&after=${seen?.id}`, {}],
                    ['', { 'last-event-id': seen?.id ?? '' }],
                    ['&after=0', { 'last-event-id': seen?.id ?? '' }],
                ] as const) {
                    const again = await follow(`?device=${id}&kind=latest${query}`, headers);
                    expect(await take(again, 1)).toMatchObject([{ type: 'ready', id: seen?.id }]);
                    // Messages that come close together may be told as one.
                    const values = [1];
                    while (values.at(-1) !== 4) {
                        const [event] = await take(again, 1);
                        expect(BigInt(event?.id ?? 0)).toBeGreaterThan(BigInt(seen?.id ?? 0));
                        values.push(event?.data.metrics.temperature.value);
                    }
                    expect(values).toEqual([...new Set(values)].sort());
                    await again.close();
                }
            });

            test('says so where events behind an id are not kept', async () => {
                const client = await follow('?after=999999999999999999');
                expect((await take(client, 2)).map(({ type }) => type)).toEqual(['ready', 'reset']);
                await client.close();
            });

            test('opens to a ticket, and to no token in the address', async () => {
                const { json, headers, status } = await ask('POST', '/v1/live-tickets', { token: subject.readerToken });
                expect(status).toBe(201);
                expect(headers.get('cache-control')).toBe('no-store');
                const response = await fetch(`${subject.baseUrl}/v1/live?ticket=${json.ticket}`);
                expect(response.status).toBe(200);
                await readEvents(response).close();
                expect(problemOf(await ask('GET', `/v1/live?ticket=${json.ticket}x`))).toBe('401 wrong_token');
                expect(problemOf(await ask('GET', `/v1/live?ticket=${subject.readerToken}`))).toBe('401 wrong_token');
                expect(problemOf(await ask('GET', `/v1/fleet?ticket=${json.ticket}`))).toBe('401 no_token');
            });

            test('names what is wrong with a question, and opens no stream for HEAD', async () => {
                expect(parametersOf(await read('/v1/live?kind=latest,nothing'))).toEqual(['query kind']);
                expect(parametersOf(await read('/v1/live?after=x'))).toEqual(['query after']);
                expect(parametersOf(await read('/v1/live', { 'last-event-id': 'x' }))).toEqual(['header Last-Event-ID']);
                expect(problemOf(await read('/v1/live', { accept: 'application/json' }))).toBe('406 not_acceptable');
                expect((await ask('HEAD', '/v1/live', { token: subject.readerToken })).status).toBe(200);
                const { token } = await newDevice();
                expect(problemOf(await ask('GET', '/v1/live', { token }))).toBe('403 not_allowed');
            });
        });
    });
}
