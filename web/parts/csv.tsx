/** A CSV file that the browser makes of what is shown. */
import type { ComponentChildren } from 'preact';

interface CsvLinkProps {
    file: string;
    columns: readonly string[];
    /** Called when the file is wanted. Numbers and texts; null and undefined are empty. */
    rows(): readonly (readonly unknown[])[];
    children: ComponentChildren;
}

/** A button that looks like a link: there is no address behind it. */
export function CsvLink({ file, columns, rows, children }: CsvLinkProps) {
    const save = () => {
        const address = URL.createObjectURL(new Blob([csvOf(columns, rows())], { type: 'text/csv' }));
        const link = document.createElement('a');
        link.href = address;
        link.download = file;
        link.click();
        setTimeout(() => URL.revokeObjectURL(address), 10_000);
    };
    return (
        <button type="button" class="as-link" onClick={save}>
            {children}
        </button>
    );
}

/** The file's text: quotes as RFC 4180 has them, lines end in LF. */
function csvOf(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
    return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
}

/** What a sheet may take for a formula: https://owasp.org/www-community/attacks/CSV_Injection. A number begins with a minus by right. */
const FORMULA = /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

function csvField(value: unknown): string {
    if (value === null || value === undefined) {
        return '';
    }
    const plain = String(value);
    const text = FORMULA.test(plain) && !NUMBER.test(plain) ? `'${plain}` : plain;
    return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
