/** Inputs that the reading options of an upload name: they must be there before a file is read by them. */
import { UsageError } from '#lake/errors';
import { listInputs } from '#lake/inputs';
import type { ReadingOptions } from '#lake/kind';
import { type KindWithInputs, kindOf, kindsWithInputs } from '#lake/kinds';
import { nearestOf } from '#lake/nearest';
import type { ObjectStore } from '#lake/store/object-store';

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
