import { beforeEach, describe, expect, test } from '@jest/globals';
import { followMessages } from '#lake/live/latest';
import type { LiveProfiles } from '#lake/live/live-profiles';
import type { DeviceItem, LiveEvent } from '#lake/live/state-store';
import { MemoryInbox, openTestProfiles, START_MS, TestClock, THERMOSTAT } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

let inbox: MemoryInbox;
let profiles: LiveProfiles;
let clock: TestClock;

beforeEach(async () => {
    inbox = new MemoryInbox();
    clock = new TestClock();
    profiles = await openTestProfiles(memoryStore({}), { clock });
});

/** Puts messages into the inbox, each arriving when it was measured unless it is said, and follows all that are there. */
async function follow(
    ...payloads: (Record<string, unknown> & { at?: number; arrivedMs?: number })[]
): Promise<{ item: DeviceItem; events: readonly LiveEvent[] }> {
    for (const { at = 0, arrivedMs = START_MS + at, ...fields } of payloads) {
        inbox.add({ arrivedMs, payload: { t: START_MS + at, n: inbox.messages.length, ...fields } });
    }
    return followInbox();
}

async function followInbox(
    device = 'th-1',
    items = new Map<string, DeviceItem>(),
): Promise<{ item: DeviceItem; events: readonly LiveEvent[] }> {
    const { changes } = followMessages(items, await profiles.read(inbox.messages), { stream: inbox.stream, nowMs: START_MS });
    const change = changes.find(({ item }) => item.device === device)!;
    return { item: change.item, events: change.events };
}

const kinds = (events: readonly LiveEvent[]) =>
    events.filter(({ kind }) => kind !== 'latest').map((event) => `${event.kind} ${'alert' in event ? event.alert.id : ''}`);

describe('the latest reading', () => {
    test('has the digits of its profile, unit, time, identity and clock', async () => {
        const { item, events } = await follow({ at: 5, temp: 21.3, door: 'open', arrivedMs: START_MS + 100 });
        expect(item).toMatchObject({
            device: 'th-1',
            site: 'main',
            profile: 'thermostat',
            lastAtMs: START_MS + 5,
            lastReceivedMs: START_MS + 100,
            version: 1,
        });
        expect(item.metrics).toEqual({
            temperature: {
                value: '21.30',
                text: null,
                unit: 'Cel',
                atMs: START_MS + 5,
                message: '0',
                receivedMs: START_MS + 100,
                clock: 'device',
            },
            door: { value: null, text: 'open', unit: null, atMs: START_MS + 5, message: '0', receivedMs: START_MS + 100, clock: 'device' },
        });
        expect(events).toEqual([
            { kind: 'latest', device: 'th-1', site: 'main', profile: 'thermostat', received_ms: START_MS + 100, metrics: item.metrics },
        ]);
    });

    test('is told of each metric by itself: one message brings the one, the next the other', async () => {
        const { item } = await follow({ at: 10, temp: 20 }, { at: 5, batt: 80 });
        expect(item.metrics).toMatchObject({ temperature: { value: '20.00' }, battery: { value: '80' } });
        expect(item.lastAtMs).toBe(START_MS + 10);
    });

    test('is never an older one that comes later, and the later one is counted', async () => {
        const { item } = await follow({ at: 10, temp: 20 }, { at: 9, temp: 99 });
        expect(item.metrics).toMatchObject({ temperature: { value: '20.00' } });
        expect(item.late).toBe(1);
    });

    test('of two at one time is that of the greater identity, whichever comes first', async () => {
        const one = await follow({ at: 1, n: 'b', temp: 2 }, { at: 1, n: 'a', temp: 1 });
        inbox = new MemoryInbox();
        const other = await follow({ at: 1, n: 'a', temp: 1 }, { at: 1, n: 'b', temp: 2 });
        expect([one.item.metrics, other.item.metrics]).toMatchObject([
            { temperature: { value: '2.00' } },
            { temperature: { value: '2.00' } },
        ]);
    });

    test('of two copies of one message is the one that history keeps: the smallest by arrival and value', async () => {
        const { item } = await follow(
            { at: 1, n: 'a', temp: 5 },
            { at: 1, n: 'a', temp: 10 },
            { at: 1, n: 'a', temp: -3 },
            { at: 1, n: 'a', temp: -4, arrivedMs: START_MS + 2 },
        );
        expect(item.metrics).toMatchObject({ temperature: { value: '-3.00' } });
        expect(item.late).toBe(3);
    });

    test('is none that the device sends as history', async () => {
        const { item } = await follow({ at: 1, batt: 80 }, { at: 2, batt: 70, old: 1 });
        expect(item.metrics).toMatchObject({ battery: { value: '80' } });
        expect(item.lastReceivedMs).toBe(START_MS + 2);
    });

    test('stands at its arrival where the device’s clock is in the future or in 1970, and freezes nothing', async () => {
        const { item } = await follow(
            { at: 10 * 365 * 86_400_000, arrivedMs: START_MS, temp: 1 },
            { at: -START_MS, arrivedMs: START_MS + 1, temp: 2 },
            { at: 2, temp: 3 },
        );
        expect(item.metrics).toMatchObject({ temperature: { value: '3.00', atMs: START_MS + 2, clock: 'device' } });
    });

    test('gives way once the clock of this machine has gone back, so that a day too far ahead freezes nothing', async () => {
        const ahead = START_MS + 86_400_000;
        const { item, events } = await follow({ temp: 31, t: ahead, arrivedMs: ahead }, { at: 0, temp: 21 });
        expect(item.metrics).toMatchObject({ temperature: { value: '21.00' } });
        expect(item).toMatchObject({ lastAtMs: START_MS, lastReceivedMs: START_MS, open: [] });
        expect(kinds(events)).toEqual([`raised th-1~too-warm~${ahead}`, `cleared th-1~too-warm~${ahead}`]);
    });

    test('is kept of 500 metrics of a device at most, and what is left out is counted', async () => {
        const any = {
            name: 'any',
            device: { from: 'certificate' },
            time: 'arrival',
            metrics: [{ path: '{key}', name: '{key}', digits: 0, only: { path: '{key}', type: 'number' } }],
        };
        profiles = await openTestProfiles(memoryStore({}), { clock, profiles: [any] });
        const names = Array.from({ length: 501 }, (_, at) => [`m${at}`, at]);
        inbox.add({ profile: 'any', payload: Object.fromEntries(names) });
        const { item } = await followInbox();
        expect(Object.keys(item.metrics)).toHaveLength(500);
        expect(item.unkept).toBe(1);
    });
});

