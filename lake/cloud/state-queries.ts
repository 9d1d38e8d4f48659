/**
 * What is asked of latest state on AWS. Lists come out of indexes in their order, page by page; a filter that no index has (a device's state, which depends on what
 * time it is) looks at one device after the other. docs/cloud.md says what each costs for 100 devices and for a million.
 */
import type { QueryCommandInput } from '@aws-sdk/client-dynamodb';
import type { AlertsQuestion, ApiServices, DeviceNow, DevicesQuestion, Fleet, Page } from '#lake/live/api/services';
import { type LiveClock, stateOf } from '#lake/live/device-state';
import type { LiveAlert, StateOfDevice } from '#lake/live/state-store';
import { compareTexts } from '#lake/rows';
import type { StateCalls } from './state-calls.ts';
import { PIPELINE_PART } from './state-clock.ts';
import {
    ALERT_LISTS,
    alertIn,
    DEVICES_LIST,
    deviceKey,
    devicePart,
    itemIn,
    numberIn,
    OPEN_LISTS,
    rankOf,
    type StoredRecord,
    textIn,
    toAttribute,
    toRecord,
} from './state-records.ts';

/** Fleets up to so many devices are counted when somebody asks; larger ones by the watch. */
const MAX_COUNTED_LIVE = 5_000;

/** A count of the watch is told for so long. */
const COUNT_BELIEVED_MS = 15 * 60_000;

export const FLEET_KEY = toRecord({ part: PIPELINE_PART, place: 'fleet' });

/** Items that are read at once while a page is filled by their states. */
const LOOKED_AT_ONCE = 1_000;

/** The last text of all that begin with a prefix. */
const LAST = '\u{10ffff}';

interface Condition {
    texts: string[];
    values: Record<string, string>;
}

export type DeviceCounts = Pick<Fleet, 'devices' | 'groups'>;

/** Counts devices by their state. */
export class FleetCount {
    readonly #groups = new Map<string, Counted>();
    readonly #devices = noDevices();

    add({ profile, site, state }: { profile: string; site: string; state: StateOfDevice }): void {
        const name = JSON.stringify([profile, site]);
        const group = this.#groups.get(name) ?? { profile, site, devices: noDevices() };
        this.#groups.set(name, group);
        group.devices[state] += 1;
        this.#devices[state] += 1;
    }

