/** The services of the API in memory: messages are read by the contract's profile as they come, and are in latest state and lake at once. */
import { createHash } from 'node:crypto';
import { groupBy } from '#lake/devices';
import { StorageError } from '#lake/errors';
import type {
    Acknowledged,
    AlertsQuestion,
    ApiServices,
    ArrivedMessage,
    Caller,
    DeviceNow,
    DevicesQuestion,
    EventLog,
    Fleet,
    LakeReading,
    NumberedEvent,
    Page,
    ReadingPlace,
    ReadingStep,
    ReadingsQuestion,
    Taken,
    Versioned,
} from '#lake/live/api/services';
import { newItem } from '#lake/live/latest';
import type { DeviceItem, LatestMetric, LiveAlert, LiveEvent, StateOfDevice } from '#lake/live/state-store';
import { formatUnits } from '#lake/rows';
import { parseProfile, readMessage } from '#lake/telemetry/profile/profile';
import type { Reading } from '#lake/telemetry/reading';
import { CONTRACT_PROFILE } from './contract-profile.ts';

/** A message in the inbox. */
export interface Stored extends ArrivedMessage {
    device: string;
    arrivedMs: number;
}

const PROFILE = parseProfile(CONTRACT_PROFILE);

const [RAISE, CLEAR] = [30n, 28n].map((degrees) => degrees * 10n ** 9n) as [bigint, bigint];

const DUE_MS = 600_000;
const GRACE_MS = 300_000;

export class MemoryServices implements ApiServices {
    readonly inbox: Stored[] = [];
    readonly events: MemoryEventLog;
    readonly #now: () => number;
    readonly #tokens = new Map<string, Caller>();
    readonly #items = new Map<string, DeviceItem>();
    readonly #alerts = new Map<string, LiveAlert>();
    readonly #readings = new Map<string, LakeReading>();
    #version = 0;
    /** While it is true the inbox cannot store. */
    isBroken = false;
    /** While it is true messages wait. */
    isPipelineLate = false;
    /** Says what else is to become of a message. */
    judge: (message: ArrivedMessage, index: number) => Taken = () => ({ is: 'stored' });

    constructor({ now = Date.now, maxEvents = 10_000 }: { now?: () => number; maxEvents?: number } = {}) {
        this.#now = now;
        this.events = new MemoryEventLog(maxEvents);
    }

    addToken(token: string, caller: Caller): void {
        this.#tokens.set(hashOf(token), caller);
    }

    revoke(token: string): void {
        this.#tokens.delete(hashOf(token));
    }

    addDevice(device: string, { site = 'main' }: { site?: string } = {}): void {
        this.#write({ ...newItem(device, 'memory'), site, profile: PROFILE.name });
    }

