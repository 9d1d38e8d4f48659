/** Shows the inputs of a kind: all with their versions, or one as JSON. */
import { isDeepStrictEqual } from 'node:util';
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { useLake } from '#cli/use-lake';
import { UsageError } from '#lake/errors';
import { listInputs, readVersion, sayInput } from '#lake/inputs';
import type { KindWithInputs } from '#lake/kinds';
import type { Value } from '#lake/query/query-engine';
import type { ObjectStore } from '#lake/store/object-store';
import { documentNamed, findDocument } from './read-document.ts';

/** Prints a row for each input of the lake and each preset; where no lake is named, for each preset. */
export async function listAll(kind: KindWithInputs, context: RunContext): Promise<number> {
    const { noun, prefix, presets } = kind.inputs;
    const known = (await presets?.()) ?? new Map<string, unknown>();
    const print = (rows: Value[][]): Promise<number> => {
        const columns = [
            { name: noun.replaceAll('-', '_'), type: 'varchar' },
            { name: 'version', type: 'bigint' },
            { name: 'preset', type: 'varchar' },
        ];
        return printRows({ columns, batches: batchOf(rows) }, context);
    };
    if (context.lake === undefined) {
        await print([...known.keys()].sort().map((name) => [name, null, NOT_ADDED]));
        return 0;
    }
    return useLake(
        context,
        async (lake) => {
            const store = await lake.store();
            const versions = new Map((await listInputs(store, prefix)).map(({ name, version }) => [name, version]));
            const rows: Value[][] = [];
            for (const name of [...new Set([...versions.keys(), ...known.keys()])].sort()) {
                const version = versions.get(name);
                const preset = known.has(name) ? await comparePreset(store, { prefix, name, version, preset: known.get(name) }) : null;
                rows.push([name, version === undefined ? null : BigInt(version), preset]);
            }
            await print(rows);
            const differing = rows.filter(([, , preset]) => preset === 'differs').map(([name]) => name);
            if (differing.length > 0) {
                const text = `This program has another ${noun} than the lake of ${differing.join(', ')}: flowlake ${noun} add <name> takes it, and reads again what was read by the other`;
                await context.stderr.write(`${text}\n`);
            }
            return 0;
        },
        { mayBeNew: true },
    );
}

const NOT_ADDED = 'not added';

/** How the preset stands to what the lake has. */
async function comparePreset(
    store: ObjectStore,
    { prefix, name, version = 0, preset }: { prefix: string; name: string; version: number | undefined; preset: unknown },
): Promise<string> {
    for (let at = version; at > 0; at -= 1) {
        if (isDeepStrictEqual(await readVersion(store, prefix, { name, version: at }), preset)) {
            return at === version ? 'equal' : 'changed';
        }
    }
    return version === 0 ? NOT_ADDED : 'differs';
}

/** Prints one input as JSON. @throws UsageError for a version that is no whole number */
export async function showOne(
    kind: KindWithInputs,
    { name, version: asked }: { name: string; version: string | undefined },
    context: RunContext,
): Promise<number> {
    const version = Number(asked ?? 0);
    if (asked !== undefined && !/^[1-9]\d{0,8}$/.test(asked)) {
        throw new UsageError(`Expected the number of a version from 1 on, got ${JSON.stringify(asked)}`);
    }
    if (!context.lake && version === 0) {
        const { document } = await documentNamed(kind, name, context);
        await context.stderr.write(`A preset of this program\n`);
        await context.stdout.write(`${JSON.stringify(document, undefined, 4)}\n`);
        return 0;
    }
    return useLake(
        context,
        async (lake) => {
            const store = await lake.store();
            const held = await findDocument(kind, name, store);
            if (version > held.version) {
                const last = held.version === 0 ? 'has none' : `has versions 1 to ${held.version}`;
                throw new Failure(`There is no ${sayInput(kind, { name, version })}: the lake ${last}`);
            }
            const shown =
                version === 0 || version === held.version
                    ? held
                    : { document: await readVersion(store, kind.inputs.prefix, { name, version }), version };
            const what =
                shown.version === 0
                    ? `A preset of this program; the lake has none of that name yet`
                    : sayInput(kind, { name, version: shown.version });
            await context.stderr.write(`${what}\n`);
            await context.stdout.write(`${JSON.stringify(shown.document, undefined, 4)}\n`);
            return 0;
        },
        { mayBeNew: true },
    );
}
