/** The runs of derived-tables.pml. */
import type { Model, Variant } from './model.ts';

/** The smallest worlds in which a rule is missed. */
const TWO_DAYS = ['DAYS=2', 'CHANGES=2'];
const ONE_DAY_THRICE = ['DAYS=2', 'CHANGES=3', 'WORKERS=1', 'PROFILES=0'];
const THREE_DAYS = ['CHANGES=3', 'WORKERS=1', 'PROFILES=0'];

/** A chained table over two or three days. */
export const derivedTables: Model = {
    file: 'derived-tables.pml',
    of: 'the rules of derived tables',
    bounds: [
        { name: '3 days, 3 changes, 2 workers', defines: ['PROFILES=0'] },
        { name: '3 days, 2 changes and a profile, 2 workers', defines: ['CHANGES=2'] },
        { name: '3 days, 3 changes and a profile, commands, 1 worker', defines: ['WORKERS=1', 'COMMANDS'] },
        { name: '3 days, 4 changes, commands, 1 worker', defines: ['CHANGES=4', 'WORKERS=1', 'PROFILES=0', 'COMMANDS'] },
        { name: '2 days, 2 changes and a profile, commands, 2 workers', defines: [...TWO_DAYS, 'COMMANDS'] },
        {
            name: '2 days, 2 changes, commands that nobody runs again',
            defines: [...TWO_DAYS, 'PROFILES=0', 'COMMANDS', 'FORGOTTEN_COMMANDS'],
        },
        { name: '2 days, 3 changes and a profile, 2 workers', defines: ['DAYS=2'], isDeep: true },
    ],
    promises: {
        readings_are_in: 'all is quiet, and a day is not made of the readings and the profile that are there',
        chain_is_right: 'all is quiet, and a day opens with another state than the days before it come to',
    },
    variants: [
        variant('names-as-listed', 'an object names the etags of the listing, not those of the reads (R1)', 'readings_are_in', [
            ...ONE_DAY_THRICE,
            'NAMES_AS_LISTED',
        ]),
        variant('names-no-profile', 'an object does not name the version of its profile (R1)', 'readings_are_in', [
            ...TWO_DAYS,
            'NAMES_NO_PROFILE',
        ]),
        variant('names-no-state', 'an object does not name the state that it opened with (R1)', 'chain_is_right', [
            ...TWO_DAYS,
            'NAMES_NO_STATE',
        ]),
        variant('no-second-look', 'a worker that has won its write does not look again (R2)', 'chain_is_right', [
            ...TWO_DAYS,
            'NO_SECOND_LOOK',
        ]),
        variant('narrow-second-look', 'the look after a write leaves the opening state out (R2)', 'chain_is_right', [
            ...TWO_DAYS,
            'NARROW_SECOND_LOOK',
        ]),
        variant('tells-if-written', 'who finds nothing to write tells nobody (R3)', 'readings_are_in', [
            ...TWO_DAYS,
            'TELLS_AFTER_WRITE_ONLY',
        ]),
        variant('tells-before-write', 'a day is told before its readings are written (R3)', 'readings_are_in', [
            ...TWO_DAYS,
            'TELLS_BEFORE_WRITE',
        ]),
        variant(
            'no-derived-condition',
            'a day is written without a condition, and a killed command is not run again (R4)',
            'readings_are_in',
            [...TWO_DAYS, 'PROFILES=0', 'COMMANDS', 'FORGOTTEN_COMMANDS', 'NO_CONDITION'],
        ),
        variant('forgotten-command', 'a killed command is not run again, where an etag comes back', 'readings_are_in', [
            'DAYS=2',
            'PROFILES=0',
            'COMMANDS',
            'FORGOTTEN_COMMANDS',
        ]),
        variant('deletes-empty', 'a day that is left with nothing loses its objects (R5)', 'chain_is_right', [
            ...ONE_DAY_THRICE,
            'DELETES_EMPTY',
        ]),
        variant('no-identity', 'a day without rows closes with a state of its own (R9)', 'chain_is_right', [...THREE_DAYS, 'NO_IDENTITY']),
        variant('yesterday', 'a day opens with what the day before it closed with, or with nothing (R11)', 'chain_is_right', [
            ...THREE_DAYS,
            'YESTERDAY',
        ]),
        variant('tells-own-change', 'the next day is told by who changed the closing state, and by nobody else (R12)', 'chain_is_right', [
            ...TWO_DAYS,
            'TELLS_AFTER_CHANGE',
        ]),
        variant('lists-next-first', 'the next day is listed before the write, not after it (R12)', 'chain_is_right', [
            ...TWO_DAYS,
            'LISTS_NEXT_FIRST',
        ]),
        variant('walks-untold', 'a worker goes on to the next day without telling it (R13)', 'chain_is_right', [
            'CHANGES=4',
            'WORKERS=1',
            'PROFILES=0',
            'WALKS_UNTOLD',
        ]),
        variant('profile-untold', 'a new version of a profile tells no day (R19)', 'readings_are_in', [
            ...TWO_DAYS,
            'PROFILE_TELLS_NOBODY',
        ]),
    ],
    goals: Object.fromEntries(
        ['quiet_with_all_days', 'chain_goes_on', 'chain_stops', 'lost_race', 'overtaken_after_write', 'late_day', 'across_a_gap'].map(
            (goal) => [goal, ['PROFILES=0']],
        ),
    ),
};

function variant(name: string, text: string, breaks: string, defines: string[]): Variant {
    return { name, text, breaks, defines };
}
