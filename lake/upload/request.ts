/** What is asked for with an upload, and what is told while it runs. */
import type { ReadingOptions } from '#lake/kind';
import type { FiguresEvents } from './await-figures.ts';

/** A file of this machine that is to go into a lake. */
export interface UploadFile {
    /** Name of the file as people know it. */
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
    /** Documents of inputs that are not in the lake yet and would be added first, by name: for a trial. */
    plannedInputs?: ReadonlyMap<string, unknown> | undefined;
    /** True if the upload to a deployed lake waits until the files are in the figures; one to a directory lake always does. */
    wait: boolean;
    /** Variables that tell where unfinished uploads to a deployed lake are remembered. */
    environment: Readonly<Record<string, string | undefined>>;
    signal: AbortSignal;
    now: () => Date;
    events?: UploadEvents;
}

/** What is told while an upload runs. */
export interface UploadEvents extends FiguresEvents {
    /** Called where a command was cut off in this lake, before its work is finished. */
    onCutOff?: () => Promise<void>;
    /** Called where the work of a cut-off command is still undone after the upload, with the reason. */
    onUnfinished?: (error: Error) => Promise<void>;
    /** Called where a preset that the files are to be read by was added to the lake: `version 1 of profile thermostat`. */
    onInputAdded?: (input: string) => Promise<void>;
    /** Called once it is decided what each file means; this many bytes are to be read, or sent. */
    onBegin?: (totalBytes: number) => void;
    /** Called with the bytes read, or sent, since the last call. */
    onBytes?: (bytes: number) => void;
    /** Called once every file is taken in (in a deployed lake: stored); `added` of them are new or replace others. */
    onTaken?: (added: number) => Promise<void>;
    /** Called where a deployed lake has too many sources to look for those with the same rows after each upload. */
    onNotCompared?: () => Promise<void>;
    /** Called when an error or an abort ended the upload before; the error is thrown after this. */
    onBrokenOff?: (left: BrokenOff) => Promise<void>;
}

export interface BrokenOff {
    /** Files that were taken in, and how many there are in all. */
    taken: number;
    of: number;
    /** False where nothing of the other files is in the lake; else the same upload once more, the next command or `reconcile` finishes them. */
    isAnyLeft: boolean;
}
