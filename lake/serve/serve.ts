/**
 * The lake as a server: every part of live telemetry on one machine, put together. A message comes in by the broker or by HTTP, is in the inbox before it is
 * acknowledged, and goes two ways from there: into latest state, and into the chain and the tables. docs/live.md.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { DirectoryLake } from '#lake/lake';
import type { TablePeriod } from '#lake/layout';
import type { Broken } from '#lake/live/api/app';
import { createApi } from '#lake/live/api/create-api';
import { readOriginsOfChains } from '#lake/live/chain-origins';
import { openCredentialIndex } from '#lake/live/credential-index';
import { ForwardIntake } from '#lake/live/forward-intake';
import { Intake } from '#lake/live/intake';
import { judgeHistory } from '#lake/live/judge-history';
import { openKnownDevices } from '#lake/live/known-devices';
import { LiveProfiles } from '#lake/live/live-profiles';
import { noteRegistered } from '#lake/live/note-registered';
import { rebuildState } from '#lake/live/rebuild-state';
import { createPages, type PagesOptions } from '#lake/pages/server/create-pages';
import { compareSequences } from '#lake/telemetry/chain-line';
import { episodes } from '#lake/telemetry/derived-tables';
import { createServices, READER } from './api-services.ts';
import { besideApi } from './beside-api.ts';
import { openBroker } from './broker.ts';
import { authorityFolder, namesOfMachine, openAuthority } from './certificates.ts';
import { openControl } from './control.ts';
import { type Forwarding, type ForwardTarget, startForwarding } from './forwarding.ts';
import type { Hook } from './hook-settings.ts';
import { HookSender } from './hooks.ts';
import { openHttpServer } from './http-server.ts';
import { openInbox } from './inbox.ts';
import { LatestConsumer } from './latest-consumer.ts';
import { liveFile, makeLiveFolder, writeServing } from './live-files.ts';
import type { ServeStatus } from './live-status.ts';
import { openReaderToken } from './reader-token.ts';
import { SaidLines } from './said-lines.ts';
import { endOfChainIn, SHARD } from './seal-pass.ts';
import { type Sealer, startSealing } from './sealing.ts';
import { openStateDatabase } from './state-database.ts';
import { openStateQueries } from './state-queries.ts';
import { Watch } from './watch.ts';

export interface ServeOptions {
    /** Address that both servers listen on. */
    host: string;
    /** 0 for any free one. */
    mqttPort: number;
    httpPort: number;
    /** Names and addresses that devices call this machine by, beside those of loopback and its own. */
    names: readonly string[];
    isHttps: boolean;
    sealEveryMs: number | undefined;
    hooks: readonly Hook[];
    /** The lake that every message is handed on to: it may be out of reach. */
    forwardTo: ForwardTarget | undefined;
    isNewToken: boolean;
    /** The web application, which answers beside the API; undefined leaves it out. */
    pages?: Pick<PagesOptions, 'name' | 'version' | 'web'> | undefined;
    /** Variables that commands of hooks get. */
    environment: Readonly<Record<string, string | undefined>>;
    now: () => Date;
    /** Takes lines of the log. No line holds a secret. */
    say: (line: string) => void;
}

/** A lake that is served. */
export interface Serving {
    mqttPort: number;
    /** `http://127.0.0.1:8080` */
    httpUrl: string;
    /** The token of readers, where it was made now. */
    readerToken: string | undefined;
    status(): ServeStatus;
    /** Ends it: nothing more is taken, what was taken goes into the tables. Aborting `hurry` leaves that to the next start. */
    stop(hurry: AbortSignal): Promise<void>;
}

/** What is left is worked off for so long at most when the server ends. */
const LAST_WORK_MS = 45_000;

/** Table whose days history's verdict on alerts stands in. */
const EPISODES = episodes.name;

/** Days that are judged anew at the start. */
const RECENT_DAYS = 3;

/** Devices that were registered and never sent, and a certificate that has to be renewed, are looked for this often. */
const LOOK_MS = 5_000;

/** A certificate that could not be renewed is tried again after this time. */
const RENEW_AGAIN_MS = 3_600_000;

/** How long the consumer may take for what is left when the server ends. */
const DRAIN_MS = 10_000;
const DRAIN_STEP_MS = 20;
const DAY_MS = 86_400_000;

