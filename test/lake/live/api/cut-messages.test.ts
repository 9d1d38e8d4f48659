/** How bodies are cut into messages: bytes as they came, at the right places. */
import fc from 'fast-check';
import { type Cut, cutMessages } from '#lake/live/api/cut-messages';

function cut(body: string | Buffer, how: Cut = 'json', maxMessages = 100): string[] | string {
    const found = cutMessages(Buffer.from(body), { cut: how, maxMessages });
    return 'why' in found ? found.why : found.messages.map((message) => message.toString());
}

test.each<[string, string[]]>([
    ['{"a":1}', ['{"a":1}']],
    [' \n{"a":1}\r\n ', ['{"a":1}']],
    ['[]', []],
    [' [ ] \n', []],
    ['[{"a":1.10},{"a":[1,2]}]', ['{"a":1.10}', '{"a":[1,2]}']],
    ['[1 , "a,]" ,null,\n[2]\n]', ['1', '"a,]"', 'null', '[2]']],
    ['[1e400,0.10,-0]', ['1e400', '0.10', '-0']],
    ['["\\"]",{"}":"{"}]', ['"\\"]"', '{"}":"{"}']],
    ['{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}']],
    ['{"a":1}\r\n\r\n[2,3]\n', ['{"a":1}', '[2,3]']],
    ['{\n"a":\n1}', ['{\n"a":\n1}']],
    ['{"a":1} {"a":2}', ['{"a":1} {"a":2}']],
    ['21.30', ['21.30']],
    ['\ufeff[1]', ['1']],
])('%j is %j', (body, messages) => {
    expect(cut(body)).toEqual(messages);
});

test.each([
    ['', 'the body is empty'],
    [' \n', 'the body is empty'],
    ['[', 'element 0 of the array is not there, or does not end'],
    ['[1,', 'element 1 of the array is not there, or does not end'],
    ['[1,]', 'element 1 of the array is not there, or does not end'],
    ['[,1]', 'element 0 of the array is not there, or does not end'],
    ['[1}', 'the array does not go on behind element 0'],
    ['[{"a":1}{"a":2}]', 'the array does not go on behind element 0'],
    ['["a', 'element 0 of the array is not there, or does not end'],
    ['[1]2', 'something stands behind the array'],
    ['[1],', 'something stands behind the array'],
])('%j cannot be cut: %s', (body, why) => {
    expect(cut(body)).toBe(why);
});

test('lines are lines, whatever stands in them', () => {
    expect(cut('a,b\n\n "c \n[1,\n', 'lines')).toEqual(['a,b', '"c', '[1,']);
});

test('one message is all of the bytes', () => {
    expect(cut(' [1]\n', 'one')).toEqual([' [1]\n']);
    expect(cut('', 'one')).toEqual(['']);
});

test('no more is looked for than one message too many', () => {
    expect(cut('[1,2,3,4,5,6]', 'json', 3)).toEqual(['1', '2', '3', '4']);
    expect(cut('1\n2\n3\n4\n5\n', 'lines', 3)).toEqual(['1', '2', '3', '4']);
});

test('the elements of any array come out as they went in, as elements and as lines', () => {
    fc.assert(
        fc.property(fc.array(fc.json(), { minLength: 1, maxLength: 20 }), fc.constantFrom('', ' ', '\n', '\r\n\t'), (elements, blank) => {
            expect(cut(`[${elements.map((element) => blank + element + blank).join(',')}]`)).toEqual(elements);
            expect(cut(elements.map((element) => element + blank).join('\n'), 'lines')).toEqual(elements);
        }),
    );
});

test('a body is either cut or refused, and what is cut stands in it', () => {
    fc.assert(
        fc.property(fc.string({ unit: fc.constantFrom(...'[]{}",:\\ \n1a') }), (body) => {
            const found = cut(body);
            expect(typeof found === 'string' || found.every((message) => body.includes(message))).toBe(true);
        }),
        { numRuns: 2000 },
    );
});
