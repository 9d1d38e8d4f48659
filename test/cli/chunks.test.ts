/** The chunks of the built program: each brings along what it stands on, whatever was loaded before it. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

test('certificates are made by a chunk that has what its libraries want in place before them', async () => {
    const chunks = readdirSync(DIST).filter(
        (name) => name.endsWith('.js') && readFileSync(`${DIST}${name}`, 'utf8').includes('reflect polyfill'),
    );
    expect(chunks).toHaveLength(1);
    const load = `await import(${JSON.stringify(pathToFileURL(`${DIST}${chunks[0]}`).href)});`;
    await expect(promisify(execFile)(process.execPath, ['--input-type=module', '-e', load])).resolves.toMatchObject({ stderr: '' });
});
