/** `verify --repair`: says what would be done, does it, and verifies once more what it touched. */

import { changeLake } from '#cli/change-lake';
import type { Context } from '#cli/command';
import { countPeriods, sayCount } from '#cli/draw/quantity';
import { failOn, workInView } from '#cli/work-in-view';
import type { WorkDone } from '#lake/commit/finish';
import { isEmptyPlan, planRepair, type RepairPlan, repairLake } from '#lake/commit/repair';
import { findCutOff } from '#lake/here/marks';
import { sayPeriod } from '#lake/kinds';
import type { Lake } from '#lake/lake';
import { nameOfPeriod } from '#lake/layout';
import type { ObjectStore } from '#lake/store/object-store';
import type { Difference } from '#lake/verify/findings';
import { rowOf } from '#lake/verify/say-difference';
import { type VerifyResult, verifyLake } from '#lake/verify/verify';
import type { PendingSource } from '#lake/verify/verify-kind';
import { exitCodeOf } from './report.ts';

/** Names of a long list that are said. */
const MAX_NAMED = 10;

/** Kinds of notes that a repair takes care of. */
const MENDED_NOTES = ['not_summarized', 'raw_changed', 'input_changed'];

export interface RepairRequest {
    /** What verifying found, with `pending` taken as it will be. */
    result: VerifyResult;
    pending: ReadonlyMap<string, PendingSource>;
    isDryRun: boolean;
    /** Options that `result` was asked for with. */
    asked: { from: string | undefined; to: string | undefined; allowPruned: boolean };
    context: Pick<Context, 'stderr' | 'signal' | 'now'>;
}

/** Repairs what was found. @returns the exit code: for what is left after the repair, or in a dry run for what was found */
export async function repairVerified(lake: Lake, request: RepairRequest): Promise<number> {
    const { result, pending, isDryRun, context } = request;
    const store = await lake.store();
    const plan = await planRepair(store, { result, pending, now: context.now() });
    await tellPlan(plan, isDryRun ? 'Would' : 'Will', context);
    if (isDryRun) {
        return exitCodeOf(isEmptyPlan(plan) ? result.verdict : 'different');
    }
    if (isEmptyPlan(plan) && !(await isCutOff(lake))) {
        return exitCodeOf(result.verdict);
    }
    return changeLake(lake, context, async () => {
        if (isEmptyPlan(plan)) {
            return exitCodeOf(result.verdict);
        }
        const done = await repair(store, plan, context);
        const verdict = await verifyAgain(store, { plan, done, request });
        failOn(done.errors);
        return exitCodeOf(verdict);
    });
}

/** True if a command was cut off in this lake: then its mark goes, even where nothing is left to be done. */
async function isCutOff(lake: Lake): Promise<boolean> {
    return lake.kind === 'directory' && (await findCutOff(lake.directory)) > 0;
}

async function repair(store: ObjectStore, plan: RepairPlan, context: RepairRequest['context']): Promise<WorkDone> {
    const { workers, clear } = workInView(store, { verb: 'Repairing', context });
    const done = await repairLake(store, plan, { now: context.now, workers }).finally(clear);
    const parts = [
        `read ${sayCount(done.sources.length, 'file')}`,
        `deleted ${sayCount(done.deadObjects.length, 'object')}`,
        `built ${countPeriods(done.periods)}`,
        ...(done.derived.length > 0 ? [`derived ${sayCount(done.derived.length, 'day')}`] : []),
    ];
    await context.stderr.write(`Repaired: ${parts.join(', ')}\n`);
    return done;
}

interface Repaired {
    plan: RepairPlan;
    done: WorkDone;
    request: RepairRequest;
}

/** Verifies what the repair touched, or could not mend, and says what is left. @returns the verdict on the whole */
async function verifyAgain(
    store: ObjectStore,
    { plan, done, request: { result, asked, context } }: Repaired,
): Promise<VerifyResult['verdict']> {
    const { stderr, signal, now } = context;
    const only = {
        periods: new Set([...done.periods, ...done.derived, ...plan.toBuild, ...plan.lost].map(nameOfPeriod)),
        sources: new Set([...done.sources, ...plan.beyondMending]),
    };
    const after = await verifyLake({ store, only, ...asked, maxListed: MAX_NAMED, now: now(), signal });
    for (const difference of after.differences) {
        const { source, figure, in_lake, recomputed } = difference;
        const what = [rowOf(difference).kind, source, periodIn(difference), figure].filter(Boolean).join(' ');
        await stderr.write(`Still: ${what}: in lake ${in_lake}, recomputed ${recomputed}\n`);
    }
    const isRestChecked = result.notes.every(({ kind }) => MENDED_NOTES.includes(kind) || (asked.allowPruned && kind === 'raw_gone'));
    const verdict = after.verdict === 'equal' && !isRestChecked ? 'incomplete' : after.verdict;
    const said = {
        equal: 'all equal',
        different: `${after.differenceCount} left`,
        incomplete: 'no difference, but not all could be checked',
    };
    await stderr.write(`Verified again what was repaired: ${said[verdict]}\n`);
    return verdict;
}

/** The period that a difference is in, as people see it. */
function periodIn({ table, period }: Difference): string | undefined {
    return period === undefined || table === undefined ? period : sayPeriod({ table, period });
}

async function tellPlan(plan: RepairPlan, will: 'Would' | 'Will', { stderr }: RepairRequest['context']): Promise<void> {
    const steps: [string, readonly string[]][] = [
        [`${will} read`, plan.toRead],
        [`${will} read once more, under a new version,`, [...plan.toReadAnew.keys()]],
        [`${will} delete`, plan.toDelete],
        [`${will} build anew`, plan.toBuild.map(sayPeriod)],
        [`${will} derive anew`, plan.toDerive.map(sayPeriod)],
        ['Cannot mend, restore from a backup:', plan.beyondMending],
        ['Left as they are, the last trace of a lost file:', plan.lost.map(sayPeriod)],
    ];
    for (const [what, names] of steps.filter(([, list]) => list.length > 0)) {
        const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
        await stderr.write(`${what} ${names.slice(0, MAX_NAMED).join(', ')}${more}\n`);
    }
    if (isEmptyPlan(plan)) {
        await stderr.write('There is nothing that a repair would do\n');
    }
}
