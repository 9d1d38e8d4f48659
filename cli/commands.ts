/** Every command, in the order in which help and docs/cli.md list them. */
import type { Command } from './command.ts';
import { anomalies } from './commands/anomalies.ts';
import { demo } from './commands/demo.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { exportPair } from './commands/export.ts';
import { features } from './commands/features.ts';
import { history } from './commands/history.ts';
import { pairs } from './commands/pairs.ts';
import { prune } from './commands/prune.ts';
import { query } from './commands/query.ts';
import { rebuild } from './commands/rebuild.ts';
import { reconcile } from './commands/reconcile.ts';
import { redrive } from './commands/redrive.ts';
import { rejects } from './commands/rejects.ts';
import { retract } from './commands/retract.ts';
import { sample } from './commands/sample.ts';
import { status } from './commands/status.ts';
import { upload } from './commands/upload.ts';
import { verify } from './commands/verify.ts';

export const commands: readonly Command[] = [
    demo,
    sample,
    upload,
    status,
    pairs,
    anomalies,
    exportPair,
    features,
    explain,
    query,
    rejects,
    history,
    verify,
    doctor,
    reconcile,
    rebuild,
    retract,
    redrive,
    prune,
];
