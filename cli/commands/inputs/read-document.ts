/** The document that a word of the line means: a JSON file, or an input by its name. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure, type RunContext } from '#cli/command';
import { useLake } from '#cli/use-lake';
import { StorageError, UsageError } from '#lake/errors';
import { checkInputName, readInput } from '#lake/inputs';
import type { KindWithInputs } from '#lake/kinds';
import { isInputName } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import { findPreset } from '#lake/upload/named-inputs';

export interface NamedDocument {
    name: string;
    document: unknown;
}

/** The document of a JSON file, named as the file is. @throws Failure where it is no JSON */
export async function readDocument(path: string): Promise<NamedDocument> {
    const text = await readFile(path, 'utf8').catch((error: Error) => {
        throw new StorageError(`cannot read ${path}: ${error.message}`, { cause: error });
    });
    try {
        return { name: basename(path).replace(/\.json$/, ''), document: JSON.parse(text) };
    } catch (error) {
        throw new Failure(`${path} is no JSON: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
}

/** True if the word can only be a file: names have no slash, and no ending. */
export function isFile(word: string): boolean {
    return word.includes('/') || word.endsWith('.json') || !isInputName(word);
}

/** The document of the preset; undefined where the program has none of that name. */
export async function presetOf({ inputs }: KindWithInputs, name: string): Promise<NamedDocument | undefined> {
    const presets = await inputs.presets?.();
    return presets?.has(name) ? { name, document: presets.get(name) } : undefined;
}

/**
 * The version that holds in the lake, or else the preset, which is version 0; where no lake is named, the preset.
 * @throws UsageError where there is neither, naming what there is
 */
export async function documentNamed(kind: KindWithInputs, name: string, context: RunContext): Promise<NamedDocument & { version: number }> {
    if (context.lake) {
        return useLake(context, async (lake) => findDocument(kind, name, await lake.store()), { mayBeNew: true });
    }
    const preset = await presetOf(kind, name);
    if (!preset) {
        const { noun, presets } = kind.inputs;
        const names = [...((await presets?.()) ?? new Map<string, unknown>()).keys()].sort().join(', ') || 'none';
        throw new UsageError(
            `The program has no ${noun} ${JSON.stringify(name)}, only ${names}. One of a lake needs --lake; a file is named with its ending, ${name}.json`,
        );
    }
    return { ...preset, version: 0 };
}

/** The version that holds in the lake, or else the preset. @throws UsageError where there is neither */
export async function findDocument(kind: KindWithInputs, name: string, store: ObjectStore): Promise<NamedDocument & { version: number }> {
    const input = await readInput(store, kind.inputs.prefix, name);
    if (input) {
        return { name, ...input };
    }
    const [preset] = await findPreset(store, { kind, name });
    return { name, document: preset?.document, version: 0 };
}

/** Lets the document pass, and says its name. @param path where it comes from @throws Failure that names each fault */
export async function checked({ inputs }: KindWithInputs, { name, document }: NamedDocument, path: string): Promise<NamedDocument> {
    try {
        const own = (await inputs.check?.(document)) ?? name;
        checkInputName(own);
        return { name: own, document };
    } catch (error) {
        throw error instanceof UsageError ? new Failure(`${path} is no usable ${inputs.noun}: ${error.message}`, { cause: error }) : error;
    }
}
