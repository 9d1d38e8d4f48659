#!/usr/bin/env node
/**
 * The program: looks whether this Node can run it, and makes the surroundings of the process. No other file touches `process`. Whatever is of this
 * program is imported after that look, and what stands here any Node since 14.13 understands: an older one than needed would stop at the first
 * import that it lacks, and name that.
 */
import { basename } from 'node:path';
import process from 'node:process';

/** The oldest Node that the program is tested with: `engines` of package.json. */
const OLDEST_NODE = [22, 18] as const;

/** Work that takes longer than this to end after Ctrl-C says how to end it at once. */
const PATIENCE_MS = 500;

function isTooOld(version: string): boolean {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
}

async function start(): Promise<void> {
    const [{ openOutput, secretsOf }, { INTERRUPTED, run }] = await Promise.all([import('./output.ts'), import('./run.ts')]);
    const interruption = new AbortController();
    const secrets = secretsOf(process.env);
    const terminal = process.env.TERM;
    const stderr = openOutput(process.stderr, { isOptional: true, secrets, terminal });

    function interrupt(): void {
        if (interruption.signal.aborted) {
            process.exit(INTERRUPTED);
        }
        interruption.abort();
        // Whoever waits for what is piped in waits no longer.
        process.stdin.destroy();
        setTimeout(() => stderr.write('flowlake: stopping; Ctrl-C once more ends it at once\n'), PATIENCE_MS);
    }

    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);

    process.exitCode = await run(process.argv.slice(2), {
        environment: process.env,
        stdout: openOutput(process.stdout, { secrets, terminal }),
        stderr,
        readInput: () => process.stdin,
        signal: interruption.signal,
        now: () => new Date(),
        invocation: findInvocation(),
    });
    // An aborted query or a half-read pipe may keep the process alive; everything that was written has been awaited.
    process.exit();
}

/** Installed, the program is a file `flowlake` on the PATH; else it was started by npx, or from a checkout where npx finds it. */
function findInvocation(): string {
    const isOnPath = basename(process.argv[1] ?? '') === 'flowlake' && process.env.npm_command !== 'exec';
    return isOnPath ? 'flowlake' : 'npx flowlake';
}

if (isTooOld(process.versions.node)) {
    const needed = OLDEST_NODE.join('.');
    process.stderr.write(
        `flowlake: this is Node ${process.versions.node}, and flowlake needs ${needed} or newer: install it from https://nodejs.org (nvm install 24), and try again\n`,
    );
    process.exitCode = 1;
} else {
    await start();
}