describe('a message without a reading', () => {
    test('is counted with its reason, and says nothing of when the device was heard', async () => {
        const { item, events } = await follow({ at: 1, temp: 20 }, { at: 2, wrong: true });
        expect(item).toMatchObject({
            rejected: 1,
            lastReceivedMs: START_MS + 1,
            lastRejected: { receivedMs: START_MS + 2, reason: 'no_reading' },
        });
        expect(kinds(events)).toEqual([]);
    });

    test.each([
        ['no_profile', { profile: undefined }, /had no profile/],
        ['no_profile', { profile: 'lock' }, /no profile lock in the lake/],
        ['no_site', { site: '../etc' }, /no name of a site/],
    ])('has the reason %s that the reading of its chain object has', async (reason, words, why) => {
        inbox.add({ ...words, payload: { t: START_MS, temp: 1 } });
        const { item } = await followInbox();
        expect(item.lastRejected).toMatchObject({ reason, why: expect.stringMatching(why) });
        expect(item.metrics).toEqual({});
    });

    test('that the way in has put aside is counted as refused', async () => {
        Object.assign(inbox, { messages: [] });
        inbox.add({ payload: { temp: 1 }, ...({ refused: 'its topic is that of another device' } as object) });
        expect((await followInbox()).item).toMatchObject({ refused: 1, rejected: 0, metrics: {} });
    });

    test('that says to be of another device than its certificate is none of it', async () => {
        const said = { ...THERMOSTAT, name: 'said', device: { path: 'd' } };
        profiles = await openTestProfiles(memoryStore({}), { clock, profiles: [said] });
        inbox.add({ profile: 'said', payload: { d: 'th-2', t: START_MS, temp: 1 } });
        expect((await followInbox()).item).toMatchObject({ device: 'th-1', lastRejected: { reason: 'device_mismatch' } });
    });

    test('because its reader fails is a reject, and is told', async () => {
        const faults: string[] = [];
        profiles = await openTestProfiles(memoryStore({}), { clock, faults });
        const profile = await profiles.open('thermostat');
        Object.assign(profile, {
            reader: {
                read: () => {
                    throw new RangeError('broken');
                },
            },
        });
        inbox.add({ payload: { temp: 1 } });
        expect((await followInbox()).item).toMatchObject({
            rejected: 1,
            lastRejected: { reason: 'unreadable', why: 'the reader failed: broken' },
        });
        expect(faults).toEqual(['message 1 of th-1 broke the reader of profile thermostat: broken']);
    });

    test('without a device is in no item', async () => {
        inbox.add({ device: undefined, payload: { temp: 1 } });
        const followed = followMessages(new Map(), await profiles.read(inbox.messages), { stream: 's1', nowMs: 0 });
        expect(followed).toEqual({ changes: [], unassigned: 1 });
    });
});

