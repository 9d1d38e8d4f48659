/** A screen is not changed by what another screen's style sheet says: a class that one of them defines is used by its own screens alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const WEB = new URL('../../web/', import.meta.url).pathname;

/** The style sheets of screens, and the screens and parts that each is of. All others are for everybody. */
const SHEETS: Record<string, RegExp> = {
    'today.css': /^screens\/today/,
    'quality.css': /^screens\/quality/,
    'fleet.css': /^(screens\/(fleet|device|alerts)|parts\/)/,
    'pairs.css': /^(screens\/(pairs?|compare)|parts\/)/,
    'ask.css': /^screens\/ask/,
};

/** Classes of which a rule at the top of the sheet begins; what is nested below a class of the screen's own touches nobody else. */
function classesOf(sheet: string): string[] {
    const text = readFileSync(join(WEB, 'styles', sheet), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
    const tops: string[] = [];
    let depth = 0;
    let selector = '';
    for (const char of text) {
        if (char === '{') {
            tops.push(...(depth === 0 ? [selector] : []));
            depth += 1;
        } else if (char === '}') {
            depth -= 1;
        }
        selector = depth === 0 && char !== '}' ? selector + char : '';
    }
    return [...new Set(tops.flatMap((top) => top.split(',')).flatMap((top) => /^\s*[a-z]*\.([\w-]+)/.exec(top)?.[1] ?? []))];
}

/** The words that stand as classes in each file. */
function usedClasses(): { path: string; words: ReadonlySet<string> }[] {
    return readdirSync(WEB, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.endsWith('.tsx'))
        .map((path) => {
            const text = readFileSync(join(WEB, path), 'utf8');
            // Of what a class is made from the texts count, not the names of values.
            const written = [...text.matchAll(/\bclass=(?:"([^"]*)"|\{([^\n]*)\})/g)].map(
                ([, plain, made = '']) =>
                    plain ?? made.replaceAll(/\$\{([^}]*)\}/g, (_, inner: string) => inner.match(/'[^']*'/g)?.join(' ') ?? ''),
            );
            return { path, words: new Set(written.flatMap((one) => one.split(/[^\w-]+/))) };
        });
}

test.each(Object.entries(SHEETS))('classes of %s are used by its own screens alone', (sheet, own) => {
    const classes = classesOf(sheet);
    expect(classes.length).toBeGreaterThan(0);
    const foreign = usedClasses()
        .filter(({ path }) => path.startsWith('screens/') && !own.test(path))
        .flatMap(({ path, words }) => classes.filter((name) => words.has(name)).map((name) => `.${name} in ${path}`));
    expect(foreign).toEqual([]);
});

test('sheets of screens are these, and those for everybody', () => {
    expect(readdirSync(join(WEB, 'styles')).sort()).toEqual(
        [...Object.keys(SHEETS), 'frame.css', 'main.css', 'media.css', 'parts.css', 'tokens.css'].sort(),
    );
});
