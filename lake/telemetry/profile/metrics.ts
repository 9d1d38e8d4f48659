/** The metrics of a profile, made into functions that read each of them from a message. */
import type { Problem } from '../reading.ts';
import type { MetricWords, PathWord } from './document.ts';
import { FastNumber } from './fast-number.ts';
import { type Field, NULL, NUMBER, TEXT } from './fields.ts';
import { capturesOf, namesIn, parsePath } from './paths.ts';
import type { MetricOf } from './reading-sink.ts';
import { type Condition, compileConditions, compileSources, fieldAt, withCaptured, withLet } from './sources.ts';
import { compileTemplate, NO_CONTEXT } from './templates.ts';
import { type ClockLimits, compileTime, type Moment } from './time-choices.ts';
import { asList, type Context, type Scope, type Source, showToken, type TextOf, type Token, tokenOf } from './tokens.ts';
import { compileValue, type Value } from './values.ts';

/** Takes what a metric's readers find. */
export interface MetricSink {
    /** The message's own time; undefined where it has none, which has been told. */
    moment(): Moment | undefined;
    number(of: MetricOf, moment: Moment, whole: number, billionths: number): void;
    value(of: MetricOf, moment: Moment, value: Exclude<Value, { problem: unknown }>): void;
    problem(problem: Problem): void;
}

/** A metric at one place of the payload. */
export interface MetricReader {
    /** Number of the metric in the profile. */
    index: number;
    /** The field of a pattern, which one metric only may take. */
    field: Field | undefined;
    read(context: Context, sink: MetricSink): void;
    /** Tells what an empty payload means for it; false where nothing says that the message is about it. */
    tellEmpty(context: Context, sink: MetricSink, why: string): boolean;
}

const MAX_NAME_CHARACTERS = 128;

/** Makes readers of a metric: at once, or for each field that turns out to fit its pattern. */
export function openMetric(
    words: MetricWords,
    options: { index: number; scope: Scope; limits: ClockLimits },
    onReader: (reader: MetricReader) => void,
): void {
    const path = words.path === undefined ? undefined : parsePath(words.path);
    if (path === undefined || path.every((segment) => segment.literal !== undefined)) {
        onReader(compileMetric(words, options, undefined));
        return;
    }
    nameAhead(words, options.scope);
    const shared = compileShared(words, options.scope);
    options.scope.inner.tree.want(path, (field, captured) => {
        onReader(compileMetric(words, { ...options, shared, scope: withCaptured(options.scope, captured) }, field));
    });
}

/** Names the paths in the words of a metric whose own path is a pattern: what they read is known also in messages in which nothing fits that. */
function nameAhead({ path: _, ...words }: MetricWords, { outer, inner }: Scope): void {
    forEachPath(words, (place, isOuter) => {
        const { tree } = isOuter ? outer : inner;
        const segments = parsePath(place);
        if (segments.every(({ literal }) => literal !== undefined)) {
            tree.at(segments.map(({ literal }) => literal ?? ''));
        } else {
            tree.want(segments, () => undefined);
        }
    });
}

/** Words whose members are the device's own texts. */
const OWN_TEXTS = new Set(['map', 'words', 'units']);

function forEachPath(words: unknown, call: (path: PathWord, isOuter: boolean) => void): void {
    if (typeof words !== 'object' || words === null) {
        return;
    }
    for (const [word, value] of Object.entries(words)) {
        if ((word === 'path' || word === 'show') && !Array.isArray(words)) {
            call(value, 'outer' in words && words.outer === true);
        } else if (!OWN_TEXTS.has(word)) {
            forEachPath(value, call);
        }
    }
}

/** The names that a metric's own words give: captured by its path, or by its `let`. */
export function namesOf(words: MetricWords): string[] {
    return [...(words.path === undefined ? [] : capturesOf(parsePath(words.path))), ...Object.keys(words.let ?? {})];
}

