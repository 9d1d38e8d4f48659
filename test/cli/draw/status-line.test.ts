/** A line that is drawn over on a terminal, and nothing where there is none. */
import { openStatusLine } from '#cli/draw/status-line';
import { fakeOutput } from '#test/cli/fake-surroundings';

test('on a terminal it is drawn over, cut to the width, and gone at the end', async () => {
    const stderr = fakeOutput({ isTerminal: true, columns: 10 });
    const line = openStatusLine(stderr);
    await line.draw('one');
    await line.draw('two, and longer');
    await line.say('stays');
    await line.clear();
    await line.clear();
    expect(stderr.text.split('\r\u001b[K')).toEqual(['', 'one', 'two, and…', 'stays\n', 'two, and…', '']);
});

test('where there is no terminal only what stays is written', async () => {
    const stderr = fakeOutput();
    const line = openStatusLine(stderr);
    await line.draw('one');
    await line.say('stays');
    await line.clear();
    expect(stderr.text).toBe('stays\n');
});

test('characters of two columns count as two', async () => {
    const stderr = fakeOutput({ isTerminal: true, columns: 10 });
    await openStatusLine(stderr).draw('漢字漢字漢字');
    expect(stderr.text).toBe('\r\u001b[K漢字漢字…');
});

test('a terminal that cannot draw over is sent nothing but what stays', async () => {
    const stderr = { ...fakeOutput({ isTerminal: true }), canRedraw: false };
    const line = openStatusLine(stderr);
    await line.draw('one');
    await line.say('stays');
    await line.clear();
    expect(stderr.text).toBe('stays\n');
});
