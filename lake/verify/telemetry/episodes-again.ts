/**
 * Table `episodes` once more: a device's readings of a day lie side by side, and one rule after the other is looked for in them. docs/telemetry.md
 * ("Alerts and silences") says what the rules mean. Whole numbers only: values in units of 10^-9, distances in millimetres.
 */
import type { Json, SecondDerivation, SqlEngine, StateFact } from '#lake/kind';
import { textOf, wholeOf } from '#lake/verify/engine';
import { NO_RULES, type ProfileRules, type Rule, rulesIn } from './rules.ts';

interface Reading {
    profile: string;
    metric: string;
    message: string;
    atMs: number;
    /** Value in units of 10^-9; undefined where it is a text. */
    units: bigint | undefined;
}

type Named<T> = Readonly<Record<string, T>>;

/** What an object keeps of a device at the end of its day: docs/design.md, "Derived tables". */
interface DeviceState {
    site: string;
    device: string;
    profile: string;
    firstMs: number;
    lastMs: number;
    /** Last reading of each metric that must not be missing. */
    metrics: Named<number>;
    spans: Named<Span>;
    /** Half of a position, whose other half has not come. */
    positions: Named<{ atMs: number; message: string; metric: string; units: string }>;
}

/** Readings beyond a bound, one after the other. */
interface Span {
    firstMs: number;
    lastMs: number;
    worst: string;
    readings: number;
    /** Time at which it had lasted for as long as its rule asks. */
    beganMs?: number;
}

/** A row of the table, in its columns' order. */
type Episode = [
    site: string,
    device: string,
    rule: string,
    beganMs: number,
    endedMs: number | null,
    profile: string,
    kind: 'alert' | 'silent',
    severity: string,
    worst: string | null,
    readings: number,
    why: string,
];

export const episodesAgain: SecondDerivation = {
    async derive(engine, { opening, input }) {
        const states = new Map(devicesIn(opening).map((state) => [nameOf(state), state]));
        const names = (await engine.rows('select distinct profile from day_rows')).map((row) => textOf(row, 'profile') ?? '');
        const profiles = new Map<string, ProfileRules>();
        for (const name of new Set([...names, ...[...states.values()].map(({ profile }) => profile)])) {
            const found = await input(name);
            profiles.set(name, found ? rulesIn(found.document) : NO_RULES);
        }
        const rulesOf = (profile: string): ProfileRules => profiles.get(profile) ?? NO_RULES;
        const rows: Episode[] = [];
        for await (const { site, device, readings } of devicesOf(engine)) {
            const name = nameOf({ site, device });
            let state = states.get(name);
            for (const run of runsOf(readings)) {
                const [first] = run;
                if (state && state.profile !== first.profile) {
                    // What its rules had begun ends with the first reading of another profile.
                    const ended = openEpisodes(state, rulesOf(state.profile)).filter(([, , , beganMs]) => beganMs < first.atMs);
                    rows.push(...ended.map((episode) => endedAt(episode, first.atMs)));
                    state = undefined;
                }
                const followed: Followed = follow({ site, device, before: state, run, rules: rulesOf(first.profile) });
                rows.push(...followed.ended);
                state = followed.after;
            }
            if (state) {
                states.set(name, state);
            }
        }
        const closing = [...states.values()];
        rows.push(...closing.flatMap((state) => openEpisodes(state, rulesOf(state.profile))));
        await load(engine, rows);
        return { devices: closing } as unknown as Json;
    },
    factsOf: (state) => devicesIn(state).flatMap(factsOf),
};

function devicesIn(state: Json): DeviceState[] {
    return (state as { devices: DeviceState[] } | null)?.devices ?? [];
}

function nameOf({ site, device }: Pick<DeviceState, 'site' | 'device'>): string {
    return JSON.stringify([site, device]);
}

/** The day's readings of each device, in the order of time, message and metric. */
async function* devicesOf(engine: SqlEngine): AsyncGenerator<{ site: string; device: string; readings: Reading[] }> {
    let current: { site: string; device: string; readings: Reading[] } | undefined;
    const rows = engine.batches(`
        select site, device, profile, metric, message, at_ms, cast(value * 1000000000 as hugeint) as units
        from day_rows
        order by site, device, at_ms, message, metric`);
    for await (const batch of rows) {
        for (const row of batch) {
            const [site, device, profile, metric, message] = ['site', 'device', 'profile', 'metric', 'message'].map(
                (name) => textOf(row, name) ?? '',
            ) as [string, string, string, string, string];
            if (current?.site !== site || current.device !== device) {
                if (current) {
                    yield current;
                }
                current = { site, device, readings: [] };
            }
            current.readings.push({
                profile,
                metric,
                message,
                atMs: Number(wholeOf(row, 'at_ms')),
                units: wholeOf(row, 'units') ?? undefined,
            });
        }
    }
    if (current) {
        yield current;
    }
}

