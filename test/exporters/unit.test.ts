/** One header, two units: what says whether cicflowmeter wrote seconds or microseconds. */
import { readFile } from 'node:fs/promises';
import { conversations } from './support/capture.ts';
import { cicflowmeterFlows } from './support/count-flows.ts';
import { isNeverSilent } from './support/exporters.ts';
import { figuresOf } from './support/figures.ts';
import { missingOf, NEEDS, type Run, runCicflowmeterUs } from './support/run-exporters.ts';
import { exportAndUpload } from './support/upload.ts';

const missing = missingOf(NEEDS.cicflowmeterUs);
(missing === undefined ? describe : describe.skip)(
    `microseconds of cicflowmeter 0.2.0${missing === undefined ? '' : ` (skipped, it is not here: ${missing})`}`,
    () => {
        const taken = conversations().filter(isNeverSilent);
        const whole = (where: Omit<Run, 'options'>): Promise<string> => runCicflowmeterUs({ ...where, options: [] });
        const withoutRates = (where: Omit<Run, 'options'>): Promise<string> =>
            runCicflowmeterUs({ ...where, options: ['--fields', 'src_ip,dst_ip,timestamp,flow_duration,tot_fwd_pkts'] });

        test('are not taken for seconds though somebody says so: the rates in the rows speak against it', async () => {
            const { upload, figures } = await exportAndUpload(whole, taken, ['--duration-unit', 's']);
            expect(figures).toEqual({});
            expect(upload.exitCode).toBe(1);
            expect(upload.stderr).toMatch(/--duration-unit s .*line \d+.*\bus\b/);
        });

        test('are a doubt that is said where no column tells, and are read right when they are named', async () => {
            const { upload } = await exportAndUpload(withoutRates, taken);
            expect(upload.exitCode).toBe(0);
            expect(upload.stderr).toMatch(/--duration-unit us/);
            const { path, figures, upload: named } = await exportAndUpload(withoutRates, taken, ['--duration-unit', 'us']);
            expect(figures).toEqual(figuresOf(cicflowmeterFlows(await readFile(path, 'utf8'), { unit: 'us' })));
            expect(Object.keys(figures).length).toBeGreaterThan(60);
            expect(named.stderr).not.toMatch(/--duration-unit/);
        });
    },
);
