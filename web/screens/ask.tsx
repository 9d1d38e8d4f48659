/** Questions of one's own, and the saved ones. What is asked stands in the address; nothing that came with an address is asked before somebody says so. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SavedQuestion } from '../../lake/pages/saved-questions.ts';
import { askServer, NoAnswer, type Problem, pageAddress } from '../ask-server.ts';
import { Link } from '../parts/link.tsx';
import { Note, Title } from '../parts/notes.tsx';
import type { ScreenProps } from '../screen.ts';
import { useAbout } from '../shell/about-context.ts';
import { Answer } from '../shell/answer.tsx';
import { addressOf } from '../shell/router.ts';
import { usePage } from '../use-page.ts';
import type { AskAnswer } from './ask/answer.ts';
import { AnswerView } from './ask/answer-view.tsx';
import { AskedBeforeList } from './ask/asked-before.tsx';
import { Before } from './ask/before.tsx';
import type { Relation } from './ask/complete.ts';
import { SqlEditor } from './ask/editor.tsx';
import { forget, readHistory, remember } from './ask/history.ts';
import { QuestionForm } from './ask/question-form.tsx';
import { Relations } from './ask/relations.tsx';

interface Questions {
    questions: readonly SavedQuestion[];
    relations: readonly Relation[];
}

export default function AskScreen(props: ScreenProps) {
    const page = usePage<Questions>('questions');
    return (
        <>
            <Title
                more={
                    <a class="ask-down" href="#ask-side">
                        Saved questions, tables, asked before
                    </a>
                }
            >
                Ask
            </Title>
            <Answer of={page}>{(data) => <Desk {...props} {...data} />}</Answer>
        </>
    );
}

type Run =
    | { is: 'idle' }
    | { is: 'running'; sinceMs: number }
    | { is: 'failed'; problem: Problem }
    | { is: 'stopped' }
    | { is: 'done'; answer: AskAnswer; of: string };

/** What is typed goes into the address once somebody has stopped for a moment. */
const TYPING_MS = 400;

const ROWS = ['100', '1000', '10000', '50000'] as const;

const SCANS = [
    { value: '100000000', title: '100 MB' },
    { value: '', title: '1 GB' },
    { value: '10000000000', title: '10 GB' },
    { value: '100000000000', title: '100 GB' },
    { value: '1000000000000', title: '1 TB' },
] as const;

