/** Spark 3.5, the engine inside Glue, as a query engine over a lake in a directory; and the Glue job in the same session. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { tables } from '#lake/kinds';
import type { QueryEngine, ResultColumn, Value } from '#lake/query/query-engine';
import { readView, VIEW_NAMES } from '#lake/query/sql-files';

const PYTHON = fileURLToPath(new URL('../../../.tools/spark/bin/python', import.meta.url));
const PROGRAM = fileURLToPath(new URL('spark_engine.py', import.meta.url));

/** Functions that Spark lacks of DuckDB's and Trino's, or has by another name. All other SQL is one text for every engine. */
const SPARK_DIFFERENCES: readonly (readonly [RegExp, string])[] = [
    // Its varchar must have a length; Trino cuts a text off at such a length.
    [/\bas varchar\)/g, 'as string)'],
    [/\blevenshtein_distance\(/g, 'levenshtein('],
];

export interface Spark {
    /** The lake in the folder as tables and views, in place of the one before; `views` are texts in place of those of sql/flows/views. */
    open(folder: string, views?: Readonly<Record<string, string>>): Promise<QueryEngine>;
    /** Runs the Glue job over all days of a bucket; what it prints of each period. @throws where it fails */
    consolidate(bucket: string): Promise<string[]>;
    stop(): Promise<void>;
}

/** What is missing on this machine and how to get it, in one line; undefined where nothing is. */
export function sparkMissing(): string | undefined {
    return existsSync(PYTHON) ? undefined : 'Spark (the engine inside Glue) is not installed: npm run tools -- spark';
}

/** `environment` says where S3 answers. */
export function startSpark(environment: Readonly<Record<string, string | undefined>>): Spark {
    const settings = {
        'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
        'spark.hadoop.fs.s3a.endpoint': environment.AWS_ENDPOINT_URL,
        'spark.hadoop.fs.s3a.path.style.access': 'true',
        'spark.hadoop.fs.s3a.connection.ssl.enabled': 'false',
        'spark.hadoop.fs.s3a.aws.credentials.provider': 'com.amazonaws.auth.EnvironmentVariableCredentialsProvider',
        'spark.ui.enabled': 'false',
        'spark.driver.bindAddress': '127.0.0.1',
        'spark.driver.host': '127.0.0.1',
        'spark.sql.shuffle.partitions': '2',
    };
    const options = Object.entries(settings).map(([name, value]) => `--conf ${name}=${value}`);
    const child = spawn(PYTHON, ['-B', PROGRAM], {
        env: {
            ...environment,
            SPARK_LOCAL_IP: '127.0.0.1',
            PYSPARK_SUBMIT_ARGS: `--master local[2] --driver-memory 3g ${options.join(' ')} pyspark-shell`,
        },
        stdio: ['pipe', 'pipe', 'pipe'],
    });
    let printed = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
        printed = (printed + text).slice(-4_000);
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

    async function ask(request: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
        child.stdin.write(`${JSON.stringify(request)}\n`);
        const { value, done } = await answers.next();
        if (done === true) {
            throw new Error(`Spark ended: ${printed}`);
        }
        const answer = JSON.parse(value);
        if (answer.error !== undefined) {
            throw new Error(answer.error);
        }
        return answer;
    }

    return {
        async open(folder, views = {}) {
            const texts = VIEW_NAMES.map((name) => [name, inSpark(views[name] ?? readView(name))]);
            await ask({ do: 'open', folder, tables, views: texts });
            return {
                async query(sql, { parameters = [] } = {}) {
                    const answer = await ask({ do: 'query', sql: inSpark(sql), parameters: parameters.map(parameterOf) });
                    const columns = (answer.columns as ResultColumn[]).map(({ name, type }) => ({ name, type: nameOfType(type) }));
                    const rows = (answer.rows as (string | null)[][]).map((row) =>
                        row.map((text, at) => readValue(text, columns[at]?.type)),
                    );
                    return {
                        columns,
                        batches: (async function* () {
                            yield rows;
                        })(),
                    };
                },
                close: async () => undefined,
            };
        },
        async consolidate(bucket) {
            return (await ask({ do: 'consolidate', bucket, first_day: '0001-01-01', last_day: '9999-12-31' })).lines as string[];
        },
        async stop() {
            child.stdin.end();
            await ended;
        },
    };
}

function inSpark(sql: string): string {
    return SPARK_DIFFERENCES.reduce((text, [pattern, replacement]) => text.replaceAll(pattern, replacement), sql);
}

function parameterOf(value: Value): unknown {
    return typeof value === 'bigint' ? { whole: String(value) } : value;
}

/** The name of a type as the port's other engines call it. */
function nameOfType(type: string): string {
    return type === 'string' ? 'varchar' : type === 'int' ? 'integer' : type;
}

function readValue(text: string | null, type = ''): Value {
    if (text === null) {
        return null;
    }
    if (type === 'double') {
        return Number(text);
    }
    return /^(bigint|integer|decimal\(\d+,0\))$/.test(type) ? BigInt(text) : type === 'boolean' ? text === 'true' : text;
}
