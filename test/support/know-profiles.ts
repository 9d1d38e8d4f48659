/** Has the program of a test file know a kind whose inputs are called profiles, with preset `basin`: imported before all that asks for the kinds. */
import { gauges } from '#test/kinds/gauges';
import { knowAlso } from './know-also.ts';

if (gauges.inputs) {
    knowAlso({ ...gauges, inputs: { ...gauges.inputs, noun: 'profile' } });
}