function Desk({ query, go, questions, relations }: ScreenProps & Questions) {
    const { lake, isPaid } = useAbout();
    const [run, setRun] = useState<Run>({ is: 'idle' });
    const [history, setHistory] = useState(() => readHistory(lake));
    const question = questions.find(({ name }) => name === query.get('question'));
    const [sql, setSql] = useState('');
    const [given, setGiven] = useState({ text: '' });
    const [values, setValues] = useState<readonly string[]>([]);
    const inAddress = wordsOf(question?.name, { sql: query.get('sql') ?? '', values: readValues(query.get('values')) });
    /** The question that this desk put into the address; one that it did not came from elsewhere. */
    const own = useRef<string>(undefined);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    const running = useRef<AbortController>(undefined);

    const choices = { rows: query.get('rows') ?? undefined, maxScan: query.get('maxScan') ?? undefined };
    const asked = askedWith(question, { sql, values });
    const isForeign = question === undefined && sql !== '' && own.current !== inAddress;

    useEffect(
        () => () => {
            clearTimeout(timer.current);
            running.current?.abort();
        },
        [],
    );
    useEffect(() => {
        if (inAddress === own.current) {
            return;
        }
        // Another address: back, forward, or a link. What was answered belongs to the one before.
        clearTimeout(timer.current);
        const found = { sql: query.get('sql') ?? '', values: readValues(query.get('values')) };
        setSql(found.sql);
        setGiven({ text: found.sql });
        setValues(found.values);
        stop({ is: 'idle' });
        // The SQL of a saved question is the program's own: where it costs nothing, its address shows its answer.
        if (question && query.has('values') && !isPaid) {
            void start(askedWith(question, found));
        }
    }, [inAddress]);

    async function start(what: Asked | undefined): Promise<void> {
        if (!what) {
            return;
        }
        running.current?.abort();
        const abort = new AbortController();
        running.current = abort;
        setRun({ is: 'running', sinceMs: Date.now() });
        const parameters = { ...what, ...choices };
        try {
            const answer = await askServer<AskAnswer>(pageAddress('ask', parameters), { signal: abort.signal });
            if (abort.signal.aborted) {
                return;
            }
            setRun({ is: 'done', answer, of: JSON.stringify(what) });
            const { tookMs, rows, scanned } = answer;
            const search = addressOf('', parameters).slice(1);
            const title = titleOf(what);
            const costUsd = scanned && { costUsd: scanned.costUsd };
            setHistory(remember(lake, { search, title, atMs: Date.now(), rows: rows.length, tookMs, ...costUsd }));
        } catch (error) {
            if (!abort.signal.aborted) {
                const broken = { status: 0, title: 'This page is broken', detail: String(error) };
                setRun({ is: 'failed', problem: error instanceof NoAnswer ? error.problem : broken });
            }
        }
    }

    function stop(next: Run): void {
        running.current?.abort();
        running.current = undefined;
        setRun(next);
    }

    /** Puts what is asked into the address; `replace` for what is typed letter by letter. */
    function put(what: Asked, text: string, { replace }: { replace: boolean }): void {
        clearTimeout(timer.current);
        own.current = wordsOf(question?.name, { sql: text, values: 'values' in what ? readValues(what.values) : [] });
        go('/ask', { ...choices, ...what, x: query.get('x') ?? undefined, y: query.get('y') ?? undefined }, { replace });
    }

    function typed(text: string): void {
        setSql(text);
        clearTimeout(timer.current);
        if (text !== (query.get('sql') ?? '')) {
            timer.current = setTimeout(() => put({ sql: text }, text, { replace: true }), TYPING_MS);
        }
    }

    function ask(): void {
        if (asked) {
            put(asked, sql, { replace: question === undefined });
            void start(asked);
        }
    }

    /** Keys of the question; those in the editor of SQL are the editor's own, but for Escape. */
    function pressed({ key, ctrlKey, metaKey }: KeyboardEvent): void {
        if (key === 'Escape' && run.is === 'running') {
            stop({ is: 'stopped' });
        } else if (key === 'Enter' && (ctrlKey || metaKey)) {
            ask();
        }
    }

    const forgetOne = (search?: string) => setHistory(forget(lake, search));
    const choose = (name: 'rows' | 'maxScan', value: string) =>
        go('/ask', { ...Object.fromEntries(query), [name]: value }, { replace: true });
    return (
        <div class="ask">
            <div class="ask-desk">
                <section class="card" aria-label="Question" onKeyDown={pressed}>
                    {question ? (
                        <QuestionForm question={question} values={values} onChange={setValues} onRun={ask} />
                    ) : (
                        <>
                            <SqlEditor given={given} relations={relations} onChange={typed} onRun={ask} />
                            {isForeign && run.is === 'idle' && (
                                <Note>This question came with the address. Read it, then run it: nothing was asked yet.</Note>
                            )}
                        </>
                    )}
                    <div class="ask-run">
                        {run.is === 'running' ? (
                            <button type="button" onClick={() => stop({ is: 'stopped' })}>
                                Stop
                            </button>
                        ) : (
                            <button type="button" class="primary" onClick={ask} disabled={!asked}>
                                Run
                            </button>
                        )}
                        <kbd>{isApple() ? '⌘' : 'Ctrl'} Enter</kbd>
                        <label for="ask-rows">
                            Rows{' '}
                            <select
                                id="ask-rows"
                                value={query.get('rows') ?? '1000'}
                                onChange={({ currentTarget }) => choose('rows', currentTarget.value)}
                            >
                                {ROWS.map((rows) => (
                                    <option key={rows} value={rows}>
                                        {rows} at most
                                    </option>
                                ))}
                            </select>
                        </label>
                        {isPaid && (
                            <label for="ask-scan">
                                Stop at{' '}
                                <select
                                    id="ask-scan"
                                    value={query.get('maxScan') ?? ''}
                                    onChange={({ currentTarget }) => choose('maxScan', currentTarget.value)}
                                >
                                    {SCANS.map(({ value, title }) => (
                                        <option key={value} value={value}>
                                            {title} scanned
                                        </option>
                                    ))}
                                </select>
                            </label>
                        )}
                    </div>
                    <Before asked={asked && { ...asked, ...choices }} />
                </section>
                <RunView run={run} isOfNow={run.is === 'done' && run.of === JSON.stringify(asked)} query={query} go={go} />
            </div>
            <div class="ask-side" id="ask-side">
                <details class="card" open>
                    <summary>Saved questions ({questions.length})</summary>
                    <ul class="ask-saved">
                        <li>
                            <Link to="/ask">Write SQL</Link>
                        </li>
                        {questions.map(({ name, meaning }) => (
                            <li key={name}>
                                <Link to="/ask" query={{ question: name }}>
                                    {name}
                                </Link>
                                <span class="ask-small">{questionIn(meaning)}</span>
                            </li>
                        ))}
                    </ul>
                </details>
                <Relations relations={relations} />
                <AskedBeforeList history={history} onForget={forgetOne} />
            </div>
        </div>
    );
}

