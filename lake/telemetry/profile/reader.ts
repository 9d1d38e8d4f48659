/** Reads messages by a profile. What it keeps between messages is only what makes the next one quicker, or the births of Sparkplug. */

import { isUtf8 } from 'node:buffer';
import type { Message } from '../message.ts';
import { ownOf } from '../own-properties.ts';
import type { MessageOutcome, Problem } from '../reading.ts';
import { type Decoder, openDecoder } from './decoders/decoders.ts';
import type { NotReadingWords, ProfileDocument } from './document.ts';
import { forEachElement } from './elements.ts';
import { ARRAY, ESCAPED_TEXT, type Field, FieldTree, MAX_FIELDS, readElsewhere, TEXT } from './fields.ts';
import { JsonScanner, UnreadableError } from './json-scanner.ts';
import { type MetricReader, openMetric, withFound } from './metrics.ts';
import { type MessageSources, OneMessage } from './one-message.ts';
import { capturesOf, parsePath, parseTopicPattern } from './paths.ts';
import { OutcomeSink, type ReadingSink } from './reading-sink.ts';
import { type Condition, compileConditions, compileSource, compileSources, fieldAt, withLet } from './sources.ts';
import { clockLimits, compileTime } from './time-choices.ts';
import { asList, type Context, type Scope, type TextOf, tokenOf } from './tokens.ts';
import { compileScan } from './unpack.ts';

/** Reads the messages of one source, in their order. */
export interface MessageReader {
    read(message: Message): MessageOutcome;
    /** Reads a message into a sink, without an object for each reading. */
    readInto(message: Message, sink: ReadingSink): void;
}

/** The bytes of a payload may be this many: what is larger is no message of a device. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
/** Payloads that are no JSON become JSON first, which takes some times their size. */
const MAX_DECODED_BYTES = 1024 * 1024;

/** A reader, which builds its tree of fields anew when messages have filled it with keys of their own. */
export function openReader(document: ProfileDocument): MessageReader {
    const decoder = openDecoder(document);
    let program = compileProgram(document, decoder);
    const readInto = (message: Message, sink: ReadingSink) => {
        if (program.size() > MAX_FIELDS) {
            program = compileProgram(document, decoder);
        }
        program.read(message, sink);
    };
    return {
        readInto,
        read: (message) => {
            const sink = new OutcomeSink(message);
            readInto(message, sink);
            return sink.outcome();
        },
    };
}

interface NotReading {
    why: string;
    condition: Condition;
    show: Field | undefined;
}

interface Program {
    read(message: Message, sink: ReadingSink): void;
    size(): number;
}

