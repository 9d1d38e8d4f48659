/** Who is at work in a history. */

/** Workers that are told by message; the subject is a raw key or a period. */
export const QUEUE_KINDS = ['summarize', 'consolidate'] as const;
export type QueueKind = (typeof QUEUE_KINDS)[number];
/** What people start; its subject is a raw key, a day, or nothing. */
export type CommandKind = 'retract' | 'reconcile' | 'rebuild' | 'rebuild anew' | 'prune';
export type Kind = QueueKind | CommandKind;

export function isOfQueue(kind: Kind): kind is QueueKind {
    return kind === 'summarize' || kind === 'consolidate';
}
