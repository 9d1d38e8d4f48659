/**
 * The editor of SQL (CodeMirror). It stands in a shadow root: there it brings its styles as sheets of script, which the content security policy allows, and
 * not as an element `style`, which it does not.
 */
import { autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'preact/hooks';
import { completeSql, type Relation } from './complete.ts';

interface EditorProps {
    /** What stands in it first, and whenever this is another object: what is typed goes out by `onChange` and never comes back. */
    given: { readonly text: string };
    relations: readonly Relation[];
    onChange(value: string): void;
    /** Ctrl-Enter, or Cmd-Enter. */
    onRun(): void;
}

export function SqlEditor({ given, relations, onChange, onRun }: EditorProps) {
    const place = useRef<HTMLDivElement>(null);
    const view = useRef<EditorView>(undefined);
    const handlers = useRef({ onChange, onRun });
    handlers.current = { onChange, onRun };
    const completion = useRef(new Compartment());

    useEffect(() => {
        const host = place.current;
        if (!host) {
            return;
        }
        const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
        const runNow = () => {
            closeCompletion(editor);
            handlers.current.onRun();
            return true;
        };
        // Keys of the application are letters here: to the window they come from the host, which looks like no field. Escape means the same in both.
        const keepKeys = (event: KeyboardEvent) => event.key !== 'Escape' && event.stopPropagation();
        host.addEventListener('keydown', keepKeys);
        const editor = new EditorView({
            root,
            parent: root,
            state: EditorState.create({
                doc: given.text,
                extensions: [
                    keymap.of([{ key: 'Mod-Enter', preventDefault: true, run: runNow }]),
                    history(),
                    drawSelection(),
                    closeBrackets(),
                    bracketMatching(),
                    // No Tab: it leads out of the editor, for who has no mouse.
                    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
                    sql({ dialect: PostgreSQL }),
                    syntaxHighlighting(HIGHLIGHTS),
                    completion.current.of(completionOver(relations)),
                    typeOverSelection,
                    EditorView.lineWrapping,
                    placeholder('select ... from ...'),
                    LOOK,
                    EditorView.contentAttributes.of({ 'aria-label': 'SQL', spellcheck: 'false', autocapitalize: 'off' }),
                    EditorView.updateListener.of(({ docChanged, state }) => docChanged && handlers.current.onChange(state.doc.toString())),
                ],
            }),
        });
        view.current = editor;
        return () => {
            host.removeEventListener('keydown', keepKeys);
            editor.destroy();
            view.current = undefined;
        };
    }, []);

    useEffect(() => {
        const editor = view.current;
        if (editor && editor.state.doc.toString() !== given.text) {
            editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: given.text } });
        }
    }, [given]);

    useEffect(() => {
        view.current?.dispatch({ effects: completion.current.reconfigure(completionOver(relations)) });
    }, [relations]);

    return <div ref={place} class="ask-editor" />;
}

function completionOver(relations: readonly Relation[]): Extension {
    // No icons: they are characters that not every machine has.
    return autocompletion({ override: [completeSql(relations)], icons: false });
}

/**
 * What is typed over a selection is put in here. Chromium would keep the look of what was selected by an inline style, which the content security policy
 * refuses with a complaint.
 */
const typeOverSelection = EditorView.domEventHandlers({
    beforeinput(event, editor) {
        const { main } = editor.state.selection;
        if (event.inputType !== 'insertText' || event.data === null || main.empty || editor.composing) {
            return false;
        }
        event.preventDefault();
        editor.dispatch(editor.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
        return true;
    },
});

const LOOK = EditorView.theme({
    '&': { color: 'var(--ink)', backgroundColor: 'var(--paper)', fontSize: '14px', borderRadius: '6px' },
    '&.cm-focused': { outline: '2px solid var(--focus)' },
    '.cm-scroller': { fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace', lineHeight: '1.55' },
    '.cm-content': { minHeight: '9.2rem', padding: '0.6em 0.3em', caretColor: 'var(--ink)' },
    '.cm-cursor, .cm-dropCursor': { borderLeftColor: 'var(--ink)' },
    '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection': {
        backgroundColor: 'color-mix(in srgb, var(--accent) 28%, transparent) !important',
    },
    '.cm-placeholder': { color: 'var(--ink-2)' },
    '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--paper-3)', outline: '1px solid var(--edge)' },
    '.cm-tooltip': {
        backgroundColor: 'var(--paper)',
        color: 'var(--ink)',
        border: '1px solid var(--edge)',
        borderRadius: '6px',
        boxShadow: 'var(--shadow)',
    },
    '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'inherit', maxHeight: '16em' },
    '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--accent)', color: 'var(--accent-ink)' },
    '.cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail': { color: 'var(--accent-ink)' },
    '.cm-completionDetail': { color: 'var(--ink-2)', fontStyle: 'normal' },
    '.cm-completionInfo': { maxWidth: '24em', padding: '0.5em 0.7em', fontFamily: 'system-ui, sans-serif' },
});

const HIGHLIGHTS = HighlightStyle.define([
    { tag: tags.keyword, color: 'var(--data-1)', fontWeight: '600' },
    { tag: [tags.string, tags.special(tags.string)], color: 'var(--data-3)' },
    { tag: [tags.number, tags.bool, tags.null], color: 'var(--data-2)' },
    { tag: [tags.lineComment, tags.blockComment], color: 'var(--ink-2)', fontStyle: 'italic' },
    { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--data-5)' },
]);
