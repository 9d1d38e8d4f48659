/** Registers the devices of a CSV file. */
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import { Failure, type RunContext } from '#cli/command';
import { batchOf } from '#cli/draw/batch-of';
import { printRows } from '#cli/draw/print-rows';
import { tellServe } from '#cli/tell-serve';
import { useLake } from '#cli/use-lake';
import { applyChange, checkAddresses, type DeviceChange, groupBy, readDevices, registerDevice } from '#lake/devices';
import { StorageError, UsageError } from '#lake/errors';
import { isDay } from '#lake/instant';
import type { Lake } from '#lake/lake';
import type { Value } from '#lake/query/query-engine';
import { CALLS_AT_ONCE, type ObjectStore } from '#lake/store/object-store';
import { checkWishes, makeCredentials } from './credentials.ts';
import { needProfiles, todayOf } from './run.ts';
import type { Wishes } from './wishes.ts';

const COLUMNS = ['device', 'profile', 'site', 'ip', 'place', 'from'] as const;

interface Line {
    number: number;
    change: DeviceChange;
}

/** Prints a row for each line. @throws Failure that names the line for what the registry cannot hold; nothing is written then */
export async function importFile(path: string, wishes: Wishes, context: RunContext): Promise<number> {
    const { out, token } = wishes;
    if (token && out === undefined) {
        throw new UsageError('--token of many devices goes into their folders: give --out DIR with it');
    }
    const lines = readLines(await readText(path, context));
    return useLake(
        context,
        async (lake) => {
            const store = await lake.store();
            // What a folder of a directory lake's device has is kept.
            await checkWishes(lake, lake.kind === 's3' ? lines.map(({ change }) => change.device) : [], wishes);
            await tryAll(lines, { store, today: todayOf(context) });
            await needProfiles(
                store,
                lines.map(({ change }) => change.profile),
                context,
            );
            const rows = await writeAll(lines, { store, context });
            if (lake.kind === 's3') {
                const ids = new Set(lines.map(({ change }) => change.device));
                const { noteOnAws } = await import('./aws.ts');
                await noteOnAws(lake, [...ids], context);
            }
            const made = await giveAll(lake, lines, { wishes, context });
            await tellServe(lake);
            const columns = [
                { name: 'line', type: 'bigint' },
                { name: 'device', type: 'varchar' },
                { name: 'result', type: 'varchar' },
                ...(made.size === 0 ? [] : [{ name: 'credentials', type: 'varchar' }]),
            ];
            const shown = made.size === 0 ? rows : rows.map((row) => [...row, made.get(String(row[1])) ?? null]);
            await printRows({ columns, batches: batchOf(shown) }, context);
            return 0;
        },
        { mayBeNew: true },
    );
}

/** Registers each line. @returns a row for each, in their order */
async function writeAll(lines: readonly Line[], { store, context }: { store: ObjectStore; context: RunContext }): Promise<Value[][]> {
    const { signal } = context;
    const ofDevices = [...groupBy(lines, ({ change }) => change.device).values()];
    const write = async (ofDevice: readonly Line[]) => {
        const rows: { number: number; row: Value[] }[] = [];
        for (const { number, change } of ofDevice) {
            const result = await registerDevice(store, change, { today: todayOf(context), areAddressesChecked: true });
            rows.push({ number, row: [BigInt(number), change.device, result] });
        }
        return rows;
    };
    const done = await pMap(ofDevices, write, { concurrency: CALLS_AT_ONCE, signal });
    return done
        .flat()
        .sort((a, b) => a.number - b.number)
        .map(({ row }) => row);
}

/**
 * Gives each device what is wished for, unless it has it: so an import that was cut off is taken up by another.
 * @returns `made` or `kept` for each device
 */
async function giveAll(
    lake: Lake,
    lines: readonly Line[],
    { wishes, context }: { wishes: Wishes; context: RunContext },
): Promise<Map<string, string>> {
    const made = new Map<string, string>();
    if (wishes.out === undefined && !wishes.program) {
        return made;
    }
    for (const device of new Set(lines.map(({ change }) => change.device))) {
        context.signal.throwIfAborted();
        const { isNew } = await makeCredentials(lake, device, wishes, context);
        made.set(device, isNew ? 'made' : 'kept');
    }
    return made;
}