function RunView({ run, isOfNow, query, go }: ScreenProps & { run: Run; isOfNow: boolean }) {
    switch (run.is) {
        case 'idle':
            return null;
        case 'running':
            return <Waited sinceMs={run.sinceMs} />;
        case 'stopped':
            return <p role="status">Stopped. What ran of it was given up.</p>;
        case 'failed':
            return (
                <section class="notice failed ask-failed" role="alert">
                    <h2>{run.problem.status === 400 ? 'The question is refused' : run.problem.title}</h2>
                    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
                    <pre tabIndex={0}>{run.problem.detail}</pre>
                </section>
            );
        case 'done':
            return (
                <>
                    {!isOfNow && <Note>The question was changed since. This is the answer to it as it was.</Note>}
                    <AnswerView answer={run.answer} query={query} go={go} />
                </>
            );
    }
}

function Waited({ sinceMs }: { sinceMs: number }) {
    const [now, setNow] = useState(Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), 1000);
        return () => clearInterval(timer);
    }, []);
    const seconds = Math.max(0, Math.floor((now - sinceMs) / 1000));
    return (
        <p class="waiting" role="status">
            On its way{seconds > 0 && <span aria-hidden="true">: {seconds} s</span>} …
        </p>
    );
}

/** What is asked, as an address has it. */
type Asked = { sql: string } | { question: string; values: string };

interface Given {
    sql: string;
    values: readonly string[];
}

/** What is asked for; undefined where that is nothing. */
function askedWith(question: SavedQuestion | undefined, { sql, values }: Given): Asked | undefined {
    if (question) {
        return { question: question.name, values: JSON.stringify(question.parameters.map((_, at) => values[at] ?? '')) };
    }
    return sql.trim() === '' ? undefined : { sql };
}

/** A text that is the same for the same question. */
function wordsOf(question: string | undefined, { sql, values }: Given): string {
    return JSON.stringify(question === undefined ? sql : [question, ...values]);
}

/** What a question is recognized by in a list. */
function titleOf(asked: Asked): string {
    return 'sql' in asked
        ? asked.sql.trim().replaceAll(/\s+/g, ' ')
        : [
              asked.question,
              readValues(asked.values)
                  .filter((value) => value !== '')
                  .join(', '),
          ]
              .join(' ')
              .trim();
}

/** The question in what is said of a file: between the colon and the mark. */
function questionIn(meaning: string): string {
    return /: ([^?]*\?)/.exec(meaning)?.[1] ?? meaning;
}

function readValues(text: string | null): string[] {
    try {
        const read: unknown = JSON.parse(text ?? '[]');
        return Array.isArray(read) ? read.map(String) : [];
    } catch {
        return [];
    }
}

function isApple(): boolean {
    return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
