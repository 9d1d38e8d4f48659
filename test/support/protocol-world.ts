/**
 * A lake whose workers stop before every single call to the store or a queue, so that a test decides who goes on, who dies there and
 * whose call fails. The workers are the real use cases; the queues deliver at least once, in any order.
 */
import { consolidate } from '#lake/consolidate';
import { ConflictError, StorageError } from '#lake/errors';
import { contributionOf, dayOf, LEDGER_PREFIX, PAIR_DAYS_PREFIX, RAW_PREFIX, SUMMARIES_PREFIX, siteOf, sourceId } from '#lake/layout';
import { type LedgerRecord, type ReadingOptions, toMetadata } from '#lake/ledger';
import { readContains, readPairRows } from '#lake/parquet';
import { findUnconsolidatedDays, findUnread, readAllRecords, removeDeadObjects } from '#lake/reconcile';
import { retract } from '#lake/retract';
import type { ByteStream, ListedObject, ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { summarize } from '#lake/summarize';
import { memoryStore } from '#test/support/memory-store';
import { countUp, type Figures, figuresOf, type SmallFile } from '#test/support/small-files';

/** A rule of the design that can be taken away, to see that its absence is found out. */
export const RULES = [
    'ledger-check',
    'commit-number',
    'look-again-source',
    'look-again-day',
    'delete-superseded',
    'tell-old-days',
    'ledger-condition',
    'day-condition',
    'pinned-reading',
    'retracted-generation',
] as const;
export type Rule = (typeof RULES)[number];

/** How a call comes out. `loses its answer`: it took effect, and the client that sent it again was told that it came too late. */
export const FATES = ['works', 'dies before', 'dies after', 'fails before', 'fails after', 'loses its answer'] as const;
export type Fate = (typeof FATES)[number];

type Kind = 'summarize' | 'consolidate' | 'retract' | 'reconcile';

export interface Worker {
    kind: Kind;
    /** Raw key or day. */
    subject: string;
    /** What it is about to do; undefined once it has ended. */
    call?: Call | undefined;
    /** What the worker saw and did, for rules that are taken away. */
    seen: { raw?: ObjectInfo | undefined; committed?: boolean; ledger?: LedgerRecord | undefined; listed: Map<string, string> };
    /** Of a retraction: the upload that was there when it was asked for. */
    target?: Upload | undefined;
}

interface Call {
    what: string;
    isConditional: boolean;
    effect: () => Promise<unknown>;
    answer: (value: unknown) => void;
    refuse: (error: Error) => void;
}

interface Upload {
    key: string;
    file: SmallFile;
    options: ReadingOptions;
    generation: string;
    etag: string;
    isRetracted: boolean;
}

/** Objects of one page of a listing: between two pages others may write. */
const PAGE_OBJECTS = 2;

export class World {
    now = new Date('2026-03-01T00:00:00Z');
    readonly store = memoryStore({ now: () => this.now });
    readonly summarizeQueue: string[] = [];
    readonly consolidateQueue: string[] = [];
    running: Worker[] = [];
    /** What was seen that no reader may see. */
    readonly faults: string[] = [];
    /** Whether a command died or a message was lost, so that only `reconcile` knows what is left to do. */
    needsReconcile = false;
    readonly #latest = new Map<string, Upload>();
    readonly #uploads: Upload[] = [];
    /** What each version that was ever live was read from. */
    readonly #live = new Map<string, Upload>();
    readonly #broken: Rule | undefined;
    #onPause: () => void = () => undefined;

    constructor({ broken }: { broken?: Rule | undefined } = {}) {
        this.#broken = broken;
    }

    async upload(key: string, file: SmallFile, options: ReadingOptions = {}): Promise<void> {
        const { generation, etag } = await this.store.put(key, Buffer.from(file.text), { metadata: toMetadata(options) });
        const upload = { key, file, options, generation, etag, isRetracted: false };
        this.#latest.set(key, upload);
        this.#uploads.push(upload);
    }

    /** Starts a worker, up to its first call. */
    async start(kind: Kind, subject: string): Promise<Worker> {
        const worker: Worker = { kind, subject, seen: { listed: new Map() } };
        this.running.push(worker);
        const paused = this.#pause();
        this.#work(worker).then(
            () => this.#ended(worker),
            (error: Error) => this.#ended(worker, error),
        );
        await paused;
        return worker;
    }

    /** Lets the worker's call come out as `fate` says, and lets it work up to the next one. */
    async advance(worker: Worker, fate: Fate): Promise<void> {
        const { call } = worker;
        if (!call) {
            throw new Error(`${worker.kind} ${worker.subject} has ended`);
        }
        worker.call = undefined;
        if (fate === 'dies before') {
            this.#giveUp(worker);
            return;
        }
        const outcome =
            fate === 'fails before'
                ? { error: new StorageError('the store cannot be reached') }
                : await call.effect().then(
                      (value) => ({ value }),
                      (error: Error) => ({ error }),
                  );
        if (!this.running.includes(worker)) {
            return;
        }
        if (fate === 'dies after') {
            this.#giveUp(worker);
            return;
        }
        const paused = this.#pause();
        if ('error' in outcome) {
            call.refuse(outcome.error);
        } else if (fate === 'fails after') {
            call.refuse(new StorageError('the answer was lost'));
        } else if (fate === 'loses its answer' && call.isConditional) {
            call.refuse(new ConflictError('the answer was lost, and the second try came too late'));
        } else {
            call.answer(outcome.value);
        }
        await paused;
    }

    /** Whether nobody works and nothing waits. */
    get isQuiet(): boolean {
        return this.running.length === 0 && this.summarizeQueue.length === 0 && this.consolidateQueue.length === 0;
    }

    /** Takes the raw object away by hand; what is in the figures stays there. */
    async deleteRaw(key: string): Promise<void> {
        await this.store.delete(key);
    }

    /** What should count: of every source the latest upload, unless it was retracted. */
    uploadsThatCount(): { file: SmallFile; site: string; options: ReadingOptions }[] {
        return [...this.#latest.values()]
            .filter(({ isRetracted }) => !isRetracted)
            .map(({ key, file, options }) => ({ file, site: siteOf(key), options }));
    }

    /** What the figures must be once all work is done. */
    figures(): Figures {
        return countUp(this.uploadsThatCount());
    }

    latestUpload(key: string): { file: SmallFile; etag: string; generation: string } | undefined {
        return this.#latest.get(key);
    }

    #work(worker: Worker): Promise<unknown> {
        const store = this.#storeOf(worker);
        const tellDay = (day: string): Promise<void> => this.#tellDay(worker, day);
        const options = { store, tellDay, now: () => this.now };
        switch (worker.kind) {
            case 'summarize':
                return summarize(worker.subject, options);
            case 'consolidate':
                return consolidate(worker.subject, { store });
            case 'retract':
                return retract(worker.subject, options);
            default:
                return this.#reconcile(worker, store);
        }
    }

    /** What the command does on AWS: it sends the messages that are missing. */
    async #reconcile(worker: Worker, store: ObjectStore): Promise<void> {
        for (const key of await findUnread(store, await readAllRecords(store))) {
            await this.#call(worker, `send ${key}`, async () => void this.summarizeQueue.push(key));
        }
        await removeDeadObjects(store, { records: await readAllRecords(store), now: this.now });
        for (const day of await findUnconsolidatedDays(store)) {
            await this.#tellDay(worker, day);
        }
    }

    async #tellDay(worker: Worker, day: string): Promise<void> {
        if (this.#broken === 'tell-old-days' && worker.kind !== 'reconcile') {
            const { ledger } = worker.seen;
            if (!ledger?.version || !ledger.versions[ledger.version]?.includes(day)) {
                return;
            }
        }
        await this.#call(worker, `tell ${day}`, async () => void this.consolidateQueue.push(day));
    }

    #call<T>(worker: Worker, what: string, effect: () => Promise<T>, { isConditional = false } = {}): Promise<T> {
        return new Promise<T>((resolve, reject) => {
            if (worker.call) {
                throw new Error(`${worker.kind} ${worker.subject} calls twice at once: ${worker.call.what}, ${what}`);
            }
            worker.call = { what, isConditional, effect, answer: (value) => resolve(value as T), refuse: reject };
            this.#onPause();
        });
    }

    #pause(): Promise<void> {
        return new Promise((resolve) => {
            this.#onPause = resolve;
        });
    }

    #ended(worker: Worker, error?: Error): void {
        if (error && !(error instanceof StorageError)) {
            this.faults.push(`${worker.kind} ${worker.subject} failed: ${error.stack ?? error.message}`);
        }
        if (error) {
            this.#giveUp(worker);
        } else {
            this.#forget(worker);
        }
        this.#onPause();
    }

    /** A message whose worker did not end well comes back; a command is not repeated. */
    #giveUp(worker: Worker): void {
        this.#forget(worker);
        if (worker.kind === 'summarize') {
            this.summarizeQueue.push(worker.subject);
        } else if (worker.kind === 'consolidate') {
            this.consolidateQueue.push(worker.subject);
        } else {
            this.needsReconcile = true;
        }
    }

    #forget(worker: Worker): void {
        this.running = this.running.filter((other) => other !== worker);
    }

    #storeOf(worker: Worker): ObjectStore {
        const { store } = this;
        const broken = this.#broken;
        const call = this.#call.bind(this);
        const world = this;
        return {
            head: (key) =>
                call(worker, `head ${key}`, async () => {
                    const info = await store.head(key);
                    if (worker.kind === 'retract' && key === worker.subject && !('target' in worker)) {
                        worker.target = world.#latest.get(key);
                    }
                    if (!key.startsWith(RAW_PREFIX)) {
                        return info;
                    }
                    if (broken === 'look-again-source' && worker.kind === 'summarize' && worker.seen.committed) {
                        return worker.seen.raw;
                    }
                    worker.seen.raw = info && broken === 'retracted-generation' ? { ...info, generation: 'one of all' } : info;
                    return worker.seen.raw;
                }),
            get: (key) =>
                call(worker, `get ${key}`, async () => {
                    const object = await store.get(key);
                    return object && key.startsWith(LEDGER_PREFIX) ? { ...object, bytes: world.#readLedger(worker, key, object.bytes) } : object;
                }),
            async *open(key, { ifMatch }) {
                yield* await call(worker, `open ${key}`, async () => {
                    const pinned = broken === 'pinned-reading' ? ((await store.head(key))?.etag ?? ifMatch) : ifMatch;
                    return piecesOf(store.open(key, { ifMatch: pinned }));
                });
            },
            async put(key, body, options = {}) {
                const bytes = body instanceof Uint8Array ? body : Buffer.concat(await piecesOf(body));
                const isConditional = options.ifMatch !== undefined;
                return call(worker, `put ${key}`, () => world.#put(worker, key, bytes, options), { isConditional });
            },
            delete: (key, options) =>
                call(worker, `delete ${key}`, async () => {
                    if (broken !== 'delete-superseded' || !key.startsWith(SUMMARIES_PREFIX) || worker.kind === 'reconcile') {
                        await store.delete(key, options);
                    }
                }),
            async *list(prefix) {
                for (let after = ''; ; ) {
                    const page = await call(worker, `list ${prefix} after ${after}`, async () => {
                        const objects: ListedObject[] = [];
                        for await (const object of store.list(prefix)) {
                            if (object.key > after && objects.length < PAGE_OBJECTS) {
                                objects.push(object);
                            }
                        }
                        return objects;
                    });
                    for (const { key } of page) {
                        const { source, version } = contributionOf(key) ?? { source: '', version: '' };
                        worker.seen.listed.set(source, version);
                    }
                    yield* page;
                    if (page.length < PAGE_OBJECTS) {
                        return;
                    }
                    after = page.at(-1)?.key ?? '';
                }
            },
        };
    }

    #readLedger(worker: Worker, key: string, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
        const broken = this.#broken;
        let record: LedgerRecord = JSON.parse(Buffer.from(bytes).toString());
        if (broken === 'ledger-check' && worker.kind === 'consolidate') {
            record = { ...record, version: worker.seen.listed.get(key.slice(LEDGER_PREFIX.length, -'.json'.length)) ?? record.version };
        } else if (broken === 'commit-number' && worker.kind === 'summarize') {
            record = { ...record, commits: 0 };
        } else if (broken === 'look-again-source' && worker.kind === 'summarize' && worker.seen.committed && worker.seen.ledger) {
            record = worker.seen.ledger;
        }
        worker.seen.ledger = record;
        return new Uint8Array(Buffer.from(JSON.stringify(record)));
    }

    async #put(worker: Worker, key: string, bytes: Uint8Array, options: { ifMatch?: string }): Promise<ObjectInfo> {
        const isLedger = key.startsWith(LEDGER_PREFIX);
        const isDay = key.startsWith(PAIR_DAYS_PREFIX);
        const isFree = (this.#broken === 'ledger-condition' && isLedger) || (this.#broken === 'day-condition' && isDay);
        const info = await this.store.put(key, bytes, isFree ? {} : options);
        if (isLedger) {
            const record: LedgerRecord = JSON.parse(Buffer.from(bytes).toString());
            this.#committed(worker, record);
        }
        if (isDay) {
            await this.#checkDay(dayOf(key) ?? '', new Uint8Array(bytes));
            if (this.#broken === 'look-again-day') {
                this.#forget(worker);
            }
        }
        return info;
    }

    #committed(worker: Worker, record: LedgerRecord): void {
        worker.seen.committed = true;
        worker.seen.ledger = record;
        if (worker.kind === 'retract' && record.state === 'retracted' && worker.target) {
            worker.target.isRetracted = true;
        }
        const upload = this.#uploads.find(({ key, etag, options }) => {
            const isSame = key === record.source && etag === record.etag;
            return isSame && JSON.stringify(options) === JSON.stringify(record.options);
        });
        if (record.version !== null && upload) {
            this.#live.set(`${sourceId(record.source)}.${record.version}`, upload);
        }
    }

    /** What a reader sees from now on: whole contributions, of versions that were live, one of each source. */
    async #checkDay(day: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
        const contained = readContains(bytes);
        const uploads = contained.map((name) => this.#live.get(name));
        if (uploads.includes(undefined)) {
            this.faults.push(`${day} contains what was never live: ${contained}`);
            return;
        }
        const sources = contained.map((name) => name.split('.')[0]);
        if (new Set(sources).size < sources.length) {
            this.faults.push(`${day} contains two versions of one source: ${contained}`);
        }
        const all = countUp(uploads.flatMap((upload) => (upload ? [{ ...upload, site: siteOf(upload.key) }] : [])));
        const wanted = [...all].filter(([key]) => key.startsWith(day));
        const found = figuresOf(await readPairRows(bytes), day).sort(([a], [b]) => (a < b ? -1 : 1));
        if (JSON.stringify(found) !== JSON.stringify(wanted)) {
            this.faults.push(`${day} is not what it contains: found ${JSON.stringify(found)}, of ${contained}: ${JSON.stringify(wanted)}`);
        }
    }
}

async function piecesOf(stream: ByteStream): Promise<Buffer[]> {
    const pieces: Buffer[] = [];
    for await (const piece of stream) {
        pieces.push(Buffer.from(piece));
    }
    return pieces;
}
