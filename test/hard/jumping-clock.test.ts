/** A clock that jumps by decades between one command and the next, and between two that run at once. The files keep the true time. */
import type { ChildProcess } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { collect, startFlowlake } from '#test/support/flowlake';
import { drawText, openChance } from './support/flow-texts.ts';
import { openTextLake } from './support/lake-of-texts.ts';

const NAMES = ['a.csv', 'b.csv', 'c.csv'];
const ROUNDS = Number(process.env.FLOWLAKE_ROUNDS ?? 5);

function clock(at: string): { environment: Record<string, string> } {
    const preload = new URL('support/shift-clock.js', import.meta.url).href;
    return { environment: { NODE_OPTIONS: `--import=${preload}`, FLOWLAKE_TEST_CLOCK: at } };
}

const FAR = clock('2050-06-01T00:00:00Z');
const PAST = clock('2020-06-01T00:00:00Z');

test('uploads, corrections and retractions under clocks that jump come to the right figures, and nothing live is removed', async () => {
    const lake = await openTextLake();
    const chance = openChance(1);
    const draw = () => drawText(chance, { rows: 60, days: 3 });
    const texts = { 'a.csv': draw(), 'b.csv': draw() };
    const commands: [string[], { environment: Record<string, string> }][] = [
        [['upload', await lake.write(texts)], FAR],
        [['reconcile'], PAST],
        [['upload', '--replace', await lake.write(Object.assign(texts, { 'a.csv': draw() }))], PAST],
        [['reconcile'], FAR],
        [['retract', 'b.csv'], PAST],
        [['reconcile'], FAR],
        [['upload', await lake.write({ 'b.csv': texts['b.csv'], 'c.csv': draw() })], FAR],
        [['rebuild', '--from', '2026-01-01', '--to', '2026-01-31', '--anew'], PAST],
        [['retract', 'c.csv'], FAR],
        [['reconcile'], PAST],
        [['upload', await lake.write(Object.assign(texts, { 'c.csv': draw() }))], PAST],
        [['reconcile'], FAR],
    ];
    for (const [words, at] of commands) {
        const { exitCode, stderr } = await lake.run(words, at);
        expect(`${words[0]} ${exitCode} ${stderr}`).toMatch(/^\w+ 0 /);
        await lake.assertRight(NAMES);
    }
    const { stdout } = await lake.run(['history', 'raw/a.csv', '--output', 'json']);
    expect(stdout).toMatch(/2050-06-01/);
    expect(stdout).toMatch(/2020-06-01/);
    expect([...(await lake.states(NAMES)).values()]).toEqual(NAMES.map((name) => lake.digestOf(texts[name as 'a.csv'])));
});

test('commands of 2050 leave to a command of today what it is writing, and one that was killed is finished in 2020', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
        const lake = await openTextLake();
        const chance = openChance(round);
        const text = drawText(chance, { rows: 30_000, days: 3 });
        const folder = await lake.write({ 'a.csv': text });
        const upload = startFlowlake(['--lake', 'lake', 'upload', folder], { folder: lake.folder });
        const ran = collect(upload);
        await begun(lake.directory, upload);
        await sleep(chance.below(150));
        // Each looks for files that nobody writes any more, and for objects that no worker can still be about to commit.
        const small = await lake.write({ 'b.csv': drawText(chance, { rows: 20 }) });
        expect((await lake.run(['reconcile'], FAR)).exitCode).toBe(0);
        expect((await lake.run(['upload', small], FAR)).exitCode).toBe(0);
        expect(`${(await ran).exitCode} ${(await ran).stderr}`).toMatch(/^0 /);
        await lake.assertRight(NAMES);
        expect((await lake.states(['a.csv'])).get('a.csv')).toBe(lake.digestOf(text));

        const correction = await lake.write({ 'a.csv': drawText(chance, { rows: 3000, days: 3 }) });
        const killed = startFlowlake(['--lake', 'lake', 'upload', '--replace', correction], { folder: lake.folder, ...FAR });
        const wasKilled = collect(killed);
        await begun(lake.directory, killed);
        await sleep(chance.below(150));
        killed.kill('SIGKILL');
        await wasKilled;
        expect((await lake.run(['reconcile'], PAST)).exitCode).toBe(0);
        await lake.assertRight(NAMES);
    }
});

/** Waits until the command's mark says that it is at work. It may have ended before anybody looked, where the machine is busy. */
async function begun(directory: string, command: ChildProcess): Promise<void> {
    const isMark = (name: string) => name.startsWith(`${command.pid}-`);
    while (command.exitCode === null && !(await readdir(join(directory, '.flowlake/running')).catch(() => [])).some(isMark)) {
        await sleep(2);
    }
}
