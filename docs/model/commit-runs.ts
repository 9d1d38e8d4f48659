/** The runs of commit-rules.pml. */
import type { Model, Variant } from './model.ts';

/** One source and one day: summarize, retract, consolidate, reconcile. */
export const commitRules: Model = {
    file: 'commit-rules.pml',
    of: 'the commit rules',
    bounds: [
        // Without the fence nothing goes wrong before the third upload.
        { name: '3 uploads, 1 consolidator', defines: ['UPLOADS=3'] },
        { name: '2 uploads, 1 consolidator, 4 versions at once', defines: ['UPLOADS=2', 'VERSIONS=4'] },
        { name: '1 upload, any retractions, 1 consolidator', defines: ['UPLOADS=1', 'RETRACTIONS'] },
        { name: '1 upload, 2 consolidators', defines: ['UPLOADS=1', 'CONSOLIDATORS=2'] },
        { name: '2 uploads, 2 consolidators', defines: ['UPLOADS=2', 'CONSOLIDATORS=2'], isDeep: true },
        { name: '2 uploads, any retractions, 1 consolidator', defines: ['UPLOADS=2', 'RETRACTIONS'], isDeep: true },
    ],
    promises: {
        convergence: 'all is quiet, and the day is not what the raw object says',
        atomicity: 'the day contains two versions of a source',
        nothing_lost: 'a write took out of the day what was in it and counts',
        nothing_superseded: 'all is quiet, and a version that is not live is in the day',
        nothing_left: 'all is quiet, and the summary of a version that was superseded is left',
        nothing_uncommitted: 'the day contains what was never committed',
        retraction_holds: 'what was retracted is committed again, or still in the day when all is quiet',
        retraction_ends: 'a new upload of what was retracted does not count',
    },
    variants: [
        variant('no-ledger-check', 'a summary counts though its ledger does not name it live', 'nothing_uncommitted', ['NO_LEDGER_CHECK']),
        variant('deletes-before-commit', 'what is to be superseded is deleted before the commit', 'nothing_lost', [
            'DELETES_BEFORE_COMMIT',
        ]),
        variant('done-before-step-6', 'the message is done before the deletes and before the day is told', 'convergence', [
            'DONE_BEFORE_STEP_6',
        ]),
        variant(
            'no-number',
            'reconcile deletes what is not live, without a number that tells whether it may yet be committed',
            'convergence',
            ['NO_NUMBER'],
        ),
        variant('shared-keys', 'two attempts at the same bytes for the same commit write the same key', 'nothing_superseded', [
            'SHARED_KEYS',
        ]),
        variant('own-deleted-unasked', 'who lost deletes its attempt without a look whether it is live', 'convergence', [
            'DISCARDS_UNASKED',
        ]),
        variant('no-look-again-source', 'summarize ends with its commit, won or lost', 'convergence', ['NO_LOOK_AGAIN_SOURCE']),
        variant('no-look-again-day', 'consolidate ends with its write', 'nothing_superseded', ['NO_LOOK_AGAIN_DAY', 'CONSOLIDATORS=2']),
        variant('no-telling-old-days', 'only days of the live version are told', 'nothing_superseded', ['NO_TELLING_OLD_DAYS']),
        variant('no-deletes', 'superseded summaries stay', 'nothing_superseded', ['NO_DELETES']),
        variant('no-fence', 'a worker that has nothing to do writes nothing', 'convergence', ['NO_FENCE', 'UPLOADS=3']),
        variant('no-ledger-condition', 'the ledger is written without a condition', 'convergence', ['NO_LEDGER_CONDITION']),
        variant('no-day-condition', 'a day is written without a condition', 'nothing_lost', ['NO_DAY_CONDITION', 'CONSOLIDATORS=2']),
        variant('retracts-name', 'a retraction holds for the name, not for the upload', 'retraction_ends', [
            'RETRACTS_NAME',
            'RETRACTIONS',
        ]),
        variant('retracts-nothing', 'a retraction does not say which upload it holds for', 'retraction_holds', [
            'NO_RETRACTED_GENERATION',
            'RETRACTIONS',
        ]),
    ],
    goals: {
        quiet_with_figures: [],
        quiet_without_rows: [],
        quiet_corrected: [],
        quiet_retracted: ['RETRACTIONS'],
        retraction_void: ['RETRACTIONS'],
        fence_wins: [],
        fence_beats: [],
        late_commit: [],
        lost_answer: [],
        own_deleted: [],
        superseded_deleted: [],
        number_used_up: [],
        shortcut: [],
    },
};

function variant(name: string, text: string, breaks: string, defines: string[]): Variant {
    return { name, text, breaks, defines };
}
