/** The API over the database of latest state, as one machine has it, and the consumer that fills it; inbox and lake are in memory. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createApi } from '#lake/live/api/create-api';
import type { ApiServices } from '#lake/live/api/services';
import { noteRegistered } from '#lake/live/note-registered';
import { openHttpServer } from '#lake/serve/http-server';
import { LatestConsumer } from '#lake/serve/latest-consumer';
import { openStateDatabase } from '#lake/serve/state-database';
import { openStateQueries } from '#lake/serve/state-queries';
import { stateServices } from '#lake/serve/state-services';
import { Watch } from '#lake/serve/watch';
import { compareSequences } from '#lake/telemetry/chain-line';
import { MemoryInbox, openTestProfiles, TestClock } from '#test/support/live-world';
import { memoryStore } from '#test/support/memory-store';
import { makeFolder } from '#test/support/temporary';
import { type ApiSubject, describeApi } from './contract.ts';
import { CONTRACT_PROFILE } from './contract-profile.ts';
import { MemoryServices } from './memory-services.ts';

async function open(): Promise<ApiSubject> {
    const clock = new TestClock();
    // What the contract's messages say of their times is believed.
    clock.pass(86_400_000);
    const faults: string[] = [];
    const onFault = (what: string) => faults.push(what);
    const inbox = new MemoryInbox();
    const profiles = await openTestProfiles(memoryStore(), { clock, faults, profiles: [CONTRACT_PROFILE] });
    const state = openStateDatabase(join(await makeFolder(), 'state.sqlite'));
    const queries = openStateQueries(state.database);
    const consumer = new LatestConsumer({ inbox, store: state, profiles, ...clock, onFault });
    const watch = new Watch({ state, queries, profiles, progress: () => consumer.progress(), ...clock, onFault });
    // Tokens, the way into the inbox, and the lake.
    const memory = new MemoryServices({ now: clock.now });
    const sites = new Map<string, string>();
    const services: ApiServices = {
        authenticate: (token) => memory.authenticate(token),
        readings: (question) => memory.readings(question),
        steps: (question) => memory.steps(question),
        health: () => memory.health(),
        accept: async (device, messages) => {
            for (const { payload, topic, headers } of messages) {
                inbox.add({
                    way: 'http',
                    device,
                    topic,
                    headers,
                    payload,
                    profile: CONTRACT_PROFILE.name,
                    site: sites.get(device),
                    arrivedMs: clock.now(),
                });
            }
            return memory.accept(device, messages);
        },
        ...stateServices({ state, queries, clock: () => watch.clock() }),
    };
    const api = createApi(services, { now: clock.now });
    const server = await openHttpServer({ port: 0, fetch: api.fetch, onClosing: api.endStreams });
    memory.addToken('reader-token', { is: 'reader', name: 'anna' });
    consumer.start();
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
            while (compareSequences(inbox.last(), state.cursor()?.sequence ?? '0') > 0) {
                await turn();
            }
        },
        untilSealed: async () => {},
        close: async () => {
            await server.close();
            await consumer.stop();
            state.close();
            expect(faults).toEqual([]);
        },
    };
}

describeApi('latest state of one machine', { open, hasEvents: true });
