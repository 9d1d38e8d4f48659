/**
 * Tells hooks of alerts: an address by a signed request, as Standard Webhooks (https://www.standardwebhooks.com) says, or a program by JSON on its standard
 * input. Each event is handed over at least once, always with the same id; twice only where this program died between the answer and its note.
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import type { LiveEvent } from '#lake/live/state-store';
import { type HookCall, MAX_WAIT_MS, openHookOutbox } from './hook-outbox.ts';
import type { CommandHook, Hook, Webhook } from './hook-settings.ts';
import type { StateDatabase } from './state-database.ts';

/** Calls under way at once, of one hook. */
const CALLS_AT_ONCE = 4;

/** An answer that takes longer is none, and a program that runs longer is ended. */
const ANSWER_MS = 15_000;
const COMMAND_MS = 60_000;

const FIRST_WAIT_MS = 1_000;

/** A hook that does not answer is told no more of an event after a day, and this many attempts: a clock that is set gives nothing up. */
const GIVE_UP_MS = 86_400_000;
const MIN_ATTEMPTS = 20;

/** The outbox is looked at this often, also where nothing tells of an event: another process may have written it. */
const LOOK_MS = 1_000;

/** Characters of an error that are kept. */
const MAX_ERROR_LENGTH = 300;

export interface HookSenderOptions {
    state: StateDatabase;
    hooks: readonly Hook[];
    /** The machine's clock, UTC epoch milliseconds. */
    now: () => number;
    /** Variables that commands get. */
    environment: Readonly<Record<string, string | undefined>>;
    /** How long an answer, and a program, may take. */
    answerMs?: number;
    commandMs?: number;
    /** Is told what a person should know; never a secret or an address. */
    onFault: (what: string) => void;
}

export class HookSender {
    readonly #options: HookSenderOptions;
    readonly #outbox;
    readonly #underWay = new Map<number, Promise<void>>();
    /** Calls under way, by hook. */
    readonly #calls = new Map<string, number>();
    /** Hooks that do not answer, and what was said of them: it is said once, not with each attempt. */
    readonly #failing = new Map<string, string>();
    /** Notes of answers that are still to be made, by the call. */
    readonly #notes = new Map<number, () => void>();
    readonly #stopping = new AbortController();
    #timer: NodeJS.Timeout | undefined;
    #stopListening: (() => void) | undefined;

    constructor(options: HookSenderOptions) {
        this.#options = options;
        this.#outbox = openHookOutbox(options.state.database);
    }

    /** Tells hooks from now on. What waits for a hook that is not there any more is given up. */
    start(): void {
        const { state, hooks, now, onFault } = this.#options;
        for (const [hook, calls] of this.#outbox.giveUpOthers(namesOf(hooks), now())) {
            onFault(`hook ${hook} is not there any more: ${calls} events are given up`);
        }
        this.#stopListening = state.onEvents(({ isLatestOnly }) => (isLatestOnly ? undefined : this.#look()));
        this.#timer = setInterval(() => this.#look(), LOOK_MS);
        this.#timer.unref();
        this.#look();
    }

    /** Breaks off what is under way; it is told after the next start. */
    async stop(): Promise<void> {
        clearInterval(this.#timer);
        this.#stopListening?.();
        this.#stopping.abort();
        await Promise.all(this.#underWay.values());
    }

    /** Tells what is due now, to the end. */
    async tellAll(): Promise<void> {
        this.#look();
        while (this.#underWay.size > 0) {
            await Promise.all(this.#underWay.values());
        }
    }

    #look(): void {
        for (const hook of this.#stopping.signal.aborted ? [] : this.#options.hooks) {
            try {
                this.#noteAll();
                this.#lookAt(hook);
            } catch (error) {
                this.#sayOnce(hook.name, `cannot be told now: ${messageOf(error)}`);
            }
        }
    }

    #lookAt(hook: Hook): void {
        const without = [...this.#underWay.keys()];
        const limit = CALLS_AT_ONCE - (this.#calls.get(hook.name) ?? 0);
        for (const call of limit > 0 ? this.#outbox.due(hook.name, { nowMs: this.#options.now(), without, limit }) : []) {
            this.#calls.set(hook.name, (this.#calls.get(hook.name) ?? 0) + 1);
            const telling = this.#tell(hook, call).finally(() => {
                this.#underWay.delete(call.id);
                this.#calls.set(hook.name, (this.#calls.get(hook.name) ?? 1) - 1);
                this.#look();
            });
            this.#underWay.set(call.id, telling);
        }
    }

    async #tell(hook: Hook, call: HookCall): Promise<void> {
        const error = await this.#attempt(hook, call);
        if (this.#stopping.signal.aborted && error !== undefined) {
            return;
        }
        const nowMs = this.#options.now();
        if (error === undefined) {
            this.#notes.set(call.id, () => this.#outbox.done(call.id));
            if (this.#failing.delete(hook.name)) {
                this.#options.onFault(`hook ${hook.name} answers again`);
            }
        } else if (nowMs - call.atMs >= GIVE_UP_MS && call.attempts + 1 >= MIN_ATTEMPTS) {
            this.#notes.set(call.id, () => this.#outbox.giveUp(call.id, { error, nowMs }));
            this.#options.onFault(`hook ${hook.name} was not told of event ${call.event} in a day, and is told no more of it: ${error}`);
        } else {
            this.#notes.set(call.id, () => this.#outbox.failed(call.id, { error, nextMs: nowMs + waitAfter(call.attempts) }));
            this.#sayOnce(hook.name, `does not take event ${call.event}, and is told again: ${error}`, error);
        }
        try {
            this.#noteAll();
        } catch (failure) {
            this.#sayOnce(hook.name, `has answered, which cannot be noted now: ${messageOf(failure)}`);
        }
    }

