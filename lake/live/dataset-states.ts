/** `in chain`: written, and in no table yet. `pruned`: its bytes are freed, its figures stay. Apart from the index, because naming them must load nothing. */
export const DATASET_STATES = ['in chain', 'read', 'failed', 'retracted', 'pruned'] as const;

export type DatasetState = (typeof DATASET_STATES)[number];