type Run = [Reading, ...Reading[]];

/** The readings cut where another profile reads them. */
function runsOf(readings: readonly Reading[]): Run[] {
    const runs: Run[] = [];
    for (const reading of readings) {
        const last = runs.at(-1);
        if (last && last[0].profile === reading.profile) {
            last.push(reading);
        } else {
            runs.push([reading]);
        }
    }
    return runs;
}

interface Followed {
    ended: Episode[];
    after: DeviceState;
}

/** What readings of one profile end, and the state behind them. */
function follow({
    site,
    device,
    before,
    run,
    rules: { rules, gapLimitMs },
}: {
    site: string;
    device: string;
    before: DeviceState | undefined;
    run: Run;
    rules: ProfileRules;
}): Followed {
    const [first] = run;
    const last = run.at(-1) ?? first;
    const about = { site, device, profile: first.profile };
    const metrics: Record<string, number> = { ...before?.metrics };
    const spans: Record<string, Span> = { ...before?.spans };
    const positions: Record<string, DeviceState['positions'][string]> = { ...before?.positions };
    const firstMs = before?.firstMs ?? first.atMs;
    const ended: Episode[] = [];
    for (const rule of rules) {
        if (rule.is === 'silent') {
            for (const [fromMs, untilMs] of gapsIn([before?.lastMs ?? first.atMs, ...run.map(({ atMs }) => atMs)], rule.afterMs)) {
                ended.push(endedAt(silence(about, rule, fromMs), untilMs));
            }
        } else if (rule.is === 'missing') {
            const times = run.filter(({ metric }) => metric === rule.metric).map(({ atMs }) => atMs);
            for (const [fromMs, untilMs] of gapsIn([at(before?.metrics, rule.metric) ?? firstMs, ...times], rule.afterMs)) {
                ended.push(endedAt(missing(about, rule, fromMs), untilMs));
            }
            const lastMs = times.at(-1);
            if (lastMs !== undefined) {
                put(metrics, rule.metric, lastMs);
            }
        } else {
            const { seen, half } = rule.is === 'beyond' ? { seen: valuesOf(rule, run), half: undefined } : distancesOf(rule, run);
            const walked = walkSpans(seen, { open: at(spans, rule.rule), gapLimitMs, holdForMs: rule.holdForMs, isWorse: worseOf(rule) });
            for (const { span, endedMs } of walked.ended) {
                ended.push(...spanEpisodes(about, rule, span).map((episode) => endedAt(episode, endedMs)));
            }
            put(spans, rule.rule, walked.open);
            if (rule.is === 'outside' && half !== 'none came') {
                put(positions, rule.rule, half);
            }
        }
    }
    return { ended, after: { ...about, firstMs, lastMs: last.atMs, metrics, spans, positions } };
}

function put<T>(named: Record<string, T>, name: string, value: T | undefined): void {
    delete named[name];
    if (value !== undefined) {
        // Plainly assigned, `__proto__` would be no property.
        Object.defineProperty(named, name, { value, configurable: true, enumerable: true, writable: true });
    }
}

/** What the object itself has under the name; all have `constructor` by birth. */
function at<T>(named: Named<T> | undefined, name: string): T | undefined {
    return named && Object.hasOwn(named, name) ? named[name] : undefined;
}

/** Each time and the next one, where they are further apart. */
function gapsIn(times: readonly number[], apartMs: number): [number, number][] {
    return times.slice(1).flatMap((untilMs, at): [number, number][] => {
        const fromMs = times[at] ?? untilMs;
        return untilMs - fromMs > apartMs ? [[fromMs, untilMs]] : [];
    });
}

interface Seen {
    atMs: number;
    value: bigint;
    isBeyond: boolean;
    isBack: boolean;
}

function valuesOf({ metric, isAbove, raise, clear }: Extract<Rule, { is: 'beyond' }>, run: Run): Seen[] {
    return run.flatMap((reading) => {
        const { units, atMs } = reading;
        if (reading.metric !== metric || units === undefined) {
            return [];
        }
        const [isBeyond, isBack] = isAbove ? [units >= raise, units <= clear] : [units <= raise, units >= clear];
        return [{ atMs, value: units, isBeyond, isBack }];
    });
}

type Half = DeviceState['positions'][string];

