/**
 * What a profile makes of a message: docs/profiles.md taken word by word, slowly, and without a look at how lake/telemetry does it. Both
 * must give the same of test/fixtures/profile-cases.jsonl.
 */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type Decoded, givesRecords } from './decoders/decoded.ts';
import { type Decode, openDecoder } from './decoders/open-decoder.ts';
import { type Condition, documentOf, type Lets, listed, type Metric, type ProfileDocument, type Time, type Times } from './document.ts';
import { addUnknown, isTaken, type NamedFields, namedFields } from './fields.ts';
import { type Fraction, floor, plus, whole } from './fractions.ts';
import { dayMs, durationMs, formattedTime, instantIn, isoTime, millisecondsIn } from './instants.ts';
import { faultIn, NoJsonError, parseJson, type Tree, textTree, treeOf } from './json-tree.ts';
import { bareNumberOf, makeValue } from './numbers.ts';
import { type Captures, filled, isPattern, keysOf, merged, type Names, placeCaptures, topicCaptures } from './patterns.ts';
import { choose, holdAll, isBase64, isReason, type Message, take, textOf, type View, valueAt } from './places.ts';

export interface Reading {
    device: string;
    metric: string;
    atMs: number;
    receivedMs: number;
    /** In units of 10^-9; undefined where it is a text. */
    units: bigint | undefined;
    text: string | undefined;
    message: string;
    clock: 'device' | 'arrival';
}

export interface Outcome {
    readings: Reading[];
    /** Why the whole message, or one metric of it, is no reading. */
    problems: { reason: string; metric?: string }[];
    unknownFields: Set<string>;
    /** True if it was told that the message at hand has no time. */
    hasNoTime: boolean;
}

interface Clocked {
    atMs: number;
    clock: 'device' | 'arrival';
}

const MAX_PAYLOAD_BYTES = 8 << 20;
/** Decoder that makes JSON of the payload; undefined where it is JSON or text. */
const MAX_DECODED_BYTES = 1 << 20;
const YEAR_10000_MS = Date.UTC(10_000, 0);
const MAX_ID_LENGTH = 256;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
const HASH_LENGTH = 16;
const MAX_NAME_LENGTH = 128;
const MAX_IDENTITY_LENGTH = 128;

/** The message, or an element of it, is no reading. */
class NoReadingError extends Error {
    override name = 'NoReadingError';
    readonly reason: string;

    constructor(reason: string) {
        super(reason);
        this.reason = reason;
    }
}

export class ProfileReader {
    readonly #profile: ProfileDocument;
    readonly #named: NamedFields;
    readonly #earliestMs: number;
    readonly #aheadMs: number;
    readonly #decode: Decode | undefined;

    /** @throws NotFollowedError for a profile that this reading does not follow */
    constructor(document: unknown) {
        this.#profile = documentOf(document);
        this.#named = namedFields(this.#profile);
        const { earliest = '2010-01-01', ahead = '5m' } = this.#profile.clock ?? {};
        this.#earliestMs = dayMs(earliest);
        this.#aheadMs = durationMs(ahead);
        this.#decode = openDecoder(this.#profile.decoder);
    }

    get name(): string {
        return this.#profile.name;
    }

