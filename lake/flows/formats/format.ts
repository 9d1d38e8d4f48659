/** What every format of files of flows is to the reader: lake/flows/read-flows.ts picks one by the first bytes, and it writes into one sink. */

import type { FlowSink, Settled } from '../flow-sink.ts';
import type { DurationUnit } from '../options.ts';

/** What settled the unit of a file's durations: its rows, its format or the columns' names, nothing (a guess), or the uploader. */
export type UnitBy = 'witnessed' | 'named' | 'assumed' | 'given';

/** What a file comes to, before its dates are settled. */
export type FormatRead =
    | {
          ok: true;
          sink: FlowSink;
          /** What the ledger calls the dialect. */
          dialect: string;
          durationUnit: DurationUnit;
          durationUnitBy: UnitBy;
          rowsRejected: number;
          repeatedHeaders: number;
      }
    | Unusable
    /** Something was settled by rows that came too late: the file is read once more with it. */
    | { ok: false; readAgainWith: Settled };

/** A file of which nothing can be used. */
export interface Unusable {
    ok: false;
    /** What the file is or what was looked for and found, and what to do. */
    error: string;
    /** What the file is, as people say it with its article (`a tar archive`), where that is known: for answers that name many files at once. */
    what?: string | undefined;
    /** True for text in which nothing is like a flow: no column's name that is known, and no address. */
    isUnlike?: boolean;
    /** True if it is surely no file of flows but one that lies beside them by right, as Zeek's dns.log: left out, and no failure. */
    isOther?: boolean;
}
