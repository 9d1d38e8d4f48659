/** Plays the demo: each step is a command line that is shown, and run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, type RunContext } from '#cli/command';
import { fetchReport, plotReport } from '#cli/pair-report';
import { quoteForShell } from '#cli/quote-for-shell';
import { useLake } from '#cli/use-lake';
import { parseLakeLocation } from '#lake/lake';
import { plannedAnomalies } from '#sample/flows/sample-files';

/** The demo's sample: enough flows for every unusual day to stand out, few enough for a slow laptop. */
const SAMPLE = { flows: 100_000, days: 30, pairs: 200, seed: 1 };

/** Makes a temporary lake and asks it the first questions. The lake stays, unless the demo breaks off. */
export async function playDemo(context: RunContext): Promise<number> {
    const folder = await mkdtemp(join(tmpdir(), 'flowlake-demo-'));
    try {
        await present(context, { folder, samples: join(folder, 'samples'), lake: join(folder, 'lake') });
    } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
    }
    return 0;
}

interface Places {
    folder: string;
    samples: string;
    lake: string;
}

async function present(
    { stdout, stderr, signal, environment, invocation, invoke }: RunContext,
    { folder, samples, lake }: Places,
): Promise<void> {
    const show = (argv: readonly string[]) => [invocation, ...argv.map(quoteForShell)].join(' ');
    const step = async (title: string, argv: readonly string[], { maxLines = 100 }: { maxLines?: number } = {}) => {
        await stderr.write(`\n${title}\n$ ${show(argv)}\n`);
        let printed = '';
        const write = async (text: string) => {
            printed += text;
        };
        const exitCode = await invoke(argv, { stdout: { isTerminal: stdout.isTerminal, columns: stdout.columns, write, control: write } });
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
    const sampleOptions = Object.entries(SAMPLE).flatMap(([name, value]) => [`--${name}`, String(value)]);
    await step('Thirty days of flows, as probes in three branches would send them:', ['sample', samples, ...sampleOptions]);
    await step('They go into a lake:', inLake('upload', '--date-order', 'dmy', samples), { maxLines: 8 });
    await step('Which pairs of devices move the most?', inLake('pairs', '--top', '5'));

    const surge = plannedAnomalies(SAMPLE).find(({ kind }) => kind === 'surge');
    if (surge === undefined) {
        throw new Failure('The sample holds no unusual day');
    }
    const { site, src, dst } = surge;
    await stderr.write(`\nHow has one pair developed?\n\n`);
    await useLake({ lake: parseLakeLocation(lake), signal, environment }, async (opened) => {
        const report = await fetchReport(opened, { src, dst, site, from: undefined, to: undefined });
        await stdout.write(plotReport(report, { title: `Forward packets per day, ${src} -> ${dst} at ${site}`, columns: stdout.columns }));
    });
    const pair = `site = '${site}' and src_ip = '${src}' and dst_ip = '${dst}'`;
    await step(
        'What is unusual about it?',
        inLake('query', `select day, measure, value, usual, score from pair_anomalies where ${pair} order by day, score desc`),
    );
    const next: [string, readonly string[]][] = [
        ['its report as a file', inLake('export', src, dst, '--site', site, '-o', 'report.csv')],
        ['all unusual days', inLake('anomalies')],
        ['any question, in SQL', inLake('query', 'select * from day_totals order by day, site')],
        ['what else there is', ['--help']],
    ];
    const lines = next.map(([what, argv]) => `  # ${what}\n  ${show(argv)}`);
    await stderr.write(
        `\nThe lake stays for you to play with:\n${lines.join('\n')}\n  # and when you are done\n  rm -r ${quoteForShell(folder)}\n`,
    );
}
