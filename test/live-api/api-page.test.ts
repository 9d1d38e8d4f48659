/** docs/api.md: its lines answer what it shows, and its tables are those of the program. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { createApi } from '#lake/live/api/create-api';
import { BODY_TYPES } from '#lake/live/api/cut-messages';
import { PROBLEMS } from '#lake/live/api/problem';
import { openHttpServer } from '#lake/serve/http-server';
import { CONTRACT_PROFILE } from './contract-profile.ts';
import { DOCUMENT } from './document-check.ts';
import { MemoryServices } from './memory-services.ts';

const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');

const sh = promisify(execFile);

test('its lines answer what stands under them', async () => {
    const now = () => Date.parse('2026-01-05T10:00:10Z');
    const services = new MemoryServices({ now });
    // Streams have no end by themselves, and a line of the page has one.
    const api = createApi(services, { now, streamLimits: { maxLifeMs: 2000 } });
    const server = await openHttpServer({ port: 0, fetch: api.fetch, onClosing: api.endStreams });
    for (const device of ['th-7', 'th-8']) {
        services.addDevice(device);
    }
    services.addToken('device-token', { is: 'device', device: 'th-7' });
    services.addToken('reader-token', { is: 'reader', name: 'anna' });
    const env = { PATH: process.env.PATH, API: server.url, DEVICE: 'device-token', READER: 'reader-token' };
    const blocks = [...page.matchAll(/```console\n(.*?)```/gs)].map(([, block = '']) => block);
    const printed: string[] = [];
    for (const block of blocks) {
        let shown = '';
        for (const line of block.split('\n').filter((text) => text.startsWith('$ '))) {
            const { stdout } = await sh('sh', ['-c', line.slice(2)], { env });
            shown += `${line}\n${stdout.trimEnd()}\n`.replaceAll(CONTRACT_PROFILE.name, 'thermostat');
        }
        printed.push(shown);
    }
    await server.close();
    expect(printed).toEqual(blocks);
    expect(blocks.join('').match(/^\$ /gm)?.length).toBeGreaterThan(10);
});

test('its table of problems is that of the program', () => {
    const rows = [...page.matchAll(/^\| `([a-z_]+)` \| (\d+) \| (.*) \|$/gm)].map(([, name, status, title]) => ({
        name,
        status: Number(status),
        title,
    }));
    expect(rows).toEqual(Object.entries(PROBLEMS).map(([name, { status, title }]) => ({ name, status, title })));
});

test('its table of bodies has every type that is taken', () => {
    const [, table = ''] = /\| Content-Type \| what the body is \|\n(.*?)\n\n/s.exec(page) ?? [];
    const types = [...table.matchAll(/`([a-z]+\/[\w+-]+)`/g)].map(([, type]) => type);
    expect(types.sort()).toEqual(Object.keys(BODY_TYPES).sort());
});

test('it names every address, and every parameter of a list', () => {
    for (const [path, operations] of Object.entries<Record<string, any>>(DOCUMENT.paths)) {
        for (const [method, { parameters = [] }] of Object.entries(operations)) {
            const names = parameters.filter((parameter: any) => parameter.in === 'query').map(({ name }: any) => name);
            const query = path === '/v1/live' || path === '/v1/telemetry' || names.length === 0 ? '' : `?${names.join('&')}`;
            expect(page).toContain(path === '/v1/telemetry' ? path : `\`${method.toUpperCase()} ${path}${query}\``);
        }
    }
});
