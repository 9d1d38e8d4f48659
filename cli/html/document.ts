/** A whole page that stands in one file: it asks for nothing, runs nothing, and says so itself to the browser. */
import { createHash } from 'node:crypto';
import { HATCH } from './charts.ts';
import { type Markup, markup, trusted } from './markup.ts';
import { STYLE } from './style.ts';

/** Allows the page's own style sheet, told by its hash, and nothing else: no script, no picture from elsewhere, no form. */
const POLICY = [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
].join('; ');

/** What a page says of where and when it was made. */
export interface PageFacts {
    /** The lake as it was named on the line. */
    lake: string;
    madeAt: Date;
}

/** `2026-02-01 12:00`. */
export function sayMinute(at: Date): string {
    return at.toISOString().replace('T', ' ').slice(0, 'yyyy-mm-dd hh:mm'.length);
}

/** The bytes of the page. `body` is what stands below its heading. */
export function writeDocument({ title, about, body }: { title: string; about: readonly Markup[]; body: readonly Markup[] }): Buffer {
    const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
${HATCH}<header>
<h1>${title}</h1>
${about.map((line) => markup`<p>${line}</p>\n`)}</header>
<main>
${body}</main>
</body>
</html>
`;
    return Buffer.from(page.toString());
}

/** How the figures above it were made. */
export function how(...sentences: readonly (string | Markup)[]): Markup {
    return markup`<p class="how">${sentences.map((sentence) => markup`${sentence} `)}</p>\n`;
}

/** Words that are typed. */
export function code(words: string): Markup {
    return markup`<code>${words}</code>`;
}

/** Words that every page ends with. */
export function closing(before = ''): Markup {
    return markup`<footer>${before}This page stands in one file: it asks for nothing, runs nothing, and can be sent on and printed. Figures have all their digits, days and times are of UTC.</footer>\n`;
}
