/** Hooks as a person writes them down: who is to be told of alerts, and how. */
import { UsageError } from '#lake/errors';

/** An address that is sent each event, signed as Standard Webhooks says. */
export interface Webhook {
    name: string;
    url: URL;
    /** The key that signs. */
    key: Buffer;
}

/** A program that is run for each event. */
export interface CommandHook {
    name: string;
    /** Program and arguments; no shell looks at them. */
    command: readonly [string, ...string[]];
}

export type Hook = Webhook | CommandHook;

/** Bytes of a secret, by Standard Webhooks. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

const SECRET_FORM = `whsec_ and ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes in base64; make one with: echo "whsec_$(openssl rand -base64 32)"`;

/** The hooks of a list `[{"name", "url", "secret"}, {"name", "command"}]`. @throws UsageError that names the hook and what to type; never the secret */
export function parseHooks(value: unknown): Hook[] {
    if (!Array.isArray(value)) {
        throw new UsageError('hooks is no list: write [{"name": "desk", "url": "https://example.com/hook", "secret": "whsec_..."}]');
    }
    const hooks = value.map(parseHook);
    const twice = hooks.find(({ name }, at) => hooks.findIndex((other) => other.name === name) !== at);
    if (twice) {
        throw new UsageError(`Two hooks have the name ${twice.name}: each needs its own, by which it is known what it was told`);
    }
    return hooks;
}

function parseHook(value: unknown, at: number): Hook {
    const fields: Record<string, unknown> = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
    const { name, url, secret, command } = fields;
    if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name)) {
        throw new UsageError(`Hook ${at + 1} has no usable name: lower case letters, digits and dashes, 64 at most`);
    }
    const unknown = Object.keys(fields).find((field) => !['name', 'url', 'secret', 'command'].includes(field));
    if (unknown !== undefined || (url === undefined) === (command === undefined)) {
        const what =
            unknown === undefined ? 'needs "url" and "secret", or "command"' : `has a field ${JSON.stringify(unknown)} that no hook has`;
        throw new UsageError(`Hook ${name} ${what}`);
    }
    if (command === undefined) {
        return { name, url: parseUrl(name, url), key: parseSecret(name, secret) };
    }
    if (
        !Array.isArray(command) ||
        command.length === 0 ||
        !command.every((part) => typeof part === 'string' && part !== '') ||
        secret !== undefined
    ) {
        throw new UsageError(
            `Hook ${name}: "command" is a list of texts, program and arguments, and has no secret: ["/usr/local/bin/page", "--urgent"]`,
        );
    }
    const [program, ...rest] = command.map(String);
    return { name, command: [program ?? '', ...rest] };
}

function parseUrl(name: string, value: unknown): URL {
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
    const isLoopback = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
    if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback)) {
        throw new UsageError(
            `Hook ${name}: "url" is an https:// address. http:// goes to this machine alone (localhost, 127.0.0.1, [::1]): what is sent names devices and places`,
        );
    }
    if (url.username !== '' || url.password !== '') {
        throw new UsageError(`Hook ${name}: a name or password in "url" is refused: the signature tells who sends`);
    }
    return url;
}

function parseSecret(name: string, value: unknown): Buffer {
    const base64 = typeof value === 'string' && value.startsWith('whsec_') ? value.slice('whsec_'.length) : '';
    const key = Buffer.from(base64, 'base64');
    if (key.toString('base64') !== base64 || key.length < MIN_SECRET_BYTES || key.length > MAX_SECRET_BYTES) {
        throw new UsageError(`Hook ${name}: "secret" is ${SECRET_FORM}`);
    }
    return key;
}
