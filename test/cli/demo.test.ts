/** The demo keeps its promise: every step works, the plot shows the planted day, and what it says to type next works too. */
import { rm } from 'node:fs/promises';
import { fakeOutput, fakeWorld, runLine } from '#test/cli/fake-surroundings';

let folder: string | undefined;

afterAll(async () => {
    if (folder !== undefined) {
        await rm(folder, { recursive: true, force: true });
    }
});

test('shows a lake from sample files to an unusual day, and leaves it to be played with', async () => {
    const world = fakeWorld({ stdout: fakeOutput({ isTerminal: true }) });
    const { exitCode, stdout, stderr } = await runLine(['demo'], { world });
    folder = /rm -r (\S+)/.exec(stderr)?.[1];
    expect(exitCode).toBe(0);
    expect(stderr).toContain('$ npx flowlake --lake ');
    expect(stderr).not.toContain('flowlake: ');
    expect(stdout).toContain('┤');
    expect(stdout).toMatch(/^2026-01-\d\d +fwd_pkts_sum +\d+ +\d+ +\d+\.\d{3}$/m);

    const [, next = ''] = stderr.split('The lake stays for you to play with:');
    const lines = next.split('\n').flatMap((line) => (line.startsWith('  npx flowlake ') ? [line.slice('  npx flowlake '.length)] : []));
    expect(lines.length).toBeGreaterThan(2);
    for (const line of lines) {
        const argv = [...line.replace('report.csv', `${folder}/report.csv`).matchAll(/"([^"]*)"|(\S+)/g)].map(
            ([, quoted, bare]) => quoted ?? bare ?? '',
        );
        expect(await runLine(argv)).toMatchObject({ exitCode: 0 });
    }
}, 120_000);

test('takes everything away when it is interrupted', async () => {
    const interruption = new AbortController();
    const world = fakeWorld({ signal: interruption.signal });
    const said = world.stderr.write.bind(world.stderr);
    world.stderr.write = async (text) => {
        await said(text);
        if (text.includes('Thirty days')) {
            interruption.abort();
        }
    };
    const { exitCode, stderr } = await runLine(['demo'], { world });
    expect(exitCode).toBe(130);
    const samples = /sample (\S+)/.exec(stderr)?.[1] ?? '';
    await expect(rm(samples, { recursive: true })).rejects.toThrow('ENOENT');
});
