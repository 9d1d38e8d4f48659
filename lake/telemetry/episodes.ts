/**
 * Table `episodes`: spans in which a rule of a device's profile held. They are a pure function of the readings in the order of their times and of the
 * state before them: what is live and what is derived from history run this one function. Nothing here knows what time it is now: a silence
 * that has not ended yet is a deadline in the state, and whether it has passed is the question of whoever looks.
 */
import { compareTexts, formatUnits } from '#lake/rows';
import { ownOf, setOwn } from './own-properties.ts';
import type { AlertRule, DerivingRules, FenceRule, SilenceRule, ThresholdRule } from './rules.ts';
import type { RulesOf, SortedReadings } from './sorted-readings.ts';

export interface Episode {
    site: string;
    device: string;
    /** Profile whose rule it is. */
    profile: string;
    rule: string;
    kind: 'alert' | 'silent';
    severity: AlertRule['severity'];
    began_ms: number;
    /** End of the span; undefined while it is open. */
    ended_ms: number | undefined;
    /** The value furthest beyond the bound, in units of 10^-9; of a fence the distance in metres. Undefined for silence and missing metrics. */
    worst: bigint | undefined;
    /** How many readings lie in it. */
    readings: number;
    /** What a person should know, in one sentence. */
    why: string;
}

/** What must be known of all devices to go on with the next reading; plain JSON, numbers beyond 2^53 as text. Devices are in the order of site and id. */
export interface EpisodeState {
    devices: readonly DeviceState[];
}

/** What the rules of a device's profile have seen of it; plain JSON. */
export interface DeviceState {
    site: string;
    device: string;
    profile: string;
    /** Time of the first and of the last reading of any metric. */
    firstMs: number;
    lastMs: number;
    /** Time of the last reading of each metric that a rule watches. */
    metrics: Record<string, number>;
    /** Spans of threshold and fence rules that have begun, whether or not they have held for long enough. */
    spans: Record<string, SpanState>;
    /** One half of a fence's position, while the other is awaited: latitude and longitude come as two readings of one message. */
    positions: Record<string, { atMs: number; message: string; metric: string; units: string }>;
}

interface SpanState {
    /** First reading beyond the bound. */
    firstMs: number;
    /** Time at which the rule had held for long enough; undefined before. */
    beganMs?: number;
    /** The last reading that the rule looked at. */
    lastMs: number;
    worst: string;
    readings: number;
}

/** The state before any reading. */
export const NO_STATE: EpisodeState = { devices: [] };

/** Name of the rule of silence that a profile has by `dueEvery` alone. */
const DUE_RULE = 'silent';

/** Goes through readings, hour after hour in the order of time, and keeps state and the episodes that have ended. */
export class EpisodeWalk {
    private readonly devices = new Map<string, DeviceState>();
    private readonly walk: DeviceWalk;
    private readonly rulesOf: RulesOf;

    constructor(opening: EpisodeState, rulesOf: RulesOf) {
        this.walk = new DeviceWalk(rulesOf);
        this.rulesOf = rulesOf;
        for (const device of opening.devices) {
            this.devices.set(nameOf(device), copyOf(device));
        }
    }

    /** Takes the readings of the next hour. */
    add(readings: SortedReadings): void {
        for (let start = 0; start < readings.count; ) {
            let end = start + 1;
            while (end < readings.count && readings.isSameDevice(end)) {
                end += 1;
            }
            for (const row of rowsByTime(readings, start, end)) {
                const reading = readingAt(readings, row);
                const name = nameOf(reading);
                const before = this.devices.get(name);
                const after = this.walk.take(before, reading);
                if (after !== before) {
                    this.devices.set(name, after);
                }
            }
            start = end;
        }
    }

    /** Episodes that ended in what was added, in the order of site, device, rule and beginning. */
    endedEpisodes(): Episode[] {
        return [...this.walk.ended].sort(compareEpisodes);
    }

    /** Episodes that are open behind what was added, in the same order. Of a silence the beginning is a deadline, and may lie ahead. */
    openEpisodes(): Episode[] {
        return [...this.devices.values()].flatMap((device) => openEpisodesOf(device, this.rulesOf(device.profile))).sort(compareEpisodes);
    }

    /** The state behind what was added: equal states have their properties in one order. */
    closing(): EpisodeState {
        return {
            devices: [...this.devices.values()]
                .sort((a, b) => compareTexts(a.site, b.site) || compareTexts(a.device, b.device))
                .map((device) => ({
                    ...device,
                    metrics: inOrder(device.metrics),
                    spans: inOrder(device.spans),
                    positions: inOrder(device.positions),
                })),
        };
    }
}

