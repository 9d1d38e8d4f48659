/** Checks answers against the OpenAPI document: each status and type is described, and each body is as it is described, with nothing beside it. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** docs/openapi.json. */
export const DOCUMENT = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(closed(DOCUMENT) as object, 'document');

/** What is wrong with an answer; nothing where it is as the document says. */
export function faultsOfAnswer(
    { method, path }: { method: string; path: string },
    { status, type, body }: { status: number; type: string | undefined; body: string },
): string[] {
    const template = Object.keys(DOCUMENT.paths).find((known) => patternOf(known).test(path));
    const operation = template && DOCUMENT.paths[template][method.toLowerCase() === 'head' ? 'get' : method.toLowerCase()];
    const name = `${method} ${template ?? path}: ${status}`;
    if (!operation) {
        // What no path knows is a problem all the same.
        return faultsOfBody('document#/components/schemas/Problem', body).map((fault) => `${name} ${fault}`);
    }
    const described = operation.responses[status];
    if (!described) {
        return [`${name} is not described`];
    }
    const bare = type?.split(';')[0];
    if (method === 'HEAD' || body === '') {
        return [];
    }
    if (bare === undefined || !described.content?.[bare]) {
        return [`${name} is not described as ${bare}`];
    }
    if (!bare.endsWith('json')) {
        return [];
    }
    const pointer = ['paths', template, method.toLowerCase(), 'responses', status, 'content', bare, 'schema'];
    return described.content[bare].schema
        ? faultsOfBody(`document#/${pointer.map(escapePointer).join('/')}`, body).map((fault) => `${name} ${fault}`)
        : [];
}

/** What is wrong with the data of an event. */
export function faultsOfEvent(data: string): string[] {
    return faultsOfBody('document#/components/schemas/Event', data);
}

function faultsOfBody(schema: string, body: string): string[] {
    const check = ajv.getSchema(schema);
    if (!check) {
        return [`${schema} is no schema`];
    }
    return check(JSON.parse(body)) ? [] : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function patternOf(template: string): RegExp {
    return new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`);
}

function escapePointer(part: string | number): string {
    return encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** The document with objects that have no other properties than those that are described: clients allow others, the tests do not. */
function closed(node: unknown): unknown {
    if (Array.isArray(node)) {
        return node.map(closed);
    }
    if (typeof node !== 'object' || node === null) {
        return node;
    }
    const mapped = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
    return 'properties' in mapped && mapped.type === 'object' ? { additionalProperties: false, ...mapped } : mapped;
}