    /** The counts, groups by the names of profile and site. */
    counts(): DeviceCounts {
        const groups = [...this.#groups.values()].sort((a, b) => compareTexts(a.profile, b.profile) || compareTexts(a.site, b.site));
        return { devices: this.#devices, groups };
    }
}

export class StateQueries {
    readonly #calls: StateCalls;
    readonly #clock: () => Promise<LiveClock>;

    constructor({ calls, clock }: { calls: StateCalls; clock: () => Promise<LiveClock> }) {
        this.#calls = calls;
        this.#clock = clock;
    }

    answers(): Pick<ApiServices, 'fleet' | 'devices' | 'device' | 'alerts'> {
        return {
            fleet: async () => ({ answer: await this.#fleet(), version: undefined }),
            devices: async (question) => ({ answer: await this.#devices(question), version: undefined }),
            device: async (id) => {
                const record = await this.#calls.get(deviceKey(id));
                if (!record) {
                    return undefined;
                }
                const item = itemIn(record);
                const state = stateOf(item, await this.#clock());
                // Versions begin anew in a table that was made anew.
                return { answer: { state, item }, version: `${item.version} ${numberIn(record, 'at_ms')} ${state}` };
            },
            alerts: async (question) => ({ answer: await this.#alerts(question), version: undefined }),
        };
    }

    async #fleet(): Promise<Fleet> {
        const clock = await this.#clock();
        const [counted, open] = await Promise.all([this.#counted(clock), this.#countOpen()]);
        return { ...(counted ?? (await this.#countDevices(clock))), ...open, isPipelineLate: clock.isPipelineLate };
    }

    /** What the watch counted of a large fleet. */
    async #counted({ nowMs }: LiveClock): Promise<DeviceCounts | undefined> {
        const noted = await this.#calls.get(FLEET_KEY);
        const isUsed =
            noted && (numberIn(noted, 'count') ?? 0) > MAX_COUNTED_LIVE && nowMs - (numberIn(noted, 'at_ms') ?? 0) < COUNT_BELIEVED_MS;
        return isUsed ? JSON.parse(textIn(noted, 'fleet') ?? '') : undefined;
    }

    /** Devices by state of each profile and site. Reads the columns of all devices: half a read unit each. */
    async #countDevices(clock: LiveClock): Promise<DeviceCounts> {
        const count = new FleetCount();
        for await (const device of this.states(clock)) {
            count.add(device);
        }
        return count.counts();
    }

    /** The state of every device, in the order of ids. */
    async *states(clock: LiveClock): AsyncGenerator<DeviceState> {
        const columns = ['rank', 'site', 'profile', 'due_ms', 'silent_ms', 'last_received_ms', 'is_silent'];
        for await (const page of this.#devicePages({})) {
            for (let at = 0; at < page.length; at += LOOKED_AT_ONCE) {
                const records = await this.#calls.getAll(page.slice(at, at + LOOKED_AT_ONCE).map(deviceKey), { columns });
                for (const record of records) {
                    const known = {
                        dueMs: numberIn(record, 'due_ms') ?? null,
                        silentMs: numberIn(record, 'silent_ms') ?? null,
                        lastReceivedMs: numberIn(record, 'last_received_ms') ?? null,
                        open: numberIn(record, 'is_silent') === 1 ? [{ kind: 'silent' as const }] : [],
                    };
                    const text = (name: string) => textIn(record, name) ?? '';
                    yield { device: text('rank'), site: text('site'), profile: text('profile'), state: stateOf(known, clock), known };
                }
            }
        }
    }

    async #countOpen(): Promise<Pick<Fleet, 'openAlerts' | 'unacknowledged'>> {
        const openAlerts = { info: 0, warning: 0, critical: 0 };
        let unacknowledged = 0;
        await Promise.all(
            OPEN_LISTS.map(async (list) => {
                for await (const page of this.#calls.query(inPartition('waiting', list))) {
                    for (const record of page) {
                        openAlerts[textIn(record, 'severity') as keyof typeof openAlerts] += 1;
                        unacknowledged += record.acknowledged_ms ? 0 : 1;
                    }
                }
            }),
        );
        return { openAlerts, unacknowledged };
    }

    async #devices({ state, limit, ...question }: DevicesQuestion): Promise<Page<DeviceNow>> {
        const clock = await this.#clock();
        const found: DeviceNow[] = [];
        const isFiltered = state !== undefined || question.profile !== undefined || question.site !== undefined;
        for await (const page of this.#devicePages({ ...question, pageSize: isFiltered ? undefined : limit + 2 })) {
            for (let at = 0; at < page.length && found.length <= limit; ) {
                const some = page.slice(at, at + (state === undefined ? limit + 1 - found.length : LOOKED_AT_ONCE));
                at += some.length;
                const items = new Map(
                    (await this.#calls.getAll(some.map(deviceKey))).map((record) => [textIn(record, 'rank'), itemIn(record)]),
                );
                for (const id of some) {
                    const item = items.get(id);
                    const now = item && { state: stateOf(item, clock), item };
                    found.push(...(now && (state ?? now.state) === now.state ? [now] : []));
                }
            }
            if (found.length > limit) {
                break;
            }
        }
        return { items: found.slice(0, limit), hasMore: found.length > limit };
    }

    /** Ids of devices, ascending byte by byte, page after page. */
    async *#devicePages({ profile, site, prefix = '', after = '', pageSize }: DevicesAsked): AsyncGenerator<string[]> {
        const [from, to] = [Buffer.compare(Buffer.from(after), Buffer.from(prefix)) > 0 ? after : prefix, `${prefix}${LAST}`];
        if (Buffer.compare(Buffer.from(from), Buffer.from(to)) > 0) {
            return;
        }
        const wanted: Condition = { texts: [], values: {} };
        for (const [column, value] of Object.entries({ profile, site })) {
            if (value !== undefined) {
                wanted.texts.push(`#${column} = :${column}`);
                wanted.values[`:${column}`] = value;
            }
        }
        // A text of no characters is no bound.
        const bounds = from === '' ? undefined : { texts: ['#rank BETWEEN :from AND :to'], values: { ':from': from, ':to': to } };
        const asked = inPartition('lists', DEVICES_LIST, { bounds, wanted });
        for await (const page of this.#calls.query({ ...asked, ...(pageSize !== undefined && { Limit: pageSize }) })) {
            yield page.map((record) => textIn(record, 'rank') ?? '').filter((id) => id !== after);
        }
    }

    async #alerts({ device, limit, ...question }: AlertsQuestion): Promise<Page<LiveAlert>> {
        const found: LiveAlert[] = [];
        const isFound = ({ ended_ms: endedMs, acknowledged }: LiveAlert) => {
            const isOpen = endedMs === null;
            return {
                all: true,
                open: isOpen,
                closed: !isOpen,
                acknowledged: acknowledged !== null,
                unacknowledged: isOpen && acknowledged === null,
            }[question.state ?? 'all'];
        };
        const entries = device === undefined ? this.#newestAlerts(question, limit) : this.#alertsOf(device, question, limit);
        for await (const keys of inLots(entries, limit + 1)) {
            const records = new Map((await this.#calls.getAll(keys)).map((record) => [nameOf(record), alertIn(record)]));
            for (const key of keys) {
                const alert = records.get(nameOf(key));
                // An index is some milliseconds behind.
                found.push(...(alert && isFound(alert) ? [alert] : []));
            }
            if (found.length > limit) {
                break;
            }
        }
        return { items: found.slice(0, limit), hasMore: found.length > limit };
    }

    /** Keys of alerts of all devices, the latest beginnings first. */
    #newestAlerts({ after, ...question }: AlertsAsked, limit: number): AsyncGenerator<StoredRecord> {
        const isOpen = question.state === 'open' || question.state === 'unacknowledged';
        const [index, lists, column] = isOpen ? (['waiting', OPEN_LISTS, 'wait_rank'] as const) : (['lists', ALERT_LISTS, 'rank'] as const);
        const bounds = after && { texts: [`#${column} < :after`], values: { ':after': rankOf({ began_ms: after.beganMs, id: after.id }) } };
        const wanted = alertFilter(question);
        const streams = lists.map((list) => this.#entries(inPartition(index, list, { bounds, wanted }), limit));
        return mergedDescending(streams, (record) => textIn(record, column) ?? '');
    }

    /** Keys of a device's alerts, the latest beginnings first. */
    async *#alertsOf(device: string, { after, ...question }: AlertsAsked, limit: number): AsyncGenerator<StoredRecord> {
        // The places of alerts end where those of other things begin; `:to` itself is no place.
        const to = after ? `alert#${rankOf({ began_ms: after.beganMs, id: after.id })}` : `alert#${LAST}`;
        const bounds = { texts: ['#place BETWEEN :from AND :to'], values: { ':from': 'alert#', ':to': to } };
        const asked = inPartition(undefined, devicePart(device), { bounds, wanted: alertFilter(question) });
        for await (const record of this.#entries(asked, limit)) {
            if (textIn(record, 'place') !== to) {
                yield record;
            }
        }
    }

    /** Records from the end of a partition on. Where nothing is left out of what is read, no more is read than a page holds. */
    async *#entries(asked: Omit<QueryCommandInput, 'TableName'>, limit: number): AsyncGenerator<StoredRecord> {
        const isFiltered = asked.FilterExpression !== undefined;
        for await (const page of this.#calls.query({ ...asked, ScanIndexForward: false, ...(!isFiltered && { Limit: limit + 2 }) })) {
            yield* page;
        }
    }
}

type AlertsAsked = Omit<AlertsQuestion, 'limit' | 'device'>;

interface DevicesAsked extends Partial<Omit<DevicesQuestion, 'state' | 'limit'>> {
    /** Ids that are read at once; undefined for as many as DynamoDB gives, some thousands. */
    pageSize?: number | undefined;
}

/** A device's state, and what it was told by. */
interface DeviceState {
    device: string;
    site: string;
    profile: string;
    state: StateOfDevice;
    known: Parameters<typeof stateOf>[0];
}

interface Counted {
    profile: string;
    site: string;
    devices: Record<StateOfDevice, number>;
}

function noDevices(): Record<StateOfDevice, number> {
    return { online: 0, late: 0, silent: 0, unknown: 0 };
}

/** A question to a partition of an index, or of the table. */
export function inPartition(
    index: 'lists' | 'waiting' | 'ends' | undefined,
    partition: string,
    { bounds, wanted }: { bounds?: Condition | undefined; wanted?: Condition | undefined } = {},
): Omit<QueryCommandInput, 'TableName'> {
    const key = index === undefined ? 'part' : { lists: 'list', waiting: 'wait', ends: 'ended_day' }[index];
    const texts = [`#${key} = :${key}`, ...(bounds?.texts ?? [])];
    const filters = wanted?.texts ?? [];
    const words = [...texts, ...filters].flatMap((text) => text.match(/#\w+/g) ?? []);
    const values = { [`:${key}`]: partition, ...bounds?.values, ...wanted?.values };
    return {
        ...(index !== undefined && { IndexName: index }),
        KeyConditionExpression: texts.join(' AND '),
        ...(filters.length > 0 && { FilterExpression: filters.join(' AND ') }),
        ExpressionAttributeNames: Object.fromEntries(words.map((word) => [word, word.slice(1)])),
        ExpressionAttributeValues: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toAttribute(value)])),
    };
}

function alertFilter({ state, rule, severity }: Omit<AlertsAsked, 'after'>): Condition {
    const wanted: Condition = { texts: [], values: {} };
    for (const [column, value] of Object.entries({ rule, severity })) {
        if (value !== undefined) {
            wanted.texts.push(`#${column} = :${column}`);
            wanted.values[`:${column}`] = value;
        }
    }
    if (state === 'acknowledged') {
        wanted.texts.push('attribute_exists(#acknowledged_ms)');
    } else if (state === 'unacknowledged') {
        wanted.texts.push('attribute_not_exists(#acknowledged_ms)');
    } else if (state === 'closed') {
        wanted.texts.push('attribute_exists(#ended_ms)');
    }
    return wanted;
}

/** Names a record among those of the table. */
function nameOf(record: StoredRecord): string {
    return `${textIn(record, 'part')} ${textIn(record, 'place')}`;
}

/** Keys of records, so many at once. */
async function* inLots(records: AsyncIterable<StoredRecord>, count: number): AsyncGenerator<StoredRecord[]> {
    let lot: StoredRecord[] = [];
    for await (const { part, place } of records) {
        lot.push({ ...(part && { part }), ...(place && { place }) });
        if (lot.length === count) {
            yield lot;
            lot = [];
        }
    }
    if (lot.length > 0) {
        yield lot;
    }
}

/** What several streams give, each in descending order of its keys, in descending order. */
async function* mergedDescending<T>(streams: readonly AsyncGenerator<T>[], keyOf: (one: T) => string): AsyncGenerator<T> {
    const heads = await Promise.all(streams.map(async (stream) => ({ stream, head: await stream.next() })));
    for (;;) {
        let [first] = heads;
        for (const one of heads) {
            const isFurther =
                !one.head.done && (first?.head.done || (first && compareBytes(keyOf(one.head.value), keyOf(first.head.value)) > 0));
            first = isFurther ? one : first;
        }
        if (!first || first.head.done) {
            return;
        }
        yield first.head.value;
        first.head = await first.stream.next();
    }
}

/** The order of DynamoDB's keys. */
function compareBytes(a: string, b: string): number {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
