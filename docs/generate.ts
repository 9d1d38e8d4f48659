/**
 * Writes the pages of docs/ that are computed from the code, the prefixes of all kinds into the policies of docs/security.md, and the kinds and tables
 * for the Spark jobs: `npm run docs`. test/docs.test.ts says when they are stale.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { commands } from '#cli/commands';
import { clientLines } from '#cli/commands/device/client-lines';
import { describeCommands } from '#cli/describe';
import type { Kind } from '#lake/kind';
import { kinds, kindsWithInputs, tables } from '#lake/kinds';
import { DEVICES_PREFIX, LEDGER_PREFIX, RAW_PREFIX, TRIES_PREFIX } from '#lake/layout';
import { apiDocument } from '#lake/live/api/routes';
import type { Column, MergedColumn, MergedTable, Table } from '#lake/tables';
import { grafanaFiles } from './bi/grafana.ts';
import { supersetFiles } from './bi/superset.ts';
import { describeCosts } from './costs.ts';
import { describePresets, describeWords } from './profile-pages.ts';

const NOTE = '<!-- Written by docs/generate.ts: change the code it describes, then run `npm run docs`. -->';

/** The texts of the pages by their paths from docs/. */
export function generatePages(): Record<string, string> {
    return {
        'cli.md': `${NOTE}\n${describeCommands(commands)}`,
        'tables.md': `${NOTE}\n${describeTables(tables)}`,
        'profile-words.md': `${NOTE}\n${describeWords()}`,
        'presets.md': `${NOTE}\n${describePresets()}`,
        'openapi.json': `${JSON.stringify(apiDocument(), null, 4)}\n`,
        'devices.md': withClientLines(readFileSync(new URL('devices.md', import.meta.url), 'utf8')),
        'scale.md': withCosts(readFileSync(new URL('scale.md', import.meta.url), 'utf8')),
        'security.md': withPrefixesOfKinds(readFileSync(new URL('security.md', import.meta.url), 'utf8')),
        ...below('bi/grafana/', grafanaFiles()),
        ...below('bi/superset/', supersetFiles()),
        '../glue-jobs/tables.json': `${JSON.stringify({ kinds: kinds.map(forSpark), tables }, null, 4)}\n`,
    };
}

function below(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(Object.entries(files).map(([path, text]) => [folder + path, text]));
}

/** The facts of a kind that the Spark jobs know: its number, its tables and where its inputs stand, and nothing of how it is read. */
function forSpark({ name, format, unsaidFormat, merged, contributions, rejects, inputs, derived }: Kind): object {
    return {
        name,
        format,
        ...(unsaidFormat !== undefined && { unsaidFormat }),
        merged,
        contributions,
        rejects,
        ...(inputs && { inputs: inputs.prefix }),
        ...(derived && { derived: derived.map(({ table, format: number, isChained }) => ({ format: number, isChained, table })) }),
    };
}

function describeTables(described: readonly Table[]): string {
    const intro = [
        'What the lake keeps, as `flowlake query` and every SQL engine sees it. All figures are whole numbers or decimals: sums never pass through a float.',
        'Where a table has a column `merge`, it says how the values of rows with the same key become one, in every engine and language: `key`\n' +
            'columns tell rows apart, of the others it is the sum, the smallest (`min`) or the largest (`max`); null says nothing. The `first`\n' +
            'columns of a table stay together: they are those of the row in which they are smallest, compared in their order, a null behind every\n' +
            'value.',
        'A table of periods is partitioned by day: column `day` stands in the object’s key and not in the object. Where it has an object per hour\n' +
            '(UTC), the hour is the beginning of the object’s name, `day=D/HH...`, and no column.',
    ];
    return `${['# Tables', ...intro, ...described.map(describeTable)].join('\n\n')}\n`;
}

function describeTable({ name, prefix, format, per, grain, columns, ...others }: Table): string {
    const { codec, groupRows }: Pick<MergedTable, 'codec' | 'groupRows'> = others;
    const written = [codec, groupRows && `row groups of ${groupRows.toLocaleString('en')} rows`].filter(Boolean).join(', ');
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
        `One row per ${grain}. Objects: \`${prefix}\`, ${format}${written && ` (${written})`}${per === undefined ? '' : `, by ${per}`}.`,
        [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    ].join('\n\n');
}

/** The column's merge word, where its table's rows merge. */
function mergeOf(column: Column | MergedColumn): MergedColumn['merge'] | undefined {
    return 'merge' in column ? column.merge : undefined;
}

/** The page with the lines of each client between its marks: those for a lake in a directory, and those for one on AWS. */
function withClientLines(page: string): string {
    const here = { host: 'localhost', httpBase: 'http://localhost:8080' };
    const aws = {
        host: 'a1b2c3d4e5f6g7-ats.iot.eu-central-1.amazonaws.com',
        httpBase: 'https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com',
    };
    return page
        .replace(/(?<=<!-- The lines of .*?-->\n).*?(?=<!-- End of the lines. -->)/s, () => `\n${showLines(here)}\n`)
        .replace(/(?<=<!-- The AWS lines of .*?-->\n).*?(?=<!-- End of the AWS lines. -->)/s, () => `\n${showLines(aws)}\n`);
}

function showLines(where: { host: string; httpBase: string }): string {
    const options = { device: 'th-1', directory: 'devices', mqttPort: 8883, ...where };
    return clientLines({ ...options, message: { topic: 't/th-1', payload: '{"temperature":21.3}' } })
        .map(({ client, by, needs, text }) => `**${client}**, by ${by} (${needs}):\n\n\`\`\`sh\n${text}\`\`\`\n`)
        .join('\n');
}

function withCosts(page: string): string {
    return page.replace(/(?<=<!-- The costs .*-->\n).*(?=<!-- End of the costs. -->)/s, () => `\n${describeCosts()}\n\n`);
}

/** Lines of a policy that name prefixes of the bucket, one below the other. */
const PREFIX_LINES = /(?:^ *"arn:aws:s3:::[a-z0-9-]+\/[a-z_]+\/\*",?\n)+/gm;

const OF_NO_KIND = [RAW_PREFIX, LEDGER_PREFIX, DEVICES_PREFIX, TRIES_PREFIX];

/** The page with every kind's merged and derived tables where a policy lists the first kind's, and so with rejects; what is of no kind stays as it is. */
function withPrefixesOfKinds(page: string): string {
    return page.replace(PREFIX_LINES, (lines) => {
        const [, before = '', after = ''] = /^( *"arn:aws:s3:::[a-z0-9-]+\/)[a-z_]+\/(\*")/.exec(lines) ?? [];
        const listed = [...lines.matchAll(/\/([a-z_]+\/)\*"/g)].map(([, prefix = '']) => prefix);
        const figures = kinds.flatMap(({ merged, derived = [] }) => [merged.prefix, ...derived.map(({ table }) => table.prefix)]);
        const ofKinds = [
            figures,
            kinds.map(({ contributions }) => contributions.prefix),
            kinds.map(({ rejects }) => rejects.prefix),
            kindsWithInputs().map(({ inputs }) => inputs.prefix),
        ];
        const wanted = listed.flatMap((prefix) =>
            OF_NO_KIND.includes(prefix) ? [prefix] : (ofKinds.find(([first]) => first === prefix) ?? []),
        );
        return `${wanted.map((prefix) => `${before}${prefix}${after}`).join(',\n')}\n`;
    });
}

if (import.meta.main) {
    for (const [name, text] of Object.entries(generatePages())) {
        await mkdir(new URL('./', new URL(name, import.meta.url)), { recursive: true });
        await writeFile(new URL(name, import.meta.url), text);
    }
}
