/** Reads messages by a profile. What it keeps between messages is only what makes the next one quicker, or the births of Sparkplug. */

import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Message } from '../message.ts';
import type { MessageOutcome, Problem, Reading } from '../reading.ts';
import { type Decoder, openDecoder } from './decoders/decoders.ts';
import type { NotReadingWords, ProfileDocument } from './document.ts';
import { forEachElement } from './elements.ts';
import { ARRAY, type Field, FieldTree, MAX_FIELDS } from './fields.ts';
import { JsonScanner, UnreadableError } from './json-scanner.ts';
import { type MetricReader, type MetricSink, openMetric, withFound } from './metrics.ts';
import { capturesOf, parsePath, parseTopicPattern } from './paths.ts';
import { type Condition, compileConditions, compileSource, compileSources, fieldAt, withLet } from './sources.ts';
import { clockLimits, compileTime, type Moment, type NoMoment } from './time-choices.ts';
import { type Context, type Scope, type Source, type TextOf, tokenOf } from './tokens.ts';

/** Reads the messages of one source, in their order. */
export interface MessageReader {
    read(message: Message): MessageOutcome;
}

/** The bytes of a payload may be this many: what is larger is no message of a device. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** A reader, which builds its tree of fields anew when messages have filled it with keys of their own. */
export function openReader(document: ProfileDocument): MessageReader {
    const decoder = openDecoder(document);
    let program = compileProgram(document, decoder);
    return {
        read: (message) => {
            if (program.size() > MAX_FIELDS) {
                program = compileProgram(document, decoder);
            }
            return program.read(message);
        },
    };
}

interface NotReading {
    why: string;
    condition: Condition;
    show: Field | undefined;
}

interface Program {
    read(message: Message): MessageOutcome;
    size(): number;
}

/** A message that is no reading as a whole. */
class NoReading {
    readonly problem: Problem;
    constructor(reason: string, why: string) {
        this.problem = { reason, why };
    }
}

