/** The dashboards for Grafana in docs/bi/grafana/, and their SQL as Grafana's Athena plugin makes it. */
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../docs/bi/grafana/', import.meta.url);

interface Target {
    rawSQL: string;
    format: number;
    datasource: { type: string };
}

interface GrafanaPanel {
    title: string;
    type: string;
    targets: Target[];
    options: object;
    fieldConfig?: { defaults: { custom?: object } };
}

export interface GrafanaDashboard {
    panels: GrafanaPanel[];
    templating: { list: { name: string; query: string | Target }[] };
}

/** Each dashboard by the name of its file. */
export function readDashboards(): Map<string, GrafanaDashboard> {
    return new Map(readdirSync(FOLDER).map((file) => [file, JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))]));
}

/** The range of a dashboard, and what is chosen in its variables. */
export const CHOSEN = {
    from: '2026-01-12 00:00:00',
    to: '2026-01-25 23:59:59',
    site: ['berlin', 'osaka'],
    metric: ['temperature'],
};

/**
 * The SQL as the plugin sends it to Athena, by https://grafana.com/docs/plugins/grafana-athena-datasource/latest/query-editor/ (macros) and
 * https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/ (`sqlstring`). @throws for what these pages do not have
 */
export function expand(sql: string): string {
    const macros: Readonly<Record<string, (argument: string) => string>> = {
        timeFrom: () => `TIMESTAMP '${CHOSEN.from}'`,
        timeTo: () => `TIMESTAMP '${CHOSEN.to}'`,
        unixEpochFilter: (column) => `${column} BETWEEN ${secondsOf(CHOSEN.from)} AND ${secondsOf(CHOSEN.to)}`,
    };
    const expanded = sql
        .replaceAll(/\$\{(site|metric):sqlstring\}/g, (_, name: 'site' | 'metric') =>
            CHOSEN[name].map((one) => `'${one.replaceAll("'", "''")}'`).join(','),
        )
        .replaceAll(/\$__(\w+)\(([^()]*)\)/g, (whole, name: string, argument: string) => macros[name]?.(argument) ?? whole);
    if (expanded.includes('$')) {
        throw new Error(`Neither a macro nor a variable: ${expanded.slice(expanded.indexOf('$'))}`);
    }
    return expanded;
}

function secondsOf(time: string): number {
    return Date.parse(`${time.replace(' ', 'T')}Z`) / 1000;
}
