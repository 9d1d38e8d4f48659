/** `verify --repair`: says what would be done, does it, and verifies once more what it touched. */
import { isEmptyPlan, type RepairPlan } from '#lake/commit/repair';
import type { ObjectStore } from '#lake/store/object-store';
import type { PendingSource, VerifyResult } from '#lake/verify/verify';
import { type Context, Failure } from './command.ts';
import type { Lake } from './lake.ts';
import { exitCodeOf } from './verify-report.ts';

/** Of a long list as many are named. */
const MAX_NAMED = 10;

/** Notes of what a repair takes care of. */
const MENDED_NOTES = ['not_summarized', 'raw_changed'];

export interface RepairRequest {
    /** What verifying found, with `pending` taken as it will be. */
    result: VerifyResult;
    pending: ReadonlyMap<string, PendingSource>;
    isDryRun: boolean;
    /** As `result` was asked for. */
    asked: { from: string | undefined; to: string | undefined; allowPruned: boolean };
    context: Pick<Context, 'stderr' | 'signal' | 'now'>;
}

/** @returns the exit code: of what is left after the repair, or in a dry run of what was found */
export async function repairVerified(lake: Lake, { result, pending, isDryRun, asked, context }: RepairRequest): Promise<number> {
    const { planRepair } = await import('#lake/commit/repair');
    const { verifyLake } = await import('#lake/verify/verify');
    const { stderr, signal, now } = context;
    const store = await lake.store();
    const plan = await planRepair(store, { result, pending, now: now() });
    await tellPlan(plan, isDryRun ? 'Would' : 'Will', context);
    if (isDryRun || isEmptyPlan(plan)) {
        return isDryRun && !isEmptyPlan(plan) ? exitCodeOf('different') : exitCodeOf(result.verdict);
    }
    const done = await repair(lake, { store, plan, context });
    const only = {
        days: new Set([...done.days, ...plan.toBuild, ...plan.lostDays]),
        sources: new Set([...done.read, ...plan.beyondMending]),
    };
    const after = await verifyLake({ store, only, ...asked, maxListed: MAX_NAMED, now: now(), signal });
    for (const { kind, source, day, figure, in_lake, recomputed } of after.differences) {
        await stderr.write(
            `Still: ${[kind, source, day, figure].filter(Boolean).join(' ')}: in lake ${in_lake}, recomputed ${recomputed}\n`,
        );
    }
    const isRestChecked = result.notes.every(({ kind }) => MENDED_NOTES.includes(kind) || (asked.allowPruned && kind === 'raw_gone'));
    const verdict = after.verdict === 'equal' && !isRestChecked ? 'incomplete' : after.verdict;
    const said = {
        equal: 'all equal',
        different: `${after.differenceCount} left`,
        incomplete: 'no difference, but not all could be checked',
    };
    await stderr.write(`Verified again what was repaired: ${said[verdict]}\n`);
    const [first, ...others] = done.errors;
    if (first) {
        throw new Failure(`Not all could be done: ${first.message}${others.length > 0 ? ` (and ${others.length} more)` : ''}`, {
            cause: first,
        });
    }
    return exitCodeOf(verdict);
}

async function repair(
    lake: Lake,
    { store, plan, context }: { store: ObjectStore; plan: RepairPlan; context: RepairRequest['context'] },
): Promise<Awaited<ReturnType<typeof import('#lake/commit/repair').repairLake>>> {
    const { repairLake } = await import('#lake/commit/repair');
    const { openStatusLine } = await import('#cli/draw/status-line');
    const { sayBytes, sayCount } = await import('#cli/draw/quantity');
    const { stderr, signal, now } = context;
    const mark = lake.kind === 'directory' ? await (await import('#lake/here/local-work')).markRunning(lake.directory) : undefined;
    const line = openStatusLine(stderr);
    let current = '';
    let doneBytes = 0;
    const done = await repairLake(store, plan, {
        now,
        signal,
        onStep: (what) => {
            current = what;
            doneBytes = 0;
            void line.draw(`Repairing ${what}`);
        },
        onBytes: (bytes) => {
            doneBytes += bytes;
            void line.draw(`Repairing ${current}  ${sayBytes(doneBytes)}`);
        },
    }).finally(line.clear);
    const parts = [
        `read ${sayCount(done.read.length, 'file')}`,
        `deleted ${sayCount(done.deleted.length, 'object')}`,
        `built ${sayCount(done.days.length, 'day')}`,
    ];
    await stderr.write(`Repaired: ${parts.join(', ')}\n`);
    if (lake.kind === 'directory' && mark?.isWorkLeft) {
        // The mark of a command that was killed goes with ours: so its work is finished first, on days too that were not asked for.
        const { finishWork } = await import('#lake/here/finish-work');
        done.errors.push(...(await finishWork(lake.directory, { now: now(), signal })).errors);
    }
    if (done.errors.length === 0) {
        await mark?.clear();
    }
    return done;
}

async function tellPlan(plan: RepairPlan, will: 'Would' | 'Will', { stderr }: RepairRequest['context']): Promise<void> {
    const steps: [string, readonly string[]][] = [
        [`${will} read`, plan.toRead],
        [`${will} read once more, under a new version,`, [...plan.toReadAnew.keys()]],
        [`${will} delete`, plan.toDelete],
        [`${will} build anew`, plan.toBuild],
        ['Cannot mend, restore from a backup:', plan.beyondMending],
        ['Left as they are, the last trace of a lost file:', plan.lostDays],
    ];
    for (const [what, names] of steps.filter(([, list]) => list.length > 0)) {
        const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
        await stderr.write(`${what} ${names.slice(0, MAX_NAMED).join(', ')}${more}\n`);
    }
    if (isEmptyPlan(plan)) {
        await stderr.write('There is nothing that a repair would do\n');
    }
}