/** Starts to serve. @throws UsageError for a port that cannot be had, StorageError where another process serves this lake */
export async function serve(lake: DirectoryLake, options: ServeOptions): Promise<Serving> {
    const { directory } = lake;
    const { host, now, say, hooks } = options;
    const nowMs = (): number => now().getTime();
    const monotonicMs = (): number => performance.now();
    const ending = new AbortController();
    const closing: (() => Promise<void> | void)[] = [];
    const closeAll = async (): Promise<void> => {
        for (const close of closing.splice(0).reverse()) {
            await close();
        }
    };
    const opened = async <T extends { close(): Promise<void> | void }>(part: T | Promise<T>): Promise<T> => {
        const value = await part;
        closing.push(() => value.close());
        return value;
    };
    try {
        makeLiveFolder(directory);
        const store = await lake.store();
        const inbox = await opened(
            openInbox(liveFile(directory, 'inbox.sqlite'), {
                now,
                endOfChain: endOfChainIn(store),
                originsOfChains: () => readOriginsOfChains(store),
                onReplaced: ({ file, last, endOfChain }) =>
                    say(
                        `The inbox ended with ${last} and its chain with ${endOfChain}: it is an old copy. It lies in ${file} now, and a new one was begun`,
                    ),
            }),
        );
        const state = await opened(openStateDatabase(liveFile(directory, 'state.sqlite'), { hooks: hooks.map(({ name }) => name) }));
        state.leaveNumbersOut();
        const queries = openStateQueries(state.database);
        const follow = { store, now: nowMs, onTrouble: say };
        const credentials = await opened(openCredentialIndex(follow));
        const devices = await opened(openKnownDevices(follow));
        /** Devices that latest state has an item of: once it has one, it keeps it. */
        const noted = new Set<string>();
        const authority = await openAuthority(authorityFolder(directory), { now: now() });
        const names = namesOf(options);
        let tls = await authority.server({ names, now: now() });
        const intake = new Intake({ inbox, devices, now: nowMs, say });
        const lines = new SaidLines({ say, now: nowMs });
        const forwards = new ForwardIntake({ inbox, devices });
        const profiles = new LiveProfiles({ store, monotonicMs, onFault: say });
        if (compareSequences(placeIn(inbox.stream, state.cursor()), inbox.last()) > 0) {
            say('The inbox is an older copy than latest state is of: latest state follows it from its beginning');
            state.forgetPlace();
        }
        if (state.cursor() === undefined) {
            const {
                devices: found,
                openAlerts,
                fromDay,
            } = await rebuildState({
                ...{ store, engine: await lake.engine(), profiles, state, nowMs: nowMs() },
                // What was not discarded is followed once more.
                inLake: { stream: inbox.stream, sequence: inbox.discardedTo() },
            });
            if (found > 0) {
                say(`Latest state was made anew from readings since ${fromDay}: ${found} devices, ${openAlerts} open alerts`);
            }
        }
        const consumer = new LatestConsumer({ inbox, store: state, profiles, now: nowMs, monotonicMs, onFault: say });
        const watch = new Watch({ state, queries, profiles, progress: () => consumer.progress(), now: nowMs, monotonicMs, onFault: say });
        const hookSender = new HookSender({ state, hooks, now: nowMs, environment: options.environment, onFault: say });
        const reader = openReaderToken(liveFile(directory, 'reader-token.json'), { isNew: options.isNewToken });
        let forwarding: Forwarding | undefined;
        const sealer = startSealing({
            inbox,
            directory,
            store,
            now,
            signal: ending.signal,
            settings: options.sealEveryMs === undefined ? {} : { everyMs: options.sealEveryMs },
            // What latest state has not read yet, or not on the disk, stays in the inbox.
            readTo() {
                const taken = consumer.takenTo();
                state.makeDurable();
                return taken;
            },
            onSealed: ({ objects, unreadable, derived }) => {
                state.noteInLake(objects, nowMs());
                void judge(derived);
                for (const key of unreadable) {
                    say(`Nothing of ${key} could be used: flowlake history says why`);
                }
                if (objects.length > 0) {
                    forwarding?.wake(objects.length);
                }
            },
        });
        closing.push(async () => {
            ending.abort();
            await sealer.stop();
        });
        if (options.forwardTo) {
            forwarding = startForwarding({
                to: options.forwardTo,
                from: store,
                shard: { stream: inbox.stream, shard: SHARD },
                say,
            });
        }
        const services = createServices({
            lake,
            intake,
            credentials,
            devices,
            reader,
            state,
            queries,
            clock: () => watch.clock(),
            inboxProblem: () => inbox.problem()?.message,
            now: nowMs,
        });
        const onBroken = ({ instance, error, method, path }: Broken) => say(`${method} ${path} failed (${instance}): ${sayError(error)}`);
        const api = createApi(services, { now: nowMs, onBroken });
        const pages =
            options.pages &&
            createPages({
                ...options.pages,
                lake,
                live: services,
                hasApi: true,
                authenticate: async (token) => (reader.is(token) ? READER : undefined),
                // It is the token of programs, too: it does not stand in an address, which a browser would remember.
                isTokenInAddress: false,
                now,
                onBroken,
            });
        const http = await openHttpServer({
            host,
            port: options.httpPort,
            fetch: pages ? besideApi(pages, api) : api.fetch,
            tls: options.isHttps
                ? {
                      key: tls.key,
                      cert: tls.certificate,
                      ca: authority.certificate,
                      async callerOf(fingerprint) {
                          const identity = credentials.authenticateFingerprint(fingerprint);
                          return identity.ok ? { is: 'device', device: identity.device } : undefined;
                      },
                  }
                : undefined,
            names,
            onClosing: api.endStreams,
            onFull: (most) => lines.say('full', `${most} connections of HTTP are open: more are refused`),
        });
        closing.push(() => http.close());
        const ofBroker = () => ({ authority: authority.certificate, certificate: tls.certificate, key: tls.key });
        const broker = await opened(
            openBroker({ intake, forwards, credentials, devices, tls: ofBroker(), host, port: options.mqttPort, say, now: nowMs }),
        );
        const since = now().toISOString();
        const status = (): ServeStatus => ({
            since,
            mqttPort: broker.port,
            httpUrl: http.url,
            connections: broker.counts(),
            messages: {
                taken: intake.counts.taken + forwards.counts.taken,
                aside: intake.counts.aside + forwards.counts.aside,
                dropped: intake.counts.dropped,
            },
            inboxProblem: inbox.problem()?.message ?? null,
            latest: { behindMs: Math.round(consumer.progress().behindMs), fault: consumer.progress().fault ?? null },
            sealing: sealer.status(),
            forwarding: forwarding?.status() ?? null,
        });
        const control = await openControl(directory, async (asked) => {
            switch (asked) {
                case 'seal':
                    return { messages: (await sealer.sealNow()).messages };
                case 'refresh':
                    await Promise.all([credentials.refresh(), devices.refresh()]);
                    return look();
                case 'status':
                    return status();
            }
        });
        closing.push(async () => control?.close());
        if (!control) {
            say('The path of this lake is too long for a socket: other commands cannot ask how serving goes');
        }
        writeServing(directory, {
            host: dialledName(options),
            mqttPort: broker.port,
            httpPort: http.port,
            isHttps: options.isHttps,
        });
        consumer.start();
        watch.start();
        hookSender.start();
        // History's verdict on alerts of days that were derived before this start, and of which nobody knows whether it was heard.
        await judge([...recentDays(now())].map((period) => ({ table: EPISODES, period })));
        const looking = setInterval(() => void look(), LOOK_MS);
        await look();
        reader.keep();

        /** Looks for what has to be done by and by. */
        async function look(): Promise<void> {
            await noteDevices();
            state.noteOthers();
            await renewCertificate();
        }

        async function renewCertificate(): Promise<void> {
            if (now() < tls.renewFrom) {
                return;
            }
            try {
                tls = await authority.server({ names, now: now() });
                broker.useCertificate(ofBroker());
                http.useCertificate({ key: tls.key, cert: tls.certificate });
                say(`The server's certificate was renewed: it holds until ${tls.notAfter.toISOString()}`);
            } catch (error) {
                tls = { ...tls, renewFrom: new Date(nowMs() + RENEW_AGAIN_MS) };
                say(`The server's certificate ends on ${tls.notAfter.toISOString()} and cannot be renewed: ${sayError(error)}`);
            }
        }

        async function judge(derived: readonly TablePeriod[]): Promise<void> {
            const days = derived.flatMap(({ table, period }) => (table === EPISODES ? [period] : []));
            try {
                const sealed = { stream: inbox.stream, sequence: sealer.status().inLakeTo };
                await judgeHistory({ store, state: state.judgedTo(sealed), days, nowMs: nowMs() });
            } catch (error) {
                say(`What history says of alerts is not known yet: ${sayError(error)}`);
            }
        }

        async function noteDevices(): Promise<void> {
            const unnoted = devices.list().filter((device) => !noted.has(device));
            const registered = unnoted.flatMap((device) => {
                const known = devices.find(device);
                return known ? [{ device, site: known.site, profile: known.profile }] : [];
            });
            try {
                await noteRegistered(state, registered, { nowMs: nowMs() });
                for (const { device } of registered) {
                    noted.add(device);
                }
            } catch (error) {
                say(`Devices that were registered are not in latest state yet: ${sayError(error)}`);
            }
        }

        return {
            mqttPort: broker.port,
            httpUrl: http.url,
            readerToken: reader.made,
            status,
            async stop(hurry) {
                clearInterval(looking);
                await broker.close();
                await http.close();
                await intake
                    .sayDropped({ all: true })
                    .catch((error: unknown) =>
                        say(
                            `How many messages were put aside and not kept is told by this log alone (${intake.counts.dropped}): ${sayError(error)}`,
                        ),
                    );
                await drain(consumer, { last: () => inbox.last(), state, stream: inbox.stream, hurry });
                await finish(sealer, { hurry, say });
                await forwarding?.stop();
                await watch.stop();
                await consumer.stop();
                await hookSender.stop();
                await closeAll();
            },
        };
    } catch (error) {
        await closeAll();
        throw error;
    }
}

