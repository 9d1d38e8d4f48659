/** Judges whether a lake in a directory can be worked with, and says what it waits for. */
import { judgeClock, judgeOlderFigures, judgeStrays } from './day-findings.ts';
import type { DirectoryAccess, DirectoryFacts, LockHolder } from './directory-facts.ts';
import { type Finding, judge, ok, orOk, problem, warning } from './finding.ts';
import { judgeLive } from './live-findings.ts';
import { judgeSources } from './source-findings.ts';
import { judgeSpace } from './space-findings.ts';

export function judgeDirectory(facts: DirectoryFacts, { now }: { now: Date }): Finding[] {
    const { directory, access, lock, freeBytes, days, olderFigures, sources, cutOff, live } = facts;
    const folder = judge('folder', access, {
        missing: () => problem('folder', `there is no folder ${directory}`, 'check the path, or upload something first: that makes it'),
        found: (allowed) => judgeFolder(directory, allowed),
    });
    if (access.kind !== 'found' || !access.value.isFolder) {
        return [...folder];
    }
    return [
        ...folder,
        ...judge('lock', lock, { missing: () => judgeLock(undefined), found: (holder) => [judgeLock(holder)] }),
        cutOff === 0
            ? ok('undone work', 'no command was cut off')
            : problem('undone work', `${cutOff} cut off in the middle`, 'the next upload finishes the work, or flowlake reconcile now'),
        ...judge('free space', freeBytes, {
            missing: () => problem('free space', 'the folder is gone', 'run it again'),
            found: (bytes) => [
                judgeSpace(
                    'free space',
                    bytes,
                    'free some space (flowlake prune frees raw files that are safely in the figures), or move the lake',
                ),
            ],
        }),
        ...judgeSources(sources),
        ...judgeOlderFigures(olderFigures),
        ...[...days].flatMap(([table, answer]) => judgeStrays(answer, { table, isEveryFileRead: false })),
        ...judgeClock(days, now),
        ...(live ? judgeLive(live, { now }) : []),
    ];
}

function judgeFolder(directory: string, { isFolder, isReadable, isWritable }: DirectoryAccess): readonly Finding[] {
    if (!isFolder) {
        return [problem('folder', `${directory} is a file; a lake is a directory`, 'check the path')];
    }
    const todo = `check who owns it (ls -ld ${directory}), and how its disk is mounted`;
    const wrong = [
        ...(isReadable ? [] : [problem('folder', 'you may not read it', todo)]),
        ...(isWritable ? [] : [warning('folder', 'you may not write to it: questions work, uploads do not', todo)]),
    ];
    return orOk('folder', wrong, `${directory} can be read and written`);
}

function judgeLock(lock: LockHolder | undefined): Finding {
    if (lock === undefined) {
        return ok('lock', 'nobody holds it');
    }
    const { owner, isAlive } = lock;
    const [host, pid] = owner.split(' ');
    const holder = `process ${pid} on ${host}`;
    return isAlive === undefined
        ? warning('lock', `${holder} holds it, which cannot be asked from here`, 'a lake on a network folder: use it from one machine only')
        : ok('lock', isAlive ? `${holder} is writing` : `${holder} was killed with it: the next writer takes it over`);
}
