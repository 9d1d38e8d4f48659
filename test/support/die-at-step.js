/**
 * Loaded before the program: `FLOWLAKE_TEST_DIE_AT=3` kills it when it is about to take its third step, and `kill -9` it is. A step puts a file in
 * its place in a lake or takes one away; its lock and what is written aside do not count.
 */
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const dieAt = Number(process.env.FLOWLAKE_TEST_DIE_AT);
let steps = 0;

function takeStep(path) {
    if (/\/\.flowlake\/(lock|tmp|objects)\b/.test(path)) {
        return;
    }
    steps += 1;
    if (steps === dieAt) {
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
