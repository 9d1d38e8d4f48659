/** The answer to a question: its rows, a plot where it has a time, and files of it. */
import { useMemo, useState } from 'preact/hooks';
import { Figure } from '../../parts/figure.tsx';
import { withChoices } from '../../parts/link.tsx';
import { Empty, Note } from '../../parts/notes.tsx';
import { groupDigits, sayBytes, sayUsd } from '../../parts/quantity.ts';
import { type Column, Table } from '../../parts/table.tsx';
import { TimeChart } from '../../parts/time-chart.tsx';
import type { ScreenProps } from '../../screen.ts';
import { type AskAnswer, type Cell, isNumeric } from './answer.ts';
import { csvOf, jsonOf } from './files.ts';
import { type PlotColumns, plotColumns, plotOf } from './plot.ts';

interface AnswerViewProps extends ScreenProps {
    answer: AskAnswer;
}

const PAGE_ROWS = 50;

/** Letters of a text from which on it stands in several lines. */
const LONG_TEXT = 48;

export function AnswerView({ answer, query, go }: AnswerViewProps) {
    const { columns, rows, isCut, tookMs, scanned, note } = answer;
    const [askedPage, pages] = [Number(query.get('page') ?? 1), Math.max(1, Math.ceil(rows.length / PAGE_ROWS))];
    const page = Number.isInteger(askedPage) ? Math.min(Math.max(1, askedPage), pages) : 1;
    const first = (page - 1) * PAGE_ROWS;
    const shown = rows.slice(first, first + PAGE_ROWS).map((row, at) => ({ row, at: first + at }));
    const pageAddress = (to: number) =>
        to < 1 || to > pages ? undefined : withChoices('/ask', query, { page: to === 1 ? undefined : String(to) });
    const plottable = useMemo(() => plotColumns(answer), [answer]);
    return (
        <section aria-label="Answer">
            <div class="ask-facts">
                <p role="status">
                    <strong>
                        {isCut ? 'The first ' : ''}
                        {groupDigits(String(rows.length))} {rows.length === 1 ? 'row' : 'rows'}
                    </strong>{' '}
                    in {tookMs < 1000 ? `${tookMs} ms` : `${(tookMs / 1000).toFixed(1)} s`}
                    {scanned && `, ${sayBytes(scanned.bytes)} scanned: ${sayUsd(scanned.costUsd)}`}
                </p>
                <p class="ask-files">
                    Download{' '}
                    <button type="button" onClick={() => download('csv', csvOf(answer))}>
                        CSV
                    </button>{' '}
                    <button type="button" onClick={() => download('json', jsonOf(answer))}>
                        JSON
                    </button>
                </p>
            </div>
            {isCut && <Note>There are more rows. A larger limit shows more of them; flowlake query prints all.</Note>}
            {note !== undefined && <Note kind="warning">{note}</Note>}
            {plottable && <AnswerPlot answer={answer} columns={plottable} query={query} go={go} />}
            {columns.length > 0 && rows.length === 0 ? (
                <Empty title="No rows">
                    <p>The question was answered, and nothing is so. Its columns would be {columns.map(({ name }) => name).join(', ')}.</p>
                </Empty>
            ) : (
                <Table
                    caption="Rows of the answer"
                    columns={columns.map((column, at) => columnOf(column, at))}
                    rows={shown}
                    keyOf={({ at }) => String(at)}
                    pages={
                        pages > 1
                            ? {
                                  label: `${groupDigits(String(first + 1))} to ${groupDigits(String(first + shown.length))} of ${groupDigits(String(rows.length))}`,
                                  previous: pageAddress(page - 1),
                                  next: pageAddress(page + 1),
                              }
                            : undefined
                    }
                />
            )}
        </section>
    );
}

interface Shown {
    row: readonly Cell[];
    at: number;
}

function columnOf(column: AskAnswer['columns'][number], at: number): Column<Shown> {
    const isNumber = isNumeric(column);
    return {
        // Two columns may have one name.
        name: `${at} ${column.name}`,
        title: <span title={column.type}>{column.name}</span>,
        isNumber,
        cell: ({ row }) => <CellView cell={row[at] ?? null} isNumber={isNumber} />,
    };
}

function CellView({ cell, isNumber }: { cell: Cell; isNumber: boolean }) {
    if (cell === null || isNumber) {
        return <Figure value={cell === null ? null : String(cell)} />;
    }
    const text = String(cell);
    return text === '' ? (
        <span class="missing">empty text</span>
    ) : (
        <span class={text.length > LONG_TEXT ? 'ask-text long' : 'ask-text'}>{text}</span>
    );
}

function AnswerPlot({ answer, columns, query, go }: AnswerViewProps & { columns: PlotColumns }) {
    const time = columns.times.find(({ name }) => name === query.get('x')) ?? columns.times[0];
    const figure = columns.figures.find(({ name }) => name === query.get('y')) ?? columns.figures[0];
    const [isOpen, setOpen] = useState(true);
    const plot = useMemo(() => time && figure && plotOf(answer, { time, figure }), [answer, time, figure]);
    if (!plot || !time || !figure) {
        return null;
    }
    const choose = (name: 'x' | 'y', value: string) => go('/ask', { ...Object.fromEntries(query), [name]: value }, { replace: true });
    return (
        <details class="ask-plot" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
            <summary>Plot</summary>
            {isOpen && (
                <>
                    <div class="filters">
                        <Choice label="Figure" columns={columns.figures} value={figure.name} onChange={(value) => choose('y', value)} />
                        {columns.times.length > 1 && (
                            <Choice label="Over" columns={columns.times} value={time.name} onChange={(value) => choose('x', value)} />
                        )}
                    </div>
                    <TimeChart title={figure.name} times={plot.times} isDays={plot.isDays} series={plot.series} />
                    {plot.hiddenRows > 0 && (
                        <Note kind="warning">
                            {groupDigits(String(plot.hiddenRows))} rows have the time of another one of their line and are not drawn: choose
                            another time, or add them up in the question.
                        </Note>
                    )}
                    {plot.lineCount > plot.series.length && (
                        <p>
                            The {plot.series.length} lines with the largest values of {groupDigits(String(plot.lineCount))}: a question for
                            fewer shows the others.
                        </p>
                    )}
                </>
            )}
        </details>
    );
}

interface ChoiceProps {
    label: string;
    columns: PlotColumns['figures'];
    value: string;
    onChange(value: string): void;
}

function Choice({ label, columns, value, onChange }: ChoiceProps) {
    const id = `ask-plot-${label}`;
    return (
        <label for={id}>
            <span>{label}</span>
            <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
                {columns.map(({ name }) => (
                    <option key={name} value={name}>
                        {name}
                    </option>
                ))}
            </select>
        </label>
    );
}

/** Has the browser save the text as a file. */
function download(ending: 'csv' | 'json', text: string): void {
    const type = ending === 'csv' ? 'text/csv;charset=utf-8' : 'application/json';
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = document.createElement('a');
    link.href = address;
    link.download = `answer.${ending}`;
    link.click();
    // The browser has taken the bytes over by the next turn.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
