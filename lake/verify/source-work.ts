/** What the checks of one source are given. */
import type { ObjectStore } from '#lake/store/object-store';
import type { Copies } from './copies.ts';
import type { Engine } from './engine.ts';
import type { Findings } from './findings.ts';
import type { LakeObjects, SourceRecord } from './lake-files.ts';

export interface VerifySourceOptions {
    engine: Engine;
    findings: Findings;
    store: ObjectStore;
    copies: Copies;
    objects: LakeObjects;
    onBytes: (bytes: number) => void;
    signal: AbortSignal | undefined;
}

/** A source that counts. */
export type LiveRecord = SourceRecord & { version: string };
