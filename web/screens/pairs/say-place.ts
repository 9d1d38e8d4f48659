/** Which rows of many are shown. */
import { groupDigits } from '../../parts/quantity.ts';

/** Which rows these are: `51 to 100`; how many, where their place is not known. */
export function sayPlace({ offset, count }: { offset: number | undefined; count: number }): string {
    return offset === undefined
        ? `${count} ${count === 1 ? 'row' : 'rows'}`
        : `${groupDigits(String(offset + 1))} to ${groupDigits(String(offset + count))}`;
}
