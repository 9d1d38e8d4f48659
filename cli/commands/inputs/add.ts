/** Adds an input to the lake, and has read again what was read with another version. */
import pMap from 'p-map';
import { changeLake } from '#cli/change-lake';
import { Failure, type RunContext } from '#cli/command';
import { sayCount } from '#cli/draw/quantity';
import { useLake } from '#cli/use-lake';
import { failOn } from '#cli/work-in-view';
import { type BehindSource, findBehind } from '#lake/commit/fan-out';
import { workOff } from '#lake/commit/finish';
import { workInThreads } from '#lake/here/thread-workers';
import { addInput, sayInput } from '#lake/inputs';
import type { KindWithInputs } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { dayOfPeriod } from '#lake/layout';
import { nearestOf } from '#lake/nearest';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { checked, isFile, type NamedDocument, presetOf, readDocument } from './read-document.ts';

/** Adds the document of a file, or a preset, and says what that changed. @throws Failure where not all could be read again */
export async function addDocument(kind: KindWithInputs, word: string, context: RunContext): Promise<number> {
    const { name, document } = await documentOf(kind, word);
    return useLake(
        context,
        async (lake) => {
            await changeLake(lake, context, async () => {
                const store = await lake.store();
                const { version, isNew } = await addInput(store, kind.inputs.prefix, name, document);
                const what = sayInput(kind, { name, version });
                await context.stderr.write(isNew ? `Added ${what}\n` : `The lake has this very document as ${what}\n`);
                await readAgain({ kind, name, lake, store, context });
            });
            return 0;
        },
        { mayBeNew: true },
    );
}

async function documentOf(kind: KindWithInputs, word: string): Promise<NamedDocument> {
    if (isFile(word)) {
        return checked(kind, await readDocument(word), word);
    }
    const preset = await presetOf(kind, word);
    if (!preset) {
        const names = [...((await kind.inputs.presets?.()) ?? new Map<string, unknown>()).keys()];
        const nearest = nearestOf(word, names);
        const hint = nearest.length > 0 ? `; the nearest of the program are ${nearest.join(', ')}` : '';
        throw new Failure(`${word} is no ${kind.inputs.noun} of this program, and a file is named with its ending (${word}.json)${hint}`);
    }
    return preset;
}

interface ReadAgain {
    kind: KindWithInputs;
    name: string;
    lake: Lake;
    store: ObjectStore;
    context: RunContext;
}

/** Brings every source up to the version that holds: here, or by the workers of a deployed lake, whom S3 has told of the pointer. */
async function readAgain({ kind, name, lake, store, context }: ReadAgain): Promise<void> {
    const { stderr, signal, now } = context;
    const behind = await findBehind(store, { kind, name });
    const isThere = await pMap(behind, async ({ key }) => (await store.head(key)) !== undefined, { concurrency: CALLS_AT_ONCE, signal });
    const there = behind.filter((_, at) => isThere[at]);
    const pruned = behind.filter((_, at) => !isThere[at]);
    if (lake.kind === 'directory' && behind.length > 0) {
        // The pruned ones too: nothing of them is read, and what is derived from their periods is made anew.
        const sources = behind.map(({ key }) => ({ key }));
        const { errors } = await workOff(store, {
            workers: workInThreads(lake.directory, { signal }),
            now,
            sources,
            periodsAfter: async (touched) => touched,
        });
        failOn(errors);
    }
    if (there.length > 0) {
        const who = lake.kind === 'directory' ? 'Read' : 'The workers of the lake read';
        const when = lake.kind === 'directory' ? '' : '; flowlake status says what still waits';
        await stderr.write(`${who} ${sayCount(there.length, 'source')} of ${sayDays(there)} again${when}\n`);
    }
    if (pruned.length > 0) {
        const stay = `${sayCount(pruned.length, 'source')} of ${sayDays(pruned)}`;
        await stderr.write(`${stay} ${pruned.length === 1 ? 'stays' : 'stay'} as read before: the raw files were pruned\n`);
    }
}

function sayDays(sources: readonly BehindSource[]): string {
    return sayCount(new Set(sources.flatMap(({ periods }) => periods.map(dayOfPeriod))).size, 'day');
}
