/** The template that would be deployed, made without network, credentials or the real bundles. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll } from '@jest/globals';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { forTelemetryJobs } from '#cdk/bundle-lambda';
import { readStage, type StageConfig, type TelemetryConfig } from '#cdk/config';
import { LakeStack } from '#cdk/lake-stack';

export interface Resource {
    Type: string;
    Properties: any;
    DeletionPolicy?: string;
    UpdateReplacePolicy?: string;
    DependsOn?: string[];
}

/** Resources by logical id. */
export type Resources = Record<string, Resource>;

const ROOT = new URL('../../', import.meta.url);

/** The context that the CDK command gives to the app. */
const { context } = JSON.parse(readFileSync(new URL('cdk.json', ROOT), 'utf8'));

const folders: string[] = [];

afterAll(() => {
    for (const folder of folders) {
        rmSync(folder, { recursive: true });
    }
});

/** A stage with every option that is off by default. */
export const GUARDED: Partial<StageConfig> = { hasCustomerKey: true, alarmEmail: 'lake@example.com', bucketName: 'our-own-lake' };

/** Live telemetry with every way in. */
export const TELEMETRY: TelemetryConfig = { isOn: true, hasProgramStream: true };

/** A stack with `telemetry` in its row, and all that goes with it; `changes` are made to the row. */
export function synthesizeTelemetry({
    telemetry = TELEMETRY,
    changes = {},
    ...options
}: Parameters<typeof createStack>[0] & { telemetry?: TelemetryConfig } = {}): Resources {
    return synthesize({ ...options, changes: { telemetry, ...changes } });
}

export function createStack({
    stage = 'dev',
    changes = {},
    destroyData,
}: {
    stage?: string;
    changes?: Partial<StageConfig>;
    destroyData?: string;
} = {}): {
    app: App;
    stack: Stack;
} {
    const folder = mkdtempSync(join(tmpdir(), 'flowlake-cdk-'));
    folders.push(folder);
    const app = new App({ context, outdir: join(folder, 'out') });
    const code = {
        summarize: join(folder, 'summarize'),
        consolidate: join(folder, 'consolidate'),
        glueJobs: join(folder, 'glue-jobs'),
        telemetry: forTelemetryJobs((job) => join(folder, job)),
    };
    for (const [path, file] of [
        [code.summarize, 'index.mjs'],
        [code.consolidate, 'index.mjs'],
        ...Object.values(code.telemetry).map((path) => [path, 'index.mjs'] as const),
        [code.glueJobs, 'consolidate_days.py'],
        [code.glueJobs, 'export_features.py'],
        [code.glueJobs, 'transform_readings.py'],
        [code.glueJobs, 'wide_tables.py'],
        [code.glueJobs, 'period_merge.py'],
    ] as const) {
        mkdirSync(path, { recursive: true });
        // The same in every stack: code is named after its bytes.
        writeFileSync(join(path, file), `${basename(path)}/${file}`);
    }
    return { app, stack: new LakeStack(app, { config: { ...readStage(stage), ...changes }, code, destroyData }) };
}

export function synthesize(options?: Parameters<typeof createStack>[0]): Resources {
    return Template.fromStack(createStack(options).stack).toJSON().Resources;
}

/** The resources of one type, with their logical ids. */
export function ofType(resources: Resources, type: string): [string, Resource][] {
    return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

/** A value of the template as one text: what is filled in at deployment stands as `<LogicalId>` or `<AWS::Region>`. */
export function textOf(value: any): string {
    if (typeof value === 'string') {
        return value;
    }
    if (value?.['Fn::Join']) {
        return value['Fn::Join'][1].map(textOf).join(value['Fn::Join'][0]);
    }
    if (value?.['Fn::GetAtt']) {
        return `<${value['Fn::GetAtt'].join('.')}>`;
    }
    if (value?.Ref) {
        return `<${value.Ref}>`;
    }
    return value?.['Fn::Sub'] ?? JSON.stringify(value);
}

/** One or many, as CloudFormation has it. */
export function listOf<T>(value: T | T[] | undefined): T[] {
    return value === undefined ? [] : ([value].flat() as T[]);
}
