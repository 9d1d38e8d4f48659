/** Every command, in the order in which help and docs/cli.md list them. */
import { kindsWithInputs } from '#lake/kinds';
import type { Command } from './command.ts';
import { alertCommands } from './commands/alert/command.ts';
import { alerts } from './commands/alerts/command.ts';
import { anomalies } from './commands/anomalies/command.ts';
import { completionsOfAll } from './commands/completions/command.ts';
import { cost } from './commands/cost/command.ts';
import { datasets } from './commands/datasets/command.ts';
import { deadLetterCommands } from './commands/dead-letters/command.ts';
import { delivery } from './commands/delivery/command.ts';
import { demo } from './commands/demo/command.ts';
import { deviceCommands } from './commands/device/command.ts';
import { devices } from './commands/devices/command.ts';
import { doctor } from './commands/doctor/command.ts';
import { duckdb } from './commands/duckdb/command.ts';
import { explain } from './commands/explain/command.ts';
import { exportPair } from './commands/export/command.ts';
import { features } from './commands/features/command.ts';
import { history } from './commands/history/command.ts';
import { inputCommands } from './commands/inputs/command.ts';
import { latest } from './commands/latest/command.ts';
import { pairs } from './commands/pairs/command.ts';
import { prune } from './commands/prune/command.ts';
import { query } from './commands/query/command.ts';
import { readings } from './commands/readings/command.ts';
import { rebuild } from './commands/rebuild/command.ts';
import { reconcile } from './commands/reconcile/command.ts';
import { redrive } from './commands/redrive/command.ts';
import { rejects } from './commands/rejects/command.ts';
import { report } from './commands/report/command.ts';
import { retract } from './commands/retract/command.ts';
import { sample } from './commands/sample/command.ts';
import { serve } from './commands/serve/command.ts';
import { simulate } from './commands/simulate/command.ts';
import { status } from './commands/status/command.ts';
import { ui } from './commands/ui/command.ts';
import { upload } from './commands/upload/command.ts';
import { verify } from './commands/verify/command.ts';

export const commands: readonly Command[] = [
    demo,
    sample,
    upload,
    status,
    pairs,
    anomalies,
    devices,
    readings,
    alerts,
    exportPair,
    report,
    features,
    explain,
    query,
    ui,
    duckdb,
    rejects,
    history,
    verify,
    doctor,
    reconcile,
    rebuild,
    retract,
    redrive,
    ...deadLetterCommands,
    cost,
    prune,
    ...kindsWithInputs().flatMap(inputCommands),
    ...deviceCommands,
    serve,
    latest,
    ...alertCommands,
    simulate,
    delivery,
    datasets,
    completionsOfAll(() => commands),
];