/** The profile as functions. */
function compileProgram(document: ProfileDocument, decoder: Decoder): Program {
    const outerTree = new FieldTree();
    const outer = { tree: outerTree, scanner: new JsonScanner(outerTree) };
    const each = document.each === undefined ? (decoder.givesRecords ? '[]' : undefined) : document.each;
    const innerTree = each === undefined ? outerTree : new FieldTree();
    const inner = each === undefined ? outer : { tree: innerTree, scanner: new JsonScanner(innerTree) };

    const topics = document.topics?.map(parseTopicPattern);
    const eachPath = each === undefined ? undefined : parsePath(each);
    const names = new Map<string, TextOf>();
    for (const name of topics?.flatMap((pattern) => pattern.captures) ?? []) {
        names.set(name, (context) => context.topic[name]);
    }
    for (const name of eachPath === undefined ? [] : capturesOf(eachPath)) {
        names.set(name, (context) => context.each.get(name));
    }
    for (const { path, as } of document.unpack ?? []) {
        for (const { tree } of new Set([outer, inner])) {
            tree.at(parsePath(path).map((segment) => segment.literal ?? '')).unpack = as;
        }
    }
    const scope = withLet({ outer, inner, names, lets: new Set(), captured: new Map() }, document.let);
    const limits = clockLimits(document);
    const device = compileSources(document.device, scope);
    const time = compileTime(document.time, limits, scope);
    const identity = document.identity?.map((words) => compileSource(words, scope));
    const notReadings = (document.notReadings ?? []).map((words) => compileNotReading(words, scope));
    const early = notReadings.filter(({ condition }) => condition.needsNoPayload);
    const late = notReadings.filter(({ condition }) => !condition.needsNoPayload);

    const fixed: MetricReader[] = [];
    const found: MetricReader[] = [];
    for (const [index, words] of document.metrics.entries()) {
        openMetric(words, { index, scope, limits }, (reader) => {
            const { field } = reader;
            if (field === undefined) {
                fixed.push(reader);
                return;
            }
            // The first metric of the profile whose pattern fits is asked first.
            const at = field.instances.findIndex((other) => (found[other]?.index ?? 0) > index);
            field.instances.splice(at < 0 ? field.instances.length : at, 0, found.length);
            found.push(reader);
        });
    }
    for (const path of document.ignore ?? []) {
        outerTree.ignore(parsePath(path));
        if (innerTree !== outerTree) {
            innerTree.ignore(parsePath(path));
        }
    }
    const record = decoder.givesRecords ? innerTree.at(['name']) : undefined;
    const elements = eachPath === undefined ? undefined : wantElements(outerTree, eachPath);
    outerTree.isCompiling = false;
    innerTree.isCompiling = false;

    /** Reads what stands in the inner scanner: one message. */
    const readOne = (context: Context, element: ElementSink) => {
        const { message } = context;
        const found_ = findDevice(device, context);
        if (found_ instanceof NoReading) {
            element.fail(found_.problem);
            return;
        }
        element.device = found_;
        const reason = late.find(({ condition }) => condition.holds(context));
        if (reason !== undefined) {
            element.fail({ reason: 'no_reading', why: tellReason(reason, context, inner.scanner) }, true);
            return;
        }
        if (message.isRetained === true && document.retained !== 'read') {
            element.fail(
                { reason: 'no_reading', why: 'not a reading: the broker sent the last message again to a new subscription (retained)' },
                true,
            );
            return;
        }
        addAll(element.unknown, inner.scanner.unknown);
        for (const metric of fixed) {
            metric.read(context, element);
        }
        const { scanner } = inner;
        for (const number of scanner.instances) {
            const metric = found[number];
            const field = metric?.field;
            if (metric === undefined || field === undefined || field.taken === scanner.scan || field.isExact || field.isIgnored) {
                continue;
            }
            const before = element.count;
            metric.read(context, element);
            if (element.count > before) {
                field.taken = scanner.scan;
            }
        }
        if (element.count > 0) {
            return;
        }
        if (record === undefined) {
            element.fail({ reason: 'no_reading', why: 'nothing in it is named by the profile' });
        } else {
            // A record whose name no metric has is an unknown field, as an unknown key is one.
            element.unknown.add(record.scan === scanner.scan ? tokenOf(record).text : 'a record without a name');
        }
    };

    return {
        size: () => Math.max(outerTree.size, innerTree.size),
        read: (message) => {
            const readings: Reading[] = [];
            const problems: Problem[] = [];
            const unknown = new Set<string>();
            const context: Context = { message, topic: {}, each: NOTHING_CAPTURED, hasPayload: false };
            const open = (bytes: Uint8Array, number: number | undefined) =>
                new ElementSink({ message, context, time, identity, bytes, readings, problems, unknown, number });
            const whole = open(message.payload, undefined);

            const reason = tellEarly(context, topics, early);
            if (reason !== undefined) {
                whole.tellAs(device, context);
                whole.fail(reason);
                return { readings, problems, unknownFields: [] };
            }
            if (message.payload.length === 0) {
                whole.tellAs(device, context);
                const why = `empty payload${document.emptyMeans === undefined ? '' : `: ${document.emptyMeans}`}`;
                let isTold = false;
                for (const metric of fixed) {
                    isTold = metric.tellEmpty(context, whole, why) || isTold;
                }
                if (!isTold) {
                    whole.fail({ reason: 'no_value', why: `no value (${why})` });
                }
                return { readings, problems, unknownFields: [] };
            }
            try {
                if (message.payload.length > MAX_PAYLOAD_BYTES) {
                    throw new UnreadableError(`it has ${message.payload.length} bytes, and no more than ${MAX_PAYLOAD_BYTES} are read`);
                }
                const decoded = decoder.decode(message);
                if ('problem' in decoded) {
                    whole.tellAs(device, context);
                    whole.fail(decoded.problem);
                    return { readings, problems, unknownFields: [] };
                }
                if (decoded.problems !== undefined && decoded.problems.length > 0) {
                    whole.tellAs(device, context);
                    for (const problem of decoded.problems) {
                        whole.problem(problem);
                    }
                }
                const { bytes, isOwn } = decoded;
                if (!isUtf8(bytes)) {
                    throw new UnreadableError('it is no UTF-8 text');
                }
                outer.scanner.read(bytes, 0, bytes.length);
                context.hasPayload = true;
                if (elements === undefined) {
                    readOne(context, whole);
                } else {
                    addAll(unknown, outer.scanner.unknown);
                    let number = 0;
                    elements.visit(outer.scanner, (data, start, end, captured) => {
                        context.each = captured;
                        const element = open(isOwn ? data.subarray(start, end) : message.payload, number++);
                        try {
                            inner.scanner.read(data, start, end);
                            readOne(context, element);
                        } catch (error) {
                            element.fail(unreadable(error));
                        }
                    });
                    if (number === 0 && problems.length === 0) {
                        whole.tellAs(device, context);
                        whole.fail({
                            reason: 'no_reading',
                            why: 'it holds no messages: the list is empty, or does not stand where "each" says',
                        });
                    }
                }
            } catch (error) {
                context.hasPayload = false;
                whole.tellAs(device, context);
                whole.fail(unreadable(error));
            }
            return { readings, problems, unknownFields: [...unknown] };
        },
    };
}

