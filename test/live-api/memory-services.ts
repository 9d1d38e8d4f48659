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
    DeviceState,
    DevicesQuestion,
    EventLog,
    Fleet,
    LakeReading,
    LiveEvent,
    Page,
    ReadingPlace,
    ReadingStep,
    ReadingsQuestion,
    Taken,
    Versioned,
} from '#lake/live/api/services';
import type { LatestMetric, LiveAlert } from '#lake/live/state-store';
import { formatUnits } from '#lake/telemetry/profile/decimal';
import { parseProfile, readMessage } from '#lake/telemetry/profile/profile';
import type { Reading } from '#lake/telemetry/reading';
import { CONTRACT_PROFILE } from './contract-profile.ts';

/** A message in the inbox. */
export interface Stored extends ArrivedMessage {
    device: string;
    arrivedMs: number;
}

interface MemoryDevice {
    device: string;
    site: string;
    metrics: Record<string, LatestMetric>;
    lastAtMs: number | null;
    lastReceivedMs: number | null;
    refused: number;
    version: number;
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
    readonly #devices = new Map<string, MemoryDevice>();
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
        this.#devices.set(device, { device, site, metrics: {}, lastAtMs: null, lastReceivedMs: null, refused: 0, version: 1 });
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
            } else if (taken.is === 'refused') {
                const known = this.#devices.get(device);
                if (known) {
                    known.refused += 1;
                    known.version += 1;
                    this.#version += 1;
                }
            }
            return taken;
        });
    }

    /** What a message changes. */
    #follow({ device, arrivedMs, payload, topic, headers }: Stored): void {
        const known = this.#devices.get(device);
        if (!known) {
            return;
        }
        const { readings } = readMessage(PROFILE, { payload, topic, device, headers, arrivedMs });
        const changed: Record<string, LatestMetric> = {};
        for (const reading of readings) {
            this.#keep(reading, known.site);
            const latest = latestOf(reading, arrivedMs);
            const before = known.metrics[reading.metric];
            if (!before || before.atMs < latest.atMs || (before.atMs === latest.atMs && before.message < latest.message)) {
                known.metrics[reading.metric] = latest;
                changed[reading.metric] = latest;
            }
            known.lastAtMs = Math.max(known.lastAtMs ?? 0, reading.atMs);
            this.#watch(reading, known);
        }
        known.lastReceivedMs = Math.max(known.lastReceivedMs ?? 0, arrivedMs);
        known.version += 1;
        this.#version += 1;
        this.events.add({
            device,
            type: 'latest',
            data: { site: known.site, profile: PROFILE.name, received_ms: arrivedMs, metrics: changed },
        });
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

    #watch({ device, metric, atMs, units }: Reading, { site }: MemoryDevice): void {
        if (metric !== 'temperature' || units === undefined) {
            return;
        }
        const open = [...this.#alerts.values()].find((alert) => alert.device === device && alert.ended_ms === null);
        if (!open && units >= RAISE) {
            const alert: LiveAlert = {
                id: `${device}/hot/${atMs}`,
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
            };
            this.#change(alert, 'raised');
        } else if (open && units <= CLEAR) {
            this.#change({ ...open, ended_ms: atMs }, 'ended');
        }
    }

    #change(alert: LiveAlert, change: 'raised' | 'ended' | 'acknowledged'): void {
        this.#alerts.set(alert.id, alert);
        this.#version += 1;
        this.events.add({ device: alert.device, type: 'alert', data: { change, alert } });
    }

    async fleet(): Promise<Versioned<Fleet>> {
        const devices = { online: 0, late: 0, silent: 0, unknown: 0 };
        for (const device of this.#devices.values()) {
            devices[this.#stateOf(device)] += 1;
        }
        const openAlerts = { info: 0, warning: 0, critical: 0 };
        const open = [...this.#alerts.values()].filter((alert) => alert.ended_ms === null);
        for (const { severity } of open) {
            openAlerts[severity] += 1;
        }
        const unacknowledged = open.filter(({ acknowledged }) => acknowledged === null).length;
        const answer = { devices, openAlerts, unacknowledged, isPipelineLate: this.isPipelineLate };
        return { answer, version: `${this.#version} ${JSON.stringify(devices)} ${this.isPipelineLate}` };
    }

    async devices({ state, profile, site, prefix = '', after = '', limit }: DevicesQuestion): Promise<Versioned<Page<DeviceNow>>> {
        const found = [...this.#devices.values()]
            .filter((device) => device.device > after && device.device.startsWith(prefix))
            .filter((device) => (site ?? device.site) === device.site && (profile ?? PROFILE.name) === PROFILE.name)
            .map((device) => this.#nowOf(device))
            .filter((device) => (state ?? device.state) === device.state)
            .sort((a, b) => (a.device < b.device ? -1 : 1));
        return { answer: { items: found.slice(0, limit), hasMore: found.length > limit }, version: undefined };
    }

    async device(id: string): Promise<Versioned<DeviceNow> | undefined> {
        const device = this.#devices.get(id);
        return device && { answer: this.#nowOf(device), version: `${device.version} ${this.#stateOf(device)} ${this.#version}` };
    }

    #stateOf({ lastReceivedMs }: MemoryDevice): DeviceState {
        if (this.isPipelineLate || lastReceivedMs === null) {
            return 'unknown';
        }
        const ageMs = this.#now() - lastReceivedMs;
        return ageMs <= DUE_MS ? 'online' : ageMs <= DUE_MS + GRACE_MS ? 'late' : 'silent';
    }

    #nowOf(known: MemoryDevice): DeviceNow {
        const { device, site, metrics, lastAtMs, lastReceivedMs, refused } = known;
        return {
            device,
            site,
            profile: PROFILE.name,
            metrics,
            lastAtMs,
            lastReceivedMs,
            refused,
            dueMs: lastReceivedMs === null ? null : lastReceivedMs + DUE_MS,
            silentMs: lastReceivedMs === null ? null : lastReceivedMs + DUE_MS + GRACE_MS,
            state: this.#stateOf(known),
            openAlerts: [...this.#alerts.values()].filter((alert) => alert.device === device && alert.ended_ms === null).length,
        };
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
        return this.#devices.has(question.device) ? { answer: steps, version: undefined } : undefined;
    }

    #found({ device, metric, site, fromMs, toMs }: ReadingsQuestion): LakeReading[] | undefined {
        return this.#devices.has(device)
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

    async alerts({ state, device, severity, after, limit }: AlertsQuestion): Promise<Versioned<Page<LiveAlert>>> {
        const found = [...this.#alerts.values()]
            .filter((alert) => (device ?? alert.device) === alert.device && (severity ?? alert.severity) === alert.severity)
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

type NewEvent = LiveEvent extends infer E ? (E extends LiveEvent ? Omit<E, 'id'> : never) : never;

/** The last events. */
export class MemoryEventLog implements EventLog {
    readonly #maxEvents: number;
    readonly #events: LiveEvent[] = [];
    #last = 0;
    readonly #listeners = new Set<() => void>();

    constructor(maxEvents: number) {
        this.#maxEvents = maxEvents;
    }

    add(event: NewEvent): void {
        this.#last += 1;
        this.#events.push({ ...event, id: String(this.#last) } as LiveEvent);
        if (this.#events.length > this.#maxEvents) {
            this.#events.shift();
        }
        for (const listener of this.#listeners) {
            listener();
        }
    }

    /** Streams that follow the log. */
    get followers(): number {
        return this.#listeners.size;
    }

    async last(): Promise<string> {
        return String(this.#last);
    }

    async read({ after, limit }: { after: string; limit: number }): Promise<readonly LiveEvent[] | undefined> {
        const known = BigInt(after);
        const first = BigInt(this.#last - this.#events.length);
        return known < first || known > this.#last ? undefined : this.#events.slice(Number(known - first)).slice(0, limit);
    }

    onAdded(listener: () => void): () => void {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
    }
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
