/** Inputs that the reading options of an upload name, or should: they must be there before a file is read by them. */
import { UsageError } from '#lake/errors';
import { inspectLocalFile } from '#lake/here/local-file';
import { listInputs } from '#lake/inputs';
import type { ReadingOptions } from '#lake/kind';
import { type KindWithInputs, kindOf, kindsWithInputs } from '#lake/kinds';
import { nearestOf } from '#lake/nearest';
import type { ObjectStore } from '#lake/store/object-store';
import type { UploadFile, UploadOptions } from './request.ts';

/** A preset of the program that the lake does not have yet. */
export interface MissingPreset {
    kind: KindWithInputs;
    name: string;
    document: unknown;
}

/**
 * Presets that must be added to the lake, so that files of these keys are read by them.
 * @throws UsageError for a name that neither the lake nor the program has
 */
export async function findMissingPresets(
    store: ObjectStore,
    rawKeys: readonly string[],
    readingOptions: ReadingOptions,
): Promise<MissingPreset[]> {
    const names = new Set(rawKeys.map((key) => kindOf(key).name));
    const missing: MissingPreset[] = [];
    for (const kind of kindsWithInputs().filter(({ name }) => names.has(name))) {
        for (const { name: option, choices } of kind.options) {
            const name = choices ? undefined : readingOptions[option];
            if (name !== undefined) {
                missing.push(...(await findPreset(store, { kind, name })));
            }
        }
    }
    return missing;
}

/**
 * Lets an upload pass that says of each file what its kind needs to know. Asked before anything is put: without it the file would be a source of no use.
 * @throws UsageError that names the inputs that there are
 */
export async function assertSaid(
    store: ObjectStore,
    files: readonly UploadFile[],
    { readingOptions, signal }: Pick<UploadOptions, 'readingOptions' | 'signal'>,
): Promise<void> {
    for (const kind of kindsWithInputs()) {
        const unsaid = kind.options.find(({ name, isNeeded }) => isNeeded === true && readingOptions[name] === undefined);
        const asked = unsaid ? files.filter(({ key }) => kindOf(key).name === kind.name) : [];
        const open: UploadFile[] = [];
        for (const file of asked) {
            const found = await inspectLocalFile(file.path, { kind, signal });
            if (found.is === 'usable' && found.saysHow !== true) {
                open.push(file);
            }
        }
        if (unsaid && open[0]) {
            const { noun } = kind.inputs;
            const which = `${open[0].shown}${open.length > 1 ? ` and ${open.length - 1} more` : ''}`;
            throw new UsageError(
                `Nothing tells by which ${noun} to read ${which}: add --${unsaid.flag} NAME\n${await sayInputs(store, kind)}\n` +
                    `flowlake ${noun} try NAME shows what one makes of a message; flowlake ${noun} add FILE adds another`,
            );
        }
    }
}

/** The inputs of the lake and those of the program, by their names. */
async function sayInputs(store: ObjectStore, { inputs: { prefix, noun, presets } }: KindWithInputs): Promise<string> {
    const inLake = (await listInputs(store, prefix)).map(({ name }) => name);
    const ofProgram = [...((await presets?.()) ?? new Map<string, unknown>()).keys()].filter((name) => !inLake.includes(name)).sort();
    return [
        ...(inLake.length > 0 ? [`${noun}s of the lake: ${inLake.join(', ')}`] : []),
        ...(ofProgram.length > 0 ? [`${noun}s of the program: ${ofProgram.join(', ')}`] : []),
    ].join('\n');
}

/**
 * The preset of that name, where the lake has no such input and the program has; none where the lake has it.
 * @throws UsageError where neither has it
 */
export async function findPreset(store: ObjectStore, { kind, name }: { kind: KindWithInputs; name: string }): Promise<MissingPreset[]> {
    const { prefix, noun, presets } = kind.inputs;
    const inLake = (await listInputs(store, prefix)).map((input) => input.name);
    if (inLake.includes(name)) {
        return [];
    }
    const known = (await presets?.()) ?? new Map<string, unknown>();
    if (known.has(name)) {
        return [{ kind, name, document: known.get(name) }];
    }
    const all = [...new Set([...inLake, ...known.keys()])];
    const nearest = nearestOf(name, all);
    const others = nearest.length === 0 ? 'the lake has none, and the program no presets' : `the nearest are ${nearest.join(', ')}`;
    throw new UsageError(
        `There is no ${noun} ${JSON.stringify(name)}: ${others} (flowlake ${noun} list shows all, flowlake ${noun} add <file> adds one)`,
    );
}
