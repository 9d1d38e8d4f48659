/** The API over services in memory, behind the server of one machine. */
import { randomBytes } from 'node:crypto';
import { createApi } from '#lake/live/api/create-api';
import { openHttpServer } from '#lake/serve/http-server';
import { type ApiSubject, describeApi } from './contract.ts';
import { MemoryServices } from './memory-services.ts';

async function open(): Promise<ApiSubject> {
    const services = new MemoryServices();
    const api = createApi(services);
    const server = await openHttpServer({ port: 0, fetch: api.fetch, onClosing: api.endStreams });
    services.addToken('reader-token', { is: 'reader', name: 'anna' });
    return {
        baseUrl: server.url,
        readerToken: 'reader-token',
        addDevice: async (id, { site }) => {
            const token = randomBytes(16).toString('base64url');
            services.addDevice(id, { site });
            services.addToken(token, { is: 'device', device: id });
            return token;
        },
        untilSeen: async () => {},
        untilSealed: async () => {},
        close: server.close,
    };
}

describeApi('in memory', { open, hasEvents: true });
