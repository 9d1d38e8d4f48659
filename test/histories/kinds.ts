/** Who is at work in a history. */

/** Workers that are told by message; the subject is a raw key, a day of `pair_days`, or `<table> <day>` of a derived table. */
export const QUEUE_KINDS = ['summarize', 'consolidate', 'derive'] as const;
export type QueueKind = (typeof QUEUE_KINDS)[number];
/** What people start; its subject is a raw key, a day, or nothing. */
export type CommandKind = 'retract' | 'reconcile' | 'rebuild' | 'rebuild anew' | 'prune' | 'publish';
export type Kind = QueueKind | CommandKind;

export function isOfQueue(kind: Kind): kind is QueueKind {
    return QUEUE_KINDS.some((one) => one === kind);
}
