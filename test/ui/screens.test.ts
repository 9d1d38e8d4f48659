/** The list of screens: each is found by its address, and by a key of its own. */
import { expect, test } from '@jest/globals';
import { SCREENS } from '../../web/screens.ts';

test('no two screens have the same address, title or key', () => {
    for (const values of [
        SCREENS.map(({ path }) => path),
        SCREENS.map(({ title }) => title),
        SCREENS.flatMap(({ key }) => (key === undefined ? [] : [key])),
    ]) {
        expect(values).toEqual([...new Set(values)]);
    }
});

test('keys are single letters, and none is g, which begins them', () => {
    expect(SCREENS.filter(({ key }) => key !== undefined && !/^[a-fh-z]$/.test(key))).toEqual([]);
});

test('no screen stands where the server answers by itself', () => {
    expect(SCREENS.filter(({ path }) => /^\/(pages|web|v1|session)(\/|$)/.test(path))).toEqual([]);
});