/** Takes readings of devices one by one, each into the state of its device. */
export class DeviceWalk {
    /** Episodes that ended so far, in the order of the readings that told it. */
    readonly ended: Episode[] = [];
    private readonly rulesOf: RulesOf;
    private readonly alerts = new Map<string, readonly AlertRule[]>();

    constructor(rulesOf: RulesOf) {
        this.rulesOf = rulesOf;
    }

    /**
     * Takes a reading of a device, which is newer than all that were taken of its metric. Readings of different metrics may come in any order, as they do live: only what is said of
     * silences depends on it. @returns the device's state, which is the one that was given where that goes on
     */
    take(before: DeviceState | undefined, event: DeviceReading): DeviceState {
        let device = before;
        if (device && device.profile !== event.profile) {
            this.leaveProfile(device, event);
            device = undefined;
        }
        if (device) {
            for (const rule of this.alertsOf(device.profile)) {
                this.lookBefore(device, rule, event);
            }
        } else {
            const { site, device: id, profile, atMs } = event;
            device = { site, device: id, profile, firstMs: atMs, lastMs: atMs, metrics: {}, spans: {}, positions: {} };
        }
        device.lastMs = Math.max(device.lastMs, event.atMs);
        const rules = this.alertsOf(device.profile);
        for (const rule of rules) {
            this.look(device, rule, event);
        }
        // Behind all of them: several rules may watch one metric.
        if (rules.some((rule) => rule.is === 'missing' && rule.metric === event.metric)) {
            setOwn(device.metrics, event.metric, event.atMs);
        }
        return device;
    }

    /** The profile's rules, found out once. */
    private alertsOf(profile: string): readonly AlertRule[] {
        const known = this.alerts.get(profile) ?? rulesIn(this.rulesOf(profile));
        this.alerts.set(profile, known);
        return known;
    }

    /** A device that another profile reads from now on: what its rules had begun ends with its last reading. */
    private leaveProfile(device: DeviceState, { atMs }: DeviceReading): void {
        for (const episode of openEpisodesOf(device, this.rulesOf(device.profile))) {
            if (episode.began_ms < atMs) {
                this.ended.push({ ...episode, ended_ms: atMs });
            }
        }
    }

    /** What the device's silence until this reading says. */
    private lookBefore(device: DeviceState, rule: AlertRule, event: DeviceReading): void {
        if (rule.is === 'silent' && event.atMs - device.lastMs > rule.afterMs) {
            this.ended.push({ ...silence(device, rule), ended_ms: event.atMs });
        }
    }

    private look(device: DeviceState, rule: AlertRule, event: DeviceReading): void {
        if (rule.is === 'missing' && event.metric === rule.metric) {
            const since = ownOf(device.metrics, rule.metric) ?? device.firstMs;
            if (event.atMs - since > rule.afterMs) {
                this.ended.push({ ...missing(device, rule), ended_ms: event.atMs });
            }
        }
        if (rule.is === 'threshold' && event.metric === rule.metric && event.units !== undefined) {
            const { units } = event;
            const isBeyond = rule.side === 'above' ? units >= rule.raise : units <= rule.raise;
            const isBack = rule.side === 'above' ? units <= rule.clear : units >= rule.clear;
            this.follow(device, rule, { atMs: event.atMs, value: units, isBeyond, isBack });
        }
        if (rule.is === 'fence') {
            const distance = this.distanceAt(device, rule, event);
            if (distance !== undefined) {
                const [isBeyond, isBack] = [distance > BigInt(rule.radiusM) * MM, distance <= BigInt(rule.backM) * MM];
                this.follow(device, rule, { atMs: event.atMs, value: distance * UNITS_PER_MM, isBeyond, isBack });
            }
        }
    }

    /** Follows a rule with two bounds: a span begins beyond the one and ends behind the other, or at a gap. */
    private follow(device: DeviceState, rule: ThresholdRule | FenceRule, seen: Seen): void {
        const { atMs, value, isBeyond, isBack } = seen;
        const gapLimitMs = this.rulesOf(device.profile)?.gapLimitMs ?? 0;
        let span = ownOf(device.spans, rule.rule);
        if (span && atMs - span.lastMs > gapLimitMs) {
            this.end(device, rule, span.lastMs + gapLimitMs);
            span = undefined;
        } else if (span && isBack) {
            this.end(device, rule, atMs);
            return;
        }
        if (!span) {
            if (!isBeyond) {
                return;
            }
            span = { firstMs: atMs, lastMs: atMs, worst: String(value), readings: 0 };
            setOwn(device.spans, rule.rule, span);
        }
        span.lastMs = atMs;
        span.readings += 1;
        if (isWorse(rule, value, BigInt(span.worst))) {
            span.worst = String(value);
        }
        if (span.beganMs === undefined && atMs - span.firstMs >= rule.holdForMs) {
            span.beganMs = atMs;
        }
    }

