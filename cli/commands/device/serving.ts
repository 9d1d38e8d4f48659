/** The place at which `serve` of a lake listens: what it has written down, or what it listens on where nothing else is said. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WORK_FOLDER } from '#lake/store/directory-links';

export interface Serving {
    /** A name or address that devices dial. */
    host: string;
    mqttPort: number;
    /** Beginning of the addresses of the HTTP API. */
    httpBase: string;
}

const DEFAULTS = { host: 'localhost', mqttPort: 8883, httpPort: 8080 };

/** What is said in `.flowlake/live/serve.lock`: `name`, `mqtt_port`, `http_port`, `https`. Each that is missing there is the default. */
export async function readServing(directory: string): Promise<Serving> {
    const text = await readFile(join(directory, WORK_FOLDER, 'live/serve.lock'), 'utf8').catch(() => '');
    const fields = fieldsOf(text);
    const port = (name: string, fallback: number): number => {
        const value = fields[name];
        return typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : fallback;
    };
    const host = typeof fields.name === 'string' && fields.name !== '' ? fields.name : DEFAULTS.host;
    const named = host.includes(':') ? `[${host}]` : host;
    return {
        host,
        mqttPort: port('mqtt_port', DEFAULTS.mqttPort),
        httpBase: `${fields.https === true ? 'https' : 'http'}://${named}:${port('http_port', DEFAULTS.httpPort)}`,
    };
}

function fieldsOf(text: string): Record<string, unknown> {
    try {
        const value: unknown = JSON.parse(text);
        return typeof value === 'object' && value !== null ? { ...value } : {};
    } catch {
        return {};
    }
}
