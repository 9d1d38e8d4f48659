/** Every dependency is pinned, and docs/dependencies.md says why it is there. */
import { readFile } from 'node:fs/promises';

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

test('docs/dependencies.md lists exactly what package.json does, with the same versions', async () => {
    const { dependencies, devDependencies } = JSON.parse(await read('package.json'));
    const rows = [...(await read('docs/dependencies.md')).matchAll(/^\| `([^`]+)` \| (\S+) \|/gm)].map(([, name, version]) => [
        name,
        version,
    ]);
    expect(Object.fromEntries(rows)).toEqual({ ...dependencies, ...devDependencies });
});

test('every version is exact', async () => {
    const { dependencies, devDependencies } = JSON.parse(await read('package.json'));
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
        expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
});

test('the lock names every platform’s packages, else `npm ci` refuses it (npx node .ci/complete-lock.ts adds them)', async () => {
    const { packages } = JSON.parse(await read('package-lock.json'));
    const missing = Object.values<{ optionalDependencies?: Record<string, string> }>(packages)
        .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
        .filter((name) => !Object.keys(packages).some((folder) => folder.endsWith(`node_modules/${name}`)));
    expect(missing).toEqual([]);
});
