#!/usr/bin/env node
/** The program: makes the surroundings of the process. No other file touches `process`. */
import { basename } from 'node:path';
import process from 'node:process';
import { openOutput, secretsOf } from './output.ts';
import { INTERRUPTED, run } from './run.ts';

/** Work that takes longer than this to end after Ctrl-C says how to end it at once. */
const PATIENCE_MS = 500;

const interruption = new AbortController();
const secrets = secretsOf(process.env);
const stderr = openOutput(process.stderr, { isOptional: true, secrets });

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

/** Installed, the program is a file `flowlake` on the PATH; else it was started by npx, or from a checkout where npx finds it. */
function findInvocation(): string {
    const isOnPath = basename(process.argv[1] ?? '') === 'flowlake' && process.env.npm_command !== 'exec';
    return isOnPath ? 'flowlake' : 'npx flowlake';
}

process.exitCode = await run(process.argv.slice(2), {
    environment: process.env,
    stdout: openOutput(process.stdout, { secrets }),
    stderr,
    readInput: () => process.stdin,
    signal: interruption.signal,
    now: () => new Date(),
    invocation: findInvocation(),
});
// An aborted query or a half-read pipe may keep the process alive; everything that was written has been awaited.
process.exit();
