/** Puts a local file into a directory lake and reads its rows in the same pass: its bytes are read once, and what is hashed is what was read. */
import { posix } from 'node:path';
import type { Reading } from '#lake/commit/read-source';
import { openInputs, type ReadingInputs } from '#lake/inputs';
import type { ReadingOptions, ReadOutcome } from '#lake/kind';
import { kindOf } from '#lake/kinds';
import { siteOf } from '#lake/layout';
import { toOptions } from '#lake/ledger';
import type { ByteStream, ObjectInfo, ObjectStore } from '#lake/store/object-store';
import { readLocalFile } from './local-file.ts';

export interface PutAndReadOptions {
    key: string;
    ifMatch: string;
    metadata: Record<string, string>;
    /** Called with the bytes put since the last call, and whether they were read in the same pass. */
    onBytes: (bytes: number, isRead: boolean) => void;
    signal: AbortSignal | undefined;
}

/**
 * Puts the file. @returns the object, and what reading it came to; no reading where one pass was not enough: the file has rejects, which are
 * written once the commit is known that they are for, something of it is settled at its end only, or it is read by ranges. The caller closes its outcome.
 */
export async function putAndRead(
    path: string,
    { store, key, ifMatch, metadata, onBytes, signal }: PutAndReadOptions & { store: ObjectStore },
): Promise<{ raw: ObjectInfo; reading: Reading | undefined }> {
    const options = toOptions(kindOf(key), { metadata });
    const hand = openHand();
    const inputs = openInputs(store, kindOf(key));
    const outcome = readHanded(key, options, { store, hand, inputs, signal });
    try {
        const raw = await store.put(key, passThrough(), { ifMatch, metadata });
        const found = await outcome;
        return { raw, reading: found && { etag: raw.etag, options, inputs: inputs.versions(), outcome: found } };
    } catch (error) {
        await hand.over(undefined);
        closeOutcome(await outcome);
        throw error;
    }

    async function* passThrough(): AsyncGenerator<Uint8Array> {
        for await (const piece of readLocalFile(path, { signal })) {
            await hand.over(piece);
            onBytes(piece.length, hand.isTaken());
            yield piece;
        }
        await hand.over(undefined);
    }
}

/** Reads what is handed over; undefined where that is not enough. */
async function readHanded(
    key: string,
    options: ReadingOptions,
    { store, hand, inputs, signal }: { store: ObjectStore; hand: Hand; inputs: ReadingInputs; signal: AbortSignal | undefined },
): Promise<ReadOutcome | undefined> {
    let isEnough = true;
    let isOpened = false;
    const giveUp = (): never => {
        isEnough = false;
        throw new Error('one pass is not enough');
    };
    try {
        const outcome = await kindOf(key).read(
            {
                name: posix.basename(key),
                site: siteOf(key),
                sizeBytes: Number.NaN,
                readRange: async () => giveUp(),
                reject: async () => giveUp(),
                input: inputs.input,
                openScratch: store.openScratch,
                signal,
                open() {
                    if (isOpened) {
                        giveUp();
                    }
                    isOpened = true;
                    return hand.pieces();
                },
            },
            options,
        );
        if (!isEnough) {
            closeOutcome(outcome);
        }
        return isEnough ? outcome : undefined;
    } catch {
        // Whatever it was, the reading that follows meets it again and tells it.
        return undefined;
    } finally {
        hand.letGo();
    }
}

/** Closes the rows of an outcome, if it has any. */
export function closeOutcome(outcome: ReadOutcome | undefined): void {
    if (outcome?.ok) {
        outcome.periods.close?.();
    }
}

/** Hands pieces from one pass to another, one at a time: a piece is over once the taker asks for the next, or has let go. */
interface Hand {
    /** Hands a piece over, or with undefined the end. */
    over(piece: Uint8Array | undefined): Promise<void>;
    pieces(): ByteStream;
    letGo(): void;
    /** True until the taker has let go. */
    isTaken(): boolean;
}

function openHand(): Hand {
    let isTaken = true;
    let give: ((piece: Uint8Array | undefined) => void) | undefined;
    let onAsked = (): void => undefined;
    const asked = async (): Promise<void> => {
        while (isTaken && !give) {
            await new Promise<void>((resolve) => {
                onAsked = resolve;
            });
        }
    };
    return {
        isTaken: () => isTaken,
        letGo() {
            isTaken = false;
            onAsked();
        },
        async over(piece) {
            await asked();
            give?.(piece);
            give = undefined;
            if (piece) {
                await asked();
            }
        },
        async *pieces() {
            for (;;) {
                const piece = await new Promise<Uint8Array | undefined>((resolve) => {
                    give = resolve;
                    onAsked();
                });
                if (!piece) {
                    return;
                }
                yield piece;
            }
        },
    };
}
