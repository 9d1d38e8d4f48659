/** Loads a bundle as Lambda does: in a process of its own, in a folder with nothing beside it. */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import process from 'node:process';
import { promisify } from 'node:util';
import type { bundleLambda } from '#cdk/bundle-lambda';
import { makeFolder } from '#test/support/temporary';

/** A start of the function and an event for it. */
export interface BundleCase {
    /** Its environment variables, all of them. */
    environment: Readonly<Record<string, string>>;
    event: unknown;
}

/** What a function made of an event. */
export interface BundleAnswer {
    /** What it gave back; undefined where it threw, or did not start. */
    answer?: unknown;
    /** The error's name and message, where it threw or did not start. */
    thrown?: string;
    /** Metrics that it left, in the embedded format. */
    metrics: any[];
    /** Lines of its log. */
    log: any[];
}

/** Node would show the whole bundle beside an error. A query makes a module new, so that each case starts by itself. */
const INVOKE = `
const mark = (text) => { process.stdout.write(text + '\\n'); process.stderr.write(text + '\\n'); };
const { cases } = JSON.parse(await new Response(process.stdin).text());
const kept = { ...process.env };
for (const [at, { environment, event }] of cases.entries()) {
    for (const name of Object.keys(process.env)) {
        delete process.env[name];
    }
    Object.assign(process.env, environment);
    const context = { getRemainingTimeInMillis: () => 300000, awsRequestId: 'r1', functionName: 'f' };
    const what = await import('./index.mjs?' + at)
        .then(({ handler }) => handler(event, context))
        .then((answer) => ({ answer: answer ?? null }), ({ name, message }) => ({ thrown: name + ': ' + message }));
    mark('answer ' + JSON.stringify(what));
}
process.exit();
`;

/** Each case in its turn, in one process. */
export async function invokeBundle({ folder }: ReturnType<typeof bundleLambda>, cases: readonly BundleCase[]): Promise<BundleAnswer[]> {
    const alone = await makeFolder();
    await cp(folder, alone, { recursive: true });
    const running = promisify(execFile)(process.execPath, ['--input-type=module', '-e', INVOKE], { cwd: alone, env: {}, maxBuffer: 1e7 });
    running.child.stdin?.end(JSON.stringify({ cases }));
    const { stdout, stderr } = await running;
    const [told, logged] = [partsOf(stdout), partsOf(stderr)];
    return told.map(({ lines, what }, at) => ({
        ...what,
        // Logs of levels below warning go where metrics go.
        metrics: lines.filter((line) => '_aws' in line),
        log: [...lines.filter((line) => !('_aws' in line)), ...(logged[at]?.lines ?? [])],
    }));
}

/** The lines of each case, and what ended it. */
function partsOf(text: string): { lines: any[]; what: Pick<BundleAnswer, 'answer' | 'thrown'> }[] {
    const parts: ReturnType<typeof partsOf> = [];
    let lines: any[] = [];
    for (const line of text.split('\n').filter((one) => one !== '')) {
        if (line.startsWith('answer ')) {
            parts.push({ lines, what: JSON.parse(line.slice('answer '.length)) });
            lines = [];
        } else {
            lines.push(line.startsWith('{') ? JSON.parse(line) : { message: line });
        }
    }
    return parts;
}
