/** Choices that narrow a view. They stand in the address: what is chosen here can be sent to somebody, and the browser's way back undoes it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ScreenProps } from '../screen.ts';

export interface Filter {
    /** Name in the address. */
    name: string;
    label: string;
    kind: 'search' | 'day' | 'number' | 'choice';
    /** What a choice offers, beside the empty one. */
    options?: readonly { value: string; title: string }[];
    /** Title of the empty choice; undefined is `all`. */
    none?: string;
    placeholder?: string;
}

interface FiltersProps extends ScreenProps {
    path: string;
    filters: readonly Filter[];
    /** Choices in the address that are of another view once a filter has changed: the page of a list. */
    resets?: readonly string[];
}

export function Filters({ path, query, go, filters, resets = ['page'] }: FiltersProps) {
    const choose = (name: string, value: string, { replace = false } = {}) => {
        const kept = [...query].filter(([key]) => !resets.includes(key));
        go(path, { ...Object.fromEntries(kept), [name]: value }, { replace });
    };
    return (
        <search>
            <form class="filters" onSubmit={(event) => event.preventDefault()}>
                {filters.map((filter) => (
                    <label key={filter.name} for={`filter-${filter.name}`}>
                        <span>{filter.label}</span>
                        {filter.kind === 'choice' ? (
                            <select
                                id={`filter-${filter.name}`}
                                value={query.get(filter.name) ?? ''}
                                onChange={({ currentTarget }) => choose(filter.name, currentTarget.value)}
                            >
                                <option value="">{filter.none ?? 'all'}</option>
                                {filter.options?.map(({ value, title }) => (
                                    <option key={value} value={value}>
                                        {title}
                                    </option>
                                ))}
                            </select>
                        ) : (
                            <Typed
                                filter={filter}
                                value={query.get(filter.name) ?? ''}
                                onTyped={(value) => choose(filter.name, value, { replace: true })}
                            />
                        )}
                    </label>
                ))}
            </form>
        </search>
    );
}

/** What is typed goes into the address once somebody has stopped for a moment. */
const TYPING_MS = 350;

function Typed({
    filter: { name, kind, placeholder },
    value,
    onTyped,
}: {
    filter: Filter;
    value: string;
    onTyped: (value: string) => void;
}) {
    const [typed, setTyped] = useState(value);
    const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
    useEffect(() => {
        setTyped(value);
    }, [value]);
    useEffect(() => () => clearTimeout(timer.current), []);
    const field = {
        id: `filter-${name}`,
        value: typed,
        onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
            const next = currentTarget.value;
            setTyped(next);
            clearTimeout(timer.current);
            timer.current = setTimeout(() => onTyped(next), TYPING_MS);
        },
    };
    switch (kind) {
        case 'day':
            return <input type="date" {...field} />;
        case 'number':
            return <input type="number" placeholder={placeholder ?? ''} {...field} />;
        default:
            return <input type="search" placeholder={placeholder ?? ''} {...field} />;
    }
}