/** Distances of the positions from the fence's middle, and the half of a position that the readings end with; `none came` where they have no position. */
function distancesOf(
    { latitude, longitude, middle, radiusM, backM }: Extract<Rule, { is: 'outside' }>,
    run: Run,
): { seen: Seen[]; half: Half | undefined | 'none came' } {
    const halves = run.filter(({ metric, units }) => units !== undefined && (metric === latitude || metric === longitude));
    const seen: Seen[] = [];
    let half: Half | undefined | 'none came' = 'none came';
    // A message has each metric once at one time, and readings of a message at one time lie side by side.
    for (let at = 0; at < halves.length; at += 1) {
        const [one, next] = [halves[at], halves[at + 1]];
        const isWhole = one && next && one.atMs === next.atMs && one.message === next.message && one.metric !== next.metric;
        if (!isWhole) {
            half = one && { atMs: one.atMs, message: one.message, metric: one.metric, units: String(one.units) };
            continue;
        }
        const [north, east] = one.metric === latitude ? [one.units ?? 0n, next.units ?? 0n] : [next.units ?? 0n, one.units ?? 0n];
        const mm = distanceMm({ latitude: north, longitude: east }, middle);
        seen.push({
            atMs: one.atMs,
            // Metres in units of 10^-9.
            value: mm * 1_000_000n,
            isBeyond: mm > BigInt(radiusM) * 1000n,
            isBack: mm <= BigInt(backM) * 1000n,
        });
        half = undefined;
        at += 1;
    }
    return { seen, half };
}

interface Walk {
    open: Span | undefined;
    gapLimitMs: number;
    holdForMs: number;
    isWorse: (value: bigint, worst: bigint) => boolean;
}

/** The spans that end among what was seen, and the one that stays open. */
function walkSpans(
    seen: readonly Seen[],
    { open, gapLimitMs, holdForMs, isWorse }: Walk,
): { ended: { span: Span; endedMs: number }[]; open: Span | undefined } {
    const ended: { span: Span; endedMs: number }[] = [];
    let span = open;
    for (const { atMs, value, isBeyond, isBack } of seen) {
        if (span && atMs - span.lastMs > gapLimitMs) {
            ended.push({ span, endedMs: span.lastMs + gapLimitMs });
            span = undefined;
        } else if (span && isBack) {
            ended.push({ span, endedMs: atMs });
            span = undefined;
            continue;
        }
        if (!span && !isBeyond) {
            continue;
        }
        const { firstMs, readings, worst, beganMs }: Span = span ?? { firstMs: atMs, lastMs: atMs, readings: 0, worst: String(value) };
        const began = beganMs ?? (atMs - firstMs >= holdForMs ? atMs : undefined);
        span = {
            firstMs,
            lastMs: atMs,
            worst: isWorse(value, BigInt(worst)) ? String(value) : worst,
            readings: readings + 1,
            ...(began !== undefined && { beganMs: began }),
        };
    }
    return { ended, open: span };
}

function worseOf(rule: Rule): Walk['isWorse'] {
    return rule.is === 'beyond' && !rule.isAbove ? (value, worst) => value < worst : (value, worst) => value > worst;
}

type About = Pick<DeviceState, 'site' | 'device' | 'profile'>;

function row(
    about: About,
    { rule, severity }: Rule,
    more: { beganMs: number; kind: 'alert' | 'silent'; why: string; span?: Span },
): Episode {
    const { site, device, profile } = about;
    const { beganMs, kind, why, span } = more;
    return [site, device, rule, beganMs, null, profile, kind, severity, span?.worst ?? null, span?.readings ?? 0, why];
}

function endedAt([site, device, rule, beganMs, , ...others]: Episode, endedMs: number): Episode {
    return [site, device, rule, beganMs, endedMs, ...others];
}

function silence(about: About, rule: Extract<Rule, { is: 'silent' }>, lastMs: number): Episode {
    const why = `${rule.message}: no reading for ${spoken(rule.afterMs)}`;
    return row(about, rule, { beganMs: lastMs + rule.afterMs, kind: 'silent', why });
}

function missing(about: About, rule: Extract<Rule, { is: 'missing' }>, lastMs: number): Episode {
    const why = `${rule.message}: no ${rule.metric} for ${spoken(rule.afterMs)}, though the device reports`;
    return row(about, rule, { beganMs: lastMs + rule.afterMs, kind: 'alert', why });
}

/** The episode that a span is; none where it did not last for as long as its rule asks. */
function spanEpisodes(about: About, rule: Extract<Rule, { is: 'beyond' | 'outside' }>, span: Span): Episode[] {
    if (span.beganMs === undefined) {
        return [];
    }
    const worst = plain(BigInt(span.worst));
    const why =
        rule.is === 'outside'
            ? `${rule.message}: ${worst} m from the middle of its fence, which reaches ${rule.radiusM} m`
            : `${rule.message}: ${rule.metric} was ${worst}, and ${plain(rule.raise)} or ${rule.isAbove ? 'more' : 'less'} raises the alert`;
    return [row(about, rule, { beganMs: span.beganMs, kind: 'alert', why, span })];
}

