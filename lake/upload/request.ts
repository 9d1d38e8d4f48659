/** What is asked for with an upload, and what is told while it runs. */
import type { ReadingOptions } from '#lake/kind';
import type { FiguresEvents } from './await-figures.ts';

/** A file of this machine that is to go into a lake. */
export interface UploadFile {
    /** As people know it. */
    shown: string;
    path: string;
    /** Raw key that it is to have. */
    key: string;
    sizeBytes: number;
}

export interface UploadOptions {
    /** A file takes the place of the one of its name. */
    replace: boolean;
    /** Bytes that are in the lake under another name count once more. */
    allowDuplicate: boolean;
    /** How the files must be read, where that was said. */
    readingOptions: ReadingOptions;
    /** True to wait until the files are in the figures of a deployed lake; in a directory they always are. */
    wait: boolean;
    /** The variables of the process: of a deployed lake they tell where unfinished uploads are remembered. */
    environment: Readonly<Record<string, string | undefined>>;
    signal: AbortSignal;
    now: () => Date;
    events?: UploadEvents;
}

/** What is told while an upload runs. */
export interface UploadEvents extends FiguresEvents {
    /** A command was cut off in this lake; its work is finished first. */
    onCutOff?: () => Promise<void>;
    /** That work is still undone after the upload; this is why. */
    onUnfinished?: (error: Error) => Promise<void>;
    /** What each file means is decided; this many bytes are to be read, or sent. */
    onBegin?: (totalBytes: number) => void;
    /** Bytes read, or sent, since the last call. */
    onBytes?: (bytes: number) => void;
    /** Every file is taken in (of a deployed lake: stored); `added` of them are new or replace others. */
    onTaken?: (added: number) => Promise<void>;
    /** An error or an abort ended it before; the error is thrown after this. */
    onBrokenOff?: (left: BrokenOff) => Promise<void>;
}

export interface BrokenOff {
    /** Files that were taken in, and of how many. */
    taken: number;
    of: number;
    /** False where nothing of the other files is in the lake; else the same upload once more, the next command or `reconcile` finishes them. */
    isAnyLeft: boolean;
}