const NOTHING_CAPTURED: ReadonlyMap<string, string> = new Map();

function addAll(set: Set<string>, texts: readonly string[]): void {
    for (const text of texts) {
        set.add(text);
    }
}

function unreadable(error: unknown): Problem {
    if (error instanceof UnreadableError) {
        return { reason: 'unreadable', why: `the payload cannot be read: ${error.message}` };
    }
    throw error;
}

function compileNotReading(words: NotReadingWords, scope: Scope): NotReading {
    return {
        why: words.why,
        condition: compileConditions(words.when ?? words, scope),
        show: words.show === undefined ? undefined : fieldAt(words.show, false, scope),
    };
}

function tellReason({ why, condition, show }: NotReading, context: Context, scanner: JsonScanner): string {
    const told = `not a reading: ${withFound(why, condition, context)}`;
    return show === undefined || show.scan !== scanner.scan || !context.hasPayload
        ? told
        : `${told}, ${show.keys.at(-1)}: ${tokenOf(show).text.slice(0, 100)}`;
}

/** Why a message is none before its payload is looked at. Notes what the topic's pattern captures. */
function tellEarly(
    context: Context,
    topics: ReturnType<typeof parseTopicPattern>[] | undefined,
    early: readonly NotReading[],
): Problem | undefined {
    const { topic } = context.message;
    let isKnown = topics === undefined || topic === undefined;
    for (const pattern of topic === undefined ? [] : (topics ?? [])) {
        const captured = pattern.match(topic ?? '');
        if (captured !== undefined) {
            context.topic = captured;
            isKnown = true;
            break;
        }
    }
    const reason = early.find(({ condition }) => condition.holds(context));
    if (reason !== undefined) {
        return { reason: 'no_reading', why: `not a reading: ${reason.why}` };
    }
    return isKnown ? undefined : { reason: 'no_reading', why: `not a reading: no topic of the profile fits ${topic}` };
}

/** What `each` says: where the messages of a payload stand. */
function wantElements(tree: FieldTree, path: ReturnType<typeof parsePath>) {
    const isList = path.at(-1)?.isEveryElement === true;
    const places: { field: Field; captured: ReadonlyMap<string, string> }[] = [];
    tree.want(isList ? path.slice(0, -1) : path, (field, captured) => {
        field.isElsewhere = true;
        places.push({ field, captured });
    });
    return {
        visit: (
            scanner: JsonScanner,
            call: (bytes: Uint8Array, start: number, end: number, captured: ReadonlyMap<string, string>) => void,
        ) => {
            for (const { field, captured } of places) {
                if (field.scan !== scanner.scan) {
                    continue;
                }
                if (isList && field.type === ARRAY) {
                    forEachElement(field.bytes, field.start, field.end, (start, end) => call(field.bytes, start, end, captured));
                } else {
                    call(field.bytes, field.start, field.end, captured);
                }
            }
        },
    };
}

const MAX_DEVICE_CHARACTERS = 256;