/** What a metric has once, however many keys fit its pattern. */
interface SharedByKeys {
    /** The way to the value; undefined where a message says something of it, which may stand elsewhere for every key. */
    value: ReturnType<typeof compileValue> | undefined;
    fast: FastNumber | undefined;
}

function compileShared(words: MetricWords, scope: Scope): SharedByKeys {
    const { scale, offset, scalePower, unitFrom, from } = words;
    const isSaid = scalePower !== undefined || unitFrom !== undefined || [scale, offset].some((word) => typeof word === 'object');
    return {
        value: isSaid ? undefined : compileValue(words, scope),
        fast: from === undefined ? FastNumber.of(words) : undefined,
    };
}

interface CompileOptions {
    index: number;
    scope: Scope;
    limits: ClockLimits;
    shared?: SharedByKeys;
}

/** The metric's name where all that is in it is captured already. */
function nameNow(words: MetricWords, { captured }: Scope, name: TextOf): string | undefined {
    return namesIn(words.name).every((used) => captured.has(used)) ? name(NO_CONTEXT) : undefined;
}

function compileUnless({ unless }: MetricWords, scope: Scope): { why: string; condition: Condition }[] {
    return unless === undefined ? [] : asList(unless).map((reason) => ({ why: reason.why, condition: compileConditions(reason, scope) }));
}

/** Compiles it for one key. No function within it may name the scope: the reader would hold all that is known in it. */
function compileMetric(
    words: MetricWords,
    { index, scope: outer, limits, shared = compileShared(words, outer) }: CompileOptions,
    field: Field | undefined,
): MetricReader {
    const scope = withLet(outer, words.let);
    const name = compileTemplate(words.name, scope);
    const source = field === undefined ? compileMetricSource(words, scope) : fieldSource(field, scope);
    const value = shared.value ?? compileValue(words, scope);
    const only = words.only === undefined ? undefined : compileConditions(words.only, scope);
    const unless = compileUnless(words, scope);
    const time = words.time === undefined ? undefined : compileTime(words.time, limits, scope);
    const historical = words.historical === undefined ? undefined : compileConditions(words.historical, scope);
    const show = words.show === undefined ? undefined : compileShow(words, scope);
    const absent = compileAbsent(words);
    const { notReading, unit } = words;
    const { fast } = shared;
    const place = fast === undefined ? undefined : (field ?? fieldAt(words.path ?? '', false, scope));
    const { scanner } = scope.inner;
    const fixedName = nameNow(words, scope, name);
    const isFixed = fixedName !== undefined && isName(fixedName);
    const { kind = 'number', digits } = words;
    const of: MetricOf = { metric: fixedName ?? '', unit, kind, digits, isHistorical: false };

    /** Reads a plain number of a metric that asks for nothing else; false where the long way has to be gone. */
    const readFast = (context: Context, sink: MetricSink): boolean => {
        if (place === undefined || fast === undefined || place.type !== NUMBER || place.scan !== scanner.scan || !context.hasPayload) {
            return false;
        }
        const moment = fast.read(place) ? sink.moment() : undefined;
        if (moment === undefined) {
            return false;
        }
        sink.number(of, moment, fast.whole, fast.billionths);
        return true;
    };
    const isPlain =
        isFixed &&
        fast !== undefined &&
        only === undefined &&
        unless.length === 0 &&
        time === undefined &&
        historical === undefined &&
        notReading === undefined;

    const tell = (
        context: Context,
        sink: MetricSink,
        metric: string,
        problem: Pick<Problem, 'reason' | 'why'>,
        moment: Moment | undefined,
    ) => {
        const note = show?.(context);
        const atMs = moment?.clock === 'device' ? moment.atMs : undefined;
        sink.problem({ metric, reason: problem.reason, why: note === undefined ? problem.why : `${problem.why}, ${note}`, atMs });
    };
    const momentOf = (context: Context, sink: MetricSink): Moment | undefined => {
        const own = time?.(context);
        if (own === undefined) {
            return sink.moment();
        }
        if ('reason' in own) {
            sink.problem({ metric: name(context), ...own });
            return undefined;
        }
        return own;
    };

    return {
        index,
        field,
        read: (context, sink) => {
            if (isPlain && readFast(context, sink)) {
                return;
            }
            if (only !== undefined && !only.holds(context)) {
                return;
            }
            let token = source(context);
            if (token === undefined) {
                if (absent === undefined) {
                    return;
                }
                token = absent;
            }
            const metric = name(context);
            if (metric === undefined || !isName(metric)) {
                sink.problem({
                    reason: 'bad_name',
                    why: `"${words.name}" makes ${metric === undefined ? 'no name, because what it uses is absent' : `the name ${JSON.stringify(metric.slice(0, 140))}, which is empty, too long, or holds control characters`}`,
                });
                return;
            }
            const moment = momentOf(context, sink);
            const reason = unless.find(({ condition }) => condition.holds(context));
            if (reason !== undefined) {
                tell(context, sink, metric, { reason: 'no_value', why: withFound(reason.why, reason.condition, context) }, moment);
                return;
            }
            if (notReading !== undefined) {
                tell(context, sink, metric, { reason: 'no_reading', why: `${notReading} (${showToken(token)})` }, moment);
                return;
            }
            if (token === ABSENT_UNKNOWN) {
                tell(context, sink, metric, { reason: 'no_value', why: `no value (absent: ${words.absentMeans ?? 'unknown'})` }, moment);
                return;
            }
            const found = value(token, context);
            if ('problem' in found) {
                tell(context, sink, metric, found.problem, moment);
                return;
            }
            if (moment === undefined) {
                return;
            }
            if (found.units !== undefined && found.doubt !== undefined) {
                tell(context, sink, metric, found.doubt, moment);
            }
            sink.value({ metric, unit: found.unit, kind, digits, isHistorical: historical?.holds(context) === true }, moment, found);
        },
        tellEmpty: (context, sink, why) => {
            const metric = only?.needsNoPayload === true && only.holds(context) ? name(context) : undefined;
            if (metric === undefined) {
                return false;
            }
            sink.problem({ metric, reason: 'no_value', why: `no value (${why})` });
            return true;
        },
    };
}

