/** Plays the demo: each step is a command line that is shown, and run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, type RunContext } from '#cli/command';
import { fetchReport, plotReport } from '#cli/pair-report';
import { useLake } from '#cli/use-lake';
import { parseLakeLocation } from '#lake/lake';
import { quoteForShell } from '#lake/quote-for-shell';
import { askCounted } from '#lake/reports/ask-counted';
import { plannedAnomalies } from '#sample/flows/sample-files';
import { plannedTroubles } from '#sample/telemetry/sample-files';

/** The demo's sample: enough flows for every unusual day to stand out, few enough for a slow laptop. */
const SAMPLE = { flows: 100_000, days: 30, pairs: 200, seed: 1 };

/** Its devices: four of them thermostats, of which one gets too warm. */
const FLEET = { devices: 8, days: 7, seed: 1 };

/** Makes a temporary lake and asks it the first questions. The lake stays, unless the demo breaks off. */
export async function playDemo(context: RunContext): Promise<number> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-demo-'));
    try {
        await present(context, { folder, samples: join(folder, 'samples'), fleet: join(folder, 'fleet'), lake: join(folder, 'lake') });
    } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
    }
    return 0;
}

interface Places {
    folder: string;
    samples: string;
    fleet: string;
    lake: string;
}

async function present(
    { stdout, stderr, signal, environment, invocation, invoke }: RunContext,
    { folder, samples, fleet, lake }: Places,
): Promise<void> {
    const show = (argv: readonly string[]) => [invocation, ...argv.map(quoteForShell)].join(' ');
    const step = async (title: string, argv: readonly string[], { maxLines = 100 }: { maxLines?: number } = {}) => {
        await stderr.write(`${title === '' ? '' : `\n${title}\n`}$ ${show(argv)}\n`);
        let printed = '';
        const write = async (text: string) => {
            printed += text;
        };
        const exitCode = await invoke(argv, {
            stdout: { isTerminal: stdout.isTerminal, canRedraw: false, columns: stdout.columns, write, control: write },
        });
        signal.throwIfAborted();
        const lines = printed.split(/(?<=\n)/);
        await stdout.write(lines.slice(0, maxLines).join(''));
        if (lines.length > maxLines) {
            await stderr.write(`... and ${lines.length - maxLines} lines more\n`);
        }
        if (exitCode !== 0) {
            throw new Failure(`The demo ends here: ${show(argv)} failed`);
        }
    };
    const inLake = (...argv: string[]) => ['--lake', lake, ...argv];
    const optionsOf = (sample: Readonly<Record<string, number>>) =>
        Object.entries(sample).flatMap(([name, value]) => [`--${name}`, String(value)]);
    await step('Thirty days of flows, as probes in three branches would send them:', ['sample', samples, ...optionsOf(SAMPLE)]);
    await step('They go into a lake:', inLake('upload', '--date-order', 'dmy', samples), { maxLines: 8 });
    await step('Which pairs of devices move the most?', inLake('pairs', '--top', '5'));

    const surge = plannedAnomalies(SAMPLE).find(({ kind }) => kind === 'surge');
    if (surge === undefined) {
        throw new Failure('The sample holds no unusual day');
    }
    const { site, src, dst } = surge;
    await stderr.write(`\nHow has one pair developed?\n\n`);
    await useLake({ lake: parseLakeLocation(lake), signal, environment }, async (opened) => {
        const report = await fetchReport(askCounted(opened), { src, dst, site, from: undefined, to: undefined });
        await stdout.write(plotReport(report, { title: `Forward packets per day, ${src} -> ${dst} at ${site}`, columns: stdout.columns }));
    });
    const pair = `site = '${site}' and src_ip = '${src}' and dst_ip = '${dst}'`;
    await step(
        'What is unusual about it?',
        inLake('query', `select day, measure, value, usual, score from pair_anomalies where ${pair} order by day, score desc`),
    );

    await step('Devices report too: a week of a small fleet, with a profile for each maker that says how to read its messages:', [
        'sample',
        fleet,
        '--kind',
        'telemetry',
        ...optionsOf(FLEET),
    ]);
    await step(
        'The thermostats and their profile go into the same lake:',
        inLake('profile', 'add', join(fleet, 'profiles', 'thermostat.json')),
    );
    await step('', inLake('upload', '--kind', 'telemetry', '--profile', 'thermostat', join(fleet, 'thermostat')), { maxLines: 6 });
    const room = plannedTroubles(FLEET).find(({ maker }) => maker === 'thermostat');
    if (room === undefined) {
        throw new Failure('The sample holds no room that is too warm');
    }
    await step('Was something wrong with one of them?', inLake('alerts', room.device, '--to', room.day));
    await step(
        'How was that day?',
        inLake('readings', room.device, '--metric', 'temperature', '--from', room.day, '--to', room.day, '--plot'),
    );
    const next: [string, readonly string[]][] = [
        ['the pair’s report as a file', inLake('export', src, dst, '--site', site, '-o', 'report.csv')],
        ['all unusual days', inLake('anomalies')],
        ['all devices', inLake('devices')],
        ['any question, in SQL', inLake('query', 'select * from day_totals order by day, site')],
        ['what else there is', ['--help']],
    ];
    const lines = next.map(([what, argv]) => `  # ${what}\n  ${show(argv)}`);
    await stderr.write(
        `\nThe lake stays for you to play with:\n${lines.join('\n')}\n  # and when you are done\n  rm -r ${quoteForShell(folder)}\n`,
    );
}
