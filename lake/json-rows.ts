/** Rows as JSON has them, an object per row: whole numbers stand digit by digit, and a number that JSON has not (NaN) is null. */
import type { Value } from '#lake/query/query-engine';

/** Turns rows with these columns into JSON. A name that comes again has a number, `a, a` is `a, a_2`: an object has each key once. */
export function jsonRowWriter(columns: readonly { name: string }[]): (row: readonly Value[]) => string {
    const keys = distinctNames(columns.map(({ name }) => name)).map((name) => JSON.stringify(name));
    return (row) => `{${row.map((value, at) => `${keys[at]}:${jsonValue(value)}`).join(',')}}`;
}

function jsonValue(value: Value): string {
    return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

function distinctNames(names: readonly string[]): string[] {
    const taken = new Set<string>();
    return names.map((name) => {
        let free = name;
        for (let n = 2; taken.has(free); n++) {
            free = `${name}_${n}`;
        }
        taken.add(free);
        return free;
    });
}
