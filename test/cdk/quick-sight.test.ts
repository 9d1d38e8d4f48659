/** QuickSight in the template: off by default, rights that are named, data sets whose SQL gives the columns that they declare, visuals over these columns alone. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { AwsSolutionsChecks } from 'cdk-nag';
import { openDuckDb } from '#lake/query/duckdb';
import type { QueryEngine } from '#lake/query/query-engine';
import { ms, openFleet } from '#test/support/fleet-fixture';
import { rowsOf } from '#test/support/lake-fixture';
import { createStack, GUARDED, ofType, type Resource, synthesize, TELEMETRY, textOf } from './synthesized.ts';

const PERSON = 'arn:aws:quicksight:eu-central-1:111122223333:group/default/analysts';

const quickSight = { people: [PERSON], days: 90 };

/** What the CDK says of the template by CloudFormation's own schema of each resource. */
const faults: unknown[] = [];
const watched = jest.spyOn(console, 'error').mockImplementation((said) => void faults.push(said));
const resources = synthesize({ changes: { quickSight } });
watched.mockRestore();

interface DataSet {
    name: string;
    sql: string;
    columns: { Name: string; Type: string }[];
}

const dataSets: DataSet[] = ofType(resources, 'AWS::QuickSight::DataSet').map(([, { Properties }]) => {
    const [{ CustomSql }] = Object.values<any>(Properties.PhysicalTableMap) as [any];
    return { name: CustomSql.Name, sql: CustomSql.SqlQuery, columns: CustomSql.Columns };
});

/** The types that QuickSight may take for those of DuckDB's results. */
const TYPES: Readonly<Record<string, string>> = {
    varchar: 'STRING',
    bigint: 'INTEGER',
    double: 'DECIMAL',
    'decimal(38,0)': 'DECIMAL',
    'decimal(28,9)': 'DECIMAL',
    timestamp: 'DATETIME',
};

let engine: QueryEngine;
const today = new Date().toISOString().slice(0, 10);

beforeAll(async () => {
    const lake = await openFleet({
        readings: [
            { at: '2026-01-01T10:00:00Z', is: '20.5' },
            { at: `${today}T00:00:00Z`, is: '21.5' },
        ],
        flows: [
            { day: '2020-01-01', packets: 5n },
            { day: today, packets: 9_007_199_254_740_993n },
        ],
    });
    engine = await openDuckDb({ directory: lake.directory });
});

afterAll(() => engine?.close());

test('a stage that does not ask for it has nothing of QuickSight', () => {
    const types = Object.values(synthesize()).map(({ Type }) => Type);
    expect(types.filter((type) => type.includes('QuickSight'))).toEqual([]);
});

test.each([
    ['dev', {}],
    ['prod', { ...GUARDED, telemetry: TELEMETRY }],
])('cdk-nag finds nothing in %s with %j', (stage, changes) => {
    const made = createStack({ stage, changes: { quickSight, ...changes } });
    expect(new AwsSolutionsChecks(made.app).validateScope(made.stack).violations).toEqual([]);
});

test('every resource fits the schema that CloudFormation has of it', () => {
    expect(faults).toEqual([]);
});

test('nobody but the people of the stage gets rights in QuickSight', () => {
    for (const [id, { Type, Properties }] of Object.entries(resources).filter(([, { Type }]) => Type.startsWith('AWS::QuickSight::'))) {
        const principals = Properties.Permissions.map(({ Principal }: { Principal: string }) => Principal);
        expect({ id, Type, principals }).toEqual({ id, Type, principals: [PERSON] });
    }
});

