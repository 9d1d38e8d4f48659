/** Writes the pages of docs/ that are computed from the code, and the kinds and tables for the Spark jobs: `npm run docs`. test/docs.test.ts says when they are stale. */
import { writeFile } from 'node:fs/promises';
import { commands } from '#cli/commands';
import { describeCommands } from '#cli/describe';
import type { Kind } from '#lake/kind';
import { kinds, tables } from '#lake/kinds';
import type { Column, MergedColumn, Table } from '#lake/tables';

const NOTE = '<!-- Written by docs/generate.ts: change the code it describes, then run `npm run docs`. -->';

/** The texts of the pages by their paths from docs/. */
export function generatePages(): Record<string, string> {
    return {
        'cli.md': `${NOTE}\n${describeCommands(commands)}`,
        'tables.md': `${NOTE}\n${describeTables(tables)}`,
        '../glue-jobs/tables.json': `${JSON.stringify({ kinds: kinds.map(forSpark), tables }, null, 4)}\n`,
    };
}

/** The facts of a kind that the Spark jobs know: its number and its tables, and nothing of how it is read. */
function forSpark({
    name,
    format,
    merged,
    contributions,
    rejects,
}: Kind): Pick<Kind, 'name' | 'format' | 'merged' | 'contributions' | 'rejects'> {
    return { name, format, merged, contributions, rejects };
}

function describeTables(described: readonly Table[]): string {
    const intro = [
        'What the lake keeps, as `flowlake query` and every SQL engine sees it. All figures are whole numbers: sums never pass through a float.',
        'Where a table has a column `merge`, it says how the values of rows with the same key become one, in every engine and language: `key`\n' +
            'columns tell rows apart, of the others it is the sum, the smallest (`min`) or the largest (`max`); null says nothing.',
        'A table of periods is partitioned by day: column `day` stands in the object’s key and not in the object. Where it has an object per hour\n' +
            '(UTC), the hour is the beginning of the object’s name, `day=D/HH...`, and no column.',
    ];
    return `${['# Tables', ...intro, ...described.map(describeTable)].join('\n\n')}\n`;
}

function describeTable({ name, prefix, format, per, grain, columns }: Table): string {
    const merges = columns.some((column) => mergeOf(column) !== undefined);
    const day: Column[] =
        per !== undefined
            ? [{ name: 'day', type: 'string', nullable: false, meaning: 'the day, `YYYY-MM-DD`; partition: it stands in the object’s key' }]
            : [];
    const rows = [...day, ...columns].map((column) => [
        column.name,
        column.type,
        column.unit ?? '',
        column.nullable ? 'yes' : '',
        ...(merges ? [mergeOf(column) ?? ''] : []),
        column.meaning,
    ]);
    const head = ['column', 'type', 'unit', 'may be null', ...(merges ? ['merge'] : []), 'meaning'];
    return [
        `## ${name}`,
        `One row per ${grain}. Objects: \`${prefix}\`, ${format}${per === undefined ? '' : `, by ${per}`}.`,
        [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ].join('\n\n');
}

/** The column's merge word, where its table's rows merge. */
function mergeOf(column: Column | MergedColumn): MergedColumn['merge'] | undefined {
    return 'merge' in column ? column.merge : undefined;
}

if (import.meta.main) {
    for (const [name, text] of Object.entries(generatePages())) {
        await writeFile(new URL(name, import.meta.url), text);
    }
}
