/** Has the program of a test file know gauges by the hour: to be imported before all that asks for the kinds when it is loaded. */
import { gauges } from '#test/kinds/gauges';
import { knowAlso } from './know-also.ts';

knowAlso(gauges);
