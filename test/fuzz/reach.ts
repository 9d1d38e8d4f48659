/** What the fuzzer has reached: a fuzzer that reaches nothing proves nothing. */
import type { SchemaElement } from 'hyparquet';
import { REJECT_REASONS } from '#lake/flows/rejects';
import type { Outcome } from './compare.ts';
import type { FuzzInput } from './input.ts';

/** How many inputs came to each place, by its name. */
export type Reached = Record<string, number>;

/** What of the messages tells one kind of unusable file from another. */
const UNUSABLE: Record<string, RegExp> = {
    'nothing in it': /the file is empty/,
    'binary data': /found binary data/,
    'a PDF': /a PDF document/,
    'UTF-16': /UTF-16/,
    'another Zeek log': /^Zeek .* log$/,
    'a Zeek log without #fields': /without a #fields line/,
    'a Zeek separator that is none': /looked for a separator/,
    'a later #fields line that is none': /a later #fields line/,
    'damaged gzip': /^gzip data is damaged or ends too early/,
    'gzip and something behind it': /^gzip data is damaged: something else/,
    'damaged zstd': /^zstd data/,
    'no usable header': /^no usable header: looked for (?!a )/,
    'a header of another tool': /is the header of another tool/,
    'rows that disagree on the unit': /disagree on the unit/,
    'rows against the unit that was given': /was given, and line/,
    'aggregated records': /aggregated records/,
    'clocks without a date': /clocks without a date/,
    'JSON of no tool that is known': /^JSON with the keys/,
    'JSON without an object': /no JSON object was found/,
    'JSON without a flow': /^(?:a JSON log of Zeek other than conn|Suricata events, none|goflow2's JSON of sFlow|nfdump's JSON, none)/,
    'a JSON array that does not end': /a JSON array that does not end/,
    "pmacct's JSON": /^pmacct's JSON/,
    "nfdump's JSON without addresses": /^nfdump's JSON without addresses/,
    "goflow2's JSON without times": /^goflow2's JSON without times/,
    'Parquet that is damaged': /^Parquet data is damaged/,
    'Parquet that was packed once more': /^a Parquet file that was packed/,
    'Parquet without the columns of flows': /^a Parquet file without the columns/,
    'Parquet with a nested column': /^column .* is nested/,
    'Parquet with a column of another type': /^column .* is of type|are of two types$/,
    'Parquet in a codec that is not read': /^column .* is compressed with/,
};

/** All that must be reached. */
export const TO_REACH: readonly string[] = [
    ...REJECT_REASONS.map((reason) => `reject: ${reason}`),
    ...['cicflowmeter', 'python-cicflowmeter', 'zeek', 'nfdump', 'nfstream', 'argus', 'aws-vpc'].map((dialect) => `dialect: ${dialect}`),
    ...['cidds', 'ntlflowlyzer', 'ndpi', 'ton-iot', 'unsw-nb15', 'nprobe', 'silk'].map((dialect) => `dialect: ${dialect}`),
    ...['zeek-json', 'suricata', 'goflow2', 'nfdump-json'].map((dialect) => `dialect: ${dialect}`),
    ...['witnessed', 'named', 'assumed', 'given'].map((by) => `unit ${by}`),
    ...['blank_row', 'other_log', 'other_event', 'no_data', 'skip_data', 'not_ip'].map((reason) => `skipped: ${reason}`),
    ...['dmy', 'mdy', 'ymd', 'epoch', 'assumed', 'null'].map((order) => `dates: ${order}`),
    ...['s', 'ms', 'us', 'ns', 'null'].map((unit) => `durations in ${unit}`),
    ...['dateOrder', 'durationUnit'].map((option) => `given: ${option}`),
    ...['text', 'number', 'instant'].map((type) => `Parquet: when a flow began is stored as ${type}`),
    ...['nothing rejected', 'repeated headers', 'figures of several flows', 'packed as gzip', 'packed as zstd'],
    ...Object.keys(UNUSABLE).map((kind) => `unusable: ${kind}`),
];

/** Adds to `reached` what this input came to. */
export function addReached(reached: Reached, { bytes, options, table }: FuzzInput, { reading, error }: Outcome): void {
    const note = (name: string): void => {
        reached[name] = (reached[name] ?? 0) + 1;
    };
    for (const option of Object.keys(options)) {
        note(`given: ${option}`);
    }
    const magic = bytes.toString('hex', 0, 4);
    if (error !== undefined || reading === 'unusable') {
        const kind = Object.entries(UNUSABLE).find(([, pattern]) => pattern.test(error ?? ''))?.[0];
        note(`unusable: ${kind ?? 'of another kind'}`);
        return;
    }
    note(`dialect: ${reading.dialect}`);
    if (table) {
        const began = table.columns.find(({ path }) => DATE_NAMES.test(path.join('.')))?.element ?? {};
        note(`Parquet: when a flow began is stored as ${storedAs(began)}`);
    }
    note(`dates: ${reading.dateOrder}`);
    note(`durations in ${reading.durationUnit}`);
    note(`unit ${reading.durationUnitBy}`);
    for (const reason of new Set(reading.rejects.map(({ reason }) => reason))) {
        note(`reject: ${reason}`);
    }
    if (reading.rejects.length === 0 && reading.rowsRead > 0) {
        note('nothing rejected');
    }
    for (const reason of reading.skipped.keys()) {
        note(`skipped: ${reason}`);
    }
    if (reading.repeatedHeaders > 0) {
        note('repeated headers');
    }
    if ([...reading.totals.values()].some(([flows]) => flows! > 1n)) {
        note('figures of several flows');
    }
    if ([...reading.totals.values()].some(([flows, timed]) => timed! > 0n && timed! < flows!)) {
        note('flows of which some have a duration');
    }
    if ([...reading.totals.values()].some(([, timed]) => timed === 0n)) {
        note('flows without any duration');
    }
    if (magic.startsWith('1f8b')) {
        note('packed as gzip');
    }
    if (magic === '28b52ffd') {
        note('packed as zstd');
    }
}

/** Names of columns that tell when a flow began. */
const DATE_NAMES =
    /^(?:timestamp|date|ts|date first seen|firstseen|bidirectional_first_seen_ms|starttime|stime|start|first_seen|flow_start_milliseconds)$/i;

function storedAs({ type, converted_type: converted, logical_type: logical }: Partial<SchemaElement>): string {
    const isInstant = type === 'INT96' || /^(?:TIMESTAMP|DATE)/.test(logical?.type ?? converted ?? '');
    return isInstant ? 'instant' : type === 'BYTE_ARRAY' && converted !== 'DECIMAL' ? 'text' : 'number';
}

/** The counts of several runs as one. */
export function mergeReached(all: readonly Reached[]): Reached {
    const merged: Reached = {};
    for (const reached of all) {
        for (const [name, count] of Object.entries(reached)) {
            merged[name] = (merged[name] ?? 0) + count;
        }
    }
    return merged;
}
