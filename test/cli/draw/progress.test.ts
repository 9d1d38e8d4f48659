/** Progress is drawn over on a terminal, and is one plain line anywhere else. */
import { openProgress } from '#cli/draw/progress';
import { sayCount, sayDuration, sayTick } from '#cli/draw/quantity';
import { sayBytes } from '#lake/say-size';
import { fakeOutput } from '#test/cli/fake-surroundings';

const CLEAR = `\r${String.fromCodePoint(27)}[K`;

function startProgress({ isTerminal = true, columns = 80, isSizeKnown = true } = {}) {
    const stderr = fakeOutput({ isTerminal, columns });
    let elapsedMs = 0;
    const progress = openProgress({
        stderr,
        now: () => new Date(elapsedMs),
        doing: 'Uploading',
        totalBytes: isSizeKnown ? 40e6 : undefined,
    });
    return {
        stderr,
        progress,
        wait: (ms: number) => {
            elapsedMs += ms;
        },
    };
}

test('off a terminal only what stays is written', async () => {
    const { progress, stderr, wait } = startProgress({ isTerminal: false });
    wait(2000);
    progress.advance(10e6);
    await progress.say('monday.csv: 100 rows');
    await progress.finish('Uploaded 1 file');
    expect(stderr.text).toBe('monday.csv: 100 rows\nUploaded 1 file: 10.0 MB in 2.0 s (5.0 MB/s)\n');
});

test('on a terminal bytes, rate and time left are drawn, ten times a second at most, and taken away at the end', async () => {
    const { progress, stderr, wait } = startProgress();
    wait(1000);
    progress.advance(10e6);
    const first = `${CLEAR}Uploading  ████░░░░░░░░░░░░   25%  10.0 MB of 40.0 MB  10.0 MB/s  3.0 s left`;
    expect(stderr.text).toBe(first);
    wait(50);
    progress.advance(1e6);
    expect(stderr.text).toBe(first);
    await progress.finish('Uploaded 1 file');
    expect(stderr.text).toBe(`${first}${CLEAR}Uploaded 1 file: 11.0 MB in 1.1 s (10.5 MB/s)\n`);
});

test('a line that stays is put above the drawn one', async () => {
    const { progress, stderr, wait } = startProgress({ columns: 30 });
    wait(1000);
    progress.advance(20e6);
    await progress.say('monday.csv');
    await progress.stop();
    expect(stderr.text).toBe(`${CLEAR}Uploading   50%${CLEAR}monday.csv\n${CLEAR}Uploading   50%${CLEAR}`);
});

test('an unknown size has no bar and no time left', () => {
    const { progress, stderr, wait } = startProgress({ isSizeKnown: false });
    wait(1000);
    progress.advance(20e6);
    expect(stderr.text).toBe(`${CLEAR}Uploading  20.0 MB  20.0 MB/s`);
});

test('quantities are said as people say them', () => {
    expect([0, 999, 999.6, 1500, 999_960, 34.5e6, 2e12].map(sayBytes)).toEqual([
        '0 B',
        '999 B',
        '1.0 kB',
        '1.5 kB',
        '1.0 MB',
        '34.5 MB',
        '2.0 TB',
    ]);
    expect([0, 40, 9949, 9951, 59_499, 60_000, 200_000, 7_500_000].map(sayDuration)).toEqual([
        '0.0 s',
        '0.0 s',
        '9.9 s',
        '10 s',
        '59 s',
        '1 min 0 s',
        '3 min 20 s',
        '2 h 5 min',
    ]);
    expect([sayCount(1, 'file'), sayCount(2n, 'file'), sayCount(0, 'entry', 'entries')]).toEqual(['1 file', '2 files', '0 entries']);
    expect([sayTick(0, 500), sayTick(1500, 500), sayTick(2000, 1000), sayTick(15e9, 5e9), sayTick(0.5e6, 0.5e6)]).toEqual([
        '0',
        '1500',
        '2k',
        '15G',
        '500k',
    ]);
});
