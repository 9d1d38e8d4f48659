/** What a page of the web application is to the lake: parameters, the tables that it reads, and an answer. lake/pages/pages.ts lists all pages. */
import type { z } from '@hono/zod-openapi';
import type { Lake } from '#lake/lake';
import type { ApiServices } from '#lake/live/api/services';
import type { Value } from '#lake/query/query-engine';

/** More rows than a page can show: the question has to be a narrower one. */
export class TooManyRowsError extends Error {
    override name = 'TooManyRowsError';
}

/** Latest state, as the API asks it. */
export type LiveState = Pick<ApiServices, 'fleet' | 'devices' | 'device' | 'alerts'>;

/** What a page's answer is made from. */
export interface PageContext {
    lake: Lake;
    /** Latest state of devices; undefined for a lake that was never served and has none. */
    live: LiveState | undefined;
    /** How far the stages on the way into the tables are behind. @throws StorageError where one cannot be asked */
    lag(): Promise<Lag>;
    now(): Date;
    /** Aborted when nobody waits for the answer any more. */
    signal: AbortSignal;
    /** Runs one statement that only reads, to its end. @throws SqlError @throws StorageError @throws TooManyRowsError beyond `maxRows` */
    ask(sql: string, options?: AskOptions): Promise<Rows>;
}

export interface Lag {
    /** Who takes what devices send: the workers of a deployment, a server, or nobody now. */
    is: 'deployed' | 'served' | 'not served' | 'never served';
    stages: readonly Stage[];
}

/** A stage between a device, or a file, and the tables. */
export interface Stage {
    what: string;
    /** Null where nothing waits, or nothing is known. */
    behindMs: number | null;
    /** What waits there; null where that is not counted. */
    waiting: number | null;
    /** What is wrong, or what to do; null where nobody is needed. */
    why: string | null;
}

export interface AskOptions {
    parameters?: readonly Value[];
    /** 100,000 where nothing is said. */
    maxRows?: number;
}

export interface Rows {
    columns: readonly { name: string; type: string }[];
    rows: Value[][];
}

/**
 * A table, or a view of sql/, and the days of it that a page scans, both inclusive; a bound that is left out is open. What is scanned twice stands
 * twice.
 */
export interface Reads {
    table: string;
    from?: string | undefined;
    to?: string | undefined;
    /** Reads of one name are of one query; one without a name is a query of its own. Each query has a least price. */
    query?: string | undefined;
}

/** An answer as JSON. Figures are texts with all their digits (`"9007199254740993"`), means and shares are numbers, times are epoch milliseconds. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };

/** One page: `GET /pages/<name>` gives its answer, `GET /pages/<name>/plan` what it will scan. */
export interface Page<P = unknown> {
    /** In the address: lower case, no slash. */
    name: string;
    /** Reads the parameters of the address, which are texts. What it does not know is refused. */
    parameters: z.ZodType<P>;
    /** What the answer scans, where scanning is paid for. Never reads tables itself. */
    reads(parameters: P): readonly Reads[];
    answer(parameters: P, context: PageContext): Promise<Json>;
}

/** The page as one of the list: its parameters come from its own schema. */
export function definePage<P>(page: Page<P>): Page {
    return page as Page;
}
