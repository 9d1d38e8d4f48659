/** The dashboards for Grafana in docs/bi/grafana/ fit the schema of Grafana that is released. */
import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { type GrafanaDashboard, readDashboards } from '#test/support/grafana-dashboards';
import { makeFolder } from '#test/support/temporary';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const dashboards = readDashboards();

/** Files of the schema that say how each type of panel is set up. */
const PANEL_SCHEMAS: Readonly<Record<string, string>> = {
    stat: 'stat/panelcfg/x/StatPanelCfg_types.gen',
    table: 'table/panelcfg/x/TablePanelCfg_types.gen',
    timeseries: 'timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen',
};

test.each([...dashboards])(
    '%s fits the schema of Grafana that is released',
    async (_, { ...made }) => {
        expect(await faultsBySchema(made)).toBe('');
    },
    60_000,
);

test.each<[string, (made: GrafanaDashboard) => object, string]>([
    ['a field of another type', (made) => ({ ...made, schemaVersion: 'many' }), "Type 'string' is not assignable to type 'number'"],
    ['a field that there is not', (made) => ({ ...made, refreshments: true }), '"refreshments"'],
    [
        'an option of a panel that there is not',
        ({ panels: [first, ...others], ...made }) => ({
            ...made,
            panels: [{ ...first, options: { ...first?.options, graphMode: 'loud' } }, ...others],
        }),
        '"loud"',
    ],
])(
    '%s is found',
    async (_, change, said) => {
        const [made] = dashboards.values();
        expect(await faultsBySchema(change(made as GrafanaDashboard) as GrafanaDashboard)).toContain(said);
    },
    60_000,
);

/** What TypeScript says of the dashboard as a value of the schema's types; nothing where it fits. */
async function faultsBySchema(made: GrafanaDashboard): Promise<string> {
    const folder = await makeFolder();
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const imports = Object.entries(PANEL_SCHEMAS).map(
        ([type, path]) => `import type * as ${type} from '@grafana/schema/dist/esm/raw/composable/${path}';`,
    );
    const panels = made.panels.map(
        ({ type, options, fieldConfig }, place) =>
            `export const options${place}: Plain<Partial<${type}.Options>> = ${JSON.stringify(options)};\n` +
            (fieldConfig?.defaults.custom === undefined
                ? ''
                : `export const field${place}: Plain<Partial<${type}.FieldConfig>> = ${JSON.stringify(fieldConfig.defaults.custom)};\n`),
    );
    const source = [
        "import type { Dashboard } from '@grafana/schema';",
        ...imports,
        '// JSON has texts where the schema has members of an enum.',
        'type Plain<T> = T extends string ? `$' +
            '{T}` : T extends number | boolean | null | undefined ? T : T extends (infer One)[] ? Plain<One>[] : { [K in keyof T]: Plain<T[K]> };',
        `export const dashboard: Plain<Dashboard> = ${JSON.stringify(made)};`,
        ...panels,
    ].join('\n');
    await writeFile(join(folder, 'dashboard.ts'), source);
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const flags = [
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        '--module',
        'nodenext',
        '--pretty',
        'false',
        '--types',
        '',
        '--lib',
        'es2023,dom',
    ];
    return promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), [...flags, 'dashboard.ts'], { cwd: folder }).then(
        ({ stdout }) => stdout,
        ({ stdout, stderr, message }: { stdout?: string; stderr?: string; message: string }) => stdout || stderr || message,
    );
}