/** What is open in a state: every silence by its deadline, which may lie ahead. */
function openEpisodes(state: DeviceState, { rules }: ProfileRules): Episode[] {
    return rules.flatMap((rule) => {
        switch (rule.is) {
            case 'silent':
                return [silence(state, rule, state.lastMs)];
            case 'missing': {
                const lastMs = at(state.metrics, rule.metric) ?? state.firstMs;
                return state.lastMs - lastMs > rule.afterMs ? [missing(state, rule, lastMs)] : [];
            }
            default: {
                const span = at(state.spans, rule.rule);
                return span ? spanEpisodes(state, rule, span) : [];
            }
        }
    });
}

/** A value as decimal text without zeros at its end. */
function plain(units: bigint): string {
    const digits = String(units < 0n ? -units : units).padStart(10, '0');
    const [whole, fraction] = [digits.slice(0, -9), digits.slice(-9).replace(/0+$/, '')];
    return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A span of time in its largest unit of which it is a whole number. */
function spoken(ms: number): string {
    const units: [number, string][] = [
        [3_600_000, 'h'],
        [60_000, 'min'],
        [1000, 's'],
    ];
    const [size, unit] = units.find(([each]) => ms > 0 && ms % each === 0) ?? [1, 'ms'];
    return `${ms / size} ${unit}`;
}

/** Millimetres of a degree on a sphere of 6,371,008.8 m, and the units of a degree. */
const MM_PER_DEGREE = 111_195_080n;
const DEGREE = 1_000_000_000n;

/** Whole millimetres between a position and a fence's middle, on a plane that touches the globe at the middle. */
function distanceMm(at: { latitude: bigint; longitude: bigint }, middle: { latitude: bigint; longitude: bigint }): bigint {
    let east = (at.longitude - middle.longitude) % (360n * DEGREE);
    if (east >= 180n * DEGREE) {
        east -= 360n * DEGREE;
    } else if (east < -180n * DEGREE) {
        east += 360n * DEGREE;
    }
    // How much shorter a degree of longitude is there: rounded to nine digits, so that no engine's last bit counts.
    const shorter = BigInt(Math.round(1e9 * Math.cos((Math.PI * Number(middle.latitude)) / 180e9)));
    const northMm = ((at.latitude - middle.latitude) * MM_PER_DEGREE) / DEGREE;
    const eastMm = (east * MM_PER_DEGREE * shorter) / (DEGREE * DEGREE);
    return wholeRoot(northMm * northMm + eastMm * eastMm);
}

/** The whole part of a root, by Newton's method from above. */
function wholeRoot(square: bigint): bigint {
    if (square < 2n) {
        return square;
    }
    let root = 1n << BigInt(Math.ceil(square.toString(2).length / 2));
    for (;;) {
        const next = (root + square / root) >> 1n;
        if (next >= root) {
            return root;
        }
        root = next;
    }
}

/** Episodes that go to the engine at a time. */
const ROWS_AT_ONCE = 20_000;
const WORST = 8;

async function load(engine: SqlEngine, rows: readonly Episode[]): Promise<void> {
    await engine.run(`
        create or replace table derived_rows (site varchar, device varchar, rule varchar, began_ms hugeint, ended_ms hugeint, profile varchar,
            kind varchar, severity varchar, worst decimal(38, 9), readings hugeint, why varchar)`);
    const batches = async function* () {
        for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
            const some = rows
                .slice(at, at + ROWS_AT_ONCE)
                .map((episode) => episode.map((value, column) => (column === WORST && value !== null ? plain(BigInt(value)) : value)));
            yield { sql: INSERT, text: JSON.stringify(some) };
        }
    };
    await engine.runForEach(batches());
}

const INSERT = `
    insert into derived_rows
    select fields[1], fields[2], fields[3], cast(fields[4] as hugeint), cast(fields[5] as hugeint), fields[6], fields[7], fields[8],
        cast(fields[9] as decimal(38, 9)), cast(fields[10] as hugeint), fields[11]
    from (select unnest(from_json($1, '[["VARCHAR"]]')) as fields)`;

/** What is kept of a device, fact by fact. */
function factsOf({ site, device, profile, firstMs, lastMs, metrics, spans, positions }: DeviceState): StateFact[] {
    const named = (what: string, facts: Named<object>): [string, unknown][] =>
        Object.entries(facts).flatMap(([name, fact]) =>
            Object.entries(fact).map(([part, value]): [string, unknown] => [`${what} ${name}: ${part}`, value]),
        );
    const facts: [string, unknown][] = [
        ['profile', profile],
        ['firstMs', firstMs],
        ['lastMs', lastMs],
        ...Object.entries(metrics).map(([metric, atMs]): [string, unknown] => [`last ${metric}`, atMs]),
        ...named('span', spans),
        ...named('position', positions),
    ];
    return facts.map(([figure, value]) => ({ key: { site, device }, figure, value: String(value) }));
}
