/** `flowlake query`: any SQL that reads, over the tables and views of the lake. */
import { defineCommand } from '#cli/command';
import { file } from '#cli/option';
import { tables } from '#lake/kinds';

export const query = defineCommand({
    name: 'query',
    summary: 'answer SQL over the lake’s tables and views',
    details:
        `Tables: ${tables.map(({ name }) => name).join(', ')}. ` +
        'Views: pair_running, pair_stats, pair_features, pair_usual, pair_anomalies, day_totals; of devices metric_hour_values, metric_days, metric_anomalies, metric_drift, metric_features, ' +
        'all_episodes, device_health, device_traffic, fleet_hours, and in a directory readings_wide_<profile>. ' +
        'A table rounds fractions to three places; --output json and csv print all of them. ' +
        'On AWS Athena answers, which is paid by what it reads: that and its list price are said before the rows.',
    arguments: { sql: { meaning: 'one statement that reads, or - for what is piped in', count: 'one or none' } },
    options: {
        file: file('-f, --file <file>', 'read the SQL from a file'),
    },
    scans: true,
    examples: [
        { line: 'query "select * from day_totals order by day"', does: 'flows, pairs and packets of every site and day' },
        { line: 'query -f busiest.sql --output csv > busiest.csv', does: 'SQL from a file, rows into another' },
        { line: 'query - --output json < busiest.sql', does: 'SQL that is piped in' },
        { line: 'query --max-scan 1GB "select count(*) from pair_days"', does: 'on AWS: for half a cent at most, or hardly more' },
    ],
    async run({ arguments: { sql }, options, ...context }) {
        const { answer } = await import('./run.ts');
        return answer(sql, options, context);
    },
});
