/** What a person should know of how a file of flows was read. */
import type { Doubt, Found } from '#lake/kind';

export function doubtsOf({ date_order: dateOrder, duration_unit: unit, duration_unit_by: unitBy }: Found): Doubt[] {
    const doubts: Doubt[] = [];
    if (dateOrder === 'assumed') {
        doubts.push({
            text: 'Nothing in {files} tells day from month',
            remedy: 'day first was taken; if the month is first: --replace --date-order mdy',
        });
    }
    if (unitBy === 'assumed') {
        const other = unit === 's' ? 'us' : 's';
        doubts.push({
            text: 'Nothing in {files} tells seconds from microseconds',
            remedy: `durations were taken for ${WORDS[unit ?? ''] ?? unit}; if that is wrong: --replace --duration-unit ${other}`,
        });
    }
    return doubts;
}

const WORDS: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds' };
