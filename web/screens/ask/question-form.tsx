/** The form of a saved question: a field for each of its parameters. */
import type { SavedQuestion } from '../../../lake/pages/saved-questions.ts';
import { Link } from '../../parts/link.tsx';

interface QuestionFormProps {
    question: SavedQuestion;
    values: readonly string[];
    onChange(values: string[]): void;
    onRun(): void;
}

export function QuestionForm({ question: { name, meaning, parameters, sql }, values, onChange, onRun }: QuestionFormProps) {
    const change = (at: number, value: string) => onChange(parameters.map((_, place) => (place === at ? value : (values[place] ?? ''))));
    return (
        <form
            class="ask-question"
            onSubmit={(event) => {
                event.preventDefault();
                onRun();
            }}
        >
            <h2>
                <code>{name}</code>
            </h2>
            <p>{meaning}</p>
            <div class="ask-fields">
                {parameters.map((parameter, at) => (
                    <Field key={parameter.name} parameter={parameter} value={values[at] ?? ''} onChange={(value) => change(at, value)} />
                ))}
            </div>
            <details>
                <summary>Its SQL</summary>
                {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
                <pre class="ask-sql" tabIndex={0}>
                    {sql}
                </pre>
                <p>
                    <Link to="/ask">Write your own</Link> instead: its <code>?</code> are the fields above.
                </p>
            </details>
            {/* Enter in a field runs the question. */}
            <button type="submit" class="hidden" tabIndex={-1} aria-hidden="true" />
        </form>
    );
}

interface FieldProps {
    parameter: SavedQuestion['parameters'][number];
    value: string;
    onChange(value: string): void;
}

function Field({ parameter: { name, type, isOptional, note, choices }, value, onChange }: FieldProps) {
    const id = `ask-${name.replaceAll(' ', '-')}`;
    const isDay = /\bday$/.test(name);
    return (
        <label for={id}>
            <span>
                {name}
                {!isOptional && <span class="ask-needed"> needed</span>}
            </span>
            {choices ? (
                <select id={id} value={value} required={!isOptional} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
                    <option value="">{isOptional ? 'any' : 'choose'}</option>
                    {choices.map((choice) => (
                        <option key={choice} value={choice}>
                            {choice}
                        </option>
                    ))}
                </select>
            ) : (
                <input
                    {...(isDay ? { type: 'date' } : { type: 'text', placeholder: note ?? (isOptional ? 'any' : '') })}
                    id={id}
                    inputMode={type === 'bigint' ? 'numeric' : 'text'}
                    value={value}
                    required={!isOptional}
                    onInput={({ currentTarget }) => onChange(currentTarget.value)}
                />
            )}
        </label>
    );
}
