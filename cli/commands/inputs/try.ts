/** Looks whether a document is usable, and what a payload comes to by it. */
import { readFile } from 'node:fs/promises';
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { useLake } from '#cli/use-lake';
import { StorageError } from '#lake/errors';
import type { KindWithInputs } from '#lake/kinds';
import { checked, findDocument, isFile, type NamedDocument, presetOf, readDocument } from './read-document.ts';

/** Says that the file is usable. @throws Failure that names each fault */
export async function checkFile(kind: KindWithInputs, path: string, { stderr }: RunContext): Promise<number> {
    const { name } = await checked(kind, await readDocument(path), path);
    await stderr.write(`${path} is usable, as ${kind.inputs.noun} ${name}\n`);
    return 0;
}

interface TryOptions {
    payload: string | undefined;
    topic: string | undefined;
    device: string | undefined;
}

/** Prints a row for each thing that was read of the payload. @returns 1 where nothing of it can be used */
export async function tryPayload(
    kind: KindWithInputs,
    word: string,
    { payload, topic, device }: TryOptions,
    context: RunContext,
): Promise<number> {
    const { noun, tryOut } = kind.inputs;
    if (!tryOut) {
        throw new Failure(`There is no way to try a ${noun} but by a file: flowlake upload --kind ${kind.name} --dry-run <file>`);
    }
    const { document } = await documentOf(kind, word, context);
    const bytes = await readPayload(payload, context);
    const { columns, rows, isUsable } = await tryOut(document, { bytes, topic, device, now: context.now() });
    await printRows({ columns, batches: batchOf(rows) }, context);
    return isUsable ? 0 : 1;
}

/** The document of a file, of a preset where no lake is named, or of the lake. */
async function documentOf(kind: KindWithInputs, word: string, context: RunContext): Promise<NamedDocument> {
    if (isFile(word)) {
        return checked(kind, await readDocument(word), word);
    }
    const preset = context.lake ? undefined : await presetOf(kind, word);
    return preset ?? useLake(context, async (lake) => findDocument(kind, word, await lake.store()), { mayBeNew: true });
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
