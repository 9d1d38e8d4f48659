/** Ways to break the commit rules and the accounts in the sources, each of which tests must notice; docs/testing.md has the table. */

export interface Break {
    /** Name of the break, for `--only`. */
    name: string;
    /** What the broken code does, in plain words. */
    does: string;
    file: string;
    /** Stands in the file exactly once. */
    text: string;
    replacement: string;
    /** The test files of which one must fail. */
    tests: readonly string[];
}

const HISTORIES = 'test/lake/commit/protocol.test.ts';
const RACES = 'test/lake/commit/protocol-races.test.ts';

/** Every break; the name is unique. */
export const breaks: readonly Break[] = [
    {
        name: 'no-ledger-check',
        does: 'a day counts every summary that lies in its folder, whatever the ledger says',
        file: 'lake/commit/period-state.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a piece of a source
        text: 'return names.filter((name) => isKnown || name === `${source}.${live}`);',
        replacement: 'return live === 0 ? [] : names;',
        tests: [HISTORIES],
    },
    {
        name: 'two-versions-known',
        does: 'of two versions of a source in a day the ledger is not asked where one is contained',
        file: 'lake/commit/period-state.ts',
        text: 'const isKnown = names.length === 1 && names.every((name) => isContained.has(name));',
        replacement: 'const isKnown = names.some((name) => isContained.has(name));',
        tests: [HISTORIES],
    },
    {
        name: 'contained-by-count',
        does: 'a day is taken for right when it contains as many sources as count, whichever',
        file: 'lake/commit/period-state.ts',
        text: 'return contained.length === counting.length && contained.every((name, at) => name === counting[at]);',
        replacement: 'return contained.length === counting.length;',
        tests: [HISTORIES],
    },
    {
        name: 'merge-into-outdated',
        does: 'new summaries are merged into a day of which only a part counts still',
        file: 'lake/commit/period-state.ts',
        text: 'return contained.length > 0 && contained.every((name) => counts.has(name));',
        replacement: 'return contained.some((name) => counts.has(name));',
        tests: [HISTORIES],
    },
    {
        name: 'merge-twice',
        does: 'what a day contains already is merged into it once more',
        file: 'lake/commit/consolidate.ts',
        text: 'const isMerged = new Set(mayMerge ? contained : []);',
        replacement: 'const isMerged = new Set<string>();',
        tests: ['test/lake/commit/consolidate.test.ts'],
    },
    {
        name: 'day-without-condition',
        does: 'a day is written whoever wrote it meanwhile',
        file: 'lake/commit/consolidate.ts',
        text: '{ ifMatch: state.etag }',
        replacement: "{ ifMatch: (await store.head(keyOf(of)))?.etag ?? 'absent' }",
        tests: [HISTORIES],
    },
    {
        name: 'no-second-look-at-a-day',
        does: 'consolidation ends with its write',
        file: 'lake/commit/consolidate.ts',
        text: 'outcome.rows = countRows(merged, rows);',
        replacement: 'outcome.rows = countRows(merged, rows);\n            return outcome;',
        tests: [RACES],
    },
    {
        name: 'ledger-without-condition',
        does: 'the ledger record is written whoever wrote it meanwhile',
        file: 'lake/ledger.ts',
        text: '{ ifMatch: etag })) !== undefined;',
        replacement: "etag === '' ? { ifMatch: etag } : ({} as { ifMatch: string }))) !== undefined;",
        tests: [HISTORIES],
    },
    {
        name: 'no-commit-number',
        does: 'versions do not say which commit they are for, so that reconcile deletes what a worker is about to commit',
        file: 'lake/ledger.ts',
        text: '(record?.commits ?? 0) + 1}-',
        replacement: '1}-',
        tests: [RACES],
    },
    {
        name: 'shared-keys',
        does: 'attempts at the same commit write the same keys, so that a slow one writes what was deleted',
        file: 'lake/commit/summarize.ts',
        text: '{ attempt: options.newAttempt?.() }',
        replacement: "{ attempt: '0123456789abcdef' }",
        tests: [RACES],
    },
    {
        name: 'prune-without-fence',
        does: 'a raw object is freed while a worker may commit the bytes before it',
        file: 'lake/commit/prune.ts',
        text: '(await fenceLedger(store, { source: sourceId(key), record, etag }))',
        replacement: '(fenceLedger !== undefined || etag === record.etag)',
        tests: [RACES],
    },
    {
        name: 'prune-of-any-upload',
        does: 'a raw object is freed though it was uploaded once more just now',
        file: 'lake/commit/prune.ts',
        text: '(await tryDelete(store, key, { only: raw }))',
        replacement: '(tryDelete === undefined || !(await store.delete(key)))',
        tests: ['test/lake/commit/prune.test.ts'],
    },
    {
        name: 'reading-not-pinned',
        does: 'the raw object is read as it is by now, not as it was when it was looked at',
        file: 'lake/commit/read-source.ts',
        text: '{ ifMatch: raw.etag })) {',
        replacement: "{ ifMatch: (await store.head(raw.key))?.etag ?? '' })) {",
        tests: ['test/lake/commit/summarize.test.ts'],
    },
    {
        name: 'pin-not-looked-at',
        does: 'a directory opens whatever stands under the name, whichever version was asked for',
        file: 'lake/store/directory.ts',
        text: 'if (etag !== ifMatch) {',
        replacement: 'if (etag === undefined) {',
        tests: ['test/lake/store/directory.test.ts'],
    },
    {
        name: 'no-second-look-at-a-source',
        does: 'summarize ends with its commit, won or lost',
        file: 'lake/commit/summarize.ts',
        text: 'found nothing to do yet.\n            continue;',
        replacement:
            'found nothing to do yet.\n            const found = (await readLedger(store, source)).record;\n            await deleteSuperseded(kind, { source, record: found, store });\n            return { record: found, periods: periodsOf(kind, found), hasCommitted };',
        tests: [RACES],
    },
    {
        name: 'no-fence',
        does: 'a message that finds nothing to do uses no commit number up',
        file: 'lake/commit/summarize.ts',
        text: 'raw && record && !isFenced ?',
        replacement: 'raw && record && !isFenced && Date.now() === 0 ?',
        tests: [RACES],
    },
    {
        name: 'delete-before-commit',
        does: 'the objects of the old version are deleted before the new one is live',
        file: 'lake/commit/summarize.ts',
        text: 'if (raw && (needsReading(raw, record) || isToMakeWay(record, options))) {',
        replacement:
            'if (raw && (needsReading(raw, record) || isToMakeWay(record, options))) {\n            await deleteSuperseded(kind, { source, record: record && { ...record, version: null }, store });',
        tests: [HISTORIES],
    },
    {
        name: 'tell-before-deletes',
        does: 'periods are told before the objects of the old versions are deleted',
        file: 'lake/commit/summarize.ts',
        text: 'await deleteSuperseded(kind, { source, record: last, store });',
        replacement: 'deleteSuperseded(kind, { source, record: last, store }).catch(() => undefined);',
        tests: [HISTORIES],
    },
    {
        name: 'old-versions-stay',
        does: 'the summaries of superseded versions are not deleted',
        file: 'lake/commit/summarize.ts',
        text: 'await store.delete(contributionKey(contributions, { period, source, version }));',
        replacement: 'void [contributionKey, contributions, period];',
        tests: [HISTORIES],
    },
    {
        name: 'old-days-not-told',
        does: 'only the days of the live version are told',
        file: 'lake/commit/summarize.ts',
        text: 'new Set(Object.values(record?.versions ?? {}).flat())',
        replacement: "new Set(record?.versions[record.version ?? ''] ?? [])",
        tests: [HISTORIES],
    },
    {
        name: 'rejects-not-awaited',
        does: 'the ledger says how many rows were rejected before their object is written',
        file: 'lake/commit/read-source.ts',
        text: 'open?.gzip.end();\n            await open?.put;',
        replacement: 'open?.gzip.end();',
        tests: ['test/lake/commit/summarize.test.ts', HISTORIES],
    },
    {
        name: 'retraction-of-a-name',
        does: 'a retraction holds for the name: a new upload of it is never read',
        file: 'lake/commit/summarize.ts',
        text: 'if (record?.retracted_generation === raw.generation) {',
        replacement: "if (record?.state === 'retracted') {",
        tests: [RACES],
    },
    {
        name: 'retraction-not-published',
        does: 'a retraction ends with its commit: nothing is deleted, no day is told',
        file: 'lake/commit/retract.ts',
        text: 'return { ...(await summarize(rawKey, options, { mustFence: false })), hasCommitted: true };',
        replacement: 'return { record: (await readLedger(store, source)).record, periods: [], hasCommitted: true };',
        tests: [HISTORIES],
    },
    {
        name: 'young-objects-deleted',
        does: 'reconcile deletes what a worker may be about to commit',
        file: 'lake/commit/reconcile.ts',
        text: 'if (isSuperseded || now.getTime() - modifiedAt.getTime() > OLDER_THAN_ANY_WORKER_MS) {',
        replacement: 'if (isSuperseded || now.getTime() - modifiedAt.getTime() > OLDER_THAN_ANY_WORKER_MS * 0 - 1) {',
        tests: [RACES],
    },
    {
        name: 'number-not-used-up',
        does: 'reconcile deletes old objects whose commit may still come',
        file: 'lake/commit/reconcile.ts',
        text: 'return commitLedger(store, { source, record: { ...record, commits: numberOfVersion(version) }, etag });',
        replacement: 'return commitLedger !== undefined && etag !== null;',
        tests: [RACES],
    },
    {
        name: 'message-done-too-soon',
        does: 'a Lambda says of every message that it is done',
        file: 'lambdas/batch.ts',
        text: 'return { batchItemFailures: failed.map(({ id }) => ({ itemIdentifier: id })) };',
        replacement: 'return { batchItemFailures: failed.slice(0, 0).map(({ id }) => ({ itemIdentifier: id })) };',
        tests: ['test/lambdas/pipeline.test.ts', 'test/lambdas/summarize.test.ts'],
    },
    {
        name: 'days-not-awaited',
        does: 'a message is done before its days stand in the next queue',
        file: 'lambdas/summarize/summarize-batch.ts',
        text: 'await tellPeriods(periods, { queue: consolidateQueue, uploadedAt });',
        replacement: 'tellPeriods(periods, { queue: consolidateQueue, uploadedAt }).catch(() => undefined);',
        tests: ['test/lambdas/summarize.test.ts'],
    },
    {
        name: 'sums-in-doubles',
        does: 'squares of two files are added as doubles',
        file: 'lake/rows.ts',
        text: 'const sum = one + other;',
        replacement: 'const sum = BigInt(Number(one) + Number(other));',
        tests: ['test/lake/rows.test.ts'],
    },
    {
        name: 'merge-word-mixed-up',
        does: 'the smallest of two rows becomes the largest, and the other way round',
        file: 'lake/rows.ts',
        text: "(merge === 'min') === other < one",
        replacement: "(merge === 'max') === other < one",
        tests: ['test/lake/rows.test.ts'],
    },
    {
        name: 'null-takes-the-value',
        does: 'of a null and a value the null stays',
        file: 'lake/rows.ts',
        text: 'values[into] = (one ?? other) as bigint;',
        replacement: 'values[into] = null as unknown as bigint;',
        tests: ['test/lake/rows-of-any-table.test.ts'],
    },
    {
        name: 'hours-in-one',
        does: 'a period of an hour takes what sources contribute to its whole day',
        file: 'lake/layout.ts',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a piece of a source
        text: "hour === undefined ? '' : `${hour}.`",
        replacement: "hour === undefined ? '' : ''",
        tests: ['test/lake/layout.test.ts'],
    },
    {
        name: 'options-of-another-kind',
        does: 'a version does not remember with which options its source was read',
        file: 'lake/ledger.ts',
        text: "...kind.options.map(({ name }) => options[name] ?? '')",
        replacement: "...kind.options.map(({ name }) => (name === '' ? options[name] : ''))",
        tests: ['test/lake/ledger.test.ts'],
    },
    {
        name: 'periods-before-dead-objects',
        does: 'periods are merged before dead objects are deleted',
        file: 'lake/commit/finish.ts',
        text: `    const deadObjects = await removeDeadObjects(store, { records: await readAllRecords(store), now: now() });
    const periods = await periodsAfter(read.periods);`,
        replacement: `    const periods = await periodsAfter(read.periods);
    const deadObjects = await removeDeadObjects(store, { records: await readAllRecords(store), now: now() });`,
        tests: ['test/lake/commit/finish.test.ts'],
    },
    {
        name: 'mark-cleared-too-early',
        does: 'the mark of a command goes although it was aborted',
        file: 'lake/here/marks.ts',
        text: '    const result = await work(mark);\n    signal.throwIfAborted();',
        replacement: '    const result = await work(mark).finally(() => mark.clear());\n    signal.throwIfAborted();',
        tests: ['test/lake/here/marks.test.ts'],
    },
    {
        name: 'unfinished-forgotten',
        does: 'the marks of killed commands go although their work could not be finished',
        file: 'lake/here/marks.ts',
        text: '        await mark.clearOwn();',
        replacement: '        await mark.clear();',
        tests: ['test/lake/here/marks.test.ts'],
    },
    {
        name: 'lock-not-held',
        does: 'two processes compare and replace an object of a directory at once',
        file: 'lake/store/directory-lock.ts',
        text: 'return isAlive ?? (await ageOf(path)) < UNKNOWN_HOLDER_MS;',
        replacement: 'return isAlive === undefined && (await ageOf(path)) < UNKNOWN_HOLDER_MS;',
        tests: ['test/lake/store/directory-processes.test.ts'],
    },
];
