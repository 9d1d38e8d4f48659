/** Kills the processes of the deployed Lambdas with SIGKILL, most of them in the middle of a call to AWS. */
import process from 'node:process';
import type { Chance } from '#test/hard/support/flow-texts';
import { nameOfCall } from './aws-call.ts';
import { type LambdaProcess, lambdaProcesses, processOfPort } from './deployed-lambdas.ts';
import type { Fault, Seen } from './faulty-proxy.ts';

/**
 * Moments of a kill: the call was not made; it was made and nobody learns of it; some milliseconds after a call came, while the worker
 * waits for its answer or computes; or any process at all, which may be idle or just starting.
 */
const MOMENTS = ['before a call', 'after a call', 'between calls', 'before a call', 'after a call', 'anywhere'] as const;
type Moment = (typeof MOMENTS)[number];

/** A batch of five small files makes some fifty calls. */
const MOST_CALLS_BETWEEN_KILLS = 25;

/** Calls that come to pass before the kill meant for a rare one is given to another. */
const PATIENCE_CALLS = 60;

export interface LambdaKiller {
    /** The fault of a call, for the proxy that the Lambdas' calls go through. */
    faultOf(seen: Seen): Fault;
    /** How many processes were killed. */
    kills(): number;
    /** How many of them while the call was under way that the proxy had seen of them: certainly at work. */
    killsAtWork(): number;
    /** Places of the kills: by job, by moment, by call. */
    story(): Record<string, Record<string, number>>;
}

/** Kills so many processes (one or two more, where several die at once), as the calls come; calls that were met seldom come first. */
export function openKiller({ chance, kills: wanted }: { chance: Chance; kills: number }): LambdaKiller {
    const byJob = new Map<string, number>();
    const byMoment = new Map<string, number>();
    const byCall = new Map<string, number>();
    let killed = 0;
    let callsUntilNext = chance.below(MOST_CALLS_BETWEEN_KILLS);

    function kill(victim: LambdaProcess | undefined, moment: Moment, call: string): boolean {
        if (victim === undefined || !isKilled(victim.pid)) {
            return false;
        }
        killed += 1;
        add(byJob, victim.job);
        add(byMoment, moment);
        if (moment !== 'anywhere') {
            add(byCall, call);
        }
        return true;
    }

    /** True if the call's turn has come. Notes each call that comes, so that it is known to exist. */
    function isTurnOf(call: string): boolean {
        byCall.set(call, byCall.get(call) ?? 0);
        return callsUntilNext < -PATIENCE_CALLS || byCall.get(call) === Math.min(...byCall.values());
    }

    return {
        faultOf(seen) {
            callsUntilNext -= 1;
            const call = nameOfCall(seen);
            if (!isTurnOf(call) || callsUntilNext > 0 || killed >= wanted) {
                return undefined;
            }
            callsUntilNext = 1 + chance.below(MOST_CALLS_BETWEEN_KILLS);
            const moment = MOMENTS[killed % MOMENTS.length] ?? 'anywhere';
            const caller = processOfPort(seen.port);
            switch (moment) {
                case 'before a call':
                    return kill(caller, moment, call) ? 'lose the request' : undefined;
                case 'after a call':
                    return { afterwards: () => kill(caller, moment, call) };
                case 'between calls':
                    setTimeout(() => kill(caller, moment, call), chance.below(20));
                    return undefined;
                case 'anywhere':
                    kill(chance.oneOf(lambdaProcesses()), moment, call);
                    return undefined;
            }
        },
        kills: () => killed,
        killsAtWork: () => (byMoment.get('before a call') ?? 0) + (byMoment.get('after a call') ?? 0),
        story: () => ({
            job: Object.fromEntries(byJob),
            moment: Object.fromEntries(byMoment),
            call: Object.fromEntries([...byCall].sort(([a], [b]) => (a < b ? -1 : 1))),
        }),
    };
}

function add(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** False where it was gone already. */
function isKilled(pid: number): boolean {
    try {
        return process.kill(pid, 'SIGKILL');
    } catch {
        return false;
    }
}
