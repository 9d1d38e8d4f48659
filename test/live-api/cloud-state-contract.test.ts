/** The API over latest state on AWS, in a table that is as strict as DynamoDB, and the consumer that fills it; stream and lake are in memory. */
import { randomBytes } from 'node:crypto';
import { createApi } from '#lake/live/api/create-api';
import { noteRegistered } from '#lake/live/note-registered';
import { openHttpServer } from '#lake/serve/http-server';
import { takeLatest } from '#lambdas/take-latest';
import { openMemoryCloud } from '#test/support/cloud-state';
import { MemoryInbox, openTestProfiles, TestClock } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';
import { type ApiSubject, describeApi } from './contract.ts';
import { CONTRACT_PROFILE } from './contract-profile.ts';
import { MemoryServices } from './memory-services.ts';

async function open(): Promise<ApiSubject> {
    const clock = new TestClock();
    // What the contract's messages say of their times is believed.
    clock.pass(86_400_000);
    const faults: string[] = [];
    const inbox = new MemoryInbox();
    const profiles = await openTestProfiles(memoryStore(), { clock, faults, profiles: [CONTRACT_PROFILE] });
    const { state } = openMemoryCloud({ now: clock.now });
    // Tokens, the way into the stream, and the lake.
    const memory = new MemoryServices({ now: clock.now });
    const sites = new Map<string, string>();
    let taken = 0;
    const api = createApi(
        {
            authenticate: (token) => memory.authenticate(token),
            readings: (question) => memory.readings(question),
            steps: (question) => memory.steps(question),
            health: () => memory.health(),
            accept: async (device, messages) => {
                for (const message of messages) {
                    inbox.add({
                        ...message,
                        ...{ way: 'http', device, profile: CONTRACT_PROFILE.name, site: sites.get(device), arrivedMs: clock.now() },
                    });
                }
                return memory.accept(device, messages);
            },
            fleet: () => state.fleet(),
            devices: (question) => state.devices(question),
            device: (id) => state.device(id),
            alerts: (question) => state.alerts(question),
            acknowledge: (order) => state.acknowledge(order),
            events: undefined,
        },
        { now: clock.now },
    );
    const server = await openHttpServer({ port: 0, fetch: api.fetch, onClosing: api.endStreams });
    memory.addToken('reader-token', { is: 'reader', name: 'anna' });
    return {
        baseUrl: server.url,
        readerToken: 'reader-token',
        addDevice: async (device, { site }) => {
            const token = randomBytes(16).toString('base64url');
            memory.addDevice(device, { site });
            memory.addToken(token, { is: 'device', device });
            sites.set(device, site);
            await noteRegistered(state, [{ device, site, profile: CONTRACT_PROFILE.name }], { nowMs: clock.now() });
            return token;
        },
        untilSeen: async () => {
            const messages = inbox.messages.slice(taken);
            taken += messages.length;
            await takeLatest(messages, { stream: inbox.stream, state, profiles, clock: () => state.clock(), now: clock.now });
        },
        untilSealed: async () => {},
        close: async () => {
            await server.close();
            expect(faults).toEqual([]);
        },
    };
}

describeApi('latest state on AWS', { open, hasEvents: false });
