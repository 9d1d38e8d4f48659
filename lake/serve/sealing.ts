/** Decides when messages of the inbox are sealed: some time after the first of them came, at once where there are many, and whenever somebody asks. */
import { StorageError } from '#lake/errors';
import type { ChainMessage } from '#lake/telemetry/chain-line';
import { type Fault, Faults } from './faults.ts';
import { SEAL, type Sealed, SealPass, type SealPassOptions } from './seal-pass.ts';

export interface SealingSettings {
    /** Messages are sealed this long after the first of them came. */
    everyMs: number;
    /** Sealing begins at once when this much waits; no object holds much more. */
    maxBytes: number;
    maxMessages: number;
}

const SEALING: SealingSettings = { everyMs: 60_000, maxBytes: 8 << 20, maxMessages: 50_000 };

export interface SealerOptions extends Omit<SealPassOptions, 'faults' | keyof SealingSettings> {
    settings?: Partial<SealingSettings> | undefined;
    /** Called after each pass. */
    onSealed?: ((sealed: Sealed) => void) | undefined;
}

export interface SealingStatus {
    /** Sequence number up to which messages stand in the chain. */
    sealedTo: string;
    /** Sequence number up to which they were worked off into the tables; what is among `faults` is not in them yet. */
    inLakeTo: string;
    /** Messages behind `inLakeTo`, and for how long the first of them has waited. */
    lagMessages: number;
    lagMs: number;
    faults: readonly Fault[];
    /** What failed last, of what still fails. */
    lastError: string | undefined;
}

export interface Sealer {
    /** Seals what is in the inbox now, and tries again what failed. Resolves once all of it was worked off. @throws where sealing was ended before */
    sealNow(): Promise<Sealed>;
    status(): SealingStatus;
    /** Ends sealing after the pass that is under way. */
    stop(): Promise<void>;
}

interface Asker {
    resolve: (sealed: Sealed) => void;
    reject: (error: unknown) => void;
}

/** Begins to seal: at once, where the inbox holds messages of before. */
export function startSealing({ settings, onSealed, ...options }: SealerOptions): Sealer {
    const { inbox, now, signal } = options;
    const { everyMs, ...sizes } = { ...SEALING, ...settings };
    const ticks = () => performance.now();
    const faults = new Faults({ now, ticks });
    const pass = new SealPass({ ...options, ...sizes, faults });
    /** Since when messages wait for the next pass; undefined where none do. */
    let waitingSince = inbox.last() === pass.inLakeTo ? undefined : Number.NEGATIVE_INFINITY;
    let bytesBefore = inbox.appendedBytes();
    let asking: Asker[] = [];
    let running: Promise<void> | undefined;
    let timer: NodeJS.Timeout | undefined;
    let isStopped = false;

    function schedule(): void {
        clearTimeout(timer);
        if (running || isStopped || signal.aborted) {
            return;
        }
        const waitMs = asking.length > 0 ? 0 : Math.min(untilMessages(), faults.untilNext());
        if (waitMs <= 0) {
            running = run().finally(() => {
                running = undefined;
                schedule();
            });
        } else if (waitMs !== Number.POSITIVE_INFINITY) {
            timer = setTimeout(schedule, waitMs);
        }
    }

    /** Milliseconds until what waits in the inbox is due. */
    function untilMessages(): number {
        if (waitingSince === undefined || !faults.mayTry(SEAL)) {
            return Number.POSITIVE_INFINITY;
        }
        const isMuch =
            inbox.appendedBytes() - bytesBefore >= sizes.maxBytes || BigInt(inbox.last()) - BigInt(pass.sealedTo) >= sizes.maxMessages;
        return isMuch ? 0 : waitingSince + everyMs - ticks();
    }

    async function run(): Promise<void> {
        const askers = asking;
        [asking, waitingSince, bytesBefore] = [[], undefined, inbox.appendedBytes()];
        try {
            const sealed = await pass.run({ isAsked: askers.length > 0 });
            onSealed?.(sealed);
            for (const { resolve } of askers) {
                resolve(sealed);
            }
        } catch (error) {
            for (const { reject } of askers) {
                reject(error);
            }
        }
        if (inbox.last() === pass.sealedTo) {
            waitingSince = undefined;
        }
    }

    /** The oldest message that is not in the lake; undefined too where it cannot be read, which is a fault of the next pass. */
    function readOldest(): ChainMessage | undefined {
        try {
            return inbox.read({ after: pass.inLakeTo, maxMessages: 1, maxBytes: 0 })[0];
        } catch {
            return undefined;
        }
    }

    const endListening = inbox.onAppended(() => {
        waitingSince ??= ticks();
        schedule();
    });
    schedule();

    return {
        sealNow: () =>
            new Promise((resolve, reject) => {
                if (isStopped || signal.aborted) {
                    reject(new StorageError('sealing has ended'));
                    return;
                }
                asking.push({ resolve, reject });
                schedule();
            }),
        status() {
            const oldest = readOldest();
            const all = faults.list();
            return {
                sealedTo: pass.sealedTo,
                inLakeTo: pass.inLakeTo,
                lagMessages: Number(BigInt(inbox.last()) - BigInt(pass.inLakeTo)),
                lagMs: oldest ? Math.max(0, now().getTime() - oldest.arrivedMs) : 0,
                faults: all,
                lastError: all.at(-1)?.message,
            };
        },
        async stop() {
            isStopped = true;
            endListening();
            clearTimeout(timer);
            await running;
            await pass.close();
            for (const { reject } of asking.splice(0)) {
                reject(new StorageError('sealing has ended'));
            }
        },
    };
}
