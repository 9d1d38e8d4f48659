/** One break tried: a copy of the tree with one text replaced, and what the tests that must notice say of it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
    chmodSync,
    cpSync,
    existsSync,
    lstatSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    symlinkSync,
    writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Break } from './breaks.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

/** Many times what the slowest break takes; a break may make the code turn in circles. */
const MAX_RUN_MS = 180_000;

/** The parts of jest's `--json` report that a verdict rests on. */
export interface JestReport {
    /** Files that could not be run at all. */
    numRuntimeErrorTestSuites: number;
    numPassedTests: number;
    numFailedTests: number;
    testResults: {
        name: string;
        status: string;
        assertionResults: { fullName: string; status: string; failureMessages?: string[] | null }[];
    }[];
}

export type Verdict =
    /** The test that noticed first, as jest names it. */
    | { isCaught: true; by: string; file: string }
    /** Why it does not count as caught. */
    | { isCaught: false; why: string };

/** The source with the break's text replaced. @throws Error where the text does not stand in it exactly once */
export function applyBreak(source: string, { name, file, text, replacement }: Break): string {
    const found = source.split(text).length - 1;
    if (found !== 1) {
        throw new Error(
            `break ${name}: its text is found ${found} times in ${file}, not once; bring test/breaks/breaks.ts up to what the file says`,
        );
    }
    return source.replace(text, () => replacement);
}

/** What keeps the breaks from being tried on the sources as they stand. */
export function findStale(listed: readonly Break[]): string[] {
    return listed.flatMap((one) => {
        try {
            applyBreak(readFileSync(join(ROOT, one.file), 'utf8'), one);
            return [];
        } catch (error) {
            return [error instanceof Error ? error.message : String(error)];
        }
    });
}

/** A break is caught by an assertion that fails. A file that does not load, or an error that nothing asserts, may have any cause. */
export function verdictOf(report: JestReport | undefined): Verdict {
    if (!report) {
        return { isCaught: false, why: `the tests did not come to an end within ${MAX_RUN_MS / 1000} s` };
    }
    if (report.numRuntimeErrorTestSuites > 0) {
        return { isCaught: false, why: 'a test file could not be run: the broken source does not load' };
    }
    if (report.numFailedTests === 0) {
        return { isCaught: false, why: `all ${report.numPassedTests} tests pass` };
    }
    if (report.numPassedTests === 0) {
        return { isCaught: false, why: 'every test fails: more is broken than was meant to be' };
    }
    for (const { name, assertionResults } of report.testResults) {
        for (const { fullName, status, failureMessages } of assertionResults) {
            if (status === 'failed' && failureMessages?.some((message) => message.includes('expect('))) {
                return { isCaught: true, by: fullName, file: name };
            }
        }
    }
    return { isCaught: false, why: 'tests fail, but by no assertion' };
}

/** Copies of the tree in a folder of their own, which `close` removes together with what still runs in them. */
export function openCopies() {
    const folder = mkdtempSync(join(tmpdir(), 'flowlake-breaks-'));
    // Some tests start the sources as a user who may do little.
    chmodSync(folder, 0o755);
    const running = new Set<ChildProcess>();
    let copies = 0;

    function copyTree(): string {
        copies += 1;
        const copy = join(folder, String(copies));
        const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
        for (const path of listed.toString().split('\0')) {
            // One that was deleted and not yet committed is listed, and is not there.
            if (lstatSync(join(ROOT, path), { throwIfNoEntry: false })?.isFile()) {
                mkdirSync(dirname(join(copy, path)), { recursive: true });
                cpSync(join(ROOT, path), join(copy, path));
            }
        }
        symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
        return copy;
    }

    /** What jest reports of the tests (files, from the tree's root) with the break; undefined where they did not come to an end. */
    async function runTests(tests: readonly string[], broken?: Break): Promise<JestReport | undefined> {
        const copy = copyTree();
        if (broken) {
            const path = join(copy, broken.file);
            writeFileSync(path, applyBreak(readFileSync(path, 'utf8'), broken));
        }
        const report = join(copy, 'report.json');
        const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--runInBand', '--json'];
        const child = spawn(process.execPath, [...jest, `--outputFile=${report}`, '--runTestsByPath', ...tests], {
            cwd: copy,
            stdio: 'ignore',
            timeout: MAX_RUN_MS,
            killSignal: 'SIGKILL',
        });
        running.add(child);
        await once(child, 'exit');
        running.delete(child);
        const found: JestReport | undefined = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
        rmSync(copy, { recursive: true, force: true });
        return found;
    }

    return {
        runTests,
        close(): void {
            for (const child of running) {
                child.kill('SIGKILL');
            }
            rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
        },
    };
}