    /** True if a payload of this profile may be a list of messages. */
    get isOfLists(): boolean {
        return !this.isOfPacks && listed(this.#profile.each).some((path) => path.startsWith('[]'));
    }

    /** True if a payload of this profile is a list that belongs together. */
    get isOfPacks(): boolean {
        return this.#profile.decoder?.startsWith('senml') ?? false;
    }

    /** What bytes are known by, where no profile names anything. */
    static hashOf(bytes: Uint8Array): string {
        return hashOf(bytes).slice(0, HASH_LENGTH);
    }

    read(message: Message): Outcome {
        const outcome: Outcome = { readings: [], problems: [], unknownFields: new Set(), hasNoTime: false };
        try {
            this.#readPayload(message, outcome);
        } catch (error) {
            reject(error, outcome);
        }
        return outcome;
    }

    #readPayload(message: Message, outcome: Outcome): void {
        const { topics, notReadings = [], metrics, each } = this.#profile;
        const captures = topics && message.topic !== undefined ? firstOf(topics, message.topic) : new Map<string, string>();
        if (!captures) {
            throw new NoReadingError('no_reading');
        }
        const view = this.#viewOf({ message, root: undefined, element: undefined, captures });
        const isOfWay = (condition: Condition): boolean => this.#needsNoPayload(condition);
        if (notReadings.some((reason) => (reason.when ?? [reason]).every(isOfWay) && isReason(reason, view))) {
            throw new NoReadingError('no_reading');
        }
        if (message.payload.length === 0) {
            const isPlain = ({ path }: Metric): boolean => path === undefined || !keysOf(path).some(isPattern);
            const told = metrics
                .filter(isPlain)
                .filter(({ only }) => only !== undefined && listed(only).every(isOfWay) && holdAll(only, view));
            const names = told.map((metric) => nameOf(metric, view) ?? '');
            outcome.problems.push(...names.map((metric) => ({ reason: 'no_value', metric })));
            if (names.length === 0) {
                throw new NoReadingError('no_value');
            }
            return;
        }
        const { around, inMessage, ignored } = this.#named;
        // What the profile names itself, or leaves alone, is no message although a pattern of `each` fits its key.
        const isOwn = (place: readonly string[]): boolean =>
            around.some((path) => path.length === place.length && path.every((key, at) => key === place[at])) ||
            ignored.some((path) => path.length <= place.length && placeCaptures(path, place) !== undefined);
        const { root, problems } = this.#treeOf(message, captures);
        outcome.problems.push(...problems);
        const cuts = listed(each).map((path) => path.split('.').flatMap(stepsOf));
        const elements = each === undefined ? [{ tree: root, captures: new Map() }] : elementsOf(root, listed(each), isOwn);
        const isOfRecords = givesRecords(this.#profile.decoder);
        const isElement = (part: Tree): boolean => each !== undefined && elements.some(({ tree }) => tree === part);
        // What stands around messages is taken apart where there are any below it.
        const isAround = !isElement(root) || cuts.some((steps) => steps.some((step) => step !== '[]'));
        if (isAround && faultIn(root, (part) => isElement(part) && part !== root) !== undefined) {
            throw new NoReadingError('unreadable');
        }
        const add = (field: string): unknown => outcome.unknownFields.add(field);
        if (each !== undefined && !isElement(root)) {
            const cutsAt = (place: readonly string[]): (readonly string[])[] =>
                cuts
                    .filter((steps) => !place.some((_, at) => isPattern(steps[at] ?? '') && isOwn(place.slice(0, at + 1))))
                    .map((steps) => steps.map((step) => (step === '[]' ? '*' : step)));
            addUnknown(root, { pathsAt: (place) => [...around, ...cutsAt(place)], ignored, isLeftOut: isElement, add });
        }
        if (elements.length === 0 && problems.length === 0) {
            throw new NoReadingError('no_reading');
        }
        for (const { tree, captures: inEach } of elements) {
            const together = merged([captures, inEach]);
            try {
                const element = tree === root ? root : this.#unpacked(tree, { message, root, captures });
                if (!together || faultIn(element) !== undefined) {
                    throw new NoReadingError('unreadable');
                }
                const paths = element === root ? [...inMessage, ...around] : inMessage;
                const isAny = this.#readElement(this.#viewOf({ message, root, element, captures: together }), outcome);
                addUnknown(element, { pathsAt: () => paths, ignored, isLeftOut: () => false, add });
                if (!isAny && isOfRecords) {
                    // A record whose name no metric has is an unknown field, as an unknown key is one.
                    add(textOf(valueAt(element, ['name'])) ?? 'a record without a name');
                } else if (!isAny) {
                    throw new NoReadingError('no_reading');
                }
            } catch (error) {
                reject(error, outcome);
            }
        }
        if (outcome.readings.length + outcome.problems.length === 0) {
            throw new NoReadingError('no_reading');
        }
    }

    /** @returns whether anything came of it @throws NoReadingError */
    #readElement(view: View, outcome: Outcome): boolean {
        const { notReadings = [], retained = 'skip' } = this.#profile;
        const { message } = view;
        const device = this.#deviceOf(view);
        if (notReadings.some((reason) => isReason(reason, view)) || (retained === 'skip' && message.isRetained)) {
            throw new NoReadingError('no_reading');
        }
        const identity = this.#identityOf(view);
        outcome.hasNoTime = false;
        const before = outcome.readings.length + outcome.problems.length;
        for (const { metric, view: metricView, place } of this.#metricsIn(view)) {
            this.#readMetric(metric, { view: metricView, place, device, identity, outcome });
        }
        return outcome.readings.length + outcome.problems.length > before;
    }

