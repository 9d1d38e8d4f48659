/**
 * Has the program of a test file know gauges by the hour: to be imported before all that asks for the kinds when it is loaded. Without what is derived
 * from them: threads, which do that, are programs of their own.
 */
import { gauges } from '#test/kinds/gauges';
import { knowAlso } from './know-also.ts';

const { derived: _, ...known } = gauges;
knowAlso(known);
