/** rejects: the rows that could not be used. */
import { openFixture, putRejects, putSource } from '#test/support/lake-fixture';

test('lists those of the version that counts, in the order of the file', async () => {
    const { directory, askQuery } = await openFixture([]);
    const old = { source: 'raw/a.csv', version: '1-00000000000000aa' };
    const live = { source: 'raw/a.csv', version: '2-00000000000000ab' };
    const retracted = { source: 'raw/c.csv', version: '1-00000000000000ac' };
    await putSource(directory, live);
    await putSource(directory, { source: 'raw/b.csv', version: '1-00000000000000ad' });
    await putSource(directory, { source: 'raw/c.csv', version: null, state: 'retracted' });
    await putRejects(directory, old, [{ line_number: 1, reason: 'nan', line: 'old' }]);
    await putRejects(directory, live, [
        { line_number: 10, reason: 'nan', line: 'ten' },
        { line_number: 9, reason: 'infinity', line: '"quoted", \u0000 and \ufffd' },
    ]);
    await putRejects(directory, { source: 'raw/b.csv', version: '1-00000000000000ad' }, [{ line_number: 2, reason: 'nan', line: 'b' }]);
    await putRejects(directory, retracted, [{ line_number: 1, reason: 'nan', line: 'gone' }]);
    expect(await askQuery('rejects', ['raw/a.csv', 10n])).toEqual([
        { source: 'raw/a.csv', line_number: 9n, reason: 'infinity', line: '"quoted", \u0000 and \ufffd' },
        { source: 'raw/a.csv', line_number: 10n, reason: 'nan', line: 'ten' },
    ]);
    expect((await askQuery('rejects', [null, 2n])).map(({ line }) => line)).toEqual(['"quoted", \u0000 and \ufffd', 'ten']);
    expect((await askQuery('rejects', [null, 10n])).map(({ line }) => line)).toEqual(['"quoted", \u0000 and \ufffd', 'ten', 'b']);
});
