/** The lines of the recorded tour, in order. What they print is never written by hand: docs/tour/record.ts runs them. */

export interface Step {
    /** What is said before the line. */
    says: string;
    /** The words behind `flowlake`. */
    line: string;
}

export const STEPS: readonly Step[] = [
    { says: 'Two weeks of flows, as probes in three branches would send them.', line: 'sample captures --flows 8000 --days 14' },
    { says: 'They go into a lake, which is a directory.', line: '--lake lake upload --date-order dmy captures' },
    { says: 'Which pairs of devices move the most?', line: '--lake lake pairs --top 5' },
    { says: 'What was unusual, against each pair’s own past?', line: '--lake lake anomalies --limit 3' },
    {
        says: 'Anything else, in SQL.',
        line: '--lake lake query "select site, count(*) as days, sum(flows) as flows from day_totals group by site order by site"',
    },
    { says: 'Devices report too: a week of a small fleet.', line: 'sample fleet --kind telemetry --devices 8 --days 7' },
    { says: 'A profile says how a maker’s messages are read.', line: '--lake lake profile add fleet/profiles/thermostat.json' },
    { says: 'Their messages go into the same lake.', line: '--lake lake upload --kind telemetry --profile thermostat fleet/thermostat' },
    { says: 'Was something wrong?', line: '--lake lake alerts' },
    { says: 'What did the room go through?', line: '--lake lake readings thermostat-001 --metric temperature --plot' },
    { says: 'A week as one page, to be sent by mail.', line: '--lake lake report -o week.html' },
    { says: 'And does every figure follow from the files? They are read once more, by another reader.', line: '--lake lake verify' },
];
