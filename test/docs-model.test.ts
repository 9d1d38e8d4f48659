/** What `npm run check:model` says before it begins. What it checks needs spin: .ci/run runs it whole. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { makeFolder } from '#test/support/temporary';
import { BOUNDS, GOALS, PROMISES, VARIANTS } from '../docs/model/runs.ts';
import { inWords } from '../docs/model/trace.ts';

const ROOT = new URL('../', import.meta.url).pathname;
const model = readFileSync(`${ROOT}docs/model/commit-rules.pml`, 'utf8');

function checkModel(words: string[], path = process.env.PATH) {
    return spawnSync(process.execPath, ['docs/model/check.ts', ...words], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { ...process.env, PATH: path },
    });
}

test('a variant that does not exist is refused, with those that do', () => {
    const { status, stderr } = checkModel(['--trace', 'no-luck']);
    expect(status).toBe(2);
    expect(stderr).toContain(`There is no variant no-luck; there are: ${VARIANTS.map(({ name }) => name).join(', ')}`);
});

test('an option that does not exist is refused, with those that do', () => {
    const { status, stderr } = checkModel(['--quick']);
    expect(status).toBe(2);
    expect(stderr).toContain("Unknown option '--quick'");
    expect(stderr).toContain('--deep, --trace <variant>');
});

test('where spin or gcc is missing one line says how to get them, and nothing counts as checked', async () => {
    const { status, stdout, stderr } = checkModel([], await makeFolder());
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/needs spin and gcc, which this machine lacks: apt-get install spin gcc\n$/);
});

/** A switch that the model does not know would be the rules as they stand. */
test('the model knows every switch, every promise and everything that must happen', () => {
    const switches = [...BOUNDS, ...VARIANTS].flatMap(({ defines }) => defines.map((define) => define.split('=')[0]));
    for (const name of new Set(switches)) {
        expect(model).toMatch(new RegExp(`#(ifn?def|if.*defined\\()\\s*${name}\\b`));
    }
    for (const name of Object.keys(PROMISES)) {
        expect(model).toContain(`PROMISE(${name},`);
    }
    for (const name of Object.keys(GOALS)) {
        expect(model).toContain(`REACHED(${name},`);
    }
    const reached = [...model.matchAll(/REACHED\((\w+),/g)].map(([, name]) => name).filter((name) => name !== 'goal');
    expect(new Set(reached)).toEqual(new Set(Object.keys(GOALS)));
});

test('a history names versions by numbers, not by bits of a set', () => {
    expect(inWords(['worker A reads the ledger: live is {0}, of bytes nothing', 'worker A deletes {0}', 'consolidator C lists {5}'])).toBe(
        '   1. worker A reads the ledger: nothing is live\n   2. consolidator C lists versions 1 and 3',
    );
});