    private end(device: DeviceState, rule: ThresholdRule | FenceRule, endedMs: number): void {
        const span = ownOf(device.spans, rule.rule);
        delete device.spans[rule.rule];
        if (span?.beganMs !== undefined) {
            this.ended.push({ ...spanEpisode(device, rule, { ...span, beganMs: span.beganMs }), ended_ms: endedMs });
        }
    }

    /** The distance from the fence's middle in millimetres, once latitude and longitude of one message are there. */
    private distanceAt(device: DeviceState, rule: FenceRule, event: DeviceReading): bigint | undefined {
        if (event.units === undefined || (event.metric !== rule.latitude && event.metric !== rule.longitude)) {
            return undefined;
        }
        const { atMs, message, metric, units } = event;
        const other = ownOf(device.positions, rule.rule);
        if (!other || other.atMs !== atMs || other.message !== message || other.metric === metric) {
            setOwn(device.positions, rule.rule, { atMs, message, metric, units: String(units) });
            return undefined;
        }
        delete device.positions[rule.rule];
        const [latitude, longitude] = metric === rule.longitude ? [BigInt(other.units), units] : [units, BigInt(other.units)];
        return distanceMm(rule, { latitude, longitude });
    }
}

/** A state that may be changed without a trace in the other one. */
function copyOf({ metrics, spans, positions, ...device }: DeviceState): DeviceState {
    return {
        ...device,
        metrics: { ...metrics },
        spans: Object.fromEntries(Object.entries(spans).map(([rule, span]) => [rule, { ...span }])),
        positions: { ...positions },
    };
}

/** One reading, as rules look at it. */
export interface DeviceReading {
    site: string;
    device: string;
    profile: string;
    metric: string;
    message: string;
    atMs: number;
    units: bigint | undefined;
}

interface Seen {
    atMs: number;
    value: bigint;
    isBeyond: boolean;
    isBack: boolean;
}

function readingAt(readings: SortedReadings, row: number): DeviceReading {
    return {
        site: readings.siteAt(row),
        device: readings.deviceAt(row),
        profile: readings.profileAt(row),
        metric: readings.metricAt(row),
        message: readings.messageAt(row),
        atMs: readings.atMsAt(row),
        units: readings.unitsAt(row),
    };
}

/** Rows of one device by time, message and metric. The order of the readings decides between rows that are equal in the first two: it is that of metrics. */
function rowsByTime(readings: SortedReadings, start: number, end: number): number[] {
    const rows = Array.from({ length: end - start }, (_, at) => start + at);
    return rows.sort(
        (a, b) => readings.atMsAt(a) - readings.atMsAt(b) || compareTexts(readings.messageAt(a), readings.messageAt(b)) || a - b,
    );
}

/** The profile's rules, with that of silence that `dueEvery` is. */
function rulesIn(rules: DerivingRules | undefined): readonly AlertRule[] {
    const { alerts = [], dueEveryMs, graceMs = 0 } = rules ?? {};
    if (dueEveryMs === undefined || alerts.some(({ is, rule }) => is === 'silent' || rule === DUE_RULE)) {
        return alerts;
    }
    return [
        ...alerts,
        { is: 'silent', rule: DUE_RULE, severity: 'warning', message: 'the device says nothing', afterMs: dueEveryMs + graceMs },
    ];
}

/** The rules by which a device of the profile is silent. */
export function silencesIn(rules: DerivingRules): SilenceRule[] {
    return rulesIn(rules).filter((rule) => rule.is === 'silent');
}

/** What is open, each as it would be if it ended later; of silence and missing metrics the deadline may lie ahead. */
export function openEpisodesOf(device: DeviceState, rules: DerivingRules | undefined): Episode[] {
    const open: Episode[] = [];
    for (const rule of rulesIn(rules)) {
        if (rule.is === 'silent') {
            open.push(silence(device, rule));
        } else if (rule.is === 'missing') {
            if (device.lastMs - (ownOf(device.metrics, rule.metric) ?? device.firstMs) > rule.afterMs) {
                open.push(missing(device, rule));
            }
        } else {
            const span = ownOf(device.spans, rule.rule);
            if (span?.beganMs !== undefined) {
                open.push(spanEpisode(device, rule, { ...span, beganMs: span.beganMs }));
            }
        }
    }
    return open;
}

function silence(device: DeviceState, rule: SilenceRule): Episode {
    return {
        ...wordsOf(device, rule, 'silent'),
        began_ms: device.lastMs + rule.afterMs,
        why: `${rule.message}: no reading for ${sayMs(rule.afterMs)}`,
    };
}

