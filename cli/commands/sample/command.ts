/** `flowlake sample`: files of flows or of messages to try things with; equal seeds give equal files. */
import { defineCommand } from '#cli/command';
import { choice, whole } from '#cli/option';

/** Names of sample/flows/tools.ts, said once more so that help need not load them. */
const TOOL_NAMES = ['zeek', 'zeek-json', 'suricata', 'nfdump', 'nfstream', 'aws-vpc'] as const;

/** How much is written where nothing is said of it. */
const FALLBACKS = { devices: 24, flows: 100_000, pairs: 200 };

export const sample = defineCommand({
    name: 'sample',
    summary: 'write realistic files of flows, or of device messages, the same for the same seed',
    details:
        'One file for each site and day, <dir>/site=<site>/<day>_Flow.csv, as probes in branch offices send them: workdays and weekends, ' +
        'steady and intermittent devices, and a few unusual days to be found. They are files of CICFlowMeter, or with --as the same flows as ' +
        'another tool writes them: nfdump and nfstream in milliseconds, aws-vpc in whole seconds and with a row for each direction. ' +
        'With --kind telemetry they are messages of a fleet: thermostats, asset trackers, tills and LoRaWAN sensors, in <dir>/<maker>/site=<site>/, with a profile for ' +
        'each maker in <dir>/profiles/. Some messages come twice, out of order or a day late; devices reboot, lose their clocks, are silent, and some are in trouble.',
    arguments: { dir: { meaning: 'folder to write to; made if it is missing', count: 'one', takes: 'directory' } },
    options: {
        kind: choice('--kind <kind>', 'flows or telemetry', ['flows', 'telemetry'], 'flows'),
        devices: whole('--devices <n>', 'devices of a fleet (telemetry)', { fallback: FALLBACKS.devices }),
        flows: whole('--flows <n>', 'rows in all files together', { fallback: FALLBACKS.flows }),
        days: whole('--days <n>', 'days', { fallback: 30 }),
        pairs: whole('--pairs <n>', 'pairs of devices', { fallback: FALLBACKS.pairs }),
        seed: whole('--seed <n>', 'other seed, other traffic', { fallback: 1, min: 0 }),
        as: choice('--as <tool>', `whose files: ${TOOL_NAMES.join(', ')}; CICFlowMeter's where it is not said`, TOOL_NAMES),
    },
    examples: [
        { line: 'sample ./samples', does: '30 days of three sites' },
        { line: 'sample ./zeek --as zeek', does: 'the same flows as conn.log of Zeek' },
        { line: 'sample ./fleet --kind telemetry --devices 50 --days 60', does: 'two months of 50 devices' },
        { line: 'sample ./many --flows 5000000 --days 90 --pairs 20000 --seed 7', does: 'enough to be busy with' },
    ],
    async run({ arguments: { dir }, options, ...context }) {
        const { writeSampleFiles } = await import('./run.ts');
        return writeSampleFiles(dir, { ...options, fallbacks: FALLBACKS }, context);
    },
});
