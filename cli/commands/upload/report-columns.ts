/** The columns in which an upload, or a trial of one, tells how each file came out. */
import { kindOf, kinds } from '#lake/kinds';
import { siteOf } from '#lake/layout';
import { factsOf } from '#lake/ledger';
import type { Value } from '#lake/query/query-engine';
import type { UploadResult } from '#lake/upload/result';

export interface ReportColumn {
    name: string;
    type: 'varchar' | 'bigint';
    cellOf: (result: UploadResult) => Value;
    /** The value of several files together; null where it says nothing of them. */
    ofAll: (values: readonly Value[]) => Value;
}

/** Columns of an upload. In a table the notes would push the figures off the screen: they stand below it. */
export function columnsOfUpload({ isTable }: { isTable: boolean }): ReportColumn[] {
    return [
        ...NAMES,
        textColumn('result', ({ result }) => result),
        ...counts(['rows_kept', 'rows_rejected']),
        ...DAYS,
        ...(isTable ? [] : [NOTE]),
    ];
}

/**
 * Columns of a trial: also what each file would be read as, by the findings of its kind, and what settled that. In a table what was found and its reason share a column, and
 * what no file has is left out.
 */
export function columnsOfTrial(results: readonly UploadResult[], { isTable, now }: { isTable: boolean; now: Date }): ReportColumn[] {
    const shown = kinds.filter((kind) => results.some(({ file }) => kindOf(file.key) === kind));
    const found = [
        ...new Map((shown.length > 0 ? shown : [kinds[0]]).flatMap((kind) => kind.found).map((column) => [column.name, column])).values(),
    ];
    const [texts, numbers] = (['string', 'bigint'] as const).map((type) => found.filter((column) => column.type === type));
    const keys = kinds.map(({ accounts }) => accounts?.keys);
    const howRead = (texts ?? []).map(({ name }) => name).filter((name) => !name.endsWith(BY) && !LISTS.includes(name));
    const isShown = ({ name }: { name: string }): boolean =>
        !keys.includes(name) && results.some(({ record }) => Number(record?.[name] ?? 0) > 0);
    return [
        ...NAMES,
        textColumn('would_be', ({ result }) => result),
        ...howRead.flatMap((name) => (isTable ? [textColumn(name, (result) => sayFound(name, result))] : foundColumns(name))),
        ...counts([
            'rows_read',
            'rows_kept',
            'rows_rejected',
            ...(numbers ?? []).filter((column) => !isTable || isShown(column)).map(({ name }) => name),
        ]),
        ...DAYS,
        ...(isTable
            ? []
            : [
                  ...LISTS.filter((name) => found.some((column) => column.name === name)).map((name) =>
                      textColumn(name, ({ record }) => textOf(record?.[name])),
                  ),
                  doubtColumn(now),
                  NOTE,
              ]),
    ];
}

/** What settled a finding stands in the column of this ending. */
const BY = '_by';

/** Columns that list reasons: too long for a table. */
const LISTS = ['skipped', 'rejected', 'unknown_fields'];

function textColumn(name: string, cellOf: (result: UploadResult) => Value): ReportColumn {
    const isSame = (values: readonly Value[]): boolean => new Set(values).size === 1;
    return { name, type: 'varchar', cellOf, ofAll: (values) => (isSame(values) ? (values[0] ?? null) : null) };
}

function counts(names: readonly string[]): ReportColumn[] {
    return names.map((name) => ({
        name,
        type: 'bigint',
        cellOf: ({ record }) => (typeof record?.[name] === 'number' ? BigInt(record[name]) : null),
        ofAll: (values) => {
            const known = values.filter((value) => typeof value === 'bigint');
            return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0n);
        },
    }));
}

const NAMES: readonly ReportColumn[] = [textColumn('site', ({ file }) => siteOf(file.key)), textColumn('file', ({ file }) => file.shown)];

const DAYS: readonly ReportColumn[] = (['first_day', 'last_day'] as const).map((name) => ({
    name,
    type: 'varchar',
    cellOf: ({ record }) => record?.[name] ?? null,
    ofAll: (values) =>
        values
            .filter((value) => value !== null)
            .sort()
            .at(name === 'first_day' ? 0 : -1) ?? null,
}));

const NOTE = textColumn('note', ({ note }) => note ?? null);

function doubtColumn(now: Date): ReportColumn {
    return textColumn('doubt', ({ file, record }) => {
        const doubts = record ? kindOf(file.key).doubtsOf(factsOf(record), { options: record.options, now }) : [];
        return doubts.map(({ text, remedy }) => `${text.replace('{files}', 'the file')}: ${remedy}`).join('; ') || null;
    });
}

/** A finding and what settled it, each in a column of its own. */
function foundColumns(name: string): ReportColumn[] {
    return [
        textColumn(name, ({ record }) => textOf(record?.[name])),
        ...(isSettled(name) ? [textColumn(`${name}${BY}`, (result) => settledBy(name, result))] : []),
    ];
}

function sayFound(name: string, result: UploadResult): Value {
    const found = textOf(result.record?.[name]);
    const by = isSettled(name) ? settledBy(name, result) : null;
    return found === null || by === null || by === found ? found : `${found} (${by})`;
}

/** True for findings that an uploader can give, or that say themselves what settled them. */
function isSettled(name: string): boolean {
    return kinds.some(
        ({ found, options }) =>
            found.some((column) => column.name === `${name}${BY}`) || options.some((option) => columnOf(option.name) === name),
    );
}

/** What settled a finding: as the reader says it; else `given` by the uploader, `assumed`, or `written` so in the file. */
function settledBy(name: string, { record }: UploadResult): string | null {
    const said = textOf(record?.[`${name}${BY}`]);
    const found = textOf(record?.[name]);
    if (said !== null || found === null) {
        return said;
    }
    // An option that the file has no use for settles nothing.
    const isGiven = Object.entries(record?.options ?? {}).some(([option, given]) => columnOf(option) === name && given === found);
    return isGiven ? 'given' : found === 'assumed' ? found : 'written';
}

/** The column of what an option says: `date_order` of `dateOrder`. */
function columnOf(option: string): string {
    return option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function textOf(value: unknown): string | null {
    return typeof value === 'string' ? value : null;
}
