/**
 * `npm run bench`: speed as ratios, both sides measured in turn within this run and their figures compared. `-- --quick` is smaller, `-- --before
 * <dist/flowlake.js>` compares with another build where a part can.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { benchAnomalies } from './anomalies.ts';
import { benchCloud } from './cloud.ts';
import { benchCompressed } from './compressed.ts';
import { benchConsolidate } from './consolidate.ts';
import { benchExport } from './export.ts';
import { benchFullDay } from './full-day.ts';
import { benchLambdaStart } from './lambda-start.ts';
import { benchLambdaWork } from './lambda-work.ts';
import { benchLive } from './live.ts';
import { benchManyPairs } from './many-pairs.ts';
import { benchPairs } from './pairs.ts';
import { benchParquet } from './parquet.ts';
import { HOW_TO_GET_PEERS } from './peers.ts';
import { benchReading } from './reading.ts';
import { benchReadingJson } from './reading-json.ts';
import { benchReadingTools } from './reading-tools.ts';
import { benchSmallFiles } from './small-files.ts';
import { benchStartUp } from './start-up.ts';
import { benchStatus } from './status.ts';
import { benchTelemetry } from './telemetry.ts';
import { benchTelemetryQuestions } from './telemetry-questions.ts';
import { benchUpload } from './upload.ts';

const PARTS = {
    reading: benchReading,
    parquet: benchParquet,
    'reading-json': benchReadingJson,
    'reading-tools': benchReadingTools,
    'start-up': benchStartUp,
    'lambda-start': benchLambdaStart,
    'lambda-work': benchLambdaWork,
    upload: benchUpload,
    'many-pairs': benchManyPairs,
    'full-day': benchFullDay,
    'small-files': benchSmallFiles,
    compressed: benchCompressed,
    consolidate: benchConsolidate,
    export: benchExport,
    pairs: benchPairs,
    anomalies: benchAnomalies,
    status: benchStatus,
    telemetry: benchTelemetry,
    'telemetry-questions': benchTelemetryQuestions,
    live: benchLive,
    cloud: benchCloud,
};

const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, before: { type: 'string' } },
    allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
    console.error(`bench: no part ${unknown.join(', ')}; the parts are ${Object.keys(PARTS).join(', ')}`);
    process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), 'flowlake-bench-'));
let areEqual = true;
console.log(`Node ${process.versions.node}, DuckDB ${(await import('@duckdb/node-api')).version()}, ${availableParallelism()} cores`);
if (HOW_TO_GET_PEERS !== undefined) {
    console.log(HOW_TO_GET_PEERS);
}
try {
    for (const [name, part] of Object.entries(PARTS)) {
        if (positionals.length > 0 && !positionals.includes(name)) {
            continue;
        }
        for await (const { what, found, goal, isEqual } of part({ folder, isQuick: values.quick, before: values.before })) {
            const judged = goal && !values.quick ? `  (goal ${goal.text}: ${goal.isMet ? 'met' : 'LOST'})` : '';
            const equal = isEqual === undefined ? '' : isEqual ? '  same figures' : '  DIFFERENT FIGURES';
            console.log(`${what.padEnd(46)} ${found}${judged}${equal}`);
            areEqual &&= isEqual ?? true;
        }
    }
} finally {
    await rm(folder, { recursive: true, force: true });
}
process.exit(areEqual ? 0 : 1);
