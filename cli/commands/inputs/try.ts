/** Looks whether a document is usable, and what a payload comes to by it. */
import { readFile } from 'node:fs/promises';
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { StorageError } from '#lake/errors';
import type { TriedPayload } from '#lake/kind';
import type { KindWithInputs } from '#lake/kinds';
import { checked, documentNamed, isFile, readDocument } from './read-document.ts';

/** Says that the file is usable. @throws Failure that names each fault */
export async function checkFile(kind: KindWithInputs, path: string, { stderr }: RunContext): Promise<number> {
    const { name } = await checked(kind, await readDocument(path), path);
    await stderr.write(`${path} is usable, as ${kind.inputs.noun} ${name}\n`);
    return 0;
}

interface TryOptions extends Pick<TriedPayload, 'topic' | 'device' | 'key'> {
    /** Path of the payload's file. */
    payload: string | undefined;
    header: TriedPayload['headers'];
    retained: boolean;
    /** ISO 8601. */
    arrived: string | undefined;
}

/** Prints a row for each thing that was read of the payload. @returns 1 where nothing of it can be used */
export async function tryPayload(
    kind: KindWithInputs,
    word: string,
    { payload, header, retained, arrived, ...way }: TryOptions,
    context: RunContext,
): Promise<number> {
    const { noun, tryOut } = kind.inputs;
    if (!tryOut) {
        throw new Failure(`There is no way to try a ${noun} but by a file: flowlake upload --kind ${kind.name} --dry-run <file>`);
    }
    const { document } = isFile(word) ? await checked(kind, await readDocument(word), word) : await documentNamed(kind, word, context);
    const bytes = await readPayload(payload, context);
    const arrivedAt = arrived === undefined ? context.now() : new Date(arrived);
    const { columns, rows, isUsable } = await tryOut(document, { ...way, bytes, headers: header, isRetained: retained, arrivedAt });
    await printRows({ columns, batches: batchOf(rows) }, context);
    return isUsable ? 0 : 1;
}

async function readPayload(path: string | undefined, { readInput }: RunContext): Promise<Uint8Array> {
    if (path !== undefined && path !== '-') {
        return readFile(path).catch((error: Error) => {
            throw new StorageError(`cannot read ${path}: ${error.message}`, { cause: error });
        });
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of readInput()) {
        pieces.push(Uint8Array.from(piece));
    }
    return Buffer.concat(pieces);
}
