/**
 * A command that changes a lake and is then left to its fate: `node mark-running.ts <directory>`. It sets its mark, begins to write an
 * object that it never ends, says `running` and waits.
 */
import { writeSync } from 'node:fs';
import { markRunning } from '#lake/here/marks';
import { openDirectoryStore } from '#lake/store/directory';

const directory = process.argv[2] ?? '';
await markRunning(directory);

async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('begun');
    yield Buffer.from('and never ended');
    writeSync(1, 'running\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
}

await openDirectoryStore(directory).put('raw/a.csv', endless());
