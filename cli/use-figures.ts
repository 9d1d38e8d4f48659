/** Opens the lake for commands that answer from its figures, and says where these are not what this version would make of the raw files. */
import type { Lake } from '#lake/lake';
import { noteOnOlderFigures } from '#lake/reports/older-figures';
import type { RunContext } from './command.ts';
import { useLake } from './use-lake.ts';

/** Opens the lake for `use`, which answers from its figures; first it says on stderr where they are due to be read anew. */
export function useFigures<T>(context: RunContext, use: (lake: Lake) => Promise<T>): Promise<T> {
    return useLake(context, async (lake) => {
        await tellOlderFigures(lake, context);
        return use(lake);
    });
}

/** Says on stderr that figures of the lake are due to be read anew, where they are. */
export async function tellOlderFigures(lake: Lake, { stderr, signal }: Pick<RunContext, 'stderr' | 'signal'>): Promise<void> {
    const note = await noteOnOlderFigures(lake);
    signal.throwIfAborted();
    if (note !== undefined) {
        await stderr.write(`${note}\n`);
    }
}
