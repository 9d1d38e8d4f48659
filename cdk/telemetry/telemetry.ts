/**
 * Live telemetry of a stage, in its parts. What holds data is made first and stays when telemetry is turned off; then come the parts, one line
 * each, every one in a file of its own beside this one.
 */
import type { RemovalPolicy } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { DATASETS_TABLE } from '#lake/cloud/datasets-table';
import { STATE_TABLE } from '#lake/cloud/state-table';
import type { Deployment, TelemetryDeployment } from '#lake/deployment';
import type { AlarmRule, WatchedFunction } from '../alarms.ts';
import { GIVEN_UP, type StageConfig, type TelemetryConfig } from '../config.ts';
import type { Graph } from '../dashboard.ts';
import type { LakeFunction, Worker } from '../functions.ts';
import type { LakeBucket } from '../lake-bucket.ts';
import { WorkQueue } from '../queues.ts';
import { Api } from './api.ts';
import { Chain } from './chain.ts';
import { Datasets } from './datasets.ts';
import { Devices } from './devices.ts';
import { GlueJobs } from './glue.ts';
import { Hours } from './hours.ts';
import { Latest } from './latest.ts';
import type { Part, PartProps } from './part.ts';
import { Readers } from './readers.ts';
import { Streams } from './stream.ts';
import { createTable, ruleOfTable } from './table.ts';

interface TelemetryProps extends Pick<PartProps, 'code' | 'glueJobs'> {
    config: StageConfig;
    telemetry: TelemetryConfig;
    names: Deployment & TelemetryDeployment;
    lake: LakeBucket;
    summarize: Worker;
    consolidate: Worker;
    key: Key | undefined;
    removalPolicy: RemovalPolicy;
}

export class Telemetry extends Construct {
    /** What rings, and what the dashboard shows. */
    readonly watched: readonly WatchedFunction[];
    readonly rules: readonly AlarmRule[];
    readonly graphs: readonly Graph[];
    readonly functions: readonly LakeFunction[];

    constructor(scope: Construct, id: string, props: TelemetryProps) {
        super(scope, id);
        const { telemetry, names, key, removalPolicy } = props;
        const kept = { key, removalPolicy };
        const streams = new Streams(this, 'streams', props);
        const shared: PartProps = {
            ...props,
            stream: streams.stream,
            programStream: streams.programStream,
            stateTable: createTable(this, 'state', { name: names.stateTable, shape: STATE_TABLE, ...kept }),
            datasetsTable: createTable(this, 'datasets', { name: names.datasetsTable, shape: DATASETS_TABLE, ...kept }),
            givenUpQueue: new WorkQueue(this, 'given-up-queue', {
                name: names.givenUpQueue,
                deadLetterName: names.givenUpDeadLetters,
                worker: GIVEN_UP,
                ...kept,
                ifStuck: 'Messages that the stream’s readers or the IoT rule gave up are not in the lake yet: reports lack them.',
                ifRetried: 'Messages that were given up could not be brought into the lake for some 20 minutes: reports lack them.',
                ifDead: `Messages that were given up are in no figure: bringing them into the lake failed ${GIVEN_UP.maxReceiveCount} times. The stream keeps them for seven days.`,
            }),
        };
        const readers = new Readers(this, 'readers', props);
        const parts: Part[] = [
            streams,
            { watched: [], rules: rulesOfTables(shared), graphs: [] },
            new Hours(this, 'hours', shared),
            // What goes on while telemetry is off: whoever brings what was acknowledged into the lake, and what devices hold on to.
            new Chain(this, 'chain', shared),
            new Devices(this, 'devices', shared),
            new Latest(this, 'latest', shared),
            new Datasets(this, 'datasets-index', shared),
            new GlueJobs(this, 'glue', shared),
            ...(telemetry.isOn ? createWaysIn(this, shared, readers) : []),
        ];
        this.watched = parts.flatMap(({ watched }) => watched);
        this.rules = parts.flatMap(({ rules }) => rules);
        this.graphs = parts.flatMap(({ graphs }) => graphs);
        this.functions = this.watched.map(({ function: worker }) => worker);
    }
}

function rulesOfTables({ stateTable, datasetsTable }: PartProps): AlarmRule[] {
    return [
        ruleOfTable('state', {
            table: stateTable,
            what: 'latest state and alerts',
            ifThrottled: 'latest state and alerts are late. No message is lost.',
        }),
        ruleOfTable('datasets', {
            table: datasetsTable,
            what: 'the index of chain objects',
            ifThrottled: 'messages come late into the lake, which notes each chain object there.',
        }),
    ];
}

/** What is there only while devices are let in. */
function createWaysIn(scope: Construct, shared: PartProps, readers: Readers): Part[] {
    return [new Api(scope, 'api', { ...shared, readers })];
}