function missing(device: DeviceState, rule: Extract<AlertRule, { is: 'missing' }>): Episode {
    return {
        ...wordsOf(device, rule, 'alert'),
        began_ms: (ownOf(device.metrics, rule.metric) ?? device.firstMs) + rule.afterMs,
        why: `${rule.message}: no ${rule.metric} for ${sayMs(rule.afterMs)}, though the device reports`,
    };
}

function spanEpisode(device: DeviceState, rule: ThresholdRule | FenceRule, span: SpanState & { beganMs: number }): Episode {
    const worst = BigInt(span.worst);
    const why =
        rule.is === 'fence'
            ? `${rule.message}: ${sayUnits(worst)} m from the middle of its fence, which reaches ${rule.radiusM} m`
            : `${rule.message}: ${rule.metric} was ${sayUnits(worst)}, and ${sayUnits(rule.raise)} or ${rule.side === 'above' ? 'more' : 'less'} raises the alert`;
    return { ...wordsOf(device, rule, 'alert'), began_ms: span.beganMs, worst, readings: span.readings, why };
}

function wordsOf(
    { site, device, profile }: DeviceState,
    { rule, severity }: AlertRule,
    kind: Episode['kind'],
): Omit<Episode, 'began_ms' | 'why'> {
    return { site, device, profile, rule, kind, severity, ended_ms: undefined, worst: undefined, readings: 0 };
}

function isWorse(rule: ThresholdRule | FenceRule, value: bigint, worst: bigint): boolean {
    return rule.is === 'threshold' && rule.side === 'below' ? value < worst : value > worst;
}

/** A value in units of 10^-9 as decimal text, without zeros at its end. */
export function sayUnits(units: bigint): string {
    return formatUnits(units, VALUE_DIGITS).replace(/\.?0+$/, '');
}

/** Digits behind the point of column `value`. */
const VALUE_DIGITS = 9;

/** A span of time as people say it: `90 s`, `15 min`, `2 h`. */
function sayMs(ms: number): string {
    for (const [unit, size] of [
        ['h', 3_600_000],
        ['min', 60_000],
        ['s', 1000],
    ] as const) {
        if (ms >= size && ms % size === 0) {
            return `${ms / size} ${unit}`;
        }
    }
    return `${ms} ms`;
}

const MM = 1000n;
const UNITS_PER_MM = 1_000_000n;

/** Millimetres of a degree of latitude on a sphere of the earth's mean radius, 6,371,008.8 m (IUGG). */
const MM_PER_DEGREE = 111_195_080n;

const UNITS_PER_DEGREE = 1_000_000_000n;

/**
 * The distance between a position and a fence's middle, in whole millimetres, on a plane that touches the globe there: right to a thousandth up to
 * 100 km. Whole numbers only, so that every language comes to the same verdict.
 */
function distanceMm(fence: FenceRule, at: { latitude: bigint; longitude: bigint }): bigint {
    const north = at.latitude - fence.latitudeUnits;
    const turn = 360n * UNITS_PER_DEGREE;
    const half = turn / 2n;
    const east = ((((at.longitude - fence.longitudeUnits + half) % turn) + turn) % turn) - half;
    // The one step that is no whole number; rounded, so that the last bit of a cosine does not matter.
    const shrink = BigInt(Math.round(Math.cos((Number(fence.latitudeUnits) / 1e9) * (Math.PI / 180)) * 1e9));
    const northMm = (north * MM_PER_DEGREE) / UNITS_PER_DEGREE;
    const eastMm = (east * MM_PER_DEGREE * shrink) / (UNITS_PER_DEGREE * UNITS_PER_DEGREE);
    return rootOf(northMm * northMm + eastMm * eastMm);
}

/** The whole part of a root. */
function rootOf(square: bigint): bigint {
    let root = BigInt(Math.floor(Math.sqrt(Number(square))));
    while (root * root > square) {
        root -= 1n;
    }
    while ((root + 1n) * (root + 1n) <= square) {
        root += 1n;
    }
    return root;
}

/** Properties of an object in the order of their names. */
function inOrder<T>(named: Record<string, T>): Record<string, T> {
    return Object.fromEntries(Object.entries(named).sort(([a], [b]) => compareTexts(a, b)));
}

function nameOf({ site, device }: { site: string; device: string }): string {
    return `${site} ${device}`;
}

function compareEpisodes(a: Episode, b: Episode): number {
    return compareTexts(a.site, b.site) || compareTexts(a.device, b.device) || compareTexts(a.rule, b.rule) || a.began_ms - b.began_ms;
}
