/** Commands that have set their mark and never end by themselves; each test's are killed after it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';

const COMMAND = fileURLToPath(new URL('../../support/mark-running.ts', import.meta.url));

const children: ChildProcess[] = [];

afterEach(() => {
    for (const child of children.splice(0)) {
        child.kill('SIGKILL');
    }
});

/** Starts one and returns when its mark is set and it is writing an object. */
export async function startCommand(directory: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [COMMAND, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
}

/** Returns when it is dead. */
export async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'close');
}
