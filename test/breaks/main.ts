/** `npm run test:breaks`: breaks the code in every listed way, and says which test notices. `-- --only <name>` tries one. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Break, breaks } from './breaks.ts';
import { findStale, openCopies, verdictOf } from './try-break.ts';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only === undefined ? breaks : breaks.filter(({ name }) => name === values.only);
if (wanted.length === 0) {
    console.error(`There is no break ${values.only}; there are: ${breaks.map(({ name }) => name).join(', ')}`);
    process.exit(2);
}

const stale = findStale(wanted);
if (stale.length > 0) {
    console.error(stale.join('\n'));
    process.exit(1);
}

const copies = openCopies();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
        copies.close();
        process.exit(130);
    });
}

/** How long it took, for people. */
function since(startMs: number): string {
    return `${((performance.now() - startMs) / 1000).toFixed(1)} s`;
}

/** What fails without any break would be taken for noticing one. */
async function passesUnbroken(): Promise<boolean> {
    const startMs = performance.now();
    const tests = [...new Set(wanted.flatMap((one) => one.tests))];
    const report = await copies.runTests(tests);
    const isGood = report !== undefined && report.numFailedTests + report.numRuntimeErrorTestSuites === 0 && report.numPassedTests > 0;
    if (isGood) {
        console.log(`as it is    ${report.numPassedTests} tests pass, ${since(startMs)}`);
    } else {
        const failed = report?.testResults
            .filter(({ status }) => status !== 'passed')
            .map(({ name }) => tests.find((test) => name.endsWith(test)));
        console.log(`FAILED      as it is, without any break: npm test -- ${failed?.join(' ') ?? 'does not come to an end'}`);
    }
    return isGood;
}

async function isCaught(broken: Break): Promise<boolean> {
    const startMs = performance.now();
    const verdict = verdictOf(await copies.runTests(broken.tests, broken));
    const what = verdict.isCaught
        ? `caught      ${broken.name}: ${broken.tests.find((test) => verdict.file.endsWith(test))}, "${verdict.by}"`
        : `NOT CAUGHT  ${broken.name}: ${verdict.why}`;
    console.log(`${what}, ${since(startMs)}`);
    return verdict.isCaught;
}

try {
    const caught = new Set<string>();
    if (await passesUnbroken()) {
        const waiting = [...wanted];
        const workThrough = async (): Promise<void> => {
            for (let next = waiting.shift(); next; next = waiting.shift()) {
                if (await isCaught(next)) {
                    caught.add(next.name);
                }
            }
        };
        await Promise.all(Array.from({ length: availableParallelism() }, workThrough));
        console.log(`${caught.size} of ${wanted.length} breaks are caught`);
    }
    process.exitCode = caught.size === wanted.length ? 0 : 1;
} finally {
    copies.close();
}
