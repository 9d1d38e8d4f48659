/** query --max-scan: how the limit is given, and what it means for a lake that costs nothing. */
import { bytes } from '#cli/option';
import { openFixture } from '#test/support/lake-fixture';
import { runLine } from './fake-surroundings.ts';

test.each([
    ['10GB', 10e9],
    ['500 MB', 500e6],
    ['1.5tb', 1.5e12],
    ['20k', 20_000],
    ['7', 7],
])('%s is %s bytes', (given, size) => {
    expect(bytes('--max-scan <size>', '').parse?.(given)).toBe(size);
});

test.each(['', 'much', '10XB', '-1GB', '0', '1e3', '9999999TB'])('"%s" is refused with what was expected', async (given) => {
    const { exitCode, stderr } = await runLine(['--lake', 'somewhere', 'query', `--max-scan=${given}`, 'select 1']);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--max-scan[\s\S]*10GB/);
});

test('a directory lake answers whatever the limit, and says nothing of costs', async () => {
    const { directory } = await openFixture([{ day: '2026-01-05' }]);
    const answer = await runLine(['--lake', directory, '--output', 'csv', 'query', '--max-scan', '1', 'select day from pair_days']);
    expect(answer).toEqual({ exitCode: 0, stdout: 'day\n2026-01-05\n', stderr: '' });
});