    /** Notes what hooks answered. What cannot be noted is noted with the next look, and the hook is not told again before. @throws StorageError */
    #noteAll(): void {
        for (const [id, note] of this.#notes) {
            note();
            this.#notes.delete(id);
        }
    }

    /** Says what is wrong with a hook, unless that was said last. */
    #sayOnce(hook: string, what: string, why = what): void {
        if (this.#failing.get(hook) !== why) {
            this.#options.onFault(`hook ${hook} ${what}`);
        }
        this.#failing.set(hook, why);
    }

    /** @returns why the hook has not taken it */
    async #attempt(hook: Hook, { event, atMs, body }: HookCall): Promise<string | undefined> {
        const { state, now, environment, answerMs = ANSWER_MS, commandMs = COMMAND_MS } = this.#options;
        const { signal } = this.#stopping;
        const told: Told = { id: `${state.name}-${event}`, type: typeOf(body), body: bodyOf(body, atMs) };
        try {
            return 'url' in hook
                ? await post(hook, told, { nowMs: now(), answerMs, signal })
                : await run(hook, told, { environment, commandMs, signal });
        } catch (error) {
            return messageOf(error);
        }
    }
}

/** Names of hooks, by which the database keeps what they are to be told. */
export function namesOf(hooks: readonly Hook[]): string[] {
    return hooks.map(({ name }) => name);
}

interface Told {
    id: string;
    type: string;
    body: string;
}

function typeOf({ kind }: LiveEvent): string {
    return kind.startsWith('pipeline_') ? `pipeline.${kind.slice('pipeline_'.length)}` : `alert.${kind}`;
}

/** What is sent: each attempt has the same bytes. */
function bodyOf(event: LiveEvent, atMs: number): string {
    const { kind: _kind, ...words } = event;
    return JSON.stringify({ type: typeOf(event), timestamp: new Date(atMs).toISOString(), data: 'alert' in words ? words.alert : words });
}

/** The signature of a request, by Standard Webhooks. */
function signatureOf({ id, timestamp, body }: { id: string; timestamp: string; body: string }, key: Buffer): string {
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

async function post(
    { url, key }: Webhook,
    { id, body }: Told,
    { nowMs, answerMs, signal }: { nowMs: number; answerMs: number; signal: AbortSignal },
): Promise<string | undefined> {
    const timestamp = String(Math.floor(nowMs / 1000));
    const response = await fetch(url, {
        method: 'POST',
        body,
        headers: {
            'content-type': 'application/json',
            'user-agent': 'flowlake',
            'webhook-id': id,
            'webhook-timestamp': timestamp,
            'webhook-signature': signatureOf({ id, timestamp, body }, key),
        },
        // Another address than the one that was written down is sent nothing.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `it answers ${response.status}`;
}

/** Runs the program. @returns why it has not taken the event */
function run(
    { command: [program, ...parts] }: CommandHook,
    { id, type, body }: Told,
    {
        environment,
        commandMs,
        signal,
    }: { environment: Readonly<Record<string, string | undefined>>; commandMs: number; signal: AbortSignal },
): Promise<string | undefined> {
    return new Promise((resolve) => {
        const child = spawn(program, parts, {
            stdio: ['pipe', 'ignore', 'pipe'],
            env: { ...environment, FLOWLAKE_EVENT_ID: id, FLOWLAKE_EVENT_TYPE: type },
            signal,
            killSignal: 'SIGKILL',
        });
        const timer = setTimeout(() => child.kill('SIGKILL'), commandMs);
        const end = (error: string | undefined): void => {
            clearTimeout(timer);
            resolve(error);
        };
        let said = '';
        child.stderr.on('data', (bytes: Buffer) => {
            said = (said + bytes.toString()).slice(0, MAX_ERROR_LENGTH);
        });
        // A program that does not read what it is told may still do its work: its exit code decides.
        child.stdin.on('error', () => undefined);
        child.stdin.end(`${body}\n`);
        child.once('error', (error) => end(messageOf(error)));
        child.once('close', (code, by) => {
            const how = by === null ? `it ends with ${code}` : `it was ended by ${by}, after ${commandMs / 1000} s at most`;
            end(code === 0 ? undefined : `${how}${said.trim() === '' ? '' : `: ${said.trim()}`}`);
        });
    });
}

/** The time until the next attempt: twice as long each time, an hour at most. */
function waitAfter(attempts: number): number {
    return Math.min(FIRST_WAIT_MS * 2 ** attempts, MAX_WAIT_MS);
}

/** An error without the address that it may name. */
function messageOf(error: unknown): string {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
    return (code ?? (cause instanceof Error ? cause.message : String(cause))).slice(0, MAX_ERROR_LENGTH);
}