/** A reason of the profile with what was found: `external power (external.present is true)`. */
export function withFound(why: string, condition: Condition, context: Context): string {
    return `${why} (${condition.found(context)})`;
}

function isName(name: string): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a name goes to tables and terminals.
    return name !== '' && name.length <= MAX_NAME_CHARACTERS && !/[\u0000-\u001f\u007f]/.test(name);
}

function compileMetricSource(words: MetricWords, scope: Scope): Source {
    return compileSources(words.from ?? { path: words.path ?? '' }, scope);
}

function fieldSource(field: Field, { inner: { scanner } }: Scope): Source {
    return (context) => (context.hasPayload && field.scan === scanner.scan ? tokenOf(field) : undefined);
}

const ABSENT_UNKNOWN: Token = { type: NULL, text: 'absent' };

function compileAbsent({ absent, absentMeans }: MetricWords): Token | undefined {
    if (absent === undefined) {
        return absentMeans === undefined ? undefined : ABSENT_UNKNOWN;
    }
    return { type: typeof absent === 'string' ? TEXT : NUMBER, text: typeof absent === 'boolean' ? (absent ? '1' : '0') : String(absent) };
}

/** What is shown behind a reason: `errors: ["read"]`. */
function compileShow({ show }: MetricWords, scope: Scope): TextOf {
    const field = fieldAt(show ?? '', false, scope);
    const label = field.keys.at(-1) ?? '';
    return (context) =>
        context.hasPayload && field.scan === scope.inner.scanner.scan ? `${label}: ${tokenOf(field).text.slice(0, 100)}` : undefined;
}