describe('an alert', () => {
    test('is raised, changes its figures without a word, and is cleared', async () => {
        const first = await follow({ at: 1, temp: 31 }, { at: 2, temp: 33 });
        expect(first.item.open).toMatchObject([
            {
                id: `th-1~too-warm~${START_MS + 1}`,
                kind: 'alert',
                severity: 'warning',
                worst: '33',
                readings: 2,
                ended_ms: null,
                raised_ms: START_MS,
            },
        ]);
        expect(kinds(first.events)).toEqual([`raised th-1~too-warm~${START_MS + 1}`]);
        inbox.messages.length = 0;
        inbox.add({ sequence: '9', payload: { t: START_MS + 3, n: 9, temp: 20 } });
        const next = await followInbox('th-1', new Map([['th-1', first.item]]));
        expect(next.item).toMatchObject({ open: [], version: 2 });
        expect(next.events.at(-1)).toMatchObject({
            kind: 'cleared',
            alert: { began_ms: START_MS + 1, ended_ms: START_MS + 3, worst: '33' },
        });
    });

    test('that begins and ends within one message is told of both', async () => {
        const each = { ...THERMOSTAT, name: 'each', each: '[]', identity: undefined };
        profiles = await openTestProfiles(memoryStore({}), { clock, profiles: [JSON.parse(JSON.stringify(each))] });
        inbox.add({
            profile: 'each',
            payload: [
                { t: START_MS + 2, temp: 20 },
                { t: START_MS + 1, temp: 31 },
            ],
        });
        expect(kinds((await followInbox()).events)).toEqual([
            `raised th-1~too-warm~${START_MS + 1}`,
            `cleared th-1~too-warm~${START_MS + 1}`,
        ]);
    });

    test('is not raised by a reading that comes late: history will say', async () => {
        const { item, events } = await follow({ at: 10, temp: 20 }, { at: 5, temp: 40 });
        expect([item.open, kinds(events), item.late]).toEqual([[], [], 1]);
    });

    test('of one metric waits for no other: a battery that is always told late is judged all the same', async () => {
        const { item } = await follow({ at: 0, batt: 1, temp: 20 }, { at: 11 * MINUTE, temp: 20 }, { at: 10 * MINUTE, batt: 1 });
        expect(item).toMatchObject({
            late: 0,
            open: [],
            rules: { metrics: { battery: START_MS + 10 * MINUTE }, lastMs: START_MS + 11 * MINUTE },
        });
    });

    test('ends where the device is read by another profile, or stands at another site', async () => {
        const other = { ...THERMOSTAT, name: 'other' };
        profiles = await openTestProfiles(memoryStore({}), { clock, profiles: [THERMOSTAT, other] });
        inbox.add({ payload: { t: START_MS, n: 0, temp: 31 } });
        inbox.add({ profile: 'other', payload: { t: START_MS + 5, n: 1, temp: 31 } });
        inbox.add({ profile: 'other', site: 'shed', payload: { t: START_MS + 9, n: 2, temp: 31 } });
        expect(kinds((await followInbox()).events)).toEqual(
            [0, 5]
                .flatMap((at) => [`raised th-1~too-warm~${START_MS + at}`, `cleared th-1~too-warm~${START_MS + at}`])
                .concat(`raised th-1~too-warm~${START_MS + 9}`),
        );
    });
});

test('a message is in an item once, however often the inbox gives it, and a new stream of numbers begins anew', async () => {
    const { item } = await follow({ at: 1, temp: 20 }, { at: 2, wrong: 1 });
    const again = followMessages(new Map([['th-1', item]]), await profiles.read(inbox.messages), { stream: 's1', nowMs: 0 });
    expect(again.changes).toEqual([]);
    inbox.messages.length = 0;
    inbox.add({ sequence: '1', payload: { t: START_MS + 7, n: 1, temp: 8 } });
    const anew = followMessages(new Map([['th-1', item]]), await profiles.read(inbox.messages), { stream: 's2', nowMs: 0 });
    expect(anew.changes).toMatchObject([
        { item: { stream: 's2', sequence: '1', version: 2, metrics: { temperature: { value: '8.00' } } } },
    ]);
});

