/** What the browser loads stays small, and comes with the licences of what is in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';

const WEB = fileURLToPath(new URL('../dist/web/', import.meta.url));

/** Bytes, gzipped, of all scripts and styles together. */
const MOST_BYTES = 300_000;

/** Bytes, gzipped, until the frame stands: before a screen is loaded. */
const MOST_FIRST_BYTES = 40_000;

const names = readdirSync(WEB);
const read = (name: string) => readFileSync(WEB + name, 'utf8');
const packed = (name: string) => gzipSync(read(name)).length;

/** The file and all that it imports before it runs. */
function withImports(name: string, seen = new Set<string>()): Set<string> {
    if (!seen.has(name)) {
        seen.add(name);
        for (const [, imported = ''] of read(name).matchAll(/(?:from|import)\s?"\.\/([\w.-]+\.js)"/g)) {
            withImports(imported, seen);
        }
    }
    return seen;
}

const ofPage = [...read('index.html').matchAll(/"\/web\/([\w.-]+)"/g)].map(([, name = '']) => name);

test('all scripts and styles are less than 300 kB gzipped', () => {
    const sizes = names.filter((name) => /\.(js|css)$/.test(name)).map(packed);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
});

test('what is loaded before a screen is a small part of it', () => {
    const first = new Set(['index.html', ...ofPage.flatMap((name) => (name.endsWith('.js') ? [...withImports(name)] : [name]))]);
    expect([...first].some((name) => name.endsWith('.css'))).toBe(true);
    expect([...first].reduce((sum, name) => sum + packed(name), 0)).toBeLessThan(MOST_FIRST_BYTES);
});

test('every file that the page names is there, and none has markup or styles within', () => {
    expect(ofPage.filter((name) => !names.includes(name))).toEqual([]);
    expect(read('index.html')).not.toMatch(/<style|style=|<script(?! (type="module" )?src=)|\son\w+=/);
});

test('the licences of what is in it go along', () => {
    const licences = readFileSync(fileURLToPath(new URL('../dist/THIRD-PARTY-LICENSES.txt', import.meta.url)), 'utf8');
    for (const name of ['preact', 'uplot']) {
        expect(licences).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
});

test('no source of it makes markup out of text', () => {
    const folder = fileURLToPath(new URL('../web/', import.meta.url));
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
    const bad = sources.filter((name) =>
        /dangerouslySetInnerHTML|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|style="/.test(
            readFileSync(folder + name, 'utf8'),
        ),
    );
    expect([sources.length > 10, bad]).toEqual([true, []]);
});