/** The profile as functions. */
function compileProgram(document: ProfileDocument, decoder: Decoder): Program {
    const outerTree = new FieldTree();
    const outer = { tree: outerTree, scanner: new JsonScanner(outerTree) };
    const each = document.each ?? (decoder.givesRecords ? '[]' : undefined);
    const innerTree = each === undefined ? outerTree : new FieldTree();
    const inner = each === undefined ? outer : { tree: innerTree, scanner: new JsonScanner(innerTree) };

    const topics = document.topics?.map(parseTopicPattern);
    const eachPaths = each === undefined ? undefined : asList(each).map((path) => parsePath(path));
    const names = new Map<string, TextOf>();
    for (const name of topics?.flatMap((pattern) => pattern.captures) ?? []) {
        names.set(name, (context) => ownOf(context.topic, name));
    }
    for (const name of eachPaths?.flatMap(capturesOf) ?? []) {
        names.set(name, (context) => context.each.get(name));
    }
    const plain = { outer, inner, names, lets: new Set<string>(), captured: new Map<string, string>() };
    const scanInner = compileScan(document.unpack ?? [], plain);
    const scanOuter = inner === outer ? scanInner : compileScan(document.unpack ?? [], { ...plain, inner: outer });
    const scope = withLet(plain, document.let);
    const limits = clockLimits(document);
    const sources: MessageSources = {
        device: compileSources(document.device, scope),
        time: compileTime(document.time, limits, scope),
        identity: document.identity?.map((words) => compileSource(words, scope)),
    };
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
    const elements = eachPaths === undefined ? undefined : wantElements(outerTree, eachPaths);
    outerTree.isCompiling = false;
    innerTree.isCompiling = false;

    /** Reads what stands in the inner scanner: one message. `isWhole` where that is the payload: sources of what stands around messages read it too. */
    const readOne = (context: Context, one: OneMessage, isWhole: boolean) => {
        const { scanner } = inner;
        const noDevice = one.findDevice();
        if (noDevice !== undefined) {
            one.fail(noDevice);
            return;
        }
        const reason = late.find(({ condition }) => condition.holds(context));
        if (reason !== undefined) {
            one.fail({ reason: 'no_reading', why: tellReason(reason, context, scanner) }, true);
            return;
        }
        if (context.message.isRetained === true && document.retained !== 'read') {
            one.fail({ reason: 'no_reading', why: RETAINED }, true);
            return;
        }
        for (const path of scanner.unknown) {
            if (!isWhole || !outerTree.paths.has(path)) {
                one.sink.unknownField(path);
            }
        }
        for (const metric of fixed) {
            metric.read(context, one);
        }
        for (const number of scanner.instances) {
            const metric = found[number];
            const field = metric?.field;
            if (metric === undefined || field === undefined || field.taken === scanner.scan || field.isExact || field.isIgnored) {
                continue;
            }
            const before = one.count;
            metric.read(context, one);
            if (one.count > before) {
                field.taken = scanner.scan;
            }
        }
        if (one.count > 0) {
            return;
        }
        if (record === undefined) {
            one.fail({ reason: 'no_reading', why: 'nothing in it is named by the profile' });
        } else {
            // A record whose name no metric has is an unknown field, as an unknown key is one.
            one.sink.unknownField(record.scan === scanner.scan ? tokenOf(record).text : 'a record without a name');
        }
    };

    /** Reads each message of a payload that holds several. @returns how many of them there were, and how much came of them */
    const readEach = (context: Context, open: (bytes: Uint8Array, element: number) => OneMessage, own: boolean) => {
        const { payload } = context.message;
        let messages = 0;
        let count = 0;
        elements?.visit(outer.scanner, (data, start, end, captured, isWhole) => {
            context.each = captured;
            const one = open(own ? data.subarray(start, end) : payload, messages++);
            try {
                scanInner(context, data, start, end);
                readOne(context, one, isWhole);
            } catch (error) {
                one.fail(unreadable(error));
            }
            count += one.count;
        });
        return { messages, count };
    };

    const maxBytes = (document.decoder ?? 'json') === 'json' ? MAX_PAYLOAD_BYTES : MAX_DECODED_BYTES;
    const readPayload = (context: Context, whole: OneMessage, open: (bytes: Uint8Array, element: number) => OneMessage) => {
        const { message } = context;
        if (message.payload.length > maxBytes) {
            throw new UnreadableError(`it has ${message.payload.length} bytes, and no more than ${maxBytes} are read`);
        }
        const decoded = decoder.decode(message);
        if ('problem' in decoded) {
            whole.tellDevice();
            whole.fail(decoded.problem);
            return;
        }
        if (decoded.problems !== undefined && decoded.problems.length > 0) {
            whole.tellDevice();
            for (const problem of decoded.problems) {
                whole.problem(problem);
            }
        }
        const { bytes, isOwn } = decoded;
        if (!isUtf8(bytes)) {
            throw new UnreadableError('it is no UTF-8 text');
        }
        scanOuter(context, bytes, 0, bytes.length);
        context.hasPayload = true;
        if (elements === undefined) {
            readOne(context, whole, false);
            return;
        }
        for (const path of outer.scanner.unknown) {
            whole.sink.unknownField(path);
        }
        const { messages, count } = readEach(context, open, isOwn);
        if (count + whole.count === 0) {
            context.hasPayload = false;
            whole.tellDevice();
            whole.fail({
                reason: 'no_reading',
                why: messages === 0 ? NO_MESSAGES : 'none of its records has a name that the profile names',
            });
        }
    };

    return {
        size: () => Math.max(outerTree.size, innerTree.size),
        read: (message, sink) => {
            const context: Context = { message, topic: NOTHING_NAMED, each: NOTHING_CAPTURED, hasPayload: false };
            const whole = new OneMessage({ sources, context, sink, bytes: message.payload, element: undefined });
            const reason = tellEarly(context, topics, early);
            if (reason !== undefined) {
                whole.tellDevice();
                whole.fail(reason);
            } else if (message.payload.length === 0) {
                whole.tellDevice();
                tellEmpty(context, whole, fixed, document.emptyMeans);
            } else {
                try {
                    readPayload(context, whole, (bytes, element) => new OneMessage({ sources, context, sink, bytes, element }));
                } catch (error) {
                    context.hasPayload = false;
                    whole.tellDevice();
                    whole.fail(unreadable(error));
                }
            }
        },
    };
}

const RETAINED = 'not a reading: the broker sent the last message again to a new subscription (retained)';
const NO_MESSAGES = 'it holds no messages: the list is empty, or does not stand where "each" says';
const NOTHING_CAPTURED: ReadonlyMap<string, string> = new Map();
const NOTHING_NAMED: Readonly<Record<string, string>> = {};

/** A payload of no bytes: what it means for the metrics that the message is about, or for the whole message. */
function tellEmpty(context: Context, whole: OneMessage, metrics: readonly MetricReader[], emptyMeans: string | undefined): void {
    const why = emptyMeans === undefined ? 'empty payload' : `empty payload: ${emptyMeans}`;
    let isTold = false;
    for (const metric of metrics) {
        isTold = metric.tellEmpty(context, whole, why) || isTold;
    }
    if (!isTold) {
        whole.fail({ reason: 'no_value', why: `no value (${why})` });
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
function wantElements(tree: FieldTree, paths: readonly ReturnType<typeof parsePath>[]) {
    const places: { field: Field; isList: boolean; captured: ReadonlyMap<string, string> }[] = [];
    for (const path of paths) {
        const isList = path.at(-1)?.isEveryElement === true;
        const isPattern = path.some(({ expression }) => expression !== undefined);
        tree.want(isList ? path.slice(0, -1) : path, (field, captured) => {
            // What the profile names itself, or leaves alone, is no message although a pattern fits its key.
            if (!(isPattern && (field.isExact || field.isIgnored))) {
                readElsewhere(field);
                places.push({ field, isList, captured });
            }
        });
    }
    return {
        visit: (
            scanner: JsonScanner,
            call: (bytes: Uint8Array, start: number, end: number, captured: ReadonlyMap<string, string>, isWhole: boolean) => void,
        ) => {
            const there = places.filter(({ field }) => field.scan === scanner.scan);
            for (const { field, isList, captured } of there.sort((one, other) => one.field.order - other.field.order)) {
                if (isList && field.type === ARRAY) {
                    forEachElement(field.bytes, field.start, field.end, (start, end) => call(field.bytes, start, end, captured, false));
                } else {
                    const quote = field.type === TEXT || field.type === ESCAPED_TEXT ? 1 : 0;
                    call(field.bytes, field.start - quote, field.end + quote, captured, field === tree.root);
                }
            }
        },
    };
}
