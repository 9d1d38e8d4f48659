/**
 * What messages change of the devices that sent them: latest readings, alerts, and what is told of both. A pure function of the devices' items and the
 * messages in the order of the inbox: however the messages are cut into batches, and however often one comes again, the items end the same.
 */
import { compareTexts, formatUnits } from '#lake/rows';
import { compareSequences } from '#lake/telemetry/chain-line';
import { DeviceWalk, type Episode, openEpisodesOf, sayUnits, silencesIn } from '#lake/telemetry/episodes';
import { compare, parseDecimal, powerOfTen, type Ratio, ZERO } from '#lake/telemetry/profile/decimal';
import type { Reading } from '#lake/telemetry/reading';
import type { DerivingRules } from '#lake/telemetry/rules';
import type { LiveProfile, ReadMessage } from './live-profiles.ts';
import type { DeviceItem, LatestMetric, LiveEpisode, LiveEvent, StateChange } from './state-store.ts';

/** Metrics that an item holds. A profile can make names of what messages say, and an item is written with each message. */
const MAX_METRICS = 500;

/**
 * A reading's time is never this far beyond the arrival of a later message, over what its profile allows, unless the clock of the machine that stamps arrivals
 * was ahead. Such a time is no longer believed: it would keep everything newer away until the true clock comes there.
 */
const CLOCK_WENT_BACK_MS = 5 * 60_000;

/** Streams that an item knows a place in: a device can come by the stream of programs as well, and each stream can be made anew. */
const MAX_STREAMS = 4;

/**
 * Characters of a text that latest state shows. A payload can be one text of 128 KiB, and an item is written with each message; history has the whole text.
 */
const MAX_TEXT = 1_024;

/** Spans of one rule or several that begin and end within one message and are told of live; a payload that holds a day's values can have thousands, and history has all. */
const MAX_TOLD = 20;

/** What a batch of messages comes to. */
export interface Followed {
    /** One for each device that has something new, in the order in which the batch names them. */
    changes: StateChange[];
    /** Messages that name no device, and so are in no item. */
    unassigned: number;
}

export interface FollowOptions {
    /**
     * Stream of numbers that the messages' sequence numbers are of. Undefined for messages that came beside any stream, and late: they are taken as often as they
     * are handed over, which changes counts alone, and bring only what is newer than what is there.
     */
    stream: string | undefined;
    /** The machine's clock, for when an alert was raised. */
    nowMs: number;
}

/** Devices that the messages are of. */
export function devicesOf(messages: readonly ReadMessage[]): string[] {
    return [...new Set(messages.flatMap(devicesOfOne))];
}

/** Follows messages in the order of the inbox. `items` holds those of their devices that are known. */
export function followMessages(
    items: ReadonlyMap<string, DeviceItem>,
    messages: readonly ReadMessage[],
    { stream, nowMs }: FollowOptions,
): Followed {
    const devices = new Map<string, FollowedDevice>();
    let unassigned = 0;
    for (const read of messages) {
        const ids = devicesOfOne(read);
        unassigned += ids.length === 0 ? 1 : 0;
        for (const id of ids) {
            const device = devices.get(id) ?? new FollowedDevice(id, items.get(id), { stream, nowMs });
            devices.set(id, device);
            device.take(read);
        }
    }
    return { changes: [...devices.values()].flatMap((device) => device.change() ?? []), unassigned };
}

function devicesOfOne({ message, reading }: ReadMessage): string[] {
    if (reading.is === 'read') {
        return [...new Set(reading.readings.map(({ device }) => device))];
    }
    return message.device === undefined ? [] : [message.device];
}

/** The id of an alert: device, rule and beginning. Neither rule nor beginning holds a `~`. */
export function alertId({ device, rule, began_ms }: Pick<Episode, 'device' | 'rule' | 'began_ms'>): string {
    return `${device}~${rule}~${began_ms}`;
}

/** An item of a device that nothing is known of. */
export function newItem(device: string, stream: string): DeviceItem {
    return {
        device,
        site: '',
        profile: '',
        metrics: {},
        lastAtMs: null,
        lastReceivedMs: null,
        dueMs: null,
        silentMs: null,
        nextSilenceMs: null,
        rules: null,
        open: [],
        refused: 0,
        rejected: 0,
        lastRejected: null,
        late: 0,
        unkept: 0,
        stream,
        sequence: '0',
        version: 0,
    };
}

