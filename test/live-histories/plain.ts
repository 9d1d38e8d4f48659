/**
 * Latest state and alerts once more, in the plainest way: all messages are kept, and everything is computed from all of them, device by device and metric by metric. Shares nothing with
 * lake/live and lake/telemetry; the made-up profiles are written here a second time.
 */
import { BEGIN_MS, type Move } from './draw-moves.ts';

/** What is compared, of one device. */
export interface PlainDevice {
    device: string;
    metrics: Record<string, [value: string, atMs: number, identity: string, receivedMs: number, clock: string]>;
    lastAtMs: number | null;
    lastReceivedMs: number | null;
    refused: number;
    rejected: number;
    late: number;
    open: string[];
}

/** An alert as it ends: `ended` is null while it is open. */
export interface PlainAlert {
    id: string;
    ended: number | null;
    worst: string | null;
    readings: number;
}

export interface Plain {
    devices: PlainDevice[];
    alerts: PlainAlert[];
    /** What is told of each alert, in its order: `raised`, `cleared`. */
    told: Record<string, string[]>;
    /** True if no clock of the machine was set, so that the newest reading of each metric is the greatest of all. */
    isPlainClock: boolean;
}

interface Sample {
    metric: 'x' | 'y' | 's';
    value: number | string;
    at: number;
    n: string;
    received: number;
    clock: 'device' | 'arrival';
}

const AHEAD = 5 * 60_000;
const BELIEVED_FROM = Date.UTC(2010, 0, 1);

/** A device while its messages are gone through. */
class Device {
    readonly metrics = new Map<string, Sample>();
    /** Samples that rules see, since they began last. */
    seen: Sample[] = [];
    /** Where the samples of `seen` were taken, and by which profile the last message was read. */
    place: string | undefined;
    profile: 'a' | 'b' | undefined;
    lastAt: number | null = null;
    lastReceived: number | null = null;
    refused = 0;
    rejected = 0;
    late = 0;
    /** Open alerts by id, and all that there ever were. */
    readonly open = new Map<string, PlainAlert>();
    readonly all = new Map<string, PlainAlert>();
    /** Alerts that the samples of `seen` have ended. */
    readonly over = new Set<string>();
    readonly told = new Map<string, string[]>();

    raise(alert: PlainAlert): void {
        this.tell('raised', alert);
        this.open.set(alert.id, alert);
        this.all.set(alert.id, alert);
    }

    clear(alert: PlainAlert): void {
        this.tell('cleared', alert);
        this.open.delete(alert.id);
        this.all.set(alert.id, alert);
    }

    tell(what: string, { id }: PlainAlert): void {
        this.told.set(id, [...(this.told.get(id) ?? []), what]);
    }

    clearAll(at: number): void {
        for (const alert of [...this.open.values()]) {
            this.clear({ ...alert, ended: Math.max(began(alert), at) });
        }
        this.seen = [];
        this.over.clear();
    }
}

const began = ({ id }: PlainAlert): number => Number(id.split('~').at(-1));

export function computePlainly(moves: readonly Move[]): Plain {
    const devices = new Map<string, Device>();
    const find = (id: string): Device => {
        const device = devices.get(id) ?? new Device();
        devices.set(id, device);
        return device;
    };
    let nowMs = BEGIN_MS;
    let sinceMs = BEGIN_MS;
    let jumped = 0;
    let isPlainClock = true;
    for (const move of moves) {
        if (move.move === 'pass') {
            nowMs += move.ms;
        } else if (move.move === 'jump') {
            nowMs += move.ms;
            jumped += move.ms;
            isPlainClock = false;
        } else if (move.move === 'restart') {
            sinceMs = nowMs;
            jumped = 0;
        } else if (move.move === 'tick') {
            if (Math.abs(jumped) > 3_000) {
                sinceMs = nowMs;
            }
            jumped = 0;
            for (const [id, device] of devices) {
                raiseSilences(id, device, { nowMs, sinceMs });
            }
        } else {
            take(move, nowMs, find);
        }
    }
    const sorted = [...devices].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
        isPlainClock,
        devices: sorted.map(([device, one]) => ({
            device,
            metrics: Object.fromEntries(
                [...one.metrics]
                    .sort(([a], [b]) => (a < b ? -1 : 1))
                    .map(([name, { value, at, n, received, clock }]) => [name, [shown(name, value), at, n, received, clock]]),
            ),
            lastAtMs: one.lastAt,
            lastReceivedMs: one.lastReceived,
            refused: one.refused,
            rejected: one.rejected,
            late: one.late,
            open: [...one.open.keys()].sort(),
        })),
        alerts: sorted.flatMap(([, one]) => [...one.all.values()]).sort((a, b) => (a.id < b.id ? -1 : 1)),
        told: Object.assign({}, ...sorted.map(([, { told }]) => Object.fromEntries(told))),
    };
}

function shown(name: string, value: number | string): string {
    return typeof value === 'string' ? value : value.toFixed(name === 'x' ? 1 : 0);
}