    #write(item: DeviceItem): void {
        this.#items.set(item.device, { ...item, version: item.version + 1 });
        this.#version += 1;
    }

    async authenticate(token: string): Promise<Caller | undefined> {
        return this.#tokens.get(hashOf(token));
    }

    async accept(device: string, messages: readonly ArrivedMessage[]): Promise<readonly Taken[]> {
        if (this.isBroken) {
            throw new StorageError('The disk is full');
        }
        return messages.map((message, index) => {
            const taken = this.judge(message, index);
            if (taken.is === 'stored') {
                const stored = { ...message, device, arrivedMs: this.#now() };
                this.inbox.push(stored);
                this.#follow(stored);
            }
            const item = this.#items.get(device);
            if (taken.is === 'refused' && item) {
                this.#write({ ...item, refused: item.refused + 1 });
            }
            return taken;
        });
    }

    /** What a message changes. */
    #follow({ device, arrivedMs, payload, topic, headers }: Stored): void {
        const item = this.#items.get(device);
        if (!item) {
            return;
        }
        const { site, profile } = item;
        const { readings, problems } = readMessage(PROFILE, { payload, topic, device, headers, arrivedMs });
        const newer: Record<string, LatestMetric> = {};
        for (const reading of readings) {
            this.#keep(reading, site);
            const latest = latestOf(reading, arrivedMs);
            const before = newer[reading.metric] ?? item.metrics[reading.metric];
            if (!before || before.atMs < latest.atMs || (before.atMs === latest.atMs && before.message < latest.message)) {
                newer[reading.metric] = latest;
            }
            this.#watch(reading, site);
        }
        const [problem] = problems;
        const open = [...this.#alerts.values()].filter((alert) => alert.device === device && alert.ended_ms === null);
        if (readings.length === 0) {
            const lastRejected = { receivedMs: arrivedMs, reason: problem?.reason ?? '', why: problem?.why ?? '' };
            this.#write({ ...item, rejected: item.rejected + 1, lastRejected });
            return;
        }
        this.#write({
            ...item,
            open,
            metrics: { ...item.metrics, ...newer },
            lastAtMs: Math.max(item.lastAtMs ?? 0, ...readings.map(({ atMs }) => atMs)),
            lastReceivedMs: arrivedMs,
            dueMs: arrivedMs + DUE_MS,
            silentMs: arrivedMs + DUE_MS + GRACE_MS,
        });
        this.events.add({ kind: 'latest', device, site, profile, received_ms: arrivedMs, metrics: newer });
    }

    #keep({ device, metric, atMs, receivedMs, units, text, message, clock }: Reading, site: string): void {
        const key = JSON.stringify([site, device, metric, atMs, message]);
        const before = this.#readings.get(key);
        this.#readings.set(key, {
            ...(before ?? {
                site,
                device,
                metric,
                atMs,
                message,
                clock,
                value: units === undefined ? null : formatUnits(units, 9),
                text: text ?? null,
                receivedMs,
            }),
            copies: (before?.copies ?? 0) + 1,
        });
    }

    #watch({ device, metric, atMs, units }: Reading, site: string): void {
        if (metric !== 'temperature' || units === undefined) {
            return;
        }
        const open = [...this.#alerts.values()].find((alert) => alert.device === device && alert.ended_ms === null);
        if (!open && units >= RAISE) {
            const alert: LiveAlert = {
                id: `${device}~hot~${atMs}`,
                site,
                device,
                profile: PROFILE.name,
                rule: 'hot',
                kind: 'alert',
                severity: 'warning',
                began_ms: atMs,
                ended_ms: null,
                worst: formatUnits(units, 9),
                readings: 1,
                why: 'It is too warm',
                raised_ms: this.#now(),
                acknowledged: null,
                history: 'pending',
                inHistory: null,
            };
            this.#change(alert, 'raised');
        } else if (open && units <= CLEAR) {
            this.#change({ ...open, ended_ms: atMs }, 'cleared');
        }
    }

    #change(alert: LiveAlert, kind: 'raised' | 'cleared' | 'acknowledged'): void {
        this.#alerts.set(alert.id, alert);
        this.#version += 1;
        this.events.add({ kind, alert });
    }

    async fleet(): Promise<Versioned<Fleet>> {
        const states = [...this.#items.values()].map((item) => ({ state: this.#stateOf(item), site: item.site }));
        const groups = [...groupBy(states, ({ site }) => site)].sort(([a], [b]) => compareTexts(a, b));
        const openAlerts = { info: 0, warning: 0, critical: 0 };
        const open = [...this.#alerts.values()].filter((alert) => alert.ended_ms === null);
        for (const { severity } of open) {
            openAlerts[severity] += 1;
        }
        const unacknowledged = open.filter(({ acknowledged }) => acknowledged === null).length;
        const answer = {
            devices: countsOf(states),
            groups: groups.map(([site, found]) => ({ profile: PROFILE.name, site, devices: countsOf(found) })),
            openAlerts,
            unacknowledged,
            isPipelineLate: this.isPipelineLate,
        };
        return { answer, version: `${this.#version} ${JSON.stringify(answer.groups)}` };
    }

    async devices({ state, profile, site, prefix = '', after = '', limit }: DevicesQuestion): Promise<Versioned<Page<DeviceNow>>> {
        const found = [...this.#items.values()]
            .filter((item) => item.device > after && item.device.startsWith(prefix))
            .filter((item) => (site ?? item.site) === item.site && (profile ?? item.profile) === item.profile)
            .map((item) => ({ state: this.#stateOf(item), item }))
            .filter((device) => (state ?? device.state) === device.state)
            .sort((a, b) => compareTexts(a.item.device, b.item.device));
        return { answer: { items: found.slice(0, limit), hasMore: found.length > limit }, version: undefined };
    }

    async device(id: string): Promise<Versioned<DeviceNow> | undefined> {
        const item = this.#items.get(id);
        if (!item) {
            return undefined;
        }
        const answer = { state: this.#stateOf(item), item };
        return { answer, version: `${item.version} ${answer.state}` };
    }

    #stateOf({ dueMs, silentMs }: DeviceItem): StateOfDevice {
        if (this.isPipelineLate || dueMs === null || silentMs === null) {
            return 'unknown';
        }
        return this.#now() <= dueMs ? 'online' : this.#now() <= silentMs ? 'late' : 'silent';
    }

    async readings({
        after,
        limit,
        ...question
    }: ReadingsQuestion & { after: ReadingPlace | undefined; limit: number }): Promise<Versioned<Page<LakeReading>> | undefined> {
        const found = this.#found(question)
            ?.sort((a, b) => comparePlaces(b, a))
            .filter((reading) => after === undefined || comparePlaces(reading, after) < 0);
        return found && { answer: { items: found.slice(0, limit), hasMore: found.length > limit }, version: undefined };
    }

    async steps({ stepMs, ...question }: ReadingsQuestion & { stepMs: number }): Promise<Versioned<readonly ReadingStep[]> | undefined> {
        const groups = groupBy(this.#found(question) ?? [], ({ site, metric, atMs }) =>
            JSON.stringify([site, metric, atMs - (atMs % stepMs)]),
        );
        const steps = [...groups].map(([key, readings]): ReadingStep => {
            const [site, metric, fromMs] = JSON.parse(key);
            const values = readings.flatMap(({ value }) => (value === null ? [] : [value])).sort((a, b) => Number(a) - Number(b));
            const mean = values.length === 0 ? null : values.reduce((sum, value) => sum + Number(value), 0) / values.length;
            return {
                site,
                metric,
                fromMs,
                device: question.device,
                readings: readings.length,
                min: values[0] ?? null,
                max: values.at(-1) ?? null,
                mean,
            };
        });
        steps.sort((a, b) => b.fromMs - a.fromMs || compareTexts(a.metric, b.metric) || compareTexts(a.site, b.site));
        return this.#items.has(question.device) ? { answer: steps, version: undefined } : undefined;
    }

    #found({ device, metric, site, fromMs, toMs }: ReadingsQuestion): LakeReading[] | undefined {
        return this.#items.has(device)
            ? [...this.#readings.values()].filter(
                  (reading) =>
                      reading.device === device &&
                      (metric ?? reading.metric) === reading.metric &&
                      (site ?? reading.site) === reading.site &&
                      reading.atMs >= (fromMs ?? reading.atMs) &&
                      reading.atMs < (toMs ?? reading.atMs + 1),
              )
            : undefined;
    }

    async alerts({ state, device, rule, severity, after, limit }: AlertsQuestion): Promise<Versioned<Page<LiveAlert>>> {
        const found = [...this.#alerts.values()]
            .filter((alert) => (device ?? alert.device) === alert.device && (severity ?? alert.severity) === alert.severity)
            .filter((alert) => (rule ?? alert.rule) === alert.rule)
            .filter(({ ended_ms, acknowledged }) => {
                switch (state) {
                    case 'open':
                        return ended_ms === null;
                    case 'closed':
                        return ended_ms !== null;
                    case 'acknowledged':
                        return acknowledged !== null;
                    case 'unacknowledged':
                        return ended_ms === null && acknowledged === null;
                    default:
                        return true;
                }
            })
            .sort((a, b) => b.began_ms - a.began_ms || compareTexts(b.id, a.id))
            .filter(
                (alert) =>
                    after === undefined || alert.began_ms < after.beganMs || (alert.began_ms === after.beganMs && alert.id < after.id),
            );
        return { answer: { items: found.slice(0, limit), hasMore: found.length > limit }, version: `${this.#version}` };
    }

    async acknowledge({ id, by, note }: { id: string; by: string; note: string }): Promise<Acknowledged> {
        const alert = this.#alerts.get(id);
        if (!alert) {
            return { is: 'missing' };
        }
        if (alert.acknowledged) {
            const isSame = alert.acknowledged.by === by && alert.acknowledged.note === note;
            return { is: isSame ? 'acknowledged' : 'taken', alert };
        }
        const after = { ...alert, acknowledged: { at_ms: this.#now(), by, note } };
        this.#change(after, 'acknowledged');
        return { is: 'acknowledged', alert: after };
    }

    async health() {
        return { isTaking: !this.isBroken, isPipelineLate: this.isPipelineLate };
    }
}

/** The last events. */
export class MemoryEventLog implements EventLog {
    readonly #maxEvents: number;
    readonly #events: NumberedEvent[] = [];
    #last = 0;
    readonly #listeners = new Set<(added: { isLatestOnly: boolean }) => void>();

    constructor(maxEvents: number) {
        this.#maxEvents = maxEvents;
    }

    add(event: LiveEvent): void {
        this.#last += 1;
        this.#events.push({ id: String(this.#last), event });
        if (this.#events.length > this.#maxEvents) {
            this.#events.shift();
        }
        for (const listener of this.#listeners) {
            listener({ isLatestOnly: event.kind === 'latest' });
        }
    }

    /** Streams that follow the log. */
    get followers(): number {
        return this.#listeners.size;
    }

    async last(): Promise<string> {
        return String(this.#last);
    }

    async read({
        after,
        limit,
        isLatestWanted,
    }: {
        after: string;
        limit: number;
        isLatestWanted: boolean;
    }): Promise<readonly NumberedEvent[] | undefined> {
        const known = BigInt(after);
        const first = BigInt(this.#last - this.#events.length);
        return known < first || known > this.#last
            ? undefined
            : this.#events
                  .slice(Number(known - first))
                  .filter(({ event }) => isLatestWanted || event.kind !== 'latest')
                  .slice(0, limit);
    }

    onAdded(listener: (added: { isLatestOnly: boolean }) => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }
}

function countsOf(states: readonly { state: StateOfDevice }[]): Record<StateOfDevice, number> {
    const counts = { online: 0, late: 0, silent: 0, unknown: 0 };
    for (const { state } of states) {
        counts[state] += 1;
    }
    return counts;
}

function latestOf({ units, text, unit, atMs, message, clock, digits = 0 }: Reading, receivedMs: number): LatestMetric {
    const value = units === undefined ? null : formatUnits(units / 10n ** BigInt(9 - digits), digits);
    return { value, text: text ?? null, unit: unit ?? null, atMs, message, receivedMs, clock };
}

function comparePlaces(a: ReadingPlace, b: ReadingPlace): number {
    return a.atMs - b.atMs || compareTexts(a.metric, b.metric) || compareTexts(a.message, b.message) || compareTexts(a.site, b.site);
}

function compareTexts(a: string, b: string): number {
    return a < b ? -1 : a > b ? 1 : 0;
}

function hashOf(token: string): string {
    return createHash('sha256').update(token).digest('hex');
}
