/** Writes the pages of docs/ that are computed from the code, and the tables for the Spark job: `npm run docs`. test/docs.test.ts says when they are stale. */
import { writeFile } from 'node:fs/promises';
import { commands } from '#cli/commands';
import { describeCommands } from '#cli/describe';
import { kinds, tables } from '#lake/kinds';
import type { Column, Table } from '#lake/tables';

const NOTE = '<!-- Written by docs/generate.ts: change the code it describes, then run `npm run docs`. -->';

/** @returns the texts by their paths from docs/ */
export function generatePages(): Record<string, string> {
    return {
        'cli.md': `${NOTE}\n${describeCommands(commands)}`,
        'tables.md': `${NOTE}\n${describeTables(tables)}`,
        '../glue-jobs/tables.json': `${JSON.stringify({ kinds: kinds.map(({ name, format, merged, contributions, rejects }) => ({ name, format, merged, contributions, rejects })), tables }, null, 4)}\n`,
    };
}

function describeTables(described: readonly Table[]): string {
    const intro =
        'What the lake keeps, as `flowlake query` and every SQL engine sees it. All figures are whole numbers: sums never pass through a float.';
    return `${['# Tables', intro, ...described.map(describeTable)].join('\n\n')}\n`;
}

function describeTable({ name, prefix, format, per, grain, columns }: Table): string {
    const day: Column[] =
        per !== undefined
            ? [{ name: 'day', type: 'string', nullable: false, meaning: 'the day, `YYYY-MM-DD`; partition: it stands in the object’s key' }]
            : [];
    const rows = [...day, ...columns].map(
        ({ name: column, type, unit, nullable, meaning }) =>
            `| ${column} | ${type} | ${unit ?? ''} | ${nullable ? 'yes' : ''} | ${meaning} |`,
    );
    return [
        `## ${name}`,
        `One row per ${grain}. Objects: \`${prefix}\`, ${format}.`,
        ['| column | type | unit | may be null | meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n'),
    ].join('\n\n');
}

if (import.meta.main) {
    for (const [name, text] of Object.entries(generatePages())) {
        await writeFile(new URL(name, import.meta.url), text);
    }
}
