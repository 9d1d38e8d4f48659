/** What the checks of one source are given. */
import type { InputsNow } from '#lake/inputs';
import type { Kind, SecondReader } from '#lake/kind';
import type { ObjectStore } from '#lake/store/object-store';
import type { Copies } from './copies.ts';
import type { Engine } from './engine.ts';
import type { Findings } from './findings.ts';
import type { KindObjects, SourceRecord } from './lake-files.ts';

export interface VerifySourceOptions {
    kind: Kind;
    /** The kind's second way to read a source, where it has one. */
    reader: SecondReader | undefined;
    engine: Engine;
    findings: Findings;
    store: ObjectStore;
    /** The inputs that hold now, looked up once for all sources. */
    inputs: InputsNow;
    copies: Copies;
    /** What there is of the kind. */
    objects: KindObjects;
    onBytes: (bytes: number) => void;
    signal: AbortSignal | undefined;
}

/** A source that counts. */
export type LiveRecord = SourceRecord & { version: string };
