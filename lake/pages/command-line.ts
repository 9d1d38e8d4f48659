/** Commands that a page shows to be typed. Names out of files may be anything, so that each word is quoted. */
import type { Lake } from '#lake/lake';
import { quoteForShell } from '#lake/quote-for-shell';

/** The command line that asks the same lake. */
export function commandLine(lake: Lake, words: readonly string[]): string {
    const name = lake.kind === 'directory' ? lake.directory : `s3://${lake.bucket}`;
    return ['flowlake', '--lake', name, ...words].map(quoteForShell).join(' ');
}