describe('a message that came beside any stream, and late', () => {
    async function bring(item: DeviceItem | undefined, message: Parameters<MemoryInbox['add']>[0]) {
        inbox.messages.length = 0;
        inbox.add(message);
        const items = new Map(item ? [['th-1', item]] : []);
        return followMessages(items, await profiles.read(inbox.messages), { stream: undefined, nowMs: START_MS }).changes;
    }

    test('brings what is newer, and leaves place, deadlines and what is newer than it as they are', async () => {
        const { item } = await follow({ at: 5_000, temp: 20, door: 'open' });
        const [change] = await bring(item, { arrivedMs: START_MS + 100, payload: { t: START_MS + 100, n: 9, temp: 8, batt: 50 } });
        expect(change?.item).toMatchObject({
            ...{ stream: item.stream, sequence: item.sequence, version: item.version + 1 },
            ...{ lastReceivedMs: item.lastReceivedMs, dueMs: item.dueMs, silentMs: item.silentMs },
            metrics: {
                temperature: { value: '20.00' },
                battery: { value: '50', atMs: START_MS + 100, receivedMs: START_MS + 100 },
                door: { text: 'open' },
            },
        });
        const newer = await bring(change?.item, { arrivedMs: START_MS + 6_000, payload: { t: START_MS + 6_000, n: 10, temp: 9 } });
        expect(newer).toMatchObject([
            { item: { sequence: item.sequence, lastReceivedMs: START_MS + 6_000, metrics: { temperature: { value: '9.00' } } } },
        ]);
    });

    test('ends no alert, however much later it comes than the device went on', async () => {
        const { item } = await follow({ at: 10 * 24 * 60 * MINUTE, temp: 31 });
        expect(item.open).toHaveLength(1);
        const [change] = await bring(item, { arrivedMs: START_MS, payload: { t: START_MS, n: 9, temp: 8 } });
        expect(change?.item.open).toEqual(item.open);
        expect(change?.item.rules).toEqual(item.rules);
    });

    test('ends no silence that began after it had arrived', async () => {
        const { item } = await follow({ at: 5_000, temp: 20 });
        const silence = {
            ...{ id: 'th-1~silent~1', device: 'th-1', rule: 'silent', kind: 'silent' as const },
            began_ms: 1,
            ended_ms: null,
        };
        const silent = { ...item, open: [silence as unknown as DeviceItem['open'][number]] };
        const late = await bring(silent, { arrivedMs: START_MS, payload: { t: START_MS, n: 9, temp: 8 } });
        expect(late[0]?.item.open).toEqual([silence]);
        const heard = await bring(silent, { arrivedMs: START_MS + 9_000, payload: { t: START_MS + 9_000, n: 9, temp: 8 } });
        expect(heard[0]?.item.open).toEqual([]);
    });

    test('changes counts alone where it comes again, and makes the item of a device that never was heard of', async () => {
        const message = { arrivedMs: START_MS, payload: { t: START_MS, n: 9, temp: 8 } };
        const [first] = await bring(undefined, message);
        expect(first?.item).toMatchObject({ stream: '', sequence: '0', version: 1, late: 0, metrics: { temperature: { value: '8.00' } } });
        const [again] = await bring(first?.item, message);
        expect(again?.item).toEqual({ ...first?.item, version: 2, late: 1 });
        expect(again?.events).toEqual([]);
    });

    test('is history alone where the device stands at another site by now, or has another profile', async () => {
        const { item } = await follow({ at: 5_000, temp: 20 });
        expect(await bring({ ...item, site: 'shed' }, { payload: { t: START_MS + 9_000, n: 9, temp: 8 } })).toEqual([]);
        expect(await bring({ ...item, profile: 'other' }, { payload: { t: START_MS + 9_000, n: 9, temp: 8 } })).toEqual([]);
    });
});

test('a device is due by its arrival, and silent after the grace', async () => {
    const { item } = await follow({ at: 0, arrivedMs: START_MS + 500, temp: 1 });
    expect(item).toMatchObject({
        dueMs: START_MS + 500 + MINUTE,
        silentMs: START_MS + 500 + 100 * SECOND,
        nextSilenceMs: START_MS + 500 + 100 * SECOND,
    });
});
