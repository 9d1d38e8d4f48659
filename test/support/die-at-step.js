/**
 * Loaded before the program: it is killed (kill -9) when it is about to take the step of the number FLOWLAKE_TEST_DIE_AT. A step puts a file in its
 * place in the lake FLOWLAKE_TEST_DIE_IN, or takes one away, also one that was written aside; its lock does not count. FLOWLAKE_TEST_STEPS is a file
 * that grows by a byte with each step: the threads of a process count together. With FLOWLAKE_TEST_DIE_AT_COMMITS each call that changes a database is a
 * step too, before it and behind it.
 */
import files, { appendFileSync, statSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const {
    FLOWLAKE_TEST_DIE_AT_COMMITS: dieAtCommits,
    FLOWLAKE_TEST_DIE_AT: dieAt,
    FLOWLAKE_TEST_DIE_IN: lake = '',
    FLOWLAKE_TEST_STEPS: steps = '',
} = process.env;

function takeStep(path) {
    if (!path.startsWith(`${lake}/`) || /\/\.flowlake\/(lock|objects)\b/.test(path)) {
        return;
    }
    appendFileSync(steps, '.');
    if (statSync(steps).size >= Number(dieAt)) {
        process.kill(process.pid, 'SIGKILL');
    }
}

/** Makes each call of the function a step at the path that `pathOf` finds among its parameters. */
function watch(module, name, pathOf) {
    const call = module[name];
    module[name] = (...parameters) => {
        takeStep(String(pathOf(parameters)));
        return call(...parameters);
    };
}

for (const [module, ending] of [
    [files, 'Sync'],
    [promises, ''],
]) {
    watch(module, `rename${ending}`, ([, to]) => to);
    watch(module, `link${ending}`, ([, to]) => to);
    watch(module, `rm${ending}`, ([path]) => path);
}
syncBuiltinESMExports();

if (dieAtCommits) {
    const { DatabaseSync, StatementSync } = await import('node:sqlite');
    for (const [prototype, name] of [
        [DatabaseSync.prototype, 'exec'],
        [StatementSync.prototype, 'run'],
    ]) {
        const call = prototype[name];
        prototype[name] = function (...parameters) {
            takeStep(`${lake}/database`);
            const result = call.apply(this, parameters);
            takeStep(`${lake}/database`);
            return result;
        };
    }
}
