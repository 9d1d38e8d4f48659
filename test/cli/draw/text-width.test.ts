/** How wide texts are: characters of East Asia and emoji take two columns, marks none. */
import { cutToWidth, padToWidth, widthOf, wrapWords } from '#cli/draw/text-width';

test.each([
    ['berlin', 6],
    ['東京', 4],
    ['ｱｲｳ', 3],
    ['ＡＢ', 4],
    ['한국', 4],
    ['ꥠ', 2],
    ['𛀀𗀀', 4],
    ['e\u0301', 1],
    ['●⠤░', 3],
    ['🌡', 1],
    ['🔥', 2],
])('%s takes %d columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
    expect(widthOf(padToWidth(text, 9, 'left'))).toBe(9);
});

test('a cut never leaves half a character', () => {
    expect(cutToWidth('東京本社', 8)).toBe('東京本社');
    expect(cutToWidth('東京本社', 7)).toBe('東京本…');
    expect(cutToWidth('東京本社', 6)).toBe('東京…');
});

test('a sentence breaks between words, and a word that is too long stays whole', () => {
    expect(wrapWords('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapWords('one unbreakable two', 7)).toEqual(['one', 'unbreakable', 'two']);
});
