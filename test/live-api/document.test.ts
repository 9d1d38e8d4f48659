/** docs/openapi.json is a sound OpenAPI document, and what checks answers against it sees faults. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { DOCUMENT, faultsOfAnswer, faultsOfEvent } from './document-check.ts';

test('the document keeps the schema of OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(DOCUMENT))).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
    const { info: _, ...without } = structuredClone(DOCUMENT);
    expect(await new Validator().validate(without)).toMatchObject({ valid: false });
});

test('every reference leads somewhere', async () => {
    const references = [...JSON.stringify(DOCUMENT).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path.split('/'));
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((path) => path.reduce((node, key) => node?.[key], DOCUMENT) === undefined)).toEqual([]);
});

test('every operation says what it does, and which problems it can have', () => {
    for (const [path, operations] of Object.entries<Record<string, any>>(DOCUMENT.paths)) {
        for (const [method, { summary, responses, tags }] of Object.entries(operations)) {
            expect({ path, method, summary, tags }).toMatchObject({ summary: expect.stringMatching(/.{5}/), tags: [expect.any(String)] });
            const problems = Object.keys(responses).filter((status) => Number(status) >= 400);
            expect({ path, method, problems }).toMatchObject({ problems: expect.arrayContaining(['400']) });
        }
    }
});

describe('a fault of an answer is seen', () => {
    const fleet = {
        devices: { online: 1, late: 0, silent: 0, unknown: 0 },
        groups: [],
        open_alerts: { info: 0, warning: 0, critical: 0 },
        unacknowledged: 0,
        pipeline_late: false,
    };
    const faultsOf = (body: object, { status = 200, type = 'application/json' } = {}) =>
        faultsOfAnswer({ method: 'GET', path: '/v1/fleet' }, { status, type, body: JSON.stringify(body) });

    test('but none where there is none', () => expect(faultsOf(fleet)).toEqual([]));
    test('where a property is missing', () => expect(faultsOf({ ...fleet, unacknowledged: undefined })).toHaveLength(1));
    test('where one is of another type', () => expect(faultsOf({ ...fleet, unacknowledged: '0' })).toHaveLength(1));
    test('where one is not described', () => expect(faultsOf({ ...fleet, more: 1 })).toHaveLength(1));
    test('where the status is not described', () => expect(faultsOf(fleet, { status: 418 })).toHaveLength(1));
    test('where the type is not described', () => expect(faultsOf(fleet, { type: 'text/html' })).toHaveLength(1));
    test('where an event is of no known kind', () => expect(faultsOfEvent('{"kind":"other"}')).not.toEqual([]));
});
