/** The nasty fleet in a lake. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runFlowlake } from '#test/support/flowlake';
import { fleetFiles, PROFILES, REGISTERED } from './nasty-fleet.ts';

/** Its profiles, devices and messages, and all that is derived of them, in `lake` below `folder`. */
export async function makeFleet(folder: string, lake: string): Promise<void> {
    const run = async (...words: string[]): Promise<void> => {
        const { exitCode, stderr } = await runFlowlake(['--lake', lake, ...words], { folder });
        if (exitCode !== 0) {
            throw new Error(`${words.join(' ')}: ${stderr}`);
        }
    };
    for (const { name, text } of PROFILES) {
        await putFile(join(folder, name), text);
        await run('profile', 'add', name);
    }
    for (const words of REGISTERED) {
        await run('device', 'add', ...words);
    }
    for (const { key, text } of fleetFiles()) {
        await putFile(join(folder, lake, key), text);
    }
    await run('reconcile');
}

async function putFile(path: string, content: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
}