test('QuickSight asks in a role of its own, which writes nothing but answers', () => {
    const [[, source]] = ofType(resources, 'AWS::QuickSight::DataSource') as [[string, Resource]];
    const { WorkGroup, RoleArn } = source.Properties.DataSourceParameters.AthenaParameters;
    expect(WorkGroup).toBe('flowlake-dev');
    const [roleId] = RoleArn['Fn::GetAtt'];
    expect(JSON.stringify(resources[roleId]?.Properties.AssumeRolePolicyDocument)).toContain('quicksight.amazonaws.com');
    const statements = ofType(resources, 'AWS::IAM::Policy')
        .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === roleId))
        .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);
    const writing = statements.filter(({ Action }: any) =>
        [Action].flat().some((action: string) => /Put|Delete|Create|Update/.test(action)),
    );
    expect(
        writing
            .flatMap(({ Resource: resource }: any) => [resource].flat().map(textOf))
            .every((arn: string) => arn.endsWith('/athena-results/*')),
    ).toBe(true);
    expect(writing).not.toEqual([]);
    // It waits for its rights: QuickSight asks at once.
    expect(source.DependsOn?.some((id) => resources[id]?.Type === 'AWS::IAM::Policy')).toBe(true);
});

describe.each(dataSets.map((set) => [set.name, set] as const))('data set %s', (_, { sql, columns }) => {
    const here = sql.replaceAll('flowlake_dev.', '');

    test('has the columns that its SQL gives, of types that QuickSight makes of them', async () => {
        expect(sql).toContain('from flowlake_dev.');
        const answer = await engine.query(here);
        expect(columns).toEqual(answer.columns.map(({ name, type }) => ({ Name: name, Type: TYPES[type] })));
    });
});

test('days before the last ones are not read, and a sum beyond what a double holds stands beside as text', async () => {
    const { sql } = dataSets.find(({ name }) => name === 'day_totals')!;
    const rows = await rowsOf(engine, sql.replaceAll('flowlake_dev.', ''));
    expect(rows).toMatchObject([{ date: `${today} 00:00:00.000`, fwd_pkts_exact: '9007199254740993' }]);
});

test('an instant is that of the milliseconds behind it', async () => {
    const { sql } = dataSets.find(({ name }) => name === 'device_health')!;
    const rows = await rowsOf(engine, sql.replaceAll('flowlake_dev.', ''));
    expect(rows).toMatchObject([{ device: 'd1', last_heard: `${today} 00:00:00.000` }]);
    expect(await rowsOf(engine, 'select last_ms from device_health')).toEqual([{ last_ms: ms(`${today}T00:00:00Z`) }]);
});

test('the analysis draws columns that its data sets have, and has a field once', () => {
    const [[, { Properties }]] = ofType(resources, 'AWS::QuickSight::Analysis') as [[string, Resource]];
    const { DataSetIdentifierDeclarations: declared, Sheets: sheets } = Properties.Definition;
    expect(declared.map(({ Identifier }: any) => Identifier).sort()).toEqual(dataSets.map(({ name }) => name).sort());
    const fields = fieldsIn(sheets);
    expect(fields.length).toBeGreaterThan(20);
    for (const { field, kind } of fields) {
        const column = dataSets
            .find(({ name }) => name === field.Column.DataSetIdentifier)
            ?.columns.find(({ Name }) => Name === field.Column.ColumnName);
        const allowed = {
            CategoricalDimensionField: ['STRING'],
            DateDimensionField: ['DATETIME'],
            NumericalMeasureField: ['INTEGER', 'DECIMAL'],
        }[kind];
        expect({ field: field.FieldId, fits: allowed?.includes(column?.Type ?? '') }).toEqual({ field: field.FieldId, fits: true });
    }
    const ids = fields.map(({ field }) => field.FieldId);
    expect(new Set(ids).size).toBe(ids.length);
});

/** Every field of the definition, with what it is. */
function fieldsIn(value: unknown, kind = ''): { kind: string; field: any }[] {
    if (value === null || typeof value !== 'object') {
        return [];
    }
    const own = 'FieldId' in value ? [{ kind, field: value }] : [];
    return [...own, ...Object.entries(value).flatMap(([name, inner]) => fieldsIn(inner, Array.isArray(value) ? kind : name))];
}
