/** A small message that a profile reads: for whoever wants to see that a device's way works before the device has anything to say. */
import type { MetricWords, PathWord, ProfileDocument, SourceWords, TimeChoice } from './document.ts';
import { parseProfile } from './profile.ts';
import { asList } from './tokens.ts';

export interface ExampleOptions {
    device: string;
    /** Topics under which it may be sent; the first that the profile reads is taken. */
    topics: readonly string[];
    now: Date;
}

export interface ExampleMessage {
    topic: string;
    payload: string;
}

/** What stands in a key or metric that the profile leaves open. */
const OPEN_NAME = 'temperature';
const OPEN_NUMBER = 21.3;

/**
 * The smallest message of one metric that comes to a reading by the profile; undefined where none of the plain forms does: then a person has to say one.
 * @throws UsageError for a document that is no profile
 */
export function exampleMessage(document: unknown, { device, topics, now }: ExampleOptions): ExampleMessage | undefined {
    const profile = parseProfile(document);
    const { decoder = 'json', metrics } = profile.document;
    const payloads = decoder === 'json' ? metrics.flatMap((metric) => payloadsOf(metric, { document: profile.document, device, now })) : [];
    for (const topic of topics) {
        for (const payload of decoder === 'text' ? metrics.flatMap(valuesOf).map(String) : payloads) {
            const message = { payload: Buffer.from(payload), topic, device, arrivedMs: now.getTime() };
            const { readings, problems } = profile.open().read(message);
            if (readings.length > 0 && problems.length === 0) {
                return { topic, payload };
            }
        }
    }
    return undefined;
}

/** Objects with the metric: by itself, with a time, with the device, with both. */
function payloadsOf(metric: MetricWords, { document, device, now }: { document: ProfileDocument; device: string; now: Date }): string[] {
    const path = metric.path === undefined ? undefined : keysOf(metric.path);
    if (path === undefined) {
        return [];
    }
    const times = asList(document.time).flatMap((choice) => timeOf(choice, now));
    const devices = asList(document.device).flatMap(({ path: place }: SourceWords) =>
        place === undefined ? [] : [{ path: keysOf(place), value: device }],
    );
    return valuesOf(metric).flatMap((value) => {
        const own = { path, value };
        const some = [[own], ...times.map((time) => [time, own]), ...devices.map((one) => [one, own])];
        const all = devices.flatMap((one) => times.map((time) => [one, time, own]));
        return [...some, ...all].map((places) => JSON.stringify(objectOf(places)));
    });
}

function valuesOf({ kind = 'number', digits, min, max, words = {} }: MetricWords): (string | number | boolean)[] {
    const word = Object.keys(words).slice(0, 1);
    if (kind === 'number') {
        const [least, most] = [min === undefined ? -Infinity : Number(min), max === undefined ? Infinity : Number(max)];
        const inside = Math.min(most, Math.max(least, OPEN_NUMBER));
        return [digits === 0 ? Math.round(inside) : inside, ...word];
    }
    return kind === 'text' ? [...word, 'on'] : [...word, true];
}

function timeOf(choice: TimeChoice, now: Date): { path: readonly string[]; value: string | number }[] {
    if (choice === 'arrival' || choice.path === undefined || choice.format !== undefined) {
        return [];
    }
    const ms = now.getTime();
    const values = { s: Math.floor(ms / 1_000), ms, us: `${ms}000`, ns: `${ms}000000`, ISO: now.toISOString() };
    return [{ path: keysOf(choice.path), value: values[choice.unit ?? 'ISO'] }];
}

function keysOf(path: PathWord): readonly string[] {
    const keys = typeof path === 'string' ? path.split('.') : path;
    return keys.map((key) => key.replace(/\{[^}]*\}/g, OPEN_NAME));
}

function objectOf(places: readonly { path: readonly string[]; value: unknown }[]): object {
    const root = empty();
    for (const { path, value } of places) {
        let at = root;
        for (const key of path.slice(0, -1)) {
            const found = at[key];
            const next = typeof found === 'object' && found !== null ? Object.assign(empty(), found) : empty();
            at[key] = next;
            at = next;
        }
        at[path.at(-1) ?? ''] = value;
    }
    return root;
}

/** An object that answers to no name by itself: a path may go through `constructor`. */
function empty(): Record<string, unknown> {
    return Object.create(null);
}
