/** What a command of a directory lake does first: finish the work of those that were killed. */
import { finishWork } from '#lake/here/finish-work';
import type { Mark } from '#lake/here/local-work';
import type { Context } from './command.ts';

/** As an upload does: the mark of this command takes theirs away in the end. @throws what could not be finished */
export async function finishCutOff(
    directory: string,
    mark: Mark,
    { stderr, signal, now }: Pick<Context, 'stderr' | 'signal' | 'now'>,
): Promise<void> {
    if (mark.isWorkLeft) {
        await stderr.write('A command was cut off in this lake; finishing its work first\n');
        const { errors } = await finishWork(directory, { now: now(), signal });
        signal.throwIfAborted();
        if (errors[0]) {
            throw errors[0];
        }
    }
}
