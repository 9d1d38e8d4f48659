/** What the same exporters write with other options is no file of flows, and the answer says which options make it one. */
import { readFile } from 'node:fs/promises';
import { conversations } from './support/capture.ts';
import { nfdumpFlows } from './support/count-flows.ts';
import { ARGUS_FIELDS } from './support/exporters.ts';
import { figuresOf } from './support/figures.ts';
import {
    missingOf,
    NEEDS,
    type Needs,
    type Run,
    runArgus,
    runNfdump,
    runNfstream,
    runPmacctd,
    runSoftflowd,
} from './support/run-exporters.ts';
import { exportAndUpload } from './support/upload.ts';

interface Refused {
    name: string;
    needs: Needs;
    run(where: Omit<Run, 'options'>): Promise<string>;
    /** What the answer must name. */
    says: readonly RegExp[];
}

const PMACCT_KEY = 'aggregate: src_host, dst_host, src_port, dst_port, proto';

const REFUSED: readonly Refused[] = [
    {
        name: 'ra as it is: clocks without a date, packets of both ways in one number',
        needs: NEEDS.argus,
        run: (where) => runArgus({ ...where, options: [] }),
        says: [/Argus/, /\bra\b.* -u\b/, /spkts/],
    },
    {
        name: 'ra with all fields but without -u: clocks without a date',
        needs: NEEDS.argus,
        run: (where) => runArgus({ ...where, options: ['-n', '-s', ARGUS_FIELDS] }),
        says: [/Argus/, /\bra\b.* -u\b/],
    },
    {
        name: 'nfdump -A: sums over flows',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-A', 'srcip,dstip', '-o', 'csv'] }),
        says: [/nfdump/, /-A\b/],
    },
    {
        name: 'nfdump -A as JSON: objects without addresses',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-A', 'srcip,dstip', '-o', 'json'] }),
        says: [/nfdump/, /-A\b/],
    },
    {
        name: 'nfdump -s: a list of the largest',
        needs: NEEDS.nfdump,
        run: (where) => runNfdump({ ...where, options: ['-s', 'ip/flows', '-o', 'csv'] }),
        says: [/nfdump/, /-s\b/],
    },
    {
        name: 'pmacctd: sums of packets without times',
        needs: NEEDS.pmacctd,
        run: (where) => runPmacctd({ ...where, options: [PMACCT_KEY, 'print_output: csv'] }),
        says: [/pmacct/],
    },
    {
        name: 'pmacctd as JSON: sums of packets without times',
        needs: NEEDS.pmacctd,
        run: (where) => runPmacctd({ ...where, options: [PMACCT_KEY, 'print_output: json'] }),
        says: [/pmacct/],
    },
    {
        name: 'pmacctd with times: a row for each packet',
        needs: NEEDS.pmacctd,
        run: (where) => runPmacctd({ ...where, options: [`${PMACCT_KEY}, timestamp_start, timestamp_end`, 'print_output: csv'] }),
        says: [/pmacct/, /packet/],
    },
    {
        name: 'NFStream with addresses made unreadable',
        needs: NEEDS.nfstream,
        run: (where) => runNfstream({ ...where, options: [], anonymize: ['src_ip', 'dst_ip'] }),
        says: [/not_an_ip_address/],
    },
];

for (const { name, needs, run, says } of REFUSED) {
    const missing = missingOf(needs);
    (missing === undefined ? test : test.skip)(
        `${name}${missing === undefined ? '' : ` (skipped, it is not here: ${missing})`}`,
        async () => {
            const { upload, figures } = await exportAndUpload(run, conversations());
            expect(figures).toEqual({});
            expect(upload.exitCode).toBe(1);
            for (const word of says) {
                expect(upload.stdout + upload.stderr).toMatch(word);
            }
        },
    );
}

const missing = missingOf(NEEDS.softflowd);
(missing === undefined ? describe : describe.skip)(
    `softflowd with other times than nfcapd reads${missing === undefined ? '' : ` (skipped, it is not here: ${missing})`}`,
    () => {
        const runWith =
            (options: readonly string[]) =>
            (where: Omit<Run, 'options'>): Promise<string> =>
                runSoftflowd({ ...where, options });

        test('as it is: flows that last half a million years are rejects, and the answer says which option helps', async () => {
            const { path, upload, figures } = await exportAndUpload(runWith(['-v', '10', '-a']), conversations());
            const flows = nfdumpFlows(await readFile(path, 'utf8'));
            const possible = flows.filter(({ durationUs }) => durationUs < 9n * 10n ** 18n);
            expect(possible.length).toBeLessThan(flows.length / 2);
            expect(figures).toEqual(figuresOf(possible));
            expect(upload.stdout + upload.stderr).toMatch(/too_large/);
            expect(upload.stdout + upload.stderr).toMatch(/IPFIX.*-A milli/);
        });

        test('in microseconds: every flow is of 1970 and lasts no time, so that none is kept', async () => {
            const { path, upload, figures } = await exportAndUpload(runWith(['-v', '10', '-A', 'micro']), conversations());
            const flows = nfdumpFlows(await readFile(path, 'utf8'));
            expect(flows.length).toBeGreaterThan(400);
            expect(flows.filter(({ day, durationUs }) => day !== '1970-01-01' || durationUs !== 0n)).toEqual([]);
            expect(figures).toEqual(figuresOf([]));
            expect(upload.exitCode).toBe(1);
            expect(upload.stdout + upload.stderr).toMatch(/nothing kept/);
            expect(upload.stdout + upload.stderr).toMatch(/date_implausible/);
        });
    },
);