/** The device, by its certificate where there is one: what the payload says must be the same. */
function findDevice(source: Source, context: Context): string | NoReading {
    const { device: certified } = context.message;
    const named = source(context)?.text;
    if (certified !== undefined) {
        return named === undefined || named === certified
            ? certified
            : new NoReading(
                  'device_mismatch',
                  `the message says that it is of ${JSON.stringify(named.slice(0, 100))}, but its certificate or token is that of "${certified}"`,
              );
    }
    if (named === undefined) {
        return new NoReading('no_device', 'it does not say which device it is of: none of the places that "device" names is there');
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: an id goes to tables and terminals.
    if (named === '' || named.length > MAX_DEVICE_CHARACTERS || /[\u0000-\u001f\u007f]/.test(named)) {
        return new NoReading(
            'no_device',
            `${JSON.stringify(named.slice(0, 100))} is no id of a device: it is empty, longer than ${MAX_DEVICE_CHARACTERS} characters, or holds control characters`,
        );
    }
    return named;
}

/** What one message is read with, and where its readings go. */
interface ElementGiven {
    message: Message;
    context: Context;
    time: (context: Context) => Moment | NoMoment | undefined;
    identity: readonly Source[] | undefined;
    /** The bytes whose hash is the identity where the profile names none. */
    bytes: Uint8Array;
    readings: Reading[];
    problems: Problem[];
    unknown: Set<string>;
    /** Number of the element; undefined where the payload is one message. */
    number: number | undefined;
}

/** What becomes of one message: its readings and problems, with device, time and identity that they share. */
class ElementSink implements MetricSink {
    device: string | undefined;
    /** Readings and problems so far. */
    count = 0;
    readonly #given: ElementGiven;
    #moment: Moment | undefined;
    #isTimed = false;
    #identity: string | undefined;

    constructor(given: ElementGiven) {
        this.#given = given;
    }

    get unknown(): Set<string> {
        return this.#given.unknown;
    }

    moment(): Moment | undefined {
        if (!this.#isTimed) {
            this.#isTimed = true;
            const { time, context } = this.#given;
            const moment = time(context);
            if (moment === undefined || 'reason' in moment) {
                this.problem(
                    moment ?? {
                        reason: 'no_time',
                        why: 'it does not say when it was measured: none of the places that "time" names is there',
                    },
                );
            } else {
                this.#moment = moment;
            }
        }
        return this.#moment;
    }

    value(metric: string, value: Parameters<MetricSink['value']>[1], { atMs, clock }: Moment, isHistorical: boolean): void {
        this.count++;
        const { message, readings } = this.#given;
        readings.push({
            device: this.device ?? '',
            metric,
            atMs,
            receivedMs: message.arrivedMs ?? atMs,
            units: value.units,
            text: value.text,
            message: this.#identityOf(),
            clock,
            unit: value.unit,
            ...(isHistorical ? { isHistorical } : {}),
        });
    }

    problem(problem: Problem): void {
        this.count++;
        this.#given.problems.push({ ...problem, device: this.device, element: this.#given.number });
    }

    /** The whole message is no reading. `isTimed`: its time is told where the device says one. */
    fail(problem: Problem, isTimed = false): void {
        const { time, context } = this.#given;
        const moment = isTimed ? time(context) : undefined;
        this.problem(moment !== undefined && 'atMs' in moment && moment.clock === 'device' ? { ...problem, atMs: moment.atMs } : problem);
    }

    /** Notes the device as far as it can be told, for a message that is none. */
    tellAs(source: Source, context: Context): void {
        const device = findDevice(source, context);
        this.device = device instanceof NoReading ? context.message.device : device;
    }

    #identityOf(): string {
        this.#identity ??= identityOf(this.#given.identity, this.#given.context) ?? hash('sha256', this.#given.bytes, 'hex').slice(0, 16);
        return this.#identity;
    }
}

const MAX_IDENTITY_CHARACTERS = 128;

/** The parts of an identity, joined so that no two lists of parts give one text; undefined where a part is absent. */
function identityOf(parts: readonly Source[] | undefined, context: Context): string | undefined {
    if (parts === undefined) {
        return undefined;
    }
    const texts: string[] = [];
    for (const part of parts) {
        const token = part(context);
        if (token === undefined) {
            return undefined;
        }
        texts.push(token.text.replace(/[%:]/g, encodeURIComponent));
    }
    const text = texts.join(':');
    return text.length <= MAX_IDENTITY_CHARACTERS ? text : hash('sha256', text, 'hex').slice(0, 32);
}