/** Every name and address by which a client may call this machine. */
function namesOf({ host, names }: Pick<ServeOptions, 'host' | 'names'>): string[] {
    const isEvery = host === '0.0.0.0' || host === '::';
    return namesOfMachine([...names, ...(isEvery ? [] : [host])]);
}

/** The name that devices are told to dial: one that leads to where it listens. */
function dialledName({ host, names }: Pick<ServeOptions, 'host' | 'names'>): string {
    const isAtLocalhost = ['127.0.0.1', '0.0.0.0', '::'].includes(host);
    return names[0] ?? (isAtLocalhost ? 'localhost' : host);
}

function* recentDays(now: Date): Generator<string> {
    for (let back = 0; back < RECENT_DAYS; back += 1) {
        yield new Date(now.getTime() - back * DAY_MS).toISOString().slice(0, 'yyyy-mm-dd'.length);
    }
}

/** The consumer's place in this stream; `0` where it has none in it. */
function placeIn(stream: string, cursor: { stream: string; sequence: string } | undefined): string {
    return cursor?.stream === stream ? cursor.sequence : '0';
}

/** Waits until latest state has what the inbox has. */
async function drain(
    consumer: LatestConsumer,
    {
        last,
        state,
        stream,
        hurry,
    }: {
        last: () => string;
        state: { cursor(): { stream: string; sequence: string } | undefined };
        stream: string;
        hurry: AbortSignal;
    },
): Promise<void> {
    const untilMs = performance.now() + DRAIN_MS;
    while (
        !hurry.aborted &&
        performance.now() < untilMs &&
        consumer.progress().fault === undefined &&
        compareSequences(placeIn(stream, state.cursor()), last()) < 0
    ) {
        await wait(DRAIN_STEP_MS);
    }
}

/** Brings what was taken in into the tables, while there is time. */
async function finish(sealer: Sealer, { hurry, say }: { hurry: AbortSignal; say: (line: string) => void }): Promise<void> {
    if (hurry.aborted) {
        return;
    }
    const late = AbortSignal.any([hurry, AbortSignal.timeout(LAST_WORK_MS)]);
    const given = new Promise<undefined>((resolve) => late.addEventListener('abort', () => resolve(undefined)));
    const sealed = await Promise.race([sealer.sealNow(), given]).catch((error: unknown) => {
        say(`What is in the inbox stays there: ${sayError(error)}`);
    });
    for (const { message } of sealed?.faults ?? []) {
        say(`Left for the next start: ${message}`);
    }
}

function sayError(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
