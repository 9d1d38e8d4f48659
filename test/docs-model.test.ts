/** What `npm run check:model` says before it begins. What it checks needs spin: .ci/run runs it whole. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { makeFolder } from '#test/support/temporary';
import { MODELS } from '../docs/model/runs.ts';
import { inWords } from '../docs/model/trace.ts';

const ROOT = new URL('../', import.meta.url).pathname;
const VARIANTS = MODELS.flatMap(({ variants }) => variants);

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
test.each(MODELS)(
    '$file knows every switch, every promise and everything that must happen',
    ({ file, bounds, promises, variants, goals }) => {
        const model = readFileSync(`${ROOT}docs/model/${file}`, 'utf8');
        const switches = [...bounds, ...variants].flatMap(({ defines }) => defines.map((define) => define.split('=')[0]));
        for (const name of new Set(switches)) {
            expect(model).toMatch(new RegExp(`#((el)?ifn?def|(el)?if.*defined\\()\\s*${name}\\b`));
        }
        expect(variants.filter(({ breaks }) => !(breaks in promises))).toEqual([]);
        for (const name of Object.keys(promises)) {
            expect(model).toContain(`PROMISE(${name},`);
        }
        for (const name of Object.keys(goals)) {
            expect(model).toContain(`REACHED(${name},`);
        }
        const reached = [...model.matchAll(/REACHED\((\w+),/g)].map(([, name]) => name).filter((name) => name !== 'goal');
        expect(new Set(reached)).toEqual(new Set(Object.keys(goals)));
    },
);

test('each way to break a rule has a name of its own', () => {
    expect(new Set(VARIANTS.map(({ name }) => name)).size).toBe(VARIANTS.length);
});

test('a history names versions by numbers, not by bits of a set', () => {
    expect(inWords(['worker A reads the ledger: live is {0}, of bytes nothing', 'worker A deletes {0}', 'consolidator C lists {5}'])).toBe(
        '   1. worker A reads the ledger: nothing is live\n   2. consolidator C lists versions 1 and 3',
    );
});

test('a history says what the readings of a day come to, not the number of their content', () => {
    expect(inWords(['readings of day 1 are written: content 1', 'worker B lists the readings of day 0: content 2'])).toBe(
        '   1. readings of day 1 are written: none are left\n   2. worker B lists the readings of day 0: they close with 1',
    );
});