/** One device while a batch is followed. */
class FollowedDevice {
    readonly #before: DeviceItem;
    /** Messages up to this one are in the item; undefined where they have no numbers. */
    readonly #taken: string | undefined;
    readonly #options: FollowOptions;
    readonly #metrics: Map<string, LatestMetric>;
    readonly #open: Map<string, LiveEpisode>;
    readonly #item: { -readonly [name in keyof DeviceItem]: DeviceItem[name] };
    readonly #newer = new Map<string, LatestMetric>();
    readonly #alerts = new Map<string, LiveEpisode>();
    readonly #events: LiveEvent[] = [];
    #isTouched = false;

    constructor(device: string, known: DeviceItem | undefined, options: FollowOptions) {
        const { stream } = options;
        const before = known ?? newItem(device, stream ?? '');
        this.#before = before;
        this.#options = options;
        const taken = before.stream === stream ? before.sequence : (before.places?.[stream ?? ''] ?? '0');
        this.#taken = stream === undefined ? undefined : taken;
        this.#metrics = new Map(Object.entries(before.metrics));
        this.#open = new Map(before.open.map((alert) => [alert.id, alert]));
        const place = stream === undefined ? {} : { ...placesOf(before, stream), sequence: taken };
        this.#item = { ...before, ...place, rules: structuredClone(before.rules) };
    }

