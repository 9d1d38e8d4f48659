/** `npm run tools` on a machine whose python3 and pip only note what they are asked to install. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeFolder } from '#test/support/temporary';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LISTS = [
    'test/engines/requirements.txt',
    'test/engines/requirements-daft.txt',
    'test/glue-jobs/requirements.txt',
    'test/exporters/requirements-nfstream.txt',
    'test/exporters/requirements-cicflowmeter-us.txt',
    'test/exporters/requirements-cicflowmeter-s.txt',
    'test/exporters/requirements-pyflowmeter.txt',
    'test/live/requirements.txt',
    'test/bi/requirements-superset.txt',
    'docs/bi/notebook/requirements.txt',
    'test/aws/support/ministack/requirements.txt',
];

/** A Python that says its version, and of `-m venv <folder>` makes a pip that keeps the list it is given, and knows no package called nowhere. */
const pythonOf = (version: string): string => `#!/bin/sh
if [ "$1" = -c ]; then echo ${version}; exit; fi
mkdir -p "$3/bin"
cat > "$3/bin/pip" <<'END'
#!/bin/sh
for last; do :; done
if grep -q nowhere "$last"; then exit 1; fi
cp "$last" "$(dirname "$0")/../noted"
echo "$last" >> "$(dirname "$0")/../runs"
END
chmod +x "$3/bin/pip"
echo ${version} > "$3/version"
`;

let root: string;

beforeEach(async () => {
    root = await makeFolder();
    for (const path of ['.ci/install-tools.ts', ...LISTS]) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await cp(join(ROOT, path), join(root, path));
    }
    await writeFile(join(root, 'package.json'), '{"type": "module"}');
    await mkdir(join(root, 'bin'));
    await addPython('bin/python3', '3.13');
});

async function addPython(path: string, version: string): Promise<void> {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), pythonOf(version));
    await chmod(join(root, path), 0o755);
}

const installReaders = (): Promise<{ exitCode: number; stdout: string }> => install('readers');

/** Runs the installer where nobody but the Pythons of this test is to be found. */
async function install(tool: string): Promise<{ exitCode: number; stdout: string }> {
    const environment = { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, PYENV_ROOT: join(root, 'pyenv') };
    const run = promisify(execFile)(process.execPath, [join(root, '.ci/install-tools.ts'), tool], { env: environment });
    return run.then(
        ({ stdout }) => ({ exitCode: 0, stdout }),
        ({ code, stdout }) => ({ exitCode: code, stdout }),
    );
}

const noted = (): Promise<string> => readFile(join(root, '.tools/readers/noted'), 'utf8');
const addPackage = async (line: string): Promise<void> =>
    writeFile(join(root, LISTS[0]!), `${await readFile(join(ROOT, LISTS[0]!), 'utf8')}${line}\n`);

test('a tool is installed once, and left alone while its list is the same', async () => {
    expect(await installReaders()).toEqual({ exitCode: 0, stdout: expect.stringContaining('readers: installing') });
    expect(await noted()).toBe(await readFile(join(ROOT, LISTS[0]!), 'utf8'));
    expect(await installReaders()).toEqual({ exitCode: 0, stdout: 'readers: is there\n' });
});

test('a tool whose list has changed since is installed from the new one', async () => {
    await installReaders();
    await addPackage('another==1.0.0');
    expect(await installReaders()).toEqual({ exitCode: 0, stdout: expect.stringContaining('readers: installing') });
    expect(await noted()).toContain('another==1.0.0');
    expect((await readFile(join(root, '.tools/readers/runs'), 'utf8')).trimEnd().split('\n')).toHaveLength(1);
});

test('a tool of which nothing tells what it was installed from is installed again', async () => {
    await mkdir(join(root, '.tools/readers/bin'), { recursive: true });
    expect(await installReaders()).toEqual({ exitCode: 0, stdout: expect.stringContaining('readers: installing') });
    expect(await noted()).toContain('pyarrow==');
});

test('a tool that cannot be brought up to its list stays as it was, and is tried again', async () => {
    await installReaders();
    const before = await noted();
    await addPackage('nowhere==1.0.0');
    for (const _ of ['once', 'again']) {
        expect(await installReaders()).toEqual({ exitCode: 1, stdout: expect.stringContaining('readers: could not be installed') });
        expect(await noted()).toBe(before);
    }
    await addPackage('');
    expect((await installReaders()).exitCode).toBe(0);
});

test('half a tool that an installation left when it was cut off is not taken for the one before', async () => {
    await installReaders();
    const before = await noted();
    await cp(join(root, '.tools/readers'), join(root, '.tools/.before-readers'), { recursive: true });
    await rm(join(root, '.tools/readers'), { recursive: true });
    await mkdir(join(root, '.tools/readers/bin'), { recursive: true });
    await addPackage('nowhere==1.0.0');
    expect((await installReaders()).exitCode).toBe(1);
    expect(await noted()).toBe(before);
});

test('a tool that runs on some versions of Python only takes one of them, wherever it is, or says which it needs', async () => {
    const tool = 'cicflowmeter-us';
    await addPython('bin/python3.11', 'none');
    await addPython('bin/python3.12', 'none');
    expect(await install(tool)).toEqual({
        exitCode: 1,
        stdout: expect.stringContaining(`${tool}: could not be installed: it needs Python 3.11 or 3.12`),
    });
    await addPython('pyenv/versions/3.10.1/bin/python3', '3.10');
    await addPython('pyenv/versions/3.12.1/bin/python3', '3.12');
    expect((await install(tool)).exitCode).toBe(0);
    expect(await readFile(join(root, '.tools', tool, 'version'), 'utf8')).toBe('3.12\n');
    await rm(join(root, '.tools'), { recursive: true });
    await addPython('bin/python3.11', '3.11');
    expect((await install(tool)).exitCode).toBe(0);
    expect(await readFile(join(root, '.tools', tool, 'version'), 'utf8')).toBe('3.11\n');
});
