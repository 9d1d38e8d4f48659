/** Merges one period of a lake in a directory anew, and prints how many rows it has: a program of its own, whose memory is told. */
import process from 'node:process';
import { consolidate } from '#lake/commit/consolidate';
import { kindOfTable } from '#lake/kinds';
import { mergedKey } from '#lake/layout';
import { readTyped } from '#lake/parquet';
import { openDirectoryStore } from '#lake/store/directory';

const [, , directory = '', table = '', period = ''] = process.argv;
const store = openDirectoryStore(directory);
await consolidate({ table, period }, { store });
const { merged } = kindOfTable(table);
const object = await store.get(mergedKey(merged, period));
process.stdout.write(String(object ? (await readTyped(merged, object.bytes)).count : 0));
