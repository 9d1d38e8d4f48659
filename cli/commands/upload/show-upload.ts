/** Shows on stderr how far an upload is: a line that is drawn over, and what is to be said. */
import { cutOffEvents } from '#cli/change-lake';
import type { RunContext } from '#cli/command';
import { openProgress, type Progress } from '#cli/draw/progress';
import { sayCount } from '#cli/draw/quantity';
import type { Lake } from '#lake/lake';
import type { UploadEvents } from '#lake/upload/request';
import { showWaiting } from './show-waiting.ts';

/** The events that show what an upload tells; `end` takes away what is drawn, whatever the upload's end was. */
export function showUpload(
    lake: Pick<Lake, 'kind'>,
    context: Pick<RunContext, 'stderr' | 'now' | 'signal'>,
    { isTrial }: { isTrial: boolean },
): { events: UploadEvents; end: () => Promise<void> } {
    const { stderr, now, signal } = context;
    const waiting = showWaiting(context);
    const isDirectory = lake.kind === 'directory';
    let progress: Progress | undefined;
    return {
        events: {
            ...waiting.events,
            ...cutOffEvents(context),
            async onInputAdded(input) {
                await stderr.write(`Added ${input} to the lake, a preset of this program\n`);
            },
            onBegin(totalBytes) {
                progress = openProgress({ stderr, now, doing: isTrial ? 'Reading' : 'Uploading', totalBytes });
            },
            onBytes: (bytes) => progress?.advance(bytes),
            async onTaken(added) {
                const did = isTrial ? 'Read' : isDirectory ? 'Uploaded' : 'Stored';
                const said = `${did} ${sayCount(added, 'file')}`;
                await (isDirectory || added > 0 ? progress?.finish(said) : progress?.stop());
            },
            async onNotCompared() {
                await stderr.write('Too many sources to look for the same rows among them after each upload: flowlake status looks\n');
            },
            async onBrokenOff({ taken, of, isAnyLeft }) {
                await progress?.stop();
                // An interruption leaves nothing to mend; of any other end the error follows.
                const mended = signal.aborted ? '' : 'once what follows is mended, ';
                const rest = isAnyLeft
                    ? `${mended}the next upload or flowlake reconcile finishes the rest`
                    : 'of the others nothing is in the lake';
                await stderr.write(
                    isDirectory
                        ? `${taken} of ${of} files taken in; ${rest}\n`
                        : `${taken} of ${sayCount(of, 'file')} stored; run the same command again for the rest, it goes on where it was\n`,
                );
            },
        },
        async end() {
            await progress?.stop();
            await waiting.end();
        },
    };
}
