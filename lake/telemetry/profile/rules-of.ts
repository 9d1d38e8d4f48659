/** What a profile says about hours, gaps and alerts, as those who derive need it. */
import { UsageError } from '#lake/errors';
import { formatUnits } from '#lake/rows';
import type { AlertRule, DerivingRules } from '../rules.ts';
import { roundTo } from './decimal.ts';
import type { AlertWords, MetricWords, Num, ProfileDocument } from './document.ts';
import { parseSpan } from './times.ts';
import { numberOf } from './tokens.ts';

/** A gap where the profile says none. */
const DEFAULT_GAP_LIMIT = '1h';
const COLUMN_DIGITS = 9;

/** What is known of a metric's name. */
export interface MetricFacts {
    kind: 'number' | 'text' | 'yes/no';
    unit: string | undefined;
    /** Digits behind the point; undefined where no hourly figures are kept. */
    digits: number | undefined;
}

export function rulesOf(document: ProfileDocument): DerivingRules & { factsOf(metric: string): MetricFacts | undefined } {
    const factsOf = openFacts(document.metrics);
    return {
        factsOf,
        digitsOf: (metric) => factsOf(metric)?.digits,
        gapLimitMs: spanOf(document.gapLimit ?? DEFAULT_GAP_LIMIT),
        dueEveryMs: document.dueEvery === undefined ? undefined : spanOf(document.dueEvery),
        graceMs: spanOf(document.grace ?? '0s'),
        alerts: (document.alerts ?? []).map(ruleOf),
    };
}

function spanOf(text: string): number {
    return parseSpan(text) ?? 0;
}

/** Names that messages make are remembered, up to this many. */
const MAX_NAMES = 10_000;

/** Facts of a metric by its name. Where several metrics of the profile may have it, it has the most digits of them. */
function openFacts(metrics: readonly MetricWords[]): (metric: string) => MetricFacts | undefined {
    const patterns = metrics
        .filter(({ notReading }) => notReading === undefined)
        .map((words) => ({ words, expression: expressionOf(words.name) }));
    const known = new Map<string, MetricFacts | undefined>();
    return (metric) => {
        if (known.has(metric)) {
            return known.get(metric);
        }
        const fitting = patterns.filter(({ expression }) => expression.test(metric)).map(({ words }) => words);
        const exact = fitting.filter(({ name }) => name === metric);
        const facts = factsOfAll(exact.length > 0 ? exact : fitting);
        if (known.size < MAX_NAMES) {
            known.set(metric, facts);
        }
        return facts;
    };
}

/** The names that a name with braces can become. */
function expressionOf(name: string): RegExp {
    const source = name.split(/\{[^}]*\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
    return new RegExp(`^${source.join('.*')}$`, 's');
}

function factsOfAll(metrics: readonly MetricWords[]): MetricFacts | undefined {
    const first = metrics.find(({ kind }) => kind !== 'text') ?? metrics[0];
    if (first === undefined) {
        return undefined;
    }
    const numbers = metrics.filter(({ kind }) => kind !== 'text');
    const hasStatistics = numbers.length > 0 && numbers.every(({ statistics }) => statistics !== false);
    return {
        kind: first.kind ?? 'number',
        unit: first.unit,
        digits: hasStatistics ? Math.max(...numbers.map(({ digits }) => digits ?? 0)) : undefined,
    };
}

function unitsOf(number: Num): bigint {
    return roundTo(numberOf(number), COLUMN_DIGITS);
}

function ruleOf(words: AlertWords): AlertRule {
    const { rule, severity, message, metric = '', above, below, missingFor, silentFor, outside } = words;
    const common = { rule, severity, message };
    const holdForMs = spanOf(words.holdFor ?? '0s');
    const threshold = above ?? below;
    if (threshold !== undefined) {
        const [raise, clear] = [unitsOf(threshold.raise), unitsOf(threshold.clear)];
        if (above === undefined ? clear < raise : clear > raise) {
            throw new UsageError(
                `alert "${rule}" is raised ${above === undefined ? 'at or below' : 'at or above'} ${formatUnits(raise, 9)} and cleared at ${formatUnits(clear, 9)}, which is beyond it: put "clear" on the other side of "raise"`,
            );
        }
        return { ...common, is: 'threshold', metric, side: above === undefined ? 'below' : 'above', raise, clear, holdForMs };
    }
    if (outside !== undefined) {
        const { radiusM, backM, latitudeMetric = 'latitude', longitudeMetric = 'longitude' } = outside;
        if (backM > radiusM) {
            throw new UsageError(
                `alert "${rule}": backM is ${backM}, more than radiusM, ${radiusM}: a device would be outside and back at once`,
            );
        }
        return {
            ...common,
            is: 'fence',
            latitude: latitudeMetric,
            longitude: longitudeMetric,
            latitudeUnits: unitsOf(outside.latitude),
            longitudeUnits: unitsOf(outside.longitude),
            radiusM,
            backM,
            holdForMs,
        };
    }
    return missingFor === undefined
        ? { ...common, is: 'silent', afterMs: spanOf(silentFor ?? '') }
        : { ...common, is: 'missing', metric, afterMs: spanOf(missingFor) };
}
