/**
 * Loaded before the program: it is killed (kill -9) when it is about to take the step of the number FLOWLAKE_TEST_DIE_AT. A step puts a file in its
 * place in the lake FLOWLAKE_TEST_DIE_IN or takes one away; its lock and what is written aside do not count. FLOWLAKE_TEST_STEPS is a file that grows
 * by a byte with each step: the threads of a process count together.
 */
import { appendFileSync, statSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const { FLOWLAKE_TEST_DIE_AT: dieAt, FLOWLAKE_TEST_DIE_IN: lake = '', FLOWLAKE_TEST_STEPS: steps = '' } = process.env;

function takeStep(path) {
    if (!path.startsWith(`${lake}/`) || /\/\.flowlake\/(lock|tmp|objects)\b/.test(path)) {
        return;
    }
    appendFileSync(steps, '.');
    if (statSync(steps).size >= Number(dieAt)) {
        process.kill(process.pid, 'SIGKILL');
    }
}

const { rename, rm } = files;
files.rename = (from, to) => {
    takeStep(String(to));
    return rename(from, to);
};
files.rm = (path, options) => {
    takeStep(String(path));
    return rm(path, options);
};
syncBuiltinESMExports();