function take(move: Move & { move: 'message' }, nowMs: number, find: (id: string) => Device): void {
    const { device: certified, profile, site, refused, payload } = move;
    const said = fieldsOf(payload);
    if (refused !== undefined) {
        if (certified !== undefined) {
            find(certified).refused += 1;
        }
        return;
    }
    const samples = said ? samplesOf(said, nowMs) : [];
    const named = said?.dev as string | undefined;
    const id = certified ?? named;
    const isBad =
        (profile !== 'a' && profile !== 'b') || site === '../x' || samples.length === 0 || (certified && named && named !== certified);
    if (isBad || id === undefined) {
        if (certified !== undefined) {
            find(certified).rejected += 1;
        }
        return;
    }
    const device = find(id);
    const limit = nowMs + AHEAD + 5 * 60_000;
    const newestSeen = Math.max(...device.seen.map(({ at }) => at));
    if (device.seen.length > 0 && newestSeen > limit) {
        device.clearAll(nowMs);
        device.lastAt = null;
    }
    device.lastReceived = nowMs;
    const place = `${site} ${profile}`;
    for (const sample of samples) {
        if (said?.old === 1 && sample.metric === 'x') {
            device.late += 1;
            continue;
        }
        const known = device.metrics.get(sample.metric);
        if (known && known.at <= limit) {
            const order = sample.at - known.at || (sample.n < known.n ? -1 : sample.n > known.n ? 1 : 0);
            if (order === 0 && isSmaller(sample, known)) {
                device.metrics.set(sample.metric, sample);
            }
            if (order <= 0) {
                device.late += 1;
                continue;
            }
        }
        device.metrics.set(sample.metric, sample);
        if (device.seen.length > 0 && device.place !== place) {
            device.clearAll(sample.at);
        }
        device.place = place;
        device.seen = [...device.seen, sample];
        device.lastAt = Math.max(device.lastAt ?? sample.at, sample.at);
    }
    device.profile = profile as 'a' | 'b';
    settle(id, device, nowMs);
}

function fieldsOf(payload: string): Record<string, unknown> | undefined {
    try {
        const value: unknown = JSON.parse(payload);
        return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
    } catch {
        return undefined;
    }
}

function samplesOf(said: Record<string, unknown>, nowMs: number): Sample[] {
    const t = said.t as number | undefined;
    const isBelieved = t !== undefined && t >= BELIEVED_FROM && t <= nowMs + AHEAD;
    const common = {
        at: isBelieved ? t : nowMs,
        clock: isBelieved ? ('device' as const) : ('arrival' as const),
        n: String(said.n),
        received: nowMs,
    };
    return (['s', 'x', 'y'] as const)
        .filter((metric) => said[metric] !== undefined)
        .map((metric) => ({ ...common, metric, value: said[metric] as number }));
}

function isSmaller(a: Sample, b: Sample): boolean {
    const keys = (one: Sample): (number | string)[] => [one.received, one.value, one.clock];
    for (const [at, key] of keys(a).entries()) {
        const other = keys(b)[at] as number | string;
        if (key !== other) {
            return key < other;
        }
    }
    return false;
}

/** Bounds of the made-up profiles. */
const GAP = 3 * 60_000;
const RULES = {
    hot: { metric: 'x', above: true, raise: { a: 7, b: 5 }, clear: 3, hold: 0 },
    held: { metric: 'x', above: true, raise: { a: 5, b: 5 }, clear: 4, hold: 20_000 },
    low: { metric: 'y', above: false, raise: { a: -2, b: -2 }, clear: 0, hold: 0 },
} as const;
const MISSING = 120_000;

/** The alerts of a device's samples, all of them from the first sample on. */
function spansOf(id: string, samples: readonly Sample[], profile: 'a' | 'b'): PlainAlert[] {
    const found: PlainAlert[] = [];
    for (const [rule, { metric, above, raise, clear, hold }] of Object.entries(RULES)) {
        let span: { first: number; last: number; began: number | undefined; worst: number; readings: number } | undefined;
        const end = (ended: number | null): void => {
            if (span?.began !== undefined) {
                found.push({ id: `${id}~${rule}~${span.began}`, ended, worst: String(span.worst), readings: span.readings });
            }
            span = undefined;
        };
        for (const { value, at } of samples.filter((sample) => sample.metric === metric)) {
            const number = Number(value);
            const isBeyond = above ? number >= raise[profile] : number <= raise[profile];
            const isBack = above ? number <= clear : number >= clear;
            if (span && at - span.last > GAP) {
                end(span.last + GAP);
            } else if (span && isBack) {
                end(at);
                continue;
            }
            if (!span && !isBeyond) {
                continue;
            }
            span ??= { first: at, last: at, began: undefined, worst: number, readings: 0 };
            span.last = at;
            span.readings += 1;
            span.worst = above ? Math.max(span.worst, number) : Math.min(span.worst, number);
            if (span.began === undefined && at - span.first >= hold) {
                span.began = at;
            }
        }
        end(null);
    }
    let since = samples[0]?.at ?? 0;
    for (const { at } of samples.filter(({ metric }) => metric === 'y')) {
        if (at - since > MISSING) {
            found.push({ id: `${id}~no-y~${since + MISSING}`, ended: at, worst: null, readings: 0 });
        }
        since = at;
    }
    if (Math.max(...samples.map(({ at }) => at)) - since > MISSING) {
        found.push({ id: `${id}~no-y~${since + MISSING}`, ended: null, worst: null, readings: 0 });
    }
    return found;
}