    /** Takes the message, unless it is in the item already. */
    take({ message, reading }: ReadMessage): void {
        const item = this.#item;
        if (this.#isLeftOut({ message, reading })) {
            return;
        }
        const isNumbered = this.#taken !== undefined;
        const heardMs = item.lastReceivedMs ?? Number.NEGATIVE_INFINITY;
        const isLate = !isNumbered && message.arrivedMs <= heardMs;
        this.#isTouched = true;
        item.sequence = isNumbered ? message.sequence : item.sequence;
        if (reading.is !== 'read') {
            // What was refused or cannot be read says nothing of the device, which may be another one; a new device still shows where it was to belong.
            item.site ||= message.site ?? '';
            item.profile ||= message.profile ?? '';
            item.refused += reading.is === 'refused' ? 1 : 0;
            item.rejected += reading.is === 'rejected' ? 1 : 0;
            if (reading.is === 'rejected') {
                item.lastRejected = { receivedMs: message.arrivedMs, reason: reading.reason, why: reading.why };
            }
            return;
        }
        const { profile, site, readings } = reading;
        item.site = site;
        item.profile = profile.name;
        this.#takeReadings(
            readings.filter(({ device }) => device === item.device),
            // What comes late says nothing of when the device is due, nor ends a silence.
            { profile, arrivedMs: isLate ? heardMs : message.arrivedMs, isLate },
        );
    }

    /** True for a message that is in the item, and for one without a number from a time when the device stood elsewhere or had another profile: that is history. */
    #isLeftOut({ message, reading }: ReadMessage): boolean {
        if (this.#taken !== undefined) {
            return compareSequences(message.sequence, this.#taken) <= 0;
        }
        const { profile, site } = this.#item;
        return reading.is === 'read' && profile !== '' && (profile !== reading.profile.name || site !== reading.site);
    }

    /** What is to be written; undefined where the item has all messages already. */
    change(): StateChange | undefined {
        if (!this.#isTouched) {
            return undefined;
        }
        const { device, site, profile, lastReceivedMs } = this.#item;
        const metrics = Object.fromEntries(this.#newer);
        const latest: LiveEvent = { kind: 'latest', device, site, profile, received_ms: lastReceivedMs ?? 0, metrics };
        return {
            item: {
                ...this.#item,
                metrics: Object.fromEntries(this.#metrics),
                open: [...this.#open.values()].sort((a, b) => compareTexts(a.id, b.id)),
                version: this.#before.version + 1,
            },
            alerts: [...this.#alerts.values()],
            events: [...(this.#newer.size > 0 ? [latest] : []), ...this.#events],
        };
    }

    #takeReadings(
        readings: readonly Reading[],
        { profile, arrivedMs, isLate }: { profile: LiveProfile; arrivedMs: number; isLate: boolean },
    ): void {
        const item = this.#item;
        const limitMs = arrivedMs + profile.aheadMs + CLOCK_WENT_BACK_MS;
        if (item.rules && item.rules.lastMs > limitMs) {
            this.#endAll(arrivedMs);
            item.lastAtMs = null;
        }
        const walk = new DeviceWalk((name) => (name === profile.name ? profile.rules : undefined));
        for (const reading of inOrder(readings)) {
            if (this.#keep(reading, limitMs)) {
                this.#walk(walk, reading);
            }
        }
        item.lastReceivedMs = arrivedMs;
        Object.assign(item, deadlinesOf(item, profile.rules));
        this.#settle(walk.ended, { profile, arrivedMs, isLate });
    }

    /** Keeps the reading if it is the newest of its metric. @returns true if rules are to look at it */
    #keep(reading: Reading, limitMs: number): boolean {
        const item = this.#item;
        const known = this.#metrics.get(reading.metric);
        const next = latestOf(reading);
        if (reading.isHistorical === true) {
            item.late += 1;
            return false;
        }
        if (!known && this.#metrics.size >= MAX_METRICS) {
            item.unkept += 1;
            return false;
        }
        const order = known && known.atMs <= limitMs ? next.atMs - known.atMs || compareTexts(next.message, known.message) : 1;
        const isNewer = order > 0;
        // A copy counts as in history: the smallest one stands.
        if (isNewer || (order === 0 && known && compareCopies(next, known) < 0)) {
            this.#metrics.set(reading.metric, next);
            this.#newer.set(reading.metric, next);
        }
        item.late += isNewer ? 0 : 1;
        return isNewer;
    }

    #walk(walk: DeviceWalk, { device, metric, message, atMs, units }: Reading): void {
        const item = this.#item;
        const { site, profile } = item;
        // At another site, and by another profile, a device begins anew.
        if (item.rules && (item.rules.site !== site || item.rules.profile !== profile)) {
            this.#endAll(atMs);
        }
        item.rules = walk.take(item.rules ?? undefined, { site, device, profile, metric, message, atMs, units });
        item.lastAtMs = Math.max(item.lastAtMs ?? atMs, atMs);
    }

    /** Brings the alerts to what the rules say behind a message. */
    #settle(ended: readonly Episode[], { profile, arrivedMs, isLate }: { profile: LiveProfile; arrivedMs: number; isLate: boolean }): void {
        let told = 0;
        for (const episode of ended) {
            const isOpen = this.#open.has(alertId(episode));
            // A silence that nobody was told of while it lasted is history's to tell, and so are spans of one message beyond some.
            if (isOpen || (episode.kind === 'alert' && told < MAX_TOLD)) {
                told += isOpen ? 0 : 1;
                this.#note(episode);
            }
        }
        const { rules } = this.#item;
        // By another profile nothing is said of alerts before rules have taken a reading that it has read.
        const isOwn = rules?.profile === profile.name;
        const holding = isOwn ? openEpisodesOf(rules, profile.rules).filter(({ kind }) => kind === 'alert') : [];
        for (const episode of holding) {
            this.#note(episode);
        }
        const ids = new Set(holding.map(alertId));
        for (const alert of [...this.#open.values()]) {
            // A silence ends with any message that has a reading; an alert whose rule the profile does not have any more, with the last reading.
            if ((alert.kind === 'silent' && !isLate) || (alert.kind !== 'silent' && isOwn && !ids.has(alert.id))) {
                const endMs = isOwn && alert.kind === 'alert' ? rules.lastMs : arrivedMs;
                this.#close({ ...alert, ended_ms: Math.max(alert.began_ms, endMs) });
            }
        }
    }

    /** Ends all that is open, and the rules forget what they have seen. */
    #endAll(atMs: number): void {
        for (const alert of this.#open.values()) {
            this.#close({ ...alert, ended_ms: Math.max(alert.began_ms, atMs) });
        }
        this.#item.rules = null;
    }

    /** Raises the episode, changes its figures, or ends it. */
    #note(episode: Episode): void {
        const id = alertId(episode);
        const known = this.#open.get(id);
        const alert = liveEpisode(episode, { raisedMs: known ? known.raised_ms : this.#options.nowMs });
        const open = { ...alert, ended_ms: null };
        if (!known) {
            this.#events.push({ kind: 'raised', alert: open });
        }
        if (alert.ended_ms !== null) {
            this.#close(alert);
        } else if (!known || known.readings !== open.readings || known.worst !== open.worst || known.why !== open.why) {
            this.#open.set(id, open);
            this.#alerts.set(id, open);
        }
    }

    #close(alert: LiveEpisode): void {
        this.#open.delete(alert.id);
        this.#alerts.set(alert.id, alert);
        this.#events.push({ kind: 'cleared', alert });
    }
}

/** The stream that messages come by now, and the places in those that they came by before. */
function placesOf({ stream: last, sequence, places = {} }: DeviceItem, stream: string): Pick<DeviceItem, 'stream' | 'places'> {
    if (last === stream || last === '') {
        return { stream };
    }
    const others = Object.entries({ ...places, [last]: sequence }).filter(([name]) => name !== stream && name !== last);
    return { stream, places: Object.fromEntries([...others.slice(2 - MAX_STREAMS), [last, sequence]]) };
}

/** An episode as it stands among the live alerts. */
export function liveEpisode(episode: Episode, { raisedMs }: { raisedMs: number | null }): LiveEpisode {
    const { ended_ms: endedMs = null, worst, ...words } = episode;
    return { ...words, id: alertId(episode), ended_ms: endedMs, worst: worst === undefined ? null : sayUnits(worst), raised_ms: raisedMs };
}

/** The arrivals by which a device is due, silent, and to be told of as silent, by its last message. */
export function deadlinesOf(
    { lastReceivedMs, rules: state }: Pick<DeviceItem, 'lastReceivedMs' | 'rules'>,
    rules: DerivingRules,
): Pick<DeviceItem, 'dueMs' | 'silentMs' | 'nextSilenceMs'> {
    const { dueEveryMs, graceMs } = rules;
    const silences = silencesIn(rules).map(({ afterMs }) => afterMs);
    const firstMs = silences.length === 0 ? undefined : Math.min(...silences);
    return {
        dueMs: sum(lastReceivedMs, dueEveryMs ?? firstMs),
        silentMs: sum(lastReceivedMs, dueEveryMs === undefined ? firstMs : dueEveryMs + graceMs),
        nextSilenceMs: state ? sum(lastReceivedMs, firstMs) : null,
    };
}

function sum(ms: number | null, more: number | undefined): number | null {
    return ms === null || more === undefined ? null : ms + more;
}

const COLUMN_DIGITS = 9;

/** A value, which is kept in units of 10^-9, with its metric's digits. */
export function showUnits(units: bigint, digits: number): string {
    return formatUnits(units / powerOfTen(COLUMN_DIGITS - digits), digits);
}

function latestOf({ units, text, unit, kind, digits = 0, atMs, message, receivedMs, clock }: Reading): LatestMetric {
    const value = units === undefined ? null : showUnits(units, kind === 'yes/no' ? 0 : digits);
    return { value, text: text === undefined ? null : cutText(text), unit: unit ?? null, atMs, message, receivedMs, clock };
}

/** The beginning of a text; no character is cut in two. */
export function cutText(text: string): string {
    return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT).replace(/[\ud800-\udbff]$/, '');
}

/** Readings in the order of history: by time, message and metric. Of copies the one that history keeps is the first. */
function inOrder(readings: readonly Reading[]): Reading[] {
    return [...readings].sort(
        (a, b) =>
            a.atMs - b.atMs ||
            compareTexts(a.message, b.message) ||
            compareTexts(a.metric, b.metric) ||
            compareCopies(latestOf(a), latestOf(b)),
    );
}

/** Compares two readings of one key by what history compares: arrival, value, text, clock. Nothing stands behind everything. */
function compareCopies(a: LatestMetric, b: LatestMetric): number {
    return (
        a.receivedMs - b.receivedMs ||
        compareNulls(a.value, b.value, (one, other) => compare(parsed(one), parsed(other))) ||
        compareNulls(a.text, b.text, compareTexts) ||
        compareTexts(a.clock, b.clock)
    );
}

function compareNulls(a: string | null, b: string | null, compareValues: (a: string, b: string) => number): number {
    return a === null || b === null ? Number(a === null) - Number(b === null) : compareValues(a, b);
}

function parsed(text: string): Ratio {
    return parseDecimal(text) ?? ZERO;
}