    #readMetric(
        metric: Metric,
        {
            view,
            place,
            device,
            identity,
            outcome,
        }: { view: View; place: readonly string[] | undefined; device: string; identity: string; outcome: Outcome },
    ): void {
        const { problems, readings } = outcome;
        const found = place ? { value: valueAt(view.element, place), source: undefined } : choose(metric.from ?? [], view);
        const value = found?.value ?? (metric.absent === undefined ? undefined : treeOf(metric.absent));
        if (!value && metric.absentMeans === undefined) {
            return;
        }
        const name = nameOf(metric, view);
        if (name === undefined) {
            problems.push({ reason: 'bad_name' });
            return;
        }
        const problem = (reason: string): unknown => problems.push({ reason, metric: name });
        if (!value) {
            problem('no_value');
            return;
        }
        const own = this.#timeOf(metric.time, view);
        const time = own ?? this.#timeOf(this.#profile.time, view) ?? 'no_time';
        if (typeof time === 'string') {
            if (own !== undefined) {
                problem(time);
            } else if (!outcome.hasNoTime) {
                // Told once of the message.
                problems.push({ reason: time });
                outcome.hasNoTime = true;
            }
        }
        if (listed(metric.unless).some((reason) => isReason(reason, view))) {
            problem('no_value');
            return;
        }
        if (metric.notReading !== undefined) {
            problem('no_reading');
            return;
        }
        if (value.type === 'null') {
            problem('no_value');
            return;
        }
        const unit = (found?.source as { unit?: string } | undefined)?.unit;
        const { kept, reason } = makeValue(value, metric, { view, unit });
        if (reason !== undefined) {
            problem(reason);
        }
        if (kept && typeof time !== 'string') {
            const { atMs, clock } = time;
            readings.push({
                device,
                metric: name,
                atMs,
                receivedMs: view.message.arrivedMs ?? atMs,
                units: 'units' in kept ? kept.units : undefined,
                text: 'text' in kept ? kept.text : undefined,
                message: identity,
                clock,
            });
        }
    }

    /** The metrics that are in the message: those with a plain path in the profile's order, then patterns in the payload's. */
    *#metricsIn(view: View): Generator<{ metric: Metric; view: View; place: readonly string[] | undefined }> {
        const patterns: { metric: Metric; keys: readonly string[] }[] = [];
        for (const metric of this.#profile.metrics) {
            const keys = metric.path === undefined ? undefined : keysOf(metric.path);
            if (keys?.some(isPattern)) {
                patterns.push({ metric, keys });
                continue;
            }
            const own = withNames(view, metric.let);
            if (metric.only === undefined || holdAll(metric.only, own)) {
                yield { metric, view: own, place: keys };
            }
        }
        for (const place of patterns.length === 0 ? [] : placesIn(view.element)) {
            if (isTaken(this.#named, place)) {
                continue;
            }
            for (const { metric, keys } of patterns) {
                const captures = keys.length === place.length ? placeCaptures(keys, place) : undefined;
                const own = captures && withNames(view, metric.let, captures);
                if (own && (metric.only === undefined || holdAll(metric.only, own))) {
                    yield { metric, view: own, place };
                    break;
                }
            }
        }
    }

    #deviceOf(view: View): string {
        const { device: known } = view.message;
        const value = choose(this.#profile.device, view)?.value;
        const said = value?.type === 'text' || value?.type === 'number' ? value.text : undefined;
        if (known !== undefined && value && value.type !== 'null' && said !== known) {
            throw new NoReadingError('device_mismatch');
        }
        const id = known ?? said;
        if (id === undefined || id === '' || id.length > MAX_ID_LENGTH || CONTROL.test(id)) {
            throw new NoReadingError('no_device');
        }
        return id;
    }

    #identityOf(view: View): string {
        const { identity, each } = this.#profile;
        const parts = identity?.map((source) => textOf(take(source, view)));
        if (parts?.every((part) => part !== undefined)) {
            const text = parts.map((part) => part.replaceAll('%', '%25').replaceAll(':', '%3A')).join(':');
            return text.length > MAX_IDENTITY_LENGTH ? hashOf(text).slice(0, 32) : text;
        }
        const { element } = view;
        const isCut = each !== undefined && element !== undefined && element !== view.root && this.#decode === undefined;
        return hashOf(isCut ? element.at.source.slice(element.at.start, element.at.end) : view.message.payload).slice(0, HASH_LENGTH);
    }

    /** @returns the reason where there is none that can be taken, undefined where there is none at all */
    #timeOf(times: Times | undefined, view: View): Clocked | 'bad_time' | 'no_time' | undefined {
        const { arrivedMs } = view.message;
        /** What is wrong with the first time that is there and cannot be taken. */
        let fault: 'bad_time' | 'doubted' | undefined;
        for (const time of listed(times)) {
            if (time === 'arrival') {
                return arrivedMs === undefined ? 'no_time' : { atMs: arrivedMs, clock: 'arrival' };
            }
            const value = take(time, view);
            if (!value || value.type === 'null') {
                continue;
            }
            const at = this.#instantOf(value, time, view);
            if (!at) {
                fault ??= 'bad_time';
                continue;
            }
            const atMs = Number(floor(at));
            if (atMs >= this.#earliestMs && atMs < YEAR_10000_MS && (arrivedMs === undefined || atMs <= arrivedMs + this.#aheadMs)) {
                return { atMs, clock: 'device' };
            }
            fault ??= 'doubted';
        }
        if (fault === 'doubted' && arrivedMs !== undefined) {
            return { atMs: arrivedMs, clock: 'arrival' };
        }
        return fault === 'bad_time' ? 'bad_time' : fault === 'doubted' ? 'no_time' : undefined;
    }

    #instantOf(value: Tree, time: Time, view: View): Fraction | undefined {
        const { unit = 'ISO', format, zone, epoch, ago, plus: added } = time;
        const { arrivedMs } = view.message;
        let at: Fraction | undefined;
        if (unit === 'ISO' || format !== undefined) {
            const text = value.type === 'text' || (value.type === 'number' && format !== undefined) ? value.text : undefined;
            const written = text === undefined ? undefined : format === undefined ? isoTime(text) : formattedTime(text, format);
            if (written) {
                const { localMs, offsetMs } = written;
                const latestMs = arrivedMs === undefined ? undefined : arrivedMs + this.#aheadMs;
                const isLocal = offsetMs === undefined && zone !== undefined;
                at = isLocal ? instantIn(zone, localMs, latestMs) : plus(localMs, whole(BigInt(-(offsetMs ?? 0))));
            }
        } else {
            const number = bareNumberOf(value);
            const sinceMs = number && millisecondsIn(number, unit);
            if (sinceMs && ago) {
                at = arrivedMs === undefined ? undefined : whole(BigInt(arrivedMs) - floor(sinceMs));
            } else {
                at = sinceMs && plus(sinceMs, whole(BigInt(epoch === undefined ? 0 : dayMs(epoch))));
            }
        }
        const more = added && take(added, view);
        if (at && added && more && more.type !== 'null') {
            const number = bareNumberOf(more);
            at = number && whole(floor(at) + floor(millisecondsIn(number, added.unit ?? 's')));
        }
        return at && Number.isSafeInteger(Number(floor(at))) ? at : undefined;
    }

    /** The payload as a tree, with what `unpack` names unpacked, and why parts of it are no records. @throws NoJsonError, NoReadingError */
    #treeOf(message: Message, captures: Captures): { root: Tree; problems: Decoded['problems'] } {
        const { payload } = message;
        const { decoder = 'json' } = this.#profile;
        if (payload.length > (decoder === 'json' ? MAX_PAYLOAD_BYTES : MAX_DECODED_BYTES)) {
            throw new NoReadingError('unreadable');
        }
        if (decoder === 'text') {
            return { root: this.#unpacked(textTree(utf8(payload)), { message, captures }), problems: [] };
        }
        const decoded = this.#decode?.(message) ?? { json: utf8(payload), problems: [] };
        if ('reason' in decoded) {
            throw new NoReadingError(decoded.reason);
        }
        return { root: this.#unpacked(parseJson(decoded.json), { message, captures }), problems: decoded.problems };
    }

    /** The tree with JSON in the place of the texts that hold it. A condition sees what is unpacked by then, and names of the topic alone. */
    #unpacked(tree: Tree, { message, root, captures }: { message: Message; root?: Tree; captures: Captures }): Tree {
        const names: Names = (name) => captures.get(name);
        return (this.#profile.unpack ?? []).reduce((before, { path, as, only }) => {
            const keys = keysOf(path);
            const packed = valueAt(before, keys);
            if (
                packed?.type !== 'text' ||
                (only !== undefined && !holdAll(only, { message, root: root ?? before, element: before, names }))
            ) {
                return before;
            }
            return replaced(before, keys, unpackedText(packed.text, as));
        }, tree);
    }

    #viewOf({
        message,
        root,
        element,
        captures,
    }: {
        message: Message;
        root: Tree | undefined;
        element: Tree | undefined;
        captures: Captures;
    }): View {
        return withNames({ message, root, element, names: (name) => captures.get(name) }, this.#profile.let);
    }

    /** True if the condition can be told by the message's way alone. */
    #needsNoPayload(condition: Condition): boolean {
        const { path, from, text, only } = condition;
        const lets = this.#profile.let ?? {};
        const names = [...(text ?? '').matchAll(/\{([^{}:]*)/g)].map(([, name = '']) => name);
        return (
            path === undefined &&
            from !== 'payload' &&
            !names.some((name) => Object.hasOwn(lets, name)) &&
            listed(only).every((one) => this.#needsNoPayload(one))
        );
    }
}

function reject(error: unknown, { problems }: Outcome): void {
    if (!(error instanceof NoReadingError || error instanceof NoJsonError)) {
        throw error;
    }
    problems.push({ reason: error instanceof NoReadingError ? error.reason : 'unreadable' });
}

function firstOf(patterns: readonly string[], topic: string): Captures | undefined {
    for (const pattern of patterns) {
        const captures = topicCaptures(pattern, topic);
        if (captures) {
            return captures;
        }
    }
    return undefined;
}

function nameOf(metric: Metric, { names }: View): string | undefined {
    const name = filled(metric.name, names);
    return name === undefined || name === '' || name.length > MAX_NAME_LENGTH || CONTROL.test(name) ? undefined : name;
}

/** The view with more names: what was captured, and what `let` says. */
function withNames(view: View, lets: Lets | undefined, captures?: Captures): View {
    const names: Names = (name) => {
        const sources = lets && Object.hasOwn(lets, name) ? lets[name] : undefined;
        if (captures?.has(name)) {
            return captures.get(name);
        }
        return sources === undefined ? view.names(name) : textOf(choose(sources, own)?.value);
    };
    const own: View = { ...view, names };
    return own;
}

/** Every place below the tree, in its order. */
function* placesIn(tree: Tree | undefined, place: readonly string[] = []): Generator<readonly string[]> {
    for (const [key, member] of membersOf(tree)) {
        const below = [...place, key];
        yield below;
        yield* placesIn(member, below);
    }
}

/** A way that goes on below a value: the steps that are left, and what was captured. */
interface Way {
    steps: readonly string[];
    captures: Captures;
}

/** The messages that `each` cuts a payload into, in the order in which they stand there. A name in braces is no field that `isNamed`. */
function elementsOf(
    root: Tree,
    each: readonly string[],
    isNamed: (place: readonly string[]) => boolean,
): { tree: Tree; captures: Captures }[] {
    const elements: { tree: Tree; captures: Captures }[] = [];
    const go = (tree: Tree, place: readonly string[], ways: readonly Way[]): void => {
        const [intoList, others] = [ways.filter(({ steps }) => steps[0] === '[]'), ways.filter(({ steps }) => steps[0] !== '[]')];
        const within = intoList.map(({ steps, captures }) => ({ steps: steps.slice(1), captures }));
        if (within.length > 0 && tree.type === 'list') {
            for (const [at, item] of tree.items.entries()) {
                go(item, [...place, String(at)], within);
            }
        }
        // What is no list is one message.
        const here = within.length > 0 && tree.type !== 'list' ? [...others, ...within] : others;
        const done = here.find(({ steps }) => steps.length === 0);
        if (done) {
            elements.push({ tree, captures: done.captures });
        }
        for (const [key, member] of membersOf(tree)) {
            const below = [...place, key];
            const next = here.flatMap(({ steps: [step, ...rest], captures }) => {
                const found =
                    step === undefined || step === '[]' || (isPattern(step) && isNamed(below)) ? undefined : placeCaptures([step], [key]);
                const together = found && merged([captures, found]);
                return together ? [{ steps: rest, captures: together }] : [];
            });
            if (next.length > 0) {
                go(member, below, next);
            }
        }
    };
    go(
        root,
        [],
        each.map((path) => ({ steps: path.split('.').flatMap(stepsOf), captures: new Map() })),
    );
    return elements;
}

/** The members of an object by their keys, the elements of a list by their numbers. */
function membersOf(tree: Tree | undefined): (readonly [string, Tree])[] {
    return tree?.type === 'object'
        ? [...tree.members]
        : tree?.type === 'list'
          ? tree.items.map((item, at) => [String(at), item] as const)
          : [];
}

/** The steps of a part of an `each` path: a key, and `[]` for the elements of the list there. */
function stepsOf(part: string): string[] {
    const [, key = '', lists = ''] = /^(.*?)((?:\[\])*)$/.exec(part) ?? [];
    return [...(key === '' ? [] : [key]), ...(lists.match(/\[\]/g) ?? [])];
}

function unpackedText(text: string, as: 'json' | 'base64' | 'form'): Tree {
    if (as === 'json') {
        return parseJson(text);
    }
    if (as === 'form') {
        return formTree(text);
    }
    if (!isBase64(text)) {
        throw new NoJsonError('no base64');
    }
    return parseJson(utf8(Buffer.from(text, 'base64')));
}

/** The fields of a form, as the URL standard takes them. @throws NoJsonError where an escape means no character, or a field comes twice */
function formTree(text: string): Tree {
    const fields = new URLSearchParams(text.startsWith('?') ? `%3F${text.slice(1)}` : text);
    if (!isDecodable(text) || new Set(fields.keys()).size < fields.size) {
        throw new NoJsonError('no form');
    }
    return { type: 'object', members: new Map([...fields].map(([name, value]) => [name, textTree(value)])), at: textTree(text).at };
}

/** True if each escape is one of a character. */
function isDecodable(text: string): boolean {
    try {
        return decodeURIComponent(text) !== '' || text === '';
    } catch {
        return false;
    }
}

/** @throws NoJsonError where the bytes are no UTF-8 */
function utf8(bytes: Uint8Array): string {
    if (!isUtf8(bytes)) {
        throw new NoJsonError('no UTF-8');
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

function replaced(tree: Tree, [key, ...rest]: readonly string[], by: Tree): Tree {
    if (key === undefined) {
        return by;
    }
    if (tree.type === 'object') {
        return {
            ...tree,
            members: new Map([...tree.members].map(([name, member]) => [name, name === key ? replaced(member, rest, by) : member])),
        };
    }
    return tree.type === 'list'
        ? { ...tree, items: tree.items.map((item, at) => (String(at) === key ? replaced(item, rest, by) : item)) }
        : tree;
}

function hashOf(bytes: Uint8Array | string): string {
    return createHash('sha256').update(bytes).digest('hex');
}