/** Silences that the samples themselves tell: of each sample that is further than allowed from the newest one before it. */
function silencesOf(id: string, samples: readonly Sample[], profile: 'a' | 'b'): PlainAlert[] {
    const { rule, after } = SILENT[profile];
    return samples.flatMap(({ at }, index) => {
        const last = Math.max(...samples.slice(0, index).map((sample) => sample.at));
        return index > 0 && at - last > after ? [{ id: `${id}~${rule}~${last + after}`, ended: at, worst: null, readings: 0 }] : [];
    });
}

const SILENT = { a: { rule: 'silent', after: 45_000 }, b: { rule: 'quiet', after: 60_000 } };

function settle(id: string, device: Device, nowMs: number): void {
    const own = device.place?.split(' ')[1];
    const { profile } = device;
    const isOwn = profile !== undefined && own === profile && device.seen.length > 0;
    const spans = isOwn ? spansOf(id, device.seen, profile) : [];
    const silences = isOwn ? silencesOf(id, device.seen, profile) : [];
    for (const silence of silences) {
        if (device.open.has(silence.id)) {
            device.clear(silence);
        }
    }
    for (const span of spans.filter(({ ended }) => ended !== null)) {
        // Two of a rule can begin in one millisecond, and have one id.
        const place = `${span.id} ${spans.filter(({ id: other }) => other === span.id).indexOf(span)}`;
        if (!device.over.has(place)) {
            device.over.add(place);
            if (!device.open.has(span.id)) {
                device.raise({ ...span, ended: null });
            }
            device.clear(span);
        }
    }
    for (const span of spans.filter(({ ended }) => ended === null)) {
        if (device.open.has(span.id)) {
            device.open.set(span.id, span);
            device.all.set(span.id, span);
        } else {
            device.raise(span);
        }
    }
    const holding = new Set(spans.filter(({ ended }) => ended === null).map((span) => span.id));
    const lastMs = device.seen.length > 0 ? Math.max(...device.seen.map(({ at }) => at)) : nowMs;
    for (const alert of [...device.open.values()]) {
        const isSilence = /~(silent|quiet)~/.test(alert.id);
        if (isSilence || (isOwn && !holding.has(alert.id))) {
            device.clear({ ...alert, ended: Math.max(began(alert), isSilence ? nowMs : lastMs) });
        }
    }
}

function raiseSilences(id: string, device: Device, { nowMs, sinceMs }: { nowMs: number; sinceMs: number }): void {
    const { profile } = device;
    if (!profile || device.seen.length === 0 || device.lastReceived === null) {
        return;
    }
    const { rule, after } = SILENT[profile];
    const received = device.lastReceived;
    const isWatched = received >= sinceMs && received <= nowMs;
    const alert = { id: `${id}~${rule}~${Math.max(...device.seen.map(({ at }) => at)) + after}`, ended: null, worst: null, readings: 0 };
    if (nowMs > (isWatched ? received + after : sinceMs + after) && !device.open.has(alert.id)) {
        device.raise(alert);
    }
}

/** The newest sample of each metric of each device by what all messages say, whatever order they came in: for histories in which no clock was set. */
export function newestOf(moves: readonly Move[]): Record<string, Record<string, [value: string, atMs: number, identity: string]>> {
    const samples: (Sample & { device: string })[] = [];
    let nowMs = BEGIN_MS;
    for (const move of moves) {
        nowMs += move.move === 'pass' ? move.ms : 0;
        const said = move.move === 'message' ? fieldsOf(move.payload) : undefined;
        if (move.move !== 'message' || !said || move.refused !== undefined || move.site === '../x' || !/^[ab]$/.test(move.profile ?? '')) {
            continue;
        }
        const named = said.dev as string | undefined;
        const device = move.device ?? named;
        if (device !== undefined && (named === undefined || named === device)) {
            samples.push(
                ...samplesOf(said, nowMs)
                    .filter(({ metric }) => said.old !== 1 || metric !== 'x')
                    .map((sample) => ({ ...sample, device })),
            );
        }
    }
    const newest: Record<string, Record<string, Sample>> = {};
    for (const sample of samples) {
        const of = newest[sample.device] ?? {};
        newest[sample.device] = of;
        const known = of[sample.metric];
        if (
            !known ||
            sample.at > known.at ||
            (sample.at === known.at && (sample.n > known.n || (sample.n === known.n && isSmaller(sample, known))))
        ) {
            of[sample.metric] = sample;
        }
    }
    return Object.fromEntries(
        Object.entries(newest).map(([device, of]) => [
            device,
            Object.fromEntries(Object.entries(of).map(([name, { value, at, n }]) => [name, [shown(name, value), at, n]])),
        ]),
    );
}