/** Looks at all lines together, in their order, and at the devices that are registered. @throws Failure for what the registry cannot hold */
async function tryAll(lines: readonly Line[], { store, today }: { store: ObjectStore; today: string }): Promise<void> {
    const known = groupBy(await readDevices(store), ({ device }) => device);
    for (const line of lines) {
        const { device } = line.change;
        known.set(device, await atLine(line, async () => applyChange(known.get(device) ?? [], line.change, { today })));
    }
    const changed = new Set(lines.map(({ change }) => change.device));
    try {
        checkAddresses([...known.values()].flat(), { changed });
    } catch (error) {
        throw error instanceof UsageError ? new Failure(error.message, { cause: error }) : error;
    }
}

async function atLine<T>({ number }: Line, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw error instanceof UsageError ? new Failure(`Line ${number}: ${error.message}`, { cause: error }) : error;
    }
}

async function readText(path: string, { readInput }: RunContext): Promise<string> {
    if (path !== '-') {
        return readFile(path, 'utf8').catch((error: Error) => {
            throw new StorageError(`cannot read ${path}: ${error.message}`, { cause: error });
        });
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of readInput()) {
        pieces.push(Uint8Array.from(piece));
    }
    return Buffer.concat(pieces).toString();
}

/** The lines behind the header. @throws Failure for a header or line that cannot be read */
function readLines(text: string): Line[] {
    const [header, ...rows] = readRows(text.replace(/^\ufeff/, ''));
    const names = header?.fields.map((name) => name.trim()) ?? [];
    const unknown = names.filter((name) => !COLUMNS.some((column) => column === name));
    if (!names.includes('device') || unknown.length > 0 || new Set(names).size < names.length) {
        const found =
            unknown.length > 0 ? `unknown ${unknown.map((name) => JSON.stringify(name)).join(', ')}` : names.join(', ') || 'nothing';
        throw new Failure(
            `The first line must name the columns, device and any of ${COLUMNS.slice(1).join(', ')}, each once: found ${found}`,
        );
    }
    return rows.map(({ number, fields }) => {
        if (fields.length !== names.length) {
            throw new Failure(`Line ${number} has ${fields.length} fields, the header ${names.length}`);
        }
        const said = names.map((name, at) => [name, fields[at]?.trim()]).filter(([, value]) => value !== '');
        const change = { device: '', ...Object.fromEntries(said) };
        if (change.from !== undefined && !isDay(change.from)) {
            throw new Failure(`Line ${number}: ${JSON.stringify(change.from)} is no day of the calendar, YYYY-MM-DD`);
        }
        return { number, change };
    });
}

/** A field in quotes, up to what ends it. */
const QUOTED = /"([^"]*(?:""[^"]*)*)"[ \t\r]*(?=[,\n]|$)/y;

/** The rows of a CSV text that are not empty, each with the number of its first line; quotes as in RFC 4180. */
function readRows(text: string): { number: number; fields: string[] }[] {
    const rows: { number: number; fields: string[] }[] = [];
    let number = 1;
    let line = 1;
    let fields: string[] = [];
    let at = 0;
    const ending = /[,\n]/g;
    while (at < text.length) {
        let field: string;
        if (text[at] === '"') {
            QUOTED.lastIndex = at;
            const end = QUOTED.exec(text);
            if (!end) {
                throw new Failure(`Line ${line}: a field in quotes does not end, or goes on behind them`);
            }
            field = (end[1] ?? '').replaceAll('""', '"');
            at += end[0].length;
            line += field.split('\n').length - 1;
        } else {
            ending.lastIndex = at;
            const end = ending.exec(text)?.index ?? text.length;
            field = text.slice(at, end).replace(/\r$/, '');
            at = end;
        }
        fields.push(field);
        const isEnd = at >= text.length || text[at] === '\n';
        if (text[at] === ',' && at + 1 === text.length) {
            fields.push('');
        }
        if (isEnd || at + 1 >= text.length) {
            if (fields.some((one) => one.trim() !== '')) {
                rows.push({ number, fields });
            }
            fields = [];
            line += 1;
            number = line;
        }
        at += 1;
    }
    return rows;
}
