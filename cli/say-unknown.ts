/** The words for raw files of kinds that this program does not know. */
import { kinds } from '#lake/kinds';
import { sayCount } from './draw/quantity.ts';

/** Which files are left alone, why, and what to do; of many the first three by name. */
export function sayUnknown(rawKeys: readonly string[]): string {
    const shown = rawKeys.slice(0, 3).join(', ') + (rawKeys.length > 3 ? ` and ${rawKeys.length - 3} more` : '');
    const known = kinds.map(({ name }) => name).join(', ');
    return `${sayCount(rawKeys.length, 'raw file is', 'raw files are')} of a kind that this flowlake does not know (${shown}; it knows ${known}) and left alone: install a version that does, or rename the folder kind=...`;
}
