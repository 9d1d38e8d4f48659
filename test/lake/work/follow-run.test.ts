/** A run is begun once, joined where it is at this very work already, and followed to its last attempt's end. */
import { describe, expect, test } from '@jest/globals';
import type { JobArguments, JobRun, JobRunState, JobRuns } from '#lake/jobs/job-runs';
import { beginRun, followRun } from '#lake/work/follow-run';

const WORK: JobArguments = { '--from': '2026-01-01', '--to': '2026-01-31', '--anew': 'false', '--dry_run': 'false' };

function runOf(id: string, state: JobRunState, more: Partial<JobRun> = {}): JobRun {
    const empty = { attempt: 0, previousRunId: undefined, startedAt: undefined, message: undefined, timeoutMinutes: undefined };
    return { id, state, arguments: {}, ...empty, ...more };
}

/** A job of which each look shows the next thing; the last one stays. */
function jobOf({
    starts = ['jr_new'],
    newest = [[]],
    looks = {},
}: Partial<Record<'starts', (string | undefined)[]>> & { newest?: JobRun[][]; looks?: Record<string, JobRun[]> }) {
    const started: JobArguments[] = [];
    const next = <T>(list: T[] | undefined, fallback: T): T => (list && list.length > 1 ? list.shift() : list?.[0]) ?? fallback;
    const runs: JobRuns = {
        name: 'job',
        start: async (runArguments) => {
            started.push(runArguments);
            return starts.length > 1 ? starts.shift() : starts[0];
        },
        newest: async () => next(newest, []),
        look: async (id) => next(looks[id], runOf(id, 'broken')),
    };
    let waits = 0;
    const wait = async (): Promise<void> => {
        waits += 1;
        if (waits > 100) {
            throw new Error('waits for ever');
        }
    };
    return { runs, started, wait, waited: () => waits };
}

const begin = ({ runs, wait }: ReturnType<typeof jobOf>) => beginRun({ runs, wait, work: WORK, report: '_flowlake/own.json' });

describe('a run', () => {
    test('is started with its work and where to report', async () => {
        const job = jobOf({});
        expect(await begin(job)).toEqual({ kind: 'started', id: 'jr_new' });
        expect(job.started).toEqual([{ ...WORK, '--report': '_flowlake/own.json' }]);
    });

    test('that does the same is joined, also one that somebody started without what is not asked for', async () => {
        const byHand = runOf('jr_hand', 'running', { arguments: { '--from': '2026-01-01', '--to': '2026-01-31', '--bucket': 'lake' } });
        const over = runOf('jr_over', 'succeeded', { arguments: { ...WORK } });
        expect(await begin(jobOf({ starts: [undefined], newest: [[over, byHand]] }))).toEqual({
            kind: 'joined',
            id: 'jr_hand',
            run: byHand,
        });
    });

    test.each([
        ['other days', { ...WORK, '--to': '2026-02-28' }],
        ['the days anew', { ...WORK, '--anew': 'true' }],
        ['nothing but say what is to do', { ...WORK, '--dry_run': 'true' }],
    ])('that does %s is in the way', async (_, others) => {
        const other = runOf('jr_other', 'waiting', { arguments: others });
        expect(await begin(jobOf({ starts: [undefined], newest: [[other]] }))).toEqual({ kind: 'busy', id: 'jr_other', run: other });
    });

    test('whose answer was lost is known by its report', async () => {
        const own = runOf('jr_own', 'running', { arguments: { ...WORK, '--report': '_flowlake/own.json' } });
        expect(await begin(jobOf({ starts: [undefined], newest: [[own]] }))).toEqual({ kind: 'started', id: 'jr_own' });
    });

    test('that has just ended is waited for', async () => {
        const job = jobOf({ starts: [undefined, undefined, 'jr_new'], newest: [[runOf('jr_over', 'failed', { arguments: { ...WORK } })]] });
        expect(await begin(job)).toEqual({ kind: 'started', id: 'jr_new' });
        expect([job.started.length, job.waited()]).toEqual([3, 2]);
    });

    test('that is refused for ever, with none to be seen, is given up', async () => {
        expect(await begin(jobOf({ starts: [undefined] }))).toEqual({ kind: 'refused' });
    });
});

describe('following', () => {
    const follow = async (id: string, { runs, wait }: ReturnType<typeof jobOf>) => {
        const seen: string[] = [];
        const end = await followRun(id, { runs, wait, onLook: async (run) => void seen.push(`${run.id} ${run.state}`) });
        return { end: `${end.id} ${end.state}`, seen };
    };

    test('looks until the run is over, the last look too', async () => {
        const looks = { a: (['waiting', 'running', 'stopping', 'stopped'] as const).map((state) => runOf('a', state)) };
        expect(await follow('a', jobOf({ looks }))).toEqual({
            end: 'a stopped',
            seen: ['a waiting', 'a running', 'a stopping', 'a stopped'],
        });
    });

    test.each(['failed', 'timed out', 'broken'] as const)('goes on with the attempt that Glue starts after one that %s', async (state) => {
        const looks = { a: [runOf('a', state)], b: [runOf('b', 'running'), runOf('b', 'succeeded')] };
        const newest = [[], [runOf('b', 'running', { attempt: 1, previousRunId: 'a' }), runOf('a', state)]];
        expect(await follow('a', jobOf({ looks, newest }))).toEqual({
            end: 'b succeeded',
            seen: [`a ${state}`, 'b running', 'b succeeded'],
        });
    });

    test('knows the next attempt by its report too, and no other run for it', async () => {
        const own = { '--report': '_flowlake/own.json' };
        const newest = [
            [
                runOf('c', 'running', { attempt: 1, previousRunId: 'z', arguments: { '--report': '_flowlake/else.json' } }),
                runOf('b', 'running', { attempt: 1, arguments: own }),
                runOf('a', 'failed', { arguments: own }),
            ],
        ];
        const looks = { a: [runOf('a', 'failed', { arguments: own })], b: [runOf('b', 'succeeded', { attempt: 1, arguments: own })] };
        expect((await follow('a', jobOf({ looks, newest }))).end).toBe('b succeeded');
        expect(
            (await follow('a', jobOf({ looks: { a: [runOf('a', 'failed')] }, newest: [[runOf('c', 'running', { attempt: 1 })]] }))).end,
        ).toBe('a failed');
    });

    test('takes the run that failed for no attempt after itself', async () => {
        const failed = runOf('a', 'failed', { arguments: { '--report': '_flowlake/own.json' } });
        expect(await follow('a', jobOf({ looks: { a: [failed] }, newest: [[failed]] }))).toEqual({ end: 'a failed', seen: ['a failed'] });
    });

    test('ends with the last attempt where that fails as well', async () => {
        const looks = { a: [runOf('a', 'failed')], b: [runOf('b', 'failed', { attempt: 1 })] };
        const newest = [[runOf('b', 'running', { attempt: 1, previousRunId: 'a' })]];
        expect((await follow('a', jobOf({ looks, newest }))).end).toBe('b failed');
    });
});
